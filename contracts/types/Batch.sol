// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

/// @notice What the book stores of a batch beside its orders' code: one word.
/// @dev
/// ```
///   255  252 251    228 227  221 220   189 188   188 187    176 175   152 151  128 127    64 63   0
///  |  0  4  | group 24 | count 7 | round 32 | side 1 | class 12 | member 24 | 0  24 | partly 64 | gone 64 |
/// ```
/// - gone: bit i set = order i was filled, cancelled or removed. - partly: bit i set = `left[id]` holds what remains.
/// - group: the member's owner group when it posted. - round: the round it was posted in. - side: 0 offers, 1 requests.
type Batch is uint256;

using BatchLib for Batch global;

/// @notice Side of a batch or order.
enum Side {
    Offer, //   sells capacity
    Request //  asks for capacity
}

library BatchLib {
    function make(
        uint256 member_,
        uint256 group_,
        uint256 classIndex_,
        Side side_,
        uint256 round_,
        uint256 count_
    ) internal pure returns (Batch) {
        return Batch.wrap(
            group_ << 228 | count_ << 221 | round_ << 189 | uint256(side_) << 188 | classIndex_ << 176 | member_ << 152
        );
    }

    function gone(Batch b) internal pure returns (uint256) {
        return Batch.unwrap(b) & type(uint64).max;
    }

    function partly(Batch b) internal pure returns (uint256) {
        return (Batch.unwrap(b) >> 64) & type(uint64).max;
    }

    function member(Batch b) internal pure returns (uint256) {
        return (Batch.unwrap(b) >> 152) & type(uint24).max;
    }

    function classIndex(Batch b) internal pure returns (uint256) {
        return (Batch.unwrap(b) >> 176) & 0xfff;
    }

    function side(Batch b) internal pure returns (Side) {
        return Side((Batch.unwrap(b) >> 188) & 1);
    }

    function round(Batch b) internal pure returns (uint256) {
        return (Batch.unwrap(b) >> 189) & type(uint32).max;
    }

    function count(Batch b) internal pure returns (uint256) {
        return (Batch.unwrap(b) >> 221) & 0x7f;
    }

    function group(Batch b) internal pure returns (uint256) {
        return (Batch.unwrap(b) >> 228) & type(uint24).max;
    }

    /// @notice Whether order `index` exists and is still in the book.
    function isLive(Batch b, uint256 index) internal pure returns (bool) {
        return index < count(b) && (Batch.unwrap(b) >> index) & 1 == 0;
    }

    function isPartly(Batch b, uint256 index) internal pure returns (bool) {
        return (Batch.unwrap(b) >> (64 + index)) & 1 == 1;
    }

    function withGone(Batch b, uint256 index) internal pure returns (Batch) {
        return Batch.wrap(Batch.unwrap(b) | 1 << index);
    }

    function withPartly(Batch b, uint256 index) internal pure returns (Batch) {
        return Batch.wrap(Batch.unwrap(b) | 1 << (64 + index));
    }
}
