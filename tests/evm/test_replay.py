"""The replay of a deployment's log: it agrees with an honest chain and sees every kind of lie."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from capshare import abi, artifacts
from capshare.chain import Chain, RawLog
from capshare.demo.play import Played, play
from capshare.demo.scenario import SMALL, choose
from capshare.demo.source import EmbeddedSource
from capshare.deployments import CONTRACTS
from capshare.devnet.provider import EmbeddedProvider
from capshare.events import (
    DealsCommitted,
    DealSettled,
    Locked,
    MarketCleared,
    OrdersMatched,
    topic_of,
)
from capshare.ledger import views
from capshare.questions import questions
from capshare.replay import Finding, Replay, fold, raw, replay, storage_root
from capshare.sources import Sent, Source

pytestmark = pytest.mark.slow

# Answers of `requireX` are reverts; `hasScope` and each transaction ask the same rules.
WITHOUT_ANSWER = {"requireScope", "requireActive", "requireAccount"}
EIP712 = {"eip712Domain"}  # OpenZeppelin's; a signature under another domain would be refused


class Doctored:
    """A source that lies in one way: override what it should tell."""

    def __init__(self, truth: Source) -> None:
        self.truth = truth
        self.block = truth.block
        self.time = truth.time

    def logs(self, addresses: Sequence[str], first: int) -> Iterator[tuple[RawLog, int]]:
        yield from self.truth.logs(addresses, first)

    def sent(self, tx_hash: bytes) -> Sent:
        return self.truth.sent(tx_hash)

    def call(self, address: bytes, data: bytes) -> bytes:
        return self.truth.call(address, data)

    def code(self, address: bytes) -> bytes:
        return self.truth.code(address)

    def storage(self, address: bytes, slot: int) -> int:
        return self.truth.storage(address, slot)

    def storage_root(self, address: bytes) -> bytes | None:
        return self.truth.storage_root(address)


@pytest.fixture(scope="module")
def played() -> Played:
    return play(choose(2, SMALL))


@pytest.fixture(scope="module")
def truth(played: Played) -> EmbeddedSource:
    return EmbeddedSource(played.stage.chain)


@pytest.fixture
def doctored(truth: EmbeddedSource) -> Doctored:
    return Doctored(truth)


@pytest.fixture
def audit(played: Played) -> Callable[[Source], Replay]:
    return lambda source: replay(source, played.stage.book)


def rules_of(result: Replay) -> set[str]:
    return {finding.rule for finding in result.findings}


def change_logs(source: Doctored, change: Callable[[RawLog], RawLog | None]) -> None:
    """Let the source tell changed logs, or hide those whose change is None."""

    def logs(addresses: Sequence[str], first: int) -> Iterator[tuple[RawLog, int]]:
        for log, time in source.truth.logs(addresses, first):
            changed = change(log)
            if changed is not None:
                yield changed, time

    source.logs = logs  # type: ignore[method-assign]


def once(topic: bytes, change: Callable[[RawLog], RawLog | None]) -> Callable[[RawLog], Any]:
    """Change the first log of an event only."""
    left = [True]

    def changed(log: RawLog) -> RawLog | None:
        if left[0] and log.topics[0] == topic:
            left[0] = False
            return change(log)
        return log

    return changed


def test_replay_finds_nothing_on_an_honest_chain(
    played: Played, truth: EmbeddedSource, audit: Callable[[Source], Replay]
) -> None:
    result = audit(truth)
    assert result.findings == ()
    assert result.block == played.stage.chain.head.number
    assert result.logs == sum(1 for _ in truth.logs(list(played.stage.book.addresses.values()), 0))
    assert result.commands > 100
    assert result.views > 1_000
    assert result.words > 300
    assert result.roots == len(CONTRACTS)
    assert result.codes == played.stage.state.batch_count > 0
    assert result.clearings == len(played.floor.cleared) > 0


def test_replay_through_a_node_says_the_same(
    played: Played, truth: EmbeddedSource, audit: Callable[[Source], Replay]
) -> None:
    chain = Chain(EmbeddedProvider(played.stage.chain))
    assert replay(chain, played.stage.book) == audit(truth)


def test_every_view_of_every_contract_is_asked(played: Played, truth: EmbeddedSource) -> None:
    history, _ = fold(truth, played.stage.book)
    asked = {(contract, function) for contract, function, _ in questions(history)}
    for contract in CONTRACTS:
        for entry in artifacts.load(contract).abi:
            if entry["type"] != "function" or entry["stateMutability"] not in ("view", "pure"):
                continue
            name = entry["name"]
            if name not in WITHOUT_ANSWER | EIP712:
                assert (contract, name) in asked, f"{contract}.{name} is never asked"


def test_every_twin_of_a_view_is_asked(played: Played, truth: EmbeddedSource) -> None:
    history, _ = fold(truth, played.stage.book)
    asked = {(contract, function) for contract, function, _ in questions(history)}
    assert asked == {
        (contract, function)
        for twins in (views.VIEWS, views.CONSTANTS)
        for contract, functions in twins.items()
        for function in functions
    }


def test_views_are_asked_about_things_that_are_and_that_are_not(
    played: Played, truth: EmbeddedSource
) -> None:
    history, _ = fold(truth, played.stage.book)
    answers: dict[tuple[str, str], set[str]] = {}
    for contract, function, arguments in questions(history):
        answer = views.view(history.state, truth.time, contract, function, *arguments)
        answers.setdefault((contract, function), set()).add(str(answer))
    for view in (
        ("MemberRegistry", "hasScope"),
        ("MemberRegistry", "memberOf"),
        ("AssetRegistry", "covers"),
        ("AssetRegistry", "assetByIdentity"),
        ("CapacityBook", "orderOf"),
        ("CapacityBook", "isSaltUsed"),
        ("Deals", "isProven"),
        ("Deals", "progressOf"),
        ("CreditLedger", "bandOf"),
    ):
        assert len(answers[view]) > 1, view


def test_a_hidden_log_is_found(doctored: Doctored, audit: Callable[[Source], Replay]) -> None:
    change_logs(doctored, once(topic_of(Locked), lambda log: None))
    result = audit(doctored)
    assert {"rules", "view", "storage", "I1"} <= rules_of(result)


def test_a_changed_log_is_found(doctored: Doctored, audit: Callable[[Source], Replay]) -> None:
    """One base unit more was locked, says the log."""
    change_logs(
        doctored,
        once(
            topic_of(Locked),
            lambda log: replace(
                log, data=(int.from_bytes(log.data, "big") + 1).to_bytes(32, "big")
            ),
        ),
    )
    result = audit(doctored)
    assert {"rules", "view", "storage"} <= rules_of(result)


def test_a_log_that_no_contract_writes_is_found(
    doctored: Doctored, audit: Callable[[Source], Replay]
) -> None:
    change_logs(
        doctored,
        once(topic_of(DealSettled), lambda log: replace(log, data=log.data + bytes(32))),
    )
    result = audit(doctored)
    assert {"log", "rules"} <= rules_of(result)
    found = next(finding for finding in result.findings if finding.rule == "log")
    assert found.where.startswith("block ")


def test_a_transaction_that_the_rules_refuse_is_found(
    doctored: Doctored, audit: Callable[[Source], Replay]
) -> None:
    """The chain lets somebody else vote with a council member's key, say."""
    stranger = bytes(19) + b"\x01"
    doctored.sent = lambda tx: replace(doctored.truth.sent(tx), sender=stranger)  # type: ignore[method-assign]
    result = audit(doctored)
    assert rules_of(result) == {"rules"}
    assert any("NotCouncil(" in finding.expected for finding in result.findings)
    assert any("NotSigner(" in finding.expected for finding in result.findings)


