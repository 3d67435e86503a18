// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {Key} from "./Key.sol";
import {Words, WordsLib} from "./Words.sol";

/// @title GroupSets
/// @notice For each kind the groups it is eligible for, as bits: group `g` is bit `g % 256` of word `g / 256`. Knows no prices.
/// @dev Eligible: slot in the window, needed attributes declared, credit enough. Groups ascend by slot first, so a window is
/// a range; the other two are sets of groups worked out once. So a pair of a kind and a group costs a bit, no comparison.
library GroupSets {
    // Values of an order's credit field.
    uint256 private constant CREDITS = 16;

    /// @notice One row of `width` words a kind.
    struct Sets {
        Words rows;
        uint256 width;
    }

    /// @notice The sets of all kinds; both lists are keys ({Key}), ascending.
    function build(Words groups, Words kinds) internal pure returns (Sets memory sets) {
        uint256 width = (groups.length() + 255) >> 8;
        sets.width = width;
        sets.rows = WordsLib.make(kinds.length() * width);
        Words withCredit = _byCredit(groups, width);
        Words bits = _neededBits(kinds);
        Words withBit = _byAttribute(groups, bits, width);

        Words slots = _bySlot(groups);
        uint256 first;
        // Unchecked: at most 1,000 groups and kinds.
        unchecked {
            for (uint256 t; t < kinds.length(); ++t) {
                Key kind = Key.wrap(kinds.get(t));
                // Kinds ascend by first slot, so the start of the window only moves on.
                while (slots.get(first) >> 16 < kind.slot()) ++first;
                uint256 from = uint16(slots.get(first));
                uint256 to = uint16(slots.get(_firstAfter(slots, first, kind.lastSlot())));
                // Words outside the window stay empty.
                for (uint256 w = from >> 8; w << 8 < to; ++w) {
                    uint256 set = _below(to, w) & ~_below(from, w) & withCredit.get(kind.credit() * width + w);
                    set = _intersect(set, kind.attributes(), bits, withBit, width, w);
                    sets.rows.set(t * width + w, set);
                }
            }
        }
    }

    /// @notice The set of kind `t`: `width` words.
    function rowOf(Sets memory sets, uint256 t) internal pure returns (Words) {
        unchecked {
            return sets.rows.from(t * sets.width);
        }
    }

    /// @notice Whether group `g` is in a set.
    function has(Words set, uint256 g) internal pure returns (bool) {
        return (set.get(g >> 8) >> (g & 0xff)) & 1 == 1;
    }

    /// @notice Adds group `g` to a set.
    function insert(Words set, uint256 g) internal pure {
        set.set(g >> 8, set.get(g >> 8) | 1 << (g & 0xff));
    }

    /// @notice Whether two sets of `width` words have a group in common.
    function meet(Words a, Words b, uint256 width) internal pure returns (bool) {
        for (uint256 w; w < width; ++w) {
            if (a.get(w) & b.get(w) != 0) return true;
        }
        return false;
    }

    /// @notice Position of the lowest bit of `word`, which is not 0.
    function lowest(uint256 word) internal pure returns (uint256) {
        unchecked {
            return Math.log2(word & (~word + 1));
        }
    }

    /// @notice For each credit the groups that declare at least as much: `CREDITS` rows.
    function _byCredit(Words groups, uint256 width) private pure returns (Words rows) {
        rows = WordsLib.make(CREDITS * width);
        unchecked {
            for (uint256 g; g < groups.length(); ++g) {
                uint256 place = Key.wrap(groups.get(g)).credit() * width + (g >> 8);
                rows.set(place, rows.get(place) | 1 << (g & 0xff));
            }
            for (uint256 place = (CREDITS - 1) * width; place != 0; --place) {
                rows.set(place - 1, rows.get(place - 1) | rows.get(place - 1 + width));
            }
        }
    }

    /// @notice Positions of the attribute bits that some kind needs.
    function _neededBits(Words kinds) private pure returns (Words bits) {
        uint256 needs;
        for (uint256 t; t < kinds.length(); ++t) needs |= Key.wrap(kinds.get(t)).attributes();
        bits = WordsLib.make(64);
        uint256 count;
        unchecked {
            for (; needs != 0; needs &= needs - 1) bits.set(count++, lowest(needs));
        }
        bits.truncate(count);
    }

    /// @notice For each of `bits` the groups that declare it: one row a bit.
    function _byAttribute(Words groups, Words bits, uint256 width) private pure returns (Words rows) {
        rows = WordsLib.make(bits.length() * width);
        unchecked {
            for (uint256 n; n < bits.length(); ++n) {
                uint256 bit = bits.get(n);
                for (uint256 g; g < groups.length(); ++g) {
                    uint256 declared = (Key.wrap(groups.get(g)).attributes() >> bit) & 1;
                    uint256 place = n * width + (g >> 8);
                    rows.set(place, rows.get(place) | declared << (g & 0xff));
                }
            }
        }
    }

    /// @notice Word `w` of a set without the groups that lack a needed attribute.
    function _intersect(uint256 set, uint256 needs, Words bits, Words withBit, uint256 width, uint256 w)
        private
        pure
        returns (uint256)
    {
        if (needs == 0) return set;
        unchecked {
            for (uint256 n; n < bits.length(); ++n) {
                if ((needs >> bits.get(n)) & 1 == 1) set &= withBit.get(n * width + w);
            }
        }
        return set;
    }

    /// @notice Each slot that groups have << 16 | its first group, ascending; at the end a slot after all, with no group.
    function _bySlot(Words groups) private pure returns (Words slots) {
        uint256 count = groups.length();
        slots = WordsLib.make(count + 1);
        uint256 used;
        uint256 previous = type(uint256).max;
        unchecked {
            for (uint256 g; g < count; ++g) {
                uint256 slot = Key.wrap(groups.get(g)).slot();
                if (slot == previous) continue;
                slots.set(used++, slot << 16 | g);
                previous = slot;
            }
            slots.set(used++, uint256(type(uint32).max) << 16 | count);
        }
        slots.truncate(used);
    }

    /// @notice Position in `slots`, from `from` on, of the first slot after `slot`.
    /// @dev By steps that double, then by halves: most windows are short.
    function _firstAfter(Words slots, uint256 from, uint256 slot) private pure returns (uint256) {
        uint256 to = from;
        unchecked {
            uint256 last = slots.length() - 1;
            for (uint256 step = 1; to < last && slots.get(to) >> 16 <= slot; step <<= 1) {
                from = to + 1;
                to += step;
            }
            if (to > last) to = last;
            while (from < to) {
                uint256 middle = (from + to) >> 1;
                if (slots.get(middle) >> 16 > slot) to = middle;
                else from = middle + 1;
            }
        }
        return to;
    }

    /// @notice Word `w` of the set of all groups below `g`.
    function _below(uint256 g, uint256 w) private pure returns (uint256) {
        unchecked {
            if (g >> 8 > w) return type(uint256).max;
            return g >> 8 == w ? (1 << (g & 0xff)) - 1 : 0;
        }
    }
}
