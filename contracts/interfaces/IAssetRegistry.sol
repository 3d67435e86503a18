// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

/// @title IAssetRegistry
/// @notice Classes, assets, attested attributes and reserved capacity a slot. Holds no money and no orders.
/// @dev No capacity is sold twice: `reserved[asset][slot]` never exceeds the asset's capacity.
interface IAssetRegistry {
    /// @notice A class of capacity: one market. Nothing of it ever changes but `retired`.
    struct Class {
        uint32 code; //       class code (kind, stage, process, material, precision, size)
        uint32 slotLength; // S [s], >= 120
        uint32 gateLead; //   L [s]
        uint72 reference_; // reference price, > 0 [token base units per capacity unit]
        uint32 lot; //        least quantity of an order [capacity units]
        uint8 window; //      widest request [slots], 1...255
        uint16 bookSize; //   most orders of both sides together, even, <= 2,000
        bool retired; //      no new orders
        uint64 mask; //       attribute bits that count
        bytes32 terms; //     hash of the standard terms
    }

    /// @notice An asset.
    struct Asset {
        uint24 member;
        uint16 classIndex;
        uint32 capacity; //   a slot [capacity units]
        uint64 attributes; // attested bits
        uint40 validUntil; // last second the attestation holds [unix s]
    }

    /// @notice A class was listed; `name` and `unit` (UN/CEFACT Rec 20) are in the event only.
    event ClassListed(uint16 indexed index, uint32 indexed code, Class class_, string name, string unit);
    event ClassRetired(uint16 indexed index, uint32 indexed code);
    event AssetRegistered(
        uint24 indexed asset, uint24 indexed member, uint16 indexed classIndex, uint32 capacity, bytes32 identity
    );
    event CapacityRaised(uint24 indexed asset, uint32 capacity);
    /// @notice An attestor set an asset's attributes; fewer bits than before is a revocation.
    event AssetAttested(
        uint24 indexed asset, uint24 indexed attestor, uint64 attributes, uint40 validUntil, bytes32 document
    );

    error NotCouncilCall(address sender);
    error ClassTaken(uint32 code, uint16 index);
    error UnknownClass(uint32 code);
    error ClassRetiredAlready(uint32 code);
    error TooManyClasses(uint256 most);
    /// @notice A field of the class is out of its range.
    error BadClass(bytes32 field, uint256 value);
    /// @notice `h * min(h, window * 8 * 2**bits(mask))` with `h = bookSize / 2` exceeds `most`.
    error BookTooLarge(uint256 pairs, uint256 most);
    error UnknownAsset(uint24 asset);
    error ZeroIdentity();
    error AssetIdentityTaken(bytes32 identity, uint24 asset);
    error TooManyAssets(uint24 member, uint256 most);
    error ZeroCapacity();
    /// @notice Capacity may rise, never fall.
    error CapacityNotRaised(uint24 asset, uint32 capacity, uint32 wanted);
    /// @notice The sender is not the contract that may call this.
    error NotAllowed(address sender);
    /// @notice The asset is not the posting member's.
    error AssetNotOwned(uint24 asset, uint24 member);
    error AssetOfOtherClass(uint24 asset, uint16 classIndex);
    /// @notice The offer declares attributes that are not attested to the slot's end.
    error NotAttested(uint24 asset, uint256 slot, uint64 declared, uint64 attested);
    error CapacityExceeded(uint24 asset, uint256 slot, uint256 wanted, uint256 capacity);

    /* COUNCIL */

    /// @notice Lists a class (`retired` must be false). Council only.
    function listClass(Class calldata class_, string calldata name, string calldata unit)
        external
        returns (uint16 index);
    /// @notice No new orders in the class from now on; what stands is cleared and settled. Council only.
    function retireClass(uint32 code) external;

    /* MEMBERS */

    /// @notice Registers an asset for an active trader member; sender: an operate key. The class may be retired.
    /// @param identity Hash of maker and serial, team or licence id; unique on chain.
    function registerAsset(uint24 member, uint32 code, uint32 capacity, bytes32 identity)
        external
        returns (uint24 asset);
    /// @notice Raises the capacity a slot; sender: an operate key.
    function raiseCapacity(uint24 asset, uint32 capacity) external;

    /* ATTESTORS */

    /// @notice Sets the attested attributes of an asset and their validity; sender: the account of an active attestor.
    function attest(uint24 asset, uint64 attributes, uint40 validUntil, bytes32 document) external;

    /* BOOK AND DEALS */

    /// @notice Checks and reserves the packed offers of one batch ({Order}), all or nothing. Book only.
    /// @dev Checks an offer: asset known, owned, of the class; attributes attested to the slot's end; capacity.
    function reserve(uint24 member, uint16 classIndex, uint256 slotLength, bytes calldata orders) external;
    /// @notice Gives reserved capacity back. Book and Deals only.
    /// @param entries asset 24 << 56 | slot 24 << 32 | quantity 32.
    function unreserve(uint256[] calldata entries) external;

    /* VIEWS */

    function indexOf(uint32 code) external view returns (uint16);
    function getClass(uint16 index) external view returns (Class memory);
    /// @notice Index (0: unknown) and class of a code in one call.
    function classOf(uint32 code) external view returns (uint16 index, Class memory class_);
    function getAsset(uint24 asset) external view returns (Asset memory);
    function assetByIdentity(bytes32 identity) external view returns (uint24);
    function assetsOf(uint24 member) external view returns (uint256);
    function reservedOf(uint24 asset, uint256 slot) external view returns (uint256);
    /// @notice Whether the asset's attestation covers `attributes` to `until`.
    function covers(uint24 asset, uint64 attributes, uint256 until) external view returns (bool);
    function classCount() external view returns (uint16);
    function assetCount() external view returns (uint24);
}
