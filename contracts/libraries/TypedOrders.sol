// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import {ICapacityBook} from "../interfaces/ICapacityBook.sol";

/// @title TypedOrders
/// @notice EIP-712 struct hashes of what trade keys sign for the book. Pure.
library TypedOrders {
    bytes32 private constant ORDER_BATCH_TYPEHASH = keccak256(
        "OrderBatch(uint24 member,uint32 class,uint8 side,uint256 salt,uint40 deadline,"
        "bytes orders,bytes32[] commitments)"
    );
    bytes32 private constant REDUCTION_TYPEHASH =
        keccak256("Reduction(uint24 member,uint256 salt,uint40 deadline,uint40[] ids,uint32[] quantities)");

    function structHash(ICapacityBook.OrderBatch calldata b) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                ORDER_BATCH_TYPEHASH,
                b.member,
                b.class,
                b.side,
                b.salt,
                b.deadline,
                keccak256(b.orders),
                keccak256(abi.encodePacked(b.commitments))
            )
        );
    }

    function structHash(ICapacityBook.Reduction calldata r) internal pure returns (bytes32) {
        // Packed encoding of an array pads each element to a word, as EIP-712 wants.
        return keccak256(
            abi.encode(
                REDUCTION_TYPEHASH,
                r.member,
                r.salt,
                r.deadline,
                keccak256(abi.encodePacked(r.ids)),
                keccak256(abi.encodePacked(r.quantities))
            )
        );
    }
}
