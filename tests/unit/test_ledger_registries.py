"""The ledger's council, member registry and asset registry."""

from dataclasses import replace

import pytest

from capshare.codec import ZERO_ADDRESS
from capshare.events import (
    AccountMoved,
    Call,
    Executed,
    MemberAdmitted,
    MemberSuspended,
    Proposed,
    SignerSet,
)
from capshare.ledger import calldata, members
from capshare.ledger.commands import (
    Admit,
    Attest,
    CompleteMove,
    Execute,
    Intrude,
    ListClass,
    Post,
    Propose,
    RaiseCapacity,
    RegisterAsset,
    Reinstate,
    RetireClass,
    SetEncryptionKey,
    SetGroup,
    SetRoles,
    SetSigner,
    SetValidators,
    StartMove,
    Suspend,
    VetoMove,
    Vote,
)
from capshare.ledger.core import Refusal
from tests.unit.ledger_play import (
    ARBITER,
    ATTESTOR,
    CLASS,
    CODE,
    CONSUMER,
    COUNCIL,
    DEPLOYMENT,
    OTHER,
    PLAIN,
    PROVIDER,
    Play,
    address,
    admission,
    offer,
)

ALL = 7  # every scope
OUTSIDER = 99


@pytest.fixture
def play() -> Play:
    return Play()


def field_name(name: str) -> bytes:
    return name.encode().ljust(32, b"\0")


# -- Council -------------------------------------------------------------------------------------


def test_council_executes_what_passed(play: Play) -> None:
    calls = (play.call(Suspend, member=OTHER),)
    proposed = play.do(Propose, COUNCIL, calls=calls, reason="late")
    deadline = play.now + play.parameters.proposal_life
    assert proposed == [
        Proposed(proposal=1, proposer=COUNCIL, calls=calls, reason="late", deadline=deadline)
    ]
    events = play.do(Execute, PLAIN, proposal=1, calls=calls)
    assert events == [Executed(proposal=1, yes=1, seats=1), MemberSuspended(member=OTHER)]
    assert play.state.suspended == {OTHER}


def test_propose_refuses_outsiders_and_empty_lists(play: Play) -> None:
    call = play.call(Suspend, member=OTHER)
    assert play.refusal(Propose, PROVIDER, calls=(call,), reason="") == (
        "NotCouncil",
        address(PROVIDER),
    )
    assert play.refusal(Propose, COUNCIL, calls=(), reason="") == ("EmptyProposal",)


def test_execute_refuses_until_more_than_half_support(play: Play) -> None:
    play.by_council(SetRoles, member=PROVIDER, roles=3)
    calls = (play.call(Suspend, member=OTHER),)
    play.do(Propose, COUNCIL, calls=calls, reason="")
    assert play.refusal(Execute, PLAIN, proposal=1, calls=calls) == ("NotPassed", 1, 1, 2)
    play.do(Vote, PROVIDER, proposal=1, support=True)
    play.do(Execute, PLAIN, proposal=1, calls=calls)
    assert play.refusal(Execute, PLAIN, proposal=1, calls=calls) == ("AlreadyExecuted", 1)


def test_execute_refuses_unknown_lapsed_and_different_proposals(play: Play) -> None:
    calls = (play.call(Suspend, member=OTHER),)
    assert play.refusal(Execute, PLAIN, proposal=1, calls=calls) == ("UnknownProposal", 1)
    play.do(Propose, COUNCIL, calls=calls, reason="")
    other = (play.call(Suspend, member=PROVIDER),)
    name, *_ = play.refusal(Execute, PLAIN, proposal=1, calls=other)
    assert name == "CallsDiffer"
    play.now += play.parameters.proposal_life + 1
    deadline = play.now - 1
    assert play.refusal(Execute, PLAIN, proposal=1, calls=calls) == (
        "ProposalLapsed",
        1,
        deadline,
    )
    assert play.refusal(Vote, COUNCIL, proposal=1, support=True)[0] == "ProposalLapsed"


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (Call(target=DEPLOYMENT.members, data=b"\0\0\0\0"), b""),
        (Call(target=address(OUTSIDER), data=b""), b""),
        (
            Call(
                target=DEPLOYMENT.members,
                data=calldata.encode(Suspend(sender=b"", now=0, member=COUNCIL)),
            ),
            calldata.encode_refusal(Refusal(name="LastCouncilMember", values=(COUNCIL,))),
        ),
    ],
    ids=["unknown function", "no contract", "refused call"],
)
def test_execute_refuses_as_its_call_fails(play: Play, call: Call, reason: bytes) -> None:
    play.do(Propose, COUNCIL, calls=(call,), reason="")
    assert play.refusal(Execute, PLAIN, proposal=1, calls=(call,)) == ("CallFailed", 0, reason)


