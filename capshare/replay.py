"""Replay a deployment's log through the ledger and compare the chain with what comes out.

The log alone rebuilds everything: each view's answer, each storage word, each batch's code, and the
root over the deals of each clearing; and the rules, asked about each transaction, must give the
very events that it logged. A difference is a finding that says where, what was expected and what
the chain has. Nothing is trusted but the log; that it is the chain's is for an audit of receipts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, fields, is_dataclass
from itertools import groupby, zip_longest
from typing import Any

import rlp
from eth_abi.exceptions import EncodingError

from capshare import abi
from capshare.chain import Chain
from capshare.codec import keccak
from capshare.deployments import CONTRACTS, AddressBook
from capshare.errors import Discrepancy
from capshare.events import Event, decode
from capshare.ledger import calldata, storage, views
from capshare.ledger.conservation import check_conservation
from capshare.ledger.core import Refusal, Refused, apply, decide
from capshare.ledger.state import Deployment, State
from capshare.market import commitment
from capshare.questions import History, Question, questions
from capshare.sources import NodeSource, Sent, Source

# What the ledger meets where a log contradicts itself: a quantity below zero, an order that is not.
_IMPOSSIBLE = (ArithmeticError, LookupError, ValueError, TypeError, AssertionError, EncodingError)

#: Shows a bar of that many steps while its block runs; gives the function that ends a step.
Progress = Callable[[str, int], AbstractContextManager[Callable[[], None]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Where the chain differs from what its log implies."""

    rule: str  # log, rules, view, storage, code, root, or an invariant: I1 …
    where: str
    expected: str  # by the log and the rules
    found: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What was compared at which block, and what differs: no finding is a good chain."""

    block: int
    logs: int
    commands: int  # transactions that the rules decided anew, with the same events
    views: int
    words: int
    roots: int  # of contracts' whole storage; 0 where the node gives none
    codes: int  # batches
    clearings: int  # whose root over the deals was rebuilt
    findings: tuple[Finding, ...]


def silent(text: str, total: int) -> AbstractContextManager[Callable[[], None]]:
    """Show no progress."""
    return nullcontext(lambda: None)


def replay(chain: Chain | Source, book: AddressBook, progress: Progress = silent) -> Replay:
    """Fold all logs of a deployment and compare every view and storage word with the chain.

    Views are asked about everything that the log ever named. Raise NetworkError where the node
    does not answer.
    """
    source = NodeSource(chain) if isinstance(chain, Chain) else chain
    history, findings = fold(source, book, progress)
    state = history.state
    findings += [
        Finding(rule=i.rule, where=i.subject, expected=str(i.expected), found=str(i.found))
        for i in check_conservation(state)
    ]
    findings += _roots(history)
    asked = list(questions(history))
    with progress("Views compared", len(asked)) as step:
        for question in asked:
            findings += _view(source, book, state, question)
            step()
    words = storage.storage_words(state)
    roots = 0
    with progress("Storage compared", len(CONTRACTS)) as step:
        for contract in CONTRACTS:
            address = raw(book.address(contract))
            findings += _words(source, address, contract, words[contract])
            root = source.storage_root(address)
            if root is not None:
                findings += _whole(contract, words[contract], root)
                roots += 1
            step()
    findings += _codes(source, state)
    return Replay(
        block=source.block,
        logs=history.logs,
        commands=history.commands,
        views=len(asked),
        words=sum(map(len, words.values())),
        roots=roots,
        codes=state.batch_count,
        clearings=len(history.roots),
        findings=tuple(findings),
    )


def fold(
    source: Source, book: AddressBook, progress: Progress = silent
) -> tuple[History, list[Finding]]:
    """Fold a deployment's logs in order, and let the rules decide each transaction anew.

    A log that no contract writes is a finding, and so is a transaction sent to a contract whose
    events are not those that the rules give its command in the state before it.
    """
    names = {raw(book.address(name)): name for name in CONTRACTS}
    history = History(state=State(deployment_of(book)))
    findings: list[Finding] = []
    logs = list(source.logs([book.address(name) for name in CONTRACTS], book.start_block))
    with progress("Log replayed", len(logs)) as step:
        for tx_hash, group in groupby(logs, key=lambda entry: entry[0].tx_hash):
            entries = list(group)
            block, time = entries[0][0].block, entries[0][1]
            events: list[Event] = []
            for log, _ in entries:
                history.logs += 1
                step()
                try:
                    events.append(decode(names[raw(log.address)], log.topics, log.data))
                except Discrepancy as error:
                    where = f"block {block}, log {log.log_index}"
                    found = error.message
                    findings.append(Finding(rule="log", where=where, expected="", found=found))
            sent = source.sent(tx_hash)
            contract = names.get(sent.to)
            if contract is not None:
                history.commands += 1
                decided = _decide(history.state, contract, sent, time)
                if decided != events:
                    where = f"block {block}, {contract}, transaction 0x{tx_hash.hex()}"
                    expected, found = _first_difference(decided, events)
                    findings.append(
                        Finding(rule="rules", where=where, expected=expected, found=found)
                    )
            for event in events:
                try:
                    apply(history.state, event, time)
                    history.remember(event)
                except _IMPOSSIBLE as error:
                    where = f"block {block}, {type(event).__name__}"
                    found = f"{event}: {type(error).__name__} {error}"
                    findings.append(Finding(rule="log", where=where, expected="", found=found))
    return history, findings


def _decide(state: State, contract: str, sent: Sent, now: int) -> list[Event] | Refusal:
    """Return the events that the rules give a transaction, or why they refuse it."""
    try:
        decided = decide(state, calldata.decode(contract, sent.data, sent.sender, now))
    except Refused as refused:
        return refused.refusal
    except _IMPOSSIBLE as error:
        return Refusal(name=type(error).__name__, values=(str(error),))
    return decided if isinstance(decided, Refusal) else list(decided)


def _first_difference(decided: list[Event] | Refusal, events: list[Event]) -> tuple[str, str]:
    """Return the first event that should be another one, and what it should be."""
    if isinstance(decided, Refusal):
        return str(decided), "; ".join(type(event).__name__ for event in events)
    for expected, found in zip_longest(decided, events):
        if expected != found:
            return str(expected or "no further event"), str(found or "no further event")
    return "", ""


def deployment_of(book: AddressBook) -> Deployment:
    """Return the addresses of a deployment as the ledger knows them."""
    council, members, assets, orders, clearing, deals, vault, credit = (
        raw(book.address(name)) for name in CONTRACTS
    )
    return Deployment(
        chain_id=book.chain_id,
        council=council,
        members=members,
        assets=assets,
        book=orders,
        clearing=clearing,
        deals=deals,
        vault=vault,
        credit=credit,
        token=raw(book.token),
    )


def raw(address: str) -> bytes:
    """Return an address's 20 bytes."""
    return bytes.fromhex(address.removeprefix("0x"))


