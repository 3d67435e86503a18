// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

/// @notice What eligibility sees of an order: the key of its group (offers) or kind (requests); the number sorts them.
/// @dev
/// ```
///          255 104 103      80 79            16 15       12 11  8 7       0
/// group   |  0    | slot   24 | attributes 64 | credit    4 | 0 4 | 0     8 |
/// kind    |  0    | from   24 | needs      64 | minCredit 4 | 0 4 | span  8 |
/// ```
type Key is uint256;

using KeyLib for Key global;

library KeyLib {
    // Bits of an order that make its key.
    uint256 internal constant OFFER_BITS = type(uint96).max;
    uint256 internal constant REQUEST_BITS = type(uint96).max | uint256(type(uint24).max) << 200;

    /// @notice Key of an order's bits of which all others are zero.
    function make(uint256 bits) internal pure returns (Key) {
        return Key.wrap((bits & OFFER_BITS) << 8 | bits >> 200);
    }

    /// @notice The group's slot, or the first of the kind's window.
    function slot(Key key) internal pure returns (uint256) {
        return Key.unwrap(key) >> 80;
    }

    /// @notice The group's slot, or the last of the kind's window.
    function lastSlot(Key key) internal pure returns (uint256) {
        unchecked {
            return slot(key) + (Key.unwrap(key) & type(uint8).max); // 24 and 8 bits
        }
    }

    function attributes(Key key) internal pure returns (uint256) {
        return (Key.unwrap(key) >> 16) & type(uint64).max;
    }

    function credit(Key key) internal pure returns (uint256) {
        return (Key.unwrap(key) >> 12) & 0xf;
    }
}