def test_execute_undoes_all_calls_when_one_fails(play: Play) -> None:
    calls = (play.call(Suspend, member=OTHER), play.call(Suspend, member=OTHER))
    play.do(Propose, COUNCIL, calls=calls, reason="")
    reason = calldata.encode_refusal(Refusal(name="AlreadySuspended", values=(OTHER,)))
    assert play.refusal(Execute, PLAIN, proposal=1, calls=calls) == ("CallFailed", 1, reason)
    assert play.state.suspended == frozenset()


# -- MemberRegistry ------------------------------------------------------------------------------


def test_admit_gives_the_next_id_and_a_group_of_its_own(play: Play) -> None:
    (event,) = play.by_council(Admit, admission=admission(20, 1))
    assert isinstance(event, MemberAdmitted)
    assert (event.member, play.state.members[event.member].group) == (8, 8)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"account": ZERO_ADDRESS}, ("ZeroAccount",)),
        ({"account": address(OTHER)}, ("AddressTaken", address(OTHER), OTHER)),
        ({"identity": bytes(32)}, ("ZeroIdentity",)),
        ({"identity": (2).to_bytes(32, "big")}, ("IdentityTaken", (2).to_bytes(32, "big"), 2)),
        ({"group": 9}, ("UnknownGroup", 9)),
        ({"roles": 64}, ("UnknownRoles", 64)),
    ],
)
def test_admit_refuses(play: Play, changes: dict, expected: tuple) -> None:
    given = admission(20, 1, **changes)
    assert play.council_refusal(Admit, admission=given) == expected


def test_admit_refuses_the_65th_arbiter_and_seat(play: Play) -> None:
    for number in range(63):
        play.by_council(Admit, admission=admission(100 + number, 2 | 8))
    arbiters = play.council_refusal(Admit, admission=admission(50, 8))
    seats = play.council_refusal(Admit, admission=admission(50, 2))
    assert (arbiters, seats) == (("TooManyArbiters", 64), ("TooManyCouncilMembers", 64))


def test_council_functions_refuse_everybody_else(play: Play) -> None:
    sender = address(COUNCIL)
    assert play.refusal(Suspend, COUNCIL, member=2) == ("NotCouncilCall", sender)
    assert play.refusal(RetireClass, COUNCIL, code=CODE) == ("NotCouncilCall", sender)


def test_lost_role_leaves_its_list_to_the_last_entry(play: Play) -> None:
    for member in (PROVIDER, CONSUMER, OTHER):
        play.by_council(SetRoles, member=member, roles=9)
    play.by_council(SetRoles, member=PROVIDER, roles=1)
    assert play.state.arbiters == (ARBITER, OTHER, CONSUMER)


def test_last_active_seat_stays(play: Play) -> None:
    assert play.council_refusal(SetRoles, member=COUNCIL, roles=0) == ("LastCouncilMember", 1)
    play.by_council(SetRoles, member=PROVIDER, roles=2)
    assert play.by_council(SetRoles, member=COUNCIL, roles=0)


def test_set_group_refuses_while_orders_live(play: Play) -> None:
    play.open_market()
    play.post(PROVIDER, offer())
    refused = play.council_refusal(SetGroup, member=PROVIDER, group=OTHER)
    assert refused == ("HasLiveOrders", PROVIDER, 1)
    assert play.council_refusal(SetGroup, member=PROVIDER, group=0) == ("UnknownGroup", 0)
    play.by_council(SetGroup, member=CONSUMER, group=OTHER)
    assert play.state.members[CONSUMER].group == OTHER


