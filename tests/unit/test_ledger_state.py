"""The ledger as a whole: layers, calldata, storage, views, conservation, and folding a log."""

from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capshare import artifacts, ledger
from capshare.codec import keccak
from capshare.errors import Discrepancy, NotFound
from capshare.events import EVENTS, Deposited, OffersPosted
from capshare.ledger import calldata, layout, registry_views, views
from capshare.ledger.calldata import COMMANDS, RESTRICTED, type_of
from capshare.ledger.commands import (
    Accept,
    Deliver,
    Deposit,
    Expire,
    Intrude,
    Post,
    Reduce,
    SetSigner,
    Vote,
)
from capshare.ledger.core import _APPLY, _DECIDE, Refusal, Refused
from capshare.ledger.table import Table
from tests.unit.ledger_play import (
    CONSUMER,
    DEPLOYMENT,
    FIRST_SLOT,
    OTHER,
    PROVIDER,
    Play,
    S,
    address,
    offer,
    request,
)

# -- tables --------------------------------------------------------------------------------------

keys = st.integers(0, 3)
writes = st.lists(st.tuples(st.sampled_from(["base", "layer", "top"]), keys, st.integers(0, 2)))


@given(st.lists(st.tuples(keys, st.integers(0, 2))), st.lists(st.tuples(keys, st.integers(0, 2))))
def test_layer_reads_through_and_leaves_its_base_alone(below: list, above: list) -> None:
    base: Table[int, int] = Table(0)
    expected: dict[int, int] = {}
    for key, value in below:
        base[key] = value
        expected[key] = value
    before = dict(base.entries())
    layer = base.layer().layer()
    for key, value in above:
        if value:
            layer[key] = value
        else:
            layer.drop(key)
        expected[key] = value
    assert {key: layer[key] for key in range(4)} == {key: expected.get(key, 0) for key in range(4)}
    assert dict(layer.entries()) == {k: v for k, v in expected.items() if v}
    assert dict(base.entries()) == before


def test_decide_leaves_the_state_as_it_is() -> None:
    play = Play()
    play.open_market()
    before = ledger.storage_words(play.state)
    decided = play.decide(Post, PROVIDER, batches=(play.batch(PROVIDER, offer()),))
    assert isinstance(decided, tuple)
    assert ledger.storage_words(play.state) == before


# -- completeness --------------------------------------------------------------------------------


def functions(contract: str, *kinds: str) -> dict[str, Any]:
    return {
        entry["name"]: entry
        for entry in artifacts.load(contract).abi
        if entry["type"] == "function" and entry["stateMutability"] in kinds
    }


@pytest.mark.parametrize("contract", ledger.CONTRACTS)
def test_every_function_that_changes_state_is_a_command(contract: str) -> None:
    declared = functions(contract, "nonpayable", "payable")
    ours = {name for c, name in (*COMMANDS, *RESTRICTED) if c == contract}
    assert set(declared) == ours
    for (owner, name), class_ in COMMANDS.items():
        if owner == contract:
            types = ",".join(type_of(parameter) for parameter in declared[name]["inputs"])
            assert calldata.signature_of(class_) == f"{name}({types})"


@pytest.mark.parametrize("contract", ledger.CONTRACTS)
def test_every_view_has_a_twin(contract: str) -> None:
    # These answer with an error or nothing, or tell the EIP-712 domain.
    known = {"requireScope", "requireActive", "requireAccount", "eip712Domain"}
    twins = {*views.VIEWS.get(contract, ()), *views.CONSTANTS.get(contract, ())}
    assert set(functions(contract, "view", "pure")) - known == twins


def test_every_event_and_command_has_its_function() -> None:
    assert set(_APPLY) == set(EVENTS.values())
    assert set(_DECIDE) == {*COMMANDS.values(), Intrude}


def test_every_error_that_the_ledger_raises_is_declared() -> None:
    sources = [path.read_text() for path in _ledger_files()]
    declared = {
        entry["name"]
        for contract in ledger.CONTRACTS
        for entry in artifacts.load(contract).abi
        if entry["type"] == "error"
    }
    # Errors that only libraries and constructors raise, or that cannot be reached.
    unreachable = {
        "BadParameter",
        "CodeNotWritten",
        "InsufficientLocked",
        "InvalidShortString",
        "ReentrancyGuardReentrantCall",
        "SafeERC20FailedOperation",
        "StringTooLong",
    }
    elsewhere = {name for name in declared if not any(f'"{name}"' in s for s in sources)}
    assert elsewhere == unreachable


