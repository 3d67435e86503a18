// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import {Batch, Side} from "../types/Batch.sol";
import {Order} from "../types/Order.sol";
import {Parameters} from "../types/Parameters.sol";

/// @title ICapacityBook
/// @notice Batches of orders and what of them is gone, the sides' counts, the round each market was cleared in. Holds no money.
/// @dev An order's terms never change: a batch's orders are written once as contract code (28 bytes an order, {Order}) beside
/// one state word ({Batch}). An order's id is `batch * 64 + index`; earlier is smaller.
interface ICapacityBook {
    /// @notice Up to 64 orders of one member, class and side; all or nothing.
    /// @dev EIP-712 type: `OrderBatch(uint24 member,uint32 class,uint8 side,uint256 salt,uint40 deadline,bytes orders,bytes32[] commitments)`.
    struct OrderBatch {
        uint24 member;
        uint32 class; //           class code
        Side side;
        uint256 salt; //           works once a member, over batches and reductions
        uint40 deadline; //        last second it may be carried to the chain [unix s]
        bytes orders; //           28 bytes each, {Order}
        bytes32[] commitments; //  requests: one a request, to its (private) specification; offers: none
        bytes signature; //        by a trade key; empty: the sender is that key
    }

    /// @notice Up to 64 reductions of a member's own orders; all or nothing.
    /// @dev EIP-712 type: `Reduction(uint24 member,uint256 salt,uint40 deadline,uint40[] ids,uint32[] quantities)`.
    struct Reduction {
        uint24 member;
        uint256 salt;
        uint40 deadline;
        uint40[] ids;
        uint32[] quantities; //    what shall remain of each; 0 cancels
        bytes signature; //        by a trade key; empty: the sender is that key
    }

    /// @notice Counts of one market: one word.
    struct Market {
        uint16 offers; //        fresh and standing offers
        uint16 requests; //      fresh and standing requests
        uint16 freshOffers; //   of them posted in `freshRound`
        uint16 freshRequests;
        uint32 freshRound; //    the last round anything was posted in
        uint32 clearedRound; //  the last round it was cleared in
    }

    /// @notice What a clearing leaves of the book.
    struct Cleared {
        uint16 classIndex;
        uint32 round;
        uint32[] batches; //     every batch the clearing changed or listed
        uint256[] states; //     their state words after the clearing (gone and partly bits added)
        uint40[] partlyIds; //   orders of which something remains
        uint32[] partlyLeft; //  what remains of them [capacity units]
        uint40[] dead; //        dead orders, removed and refunded by the same call
    }

    /// @notice The rules of this deployment. Emitted once, by the constructor.
    event RulesSet(uint16 rulesVersion, Parameters parameters);
    /// @notice Offers entered the book as batch `batch`, in full.
    event OffersPosted(
        uint32 indexed batch,
        uint24 indexed member,
        uint32 indexed class,
        uint32 round,
        uint256 salt,
        address signer,
        bytes orders
    );
    /// @notice Requests entered the book as batch `batch`, in full.
    event RequestsPosted(
        uint32 indexed batch,
        uint24 indexed member,
        uint32 indexed class,
        uint32 round,
        uint256 salt,
        address signer,
        bytes orders,
        bytes32[] commitments
    );
    /// @notice A member lowered what remains of its orders; 0 = cancelled.
    event OrdersReduced(uint24 indexed member, uint256 salt, address signer, uint40[] ids, uint32[] quantities);
    /// @notice Dead orders, or offers whose attestation was revoked, were removed with a full refund.
    event OrdersRemoved(uint40[] ids);
    /// @notice The council paused or resumed new orders and clearings.
    event PauseSet(bool paused);

