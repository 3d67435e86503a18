"""Council: proposing, voting, executing."""

from __future__ import annotations

from eth_abi import encode
from eth_utils import keccak

COUNCILLOR, SECOND, THIRD, PROVIDER = 1, 2, 3, 4


def suspend_call(system, member=PROVIDER):
    return (system.members.address, system.members.suspend.encode_input(member))


def hash_of(calls):
    pairs = [(target, bytes(data)) for target, data in calls]
    return keccak(encode(["(address,bytes)[]"], [pairs]))


def test_propose_emits_calls_and_votes_for_proposer(stage, councillor):
    calls = [suspend_call(stage)]
    receipt = stage.council.propose(calls, "late three times", sender=councillor)
    number = stage.council.proposalCount()
    deadline = receipt.timestamp + 3_600
    assert stage.emitted(receipt) == [
        stage.event(
            "council",
            "Proposed",
            proposal=number,
            proposer=COUNCILLOR,
            calls=calls,
            reason="late three times",
            deadline=deadline,
        )
    ]
    assert stage.council.callsHash(number) == hash_of(calls)
    assert tuple(stage.council.proposalOf(number)) == (deadline, False, 1, 3)
    assert stage.council.hasSupport(number, COUNCILLOR)
    assert not stage.council.hasSupport(number, SECOND)


def test_propose_reverts_for_trader_outsider_and_suspended(
    stage, reverts, provider, outsider, suspended_member
):
    for sender in (provider, outsider, suspended_member):
        with reverts(stage.council.NotCouncil, sender=sender):
            stage.council.propose([suspend_call(stage)], "", sender=sender)


def test_propose_reverts_without_calls(stage, reverts, councillor):
    with reverts(stage.council.EmptyProposal):
        stage.council.propose([], "", sender=councillor)


def test_vote_counts_last_vote_of_member(stage, people, councillor):
    stage.council.propose([suspend_call(stage)], "", sender=councillor)
    number = stage.council.proposalCount()
    for support, yes in ((True, 2), (False, 1), (True, 2)):
        receipt = stage.council.vote(number, support, sender=people["second_councillor"])
        assert stage.emitted(receipt) == [
            stage.event("council", "Voted", proposal=number, member=SECOND, support=support)
        ]
        assert stage.council.proposalOf(number).yes == yes


def test_vote_reverts_for_outsider_and_suspended(
    stage, reverts, councillor, outsider, suspended_member
):
    stage.council.propose([suspend_call(stage)], "", sender=councillor)
    for sender in (outsider, suspended_member):
        with reverts(stage.council.NotCouncil, sender=sender):
            stage.council.vote(stage.council.proposalCount(), True, sender=sender)


def test_vote_reverts_for_unknown_proposal(stage, reverts, councillor):
    unknown = stage.council.proposalCount() + 1
    with reverts(stage.council.UnknownProposal, proposal=unknown):
        stage.council.vote(unknown, True, sender=councillor)


def test_vote_is_taken_in_last_second_and_refused_after(stage, reverts, people, councillor):
    receipt = stage.council.propose([suspend_call(stage)], "", sender=councillor)
    number, deadline = stage.council.proposalCount(), receipt.timestamp + 3_600
    stage.at(deadline)
    stage.council.vote(number, True, sender=people["second_councillor"])
    stage.at(deadline + 1)
    with reverts(stage.council.ProposalLapsed, proposal=number, deadline=deadline):
        stage.council.vote(number, True, sender=people["third_councillor"])


def test_execute_carries_out_all_calls_in_order(stage, outsider):
    number, calls = stage.propose(
        (stage.members, stage.members.suspend.encode_input(PROVIDER)),
        (stage.members, stage.members.reinstate.encode_input(PROVIDER)),
    )
    receipt = stage.council.execute(number, calls, sender=outsider)
    assert stage.emitted(receipt) == [
        stage.event("council", "Executed", proposal=number, yes=2, seats=3),
        stage.event("members", "MemberSuspended", member=PROVIDER),
        stage.event("members", "MemberReinstated", member=PROVIDER),
    ]
    assert stage.council.proposalOf(number).executed


