// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import {IClearing} from "../interfaces/IClearing.sol";
import {Entry} from "./Entry.sol";
import {GroupSets} from "./GroupSets.sol";
import {Listing} from "./Listing.sol";
import {Wire} from "./Wire.sol";
import {Words, WordsLib} from "./Words.sol";

/// @title Allocation
/// @notice Checks the fills, lowers the orders by them and bounds each group's price. Does not judge optimality.
/// @dev With perturbed prices, which are all distinct, the bounds of group g by the orders themselves are
/// ```
/// L_g = max( ask of an offer of g that sold; bid of a request not filled in full that is eligible for g ), 0 if none
/// U_g = min( ask of an offer of g not sold in full; bid of a request that bought from g ), infinity if none
/// ```
/// What L owes to requests is left by kind, in `unfilled`: {Certificate} brings it to the groups.
library Allocation {
    using GroupSets for GroupSets.Sets;
    using Wire for bytes;

    uint256 internal constant INFINITY = type(uint128).max;
    uint256 private constant NONE = type(uint256).max;

    /// @notice Bounds by group and kind, perturbed, and what the fills are found by.
    struct Bounds {
        Words low; //               by group: L without the requests' part
        Words high; //              by group: U
        Words cap; //               by group: room for U while `high` moves on
        Words unfilled; //          by kind: highest bid of its requests not filled in full, 0 if none
        Words purchases; //         by kind: its fills, first << 32 | end; 0 if none
        uint256 buyers; //          kinds with fills
        uint256 partly; //          orders with a fill of which something is left
        GroupSets.Sets eligible; // by kind; last in memory, so that it can be freed first
    }

    /// @notice Checks the fills of the orders of `listed`, lowers the orders by them and bounds the prices.
    function bound(Listing.Listed memory listed, bytes memory fills) internal pure returns (Bounds memory bounds) {
        uint256 groups = listed.groups.length();
        bounds.low = WordsLib.make(groups);
        bounds.high = WordsLib.make(groups);
        bounds.cap = WordsLib.make(groups);
        bounds.unfilled = WordsLib.make(listed.kinds.length());
        bounds.purchases = WordsLib.make(listed.kinds.length());
        bounds.eligible = GroupSets.build(listed.groups, listed.kinds);

        for (uint256 g; g < groups; ++g) bounds.high.set(g, INFINITY);
        _takeFills(listed, bounds, fills);
        bounds.partly = _boundByOffers(listed.offers, bounds.low, bounds.high)
            + _boundByRequests(listed.requests, bounds.unfilled);
    }

    /// @notice Fills number `first` to `end` are kind `t`'s.
    function fillsOf(Bounds memory bounds, uint256 t) internal pure returns (uint256 first, uint256 end) {
        uint256 purchase = bounds.purchases.get(t);
        return (purchase >> 32, uint32(purchase));
    }

    /// @notice Group that fill number `k` bought from.
    function groupOf(Words offers, bytes memory fills, uint256 k) internal pure returns (uint256) {
        return Entry.wrap(offers.get(uint16(fills.uint64At(k) >> 32))).group();
    }

    /// @notice Checks the fills one by one. Requests are listed by kind, fills by request: a kind's fills are neighbours.
    function _takeFills(Listing.Listed memory listed, Bounds memory bounds, bytes memory fills) private pure {
        uint256 count = fills.length / Wire.FILL;
        uint256 filled; //        orders with a fill
        uint256 next; //          least pair of positions that ascends
        uint256 buyer = NONE; //  kind of the fill before
        // Unchecked: at most 65,536 fills.
        unchecked {
            for (uint256 k; k < count; ++k) {
                uint256 fill = fills.uint64At(k);
                if (fill >> 32 < next) revert IClearing.FillsUnsorted(k);
                next = (fill >> 32) + 1;
                (uint256 kind, uint256 orders) = _takeFill(listed, bounds, fill, k);
                filled += orders;
                if (kind != buyer) {
                    _endPurchase(bounds, buyer, k);
                    buyer = kind;
                    bounds.purchases.set(kind, k << 32);
                    ++bounds.buyers;
                }
            }
        }
        _endPurchase(bounds, buyer, count);
        require(count == 0 || count < filled, IClearing.TooManyFills(count, filled));
    }

    /// @notice Lowers one pair of orders by fill number `k`.
    /// @dev `if` instead of `require`, which works the values out for every fill.
    /// @return kind Of the request.
    /// @return orders How many of the two had no fill before.
    function _takeFill(Listing.Listed memory listed, Bounds memory bounds, uint256 fill, uint256 k)
        private
        pure
        returns (uint256 kind, uint256 orders)
    {
        uint256 i = uint16(fill >> 32);
        uint256 j = fill >> 48;
        if (i >= listed.offers.length() || j >= listed.requests.length()) revert IClearing.Malformed("fills", k);
        Entry offer = Entry.wrap(listed.offers.get(i));
        Entry request = Entry.wrap(listed.requests.get(j));
        kind = request.kind();
        _requireFill(bounds, offer, request, uint32(fill));
        if (!offer.isFilled()) orders = 1;
        if (!request.isFilled()) ++orders;
        listed.offers.set(i, Entry.unwrap(offer.take(uint32(fill))));
        listed.requests.set(j, Entry.unwrap(request.take(uint32(fill))));
        bounds.high.lower(offer.group(), request.perturbed());
    }

    function _requireFill(Bounds memory bounds, Entry offer, Entry request, uint256 quantity) private pure {
        if (quantity == 0) revert IClearing.EmptyFill(uint40(offer.offerId()), uint40(request.requestId()));
        if (!GroupSets.has(bounds.eligible.rowOf(request.kind()), offer.group())) {
            revert IClearing.Ineligible(uint40(offer.offerId()), uint40(request.requestId()));
        }
        if (quantity > offer.left()) revert IClearing.Overfill(uint40(offer.offerId()));
        if (quantity > request.left()) revert IClearing.Overfill(uint40(request.requestId()));
    }

    function _endPurchase(Bounds memory bounds, uint256 kind, uint256 end) private pure {
        if (kind != NONE) bounds.purchases.set(kind, bounds.purchases.get(kind) | end);
    }

    /// @return partly How many of the offers are partly filled.
    function _boundByOffers(Words offers, Words low, Words high) private pure returns (uint256 partly) {
        uint256 count = offers.length();
        for (uint256 i; i < count; ++i) {
            Entry offer = Entry.wrap(offers.get(i));
            if (offer.isFilled()) {
                low.raise(offer.group(), offer.perturbed());
                if (offer.left() == 0) continue;
                ++partly;
            }
            high.lower(offer.group(), offer.perturbed());
        }
    }

    /// @return partly How many of the requests are partly filled.
    function _boundByRequests(Words requests, Words unfilled) private pure returns (uint256 partly) {
        uint256 count = requests.length();
        for (uint256 j; j < count; ++j) {
            Entry request = Entry.wrap(requests.get(j));
            if (request.left() == 0) continue;
            unfilled.raise(request.kind(), request.perturbed());
            if (request.isFilled()) ++partly;
        }
    }
}
