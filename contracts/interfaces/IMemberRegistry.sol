// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

/// @title IMemberRegistry
/// @notice Who is a member, which keys sign for it, who holds which role, which nodes validate. Holds no money.
/// @dev One legal entity is one member (uint24 id from 1) with one account. Roles are bits: 1 trader, 2 council, 4 validator,
/// 8 arbiter, 16 auditor, 32 attestor. Scopes are bits: 1 trade, 2 operate, 4 treasury. The account has all scopes, without limit.
interface IMemberRegistry {
    /// @notice Admission of a legal entity.
    struct Admission {
        address account; //       votes, rulings, attestations and signers come from it; withdrawals go to it
        bytes32 identity; //      keccak256 of scheme and code (USCC, LEI, ...), unique
        bytes32 encryptionKey; // X25519 public key, zero if none
        uint40 keyValidUntil; //  last second the encryption key may be used [unix s]
        uint24 group; //          owner group: the member id that names it; 0: a group of its own
        uint8 roles; //           role bits
        string name; //           as people write it; in the event only
        string region; //         division code; in the event only
        string industry; //       industry code; in the event only
    }

    /// @notice What is stored of a member.
    struct Member {
        address account;
        uint24 group;
        uint8 roles;
        uint40 keyValidUntil;
        bytes32 identity;
        bytes32 encryptionKey;
    }

    /// @notice What is stored of a signer key: one word.
    struct Signer {
        uint24 member; // 0: no signer
        uint8 scopes;
        uint96 limit; //  most money its posts may lock a day [token base units]
        uint32 day; //    unix day of `spent`
        uint96 spent; //  locked by its posts on `day` [token base units]
    }

    /// @notice A pending move of a member's account.
    struct Move {
        address account; //     zero: none pending
        uint40 effectiveAt; //  first second it can be completed [unix s]
    }

    event MemberAdmitted(uint24 indexed member, address indexed account, Admission admission);
    event RolesSet(uint24 indexed member, uint8 roles);
    event GroupSet(uint24 indexed member, uint24 group);
    event MemberSuspended(uint24 indexed member);
    event MemberReinstated(uint24 indexed member);
    event EncryptionKeySet(uint24 indexed member, bytes32 key, uint40 validUntil);
    /// @notice A signer key was set; `scopes` 0 removes it. Its day's spending starts at zero when it is new.
    event SignerSet(uint24 indexed member, address indexed signer, uint8 scopes, uint96 limit);
    event AccountMoveStarted(uint24 indexed member, address indexed account, uint40 effectiveAt);
    event AccountMoveVetoed(uint24 indexed member, address indexed account);
    event AccountMoved(uint24 indexed member, address indexed from, address indexed to);
    /// @notice The whole validator set after a change, in stored order.
    event ValidatorsSet(address[] validators);

    error NotCouncilCall(address sender);
    error UnknownMember(uint24 member);
    error UnknownRoles(uint8 roles);
    error UnknownScopes(uint8 scopes);
    error ZeroAccount();
    error ZeroIdentity();
    error AddressTaken(address account, uint24 member);
    error IdentityTaken(bytes32 identity, uint24 member);
    /// @notice An owner group is named by an admitted member's id.
    error UnknownGroup(uint24 group);
    /// @notice The member has live orders, so its owner group cannot change.
    error HasLiveOrders(uint24 member, uint256 live);
    error LastCouncilMember(uint24 member);
    error TooManyArbiters(uint256 most);
    error TooManyCouncilMembers(uint256 most);
    error AlreadySuspended(uint24 member);
    error NotSuspended(uint24 member);
    /// @notice The sender is no account of a member.
    error NotAccount(address sender);
    /// @notice `signer` may not act for `member` in `scope`.
    error NotSigner(uint24 member, address signer, uint8 scope);
    /// @notice The member is suspended or lacks the role.
    error MemberNotActive(uint24 member, uint8 role);
    /// @notice The post would lock more than the signer's limit of the day leaves.
    error LimitExceeded(address signer, uint256 wanted, uint256 left);
    error NotBook(address sender);
    error NoMovePending(uint24 member);
    error MoveNotDue(uint24 member, uint40 effectiveAt);
    error EmptyValidators();
    error ZeroValidator(uint256 position);
    error DuplicateValidator(address validator);

    /* ADMISSION AND ROLES: COUNCIL ONLY */

