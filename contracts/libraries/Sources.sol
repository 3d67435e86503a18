// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import {ICapacityBook} from "../interfaces/ICapacityBook.sol";
import {IClearing} from "../interfaces/IClearing.sol";
import {IMemberRegistry} from "../interfaces/IMemberRegistry.sol";
import {Batch} from "../types/Batch.sol";
import {ORDER_BYTES, Order} from "../types/Order.sol";
import {BatchCode} from "./BatchCode.sol";
import {Wire} from "./Wire.sol";
import {Words, WordsLib} from "./Words.sol";

/// @notice A listed batch as the clearing reads it: one word.
/// @dev
/// ```
///   255 160 159    128 127  96 95       72 71 67 66       65 64   64 63   0
///  |  0    | number 32 | code 32 | member 24 |  0  | suspended 1 | side 1 | live 64 |
/// ```
/// - code: address in memory of the copied orders, what is left of each in place of what was posted.
/// - live: bit i set = order i exists and is still in the book.
type Source is uint256;

using SourceLib for Source global;

/// @notice Reads the batches that a submission lists. Checks that they stand; changes nothing.
library SourceLib {
    using Wire for bytes;

    uint256 private constant SUSPENDED = 1 << 65;
    // Where an order's quantity begins [bytes].
    uint256 private constant QUANTITY_OFFSET = 3;
    // Whole words are read and written at every order and its quantity: the last ones end so far behind the orders [bytes].
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

        uint256 code = _room(states);
        uint256 used; // of `left`
        sources = WordsLib.make(count);
        for (uint256 x; x < count; ++x) {
            Batch state = Batch.wrap(states.get(x));
            sources.set(x, Source.unwrap(_make(state, numbers.get(x), code)));
            uint256 end = _copy(BatchCode.pointerOf(address(book), numbers.get(x)), state.count(), code);
            if (state.partly() != 0) used = _writeLeft(code, state, left, used);
            code = end;
        }
        _markSuspended(members, sources);
    }

    /// @notice Whether order `index` exists, is still in the book and of side `side_` ({Side}).
    /// @dev Arithmetic instead of `&&`, which jumps: every order is asked. Of an index beyond 63 no bit is set.
    function isLive(Source s, uint256 index, uint256 side_) internal pure returns (bool) {
        return (uint64(Source.unwrap(s)) >> index) & ~(side(s) ^ side_) & 1 == 1;
    }

    /// @notice {Side} of the batch.
    function side(Source s) internal pure returns (uint256) {
        return (Source.unwrap(s) >> 64) & 1;
    }

    /// @notice Whether the batch's member is suspended: all its orders are dead.
    function isSuspended(Source s) internal pure returns (bool) {
        return Source.unwrap(s) & SUSPENDED != 0;
    }

    function member(Source s) internal pure returns (uint256) {
        return (Source.unwrap(s) >> 72) & type(uint24).max;
    }

    /// @notice Id of order `index`, which need not exist.
    function idAt(Source s, uint256 index) internal pure returns (uint256) {
        unchecked {
            return (Source.unwrap(s) >> 128 << 6) + index;
        }
    }

    /// @notice Terms of order `index`, its quantity being what is left; the order must exist.
    function orderAt(Source s, uint256 index) internal pure returns (Order order) {
        unchecked {
            uint256 place = uint32(Source.unwrap(s) >> 96) + index * ORDER_BYTES;
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

    function _make(Batch state, uint256 number, uint256 code) private pure returns (Source) {
        unchecked {
            uint256 live = ((1 << state.count()) - 1) & ~state.gone();
            return Source.wrap(
                number << 128 | code << 96 | state.member() << 72 | uint256(state.side()) << 64 | live
            );
        }
    }

    /// @notice New memory for the orders of all batches.
    function _room(Words states) private pure returns (uint256 code) {
        uint256 orders;
        unchecked {
            for (uint256 x; x < states.length(); ++x) orders += Batch.wrap(states.get(x)).count();
            bytes memory room = new bytes(orders * ORDER_BYTES + SLACK);
            assembly ("memory-safe") {
                code := add(room, 32)
            }
        }
    }

    /// @notice Copies a batch's orders to `code`.
    /// @return end Where they end.
    function _copy(address pointer, uint256 count, uint256 code) private view returns (uint256 end) {
        unchecked {
            end = code + count * ORDER_BYTES;
            // Assembly: reading another account's code has no other form that skips its first byte.
            assembly ("memory-safe") {
                extcodecopy(pointer, code, 1, sub(end, code))
            }
        }
    }

    /// @notice Writes what is left of the live, partly filled orders over what was posted.
    /// @param used How many of `left` belong to the batches before.
    function _writeLeft(uint256 code, Batch state, uint32[] memory left, uint256 used)
        private
        pure
        returns (uint256)
    {
        unchecked {
            uint256 pending = state.partly() & ~state.gone();
            for (uint256 place = code + QUANTITY_OFFSET; pending != 0; (place += ORDER_BYTES, pending >>= 1)) {
                if (pending & 1 == 0) continue;
                uint256 quantity = left[used++];
                // Assembly: four bytes inside a word.
                assembly ("memory-safe") {
                    mstore(place, or(shl(224, quantity), shr(32, shl(32, mload(place)))))
                }
            }
        }
        return used;
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
