// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

/// @notice A move of money inside the vault in one word, so that a clearing frees thousands of locks in one call.
/// @dev
/// ```
///   255      176 175    152 151  128 127        0
///  |  0  80     | to 24    | from 24 | amount 128 |
/// ```
/// A release (locked to free of one member) has `to == from`.
type Movement is uint256;

using MovementLib for Movement global;

library MovementLib {
    /// @notice Locked money of `from_` that becomes free money of `to_` [token base units].
    function make(uint256 from_, uint256 to_, uint256 amount_) internal pure returns (Movement) {
        return Movement.wrap(to_ << 152 | from_ << 128 | amount_);
    }

    function amount(Movement m) internal pure returns (uint256) {
        return Movement.unwrap(m) & type(uint128).max;
    }

    function from(Movement m) internal pure returns (uint256) {
        return (Movement.unwrap(m) >> 128) & type(uint24).max;
    }

    function to(Movement m) internal pure returns (uint256) {
        return (Movement.unwrap(m) >> 152) & type(uint24).max;
    }
}