    error NotCouncilCall(address sender);
    error NotClearing(address sender);
    /// @notice A parameter of the deployment is out of its range.
    error BadParameter(bytes32 field);
    error PauseUnchanged(bool paused);
    error BookPaused();
    /// @notice The orders are not 1...64 times 28 bytes, or an order has unused bits set.
    error MalformedBatch(uint256 length);
    /// @notice Requests carry one commitment each, offers none.
    error CommitmentCount(uint256 given, uint256 expected);
    error ListLengths(uint256 ids, uint256 quantities);
    error DeadlinePassed(uint40 deadline);
    error SaltUsed(uint24 member, uint256 salt);
    error UnknownClass(uint32 class);
    error ClassIsRetired(uint32 class);
    /// @notice The side holds at most `bookSize / 2` orders.
    error SideFull(uint32 class, Side side, uint256 held, uint256 adding, uint256 most);
    /// @notice An owner group holds at most 20 orders a side, or no more than places stay free.
    /// @dev `held` and `free` as they would be after the post.
    error ShareExceeded(uint32 class, Side side, uint24 group, uint256 held, uint256 free);
    error WindowTooWide(uint256 index, uint256 slots, uint256 most);
    error BelowLot(uint256 index, uint256 quantity, uint256 lot);
    /// @notice The order names attribute bits outside the class's mask.
    error OutsideMask(uint256 index, uint64 attributes, uint64 mask);
    /// @notice Credit bands are 0...7.
    error UnknownBand(uint256 index, uint256 credit);
    /// @notice The (last) slot is not open in the next round.
    error SlotNotOpen(uint256 index, uint256 slot);
    error BeyondHorizon(uint256 index, uint256 slot);
    /// @notice No such live order.
    error OrderNotLive(uint40 id);
    error OrderNotOwned(uint40 id, uint24 member);
    /// @notice The quantity to remain must be less than what remains now.
    error NotReduced(uint40 id, uint256 left, uint256 wanted);
    /// @notice Standing orders are locked at a round's start until the market is cleared.
    error MarketLocked(uint32 class, uint256 until);

    /// @notice Posts batches, each all or nothing and the whole call too. Anyone may carry signed ones.
    /// @return firstBatch Number of the first; the others follow.
    function post(OrderBatch[] calldata batches) external returns (uint32 firstBatch);
    /// @notice Lowers or cancels orders; money and capacity are freed at once. Allowed while the book is paused.
    function reduce(Reduction[] calldata reductions) external;
    /// @notice Removes dead orders and offers whose attestation was revoked; skips what is neither, locked or gone. Anyone.
    function expire(uint40[] calldata ids) external;
    /// @notice Stops or resumes new orders and clearings; never a settlement, refund or withdrawal. Council only.
    function setPaused(bool paused) external;

    /* BY THE CLEARING */

    /// @notice Writes what a clearing leaves. Clearing only.
    function recordClearing(Cleared calldata cleared) external;

    /* VIEWS */

    /// @notice State words of batches, and what remains of their live partly filled orders, batch by batch, ascending by index.
    function load(uint32[] calldata batches) external view returns (uint256[] memory states, uint32[] memory left);
    function marketOf(uint16 classIndex) external view returns (Market memory);
    function isPaused() external view returns (bool);
    /// @notice Contract whose code (after one STOP byte) is the batch's orders.
    function pointerOf(uint32 batch) external view returns (address);
    function batchOf(uint32 batch) external view returns (Batch state, bytes memory orders);
    /// @notice An order's terms and what remains of it (0: gone or unknown).
    function orderOf(uint40 id) external view returns (Order terms, uint256 left);
    function isSaltUsed(uint24 member, uint256 salt) external view returns (bool);
    /// @notice Live orders that an owner group holds on the two sides of a market.
    function heldBy(uint16 classIndex, uint24 group) external view returns (uint256 offers, uint256 requests);
    /// @notice Live orders of a member in all markets.
    function liveOrders(uint24 member) external view returns (uint256);
    function batchCount() external view returns (uint32);
    function parameters() external view returns (uint32 round, uint32 lock, uint32 horizon);
}
