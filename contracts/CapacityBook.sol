// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import {BookStore} from "./BookStore.sol";
import {IAssetRegistry} from "./interfaces/IAssetRegistry.sol";
import {ICapacityBook} from "./interfaces/ICapacityBook.sol";
import {BatchCode} from "./libraries/BatchCode.sol";
import {Bits} from "./libraries/Bits.sol";
import {FreedLib} from "./libraries/FreedLib.sol";
import {MarketCounts} from "./libraries/MarketCounts.sol";
import {OrderRules} from "./libraries/OrderRules.sol";
import {TypedOrders} from "./libraries/TypedOrders.sol";
import {Batch, BatchLib, Side} from "./types/Batch.sol";
import {Movement} from "./types/Movement.sol";
import {BATCH_ORDERS, ORDER_BYTES, Order} from "./types/Order.sol";
import {Deployment, Parameters} from "./types/Parameters.sol";
import {SCOPE_TRADE} from "./types/Rights.sol";

/// @title CapacityBook
/// @notice Takes orders in, lets them shrink and go, keeps what a clearing leaves. Holds no money and matches nothing.
contract CapacityBook is BookStore, EIP712 {
    using Bits for uint256;
    using FreedLib for FreedLib.Freed;
    using MarketCounts for MarketCounts.Counts;
    using TypedOrders for OrderBatch;
    using TypedOrders for Reduction;

    /* CONSTRUCTOR */

    constructor(Deployment memory d, Parameters memory p) BookStore(d, p) EIP712("capshare", "1") {}

    /* POSTING */

    /// @inheritdoc ICapacityBook
    function post(OrderBatch[] calldata batches) external returns (uint32 firstBatch) {
        require(!isPaused, BookPaused());
        firstBatch = batchCount + 1;
        for (uint256 i; i < batches.length; ++i) {
            _post(batches[i]);
        }
    }

    function _post(OrderBatch calldata b) private {
        require(block.timestamp <= b.deadline, DeadlinePassed(b.deadline));
        OrderRules.checkShape(b);
        _useSalt(b.member, b.salt);
        (uint16 index, IAssetRegistry.Class memory class) = assets.classOf(b.class);
        require(index != 0, UnknownClass(b.class));
        require(!class.retired, ClassIsRetired(b.class));
        OrderRules.Totals memory totals = OrderRules.check(b.orders, b.side, _limits(class));
        address signer = b.signature.length == 0 ? msg.sender : _recover(b.structHash(), b.signature);
        members.spend(b.member, signer, totals.amount);

        uint256 round = _now();
        Batch state = BatchLib.make(b.member, members.groupOf(b.member), index, b.side, round, b.orders.length / ORDER_BYTES);
        _counts.countIn(state, b.class, class.bookSize / 2);
        BatchCode.write(b.orders);
        uint32 number = ++batchCount;
        _states[number] = state;

        if (b.side == Side.Offer) {
            emit OffersPosted(number, b.member, b.class, uint32(round), b.salt, signer, b.orders);
            assets.reserve(b.member, index, class.slotLength, b.orders);
            credit.open(b.member, totals.credit, totals.quantity * class.reference_);
        } else {
            emit RequestsPosted(number, b.member, b.class, uint32(round), b.salt, signer, b.orders, b.commitments);
        }
        if (totals.amount != 0) vault.lock(b.member, totals.amount);
    }

    /* REDUCING */

    /// @inheritdoc ICapacityBook
    function reduce(Reduction[] calldata reductions) external {
        for (uint256 i; i < reductions.length; ++i) {
            _reduce(reductions[i]);
        }
    }

    function _reduce(Reduction calldata r) private {
        require(block.timestamp <= r.deadline, DeadlinePassed(r.deadline));
        uint256 count = r.ids.length;
        uint256 wantedCount = r.quantities.length;
        require(count == wantedCount && count != 0 && count <= BATCH_ORDERS, ListLengths(count, wantedCount));
        _useSalt(r.member, r.salt);
        address signer = r.signature.length == 0 ? msg.sender : _recover(r.structHash(), r.signature);
        members.requireScope(r.member, signer, SCOPE_TRADE);

        Cursor memory cursor = _cursor(count);
        for (uint256 i; i < count; ++i) {
            _reduceOne(cursor, r.member, r.ids[i], r.quantities[i]);
        }

        emit OrdersReduced(r.member, r.salt, signer, r.ids, r.quantities);
        _giveBack(cursor.freed);
    }

    function _reduceOne(Cursor memory cursor, uint24 member, uint40 id, uint256 wanted) private {
        _turnTo(cursor, id);
        require(cursor.state.isLive(id & 63), OrderNotLive(id));
        require(cursor.state.member() == member, OrderNotOwned(id, member));
        uint256 until = _lockedUntil(cursor.state);
        require(until == 0, MarketLocked(cursor.class.code, until));
        uint256 left = _leftOf(cursor, id);
        require(wanted < left, NotReduced(id, left, wanted));

        _lower(cursor, id, left, wanted);
    }

    /* EXPIRING */

    /// @inheritdoc ICapacityBook
    function expire(uint40[] calldata ids) external {
        uint40[] memory removed = new uint40[](ids.length);
        uint256 count;
        Cursor memory cursor = _cursor(ids.length);
        for (uint256 i; i < ids.length; ++i) {
            uint40 id = ids[i];
            _turnTo(cursor, id);
            if (!cursor.state.isLive(id & 63) || _lockedUntil(cursor.state) != 0 || !_isRemovable(cursor, id)) continue;
            _lower(cursor, id, _leftOf(cursor, id), 0);
            removed[count++] = id;
        }
        if (count == 0) return;
        // Assembly: the array shrinks to what was filled.
        assembly ("memory-safe") {
            mstore(removed, count)
        }

        emit OrdersRemoved(removed);
        _giveBack(cursor.freed);
    }

    /* COUNCIL */

    /// @inheritdoc ICapacityBook
    function setPaused(bool paused) external {
        require(msg.sender == council, NotCouncilCall(msg.sender));
        require(paused != isPaused, PauseUnchanged(paused));

        isPaused = paused;

        emit PauseSet(paused);
    }

    /* BY THE CLEARING */

    /// @inheritdoc ICapacityBook
    function recordClearing(Cleared calldata c) external {
        require(msg.sender == clearing, NotClearing(msg.sender));
        uint256[2] memory gone; // by side
        for (uint256 i; i < c.batches.length; ++i) {
            Batch old = _states[c.batches[i]];
            Batch state = Batch.wrap(c.states[i]);
            if (Batch.unwrap(state) == Batch.unwrap(old)) continue;
            _states[c.batches[i]] = state;
            uint256 count = (state.gone() ^ old.gone()).count();
            _counts.countOutHolder(state, count);
            gone[uint256(state.side())] += count;
        }
        for (uint256 i; i < c.partlyIds.length; ++i) {
            _left[c.partlyIds[i]] = c.partlyLeft[i];
        }
        _counts.countOutMarket(c.classIndex, gone, c.round);
        _removeDead(c.dead);
    }

    function _removeDead(uint40[] calldata ids) private {
        Cursor memory cursor = _cursor(ids.length);
        for (uint256 i; i < ids.length; ++i) {
            _turnTo(cursor, ids[i]);
            _lower(cursor, ids[i], _leftOf(cursor, ids[i]), 0);
        }
        _giveBack(cursor.freed);
    }

    /* INTERNAL */

    function _useSalt(uint24 member, uint256 salt) private {
        require(!isSaltUsed(member, salt), SaltUsed(member, salt));
        _salts[member][salt >> 8] |= 1 << (salt & 255);
    }

    /// @dev Zero, which is nobody's key, if the signature cannot be recovered.
    function _recover(bytes32 structHash, bytes calldata signature) private view returns (address signer) {
        (signer,,) = ECDSA.tryRecover(_hashTypedDataV4(structHash), signature);
    }

    /// @dev Lowers what remains of an order from `left` to `wanted`, 0 removing it, and collects what it gives back.
    function _lower(Cursor memory cursor, uint256 id, uint256 left, uint256 wanted) private {
        uint256 index = id & 63;
        Order order = OrderRules.orderIn(cursor.orders, index);
        uint256 reference_ = cursor.class.reference_;
        uint256 amount = OrderRules.lockedBy(order, cursor.state.side(), left - wanted, reference_, _rates);
        cursor.freed.add(cursor.state, order, left - wanted, amount, reference_);
        if (wanted == 0) {
            cursor.state = cursor.state.withGone(index);
            _counts.countOut(cursor.state, _now());
        } else {
            cursor.state = cursor.state.withPartly(index);
            _left[id] = wanted;
        }
        _states[cursor.number] = cursor.state;
    }

    /// @dev Hands what was collected to each neighbour in one call, or none.
    function _giveBack(FreedLib.Freed memory freed) private {
        uint256[] memory entries = freed.reservations();
        if (entries.length != 0) assets.unreserve(entries);
        (uint24[] memory providers, uint256[] memory values) = freed.openValues();
        if (providers.length != 0) credit.close(providers, values);
        Movement[] memory movements = freed.movements();
        if (movements.length != 0) vault.release(movements);
    }
}
