"""Every storage word of every contract, and the code of every batch, from the ledger's state."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from capshare import artifacts
from capshare.ledger import layout
from capshare.ledger.state import CONTRACTS, State

_24 = (1 << 24) - 1
_FALLBACKS = {"_nameFallback": "", "_versionFallback": ""}  # OpenZeppelin's EIP712; never written
_NOT_ENTERED = 1  # OpenZeppelin's ReentrancyGuard between two calls


def storage_words(state: State) -> dict[str, dict[int, int]]:
    """Return what each contract stores: contract to slot to word, words of zero left out."""
    return {
        name: layout.encode(artifacts.load(name).storage_layout, _VALUES[name](state))
        for name in CONTRACTS
    }


def batch_code(state: State, batch: int) -> bytes:
    """Return the code of a batch's contract: one STOP byte, then its packed orders."""
    return b"\0" + state.orders[batch]


def _council(state: State) -> Mapping[str, Any]:
    return {
        "_proposals": dict(state.proposals.entries()),
        "hasSupport": _nested((k >> 24, k & _24, v) for k, v in state.support.entries()),
        "proposalCount": state.proposal_count,
    }


def _members(state: State) -> Mapping[str, Any]:
    suspended: dict[int, int] = defaultdict(int)
    for member in state.suspended:
        suspended[member >> 8] |= 1 << (member & 0xFF)
    return {
        "_members": dict(state.members.entries()),
        "_signers": dict(state.signers.entries()),
        "_moves": dict(state.moves.entries()),
        "_suspended": {"_data": suspended},
        "memberOf": dict(state.member_of.entries()),
        "memberByIdentity": dict(state.member_by_identity.entries()),
        "_council": state.seats,
        "_arbiters": state.arbiters,
        "_validators": state.validators,
        "memberCount": state.member_count,
    }


def _assets(state: State) -> Mapping[str, Any]:
    reserved: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for key, quantity in state.reserved.entries():
        asset, slot = key >> 24, key & _24
        reserved[asset][slot >> 3] |= quantity << 32 * (slot & 7)
    return {
        "indexOf": dict(state.class_index.entries()),
        "_classes": dict(state.classes.entries()),
        "_assets": dict(state.assets.entries()),
        "assetByIdentity": dict(state.asset_by_identity.entries()),
        "assetsOf": dict(state.assets_of.entries()),
        "_reserved": reserved,
        "classCount": state.class_count,
        "assetCount": state.asset_count,
    }


def _book(state: State) -> Mapping[str, Any]:
    held: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for key, count in state.held_orders.entries():
        class_index, group = key >> 24, key & _24
        held[class_index][group >> 3] |= count << 32 * (group & 7)
    live: dict[int, int] = defaultdict(int)
    for member, count in state.live.entries():
        live[member >> 3] |= count << 32 * (member & 7)
    counts = {"markets": dict(state.markets.entries()), "held": held, "live": live}
    return {
        "_states": dict(state.batches.entries()),
        "_left": dict(state.left.entries()),
        "_counts": counts,
        "_salts": _nested(
            (k >> 248, k & (1 << 248) - 1, bits) for k, bits in state.salts.entries()
        ),
        "batchCount": state.batch_count,
        "isPaused": state.paused,
        **_FALLBACKS,
    }


def _deals(state: State) -> Mapping[str, Any]:
    return {
        "_progress": dict(state.progress.entries()),
        "rootOf": _nested((k >> 32, k & 0xFFFFFFFF, root) for k, root in state.roots.entries()),
        **_FALLBACKS,
    }


def _vault(state: State) -> Mapping[str, Any]:
    owners = {m for table in (state.free, state.locked) for m, _ in table.entries()}
    return {
        "_balances": {
            m: {"free": state.free[m], "locked": state.locked[m]} for m in sorted(owners)
        },
        "held": state.held,
        "_status": _NOT_ENTERED,
    }


def _credit(state: State) -> Mapping[str, Any]:
    return {
        "_records": dict(state.records.entries()),
        "_added": _nested((k >> 24, k & _24, added) for k, added in state.added.entries()),
        "openValueOf": dict(state.open_value.entries()),
    }


def _nested(triples: Iterable[tuple[int, int, Any]]) -> dict[int, dict[int, Any]]:
    found: dict[int, dict[int, Any]] = defaultdict(dict)
    for outer, inner, value in triples:
        found[outer][inner] = value
    return found


_VALUES = {
    "Council": _council,
    "MemberRegistry": _members,
    "AssetRegistry": _assets,
    "CapacityBook": _book,
    "Clearing": lambda state: {},
    "Deals": _deals,
    "Vault": _vault,
    "CreditLedger": _credit,
}