def _ledger_files() -> list[Any]:
    from pathlib import Path

    root = Path(ledger.__file__).parent
    return [*root.glob("*.py"), *(root.parent / "market").glob("*.py")]


# -- calldata ------------------------------------------------------------------------------------


def test_command_survives_its_calldata() -> None:
    play = Play()
    play.open_market()
    for command in (
        Vote(sender=address(1), now=5, proposal=2**255, support=True),
        Post(
            sender=address(2),
            now=5,
            batches=(play.batch(PROVIDER, offer()), play.batch(CONSUMER, request(), request())),
        ),
        Reduce(sender=address(2), now=5, reductions=(play.reduction(PROVIDER, {64: 0}),)),
    ):
        data = calldata.encode(command)
        assert calldata.decode(command.CONTRACT, data, command.sender, 5) == command
        with pytest.raises(Refused):
            calldata.decode(command.CONTRACT, data + b"\0", command.sender, 5)
    with pytest.raises(Refused):
        calldata.decode("Vault", b"1234", address(1), 5)


def test_restricted_calls_survive_their_calldata() -> None:
    for contract, function in RESTRICTED:
        command = Intrude(sender=address(1), now=5, contract=contract, function=function)
        data = calldata.encode(command)
        assert calldata.contract_of(command) == contract
        assert calldata.decode(contract, data, address(1), 5) == command


def test_views_are_told_from_commands() -> None:
    selector = keccak(b"held()")[:4]
    assert calldata.is_view("Vault", selector)
    assert not calldata.is_view("Vault", calldata.encode(Expire(sender=b"", now=0, ids=())))


def test_refusals_survive_their_data() -> None:
    refusal = Refusal(name="NotSigner", values=(3, b"a" * 20, 1))
    assert calldata.decode_refusal(calldata.encode_refusal(refusal)) == refusal
    assert calldata.encode_refusal(Refusal(name="")) == b""
    assert str(refusal) == f"NotSigner(3, 0x{'61' * 20}, 1)"
    with pytest.raises(Discrepancy, match="0x31323334"):
        calldata.decode_refusal(b"1234")


# -- storage -------------------------------------------------------------------------------------

LAYOUT = {
    "storage": [
        {"label": "small", "slot": "0", "offset": 0, "type": "u8"},
        {"label": "flag", "slot": "0", "offset": 1, "type": "bool"},
        {"label": "list", "slot": "1", "offset": 0, "type": "list"},
        {"label": "map", "slot": "2", "offset": 0, "type": "map"},
        {"label": "text", "slot": "3", "offset": 0, "type": "text"},
    ],
    "types": {
        "u8": {"encoding": "inplace", "numberOfBytes": "1"},
        "u24": {"encoding": "inplace", "numberOfBytes": "3"},
        "u256": {"encoding": "inplace", "numberOfBytes": "32"},
        "bool": {"encoding": "inplace", "numberOfBytes": "1"},
        "address": {"encoding": "inplace", "numberOfBytes": "20"},
        "text": {"encoding": "bytes", "numberOfBytes": "32"},
        "list": {"encoding": "dynamic_array", "numberOfBytes": "32", "base": "u24"},
        "map": {"encoding": "mapping", "numberOfBytes": "32", "key": "address", "value": "pair"},
        "pair": {
            "encoding": "inplace",
            "numberOfBytes": "64",
            "members": [
                {"label": "validUntil", "slot": "0", "offset": 0, "type": "u24"},
                {"label": "who", "slot": "0", "offset": 3, "type": "address"},
                {"label": "amount", "slot": "1", "offset": 0, "type": "u256"},
            ],
        },
    },
}


def test_layout_packs_as_solidity_does() -> None:
    pair = {"validUntil": 7, "who": b"\1" * 20, "amount": 9}
    values = {
        "small": 5,
        "flag": True,
        "list": list(range(1, 12)),
        "map": {b"\2" * 20: pair},
        "text": "abc",
    }
    words = layout.encode(LAYOUT, values)
    first = int.from_bytes(keccak((1).to_bytes(32, "big")), "big")
    place = keccak((b"\2" * 20).rjust(32, b"\0") + (2).to_bytes(32, "big"))
    entry = int.from_bytes(place, "big")
    assert words == {
        0: 0x0105,
        1: 11,
        first: sum(n << 24 * (n - 1) for n in range(1, 11)),
        first + 1: 11,
        entry: int.from_bytes(b"\1" * 20, "big") << 24 | 7,
        entry + 1: 9,
        3: int.from_bytes(b"abc".ljust(32, b"\0"), "big") | 6,
    }


