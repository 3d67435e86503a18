// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

/// @title IClearing
/// @notice Checks that an allocation is optimal, derives the prices from it, commits its deals. Holds no state and no money.
/// @dev Trusts nothing of what is submitted. Theorem (docs/protocol.md): an allocation is optimal iff `low <= cap` for every
/// group; every price vector that supports it lies between `low` and `high`; the price is the middle. Orders, groups, kinds and
/// fills are listed in one canonical order; the two orders of settling are hints, checked in one pass and never believed.
interface IClearing {
    /// @notice An allocation in wire form: packed big-endian bytes.
    struct Submission {
        bytes batches; //   4 each: batch number, strictly ascending
        bytes offers; //    3 each: position in `batches` (2), index in the batch (1); by group, ids ascending inside
        bytes groups; //    2 each: number of offers; groups strictly ascending by (slot, attributes, credit)
        bytes requests; //  3 each; by kind, ids ascending inside
        bytes kinds; //     2 each: number of requests; kinds strictly ascending by (from, needs, minCredit, span)
        bytes dead; //      3 each: dead orders of both sides, ids strictly ascending
        bytes fills; //     8 each: request position (2), offer position (2), quantity (4); strictly ascending by the positions
        bytes lowOrder; //  2 each: every kind once, by falling value
        bytes groupOrder; // 2 each: every group once, by rising high
        bytes highOrder; // 4 each: kind with fills (2), the group whose high is its value (2); groups as in `groupOrder`
    }

    /// @notice A market was cleared. `dead` lists the dead orders removed, `root` commits the deals (zero: none).
    event MarketCleared(
        uint32 indexed class, uint32 indexed round, address indexed sender, bytes32 root, uint256 deals, uint40[] dead
    );
    /// @notice Prices of the groups that traded, two words each, groups ascending:
    /// slot 24 | attributes 64 | credit 8 | price 72 (low 168 bits); low 128 | high 128 (perturbed).
    event PricesSet(uint32 indexed class, uint32 indexed round, uint256[] prices);
    /// @notice The fills, one word each, in canonical order: offer id 40 | request id 40 | quantity 32 | price 72 (low 184 bits).
    event OrdersMatched(uint32 indexed class, uint32 indexed round, uint256[] fills);

    /// @notice The market was cleared in this round already. The first check.
    error AlreadyCleared(uint32 class, uint32 round);
    error UnknownClass(uint32 class);
    /// @notice The clearing names another round than the current one.
    error WrongRound(uint32 given, uint256 current);
    error ClearingPaused();
    /// @notice The market has no standing order.
    error NothingStanding(uint32 class);
    /// @notice A list has a wrong length or a position outside its list.
    error Malformed(bytes32 list, uint256 position);
    error BatchesUnsorted(uint256 position);
    /// @notice The batch is unknown, of another class, or fresh.
    error BatchNotStanding(uint32 batch);
    error GroupsUnsorted(uint256 group);
    error KindsUnsorted(uint256 kind);
    error OrdersUnsorted(uint40 id);
    /// @notice The order is gone, or on the other side.
    error OrderNotStanding(uint40 id);
    /// @notice The order's key is not its group's or kind's.
    error WrongGroup(uint40 id);
    /// @notice A dead order is listed among the living.
    error OrderDead(uint40 id);
    /// @notice A living order is listed among the dead.
    error OrderAlive(uint40 id);
    /// @notice Not every standing order is listed.
    error Incomplete(uint256 listed, uint256 standing);
    error FillsUnsorted(uint256 position);
    error EmptyFill(uint40 offer, uint40 request);
    error Ineligible(uint40 offer, uint40 request);
    error Overfill(uint40 id);
    /// @notice An optimal allocation with fewer fills than orders that have one always exists.
    error TooManyFills(uint256 fills, uint256 filledOrders);
    /// @notice The order of kinds by falling value is not one.
    error LowOrderRefused(uint256 position);
    /// @notice The order of groups and kinds by rising high is not one.
    error HighOrderRefused(uint256 position);
    /// @notice Another allocation of the same orders is better: the group's `low` exceeds its `cap` (perturbed prices).
    error Suboptimal(uint256 slot, uint256 attributes, uint256 credit, uint256 low, uint256 cap);

    /// @notice Clears a market in the current round over all its standing orders. Anyone may send it.
    /// @return root Merkle root over the deals, zero if none.
    function clear(uint32 class, uint32 round, Submission calldata submission) external returns (bytes32 root);
}