    /// @notice Admits a legal entity. Council only.
    /// @dev Checks: {NotCouncilCall}, {ZeroAccount}, {AddressTaken}, {ZeroIdentity}, {IdentityTaken}, {UnknownGroup},
    /// {UnknownRoles}, {TooManyCouncilMembers}, {TooManyArbiters}.
    function admit(Admission calldata admission) external returns (uint24 member);
    /// @notice Sets a member's role bits. The last active council member keeps its seat. At most 64 arbiters and 64 seats.
    /// @dev A lost role leaves its list: the list's last entry takes the place. Checks: {NotCouncilCall}, {UnknownMember},
    /// {UnknownRoles}, {LastCouncilMember}, {TooManyCouncilMembers}, {TooManyArbiters}.
    function setRoles(uint24 member, uint8 roles) external;
    /// @notice Changes a member's owner group; refused while it has live orders.
    /// @dev Checks: {NotCouncilCall}, {UnknownMember}, {UnknownGroup} (0 included), {HasLiveOrders}.
    function setGroup(uint24 member, uint24 group) external;
    /// @notice Suspends: posts nothing, orders dead at once; deals, refunds and withdrawals go on.
    function suspend(uint24 member) external;
    function reinstate(uint24 member) external;
    /// @notice Replaces the validator node set; never empty, no zero, no duplicate.
    function setValidators(address[] calldata validators) external;
    /// @notice Starts the move of a member's account; replaces a pending one.
    /// @dev Checks: {NotCouncilCall}, {UnknownMember}, {ZeroAccount}, {AddressTaken}.
    function startMove(uint24 member, address account) external;

    /* BY THE MEMBER'S ACCOUNT */

    /// @notice Stops a pending move. Only the current account.
    /// @dev Checks: {NotAccount} unless the sender is the account of `member`, {NoMovePending}.
    function vetoMove(uint24 member) external;
    /// @notice Sets, changes or (scopes 0) removes a signer key of the sender's member, suspended or not.
    /// @dev A change keeps the day's spending. Checks: {NotAccount}, {ZeroAccount}, {UnknownScopes}, {AddressTaken} if `signer`
    /// is any member's account or another's signer.
    function setSigner(address signer, uint8 scopes, uint96 limit) external;
    /// @notice Sets the sender's member's X25519 key.
    function setEncryptionKey(bytes32 key, uint40 validUntil) external;

    /* BY ANYONE */

    /// @notice Completes a due move.
    /// @dev Checks: {NoMovePending}, {MoveNotDue}, {AddressTaken} if the new account was taken meanwhile.
    function completeMove(uint24 member) external;

    /* BY THE BOOK */

    /// @notice Checks that `signer` may post for the active trader `member` now and counts `amount` against its day. Book only.
    /// @dev The account spends without limit and is not counted. Checks: {NotBook}, {NotSigner}, {MemberNotActive}, {LimitExceeded}.
    function spend(uint24 member, address signer, uint256 amount) external;

    /* VIEWS */

    /// @notice Reverts with {NotSigner} unless `signer` is the member's account or a signer with the scope.
    function requireScope(uint24 member, address signer, uint8 scope) external view;
    /// @notice Reverts with {MemberNotActive} unless the member holds the role and is not suspended.
    function requireActive(uint24 member, uint8 role) external view;
    /// @notice Active member with the role behind an account; reverts with {NotAccount} or {MemberNotActive}.
    function requireAccount(address account, uint8 role) external view returns (uint24 member);
    /// @notice Whether `signer` is the member's account or a signer with the scope.
    function hasScope(uint24 member, address signer, uint8 scope) external view returns (bool);
    function memberOf(address account) external view returns (uint24);
    function memberByIdentity(bytes32 identity) external view returns (uint24);
    function getMember(uint24 member) external view returns (Member memory);
    function getSigner(address signer) external view returns (Signer memory);
    function getMove(uint24 member) external view returns (Move memory);
    function groupOf(uint24 member) external view returns (uint24);
    function accountOf(uint24 member) external view returns (address);
    function isSuspended(uint24 member) external view returns (bool);
    /// @notice Suspension of many members in one call.
    function areSuspended(uint24[] calldata members) external view returns (bool[] memory);
    /// @notice Members with the council role that are not suspended.
    function council() external view returns (uint24[] memory);
    /// @notice Active arbiters outside the two owner groups, in stored order.
    function arbitersOutside(uint24 groupA, uint24 groupB) external view returns (uint24[] memory);
    /// @notice Node addresses of the validators; what Besu's contract mode reads.
    function getValidators() external view returns (address[] memory);
    function memberCount() external view returns (uint24);
}
