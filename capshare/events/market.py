"""Events of CapacityBook, Clearing, Deals, Vault and CreditLedger."""

from __future__ import annotations

from dataclasses import dataclass

from capshare.codec import (
    U8,
    U16,
    U24,
    U32,
    U40,
    U64,
    U256,
    Address,
    Bool,
    Bytes,
    Bytes32,
    Bytes32s,
    U32s,
    U40s,
    U256s,
)
from capshare.events.base import Event, TermsWords
from capshare.parameters import Parameters

# -- CapacityBook --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesSet(Event):
    CONTRACT = "CapacityBook"
    INDEXED = 0
    rules_version: U16
    parameters: Parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class OffersPosted(Event):
    CONTRACT = "CapacityBook"
    INDEXED = 3
    batch: U32
    member: U24
    class_: U32
    round: U32
    salt: U256
    signer: Address
    orders: Bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestsPosted(Event):
    CONTRACT = "CapacityBook"
    INDEXED = 3
    batch: U32
    member: U24
    class_: U32
    round: U32
    salt: U256
    signer: Address
    orders: Bytes
    commitments: Bytes32s


@dataclass(frozen=True, slots=True, kw_only=True)
class OrdersReduced(Event):
    CONTRACT = "CapacityBook"
    member: U24
    salt: U256
    signer: Address
    ids: U40s
    quantities: U32s


@dataclass(frozen=True, slots=True, kw_only=True)
class OrdersRemoved(Event):
    CONTRACT = "CapacityBook"
    INDEXED = 0
    ids: U40s


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseSet(Event):
    CONTRACT = "CapacityBook"
    INDEXED = 0
    paused: Bool


# -- Clearing ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketCleared(Event):
    CONTRACT = "Clearing"
    INDEXED = 3
    class_: U32
    round: U32
    sender: Address
    root: Bytes32
    deals: U256
    dead: U40s


@dataclass(frozen=True, slots=True, kw_only=True)
class PricesSet(Event):
    CONTRACT = "Clearing"
    INDEXED = 2
    class_: U32
    round: U32
    prices: U256s


@dataclass(frozen=True, slots=True, kw_only=True)
class OrdersMatched(Event):
    CONTRACT = "Clearing"
    INDEXED = 2
    class_: U32
    round: U32
    fills: U256s


# -- Deals ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class DealsCommitted(Event):
    CONTRACT = "Deals"
    INDEXED = 2
    class_index: U16
    round: U32
    root: Bytes32


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReported(Event):
    CONTRACT = "Deals"
    deal: U64
    reported: U32
    deadline: U40
    evidence: Bytes32


@dataclass(frozen=True, slots=True, kw_only=True)
class DealContested(Event):
    CONTRACT = "Deals"
    deal: U64
    accepted: U32
    deadline: U40
    evidence: Bytes32


@dataclass(frozen=True, slots=True, kw_only=True)
class DealDisputed(Event):
    CONTRACT = "Deals"
    deal: U64
    arbiter: U24
    deadline: U40
    evidence: Bytes32


@dataclass(frozen=True, slots=True, kw_only=True)
class DealRuled(Event):
    CONTRACT = "Deals"
    INDEXED = 2
    deal: U64
    arbiter: U24
    quantity: U32
    reason: Bytes32


@dataclass(frozen=True, slots=True, kw_only=True)
class DealSettled(Event):
    CONTRACT = "Deals"
    deal: U64
    state: U8
    quantity: U32
    terms: TermsWords


# -- Vault and CreditLedger ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Deposited(Event):
    CONTRACT = "Vault"
    INDEXED = 2
    member: U24
    from_: Address
    amount: U256


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn(Event):
    CONTRACT = "Vault"
    INDEXED = 2
    member: U24
    to: Address
    amount: U256


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked(Event):
    CONTRACT = "Vault"
    member: U24
    amount: U256


@dataclass(frozen=True, slots=True, kw_only=True)
class Released(Event):
    CONTRACT = "Vault"
    INDEXED = 0
    movements: U256s


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditRecorded(Event):
    CONTRACT = "CreditLedger"
    INDEXED = 2
    member: U24
    counterparty_group: U24
    good: U256
    bad: U256
