"""Views of Council, MemberRegistry and AssetRegistry as functions of the state."""

from __future__ import annotations

from collections.abc import Sequence

from capshare.ledger import assets, council, members
from capshare.ledger.state import Asset, Member, Move, Signer, State
from capshare.parameters import ClassTerms

# -- Council -------------------------------------------------------------------------------------


def calls_hash(state: State, proposal: int) -> bytes:
    """Return the hash of a proposal's calls; zero: none such."""
    return state.proposals[proposal].calls_hash


def proposal_of(state: State, proposal: int) -> tuple[int, bool, int, int]:
    """Return a proposal's deadline, whether it was executed, votes in favour, seats."""
    stored = state.proposals[proposal]
    return stored.deadline, stored.executed, *council.count(state, proposal)


def has_support(state: State, proposal: int, member: int) -> bool:
    """Tell whether the member's last vote supports the proposal."""
    return state.support[proposal << 24 | member]


def proposal_count(state: State) -> int:
    """Count the proposals."""
    return state.proposal_count


# -- MemberRegistry ------------------------------------------------------------------------------


def has_scope(state: State, member: int, signer: bytes, scope: int) -> bool:
    """Tell whether a key may act for a member in a scope."""
    return members.has_scope(state, member, signer, scope)


def member_of(state: State, account: bytes) -> int:
    """Return the member whose account it is; 0: nobody's."""
    return state.member_of[account]


def member_by_identity(state: State, identity: bytes) -> int:
    """Return the member with an identity; 0: none."""
    return state.member_by_identity[identity]


def get_member(state: State, member: int) -> Member:
    """Return what is stored of a member."""
    return state.members[member]


def get_signer(state: State, signer: bytes) -> Signer:
    """Return what is stored of a signer key."""
    return state.signers[signer]


def get_move(state: State, member: int) -> Move:
    """Return a pending move of a member's account."""
    return state.moves[member]


def group_of(state: State, member: int) -> int:
    """Return a member's owner group."""
    return state.members[member].group


def account_of(state: State, member: int) -> bytes:
    """Return a member's account."""
    return state.members[member].account


def is_suspended(state: State, member: int) -> bool:
    """Tell whether a member is suspended."""
    return member in state.suspended


def are_suspended(state: State, listed: Sequence[int]) -> tuple[bool, ...]:
    """Tell of each member whether it is suspended."""
    return tuple(member in state.suspended for member in listed)


def council_members(state: State) -> tuple[int, ...]:
    """Return the members who hold a seat now: `council()` on chain."""
    return members.council(state)


def arbiters_outside(state: State, group_a: int, group_b: int) -> tuple[int, ...]:
    """Return the active arbiters outside two owner groups."""
    return members.active_outside(state, state.arbiters, group_a, group_b)


def get_validators(state: State) -> tuple[bytes, ...]:
    """Return the validators' node addresses."""
    return state.validators


def member_count(state: State) -> int:
    """Count the members."""
    return state.member_count


# -- AssetRegistry -------------------------------------------------------------------------------


def index_of(state: State, code: int) -> int:
    """Return a class's index by its code; 0: unknown."""
    return state.class_index[code]


def get_class(state: State, index: int) -> ClassTerms:
    """Return a class by its index."""
    return state.classes[index]


def class_of(state: State, code: int) -> tuple[int, ClassTerms]:
    """Return a class's index and terms by its code."""
    index = state.class_index[code]
    return index, state.classes[index]


def get_asset(state: State, asset: int) -> Asset:
    """Return what is stored of an asset."""
    return state.assets[asset]


def asset_by_identity(state: State, identity: bytes) -> int:
    """Return the asset with an identity; 0: none."""
    return state.asset_by_identity[identity]


def assets_of(state: State, member: int) -> int:
    """Count a member's assets."""
    return state.assets_of[member]


def reserved_of(state: State, asset: int, slot: int) -> int:
    """Return what of an asset's capacity is reserved in a slot [capacity units]."""
    return state.reserved[asset << 24 | slot]


def covers(state: State, asset: int, attributes: int, until: int) -> bool:
    """Tell whether an asset's attestation covers the attributes to a time."""
    return assets.covers(state, asset, attributes, until)


def class_count(state: State) -> int:
    """Count the classes."""
    return state.class_count


def asset_count(state: State) -> int:
    """Count the assets."""
    return state.asset_count
