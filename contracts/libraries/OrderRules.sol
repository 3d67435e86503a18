// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import {IAssetRegistry} from "../interfaces/IAssetRegistry.sol";
import {ICapacityBook} from "../interfaces/ICapacityBook.sol";
import {Side} from "../types/Batch.sol";
import {ORDER_BYTES, Order, OrderLib} from "../types/Order.sol";
import {Bond} from "./Bond.sol";

/// @title OrderRules
/// @notice What an order must be by itself and what it locks. Pure: knows neither its member nor the book.
library OrderRules {
    /// @notice What the orders of one batch are checked against.
    struct Limits {
        uint256 slotLength; // S [s]
        uint256 gateLead; //   L [s]
        uint256 reference_; // [token base units per capacity unit]
        uint256 lot; //        [capacity units]
        uint256 window; //     [slots]
        uint256 mask;
        uint256 nextEnd; //    end of the next round [unix s]
        uint256 horizon; //    latest start of a slot [unix s]
        uint256 rates; //      {Bond.pack}
    }

    /// @notice What a batch comes to.
    struct Totals {
        uint256 amount; //   to lock [token base units]
        uint256 quantity; // [capacity units]
        uint256 credit; //   highest band declared or asked for
    }

    /// @notice Checks the packed orders of one side, first to last, and sums up what they lock.
    /// @dev Assumes: the length is a multiple of 28, at most 64 orders.
    function check(bytes calldata orders, Side side, Limits memory limits)
        internal
        pure
        returns (Totals memory totals)
    {
        bool isRequest = side == Side.Request;
        uint256 count = orders.length / ORDER_BYTES;
        // Unchecked: 64 orders of 32-bit quantity and 72-bit price are far below 2**256.
        unchecked {
            for (uint256 i; i < count; ++i) {
                Order order = OrderLib.orderAt(orders, i);
                _checkOne(order, i, isRequest, orders.length, limits);

                uint256 quantity = order.quantity();
                uint256 credit = order.credit();
                totals.amount += quantity
                    * (isRequest
                            ? order.price()
                            : Bond.perUnit(order.price(), limits.reference_, limits.rates, credit));
                totals.quantity += quantity;
                if (credit > totals.credit) totals.credit = credit;
            }
        }
    }

    function _checkOne(Order order, uint256 i, bool isRequest, uint256 length, Limits memory limits) private pure {
        require(order.isCanonical(), ICapacityBook.MalformedBatch(length));
        require(order.quantity() >= limits.lot, ICapacityBook.BelowLot(i, order.quantity(), limits.lot));
        require(
            order.attributes() & ~limits.mask == 0,
            ICapacityBook.OutsideMask(i, uint64(order.attributes()), uint64(limits.mask))
        );
        require(order.credit() < 8, ICapacityBook.UnknownBand(i, order.credit()));
        uint256 last = order.slot();
        if (isRequest) {
            uint256 span = order.span();
            require(span < limits.window, ICapacityBook.WindowTooWide(i, span + 1, limits.window));
            last += span;
        }
        require(
            isOpen(last, limits.nextEnd, limits.gateLead, limits.slotLength), ICapacityBook.SlotNotOpen(i, last)
        );
        require(last * limits.slotLength <= limits.horizon, ICapacityBook.BeyondHorizon(i, last));
    }

    /// @notice Whether slot `last`, the only or last one of an order, is open in the round that ends at `roundEnd`.
    function isOpen(uint256 last, uint256 roundEnd, uint256 gateLead, uint256 slotLength)
        internal
        pure
        returns (bool)
    {
        return roundEnd + gateLead <= last * slotLength;
    }

    /// @notice Order number `index` of packed orders in memory.
    /// @dev Assumes: the index is within; OrderLib reads calldata only.
    function orderIn(bytes memory orders, uint256 index) internal pure returns (Order order) {
        // Assembly: the 28 bytes start at no word's boundary; what follows them is shifted out.
        assembly ("memory-safe") {
            order := shr(32, mload(add(add(orders, 32), mul(index, 28))))
        }
    }

    /// @notice What `quantity` of an order locks [token base units].
    function lockedBy(Order order, Side side, uint256 quantity, uint256 reference_, uint256 rates)
        internal
        pure
        returns (uint256)
    {
        uint256 price = order.price();
        return quantity * (side == Side.Request ? price : Bond.perUnit(price, reference_, rates, order.credit()));
    }
}
