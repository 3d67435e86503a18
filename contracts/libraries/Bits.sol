// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

/// @title Bits
/// @notice Counting bits, and eight 32-bit counters in one word.
library Bits {
    /// @notice Number of set bits; `x` has at most 64.
    function count(uint256 x) internal pure returns (uint256) {
        // Unchecked: sums of neighbouring fields never leave their fields.
        unchecked {
            x -= (x >> 1) & 0x5555555555555555;
            x = (x & 0x3333333333333333) + ((x >> 2) & 0x3333333333333333);
            x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0f;
            return ((x * 0x0101010101010101) >> 56) & 0xff;
        }
    }

    /// @notice Counter `key & 7` of a word that holds those of keys `8n ... 8n+7`, lowest first.
    function lane(uint256 word, uint256 key) internal pure returns (uint256) {
        return (word >> ((key & 7) << 5)) & type(uint32).max;
    }

    /// @notice The word with that counter raised by `value`.
    /// @dev Assumes: the sum is below 2**32.
    function raise(uint256 word, uint256 key, uint256 value) internal pure returns (uint256) {
        return word + (value << ((key & 7) << 5));
    }

    /// @notice The word with that counter lowered by `value`.
    /// @dev Assumes: the counter is at least `value`.
    function lower(uint256 word, uint256 key, uint256 value) internal pure returns (uint256) {
        return word - (value << ((key & 7) << 5));
    }
}
