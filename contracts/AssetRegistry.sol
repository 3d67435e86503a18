// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAssetRegistry} from "./interfaces/IAssetRegistry.sol";
import {IMemberRegistry} from "./interfaces/IMemberRegistry.sol";
import {Bits} from "./libraries/Bits.sol";
import {OrderRules} from "./libraries/OrderRules.sol";
import {ORDER_BYTES, Order} from "./types/Order.sol";
import {Deployment, Parameters} from "./types/Parameters.sol";
import {ROLE_ATTESTOR, ROLE_TRADER, SCOPE_OPERATE} from "./types/Rights.sol";

/// @title AssetRegistry
/// @notice Classes, assets, attested attributes and reserved capacity a slot. Holds no money and no orders.
contract AssetRegistry is IAssetRegistry {
    using Bits for uint256;

    /* CONSTANTS */

    uint256 private constant LEAST_SLOT_LENGTH = 120; // [s]
    uint256 private constant MOST_CLASSES = 4_095; // what 12 bits number, from 1
    uint256 private constant MOST_ASSETS = 1_024; // a member
    uint256 private constant MOST_BOOK_SIZE = 2_000; // orders of both sides
    uint256 private constant MOST_PAIRS = 250_000; // kinds x groups that one clearing may have to look at

    /* IMMUTABLES */

    address public immutable council;
    IMemberRegistry public immutable members;
    address public immutable book;
    address public immutable deals;

    /* STORAGE */

    /// @inheritdoc IAssetRegistry
    mapping(uint32 code => uint16) public indexOf;
    mapping(uint256 index => Class) private _classes;
    mapping(uint256 asset => Asset) private _assets;
    /// @inheritdoc IAssetRegistry
    mapping(bytes32 identity => uint24) public assetByIdentity;
    /// @inheritdoc IAssetRegistry
    mapping(uint24 member => uint256) public assetsOf;
    // Eight slots a word, 32 bits each; word `slot >> 3`.
    mapping(uint256 asset => mapping(uint256 word => uint256)) private _reserved;
    /// @inheritdoc IAssetRegistry
    uint16 public classCount;
    /// @inheritdoc IAssetRegistry
    uint24 public assetCount;

    /* CONSTRUCTOR */

    constructor(Deployment memory d, Parameters memory) {
        council = d.council;
        members = IMemberRegistry(d.members);
        book = d.book;
        deals = d.deals;
    }

    /* COUNCIL */

    /// @inheritdoc IAssetRegistry
    function listClass(Class calldata class_, string calldata name, string calldata unit)
        external
        returns (uint16 index)
    {
        require(msg.sender == council, NotCouncilCall(msg.sender));
        require(indexOf[class_.code] == 0, ClassTaken(class_.code, indexOf[class_.code]));
        require(classCount < MOST_CLASSES, TooManyClasses(MOST_CLASSES));
        _checkClass(class_);

        index = ++classCount;
        indexOf[class_.code] = index;
        _classes[index] = class_;

        emit ClassListed(index, class_.code, class_, name, unit);
    }

    /// @inheritdoc IAssetRegistry
    function retireClass(uint32 code) external {
        require(msg.sender == council, NotCouncilCall(msg.sender));
        uint16 index = indexOf[code];
        require(index != 0, UnknownClass(code));
        require(!_classes[index].retired, ClassRetiredAlready(code));

        _classes[index].retired = true;

        emit ClassRetired(index, code);
    }

    /* MEMBERS */

    /// @inheritdoc IAssetRegistry
    function registerAsset(uint24 member, uint32 code, uint32 capacity, bytes32 identity)
        external
        returns (uint24 asset)
    {
        members.requireScope(member, msg.sender, SCOPE_OPERATE);
        members.requireActive(member, ROLE_TRADER);
        uint16 index = indexOf[code];
        require(index != 0, UnknownClass(code));
        require(capacity != 0, ZeroCapacity());
        require(identity != 0, ZeroIdentity());
        require(assetByIdentity[identity] == 0, AssetIdentityTaken(identity, assetByIdentity[identity]));
        require(assetsOf[member] < MOST_ASSETS, TooManyAssets(member, MOST_ASSETS));

        asset = ++assetCount;
        ++assetsOf[member];
        assetByIdentity[identity] = asset;
        _assets[asset] =
            Asset({member: member, classIndex: index, capacity: capacity, attributes: 0, validUntil: 0});

        emit AssetRegistered(asset, member, index, capacity, identity);
    }

    /// @inheritdoc IAssetRegistry
    function raiseCapacity(uint24 asset, uint32 capacity) external {
        Asset storage record = _known(asset);
        members.requireScope(record.member, msg.sender, SCOPE_OPERATE);
        require(capacity > record.capacity, CapacityNotRaised(asset, record.capacity, capacity));

        record.capacity = capacity;

        emit CapacityRaised(asset, capacity);
    }

    /* ATTESTORS */

    /// @inheritdoc IAssetRegistry
    function attest(uint24 asset, uint64 attributes, uint40 validUntil, bytes32 document) external {
        uint24 attestor = members.requireAccount(msg.sender, ROLE_ATTESTOR);
        Asset storage record = _known(asset);

        record.attributes = attributes;
        record.validUntil = validUntil;

        emit AssetAttested(asset, attestor, attributes, validUntil, document);
    }

    /* BOOK AND DEALS */

    /// @inheritdoc IAssetRegistry
    function reserve(uint24 member, uint16 classIndex, uint256 slotLength, bytes calldata orders) external {
        require(msg.sender == book, NotAllowed(msg.sender));
        uint256 count = orders.length / ORDER_BYTES;
        // A member lists an asset's offers together: its record is read once a run.
        uint24 asset;
        Asset memory record;
        mapping(uint256 word => uint256) storage reserved = _reserved[0];
        for (uint256 i; i < count; ++i) {
            Order order = OrderRules.orderAt(orders, i);
            if (i == 0 || asset != order.asset()) {
                asset = uint24(order.asset());
                record = _known(asset);
                reserved = _reserved[asset];
                require(record.member == member, AssetNotOwned(asset, member));
                require(record.classIndex == classIndex, AssetOfOtherClass(asset, record.classIndex));
            }
            uint256 slot = order.slot();
            uint64 attested = record.validUntil >= (slot + 1) * slotLength ? record.attributes : 0;
            require(
                order.attributes() & ~uint256(attested) == 0,
                NotAttested(asset, slot, uint64(order.attributes()), attested)
            );

            uint256 word = reserved[slot >> 3];
            uint256 wanted = word.lane(slot) + order.quantity();
            require(wanted <= record.capacity, CapacityExceeded(asset, slot, wanted, record.capacity));
            reserved[slot >> 3] = word.raise(slot, order.quantity());
        }
    }

    /// @inheritdoc IAssetRegistry
    function unreserve(uint256[] calldata entries) external {
        require(msg.sender == book || msg.sender == deals, NotAllowed(msg.sender));
        for (uint256 i; i < entries.length; ++i) {
            uint256 entry = entries[i];
            uint256 slot = (entry >> 32) & type(uint24).max;
            mapping(uint256 word => uint256) storage reserved = _reserved[entry >> 56];
            reserved[slot >> 3] = reserved[slot >> 3].lower(slot, entry & type(uint32).max);
        }
    }

    /* VIEWS */

    /// @inheritdoc IAssetRegistry
    function getClass(uint16 index) external view returns (Class memory) {
        return _classes[index];
    }

    /// @inheritdoc IAssetRegistry
    function classOf(uint32 code) external view returns (uint16 index, Class memory class_) {
        index = indexOf[code];
        class_ = _classes[index];
    }

    /// @inheritdoc IAssetRegistry
    function getAsset(uint24 asset) external view returns (Asset memory) {
        return _assets[asset];
    }

    /// @inheritdoc IAssetRegistry
    function reservedOf(uint24 asset, uint256 slot) external view returns (uint256) {
        return _reserved[asset][slot >> 3].lane(slot);
    }

    /// @inheritdoc IAssetRegistry
    function covers(uint24 asset, uint64 attributes, uint256 until) external view returns (bool) {
        Asset storage record = _assets[asset];
        return attributes & ~(record.validUntil >= until ? record.attributes : 0) == 0;
    }

    /* INTERNAL */

    function _known(uint24 asset) private view returns (Asset storage record) {
        record = _assets[asset];
        require(record.member != 0, UnknownAsset(asset));
    }

    function _checkClass(Class calldata class_) private pure {
        require(class_.slotLength >= LEAST_SLOT_LENGTH, BadClass("slotLength", class_.slotLength));
        require(class_.reference_ != 0, BadClass("reference", 0));
        require(class_.lot != 0, BadClass("lot", 0));
        require(class_.window != 0, BadClass("window", 0));
        uint256 size = class_.bookSize;
        require(size % 2 == 0 && size >= 2 && size <= MOST_BOOK_SIZE, BadClass("bookSize", size));
        require(!class_.retired, BadClass("retired", 1));

        // A full side has at most `half` kinds or groups, and a kind meets at most the groups of its window:
        // slots x credit bands x attribute sets.
        uint256 half = size / 2;
        uint256 groups = uint256(class_.window) * 8 << Bits.count(class_.mask);
        uint256 pairs = half * (half < groups ? half : groups);
        require(pairs <= MOST_PAIRS, BookTooLarge(pairs, MOST_PAIRS));
    }
}
