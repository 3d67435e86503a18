// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import {IClearing} from "../interfaces/IClearing.sol";
import {PRICE_BASE} from "../types/Order.sol";
import {Allocation} from "./Allocation.sol";
import {GroupSets} from "./GroupSets.sol";
import {Key} from "./Key.sol";
import {Listing} from "./Listing.sol";
import {Wire} from "./Wire.sol";
import {Words, WordsLib} from "./Words.sol";

/// @title Certificate
/// @notice Proves an allocation optimal and derives the prices from it. Pure: reads no chain, moves no money, trusts no hint.
/// @dev With L and U of {Allocation} let
/// ```
/// arc g -> h: some kind bought from g and is eligible for h
/// low_g  = max( L_h: h reaches g by arcs )        high_g = min( U_h: g reaches h by arcs )
/// ```
/// Theorem: the allocation is optimal iff `low_g <= U_g` for every group; every vector of prices that supports it lies
/// between low and high, and the middle is one. U is called cap where `high` has moved on from it.
library Certificate {
    using Allocation for Allocation.Bounds;
    using GroupSets for GroupSets.Sets;
    using Wire for bytes;

    /// @notice A walk through the groups by rising high.
    struct Visit {
        uint256 groups; //  number of groups
        uint256 next; //    position of the next group in the order
        uint256 current; // group being visited; before the first: none has that number
        uint256 high; //    its high when it was reached
        Words before; //    set of the groups visited before it
        Words reached; //   by group: 1 if visited
    }

    /// @notice Checks the allocation of `listed` that `bounds` was made from; leaves low and high in `bounds`.
    /// @dev Frees the memory of `bounds.eligible` and what was taken after it.
    /// @return prices By group [token base units per capacity unit]; meaningless where nothing was traded.
    function check(
        Listing.Listed memory listed,
        Allocation.Bounds memory bounds,
        IClearing.Submission calldata s,
        bytes memory fills
    ) internal pure returns (Words prices) {
        uint256 groups = listed.groups.length();
        for (uint256 g; g < groups; ++g) bounds.cap.set(g, bounds.high.get(g));
        _raiseLow(listed, bounds, s.lowOrder, fills);
        _lowerHigh(listed, bounds, s, fills);
        _requireOptimal(listed.groups, bounds.low, bounds.cap);

        bounds.eligible.rows.discard(); // with all that was taken since
        prices = bounds.cap; // no longer needed: prices take its place
        // Unchecked: perturbed prices have 112 bits, infinity 128.
        unchecked {
            for (uint256 g; g < groups; ++g) {
                prices.set(g, (bounds.low.get(g) + bounds.high.get(g)) / (2 * PRICE_BASE));
            }
        }
    }

    /* LOW */

    /// @notice Raises `low` to its fixpoint: kinds by falling value, each at the groups that no kind has touched before it.
    /// @dev A kind's value is the highest of its unfilled bids and of the lows of the groups it bought from. A kind that comes
    /// later has no higher value and would not raise what was touched before: so values are final when they are read.
    function _raiseLow(
        Listing.Listed memory listed,
        Allocation.Bounds memory bounds,
        bytes calldata lowOrder,
        bytes memory fills
    ) private pure {
        uint256 kinds = listed.kinds.length();
        uint256 count = lowOrder.length / Wire.POSITION;
        require(count == kinds, IClearing.LowOrderRefused(count));
        Words seen = WordsLib.make(kinds);
        uint256 width = bounds.eligible.width;
        Words touched = WordsLib.make(width);
        uint256 previous = Allocation.INFINITY;
        for (uint256 x; x < count; ++x) {
            uint256 t = lowOrder.uint16At(x);
            require(t < kinds && seen.get(t) == 0, IClearing.LowOrderRefused(x));
            seen.set(t, 1);
            uint256 value = _valueOf(t, listed.offers, bounds, fills);
            require(value <= previous, IClearing.LowOrderRefused(x));
            previous = value;
            if (value != 0) _touch(bounds.eligible.rowOf(t), width, value, bounds.low, touched);
        }
    }

    /// @notice Highest of a kind's unfilled bids and of the lows of the groups it bought from.
    function _valueOf(uint256 t, Words offers, Allocation.Bounds memory bounds, bytes memory fills)
        private
        pure
        returns (uint256 value)
    {
        value = bounds.unfilled.get(t);
        (uint256 first, uint256 end) = bounds.fillsOf(t);
        for (uint256 k = first; k < end; ++k) {
            uint256 low = bounds.low.get(Allocation.groupOf(offers, fills, k));
            if (low > value) value = low;
        }
    }

    /// @notice Raises the low of the groups of a kind's set that nothing touched before, and marks them.
    function _touch(Words set, uint256 width, uint256 value, Words low, Words touched) private pure {
        // Unchecked: positions; `fresh - 1` clears the lowest bit of a word that is not 0.
        unchecked {
            for (uint256 w; w < width; ++w) {
                uint256 before = touched.get(w);
                uint256 fresh = set.get(w) & ~before;
                if (fresh == 0) continue;
                touched.set(w, before | fresh);
                for (; fresh != 0; fresh &= fresh - 1) low.raise(w << 8 | GroupSets.lowest(fresh), value);
            }
        }
    }

    /* HIGH */

    /// @notice Lowers `high` to its fixpoint: groups by rising high, each kind at the first of its groups to be visited.
    /// @dev A kind's value is the lowest high of its groups: that of the first one visited. All it bought from are visited
    /// with or after it, so highs are final when they are visited.
    function _lowerHigh(
        Listing.Listed memory listed,
        Allocation.Bounds memory bounds,
        IClearing.Submission calldata s,
        bytes memory fills
    ) private pure {
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
                t < handled.length() && bounds.purchases.get(t) != 0 && handled.get(t) == 0,
                IClearing.HighOrderRefused(groups + x)
            );
            handled.set(t, 1);
            Words set = bounds.eligible.rowOf(t);
            require(
                GroupSets.has(set, g) && !GroupSets.meet(set, visit.before, bounds.eligible.width),
                IClearing.HighOrderRefused(groups + x)
            );
            _push(t, bounds.high.get(g), listed.offers, bounds, fills);
        }
        while (visit.next < groups) _visitNext(visit, bounds.high, s.groupOrder);
        require(count == bounds.buyers, IClearing.HighOrderRefused(groups + count));
    }

    function _startVisit(Allocation.Bounds memory bounds, bytes calldata order)
        private
        pure
        returns (Visit memory visit)
    {
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

    /// @notice Lowers the highs of the groups that kind `t` bought from to `value`.
    function _push(uint256 t, uint256 value, Words offers, Allocation.Bounds memory bounds, bytes memory fills)
        private
        pure
    {
        (uint256 first, uint256 end) = bounds.fillsOf(t);
        for (uint256 k = first; k < end; ++k) bounds.high.lower(Allocation.groupOf(offers, fills, k), value);
    }

    /* OPTIMALITY */

    function _requireOptimal(Words groups, Words lows, Words caps) private pure {
        uint256 count = groups.length();
        for (uint256 g; g < count; ++g) {
            uint256 low = lows.get(g);
            uint256 cap = caps.get(g);
            if (low <= cap) continue;
            Key key = Key.wrap(groups.get(g));
            revert IClearing.Suboptimal(key.slot(), key.attributes(), key.credit(), low, cap);
        }
    }
}
