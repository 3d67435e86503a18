// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import {IClearing} from "../interfaces/IClearing.sol";
import {PRICE_BASE} from "../types/Order.sol";
import {Entry} from "./Entry.sol";
import {GroupSets} from "./GroupSets.sol";
import {Key} from "./Key.sol";
import {Listing} from "./Listing.sol";
import {Wire} from "./Wire.sol";
import {Words, WordsLib} from "./Words.sol";

/// @title Certificate
/// @notice Proves an allocation optimal and derives the prices from it. Pure: reads no chain, moves no money, trusts no hint.
/// @dev With perturbed prices, which are all distinct, let
/// ```
/// L_g = max( ask of an offer of g that sold; bid of a request not filled in full that is eligible for g ), 0 if none
/// U_g = min( ask of an offer of g not sold in full; bid of a request that bought from g ), infinity if none
/// arc g -> h: some kind bought from g and is eligible for h
/// low_g  = max( L_h: h reaches g by arcs )        high_g = min( U_h: g reaches h by arcs )
/// ```
/// Theorem: the allocation is optimal iff `low_g <= U_g` for every group; every vector of prices that supports it lies between
/// low and high, and the middle is one. U is called `cap` in the code.
library Certificate {
    using GroupSets for GroupSets.Sets;
    using Wire for bytes;

    uint256 internal constant INFINITY = type(uint128).max;

    /// @notice What the checks work on and leave: one word a group or kind.
    struct Bounds {
        GroupSets.Sets eligible;
        Words low; //       by group, perturbed
        Words high; //      by group, perturbed
        Words cap; //       by group, perturbed
        Words unfilled; //  by kind: highest perturbed bid of its requests not filled in full, 0 if none
        Words purchases; // by kind: its fills, first << 32 | end; 0 if none
        uint256 buyers; //  kinds with fills
        uint256 partly; //  orders with a fill of which something is left
    }

    /// @notice Checks fills and optimality of an allocation of `listed`, whose orders it lowers by their fills.
    function check(Listing.Listed memory listed, IClearing.Submission calldata s)
        internal
        pure
        returns (Bounds memory bounds)
    {
        uint256 groups = listed.groups.length();
        uint256 kinds = listed.kinds.length();
        bounds.eligible = GroupSets.build(listed.groups, listed.kinds);
        bounds.low = WordsLib.make(groups);
        bounds.high = WordsLib.make(groups);
        bounds.unfilled = WordsLib.make(kinds);
        bounds.purchases = WordsLib.make(kinds);
        for (uint256 g; g < groups; ++g) bounds.high.set(g, INFINITY);

        _takeFills(listed, bounds, s.fills);
        bounds.partly = _boundByOffers(listed.offers, bounds.low, bounds.high)
            + _boundByRequests(listed.requests, bounds.unfilled);
        bounds.cap = _copy(bounds.high);

        _raiseLow(listed, bounds, s.lowOrder, s.fills);
        _lowerHigh(listed, bounds, s);
        _requireOptimal(listed.groups, bounds);
    }

    /// @notice Price of a group that traded [token base units per capacity unit].
    function priceOf(Bounds memory bounds, uint256 g) internal pure returns (uint256) {
        unchecked {
            return (bounds.low.get(g) + bounds.high.get(g)) / (2 * PRICE_BASE);
        }
    }

    /* FILLS */

    /// @notice Lowers the orders by their fills; notes each kind's fills and the bids that bound the groups they bought from.
    function _takeFills(Listing.Listed memory listed, Bounds memory bounds, bytes calldata fills) private pure {
        uint256 count = fills.length / Wire.FILL;
        uint256 filled; // orders with a fill
        uint256 previous; // pair of the fill before, plus one
        uint256 buyer = type(uint256).max; // kind of the fill before
        // Unchecked: counts of at most 65,536 fills; what is taken is checked against what is left.
        unchecked {
            for (uint256 k; k < count; ++k) {
                uint256 pair = fills.uint64At(k) >> 32;
                require(pair >= previous, IClearing.FillsUnsorted(k));
                previous = pair + 1;
                (uint256 kind, uint256 orders) = _takeFill(listed, bounds, fills.uint64At(k), k);
                filled += orders;
                if (kind != buyer) {
                    _closePurchase(bounds, buyer, k);
                    buyer = kind;
                    bounds.purchases.set(kind, k << 32);
                    ++bounds.buyers;
                }
            }
        }
        _closePurchase(bounds, buyer, count);
        require(count == 0 || count < filled, IClearing.TooManyFills(count, filled));
    }

    /// @notice Lowers one pair of orders by fill number `k`.
    /// @return kind Of the request.
    /// @return first How many of the two orders had no fill before.
    function _takeFill(Listing.Listed memory listed, Bounds memory bounds, uint256 fill, uint256 k)
        private
        pure
        returns (uint256 kind, uint256 first)
    {
        uint256 i = (fill >> 32) & type(uint16).max;
        uint256 j = fill >> 48;
        uint256 quantity = fill & type(uint32).max;
        require(
            i < listed.offers.length() && j < listed.requests.length(), IClearing.Malformed("fills", k)
        );
        Entry offer = Entry.wrap(listed.offers.get(i));
        Entry request = Entry.wrap(listed.requests.get(j));
        uint256 group = offer.group();
        kind = request.kind();
        require(quantity != 0, IClearing.EmptyFill(offer.offerId(), request.requestId()));
        require(bounds.eligible.has(kind, group), IClearing.Ineligible(offer.offerId(), request.requestId()));
        require(quantity <= offer.left(), IClearing.Overfill(offer.offerId()));
        require(quantity <= request.left(), IClearing.Overfill(request.requestId()));

        if (!offer.isFilled()) first = 1;
        if (!request.isFilled()) ++first;
        listed.offers.set(i, Entry.unwrap(offer.take(quantity)));
        listed.requests.set(j, Entry.unwrap(request.take(quantity)));
        _lower(bounds.high, group, request.perturbed());
    }

    function _closePurchase(Bounds memory bounds, uint256 kind, uint256 end) private pure {
        if (kind != type(uint256).max) bounds.purchases.set(kind, bounds.purchases.get(kind) | end);
    }

    /* BOUNDS */

    /// @return partly How many of the offers are partly filled.
    function _boundByOffers(Words offers, Words low, Words cap) private pure returns (uint256 partly) {
        uint256 count = offers.length();
        for (uint256 i; i < count; ++i) {
            Entry offer = Entry.wrap(offers.get(i));
            if (offer.isFilled()) _raise(low, offer.group(), offer.perturbed());
            if (offer.left() == 0) continue;
            _lower(cap, offer.group(), offer.perturbed());
            if (offer.isFilled()) ++partly;
        }
    }

    /// @return partly How many of the requests are partly filled.
    function _boundByRequests(Words requests, Words unfilled) private pure returns (uint256 partly) {
        uint256 count = requests.length();
        for (uint256 j; j < count; ++j) {
            Entry request = Entry.wrap(requests.get(j));
            if (request.left() == 0) continue;
            _raise(unfilled, request.kind(), request.perturbed());
            if (request.isFilled()) ++partly;
        }
    }

    /* LOW */

    /// @notice Raises `low` to its fixpoint: kinds by falling value, each at the groups that no kind has touched before it.
    /// @dev A kind's value is the highest of its unfilled bids and of the lows of the groups it bought from. Once a kind has
    /// touched all its groups, a later one, of no higher value, would not raise them: so values are final when they are read.
    function _raiseLow(
        Listing.Listed memory listed,
        Bounds memory bounds,
        bytes calldata lowOrder,
        bytes calldata fills
    ) private pure {
        uint256 kinds = listed.kinds.length();
        uint256 count = lowOrder.length / Wire.POSITION;
        require(count == kinds, IClearing.LowOrderRefused(count));
        Words seen = WordsLib.make(kinds);
        Words touched = WordsLib.make(bounds.eligible.width);
        uint256 previous = INFINITY;
        for (uint256 x; x < count; ++x) {
            uint256 t = lowOrder.uint16At(x);
            require(t < kinds && seen.get(t) == 0, IClearing.LowOrderRefused(x));
            seen.set(t, 1);
            uint256 value = _valueOf(t, listed.offers, bounds, fills);
            require(value <= previous, IClearing.LowOrderRefused(x));
            previous = value;
            if (value != 0) _touch(t, value, bounds, touched);
        }
    }

    /// @notice Highest of a kind's unfilled bids and of the lows of the groups it bought from.
    function _valueOf(uint256 t, Words offers, Bounds memory bounds, bytes calldata fills)
        private
        pure
        returns (uint256 value)
    {
        value = bounds.unfilled.get(t);
        (uint256 first, uint256 end) = _fillsOf(bounds, t);
        for (uint256 k = first; k < end; ++k) {
            uint256 low = bounds.low.get(_groupOf(offers, fills, k));
            if (low > value) value = low;
        }
    }

    /// @notice Raises the low of the kind's groups that nothing touched before, and marks them.
    function _touch(uint256 t, uint256 value, Bounds memory bounds, Words touched) private pure {
        uint256 width = bounds.eligible.width;
        // Unchecked: positions; `fresh - 1` clears the lowest bit of a word that is not 0.
        unchecked {
            for (uint256 w; w < width; ++w) {
                uint256 before = touched.get(w);
                uint256 fresh = bounds.eligible.rows.get(t * width + w) & ~before;
                if (fresh == 0) continue;
                touched.set(w, before | fresh);
                for (; fresh != 0; fresh &= fresh - 1) {
                    _raise(bounds.low, w << 8 | GroupSets.lowest(fresh), value);
                }
            }
        }
    }

    /* HIGH */

    /// @notice Lowers `high` to its fixpoint: groups by rising high, each kind at the first of its groups to be visited.
    /// @dev A kind's value is the lowest high of its groups: that of the first one visited. All it bought from are visited with
    /// or after it, so highs are final when they are visited.
    function _lowerHigh(Listing.Listed memory listed, Bounds memory bounds, IClearing.Submission calldata s)
        private
        pure
    {
        Visit memory visit = _startVisit(bounds, s.groupOrder);
        uint256 groups = visit.groups;
        uint256 count = s.highOrder.length / Wire.PAIR;
        Words handled = WordsLib.make(listed.kinds.length());
        for (uint256 x; x < count; ++x) {
            uint256 pair = s.highOrder.uint32At(x);
            uint256 t = pair >> 16;
            uint256 g = pair & type(uint16).max;
            while (visit.current != g) {
                require(visit.next < groups, IClearing.HighOrderRefused(groups + x));
                _visitNext(visit, bounds.high, s.groupOrder);
            }
            require(
                t < handled.length() && bounds.purchases.get(t) != 0 && handled.get(t) == 0
                    && bounds.eligible.has(t, g) && !_meets(bounds.eligible, t, visit.before),
                IClearing.HighOrderRefused(groups + x)
            );
            handled.set(t, 1);
            _push(t, bounds.high.get(g), listed.offers, bounds, s.fills);
        }
        while (visit.next < groups) _visitNext(visit, bounds.high, s.groupOrder);
        require(count == bounds.buyers, IClearing.HighOrderRefused(groups + count));
    }

    /// @notice A walk through the groups by rising high.
    struct Visit {
        uint256 groups; //  number of groups
        uint256 next; //    position of the next group in the order
        uint256 current; // group being visited; before the first: none has that number
        uint256 high; //    its high when it was reached
        Words before; //    set of the groups visited before it
        Words reached; //   by group: 1 if visited
    }

    function _startVisit(Bounds memory bounds, bytes calldata order) private pure returns (Visit memory visit) {
        visit.groups = bounds.high.length();
        uint256 count = order.length / Wire.POSITION;
        require(count == visit.groups, IClearing.HighOrderRefused(count));
        visit.current = type(uint256).max;
        visit.before = WordsLib.make(bounds.eligible.width);
        visit.reached = WordsLib.make(visit.groups);
    }

    function _visitNext(Visit memory visit, Words high, bytes calldata order) private pure {
        uint256 position = visit.next;
        uint256 g = order.uint16At(position);
        require(
            g < visit.groups && visit.reached.get(g) == 0 && high.get(g) >= visit.high,
            IClearing.HighOrderRefused(position)
        );
        if (position != 0) GroupSets.insert(visit.before, visit.current);
        visit.reached.set(g, 1);
        visit.current = g;
        visit.high = high.get(g);
        visit.next = position + 1;
    }

    /// @notice Whether kind `t` is eligible for a group of the set.
    function _meets(GroupSets.Sets memory eligible, uint256 t, Words set) private pure returns (bool) {
        uint256 width = eligible.width;
        unchecked {
            for (uint256 w; w < width; ++w) {
                if (eligible.rows.get(t * width + w) & set.get(w) != 0) return true;
            }
        }
        return false;
    }

    /// @notice Lowers the highs of the groups that kind `t` bought from to `value`.
    function _push(uint256 t, uint256 value, Words offers, Bounds memory bounds, bytes calldata fills) private pure {
        (uint256 first, uint256 end) = _fillsOf(bounds, t);
        for (uint256 k = first; k < end; ++k) _lower(bounds.high, _groupOf(offers, fills, k), value);
    }

    /* OPTIMALITY */

    function _requireOptimal(Words groups, Bounds memory bounds) private pure {
        uint256 count = groups.length();
        for (uint256 g; g < count; ++g) {
            uint256 low = bounds.low.get(g);
            uint256 cap = bounds.cap.get(g);
            if (low <= cap) continue;
            Key key = Key.wrap(groups.get(g));
            revert IClearing.Suboptimal(key.slot(), key.attributes(), key.credit(), low, cap);
        }
    }

    /* INTERNAL */

    function _fillsOf(Bounds memory bounds, uint256 t) private pure returns (uint256 first, uint256 end) {
        uint256 purchase = bounds.purchases.get(t);
        return (purchase >> 32, purchase & type(uint32).max);
    }

    /// @notice Group that fill number `k` bought from.
    function _groupOf(Words offers, bytes calldata fills, uint256 k) private pure returns (uint256) {
        return Entry.wrap(offers.get((fills.uint64At(k) >> 32) & type(uint16).max)).group();
    }

    function _raise(Words values, uint256 place, uint256 value) private pure {
        if (value > values.get(place)) values.set(place, value);
    }

    function _lower(Words values, uint256 place, uint256 value) private pure {
        if (value < values.get(place)) values.set(place, value);
    }

    function _copy(Words values) private pure returns (Words copy) {
        uint256 count = values.length();
        copy = WordsLib.make(count);
        for (uint256 x; x < count; ++x) copy.set(x, values.get(x));
    }
}
