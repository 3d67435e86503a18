// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

/// @title CreditMath
/// @notice Decay of credit and the bands it reaches. Pure; its twin is `capshare/ledger`.
library CreditMath {
    /// @notice Number of bands; 0 is where everybody starts.
    uint256 internal constant BANDS = 8;

    /// @notice What is left at `time` of `value` as of `touched`: it halves at each multiple of the half-life.
    /// @dev `(x >> a) >> b == x >> (a + b)`: it makes no difference how often a value is touched.
    function decayed(uint256 value, uint256 touched, uint256 time, uint256 halfLife) internal pure returns (uint256) {
        return value >> (time / halfLife - touched / halfLife);
    }

    /// @notice What a counterparty's owner group that has added `already` may still add, up to `value`.
    function capped(uint256 value, uint256 already, uint256 cap) internal pure returns (uint256) {
        uint256 room = cap - already;
        return value < room ? value : room;
    }

    /// @notice Largest band b with `good >= thresholds[b]` and `good >= ratios[b] * bad`; band 0 holds always.
    /// @param thresholds Two 112-bit values a word, lower first [token base units].
    /// @param ratios 8 x 16 bits, band 0 lowest [good per bad].
    /// @dev Assumes: good and bad are below 2**112.
    function band(uint256 good, uint256 bad, uint256[4] memory thresholds, uint256 ratios)
        internal
        pure
        returns (uint256 b)
    {
        for (b = BANDS - 1; b != 0; --b) {
            uint256 threshold = (thresholds[b >> 1] >> ((b & 1) * 112)) & type(uint112).max;
            uint256 ratio = (ratios >> (b * 16)) & type(uint16).max;
            if (good >= threshold && good >= ratio * bad) break;
        }
    }
}
