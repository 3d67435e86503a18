"""What every event has: its place in the log, and the structs that some of them carry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from capshare.codec import U8, U24, U40, U256, Address, Bytes, Bytes32, String


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRef:
    """Where a log stands on the chain; logs are ordered by (block, log_index)."""

    block: int
    log_index: int
    tx_hash: bytes


class Event:
    """Something that a contract logged."""

    __slots__ = ()
    CONTRACT: ClassVar[str]
    INDEXED: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An event of the chain's log, where it stands, and its block's time [unix s]."""

    event: Event
    ref: LogRef
    time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call that a council proposal makes: contract and calldata."""

    target: Address
    data: Bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """What a legal entity is admitted with (`IMemberRegistry.Admission`)."""

    account: Address
    identity: Bytes32
    encryption_key: Bytes32
    key_valid_until: U40
    group: U24
    roles: U8
    name: String
    region: String
    industry: String


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsWords:
    """A deal's terms as the three words that a leaf hashes (`types/Deal.sol`)."""

    word0: U256
    word1: U256
    word2: U256
