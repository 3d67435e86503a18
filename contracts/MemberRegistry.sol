// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BitMaps} from "@openzeppelin/contracts/utils/structs/BitMaps.sol";

import {IMemberRegistry} from "./interfaces/IMemberRegistry.sol";
import {MemberStore} from "./MemberStore.sol";
import {Deployment, Parameters} from "./types/Parameters.sol";
import {ALL_ROLES, ALL_SCOPES, ROLE_COUNCIL, ROLE_TRADER, SCOPE_TRADE} from "./types/Rights.sol";

/// @title MemberRegistry
/// @notice Keeps members, their keys and roles, and the validator set. Moves no money and knows no order.
contract MemberRegistry is MemberStore {
    using BitMaps for BitMaps.BitMap;

    /* CONSTRUCTOR */

    constructor(Deployment memory d, Parameters memory p, Admission[] memory founders, address[] memory validators)
        MemberStore(d, p)
    {
        for (uint256 i; i < founders.length; ++i) {
            _admit(founders[i]);
        }
        require(_council.length != 0, LastCouncilMember(0));
        _setValidators(validators);
    }

    modifier onlyCouncil() {
        require(msg.sender == councilContract, NotCouncilCall(msg.sender));
        _;
    }

    /* ADMISSION AND ROLES: COUNCIL ONLY */

    /// @inheritdoc IMemberRegistry
    function admit(Admission calldata admission) external onlyCouncil returns (uint24 member) {
        return _admit(admission);
    }

    /// @inheritdoc IMemberRegistry
    function setRoles(uint24 member, uint8 roles) external onlyCouncil {
        _requireKnown(member);
        require(roles <= ALL_ROLES, UnknownRoles(roles));
        require(roles & ROLE_COUNCIL != 0 || !_isLastSeat(member), LastCouncilMember(member));

        _changeRoles(member, roles);

        emit RolesSet(member, roles);
    }

    /// @inheritdoc IMemberRegistry
    function setGroup(uint24 member, uint24 group) external onlyCouncil {
        _requireKnown(member);
        require(group != 0 && group <= memberCount, UnknownGroup(group));
        uint256 live = book.liveOrders(member);
        require(live == 0, HasLiveOrders(member, live));

        _members[member].group = group;

        emit GroupSet(member, group);
    }

    /// @inheritdoc IMemberRegistry
    function suspend(uint24 member) external onlyCouncil {
        _requireKnown(member);
        require(!isSuspended(member), AlreadySuspended(member));
        require(!_isLastSeat(member), LastCouncilMember(member));

        _suspended.set(member);

        emit MemberSuspended(member);
    }

    /// @inheritdoc IMemberRegistry
    function reinstate(uint24 member) external onlyCouncil {
        _requireKnown(member);
        require(isSuspended(member), NotSuspended(member));

        _suspended.unset(member);

        emit MemberReinstated(member);
    }

    /// @inheritdoc IMemberRegistry
    function setValidators(address[] calldata validators) external onlyCouncil {
        _setValidators(validators);
    }

    /// @inheritdoc IMemberRegistry
    function startMove(uint24 member, address account) external onlyCouncil {
        _requireKnown(member);
        _requireFree(account);
        uint40 effectiveAt = uint40(block.timestamp + moveDelay);

        _moves[member] = Move(account, effectiveAt);

        emit AccountMoveStarted(member, account, effectiveAt);
    }

    /* BY THE MEMBER'S ACCOUNT */

    /// @inheritdoc IMemberRegistry
    function vetoMove(uint24 member) external {
        require(member != 0 && memberOf[msg.sender] == member, NotAccount(msg.sender));
        address account = _moves[member].account;
        require(account != address(0), NoMovePending(member));

        delete _moves[member];

        emit AccountMoveVetoed(member, account);
    }

    /// @inheritdoc IMemberRegistry
    function setSigner(address signer, uint8 scopes, uint96 limit) external {
        uint24 member = _requireMember();
        require(signer != address(0), ZeroAccount());
        require(scopes <= ALL_SCOPES, UnknownScopes(scopes));
        require(memberOf[signer] == 0, AddressTaken(signer, memberOf[signer]));
        Signer memory stored = _signers[signer];
        require(stored.member == 0 || stored.member == member, AddressTaken(signer, stored.member));

        if (scopes == 0) delete _signers[signer];
        else _signers[signer] = Signer(member, scopes, limit, stored.day, stored.spent);

        emit SignerSet(member, signer, scopes, limit);
    }

    /// @inheritdoc IMemberRegistry
    function setEncryptionKey(bytes32 key, uint40 validUntil) external {
        uint24 member = _requireMember();

        _members[member].encryptionKey = key;
        _members[member].keyValidUntil = validUntil;

        emit EncryptionKeySet(member, key, validUntil);
    }

    /* BY ANYONE */

    /// @inheritdoc IMemberRegistry
    function completeMove(uint24 member) external {
        Move memory move = _moves[member];
        require(move.account != address(0), NoMovePending(member));
        require(block.timestamp >= move.effectiveAt, MoveNotDue(member, move.effectiveAt));
        _requireFree(move.account);
        address from = _members[member].account;

        delete _moves[member];
        delete memberOf[from];
        memberOf[move.account] = member;
        _members[member].account = move.account;

        emit AccountMoved(member, from, move.account);
    }

    /* BY THE BOOK */

    /// @inheritdoc IMemberRegistry
    function spend(uint24 member, address signer, uint256 amount) external {
        require(msg.sender == address(book), NotBook(msg.sender));
        requireScope(member, signer, SCOPE_TRADE);
        requireActive(member, ROLE_TRADER);
        if (signer == _members[member].account) return; // the account has no limit

        Signer memory stored = _signers[signer];
        uint256 today = block.timestamp / 1 days;
        uint256 spent = stored.day == today ? stored.spent : 0;
        uint256 left = spent < stored.limit ? stored.limit - spent : 0; // the limit may have been lowered
        require(amount <= left, LimitExceeded(signer, amount, left));

        stored.day = uint32(today);
        stored.spent = uint96(spent + amount);
        _signers[signer] = stored;
    }

    /* INTERNAL */

    function _admit(Admission memory admission) internal returns (uint24 member) {
        member = memberCount + 1;
        _requireFree(admission.account);
        require(admission.identity != 0, ZeroIdentity());
        uint24 holder = memberByIdentity[admission.identity];
        require(holder == 0, IdentityTaken(admission.identity, holder));
        require(admission.group <= member, UnknownGroup(admission.group));
        require(admission.roles <= ALL_ROLES, UnknownRoles(admission.roles));

        memberCount = member;
        memberOf[admission.account] = member;
        memberByIdentity[admission.identity] = member;
        _members[member] = Member({
            account: admission.account,
            group: admission.group == 0 ? member : admission.group,
            roles: 0,
            keyValidUntil: admission.keyValidUntil,
            identity: admission.identity,
            encryptionKey: admission.encryptionKey
        });
        _changeRoles(member, admission.roles);

        emit MemberAdmitted(member, admission.account, admission);
    }

    function _setValidators(address[] memory validators) internal {
        require(validators.length != 0, EmptyValidators());
        for (uint256 i; i < validators.length; ++i) {
            require(validators[i] != address(0), ZeroValidator(i));
            for (uint256 j; j < i; ++j) {
                require(validators[j] != validators[i], DuplicateValidator(validators[i]));
            }
        }

        _validators = validators;

        emit ValidatorsSet(validators);
    }
}
