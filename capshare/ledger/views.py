"""The contracts' views as functions of the state, under their names in snake case.

What depends on the time takes `now` last. `view` calls one by the contract's name for it. Those of
the registries are in `registry_views`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import rlp
from eth_abi.abi import encode as encode_abi

from capshare import artifacts
from capshare.codec import keccak
from capshare.errors import NotFound
from capshare.ledger import batches, book, credit, proofs
from capshare.ledger import registry_views as registry
from capshare.ledger.calldata import type_of
from capshare.ledger.commands import Reference
from capshare.ledger.state import Market, Progress, Record, State

# -- CapacityBook --------------------------------------------------------------------------------


def load(state: State, numbers: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return batches' state words, and what remains of their live partly filled orders."""
    words = tuple(state.batches[number] for number in numbers)
    left = [
        state.left[number << 6 | index]
        for number, word in zip(numbers, words, strict=True)
        for index in range(64)
        if word >> 64 + index & 1 and not word >> index & 1
    ]
    return words, tuple(left)


def market_of(state: State, class_index: int) -> Market:
    """Return the counts of a market."""
    return state.markets[class_index]


def is_paused(state: State) -> bool:
    """Tell whether the council has paused new orders and clearings."""
    return state.paused


def pointer_of(state: State, batch: int) -> bytes:
    """Return the address of the contract whose code is the batch's orders."""
    return keccak(rlp.encode([state.deployment.book, batch]))[12:]


def batch_of(state: State, batch: int) -> tuple[int, bytes]:
    """Return a batch's state word and packed orders."""
    return state.batches[batch], state.orders[batch]


def order_of(state: State, order: int) -> tuple[int, int]:
    """Return an order's packed terms and what remains of it (0: gone or unknown)."""
    batch = state.batches[order >> 6]
    if order & 63 >= batch >> 221 & 0x7F:
        return 0, 0
    is_live = batches.is_live(batch, order & 63)
    return batches.word_of(state, order), batches.left_of(state, order) if is_live else 0


def is_salt_used(state: State, member: int, salt: int) -> bool:
    """Tell whether a member used a salt."""
    return book.is_salt_used(state, member, salt)


def held_by(state: State, class_index: int, group: int) -> tuple[int, int]:
    """Return the live offers and requests of an owner group in a market."""
    counts = state.held_orders[class_index << 24 | group]
    return counts & 0xFFFF, counts >> 16


def live_orders(state: State, member: int) -> int:
    """Count a member's live orders in all markets."""
    return state.live[member]


def batch_count(state: State) -> int:
    """Count the batches."""
    return state.batch_count


def parameters(state: State) -> tuple[int, int, int]:
    """Return R, W and the horizon [s]."""
    given = state.parameters
    return given.round, given.lock, given.horizon


# -- Clearing, Deals, Vault, CreditLedger ---------------------------------------------------------


def bond_rates(state: State) -> int:
    """Return the bands' bond rates in one word: 16 bits each, band 0 lowest [1/10,000]."""
    return sum(rate << 16 * band for band, rate in enumerate(state.parameters.bond_rates))


def root_of(state: State, class_index: int, round_: int) -> bytes:
    """Return the root over a clearing's deals."""
    return state.roots[class_index << 32 | round_]


def progress_of(state: State, deal: int) -> Progress:
    """Return what is stored of a deal."""
    return state.progress[deal]


def is_proven(state: State, reference: Reference) -> bool:
    """Tell whether the terms are a committed deal."""
    return proofs.is_proven(state, reference)


def balance_of(state: State, member: int) -> tuple[int, int]:
    """Return a member's free and locked money [token base units]."""
    return state.free[member], state.locked[member]


def held(state: State) -> int:
    """Return what the vault owes in all [token base units]."""
    return state.held


def band_of(state: State, member: int, now: int) -> int:
    """Return a member's credit band."""
    return credit.band_of(state, member, now)


def credit_of(state: State, member: int, now: int) -> tuple[int, int]:
    """Return a member's good and bad, decayed to now [token base units]."""
    return credit.credit_of(state, member, now)


def record_of(state: State, member: int) -> Record:
    """Return what is stored of a member's credit."""
    return state.records[member]


def added_by(state: State, member: int, group: int, now: int) -> int:
    """Return what an owner group added to a member's good, decayed to now."""
    return credit.added_by(state, member, group, now)


def open_value_of(state: State, member: int) -> int:
    """Return a member's open value [token base units]."""
    return state.open_value[member]


# -- by the contracts' names ---------------------------------------------------------------------

_View = Callable[..., Any]