def test_suspension_is_refused_twice_and_undone(play: Play) -> None:
    assert play.council_refusal(Reinstate, member=OTHER) == ("NotSuspended", OTHER)
    play.by_council(Suspend, member=OTHER)
    assert play.council_refusal(Suspend, member=OTHER) == ("AlreadySuspended", OTHER)
    play.by_council(Reinstate, member=OTHER)
    assert play.state.suspended == frozenset()
    assert play.council_refusal(Suspend, member=44) == ("UnknownMember", 44)


def test_validators_are_never_empty_zero_or_double(play: Play) -> None:
    one, zero = address(1), ZERO_ADDRESS
    assert play.council_refusal(SetValidators, validators=()) == ("EmptyValidators",)
    assert play.council_refusal(SetValidators, validators=(one, zero)) == ("ZeroValidator", 1)
    refused = play.council_refusal(SetValidators, validators=(one, one))
    assert refused == ("DuplicateValidator", one)


def test_account_moves_after_the_delay(play: Play) -> None:
    play.by_council(StartMove, member=OTHER, account=address(50))
    due = play.now + play.parameters.move_delay
    assert play.refusal(CompleteMove, PLAIN, member=OTHER) == ("MoveNotDue", OTHER, due)
    play.now = due
    (event,) = play.do(CompleteMove, PLAIN, member=OTHER)
    assert event == AccountMoved(member=OTHER, from_=address(OTHER), to=address(50))
    assert play.state.member_of[address(OTHER)] == 0
    assert play.refusal(CompleteMove, PLAIN, member=OTHER) == ("NoMovePending", OTHER)


def test_account_move_is_vetoed_by_the_account_alone(play: Play) -> None:
    assert play.refusal(VetoMove, OTHER, member=OTHER) == ("NoMovePending", OTHER)
    play.by_council(StartMove, member=OTHER, account=address(50))
    refused = play.refusal(VetoMove, PROVIDER, member=OTHER)
    assert refused == ("NotAccount", address(PROVIDER))
    play.do(VetoMove, OTHER, member=OTHER)
    assert play.state.moves[OTHER].account == ZERO_ADDRESS


def test_signer_keeps_its_spending_when_changed_and_loses_it_when_removed(play: Play) -> None:
    play.open_market()
    signer = address(60)
    play.do(SetSigner, PROVIDER, signer=signer, scopes=ALL, limit=10_000)
    play.do(Post, signer, batches=(play.batch(PROVIDER, offer(quantity=10)),))
    assert play.state.signers[signer].spent == 10 * 6  # ceil(20 * 30 %)
    (event,) = play.do(SetSigner, PROVIDER, signer=signer, scopes=1, limit=100)
    assert event == SignerSet(member=PROVIDER, signer=signer, scopes=1, limit=100)
    assert play.state.signers[signer].spent == 60
    refused = play.refusal(Post, signer, batches=(play.batch(PROVIDER, offer(quantity=7)),))
    assert refused == ("LimitExceeded", signer, 42, 40)
    play.do(SetSigner, PROVIDER, signer=signer, scopes=0, limit=0)
    assert play.state.signers[signer].member == 0


@pytest.mark.parametrize(
    ("sender", "signer", "scopes", "expected"),
    [
        (OUTSIDER, address(60), 1, ("NotAccount", address(OUTSIDER))),
        (OTHER, ZERO_ADDRESS, 1, ("ZeroAccount",)),
        (OTHER, address(60), 8, ("UnknownScopes", 8)),
        (OTHER, address(PLAIN), 1, ("AddressTaken", address(PLAIN), PLAIN)),
        (OTHER, address(61), 1, ("AddressTaken", address(61), PROVIDER)),
    ],
)
def test_set_signer_refuses(
    play: Play, sender: int, signer: bytes, scopes: int, expected: tuple
) -> None:
    play.do(SetSigner, PROVIDER, signer=address(61), scopes=ALL, limit=0)
    assert play.refusal(SetSigner, sender, signer=signer, scopes=scopes, limit=1) == expected


def test_encryption_key_is_kept(play: Play) -> None:
    play.do(SetEncryptionKey, OTHER, key=b"k" * 32, valid_until=5)
    assert play.state.members[OTHER].encryption_key == b"k" * 32


