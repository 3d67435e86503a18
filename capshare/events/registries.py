"""Events of Council, MemberRegistry and AssetRegistry."""

from __future__ import annotations

from dataclasses import dataclass

from capshare.codec import (
    U8,
    U16,
    U24,
    U32,
    U40,
    U64,
    U96,
    U256,
    Address,
    Addresses,
    Bool,
    Bytes32,
    String,
)
from capshare.events.base import Admission, Call, Event
from capshare.parameters import ClassTerms

# -- Council -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed(Event):
    CONTRACT = "Council"
    INDEXED = 2
    proposal: U256
    proposer: U24
    calls: tuple[Call, ...]
    reason: String
    deadline: U40


@dataclass(frozen=True, slots=True, kw_only=True)
class Voted(Event):
    CONTRACT = "Council"
    INDEXED = 2
    proposal: U256
    member: U24
    support: Bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Executed(Event):
    CONTRACT = "Council"
    proposal: U256
    yes: U256
    seats: U256


# -- MemberRegistry ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberAdmitted(Event):
    CONTRACT = "MemberRegistry"
    INDEXED = 2
    member: U24
    account: Address
    admission: Admission


@dataclass(frozen=True, slots=True, kw_only=True)
class RolesSet(Event):
    CONTRACT = "MemberRegistry"
    member: U24
    roles: U8


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSet(Event):
    CONTRACT = "MemberRegistry"
    member: U24
    group: U24


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberSuspended(Event):
    CONTRACT = "MemberRegistry"
    member: U24


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberReinstated(Event):
    CONTRACT = "MemberRegistry"
    member: U24


@dataclass(frozen=True, slots=True, kw_only=True)
class EncryptionKeySet(Event):
    CONTRACT = "MemberRegistry"
    member: U24
    key: Bytes32
    valid_until: U40


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerSet(Event):
    CONTRACT = "MemberRegistry"
    INDEXED = 2
    member: U24
    signer: Address
    scopes: U8
    limit: U96


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountMoveStarted(Event):
    CONTRACT = "MemberRegistry"
    INDEXED = 2
    member: U24
    account: Address
    effective_at: U40


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountMoveVetoed(Event):
    CONTRACT = "MemberRegistry"
    INDEXED = 2
    member: U24
    account: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountMoved(Event):
    CONTRACT = "MemberRegistry"
    INDEXED = 3
    member: U24
    from_: Address
    to: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidatorsSet(Event):
    CONTRACT = "MemberRegistry"
    INDEXED = 0
    validators: Addresses


# -- AssetRegistry -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassListed(Event):
    CONTRACT = "AssetRegistry"
    INDEXED = 2
    index: U16
    code: U32
    class_: ClassTerms
    name: String
    unit: String


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassRetired(Event):
    CONTRACT = "AssetRegistry"
    INDEXED = 2
    index: U16
    code: U32


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetRegistered(Event):
    CONTRACT = "AssetRegistry"
    INDEXED = 3
    asset: U24
    member: U24
    class_index: U16
    capacity: U32
    identity: Bytes32


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityRaised(Event):
    CONTRACT = "AssetRegistry"
    asset: U24
    capacity: U32


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetAttested(Event):
    CONTRACT = "AssetRegistry"
    INDEXED = 2
    asset: U24
    attestor: U24
    attributes: U64
    valid_until: U40
    document: Bytes32