VIEWS: dict[str, dict[str, _View]] = {
    "Council": {
        "callsHash": registry.calls_hash,
        "proposalOf": registry.proposal_of,
        "hasSupport": registry.has_support,
        "proposalCount": registry.proposal_count,
    },
    "MemberRegistry": {
        "hasScope": registry.has_scope,
        "memberOf": registry.member_of,
        "memberByIdentity": registry.member_by_identity,
        "getMember": registry.get_member,
        "getSigner": registry.get_signer,
        "getMove": registry.get_move,
        "groupOf": registry.group_of,
        "accountOf": registry.account_of,
        "isSuspended": registry.is_suspended,
        "areSuspended": registry.are_suspended,
        "council": registry.council_members,
        "arbitersOutside": registry.arbiters_outside,
        "getValidators": registry.get_validators,
        "memberCount": registry.member_count,
    },
    "AssetRegistry": {
        "indexOf": registry.index_of,
        "getClass": registry.get_class,
        "classOf": registry.class_of,
        "getAsset": registry.get_asset,
        "assetByIdentity": registry.asset_by_identity,
        "assetsOf": registry.assets_of,
        "reservedOf": registry.reserved_of,
        "covers": registry.covers,
        "classCount": registry.class_count,
        "assetCount": registry.asset_count,
    },
    "CapacityBook": {
        "load": load,
        "marketOf": market_of,
        "isPaused": is_paused,
        "pointerOf": pointer_of,
        "batchOf": batch_of,
        "orderOf": order_of,
        "isSaltUsed": is_salt_used,
        "heldBy": held_by,
        "liveOrders": live_orders,
        "batchCount": batch_count,
        "parameters": parameters,
    },
    "Clearing": {"bondRates": bond_rates},
    "Deals": {"rootOf": root_of, "progressOf": progress_of, "isProven": is_proven},
    "Vault": {"balanceOf": balance_of, "held": held},
    "CreditLedger": {
        "bandOf": band_of,
        "creditOf": credit_of,
        "recordOf": record_of,
        "addedBy": added_by,
        "openValueOf": open_value_of,
    },
}


#: Public immutables by contract and name: addresses of the deployment, and parameters.
CONSTANTS: dict[str, dict[str, str]] = {
    "Council": {"members": "members", "proposalLife": "proposal_life"},
    "MemberRegistry": {
        "councilContract": "council",
        "book": "book",
        "moveDelay": "move_delay",
    },
    "AssetRegistry": {name: name for name in ("council", "members", "book", "deals")},
    "CapacityBook": {
        name: name for name in ("council", "members", "assets", "clearing", "vault", "credit")
    },
    "Clearing": {
        **{name: name for name in ("members", "assets", "book", "deals", "vault", "credit")},
        "roundLength": "round",
    },
    "Deals": {
        **{name: name for name in ("members", "assets", "clearing", "vault", "credit")},
        "deliverWithin": "deliver_within",
        "acceptWithin": "accept_within",
        "answerWithin": "answer_within",
        "ruleWithin": "rule_within",
        "disputeRate": "dispute_rate",
    },
    "Vault": {name: name for name in ("members", "token", "book", "clearing", "deals")},
    "CreditLedger": {
        **{name: name for name in ("members", "book", "clearing", "deals")},
        "goodHalfLife": "good_half_life",
        "badHalfLife": "bad_half_life",
        "counterpartyCap": "counterparty_cap",
        "newcomerCap": "newcomer_cap",
    },
}


def view(state: State, now: int, contract: str, function: str, *arguments: Any) -> Any:
    """Return what a contract's view answers at a time; raise NotFound for one without a twin."""
    constant = CONSTANTS.get(contract, {}).get(function)
    if constant is not None:
        holder = state.deployment if hasattr(state.deployment, constant) else state.parameters
        return getattr(holder, constant)
    found = VIEWS.get(contract, {}).get(function)
    if found is None:
        raise NotFound(f"{contract}.{function} is no view of the ledger")
    timed = {"now": now} if "now" in inspect.signature(found).parameters else {}
    return found(state, *arguments, **timed)


def encode(contract: str, function: str, answer: Any) -> bytes:
    """Return an answer of `view` as the contract returns it."""
    outputs = next(
        entry["outputs"]
        for entry in artifacts.load(contract).abi
        if entry["type"] == "function" and entry["name"] == function
    )
    values = [answer] if len(outputs) == 1 else answer
    return encode_abi([type_of(output) for output in outputs], [_plain(v) for v in values])


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return tuple(_plain(getattr(value, field.name)) for field in fields(value))
    return tuple(_plain(item) for item in value) if isinstance(value, tuple) else value
