// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import {Words} from "./Words.sol";

/// @title Commitment
/// @notice The Merkle root over a clearing's deals. Knows nothing of what a deal says.
/// @dev A leaf hashes three words ({DealTerms}) and an inner node two, so neither can be taken for the other. Pairs are sorted,
/// the last node of an odd level goes up as it is: what OpenZeppelin's MerkleProof verifies.
/// Assembly: hashing through `abi.encode` would take new memory for each of 4,000 hashes.
library Commitment {
    /// @notice Leaf of a deal's three words.
    function leaf(uint256 word0, uint256 word1, uint256 word2) internal pure returns (uint256 hash) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, word0)
            mstore(add(free, 32), word1)
            mstore(add(free, 64), word2)
            hash := keccak256(free, 96)
        }
    }

    /// @notice Root over the first `count` words, which it overwrites; zero if there are none.
    function root(Words nodes, uint256 count) internal pure returns (bytes32) {
        if (count == 0) return 0;
        // Unchecked: positions in an array in memory.
        unchecked {
            while (count > 1) {
                uint256 half = count >> 1;
                for (uint256 x; x < half; ++x) nodes.set(x, _node(nodes.get(2 * x), nodes.get(2 * x + 1)));
                if (count & 1 == 1) nodes.set(half, nodes.get(count - 1));
                count = half + (count & 1);
            }
        }
        return bytes32(nodes.get(0));
    }

    function _node(uint256 a, uint256 b) private pure returns (uint256 hash) {
        (a, b) = a < b ? (a, b) : (b, a);
        assembly ("memory-safe") {
            mstore(0, a)
            mstore(32, b)
            hash := keccak256(0, 64)
        }
    }
}
