"""Markets of the real contracts with orders in them: members, assets and money in a few calls."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from capshare import abi, parameters
from capshare.deploy import Founder
from capshare.market.book import Market
from capshare.market.submission import Submission
from capshare.orders import (
    BATCH_ORDERS,
    Batch,
    Offer,
    Order,
    Side,
    pack_orders,
    unpack_batch,
)
from capshare.parameters import ClassTerms, Parameters
from tests.evm.machines import Outcome
from tests.evm.world import ACCOUNTS, ATTESTOR, COUNCIL, TRADER, World, account_of, founder

ADMIN = 1  # the member with the council's one seat; it attests too
ROUND = 10_000  # R [s]
SLOT = 10_000  # S [s]: slot k begins with round k
LEAD = 1_000  # L [s]: slot k is open in round r iff k >= r + AHEAD
AHEAD = 2
MONEY = 1 << 100  # of each trader [token base units]
CAPACITY = (1 << 32) - 1  # of each asset, a slot
FOREVER = (1 << 40) - 1  # [unix s]
FOUNDERS = 60  # members of one constructor or one proposal


def rules(**changes: Any) -> Parameters:
    """Return rules under which every member is in the best band from the first second."""
    production = parameters.load("production", 3).parameters
    return replace(
        production,
        round=ROUND,
        lock=ROUND // 4,
        **{"thresholds": (0,) * 8, "ratios": (0,) * 8, **changes},
    )


def terms(code: int, **changes: Any) -> ClassTerms:
    """Return a class that leaves orders as free as the bounds allow."""
    free = ClassTerms(
        code=code,
        slot_length=SLOT,
        gate_lead=LEAD,
        reference=100,
        lot=1,
        window=60,
        book_size=1_000,
        retired=False,
        mask=(1 << 64) - 1,
        terms=bytes(32),
    )
    return replace(free, **changes)


@dataclass(slots=True, kw_only=True)
class Exchange:
    """A world in which traders have money and can be given assets.

    Member `n` acts from account `n`. ADMIN decides for the council; traders follow it.
    """

    world: World
    traders: range  # member ids
    classes: dict[int, tuple[int, ClassTerms]] = field(default_factory=dict)  # by code: index
    suspended: set[int] = field(default_factory=set)
    salts: int = 0

    # -- members and classes ---------------------------------------------------------------------

    def account(self, member: int) -> str:
        return account_of(member)

    def council(self, *calls: tuple[str, str, Sequence[Any]]) -> Outcome:
        """Let the council make calls: (contract, function, arguments) each."""
        made = [
            (self.world.addresses[contract], abi.encode_call(contract, function, arguments))
            for contract, function, arguments in calls
        ]
        sender = self.account(ADMIN)
        self.world.do(sender, "Council", "propose", (made, ""))
        proposal = self.world.view("Council", "proposalCount")
        return self.world.do(sender, "Council", "execute", (proposal, made))

    def list_class(self, listed: ClassTerms) -> int:
        """List a class and return its index."""
        row = tuple(getattr(listed, name) for name in ClassTerms.__slots__)
        self.council(("AssetRegistry", "listClass", (row, f"Class {listed.code}", "HUR")))
        index = int(self.world.view("AssetRegistry", "indexOf", (listed.code,)))
        self.classes[listed.code] = (index, listed)
        return index

    def suspend(self, member: int) -> None:
        self.council(("MemberRegistry", "suspend", (member,)))
        self.suspended.add(member)

    def reinstate(self, member: int) -> None:
        self.council(("MemberRegistry", "reinstate", (member,)))
        self.suspended.discard(member)

    def add_asset(self, member: int, code: int, attributes: int, capacity: int = CAPACITY) -> int:
        """Register an asset with attested attributes and return its id."""
        self.salts += 1
        identity = self.salts.to_bytes(32, "big")
        self.world.do(
            self.account(member),
            "AssetRegistry",
            "registerAsset",
            (member, code, capacity, identity),
        )
        asset = int(self.world.view("AssetRegistry", "assetCount"))
        if attributes:
            self.attest(asset, attributes)
        return asset

    def attest(self, asset: int, attributes: int) -> Outcome:
        return self.world.do(
            self.account(ADMIN), "AssetRegistry", "attest", (asset, attributes, FOREVER, bytes(32))
        )

    # -- orders ----------------------------------------------------------------------------------

    def post(self, member: int, code: int, orders: Sequence[Order]) -> tuple[int, Outcome]:
        """Post one batch of one side and return its number."""
        outcome = self.world.do(
            self.account(member), "CapacityBook", "post", ([self.batch(member, code, orders)],)
        )
        return int.from_bytes(outcome.data, "big"), outcome

    def batch(self, member: int, code: int, orders: Sequence[Order]) -> tuple[Any, ...]:
        """Return a batch as `post` takes it, sent by the member's account."""
        self.salts += 1
        side = Side.OFFER if isinstance(orders[0], Offer) else Side.REQUEST
        commitments = [bytes(32)] * len(orders) if side == Side.REQUEST else []
        return (member, code, side, self.salts, FOREVER, pack_orders(orders), commitments, b"")

    def reduce(self, member: int, wanted: dict[int, int]) -> Outcome:
        """Lower orders to what shall remain of each, by id."""
        return self.world.send(
            self.account(member), "CapacityBook", "reduce", ([self.reduction(member, wanted)],)
        )

    def reduction(self, member: int, wanted: dict[int, int]) -> tuple[Any, ...]:
        self.salts += 1
        return (member, self.salts, FOREVER, list(wanted), list(wanted.values()), b"")

    # -- clearing --------------------------------------------------------------------------------

    @property
    def round(self) -> int:
        return self.world.now // ROUND

    def to_round(self, number: int) -> None:
        self.world.warp(number * ROUND)

    def market(self, code: int) -> Market:
        """Return the market as a clearing in the current round sees it."""
        index, listed = self.classes[code]
        return Market(
            class_code=code,
            class_index=index,
            round=self.round,
            round_length=ROUND,
            slot_length=listed.slot_length,
            gate_lead=listed.gate_lead,
            reference=listed.reference,
            bond_rates=self.world.parameters.bond_rates,
            suspended=frozenset(self.suspended),
        )

    def batches(self, numbers: Iterable[int]) -> dict[int, Batch]:
        """Read batches off the chain."""
        wanted = list(numbers)
        _, left = self.world.view("CapacityBook", "load", (wanted,))
        rest = iter(left)
        found = {}
        for number in wanted:
            state, packed = self.world.view("CapacityBook", "batchOf", (number,))
            pending = state >> 64 & ~state & (1 << 64) - 1
            found[number] = unpack_batch(
                number,
                state,
                packed,
                {i: next(rest) for i in range(BATCH_ORDERS) if pending >> i & 1},
            )
        return found

    def clear(self, code: int, submission: Submission, round_: int | None = None) -> Outcome:
        """Send a clearing of a market, by somebody who is no member."""
        data = self.clear_data(code, submission, round_)
        world = self.world
        return world.machine.transact(ACCOUNTS[0].address, world.addresses["Clearing"], data)

    def clear_data(self, code: int, submission: Submission, round_: int | None = None) -> bytes:
        """Return a clearing's calldata."""
        number = self.round if round_ is None else round_
        return abi.encode_call("Clearing", "clear", (code, number, wire(submission)))


