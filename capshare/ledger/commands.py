"""What can be asked of the contracts: one class a function, its arguments in the function's order.

`sender` is who sends the call (20 bytes), `now` the time of its block [unix s].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from capshare.codec import (
    U8,
    U24,
    U32,
    U40,
    U64,
    U96,
    U256,
    Address,
    Addresses,
    Bool,
    Bytes,
    Bytes32,
    Bytes32s,
    String,
    U32s,
    U40s,
)  # fmt: skip
from capshare.eip712 import OrderBatch, Reduction
from capshare.events import Admission, Call, TermsWords
from capshare.market.submission import Submission
from capshare.parameters import ClassTerms


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A call of a contract's function."""

    CONTRACT: ClassVar[str]
    FUNCTION: ClassVar[str]
    sender: bytes
    now: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A deal named by its terms and their proof (`IDeals.Reference`)."""

    terms: TermsWords
    proof: Bytes32s


# -- Council -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Propose(Command):
    CONTRACT, FUNCTION = "Council", "propose"
    calls: tuple[Call, ...]
    reason: String


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote(Command):
    CONTRACT, FUNCTION = "Council", "vote"
    proposal: U256
    support: Bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Execute(Command):
    CONTRACT, FUNCTION = "Council", "execute"
    proposal: U256
    calls: tuple[Call, ...]


# -- MemberRegistry ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Admit(Command):
    CONTRACT, FUNCTION = "MemberRegistry", "admit"
    admission: Admission


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRoles(Command):
    CONTRACT, FUNCTION = "MemberRegistry", "setRoles"
    member: U24
    roles: U8


@dataclass(frozen=True, slots=True, kw_only=True)
class SetGroup(Command):
    CONTRACT, FUNCTION = "MemberRegistry", "setGroup"
    member: U24
    group: U24


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspend(Command):
    CONTRACT, FUNCTION = "MemberRegistry", "suspend"
    member: U24


@dataclass(frozen=True, slots=True, kw_only=True)
class Reinstate(Command):
    CONTRACT, FUNCTION = "MemberRegistry", "reinstate"
    member: U24


@dataclass(frozen=True, slots=True, kw_only=True)
class SetValidators(Command):
    CONTRACT, FUNCTION = "MemberRegistry", "setValidators"
    validators: Addresses


@dataclass(frozen=True, slots=True, kw_only=True)
class StartMove(Command):
    CONTRACT, FUNCTION = "MemberRegistry", "startMove"
    member: U24
    account: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class VetoMove(Command):
    CONTRACT, FUNCTION = "MemberRegistry", "vetoMove"
    member: U24


@dataclass(frozen=True, slots=True, kw_only=True)
class SetSigner(Command):
    CONTRACT, FUNCTION = "MemberRegistry", "setSigner"
    signer: Address
    scopes: U8
    limit: U96


@dataclass(frozen=True, slots=True, kw_only=True)
class SetEncryptionKey(Command):
    CONTRACT, FUNCTION = "MemberRegistry", "setEncryptionKey"
    key: Bytes32
    valid_until: U40


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteMove(Command):
    CONTRACT, FUNCTION = "MemberRegistry", "completeMove"
    member: U24


# -- AssetRegistry -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ListClass(Command):
    CONTRACT, FUNCTION = "AssetRegistry", "listClass"
    class_: ClassTerms
    name: String
    unit: String


@dataclass(frozen=True, slots=True, kw_only=True)
class RetireClass(Command):
    CONTRACT, FUNCTION = "AssetRegistry", "retireClass"
    code: U32


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterAsset(Command):
    CONTRACT, FUNCTION = "AssetRegistry", "registerAsset"
    member: U24
    code: U32
    capacity: U32
    identity: Bytes32


@dataclass(frozen=True, slots=True, kw_only=True)
class RaiseCapacity(Command):
    CONTRACT, FUNCTION = "AssetRegistry", "raiseCapacity"
    asset: U24
    capacity: U32


@dataclass(frozen=True, slots=True, kw_only=True)
class Attest(Command):
    CONTRACT, FUNCTION = "AssetRegistry", "attest"
    asset: U24
    attributes: U64
    valid_until: U40
    document: Bytes32


# -- CapacityBook and Clearing -------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Post(Command):
    CONTRACT, FUNCTION = "CapacityBook", "post"
    batches: tuple[OrderBatch, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reduce(Command):
    CONTRACT, FUNCTION = "CapacityBook", "reduce"
    reductions: tuple[Reduction, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expire(Command):
    CONTRACT, FUNCTION = "CapacityBook", "expire"
    ids: U40s


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPaused(Command):
    CONTRACT, FUNCTION = "CapacityBook", "setPaused"
    paused: Bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Clear(Command):
    CONTRACT, FUNCTION = "Clearing", "clear"
    class_: U32
    round: U32
    submission: Submission


# -- Deals ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliver(Command):
    CONTRACT, FUNCTION = "Deals", "deliver"
    deals: tuple[Reference, ...]
    quantities: U32s
    evidence: Bytes32s


@dataclass(frozen=True, slots=True, kw_only=True)
class Accept(Command):
    CONTRACT, FUNCTION = "Deals", "accept"
    deals: tuple[Reference, ...]
    quantities: U32s
    evidence: Bytes32s


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute(Command):
    CONTRACT, FUNCTION = "Deals", "dispute"
    deals: tuple[Reference, ...]
    evidence: Bytes32s


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(Command):
    CONTRACT, FUNCTION = "Deals", "rule"
    deal: Reference
    quantity: U32
    reason: Bytes32


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseDeals(Command):
    CONTRACT, FUNCTION = "Deals", "release"
    deals: tuple[Reference, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelDeal(Command):
    CONTRACT, FUNCTION = "Deals", "cancel"
    deal: Reference
    deadline: U40
    provider_signature: Bytes
    consumer_signature: Bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle(Command):
    CONTRACT, FUNCTION = "Deals", "settle"
    deals: tuple[Reference, ...]


# -- Vault ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenTransfer:
    """What the token did when the vault moved it: its balance before, and how much really moved."""

    balance_before: int
    moved: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Deposit(Command):
    """`transfer` None: a standard token, and the sender has and allows the amount."""

    CONTRACT, FUNCTION = "Vault", "deposit"
    member: U24
    amount: U256
    transfer: TokenTransfer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw(Command):
    """`transfer` None: a standard token."""

    CONTRACT, FUNCTION = "Vault", "withdraw"
    member: U24
    amount: U256
    transfer: TokenTransfer | None = None


# -- what only contracts may call ----------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Intrude(Command):
    """Anybody's call of a function that obeys one of the deployment's contracts only."""

    contract: str
    function: str
