// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BitMaps} from "@openzeppelin/contracts/utils/structs/BitMaps.sol";

import {ICapacityBook} from "./interfaces/ICapacityBook.sol";
import {IMemberRegistry} from "./interfaces/IMemberRegistry.sol";
import {Deployment, Parameters} from "./types/Parameters.sol";
import {ROLE_ARBITER, ROLE_COUNCIL} from "./types/Rights.sol";

/// @title MemberStore
/// @notice What {MemberRegistry} stores, how it is read, and the checks its verbs share. Changes nothing by itself.
abstract contract MemberStore is IMemberRegistry {
    using BitMaps for BitMaps.BitMap;

    /* CONSTANTS */

    // Most seats and most arbiters: bounds every loop over them.
    uint256 internal constant MOST = 64;

    /* IMMUTABLES */

    address public immutable councilContract;
    ICapacityBook public immutable book;
    uint256 public immutable moveDelay; // [s]

    /* STORAGE */

    mapping(uint24 member => Member) internal _members;
    mapping(address signer => Signer) internal _signers;
    mapping(uint24 member => Move) internal _moves;
    BitMaps.BitMap internal _suspended; // bit `member & 255` of word `member >> 8`

    /// @inheritdoc IMemberRegistry
    mapping(address account => uint24) public memberOf;

    /// @inheritdoc IMemberRegistry
    mapping(bytes32 identity => uint24) public memberByIdentity;

    uint24[] internal _council; //  holders of the council role, suspended ones included
    uint24[] internal _arbiters; // holders of the arbiter role, suspended ones included
    address[] internal _validators;

    /// @inheritdoc IMemberRegistry
    uint24 public memberCount;

    /* CONSTRUCTOR */

    constructor(Deployment memory d, Parameters memory p) {
        councilContract = d.council;
        book = ICapacityBook(d.book);
        moveDelay = p.moveDelay;
    }

    /* VIEWS */

    /// @inheritdoc IMemberRegistry
    function requireScope(uint24 member, address signer, uint8 scope) public view {
        require(_mayAct(member, signer, scope), NotSigner(member, signer, scope));
    }

    /// @inheritdoc IMemberRegistry
    function requireActive(uint24 member, uint8 role) public view {
        require(_members[member].roles & role == role && !isSuspended(member), MemberNotActive(member, role));
    }

    /// @inheritdoc IMemberRegistry
    function requireAccount(address account, uint8 role) external view returns (uint24 member) {
        member = memberOf[account];
        require(member != 0, NotAccount(account));
        requireActive(member, role);
    }

    /// @inheritdoc IMemberRegistry
    function hasScope(uint24 member, address signer, uint8 scope) external view returns (bool) {
        return _mayAct(member, signer, scope);
    }

    /// @inheritdoc IMemberRegistry
    function getMember(uint24 member) external view returns (Member memory) {
        return _members[member];
    }

    /// @inheritdoc IMemberRegistry
    function getSigner(address signer) external view returns (Signer memory) {
        return _signers[signer];
    }

    /// @inheritdoc IMemberRegistry
    function getMove(uint24 member) external view returns (Move memory) {
        return _moves[member];
    }

    /// @inheritdoc IMemberRegistry
    function groupOf(uint24 member) external view returns (uint24) {
        return _members[member].group;
    }

    /// @inheritdoc IMemberRegistry
    function accountOf(uint24 member) external view returns (address) {
        return _members[member].account;
    }

    /// @inheritdoc IMemberRegistry
    function isSuspended(uint24 member) public view returns (bool) {
        return _suspended.get(member);
    }

    /// @inheritdoc IMemberRegistry
    function areSuspended(uint24[] calldata members) external view returns (bool[] memory suspended) {
        suspended = new bool[](members.length);
        for (uint256 i; i < members.length; ++i) {
            suspended[i] = isSuspended(members[i]);
        }
    }

    /// @inheritdoc IMemberRegistry
    function council() external view returns (uint24[] memory) {
        return _activeOutside(_council, 0, 0); // no group is 0
    }

    /// @inheritdoc IMemberRegistry
    function arbitersOutside(uint24 groupA, uint24 groupB) external view returns (uint24[] memory) {
        return _activeOutside(_arbiters, groupA, groupB);
    }

    /// @inheritdoc IMemberRegistry
    function getValidators() external view returns (address[] memory) {
        return _validators;
    }

    /* INTERNAL: CHECKS */

    function _requireKnown(uint24 member) internal view {
        require(member != 0 && member <= memberCount, UnknownMember(member));
    }

    /// @dev The member whose account the sender is, suspended or not.
    function _requireMember() internal view returns (uint24 member) {
        member = memberOf[msg.sender];
        require(member != 0, NotAccount(msg.sender));
    }

    /// @dev An address acts for one member only, as its account or as a signer.
    function _requireFree(address account) internal view {
        require(account != address(0), ZeroAccount());
        uint24 holder = memberOf[account];
        if (holder == 0) holder = _signers[account].member;
        require(holder == 0, AddressTaken(account, holder));
    }

    /// @dev The zero address, which a bad signature recovers to and which an unknown member has, may nothing.
    function _mayAct(uint24 member, address signer, uint8 scope) internal view returns (bool) {
        if (signer == address(0)) return false;
        if (signer == _members[member].account) return true;
        Signer memory stored = _signers[signer];
        return stored.member == member && stored.scopes & scope != 0;
    }

    /// @dev Whether the member alone votes: without it nobody could.
    function _isLastSeat(uint24 member) internal view returns (bool) {
        if (_members[member].roles & ROLE_COUNCIL == 0 || isSuspended(member)) return false;
        return _activeOutside(_council, 0, 0).length == 1;
    }

    /* INTERNAL: LISTS */

    /// @dev Sets the role bits and keeps the lists of seats and arbiters.
    function _changeRoles(uint24 member, uint8 roles) internal {
        uint8 added = roles & ~_members[member].roles;
        uint8 removed = _members[member].roles & ~roles;
        require(added & ROLE_COUNCIL == 0 || _council.length < MOST, TooManyCouncilMembers(MOST));
        require(added & ROLE_ARBITER == 0 || _arbiters.length < MOST, TooManyArbiters(MOST));

        _members[member].roles = roles;
        if (added & ROLE_COUNCIL != 0) _council.push(member);
        if (added & ROLE_ARBITER != 0) _arbiters.push(member);
        if (removed & ROLE_COUNCIL != 0) _remove(_council, member);
        if (removed & ROLE_ARBITER != 0) _remove(_arbiters, member);
    }

    /// @dev The last entry takes the place of the removed one.
    function _remove(uint24[] storage list, uint24 member) internal {
        uint256 last = list.length - 1;
        for (uint256 i; i < last; ++i) {
            if (list[i] == member) list[i] = list[last];
        }
        list.pop();
    }

    /// @dev Members of the list that are not suspended and of neither group, in stored order.
    function _activeOutside(uint24[] memory list, uint24 groupA, uint24 groupB)
        internal
        view
        returns (uint24[] memory active)
    {
        active = new uint24[](list.length);
        uint256 count;
        for (uint256 i; i < list.length; ++i) {
            uint24 group = _members[list[i]].group;
            if (group == groupA || group == groupB || isSuspended(list[i])) continue;
            active[count++] = list[i];
        }
        // Shortens the fresh array in place; Solidity has no other way.
        assembly ("memory-safe") {
            mstore(active, count)
        }
    }
}
