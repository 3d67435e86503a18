"""Council: votes of its members carry out calls."""

from __future__ import annotations

from dataclasses import replace

from capshare.codec import ZERO_BYTES32, arguments_codec, keccak
from capshare.events import Call, Executed, Proposed, Voted
from capshare.ledger import calldata, members
from capshare.ledger.commands import Execute, Propose, Vote
from capshare.ledger.core import (
    NO_REASON,
    Refused,
    Transaction,
    applies,
    carry_out,
    decides,
    require,
)
from capshare.ledger.state import Proposal, State


def hash_of(calls: tuple[Call, ...]) -> bytes:
    """Return the hash by which the council knows a proposal's calls."""
    return keccak(arguments_codec([tuple[Call, ...]]).encode([calls]))


def count(state: State, proposal: int) -> tuple[int, int]:
    """Return the votes in favour by those who hold a seat now, and the seats."""
    seats = members.council(state)
    return sum(state.support[proposal << 24 | member] for member in seats), len(seats)


@decides(Propose)
def _propose(tx: Transaction, command: Propose) -> None:
    proposer = _require_seat(tx.state, command.sender)
    require(len(command.calls) != 0, "EmptyProposal")
    tx.emit(
        Proposed(
            proposal=tx.state.proposal_count + 1,
            proposer=proposer,
            calls=command.calls,
            reason=command.reason,
            deadline=tx.now + tx.state.parameters.proposal_life,
        )
    )


@decides(Vote)
def _vote(tx: Transaction, command: Vote) -> None:
    member = _require_seat(tx.state, command.sender)
    _require_pending(tx, command.proposal)
    tx.emit(Voted(proposal=command.proposal, member=member, support=command.support))


@decides(Execute)
def _execute(tx: Transaction, command: Execute) -> None:
    state, proposal = tx.state, command.proposal
    _require_pending(tx, proposal)
    expected, given = state.proposals[proposal].calls_hash, hash_of(command.calls)
    require(given == expected, "CallsDiffer", proposal, expected, given)
    yes, seats = count(state, proposal)
    require(yes * 2 > seats, "NotPassed", proposal, yes, seats)
    tx.emit(Executed(proposal=proposal, yes=yes, seats=seats))
    for index, call in enumerate(command.calls):
        try:
            _make(tx, call)
        except Refused as refused:
            raise Refused("CallFailed", index, calldata.encode_refusal(refused.refusal)) from None


def _make(tx: Transaction, call: Call) -> None:
    """Make a proposal's call, the council being the sender."""
    deployment = tx.state.deployment
    contract = deployment.contract_at(call.target)
    # Contracts outside the deployment are not modelled; a call of one changes nothing here.
    if contract is None:
        require(call.target == deployment.token, NO_REASON)
        return
    if calldata.is_view(contract, call.data):
        return
    command = calldata.decode(contract, call.data, deployment.council, tx.now)
    carry_out(tx, command)


def _require_seat(state: State, sender: bytes) -> int:
    member = state.member_of[sender]
    require(members.is_active(state, member, members.COUNCIL), "NotCouncil", sender)
    return member


def _require_pending(tx: Transaction, proposal: int) -> None:
    stored = tx.state.proposals[proposal]
    require(stored.calls_hash != ZERO_BYTES32, "UnknownProposal", proposal)
    require(not stored.executed, "AlreadyExecuted", proposal)
    require(tx.now <= stored.deadline, "ProposalLapsed", proposal, stored.deadline)


@applies(Proposed)
def _proposed(state: State, event: Proposed, now: int) -> None:
    state.proposal_count = event.proposal
    state.proposals[event.proposal] = Proposal(
        calls_hash=hash_of(event.calls), deadline=event.deadline
    )
    state.support[event.proposal << 24 | event.proposer] = True


@applies(Voted)
def _voted(state: State, event: Voted, now: int) -> None:
    state.support[event.proposal << 24 | event.member] = event.support


@applies(Executed)
def _executed(state: State, event: Executed, now: int) -> None:
    state.proposals[event.proposal] = replace(state.proposals[event.proposal], executed=True)