def test_execute_reverts_for_unknown_proposal(stage, reverts, outsider):
    unknown = stage.council.proposalCount() + 1
    with reverts(stage.council.UnknownProposal, proposal=unknown):
        stage.council.execute(unknown, [suspend_call(stage)], sender=outsider)


def test_execute_reverts_a_second_time_and_closes_the_vote(stage, reverts, councillor, outsider):
    number, calls = stage.propose((stage.members, stage.members.suspend.encode_input(PROVIDER)))
    stage.council.execute(number, calls, sender=outsider)
    with reverts(stage.council.AlreadyExecuted, proposal=number):
        stage.council.execute(number, calls, sender=outsider)
    with reverts(stage.council.AlreadyExecuted, proposal=number):
        stage.council.vote(number, False, sender=councillor)


def test_execute_reverts_after_deadline(stage, reverts, outsider):
    number, calls = stage.propose((stage.members, stage.members.suspend.encode_input(PROVIDER)))
    deadline = stage.council.proposalOf(number).deadline
    stage.at(deadline + 1)
    with reverts(stage.council.ProposalLapsed, proposal=number, deadline=deadline):
        stage.council.execute(number, calls, sender=outsider)


def test_execute_reverts_for_other_calls(stage, reverts, outsider):
    number, calls = stage.propose((stage.members, stage.members.suspend.encode_input(PROVIDER)))
    other = [suspend_call(stage, member=5)]
    with reverts(
        stage.council.CallsDiffer, proposal=number, expected=hash_of(calls), given=hash_of(other)
    ):
        stage.council.execute(number, other, sender=outsider)


def test_execute_reverts_without_more_than_half(stage, reverts, councillor, outsider):
    calls = [suspend_call(stage)]
    stage.council.propose(calls, "", sender=councillor)
    number = stage.council.proposalCount()
    with reverts(stage.council.NotPassed, proposal=number, yes=1, seats=3):
        stage.council.execute(number, calls, sender=outsider)


def test_execute_does_not_count_vote_of_lost_seat(stage, reverts, people, outsider):
    number, calls = stage.propose((stage.members, stage.members.suspend.encode_input(PROVIDER)))
    other, removal = stage.propose((stage.members, stage.members.setRoles.encode_input(SECOND, 0)))
    stage.council.execute(other, removal, sender=outsider)
    with reverts(stage.council.NotPassed, proposal=number, yes=1, seats=2):
        stage.council.execute(number, calls, sender=outsider)
    stage.council.vote(number, True, sender=people["third_councillor"])
    stage.council.execute(number, calls, sender=outsider)
    assert stage.members.isSuspended(PROVIDER)


def test_execute_passes_failure_of_call_on(stage, reverts, outsider):
    number, calls = stage.propose(
        (stage.members, stage.members.suspend.encode_input(PROVIDER)),
        (stage.members, stage.members.suspend.encode_input(99)),
    )
    reason = keccak(text="UnknownMember(uint24)")[:4] + encode(["uint24"], [99])
    with reverts(stage.council.CallFailed, index=1, reason=reason):
        stage.council.execute(number, calls, sender=outsider)
    assert not stage.members.isSuspended(PROVIDER)
    assert not stage.council.proposalOf(number).executed


def test_execute_refuses_target_without_code(stage, reverts, councillor, outsider):
    number, calls = stage.propose((outsider, b""))
    with reverts(stage.council.CallFailed, index=0, reason=b""):
        stage.council.execute(number, calls, sender=councillor)


def test_founder_alone_proposes_and_executes_at_once(project, people, kit, councillor):
    founders = [kit.admission(councillor.address, roles=2)]
    contracts = kit.deploy(project, people, founders=founders, played=("CapacityBook", "Clearing"))
    council, members = contracts["council"], contracts["members"]
    calls = [(members.address, members.setRoles.encode_input(1, 3))]
    council.propose(calls, "", sender=councillor)
    council.execute(1, calls, sender=councillor)
    assert members.getMember(1).roles == 3
