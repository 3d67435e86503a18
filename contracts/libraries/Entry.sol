// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import {Order, PRICE_BASE} from "../types/Order.sol";

/// @notice A living order while it is being cleared: one word.
/// @dev
/// ```
///   255 225 224        223   200 199  168 167          56 55    40 39           24 23     0
///  |  0    | filled  1 | asset 24 | left 32 | perturbed 112 | batch 16 | group|kind 16 | member 24 |
/// ```
/// - filled: it has a fill. - left: what the fills so far leave of it. - batch: position among the listed batches.
/// - perturbed: `ask * 2**40 + id` of an offer, `bid * 2**40 + 2**39 - id` of a request.
/// The bits from 96 on lie as in {Order}: making an entry moves none of them.
type Entry is uint256;

using EntryLib for Entry global;

library EntryLib {
    uint256 private constant HALF = PRICE_BASE / 2;
    uint256 private constant ORDER_PART = type(uint256).max << 96; // asset, quantity and price
    uint256 private constant FILLED = 1 << 224;

    /// @notice Entry of an offer, its quantity being what is left.
    /// @param origin Position of the batch << 40 | member.
    function ofOffer(Order o, uint256 id, uint256 origin, uint256 group_) internal pure returns (Entry) {
        return Entry.wrap((Order.unwrap(o) & ORDER_PART) | id << 56 | origin | group_ << 24);
    }

    /// @notice Entry of a request, its quantity being what is left.
    /// @param origin Position of the batch << 40 | member.
    function ofRequest(Order o, uint256 id, uint256 origin, uint256 kind_) internal pure returns (Entry) {
        unchecked {
            // id < 2**38 < HALF
            return Entry.wrap((Order.unwrap(o) & ORDER_PART) | (HALF - id) << 56 | origin | kind_ << 24);
        }
    }

    function isFilled(Entry e) internal pure returns (bool) {
        return Entry.unwrap(e) >= FILLED;
    }

    function asset(Entry e) internal pure returns (uint256) {
        return (Entry.unwrap(e) >> 200) & type(uint24).max;
    }

    /// @notice What the fills so far leave of it [capacity units].
    function left(Entry e) internal pure returns (uint256) {
        return (Entry.unwrap(e) >> 168) & type(uint32).max;
    }

    /// @notice The price that the allocation compares; all of them are distinct.
    function perturbed(Entry e) internal pure returns (uint256) {
        return (Entry.unwrap(e) >> 56) & type(uint112).max;
    }

    /// @notice Ask or bid [token base units per capacity unit].
    function price(Entry e) internal pure returns (uint256) {
        return (Entry.unwrap(e) >> 96) & type(uint72).max;
    }

    function offerId(Entry e) internal pure returns (uint256) {
        return (Entry.unwrap(e) >> 56) & type(uint40).max;
    }

    function requestId(Entry e) internal pure returns (uint256) {
        unchecked {
            return HALF - ((Entry.unwrap(e) >> 56) & type(uint40).max);
        }
    }

    /// @notice Position of its batch among the listed ones.
    function batch(Entry e) internal pure returns (uint256) {
        return (Entry.unwrap(e) >> 40) & type(uint16).max;
    }

    /// @notice Group of an offer.
    function group(Entry e) internal pure returns (uint256) {
        return (Entry.unwrap(e) >> 24) & type(uint16).max;
    }

    /// @notice Kind of a request.
    function kind(Entry e) internal pure returns (uint256) {
        return (Entry.unwrap(e) >> 24) & type(uint16).max;
    }

    function member(Entry e) internal pure returns (uint256) {
        return Entry.unwrap(e) & type(uint24).max;
    }

    /// @notice The order after a fill of `quantity`, which must not exceed what is left.
    function take(Entry e, uint256 quantity) internal pure returns (Entry) {
        unchecked {
            return Entry.wrap((Entry.unwrap(e) | FILLED) - (quantity << 168));
        }
    }
}
