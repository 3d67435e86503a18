// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import {Batch, Side} from "../types/Batch.sol";
import {Movement, MovementLib} from "../types/Movement.sol";
import {Order} from "../types/Order.sol";

/// @title FreedLib
/// @notice Collects in memory what removed orders give back, so that each neighbour is called once. Calls nobody.
/// @dev Neighbouring orders of one member are a run and share a sum.
library FreedLib {
    struct Freed {
        uint256[] entries; //    reserved capacity, as {IAssetRegistry.unreserve} takes it
        uint256 entryCount;
        uint24[] members; //     one a run
        uint256[] amounts; //    locked money [token base units]
        uint256[] values; //     open value [token base units]
        uint256 runs;
    }

    /// @notice Room for `most` orders.
    function make(uint256 most) internal pure returns (Freed memory freed) {
        freed.entries = new uint256[](most);
        freed.members = new uint24[](most);
        freed.amounts = new uint256[](most);
        freed.values = new uint256[](most);
    }

    /// @notice Adds `quantity` of an order of a batch with that state, which frees `amount`.
    /// @param reference_ The class's reference price, which counts an offer's open value.
    function add(Freed memory freed, Batch state, Order order, uint256 quantity, uint256 amount, uint256 reference_)
        internal
        pure
    {
        uint24 member = uint24(state.member());
        uint256 run = freed.runs;
        if (run == 0 || freed.members[run - 1] != member) {
            freed.members[run] = member;
            freed.runs = ++run;
        }
        freed.amounts[run - 1] += amount;
        if (state.side() == Side.Offer) {
            freed.values[run - 1] += quantity * reference_;
            freed.entries[freed.entryCount++] = order.asset() << 56 | order.slot() << 32 | quantity;
        }
    }

    /// @notice Reserved capacity to give back.
    function reservations(Freed memory freed) internal pure returns (uint256[] memory entries) {
        entries = freed.entries;
        uint256 length = freed.entryCount;
        // Assembly, here and below: an array of our own shrinks to what was filled; Solidity has no other way.
        assembly ("memory-safe") {
            mstore(entries, length)
        }
    }

    /// @notice Open value to lower; runs without any are left out.
    function openValues(Freed memory freed) internal pure returns (uint24[] memory members, uint256[] memory values) {
        members = new uint24[](freed.runs);
        values = new uint256[](freed.runs);
        uint256 length;
        for (uint256 i; i < freed.runs; ++i) {
            if (freed.values[i] == 0) continue;
            members[length] = freed.members[i];
            values[length++] = freed.values[i];
        }
        assembly ("memory-safe") {
            mstore(members, length)
            mstore(values, length)
        }
    }

    /// @notice Money to release; runs without any are left out.
    function movements(Freed memory freed) internal pure returns (Movement[] memory list) {
        list = new Movement[](freed.runs);
        uint256 length;
        for (uint256 i; i < freed.runs; ++i) {
            if (freed.amounts[i] == 0) continue;
            list[length++] = MovementLib.make(freed.members[i], freed.members[i], freed.amounts[i]);
        }
        assembly ("memory-safe") {
            mstore(list, length)
        }
    }
}
