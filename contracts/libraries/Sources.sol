// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {ICapacityBook} from "../interfaces/ICapacityBook.sol";
import {IClearing} from "../interfaces/IClearing.sol";
import {IMemberRegistry} from "../interfaces/IMemberRegistry.sol";
import {Batch} from "../types/Batch.sol";
import {ORDER_BYTES, Order} from "../types/Order.sol";
import {BatchCode} from "./BatchCode.sol";
import {GroupSets} from "./GroupSets.sol";
import {Wire} from "./Wire.sol";
import {Words, WordsLib} from "./Words.sol";

/// @notice A listed batch as the clearing reads it: one word.
/// @dev
/// ```
///   255 224 223  192 191 160 159 130 129        128   127  64 63 56 55       40 39 24 23     0
///  |  0    | number 32 | code 32 |  0  | suspended 1 | side 1 | live 64 |  0  | position 16 |  0  | member 24 |
/// ```
/// - code: where order 0 is in memory or would be (modulo 2**32), what is left of each in place of what was posted.
/// - live: bit i set = order i exists and is still in the book. - position: among the listed batches.
type Source is uint256;

using SourceLib for Source global;

/// @notice Reads the batches that a submission lists. Checks that they stand; changes nothing.
library SourceLib {
    using Wire for bytes;

    uint256 private constant SUSPENDED = 1 << 129;
    // Where an order's quantity begins [bytes].
    uint256 private constant QUANTITY_OFFSET = 3;
    // Whole words are read and written at an order and its quantity: of the last order they end so far behind it [bytes].
    uint256 private constant SLACK = 7;

    /// @notice Loads the listed batches, in order.
    /// @return numbers Their numbers.
    /// @return states Their state words ({Batch}).
    /// @return sources One {Source} each.
    function load(
        ICapacityBook book,
        IMemberRegistry members,
        bytes calldata list,
        uint256 classIndex,
        uint256 round
    ) internal view returns (Words numbers, Words states, Words sources) {
        uint256 count = list.length / Wire.BATCH;
        numbers = WordsLib.make(count);
        for (uint256 x; x < count; ++x) numbers.set(x, list.uint32At(x));
        (uint256[] memory loaded, uint32[] memory left) = book.load(numbers.toUint32Array());
        states = WordsLib.from(loaded);
        _requireStanding(numbers, states, classIndex, round);

        sources = WordsLib.make(count);
        _copyOrders(book, numbers, states, left, sources);
        _markSuspended(members, sources);
    }

    /// @notice Whether order `index` exists, is still in the book and of side `side_` ({Side}).
    /// @dev Arithmetic instead of `&&`, which jumps: every order is asked. Of an index beyond 63 no bit is set.
    function isLive(Source s, uint256 index, uint256 side_) internal pure returns (bool) {
        return (uint64(Source.unwrap(s) >> 64) >> index) & ~(side(s) ^ side_) & 1 == 1;
    }

    /// @notice {Side} of the batch.
    function side(Source s) internal pure returns (uint256) {
        return (Source.unwrap(s) >> 128) & 1;
    }

    /// @notice Whether the batch's member is suspended: all its orders are dead.
    function isSuspended(Source s) internal pure returns (bool) {
        return Source.unwrap(s) & SUSPENDED != 0;
    }

    function member(Source s) internal pure returns (uint256) {
        return Source.unwrap(s) & type(uint24).max;
    }

    /// @notice Position << 40 | member, as {Entry} holds them.
    function origin(Source s) internal pure returns (uint256) {
        return Source.unwrap(s) & type(uint56).max;
    }

    /// @notice Id of order `index`, which need not exist.
    function idAt(Source s, uint256 index) internal pure returns (uint256) {
        unchecked {
            return (Source.unwrap(s) >> 192 << 6) + index;
        }
    }

    /// @notice Terms of order `index`, its quantity being what is left; the order must exist.
    function orderAt(Source s, uint256 index) internal pure returns (Order order) {
        unchecked {
            uint256 place = uint32((Source.unwrap(s) >> 160) + index * ORDER_BYTES);
            // Assembly: an order lies at no word's border.
            assembly ("memory-safe") {
                order := shr(32, mload(place))
            }
        }
    }

    function _requireStanding(Words numbers, Words states, uint256 classIndex, uint256 round) private pure {
        uint256 count = numbers.length();
        uint256 previous;
        for (uint256 x; x < count; ++x) {
            uint256 number = numbers.get(x);
            require(x == 0 || number > previous, IClearing.BatchesUnsorted(x));
            Batch state = Batch.wrap(states.get(x));
            require(
                Batch.unwrap(state) != 0 && state.classIndex() == classIndex && state.round() < round,
                IClearing.BatchNotStanding(uint32(number))
            );
            previous = number;
        }
    }

    /// @notice Copies the orders of all batches to new memory and makes the sources.
    /// @dev Of a batch only the span from its first to its last live order is copied: nobody can make a clearing pay for
    /// batches whose orders are cancelled.
    function _copyOrders(
        ICapacityBook book,
        Words numbers,
        Words states,
        uint32[] memory left,
        Words sources
    ) private view {
        uint256 count = numbers.length();
        uint256 used; // of `left`
        uint256 end = _freeMemory();
        // Unchecked: addresses in memory; `code` may pass below zero where the first orders are not copied.
        unchecked {
            for (uint256 x; x < count; ++x) {
                Batch state = Batch.wrap(states.get(x));
                uint256 live = ((1 << state.count()) - 1) & ~state.gone();
                (uint256 first, uint256 size) = _span(live, state.count());
                uint256 code = end - first * ORDER_BYTES;
                _copyCode(BatchCode.pointerOf(address(book), numbers.get(x)), first, size, end);
                end += size * ORDER_BYTES;
                if (state.partly() != 0) used = _writeLeft(code, state, left, used);
                sources.set(x, Source.unwrap(_make(state, live, numbers.get(x), code, x)));
            }
            _takeMemory(end + SLACK);
        }
    }

    function _make(Batch state, uint256 live, uint256 number, uint256 code, uint256 position)
        private
        pure
        returns (Source)
    {
        return Source.wrap(
            number << 192 | uint256(uint32(code)) << 160 | uint256(state.side()) << 128 | live << 64 | position << 40
                | state.member()
        );
    }

    /// @notice First live order, and the number of orders from it to the last; none of a batch whose orders are all gone.
    function _span(uint256 live, uint256 count) private pure returns (uint256 first, uint256 size) {
        unchecked {
            if (live == 0) return (0, 0);
            if (live == (1 << count) - 1) return (0, count);
            first = GroupSets.lowest(live);
            size = Math.log2(live) + 1 - first;
        }
    }

    /// @notice Copies `size` orders of a batch from number `first` on to memory at `place`.
    function _copyCode(address pointer, uint256 first, uint256 size, uint256 place) private view {
        // Assembly: reading another account's code from a chosen byte has no other form.
        assembly ("memory-safe") {
            extcodecopy(pointer, place, add(1, mul(first, ORDER_BYTES)), mul(size, ORDER_BYTES))
        }
    }

    /// @notice Writes what is left of the live, partly filled orders over what was posted.
    /// @param code Where order 0 is or would be.
    /// @param used How many of `left` belong to the batches before.
    function _writeLeft(uint256 code, Batch state, uint32[] memory left, uint256 used)
        private
        pure
        returns (uint256)
    {
        unchecked {
            // `pending - 1` clears the lowest bit of what is not 0.
            for (uint256 pending = state.partly() & ~state.gone(); pending != 0; pending &= pending - 1) {
                uint256 place = code + GroupSets.lowest(pending) * ORDER_BYTES + QUANTITY_OFFSET;
                uint256 quantity = left[used++];
                // Assembly: four bytes inside a word.
                assembly ("memory-safe") {
                    mstore(place, or(shl(224, quantity), shr(32, shl(32, mload(place)))))
                }
            }
        }
        return used;
    }

    /// @notice Where free memory starts.
    function _freeMemory() private pure returns (uint256 place) {
        assembly ("memory-safe") {
            place := mload(0x40)
        }
    }

    /// @notice Takes free memory up to `end`, rounded up to a word.
    function _takeMemory(uint256 end) private pure {
        assembly ("memory-safe") {
            mstore(0x40, and(add(end, 31), not(31)))
        }
    }

    function _markSuspended(IMemberRegistry members, Words sources) private view {
        uint256 count = sources.length();
        Words owners = WordsLib.make(count);
        for (uint256 x; x < count; ++x) owners.set(x, Source.wrap(sources.get(x)).member());
        bool[] memory suspended = members.areSuspended(owners.toUint24Array());
        for (uint256 x; x < count; ++x) {
            if (suspended[x]) sources.set(x, sources.get(x) | SUSPENDED);
        }
        owners.discard();
    }
}
