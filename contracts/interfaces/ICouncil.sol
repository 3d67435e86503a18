// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

/// @title ICouncil
/// @notice Votes of council members carry out calls: admission, roles, classes, pause. Owner of no number and of no money.
/// @dev One member with the council role, one vote, cast from its account. A call needs more than half of the seats at the
/// moment of execution. Trust: a majority of the council can admit, suspend, list and pause; it cannot move money, change a
/// parameter, stop a settlement or replace code.
interface ICouncil {
    /// @notice A call to make when the proposal passes.
    struct Call {
        address target; // contract of this deployment
        bytes data; //     selector and arguments
    }

    /// @notice A proposal was made; the proposer's vote is cast with it. `deadline` is the last second to vote or execute.
    event Proposed(
        uint256 indexed proposal, uint24 indexed proposer, Call[] calls, string reason, uint40 deadline
    );

    /// @notice A council member voted, or changed its vote.
    event Voted(uint256 indexed proposal, uint24 indexed member, bool support);

    /// @notice The proposal's calls were carried out, `yes` of `seats` in favour.
    event Executed(uint256 indexed proposal, uint256 yes, uint256 seats);

    /// @notice The sender is no account of an active council member.
    error NotCouncil(address sender);
    /// @notice No such proposal.
    error UnknownProposal(uint256 proposal);
    /// @notice The proposal has no calls.
    error EmptyProposal();
    /// @notice The proposal was executed already.
    error AlreadyExecuted(uint256 proposal);
    /// @notice The proposal's deadline has passed.
    error ProposalLapsed(uint256 proposal, uint40 deadline);
    /// @notice More than half of the seats must support the proposal.
    error NotPassed(uint256 proposal, uint256 yes, uint256 seats);
    /// @notice The calls handed over are not those proposed.
    error CallsDiffer(uint256 proposal, bytes32 expected, bytes32 given);
    /// @notice Call number `index` of the proposal reverted with `reason`, or (empty reason) its target has no code.
    error CallFailed(uint256 index, bytes reason);

    /// @notice Proposes calls and votes for them. With one seat the proposal can be executed at once.
    /// @return proposal Number of the proposal, from 1.
    function propose(Call[] calldata calls, string calldata reason) external returns (uint256 proposal);

    /// @notice Votes for or against; the last vote of a member counts.
    /// @dev Checks: {NotCouncil}, {UnknownProposal}, {AlreadyExecuted}, {ProposalLapsed}.
    function vote(uint256 proposal, bool support) external;

    /// @notice Carries the calls out, in order, all or none. Anyone may send it. Votes of members who lost the seat do not count.
    function execute(uint256 proposal, Call[] calldata calls) external;

    /// @notice Hash of a proposal's calls, `keccak256(abi.encode(calls))`; zero: none such.
    function callsHash(uint256 proposal) external view returns (bytes32);

    /// @notice State of a proposal: last second, whether executed, votes in favour and seats as of now.
    function proposalOf(uint256 proposal)
        external
        view
        returns (uint40 deadline, bool executed, uint256 yes, uint256 seats);

    /// @notice Whether `member`'s last vote supports the proposal.
    function hasSupport(uint256 proposal, uint24 member) external view returns (bool);

    /// @notice Number of the newest proposal; zero: none yet.
    function proposalCount() external view returns (uint256);
}
