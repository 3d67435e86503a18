// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {IAssetRegistry} from "./interfaces/IAssetRegistry.sol";
import {ICapacityBook} from "./interfaces/ICapacityBook.sol";
import {ICreditLedger} from "./interfaces/ICreditLedger.sol";
import {IMemberRegistry} from "./interfaces/IMemberRegistry.sol";
import {IVault} from "./interfaces/IVault.sol";
import {BatchCode} from "./libraries/BatchCode.sol";
import {Bits} from "./libraries/Bits.sol";
import {Bond} from "./libraries/Bond.sol";
import {FreedLib} from "./libraries/FreedLib.sol";
import {MarketCounts} from "./libraries/MarketCounts.sol";
import {OrderRules} from "./libraries/OrderRules.sol";
import {ParameterRules} from "./libraries/ParameterRules.sol";
import {Batch, Side} from "./types/Batch.sol";
import {ORDER_BYTES, Order} from "./types/Order.sol";
import {Deployment, Parameters} from "./types/Parameters.sol";

/// @title BookStore
/// @notice What {CapacityBook} stores and how it is read. Decides nothing and changes nothing.
abstract contract BookStore is ICapacityBook {
    using Bits for uint256;
    using MarketCounts for MarketCounts.Counts;

    /* CONSTANTS */

    uint16 internal constant RULES_VERSION = 1;

    /* IMMUTABLES */

    address public immutable council;
    IMemberRegistry public immutable members;
    IAssetRegistry public immutable assets;
    address public immutable clearing;
    IVault public immutable vault;
    ICreditLedger public immutable credit;
    uint256 internal immutable _round; //   R [s]
    uint256 internal immutable _lock; //    W [s]
    uint256 internal immutable _horizon; // [s]
    uint256 internal immutable _rates; //   {Bond.pack}

    /* STORAGE */

    mapping(uint256 batch => Batch) internal _states;
    // What remains of an order whose partly bit is set [capacity units]; keeps its last value when the order goes.
    mapping(uint256 id => uint256) internal _left;
    MarketCounts.Counts internal _counts;
    mapping(uint256 member => mapping(uint256 word => uint256)) internal _salts; // 256 a word
    /// @inheritdoc ICapacityBook
    uint32 public batchCount;
    /// @inheritdoc ICapacityBook
    bool public isPaused;

    /// @dev The batch at hand while a list of orders is walked, read once a run; and what the walk has freed.
    struct Cursor {
        FreedLib.Freed freed;
        uint256 number;
        Batch state;
        bytes orders;
        uint256 classIndex;
        IAssetRegistry.Class class;
    }

    /* CONSTRUCTOR */

    constructor(Deployment memory d, Parameters memory p) {
        ParameterRules.check(p);
        council = d.council;
        members = IMemberRegistry(d.members);
        assets = IAssetRegistry(d.assets);
        clearing = d.clearing;
        vault = IVault(d.vault);
        credit = ICreditLedger(d.credit);
        (_round, _lock, _horizon) = (p.round, p.lock, p.horizon);
        _rates = Bond.pack(p.bondRates);

        emit RulesSet(RULES_VERSION, p);
    }

    /* VIEWS */

    /// @inheritdoc ICapacityBook
    function load(uint32[] calldata batches) external view returns (uint256[] memory states, uint32[] memory left) {
        states = new uint256[](batches.length);
        uint256 count;
        for (uint256 i; i < batches.length; ++i) {
            Batch state = _states[batches[i]];
            states[i] = Batch.unwrap(state);
            count += (state.partly() & ~state.gone()).count();
        }
        left = new uint32[](count);
        count = 0;
        for (uint256 i; count < left.length; ++i) {
            Batch state = Batch.wrap(states[i]);
            uint256 bits = state.partly() & ~state.gone();
            // `bits - 1` clears the lowest bit: the gaps between live orders cost nothing.
            for (; bits != 0; bits &= bits - 1) {
                uint256 index = Math.log2(bits & (~bits + 1));
                left[count++] = uint32(_left[uint256(batches[i]) << 6 | index]);
            }
        }
    }

    /// @inheritdoc ICapacityBook
    function marketOf(uint16 classIndex) external view returns (Market memory) {
        return _counts.markets[classIndex];
    }

    /// @inheritdoc ICapacityBook
    function pointerOf(uint32 batch) public view returns (address) {
        return BatchCode.pointerOf(address(this), batch);
    }

    /// @inheritdoc ICapacityBook
    function batchOf(uint32 batch) external view returns (Batch state, bytes memory orders) {
        state = _states[batch];
        orders = BatchCode.read(pointerOf(batch), state.count() * ORDER_BYTES);
    }

    /// @inheritdoc ICapacityBook
    function orderOf(uint40 id) external view returns (Order terms, uint256 left) {
        Cursor memory cursor;
        _turnTo(cursor, id);
        if (id & 63 >= cursor.state.count()) return (terms, 0);
        terms = OrderRules.orderIn(cursor.orders, id & 63);
        if (cursor.state.isLive(id & 63)) left = _leftOf(cursor, id);
    }

    /// @inheritdoc ICapacityBook
    function isSaltUsed(uint24 member, uint256 salt) public view returns (bool) {
        return (_salts[member][salt >> 8] >> (salt & 255)) & 1 == 1;
    }

    /// @inheritdoc ICapacityBook
    function heldBy(uint16 classIndex, uint24 group) external view returns (uint256 offers, uint256 requests) {
        offers = _counts.heldBy(classIndex, group, Side.Offer);
        requests = _counts.heldBy(classIndex, group, Side.Request);
    }

    /// @inheritdoc ICapacityBook
    function liveOrders(uint24 member) external view returns (uint256) {
        return _counts.live[member >> 3].lane(member);
    }

    /// @inheritdoc ICapacityBook
    function parameters() external view returns (uint32 round, uint32 lock, uint32 horizon) {
        return (uint32(_round), uint32(_lock), uint32(_horizon));
    }

    /* INTERNAL */

    /// @dev The current round.
    function _now() internal view returns (uint256) {
        return block.timestamp / _round;
    }

    /// @dev When standing orders of the batch's market can be changed again [unix s]; 0: now.
    function _lockedUntil(Batch state) internal view returns (uint256) {
        uint256 round = _now();
        uint256 until = round * _round + _lock;
        bool isFree = state.round() == round || block.timestamp >= until
            || _counts.markets[state.classIndex()].clearedRound == round;
        return isFree ? 0 : until;
    }

    /// @dev Room for removing `most` orders.
    function _cursor(uint256 most) internal pure returns (Cursor memory cursor) {
        cursor.freed = FreedLib.make(most);
    }

    /// @dev Reads the batch of order `id`, unless it is at hand; an unknown batch has no orders.
    function _turnTo(Cursor memory cursor, uint256 id) internal view {
        uint256 number = id >> 6;
        if (cursor.number == number) return;
        Batch state = _states[number];
        (cursor.number, cursor.state) = (number, state);
        cursor.orders = BatchCode.read(BatchCode.pointerOf(address(this), number), state.count() * ORDER_BYTES);
        if (state.classIndex() == cursor.classIndex) return;
        cursor.classIndex = state.classIndex();
        cursor.class = assets.getClass(uint16(cursor.classIndex));
    }

    /// @dev What remains of a live order.
    function _leftOf(Cursor memory cursor, uint256 id) internal view returns (uint256) {
        return cursor.state.isPartly(id & 63) ? _left[id] : OrderRules.orderIn(cursor.orders, id & 63).quantity();
    }

    /// @dev Whether the order is dead in this round, or an offer whose attestation no longer covers it.
    function _isRemovable(Cursor memory cursor, uint256 id) internal view returns (bool) {
        if (members.isSuspended(uint24(cursor.state.member()))) return true;
        Order order = OrderRules.orderIn(cursor.orders, id & 63);
        bool isRequest = cursor.state.side() == Side.Request;
        uint256 last = isRequest ? order.lastSlot() : order.slot();
        uint256 length = cursor.class.slotLength;
        if (last < OrderRules.firstOpen((_now() + 1) * _round, cursor.class.gateLead, length)) return true;
        return !isRequest
            && !assets.covers(uint24(order.asset()), uint64(order.attributes()), (last + 1) * length);
    }

    /// @dev What orders posted now are checked against.
    function _limits(IAssetRegistry.Class memory class) internal view returns (OrderRules.Limits memory) {
        uint256 nextEnd = (_now() + 2) * _round;
        return OrderRules.Limits({
            lot: class.lot,
            mask: class.mask,
            window: class.window,
            firstSlot: OrderRules.firstOpen(nextEnd, class.gateLead, class.slotLength),
            lastSlot: (block.timestamp + _horizon) / class.slotLength,
            reference_: class.reference_,
            rates: _rates
        });
    }
}
