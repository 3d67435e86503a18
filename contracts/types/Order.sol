// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

/// @notice One order as the 28 bytes that posting, contract code and events carry: a word of 224 bits.
/// @dev The fields that offers and requests share sit in the same place, so one reader serves both.
/// ```
///           223        200 199      168 167    96 95     72 71            8 7      4 3  0
/// offer    |  asset   24  | quantity 32 | ask 72 | slot 24 | attributes 64 | credit    4 | 0 |
/// request  |  span    24  | quantity 32 | bid 72 | from 24 | needs      64 | minCredit 4 | 0 |
/// ```
/// - asset: id in {IAssetRegistry}. - span: last slot minus first slot of the window, 0...254.
/// - quantity: [capacity units], price: [token base units per capacity unit], slot: index in the class's calendar.
type Order is uint256;

using OrderLib for Order global;

// Perturbation base: prices are compared as `price * 2**40 +- id`, which makes all of them distinct.
uint256 constant PRICE_BASE = 1 << 40;

// Bytes of one order in a batch.
uint256 constant ORDER_BYTES = 28;

// Most orders in a batch; an order's id is `batch * 64 + index`.
uint256 constant BATCH_ORDERS = 64;

library OrderLib {
    /// @notice Asset id of an offer.
    function asset(Order o) internal pure returns (uint256) {
        return Order.unwrap(o) >> 200;
    }

    /// @notice Window length of a request minus one [slots].
    function span(Order o) internal pure returns (uint256) {
        return Order.unwrap(o) >> 200;
    }

    /// @notice Quantity posted [capacity units].
    function quantity(Order o) internal pure returns (uint256) {
        return (Order.unwrap(o) >> 168) & type(uint32).max;
    }

    /// @notice Ask of an offer, bid of a request [token base units per capacity unit].
    function price(Order o) internal pure returns (uint256) {
        return (Order.unwrap(o) >> 96) & type(uint72).max;
    }

    /// @notice Slot of an offer, first slot of a request's window.
    function slot(Order o) internal pure returns (uint256) {
        return (Order.unwrap(o) >> 72) & type(uint24).max;
    }

    /// @notice Last slot of a request's window.
    function lastSlot(Order o) internal pure returns (uint256) {
        return slot(o) + span(o);
    }

    /// @notice Declared attributes of an offer, needed attributes of a request (bit mask).
    function attributes(Order o) internal pure returns (uint256) {
        return (Order.unwrap(o) >> 8) & type(uint64).max;
    }

    /// @notice Declared credit of an offer, least credit of a request (band 0...7).
    function credit(Order o) internal pure returns (uint256) {
        return (Order.unwrap(o) >> 4) & 0xf;
    }

    /// @notice Whether the four unused bits are zero, which makes the encoding unique.
    function isCanonical(Order o) internal pure returns (bool) {
        return Order.unwrap(o) & 0xf == 0;
    }
}
