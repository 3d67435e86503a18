// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import {Side} from "../types/Batch.sol";
import {Order, PRICE_BASE} from "../types/Order.sol";

/// @notice A living order while it is being cleared: one word, in the order in which the submission lists it.
/// @dev
/// ```
///   255           144 143   120 119    96 95     80 79           64 63 33 32       32 31   0
///  | perturbed 112   | asset 24 | member 24 | batch 16 | group|kind 16 |  0   | filled  1  | left 32 |
/// ```
/// - perturbed: `ask * 2**40 + id` of an offer, `bid * 2**40 + 2**39 - id` of a request.
/// - batch: position among the listed batches. - filled: it has a fill. - left: what the fills so far leave of it.
type Entry is uint256;

using EntryLib for Entry global;

library EntryLib {
    uint256 private constant HALF = PRICE_BASE / 2;
    uint256 private constant FILLED = 1 << 32;

    /// @notice Entry of an order.
    /// @param o Its terms, the quantity being what is left.
    /// @param batch_ Position of its batch among the listed ones.
    /// @param part Index of its group or kind.
    function make(Order o, Side side, uint256 id, uint256 member_, uint256 batch_, uint256 part)
        internal
        pure
        returns (Entry)
    {
        unchecked {
            // id < 2**38 < HALF, so the price above stays untouched.
            uint256 rank = side == Side.Offer ? id << 144 | o.asset() << 120 : (HALF - id) << 144;
            return Entry.wrap(o.price() << 184 | rank | member_ << 96 | batch_ << 80 | part << 64 | o.quantity());
        }
    }

    /// @notice The price that the allocation compares; all of them are distinct.
    function perturbed(Entry e) internal pure returns (uint256) {
        return Entry.unwrap(e) >> 144;
    }

    /// @notice Ask or bid [token base units per capacity unit].
    function price(Entry e) internal pure returns (uint256) {
        return Entry.unwrap(e) >> 184;
    }

    function offerId(Entry e) internal pure returns (uint40) {
        return uint40(Entry.unwrap(e) >> 144);
    }

    function requestId(Entry e) internal pure returns (uint40) {
        unchecked {
            return uint40(HALF - uint40(Entry.unwrap(e) >> 144));
        }
    }

    function asset(Entry e) internal pure returns (uint256) {
        return (Entry.unwrap(e) >> 120) & type(uint24).max;
    }

    function member(Entry e) internal pure returns (uint256) {
        return (Entry.unwrap(e) >> 96) & type(uint24).max;
    }

    /// @notice Position of its batch among the listed ones.
    function batch(Entry e) internal pure returns (uint256) {
        return (Entry.unwrap(e) >> 80) & type(uint16).max;
    }

    /// @notice Group of an offer.
    function group(Entry e) internal pure returns (uint256) {
        return (Entry.unwrap(e) >> 64) & type(uint16).max;
    }

    /// @notice Kind of a request.
    function kind(Entry e) internal pure returns (uint256) {
        return (Entry.unwrap(e) >> 64) & type(uint16).max;
    }

    function isFilled(Entry e) internal pure returns (bool) {
        return Entry.unwrap(e) & FILLED != 0;
    }

    /// @notice What the fills so far leave of it [capacity units].
    function left(Entry e) internal pure returns (uint256) {
        return Entry.unwrap(e) & type(uint32).max;
    }

    /// @notice The order after a fill of `quantity`, which must not exceed what is left.
    function take(Entry e, uint256 quantity) internal pure returns (Entry) {
        unchecked {
            return Entry.wrap((Entry.unwrap(e) | FILLED) - quantity);
        }
    }
}