def test_wrong_roots_over_deals_are_found(
    doctored: Doctored, audit: Callable[[Source], Replay]
) -> None:
    def other_root(log: RawLog) -> RawLog:
        return replace(log, data=bytes([log.data[0] ^ 1]) + log.data[1:])

    change_logs(doctored, once(topic_of(MarketCleared), other_root))
    cleared = audit(doctored)
    change_logs(doctored, once(topic_of(DealsCommitted), other_root))
    committed = audit(doctored)
    for result, what in ((cleared, "cleared"), (committed, "committed")):
        assert next(f.where for f in result.findings if f.rule == "root").endswith(what)


def test_an_invented_fill_is_found(doctored: Doctored, audit: Callable[[Source], Replay]) -> None:
    """The first fill of a clearing is one unit larger in the log."""

    def larger(log: RawLog) -> RawLog:
        first = int.from_bytes(log.data[64:96], "big") + (1 << 72)
        return replace(log, data=log.data[:64] + first.to_bytes(32, "big") + log.data[96:])

    change_logs(doctored, once(topic_of(OrdersMatched), larger))
    assert {"rules", "root", "view", "storage"} <= rules_of(audit(doctored))


def test_a_wrong_view_is_found_with_its_question_and_answers(
    played: Played, doctored: Doctored, audit: Callable[[Source], Replay]
) -> None:
    wanted = abi.encode_call("Vault", "held")
    vault = raw(played.stage.book.address("Vault"))

    def call(address: bytes, data: bytes) -> bytes:
        if (address, data) == (vault, wanted):
            return (7).to_bytes(32, "big")
        return doctored.truth.call(address, data)

    doctored.call = call  # type: ignore[method-assign]
    assert audit(doctored).findings == (
        Finding(rule="view", where="Vault.held()", expected="0", found="7"),
    )


def test_a_wrong_storage_word_is_found(
    played: Played, doctored: Doctored, audit: Callable[[Source], Replay]
) -> None:
    council = raw(played.stage.book.address("Council"))
    doctored.storage = lambda address, slot: (  # type: ignore[method-assign]
        doctored.truth.storage(address, slot) ^ (address == council)
    )
    found = audit(doctored).findings
    assert {finding.rule for finding in found} == {"storage"}
    assert all(finding.where.startswith("Council, slot 0x") for finding in found)


def test_a_storage_word_too_many_is_found(
    played: Played, doctored: Doctored, audit: Callable[[Source], Replay]
) -> None:
    clearing = raw(played.stage.book.address("Clearing"))
    doctored.storage_root = lambda address: (  # type: ignore[method-assign]
        storage_root({5: 1}) if address == clearing else doctored.truth.storage_root(address)
    )
    (found,) = audit(doctored).findings
    assert (found.rule, found.where) == ("storage", "Clearing, all of it")


def test_a_node_without_storage_roots_leaves_them_out(
    doctored: Doctored, audit: Callable[[Source], Replay]
) -> None:
    doctored.storage_root = lambda address: None  # type: ignore[method-assign]
    result = audit(doctored)
    assert (result.roots, result.findings) == (0, ())


def test_changed_orders_of_a_batch_are_found(
    doctored: Doctored, audit: Callable[[Source], Replay]
) -> None:
    doctored.code = lambda address: doctored.truth.code(address) + b"\0"  # type: ignore[method-assign]
    result = audit(doctored)
    assert len(result.findings) == result.codes
    assert rules_of(result) == {"code"}