def wire(submission: Submission) -> tuple[bytes, ...]:
    """Return a submission as `clear` takes it."""
    return tuple(getattr(submission, name) for name in Submission.__slots__)


def open_exchange(
    make: Callable[[Parameters, Sequence[Founder]], World],
    traders: int,
    money: int = MONEY,
    spacing: int = 1,
    **changes: Any,
) -> Exchange:
    """Deploy, admit traders and give each of them money.

    With a `spacing` only every so many members is one of the traders; the others do nothing.
    """
    last = ADMIN + traders * spacing
    founders = [
        founder(ADMIN, COUNCIL | ATTESTOR),
        *(founder(member, TRADER) for member in range(ADMIN + 1, last + 1)),
    ]
    exchange = Exchange(
        world=make(rules(**changes), founders[:FOUNDERS]),
        traders=range(ADMIN + spacing, last + 1, spacing),
    )
    for first in range(FOUNDERS, len(founders), FOUNDERS):
        admitted = founders[first : first + FOUNDERS]
        exchange.council(*(("MemberRegistry", "admit", (_admission(f),)) for f in admitted))
    for member in exchange.traders if money else ():
        exchange.world.fund(member, exchange.account(member), money)
    return exchange


def _admission(f: Founder) -> tuple[Any, ...]:
    """Return what the council admits a member with."""
    return (
        f.account,
        f.identity,
        f.encryption_key,
        f.key_valid_until,
        f.group,
        f.roles,
        f.name,
        f.region,
        f.industry,
    )