def test_layout_needs_a_value_for_every_variable() -> None:
    with pytest.raises(KeyError, match="flag"):
        layout.encode(LAYOUT, {"small": 1})


@pytest.mark.parametrize("contract", ledger.CONTRACTS)
def test_storage_covers_the_contracts_layout(contract: str) -> None:
    words = ledger.storage_words(Play().state)[contract]
    fresh = {"Council", "AssetRegistry", "CapacityBook", "Clearing", "Deals", "CreditLedger"}
    assert bool(words) == (contract not in fresh)
    if contract == "Vault":
        assert words == {0: 1}  # the guard of its doors


def test_batch_code_is_a_stop_and_the_orders() -> None:
    play = Play()
    play.open_market()
    play.post(PROVIDER, offer())
    posted = next(e for e, _ in play.log if isinstance(e, OffersPosted))
    assert ledger.batch_code(play.state, 1) == b"\0" + posted.orders


# -- views, and the log --------------------------------------------------------------------------


def day() -> Play:
    """Return a market day: offers, requests, a clearing, a delivery, a contest."""
    play = Play()
    first = play.one_deal(10)
    play.post(OTHER, offer(asset=2, slot=FIRST_SLOT + 1))
    play.post(CONSUMER, request(last_slot=FIRST_SLOT + 1, quantity=4))
    play.do(SetSigner, PROVIDER, signer=address(60), scopes=7, limit=10**6)
    play.now = (FIRST_SLOT + 1) * S
    play.do(Deliver, address(60), deals=(first,), quantities=(9,), evidence=(bytes(32),))
    play.do(Accept, CONSUMER, deals=(first,), quantities=(7,), evidence=(bytes(32),))
    return play


def test_log_alone_folds_to_the_same_state() -> None:
    play = day()
    again = ledger.State(DEPLOYMENT)
    for event, now in play.log:
        ledger.apply(again, event, now)
    assert ledger.storage_words(again) == ledger.storage_words(play.state)
    assert dict(again.deals.entries()) == dict(play.state.deals.entries())


def test_fork_sees_its_own_changes_only() -> None:
    play = day()
    before = ledger.storage_words(play.state)
    fork = play.state.fork()
    ledger.apply(fork, Deposited(member=OTHER, from_=address(OTHER), amount=5), play.now)
    assert fork.held == play.state.held + 5
    assert ledger.storage_words(fork) != before
    assert ledger.storage_words(play.state) == before


def test_view_answers_by_the_contracts_names() -> None:
    play = day()
    state, now = play.state, play.now
    assert ledger.view(state, now, "Vault", "balanceOf", OTHER) == views.balance_of(state, OTHER)
    assert ledger.view(state, now, "CreditLedger", "bandOf", OTHER) == 0
    assert ledger.view(state, now, "Deals", "deliverWithin") == 150
    assert ledger.view(state, now, "Vault", "token") == DEPLOYMENT.token
    with pytest.raises(NotFound, match=r"Vault\.open"):
        ledger.view(state, now, "Vault", "open")


def test_answers_are_encoded_as_the_contract_returns_them() -> None:
    play = day()
    answer = registry_views.get_asset(play.state, 1)
    data = views.encode("AssetRegistry", "getAsset", answer)
    assert [int.from_bytes(data[at : at + 32]) for at in range(0, len(data), 32)] == [
        getattr(answer, field.name) for field in fields(answer)
    ]


# -- conservation --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spoil", "rule", "subject"),
    [
        (lambda s: s.locked.update({PROVIDER: 1}), "I1", f"locked of member {PROVIDER}"),
        (lambda s: s.deposited.update({OTHER: 1}), "I1", "deposits - withdrawals"),
        (lambda s: s.free.update({OTHER: -1}), "I2", f"free of member {OTHER}"),
        (lambda s: s.reserved.update({1 << 24 | 5: 1}), "I4", "reserved of asset 1 in slot 5"),
        (lambda s: s.deals.clear(), "I1", f"locked of member {CONSUMER}"),
        (lambda s: s.left.update({64: 3}), None, ""),  # of an order that is gone
    ],
)
def test_conservation_finds_what_is_spoiled(spoil, rule: str | None, subject: str) -> None:
    play = day()
    assert ledger.check_conservation(play.state) == []
    spoil(play.state)
    found = ledger.check_conservation(play.state)
    assert (rule, subject) in [(f.rule, f.subject) for f in found] or (rule is None and not found)


def test_deposit_is_no_imbalance() -> None:
    play = Play()
    play.do(Deposit, OTHER, member=OTHER, amount=5)
    assert ledger.check_conservation(play.state) == []
