// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICouncil} from "./interfaces/ICouncil.sol";
import {IMemberRegistry} from "./interfaces/IMemberRegistry.sol";
import {Deployment, Parameters} from "./types/Parameters.sol";
import {ROLE_COUNCIL} from "./types/Rights.sol";

/// @title Council
/// @notice Carries out the calls that more than half of the council's seats support. Holds no money and no number.
contract Council is ICouncil {
    /* IMMUTABLES */

    IMemberRegistry public immutable members;
    uint256 public immutable proposalLife; // [s]

    /* STORAGE */

    struct Proposal {
        bytes32 callsHash; // keccak256(abi.encode(calls)); zero: none such
        uint40 deadline; //   last second to vote or execute [unix s]
        bool executed;
    }

    mapping(uint256 proposal => Proposal) internal _proposals;

    /// @inheritdoc ICouncil
    mapping(uint256 proposal => mapping(uint24 member => bool)) public hasSupport;

    /// @inheritdoc ICouncil
    uint256 public proposalCount;

    /* CONSTRUCTOR */

    constructor(Deployment memory d, Parameters memory p) {
        members = IMemberRegistry(d.members);
        proposalLife = p.proposalLife;
    }

    /* PROPOSING AND VOTING */

    /// @inheritdoc ICouncil
    function propose(Call[] calldata calls, string calldata reason) external returns (uint256 proposal) {
        uint24 proposer = _requireSeat();
        require(calls.length != 0, EmptyProposal());

        proposal = ++proposalCount;
        uint40 deadline = uint40(block.timestamp + proposalLife);
        _proposals[proposal] = Proposal(keccak256(abi.encode(calls)), deadline, false);
        hasSupport[proposal][proposer] = true;

        emit Proposed(proposal, proposer, calls, reason, deadline);
    }

    /// @inheritdoc ICouncil
    function vote(uint256 proposal, bool support) external {
        uint24 member = _requireSeat();
        _requirePending(proposal);

        hasSupport[proposal][member] = support;

        emit Voted(proposal, member, support);
    }

    /* EXECUTING */

    /// @inheritdoc ICouncil
    function execute(uint256 proposal, Call[] calldata calls) external {
        _requirePending(proposal);
        bytes32 expected = _proposals[proposal].callsHash;
        bytes32 given = keccak256(abi.encode(calls));
        require(given == expected, CallsDiffer(proposal, expected, given));
        (uint256 yes, uint256 seats) = _count(proposal);
        require(yes * 2 > seats, NotPassed(proposal, yes, seats));

        _proposals[proposal].executed = true;

        emit Executed(proposal, yes, seats);

        for (uint256 i; i < calls.length; ++i) {
            // A call to an address without code would succeed and do nothing: a slip that must not count as done.
            require(calls[i].target.code.length != 0, CallFailed(i, ""));
            (bool success, bytes memory returned) = calls[i].target.call(calls[i].data);
            require(success, CallFailed(i, returned));
        }
    }

    /* VIEWS */

    /// @inheritdoc ICouncil
    function callsHash(uint256 proposal) external view returns (bytes32) {
        return _proposals[proposal].callsHash;
    }

    /// @inheritdoc ICouncil
    function proposalOf(uint256 proposal)
        external
        view
        returns (uint40 deadline, bool executed, uint256 yes, uint256 seats)
    {
        (yes, seats) = _count(proposal);
        return (_proposals[proposal].deadline, _proposals[proposal].executed, yes, seats);
    }

    /* INTERNAL */

    /// @dev The sender's member if it holds a seat now.
    function _requireSeat() internal view returns (uint24 member) {
        member = members.memberOf(msg.sender);
        bool seated = members.getMember(member).roles & ROLE_COUNCIL != 0 && !members.isSuspended(member);
        require(seated, NotCouncil(msg.sender));
    }

    /// @dev Known, not executed, and its deadline not passed.
    function _requirePending(uint256 proposal) internal view {
        Proposal storage stored = _proposals[proposal];
        require(stored.callsHash != 0, UnknownProposal(proposal));
        require(!stored.executed, AlreadyExecuted(proposal));
        require(block.timestamp <= stored.deadline, ProposalLapsed(proposal, stored.deadline));
    }

    /// @dev Votes in favour by those who hold a seat now, and the seats.
    function _count(uint256 proposal) internal view returns (uint256 yes, uint256 seats) {
        uint24[] memory council = members.council();
        seats = council.length;
        for (uint256 i; i < seats; ++i) {
            if (hasSupport[proposal][council[i]]) ++yes;
        }
    }
}
