"""All that the eight contracts hold, as plain values: what the log folds to."""

from __future__ import annotations

from dataclasses import dataclass

from capshare.codec import ZERO_ADDRESS, ZERO_BYTES32
from capshare.ledger.table import Table
from capshare.market.commitment import DealTerms
from capshare.parameters import ClassTerms, Parameters

CONTRACTS = (
    "Council",
    "MemberRegistry",
    "AssetRegistry",
    "CapacityBook",
    "Clearing",
    "Deals",
    "Vault",
    "CreditLedger",
)  # in the order of their creation


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """Where a deployment's contracts are, each 20 bytes: what signatures and calls refer to."""

    chain_id: int
    council: bytes
    members: bytes
    assets: bytes
    book: bytes
    clearing: bytes
    deals: bytes
    vault: bytes
    credit: bytes
    token: bytes

    def contract_at(self, address: bytes) -> str | None:
        """Return the name of the contract of this deployment at an address."""
        return self.by_address().get(address)

    def by_address(self) -> dict[bytes, str]:
        """Return the contracts' names by address."""
        addresses = (
            self.council,
            self.members,
            self.assets,
            self.book,
            self.clearing,
            self.deals,
            self.vault,
            self.credit,
        )
        return dict(zip(addresses, CONTRACTS, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A council proposal; `calls_hash` zero: none such."""

    calls_hash: bytes = ZERO_BYTES32
    deadline: int = 0  # last second to vote or execute [unix s]
    executed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """What is stored of a member."""

    account: bytes = ZERO_ADDRESS
    group: int = 0
    roles: int = 0
    key_valid_until: int = 0  # [unix s]
    identity: bytes = ZERO_BYTES32
    encryption_key: bytes = ZERO_BYTES32


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """What is stored of a signer key; member 0: no signer."""

    member: int = 0
    scopes: int = 0
    limit: int = 0  # most that its posts may lock a day [token base units]
    day: int = 0  # unix day of `spent`
    spent: int = 0  # [token base units]


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A pending move of a member's account; account zero: none."""

    account: bytes = ZERO_ADDRESS
    effective_at: int = 0  # first second it can be completed [unix s]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """What is stored of an asset; member 0: unknown."""

    member: int = 0
    class_index: int = 0
    capacity: int = 0  # a slot [capacity units]
    attributes: int = 0  # attested bits
    valid_until: int = 0  # last second the attestation holds [unix s]


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """Counts of one market."""

    offers: int = 0  # fresh and standing
    requests: int = 0
    fresh_offers: int = 0  # of them posted in `fresh_round`
    fresh_requests: int = 0
    fresh_round: int = 0
    cleared_round: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What is stored of a deal that somebody acted on; all zero: untouched, open."""

    state: int = 0
    reported: int = 0  # [capacity units]
    accepted: int = 0  # [capacity units]
    deadline: int = 0  # last second of the current step [unix s]
    arbiter: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A member's credit as of `touched` [unix s]."""

    good: int = 0  # [token base units]
    bad: int = 0
    touched: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What one owner group added to a member's good, as of `touched` [unix s]."""

    value: int = 0  # [token base units]
    touched: int = 0


NO_CLASS = ClassTerms(
    code=0,
    slot_length=0,
    gate_lead=0,
    reference=0,
    lot=0,
    window=0,
    book_size=0,
    retired=False,
    mask=0,
    terms=ZERO_BYTES32,
)
NO_PARAMETERS = Parameters(
    round=0,
    lock=0,
    horizon=0,
    move_delay=0,
    proposal_life=0,
    deliver_within=0,
    accept_within=0,
    answer_within=0,
    rule_within=0,
    good_half_life=0,
    bad_half_life=0,
    dispute_rate=0,
    bond_rates=(),
    ratios=(),
    thresholds=(),
    counterparty_cap=0,
    newcomer_cap=0,
)  # until the book's constructor has told them


class State:
    """The contracts' state. Change it only by `apply`; `fork` gives a copy at no cost.

    Members, classes, assets, proposals and batches are numbered from 1. Keys of two parts are one
    number, the first part high: `asset << 24 | slot`, `class << 24 | group`, `class << 32 | round`,
    `member << 24 | group`, `member << 248 | salt >> 8`, `proposal << 24 | member`.
    """

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        # Council
        self.proposal_count = 0
        self.proposals: Table[int, Proposal] = Table(Proposal())
        self.support: Table[int, bool] = Table(False)
        # MemberRegistry; the lists are in stored order
        self.member_count = 0
        self.members: Table[int, Member] = Table(Member())
        self.member_of: Table[bytes, int] = Table(0)
        self.member_by_identity: Table[bytes, int] = Table(0)
        self.signers: Table[bytes, Signer] = Table(Signer())
        self.moves: Table[int, Move] = Table(Move())
        self.suspended: frozenset[int] = frozenset()
        self.seats: tuple[int, ...] = ()
        self.arbiters: tuple[int, ...] = ()
        self.validators: tuple[bytes, ...] = ()
        # AssetRegistry
        self.class_count = 0
        self.asset_count = 0
        self.class_index: Table[int, int] = Table(0)
        self.classes: Table[int, ClassTerms] = Table(NO_CLASS)
        self.assets: Table[int, Asset] = Table(Asset())
        self.asset_by_identity: Table[bytes, int] = Table(0)
        self.assets_of: Table[int, int] = Table(0)
        self.reserved: Table[int, int] = Table(0)
        # CapacityBook
        self.parameters = NO_PARAMETERS
        self.rules_version = 0
        self.paused = False
        self.batch_count = 0
        self.batches: Table[int, int] = Table(0)  # state words
        self.orders: Table[int, bytes] = Table(b"")  # packed orders
        self.left: Table[int, int] = Table(0)  # by order id; stays when the order goes
        self.markets: Table[int, Market] = Table(Market())
        self.held_orders: Table[int, int] = Table(0)  # offers | requests << 16
        self.live: Table[int, int] = Table(0)
        self.salts: Table[int, int] = Table(0)  # bits
        # Deals
        self.roots: Table[int, bytes] = Table(ZERO_BYTES32)
        self.progress: Table[int, Progress] = Table(Progress())
        # Vault
        self.free: Table[int, int] = Table(0)
        self.locked: Table[int, int] = Table(0)
        self.held = 0
        # CreditLedger
        self.records: Table[int, Record] = Table(Record())
        self.added: Table[int, Added] = Table(Added())
        self.open_value: Table[int, int] = Table(0)
        # Not stored on chain: what the checks of conservation compare with
        self.live_batches: Table[int, bool] = Table(False)
        self.deals: Table[int, DealTerms | None] = Table(None)  # not final yet, by id
        self.used: Table[int, int] = Table(0)  # by asset and slot: in deals and netted
        self.deposited: Table[int, int] = Table(0)
        self.withdrawn: Table[int, int] = Table(0)

    def fork(self) -> State:
        """Return a copy whose changes this state does not see.

        Until the copy is thrown away, this state must not change.
        """
        copy = State.__new__(State)
        copy.__dict__.update(
            (name, value.layer() if type(value) is Table else value)
            for name, value in self.__dict__.items()
        )
        return copy
