"""Every question that a deployment's views can be asked, from what its log names.

Members, assets, batches and classes are asked about from 0 to one beyond the last, keys and hashes
as the log gives them, with neighbours that must be answered in the negative.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from capshare import artifacts
from capshare.events import (
    Event,
    MarketCleared,
    OffersPosted,
    OrdersMatched,
    OrdersReduced,
    RequestsPosted,
    TermsWords,
)
from capshare.ledger import views
from capshare.ledger.commands import Reference
from capshare.ledger.state import State
from capshare.market import commitment
from capshare.market.commitment import DealTerms

_SCOPES: Final = (1, 2, 4)
_24: Final = (1 << 24) - 1

#: A view's question: contract, function, arguments as the ledger's views take them.
Question = tuple[str, str, tuple[Any, ...]]


@dataclass(slots=True)
class History:
    """The state that a log folds to, and what of its past the views can be asked about."""

    state: State
    logs: int = 0
    commands: int = 0
    salts: list[tuple[int, int]] = field(default_factory=list)  # member, salt
    deals: dict[tuple[int, int], tuple[DealTerms, ...]] = field(default_factory=dict)
    roots: dict[tuple[int, int], bytes] = field(default_factory=dict)  # as MarketCleared has them

    def remember(self, event: Event) -> None:
        """Note what the state forgets of an event that was applied to it."""
        index_of = self.state.class_index
        match event:
            case OffersPosted() | RequestsPosted() | OrdersReduced():
                self.salts.append((event.member, event.salt))
            case MarketCleared():
                self.roots[index_of[event.class_], event.round] = event.root
            case OrdersMatched():
                key = index_of[event.class_], event.round
                self.deals[key] = new_deals(self.state, *key)


def new_deals(state: State, class_index: int, round_: int) -> tuple[DealTerms, ...]:
    """Return a clearing's deals, in order, from the state right after it."""
    deals: list[DealTerms] = []
    while (deal := state.deals[class_index << 48 | round_ << 16 | len(deals)]) is not None:
        deals.append(deal)
    return tuple(deals)


def questions(history: History) -> Iterator[Question]:
    """List every view with all arguments that the log gives it."""
    yield from _plain_questions()
    yield from _member_questions(history.state)
    yield from _asset_questions(history.state)
    yield from _book_questions(history)
    yield from _deal_questions(history)
    yield from _credit_questions(history.state)


def _plain_questions() -> Iterator[Question]:
    """List the views that take no argument, public constants among them."""
    for contract, twins in views.VIEWS.items():
        without = {
            entry["name"]
            for entry in artifacts.load(contract).abi
            if entry["type"] == "function" and not entry["inputs"]
        }
        for function in (*twins, *views.CONSTANTS[contract]):
            if function in without:
                yield contract, function, ()


def _member_questions(state: State) -> Iterator[Question]:
    for proposal in range(state.proposal_count + 2):
        yield "Council", "callsHash", (proposal,)
        yield "Council", "proposalOf", (proposal,)
        for member in state.seats:
            yield "Council", "hasSupport", (proposal, member)
    everyone = tuple(range(state.member_count + 2))
    registry = "MemberRegistry"
    yield registry, "areSuspended", (everyone,)
    for member in everyone:
        for function in ("getMember", "getMove", "groupOf", "accountOf", "isSuspended"):
            yield registry, function, (member,)
        yield registry, "arbitersOutside", (state.members[member].group, member)
        account = state.members[member].account
        yield registry, "memberByIdentity", (state.members[member].identity,)
        yield registry, "memberOf", (account,)
        for scope in _SCOPES:
            yield registry, "hasScope", (member, account, scope)
    for signer, stored in list(state.signers.entries()):
        yield registry, "getSigner", (signer,)
        yield registry, "memberOf", (signer,)
        for scope in _SCOPES:
            yield registry, "hasScope", (stored.member, signer, scope)
            yield registry, "hasScope", (stored.member + 1, signer, scope)


def _asset_questions(state: State) -> Iterator[Question]:
    registry = "AssetRegistry"
    for index in range(state.class_count + 2):
        code = state.classes[index].code
        yield registry, "getClass", (index,)
        yield registry, "indexOf", (code,)
        yield registry, "classOf", (code,)
    for asset in range(state.asset_count + 2):
        stored = state.assets[asset]
        yield registry, "getAsset", (asset,)
        yield registry, "covers", (asset, stored.attributes, stored.valid_until)
        yield registry, "covers", (asset, stored.attributes + 1, stored.valid_until)
        yield registry, "covers", (asset, stored.attributes, stored.valid_until + 1)
    for identity, _ in list(state.asset_by_identity.entries()):
        yield registry, "assetByIdentity", (identity,)
    for member in range(state.member_count + 2):
        yield registry, "assetsOf", (member,)
    for key in list(state.reserved):
        yield registry, "reservedOf", (key >> 24, key & _24)


def _book_questions(history: History) -> Iterator[Question]:
    state, book = history.state, "CapacityBook"
    numbers = tuple(range(state.batch_count + 2))
    for start in range(0, len(numbers), 64):
        yield book, "load", (numbers[start : start + 64],)
    for number in numbers:
        yield book, "batchOf", (number,)
        if number:  # a contract creates its first with nonce 1
            yield book, "pointerOf", (number,)
        for index in range((state.batches[number] >> 221 & 0x7F) + 1):
            yield book, "orderOf", (number << 6 | index,)
    for index in range(state.class_count + 2):
        yield book, "marketOf", (index,)
    for key in list(state.held_orders):
        yield book, "heldBy", (key >> 24, key & _24)
    for member in range(state.member_count + 2):
        yield book, "liveOrders", (member,)
    for member, salt in history.salts:
        yield book, "isSaltUsed", (member, salt)
        yield book, "isSaltUsed", (member + 1, salt)


def _deal_questions(history: History) -> Iterator[Question]:
    for (class_index, round_), deals in history.deals.items():
        yield "Deals", "rootOf", (class_index, round_)
        yield "Deals", "rootOf", (class_index, round_ + 1)
        leaves = [deal.leaf() for deal in deals]
        for index, deal in enumerate(deals):
            proof = commitment.proof(leaves, index)
            yield "Deals", "progressOf", (deal.id,)
            word0, word1, word2 = deal.words()
            terms = TermsWords(word0=word0, word1=word1, word2=word2)
            yield "Deals", "isProven", (Reference(terms=terms, proof=proof),)
            if proof:
                yield "Deals", "isProven", (Reference(terms=terms, proof=proof[1:]),)


def _credit_questions(state: State) -> Iterator[Question]:
    for member in range(state.member_count + 2):
        yield "Vault", "balanceOf", (member,)
        for function in ("bandOf", "creditOf", "recordOf", "openValueOf"):
            yield "CreditLedger", function, (member,)
    for key, _ in list(state.added.entries()):
        yield "CreditLedger", "addedBy", (key >> 24, key & _24)
        yield "CreditLedger", "addedBy", (key & _24, key >> 24)
