// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import {ICapacityBook} from "../interfaces/ICapacityBook.sol";
import {Side} from "../types/Batch.sol";
import {BATCH_ORDERS, ORDER_BYTES, Order} from "../types/Order.sol";
import {Bond} from "./Bond.sol";

/// @title OrderRules
/// @notice What an order must be by itself and what it locks. Pure: knows neither its member nor the book.
library OrderRules {
    /// @notice What the orders of one batch are checked against.
    struct Limits {
        uint256 lot; //        [capacity units]
        uint256 mask;
        uint256 window; //     [slots]
        uint256 firstSlot; //  first slot that is open in the next round
        uint256 lastSlot; //   last slot that starts within the horizon
        uint256 reference_; // [token base units per capacity unit]
        uint256 rates; //      {Bond.pack}
    }

    /// @notice What a batch comes to.
    struct Totals {
        uint256 amount; //   to lock [token base units]
        uint256 quantity; // [capacity units]
        uint256 credit; //   highest band declared or asked for
    }

    /// @notice Checks a batch's lengths: 1...64 orders; a commitment a request, none an offer.
    function checkShape(ICapacityBook.OrderBatch calldata b) internal pure {
        uint256 size = b.orders.length;
        uint256 count = size / ORDER_BYTES;
        require(
            size % ORDER_BYTES == 0 && count != 0 && count <= BATCH_ORDERS, ICapacityBook.MalformedBatch(size)
        );
        uint256 expected = b.side == Side.Request ? count : 0;
        require(
            b.commitments.length == expected, ICapacityBook.CommitmentCount(b.commitments.length, expected)
        );
    }

    /// @notice Checks the packed orders of one side, first to last, and sums up what they lock.
    /// @dev Assumes: the length is a multiple of 28, at most 64 orders.
    function check(bytes calldata orders, Side side, Limits memory limits)
        internal
        pure
        returns (Totals memory totals)
    {
        uint256 count = orders.length / ORDER_BYTES;
        // Unchecked: 64 orders of 32-bit quantity and 72-bit price are far below 2**256.
        unchecked {
            for (uint256 i; i < count; ++i) {
                Order order = orderAt(orders, i);
                _checkOne(order, i, side, orders.length, limits);
                totals.amount += lockedBy(order, side, order.quantity(), limits.reference_, limits.rates);
                totals.quantity += order.quantity();
                if (order.credit() > totals.credit) totals.credit = order.credit();
            }
        }
    }

    /// @notice What `quantity` of an order locks: a request its bid, an offer its bond [token base units].
    /// @dev Assumes: the quantity is below 2**32.
    function lockedBy(Order order, Side side, uint256 quantity, uint256 reference_, uint256 rates)
        internal
        pure
        returns (uint256)
    {
        uint256 price = order.price();
        // Unchecked: 32 + 72 bits.
        unchecked {
            return quantity * (side == Side.Request ? price : Bond.perUnit(price, reference_, rates, order.credit()));
        }
    }

    /// @notice First slot that is open in the round that ends at `roundEnd`: its gate does not come before it.
    function firstOpen(uint256 roundEnd, uint256 gateLead, uint256 slotLength) internal pure returns (uint256) {
        return (roundEnd + gateLead + slotLength - 1) / slotLength;
    }

    /// @notice Order number `index` of packed orders in calldata.
    /// @dev Assumes: the index is within. Assembly: 50 bounds-checked slices cost a batch more than all its checks.
    function orderAt(bytes calldata orders, uint256 index) internal pure returns (Order order) {
        assembly ("memory-safe") {
            order := shr(32, calldataload(add(orders.offset, mul(index, 28))))
        }
    }

    /// @notice Order number `index` of packed orders in memory.
    /// @dev Assumes: the index is within. Assembly: Solidity slices no memory.
    function orderIn(bytes memory orders, uint256 index) internal pure returns (Order order) {
        assembly ("memory-safe") {
            order := shr(32, mload(add(add(orders, 32), mul(index, 28))))
        }
    }

    function _checkOne(Order order, uint256 i, Side side, uint256 length, Limits memory limits) private pure {
        require(order.isCanonical(), ICapacityBook.MalformedBatch(length));
        require(order.quantity() >= limits.lot, ICapacityBook.BelowLot(i, order.quantity(), limits.lot));
        require(
            order.attributes() & ~limits.mask == 0,
            ICapacityBook.OutsideMask(i, uint64(order.attributes()), uint64(limits.mask))
        );
        require(order.credit() < 8, ICapacityBook.UnknownBand(i, order.credit()));
        uint256 last = order.slot();
        // Unchecked: 24 bits each.
        unchecked {
            if (side == Side.Request) {
                uint256 span = order.span();
                require(span < limits.window, ICapacityBook.WindowTooWide(i, span + 1, limits.window));
                last += span;
            }
        }
        require(last >= limits.firstSlot, ICapacityBook.SlotNotOpen(i, last));
        require(last <= limits.lastSlot, ICapacityBook.BeyondHorizon(i, last));
    }
}