def test_restricted_functions_refuse_everybody(play: Play) -> None:
    for (contract, function), name in calldata.RESTRICTED.items():
        refused = play.refusal(Intrude, COUNCIL, contract=contract, function=function)
        assert refused == (name, address(COUNCIL))


def test_arbiters_outside_leaves_both_groups_and_suspended_out(play: Play) -> None:
    for member in (PROVIDER, OTHER, PLAIN):
        play.by_council(SetRoles, member=member, roles=8)
    play.by_council(Suspend, member=PLAIN)
    arbiters = play.state.arbiters
    assert members.active_outside(play.state, arbiters, PROVIDER, CONSUMER) == (ARBITER, OTHER)


# -- AssetRegistry -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"slot_length": 119}, ("BadClass", field_name("slotLength"), 119)),
        ({"reference": 0}, ("BadClass", field_name("reference"), 0)),
        ({"lot": 0}, ("BadClass", field_name("lot"), 0)),
        ({"window": 0}, ("BadClass", field_name("window"), 0)),
        ({"book_size": 3}, ("BadClass", field_name("bookSize"), 3)),
        ({"book_size": 2_002}, ("BadClass", field_name("bookSize"), 2_002)),
        ({"retired": True}, ("BadClass", field_name("retired"), 1)),
        ({"book_size": 1_002, "mask": 2**64 - 1}, ("BookTooLarge", 251_001, 250_000)),
    ],
)
def test_list_class_refuses(play: Play, changes: dict, expected: tuple) -> None:
    terms = replace(CLASS, **changes)
    assert play.council_refusal(ListClass, class_=terms, name="", unit="") == expected


def test_class_is_listed_once_and_retired_once(play: Play) -> None:
    play.by_council(ListClass, class_=CLASS, name="", unit="")
    refused = play.council_refusal(ListClass, class_=CLASS, name="", unit="")
    assert refused == ("ClassTaken", CODE, 1)
    play.by_council(RetireClass, code=CODE)
    assert play.council_refusal(RetireClass, code=CODE) == ("ClassRetiredAlready", CODE)
    assert play.council_refusal(RetireClass, code=8) == ("UnknownClass", 8)


@pytest.mark.parametrize(
    ("sender", "changes", "expected"),
    [
        (OTHER, {}, ("NotSigner", PROVIDER, address(OTHER), 2)),
        (ARBITER, {"member": ARBITER}, ("MemberNotActive", ARBITER, 1)),
        (PROVIDER, {"code": 8}, ("UnknownClass", 8)),
        (PROVIDER, {"capacity": 0}, ("ZeroCapacity",)),
        (PROVIDER, {"identity": bytes(32)}, ("ZeroIdentity",)),
        (PROVIDER, {"identity": b"\2" * 32}, ("AssetIdentityTaken", b"\2" * 32, 1)),
    ],
)
def test_register_asset_refuses(play: Play, sender: int, changes: dict, expected: tuple) -> None:
    play.open_market()
    given = {"member": PROVIDER, "code": CODE, "capacity": 5, "identity": b"x" * 32, **changes}
    assert play.refusal(RegisterAsset, sender, **given) == expected


def test_capacity_only_rises(play: Play) -> None:
    play.open_market()
    refused = play.refusal(RaiseCapacity, PROVIDER, asset=1, capacity=100)
    assert refused == ("CapacityNotRaised", 1, 100, 100)
    assert play.refusal(RaiseCapacity, PROVIDER, asset=9, capacity=1) == ("UnknownAsset", 9)
    play.do(RaiseCapacity, PROVIDER, asset=1, capacity=101)
    assert play.state.assets[1].capacity == 101


def test_attest_is_an_active_attestors(play: Play) -> None:
    play.open_market()
    given = {"asset": 1, "attributes": 1, "valid_until": 9, "document": bytes(32)}
    assert play.refusal(Attest, PROVIDER, **given) == ("MemberNotActive", PROVIDER, 32)
    assert play.refusal(Attest, OUTSIDER, **given) == ("NotAccount", address(OUTSIDER))
    play.do(Attest, ATTESTOR, **given)
    assert play.state.assets[1].attributes == 1
