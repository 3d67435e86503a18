// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import {Movement} from "../types/Movement.sol";

/// @notice An array of words in memory read and written without bounds checks, for the loops of a clearing.
/// @dev Address of the first word; the length lies in the word before, so that it is a Solidity array one word further on.
/// Warning: `get` and `set` go wherever the index says. Whoever takes an index from outside checks it against `length` first.
type Words is uint256;

using WordsLib for Words global;

/// @dev Assembly because Solidity cannot leave a bounds check out; a clearing makes some hundred thousand accesses.
library WordsLib {
    /// @notice New array of `count` zeros.
    function make(uint256 count) internal pure returns (Words) {
        return from(new uint256[](count));
    }

    /// @notice The same array, unchecked.
    function from(uint256[] memory array) internal pure returns (Words words) {
        assembly ("memory-safe") {
            words := add(array, 32)
        }
    }

    function length(Words words) internal pure returns (uint256 count) {
        assembly ("memory-safe") {
            count := mload(sub(words, 32))
        }
    }

    function get(Words words, uint256 index) internal pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(add(words, shl(5, index)))
        }
    }

    function set(Words words, uint256 index, uint256 word) internal pure {
        assembly ("memory-safe") {
            mstore(add(words, shl(5, index)), word)
        }
    }

    /// @notice The words from `index` on; what this gives has no length.
    function from(Words words, uint256 index) internal pure returns (Words part) {
        assembly ("memory-safe") {
            part := add(words, shl(5, index))
        }
    }

    /// @notice Makes a word at least `least`.
    function raise(Words words, uint256 index, uint256 least) internal pure {
        if (get(words, index) < least) set(words, index, least);
    }

    /// @notice Makes a word at most `most`.
    function lower(Words words, uint256 index, uint256 most) internal pure {
        if (get(words, index) > most) set(words, index, most);
    }

    /// @notice Keeps the first `count` words, which must not be more than there are; the rest of the memory is free again if
    /// nothing lies behind it.
    function truncate(Words words, uint256 count) internal pure {
        assembly ("memory-safe") {
            if eq(mload(0x40), add(words, shl(5, mload(sub(words, 32))))) { mstore(0x40, add(words, shl(5, count))) }
            mstore(sub(words, 32), count)
        }
    }

    /// @notice Frees the array and all memory taken after it, none of which may be used any more.
    function discard(Words words) internal pure {
        assembly ("memory-safe") {
            mstore(0x40, sub(words, 32))
        }
    }

    /// @notice The same array, checked again.
    function toArray(Words words) internal pure returns (uint256[] memory array) {
        assembly ("memory-safe") {
            array := sub(words, 32)
        }
    }

    /// @notice The same array as numbers of 24 bits; every word must be one (so below).
    function toUint24Array(Words words) internal pure returns (uint24[] memory array) {
        assembly ("memory-safe") {
            array := sub(words, 32)
        }
    }

    function toUint32Array(Words words) internal pure returns (uint32[] memory array) {
        assembly ("memory-safe") {
            array := sub(words, 32)
        }
    }

    function toMovements(Words words) internal pure returns (Movement[] memory array) {
        assembly ("memory-safe") {
            array := sub(words, 32)
        }
    }

    function toUint40Array(Words words) internal pure returns (uint40[] memory array) {
        assembly ("memory-safe") {
            array := sub(words, 32)
        }
    }
}
