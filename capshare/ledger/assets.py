"""AssetRegistry: classes, assets, attested attributes and reserved capacity a slot."""

from __future__ import annotations

from dataclasses import replace

from capshare.codec import ZERO_BYTES32
from capshare.events import (
    AssetAttested,
    AssetRegistered,
    CapacityRaised,
    ClassListed,
    ClassRetired,
)
from capshare.ledger import members
from capshare.ledger.commands import Attest, ListClass, RaiseCapacity, RegisterAsset, RetireClass
from capshare.ledger.core import Transaction, applies, decides, require
from capshare.ledger.state import Asset, State
from capshare.parameters import ClassTerms

LEAST_SLOT_LENGTH = 120  # [s]
MOST_CLASSES = 4_095
MOST_ASSETS = 1_024  # a member
MOST_BOOK_SIZE = 2_000  # orders of both sides
MOST_PAIRS = 250_000  # kinds × groups


def covers(state: State, asset: int, attributes: int, until: int) -> bool:
    """Tell whether an asset's attestation covers the attributes to a time."""
    stored = state.assets[asset]
    attested = stored.attributes if stored.valid_until >= until else 0
    return attributes & ~attested == 0


def check_reservations(
    state: State, member: int, class_index: int, slot_length: int, words: tuple[int, ...]
) -> None:
    """Refuse offers, as their packed words, that the assets do not back."""
    pending: dict[int, int] = {}
    for word in words:
        asset, slot, quantity = word >> 200, word >> 72 & 0xFFFFFF, word >> 168 & 0xFFFFFFFF
        stored = state.assets[asset]
        require(stored.member != 0, "UnknownAsset", asset)
        require(stored.member == member, "AssetNotOwned", asset, member)
        is_of_class = stored.class_index == class_index
        require(is_of_class, "AssetOfOtherClass", asset, stored.class_index)
        declared = word >> 8 & (1 << 64) - 1
        attested = stored.attributes if stored.valid_until >= (slot + 1) * slot_length else 0
        require(declared & ~attested == 0, "NotAttested", asset, slot, declared, attested)
        key = asset << 24 | slot
        wanted = pending.get(key, state.reserved[key]) + quantity
        capacity = stored.capacity
        require(wanted <= capacity, "CapacityExceeded", asset, slot, wanted, capacity)
        pending[key] = wanted


@decides(ListClass)
def _list_class(tx: Transaction, command: ListClass) -> None:
    members.require_council(command, tx.state)
    terms = command.class_
    taken = tx.state.class_index[terms.code]
    require(taken == 0, "ClassTaken", terms.code, taken)
    require(tx.state.class_count < MOST_CLASSES, "TooManyClasses", MOST_CLASSES)
    _check_class(terms)
    tx.emit(
        ClassListed(
            index=tx.state.class_count + 1,
            code=terms.code,
            class_=terms,
            name=command.name,
            unit=command.unit,
        )
    )


def _check_class(terms: ClassTerms) -> None:
    size = terms.book_size
    for field, is_right, value in (
        ("slotLength", terms.slot_length >= LEAST_SLOT_LENGTH, terms.slot_length),
        ("reference", terms.reference != 0, 0),
        ("lot", terms.lot != 0, 0),
        ("window", terms.window != 0, 0),
        ("bookSize", size % 2 == 0 and 2 <= size <= MOST_BOOK_SIZE, size),
        ("retired", not terms.retired, 1),
    ):
        require(is_right, "BadClass", field.encode().ljust(32, b"\0"), value)
    half = size // 2
    groups = terms.window * 8 << terms.mask.bit_count()
    pairs = half * min(half, groups)
    require(pairs <= MOST_PAIRS, "BookTooLarge", pairs, MOST_PAIRS)


@decides(RetireClass)
def _retire_class(tx: Transaction, command: RetireClass) -> None:
    members.require_council(command, tx.state)
    index = tx.state.class_index[command.code]
    require(index != 0, "UnknownClass", command.code)
    require(not tx.state.classes[index].retired, "ClassRetiredAlready", command.code)
    tx.emit(ClassRetired(index=index, code=command.code))


@decides(RegisterAsset)
def _register_asset(tx: Transaction, command: RegisterAsset) -> None:
    state, member, identity = tx.state, command.member, command.identity
    members.require_scope(state, member, command.sender, members.OPERATE)
    members.require_active(state, member, members.TRADER)
    index = state.class_index[command.code]
    require(index != 0, "UnknownClass", command.code)
    require(command.capacity != 0, "ZeroCapacity")
    require(identity != ZERO_BYTES32, "ZeroIdentity")
    taken = state.asset_by_identity[identity]
    require(taken == 0, "AssetIdentityTaken", identity, taken)
    require(state.assets_of[member] < MOST_ASSETS, "TooManyAssets", member, MOST_ASSETS)
    tx.emit(
        AssetRegistered(
            asset=state.asset_count + 1,
            member=member,
            class_index=index,
            capacity=command.capacity,
            identity=identity,
        )
    )


@decides(RaiseCapacity)
def _raise_capacity(tx: Transaction, command: RaiseCapacity) -> None:
    asset = command.asset
    stored = _known(tx.state, asset)
    members.require_scope(tx.state, stored.member, command.sender, members.OPERATE)
    is_more = command.capacity > stored.capacity
    require(is_more, "CapacityNotRaised", asset, stored.capacity, command.capacity)
    tx.emit(CapacityRaised(asset=asset, capacity=command.capacity))


@decides(Attest)
def _attest(tx: Transaction, command: Attest) -> None:
    attestor = members.require_account(tx.state, command.sender, members.ATTESTOR)
    _known(tx.state, command.asset)
    tx.emit(
        AssetAttested(
            asset=command.asset,
            attestor=attestor,
            attributes=command.attributes,
            valid_until=command.valid_until,
            document=command.document,
        )
    )


def _known(state: State, asset: int) -> Asset:
    stored = state.assets[asset]
    require(stored.member != 0, "UnknownAsset", asset)
    return stored


@applies(ClassListed)
def _class_listed(state: State, event: ClassListed, now: int) -> None:
    state.class_count = event.index
    state.class_index[event.code] = event.index
    state.classes[event.index] = event.class_


@applies(ClassRetired)
def _class_retired(state: State, event: ClassRetired, now: int) -> None:
    state.classes[event.index] = replace(state.classes[event.index], retired=True)


@applies(AssetRegistered)
def _asset_registered(state: State, event: AssetRegistered, now: int) -> None:
    state.asset_count = event.asset
    state.assets_of[event.member] += 1
    state.asset_by_identity[event.identity] = event.asset
    state.assets[event.asset] = Asset(
        member=event.member, class_index=event.class_index, capacity=event.capacity
    )


@applies(CapacityRaised)
def _capacity_raised(state: State, event: CapacityRaised, now: int) -> None:
    state.assets[event.asset] = replace(state.assets[event.asset], capacity=event.capacity)


@applies(AssetAttested)
def _asset_attested(state: State, event: AssetAttested, now: int) -> None:
    state.assets[event.asset] = replace(
        state.assets[event.asset],
        attributes=event.attributes,
        valid_until=event.valid_until,
    )
