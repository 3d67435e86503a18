// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import {IClearing} from "../interfaces/IClearing.sol";

/// @title Wire
/// @notice Lengths and numbers of a submission's packed lists. Knows nothing of what the numbers mean.
/// @dev Warning: the readers do not check the position; beyond the end they give the bytes that follow, or zeros.
/// Assembly because slicing `bytes` costs ten times the load. Places and fills, read several times each in long loops, are
/// copied to memory first: the compiler repeats a load from calldata at each use.
library Wire {
    // Bytes of one item.
    uint256 internal constant BATCH = 4;
    uint256 internal constant PLACE = 3;
    uint256 internal constant COUNT = 2;
    uint256 internal constant POSITION = 2;
    uint256 internal constant FILL = 8;
    uint256 internal constant PAIR = 4;

    /// @notice Requires every list to be whole items, and the counts to add up to the orders.
    function requireWhole(IClearing.Submission calldata s) internal pure {
        _requireMultiple("batches", s.batches.length, BATCH);
        _requireMultiple("offers", s.offers.length, PLACE);
        _requireMultiple("groups", s.groups.length, COUNT);
        _requireMultiple("requests", s.requests.length, PLACE);
        _requireMultiple("kinds", s.kinds.length, COUNT);
        _requireMultiple("dead", s.dead.length, PLACE);
        _requireMultiple("fills", s.fills.length, FILL);
        _requireMultiple("lowOrder", s.lowOrder.length, POSITION);
        _requireMultiple("groupOrder", s.groupOrder.length, POSITION);
        _requireMultiple("highOrder", s.highOrder.length, PAIR);
        _requireSum("offers", s.groups, s.offers.length / PLACE);
        _requireSum("requests", s.kinds, s.requests.length / PLACE);
    }

    function uint16At(bytes calldata list, uint256 position) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := shr(240, calldataload(add(list.offset, shl(1, position))))
        }
    }

    function uint24At(bytes memory list, uint256 position) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := shr(232, mload(add(add(list, 32), mul(3, position))))
        }
    }

    function uint32At(bytes calldata list, uint256 position) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := shr(224, calldataload(add(list.offset, shl(2, position))))
        }
    }

    function uint64At(bytes memory list, uint256 position) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := shr(192, mload(add(add(list, 32), shl(3, position))))
        }
    }

    function _requireMultiple(bytes32 list, uint256 length, uint256 size) private pure {
        require(length % size == 0, IClearing.Malformed(list, length));
    }

    function _requireSum(bytes32 list, bytes calldata counts, uint256 orders) private pure {
        uint256 sum;
        uint256 parts = counts.length / COUNT;
        // Unchecked: a call has far fewer than 2**240 counts of 16 bits.
        unchecked {
            for (uint256 x; x < parts; ++x) sum += uint16At(counts, x);
        }
        require(sum == orders, IClearing.Malformed(list, sum));
    }
}