# -- comparing -----------------------------------------------------------------------------------


def _view(source: Source, book: AddressBook, state: State, question: Question) -> Iterator[Finding]:
    contract, function, arguments = question
    given = [plain(argument) for argument in arguments]
    found = source.call(raw(book.address(contract)), abi.encode_call(contract, function, given))
    try:
        answer = views.view(state, source.time, contract, function, *arguments)
        expected = views.encode(contract, function, answer)
    except _IMPOSSIBLE as error:
        answer, expected = f"nothing: {error}", b""
    if found != expected:
        asked = ", ".join(map(_shown, given))
        yield Finding(
            rule="view",
            where=f"{contract}.{function}({asked})",
            expected=_shown(plain(answer)),
            found=_shown(found and abi.decode_result(contract, function, found)),
        )


def _words(
    source: Source, address: bytes, contract: str, words: dict[int, int]
) -> Iterator[Finding]:
    for slot, expected in words.items():
        found = source.storage(address, slot)
        if found != expected:
            yield Finding(
                rule="storage",
                where=f"{contract}, slot {slot:#x}",
                expected=f"{expected:#x}",
                found=f"{found:#x}",
            )


def _whole(contract: str, words: dict[int, int], found: bytes) -> Iterator[Finding]:
    """Compare the whole storage by its root: a word too many changes it, too."""
    expected = storage_root(words) if min(words.values(), default=0) >= 0 else b""
    if found != expected:
        yield Finding(
            rule="storage",
            where=f"{contract}, all of it",
            expected=f"root 0x{expected.hex()}",
            found=f"root 0x{found.hex()}",
        )


def storage_root(words: dict[int, int]) -> bytes:
    """Return the root of the trie in which a chain keeps storage words (yellow paper, 4.1)."""
    from trie import HexaryTrie

    tree = HexaryTrie({})
    for slot, word in words.items():
        tree[keccak(slot.to_bytes(32, "big"))] = rlp.encode(word)
    return bytes(tree.root_hash)


def _codes(source: Source, state: State) -> Iterator[Finding]:
    for number in range(1, state.batch_count + 1):
        expected = storage.batch_code(state, number)
        found = source.code(views.pointer_of(state, number))
        if found != expected:
            yield Finding(
                rule="code",
                where=f"batch {number}",
                expected=_shown(expected),
                found=_shown(found),
            )


def _roots(history: History) -> Iterator[Finding]:
    """Rebuild each clearing's root from its logged fills."""
    for key, logged in history.roots.items():
        expected = commitment.root([deal.leaf() for deal in history.deals.get(key, ())])
        committed = history.state.roots[key[0] << 32 | key[1]]
        for what, found in (("cleared", logged), ("committed", committed)):
            if found != expected:
                yield Finding(
                    rule="root",
                    where=f"class {key[0]}, round {key[1]}, as {what}",
                    expected=_shown(expected),
                    found=_shown(found),
                )


def plain(value: Any) -> Any:
    """Return an argument as the ABI's encoder takes it: structs as tuples."""
    if is_dataclass(value):
        return tuple(plain(getattr(value, field.name)) for field in fields(value))
    return tuple(map(plain, value)) if isinstance(value, tuple | list) else value


def _shown(value: Any) -> str:
    if isinstance(value, tuple | list):
        return "(" + ", ".join(map(_shown, value)) + ")"
    return "0x" + value.hex() if isinstance(value, bytes) else str(value)
