"""A market with traders, money and assets, where orders are posted and cleared, for contract tests.

Time is counted from `start`, the beginning of a unix day, a slot and a round: a test's first
transaction runs in second 0 of round `start // ROUND`, the next one a second later.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from eth_account.messages import encode_typed_data

from capshare import eip712
from capshare.market.book import Fill, Market, Standing, standing
from capshare.market.submission import Submission, build
from capshare.orders import (
    BATCH_ORDERS,
    Batch,
    Offer,
    Order,
    Request,
    Side,
    order_id,
    pack_orders,
    unpack_batch,
)

ROUND, LOCK, SLOT, LEAD, HORIZON, DAY = 10, 6, 120, 10, 172_800, 86_400  # [s], the pilot's
FOREVER = 2**40 - 1  # [unix s]
CODE, SMALL, COARSE = 7_001, 7_002, 7_003  # classes: indices 1, 2, 3
REFERENCE, MASK, WINDOW = 50, 0b11, 7
PLACES = 42  # a side of SMALL
LOT = 5  # of COARSE
PROVIDER, CONSUMER, SUSPENDED, ATTESTOR, RIVAL = 4, 5, 8, 9, 10
# Assets by id. PLAIN is the provider's with nothing attested, FINE the one with all that counts.
PLAIN, FINE, COARSE_ASSET, CONSUMERS, RIVALS = 1, 2, 3, 4, 5
CAPACITY = 1_000  # of PLAIN, a slot
WIDE = 2**32 - 1  # of the others
TRADE, OPERATE = 1, 2


@dataclass
class Floor:
    """The system as it is deployed, with three traders, and what tests do with it."""

    system: Any
    start: int  # [unix s]
    salt: int = 1_000

    def __getattr__(self, name: str) -> Any:
        return getattr(self.system, name)

    # TIME

    @property
    def round(self) -> int:
        """The first round."""
        return self.start // ROUND

    @property
    def slot(self) -> int:
        """A slot that stays open for sixty rounds."""
        return self.start // SLOT + 6

    def goto(self, rounds: int, second: int = 0) -> None:
        """Let the next transaction run so many rounds after the first one's beginning."""
        self.system.at(self.start + rounds * ROUND + second)

    # ORDERS

    def offer(self, **changes: int) -> Offer:
        """Return an offer of ten units at 101, which locks a bond of 31 a unit."""
        fields = {"asset": FINE, "slot": self.slot, "quantity": 10, "price": 101}
        return Offer(**(fields | changes))

    def request(self, **changes: int) -> Request:
        """Return a request for ten units at 101 in one slot."""
        slot = changes.get("first_slot", self.slot)
        fields = {"first_slot": slot, "last_slot": slot, "quantity": 10, "price": 101}
        return Request(**(fields | changes))

    def batch(
        self,
        member: int,
        *orders: Order,
        code: int = CODE,
        side: Side | None = None,
        salt: int | None = None,
        deadline: int = FOREVER,
        packed: bytes | None = None,
        commitments: Sequence[bytes] | None = None,
        signature: bytes = b"",
    ) -> tuple[Any, ...]:
        """Return a batch as `post` takes it; the side is that of its orders."""
        self.salt += 1
        if side is None:
            side = Side.REQUEST if orders and isinstance(orders[0], Request) else Side.OFFER
        packed = pack_orders(orders) if packed is None else packed
        if commitments is None:
            count = len(packed) // 28
            commitments = [bytes([i + 1]) * 32 for i in range(count)] if side else []
        salt = self.salt if salt is None else salt
        return (member, code, side, salt, deadline, packed, commitments, signature)

    def reduction(
        self,
        member: int,
        wanted: dict[int, int] | Sequence[tuple[int, int]],
        *,
        salt: int | None = None,
        deadline: int = FOREVER,
        signature: bytes = b"",
    ) -> tuple[Any, ...]:
        """Return a reduction as `reduce` takes it: what shall remain of each order, by id."""
        self.salt += 1
        entries = list(wanted.items() if isinstance(wanted, dict) else wanted)
        ids, quantities = [i for i, _ in entries], [q for _, q in entries]
        salt = self.salt if salt is None else salt
        return (member, salt, deadline, ids, quantities, signature)

    def signed(self, given: tuple[Any, ...], by: Any, **domain: Any) -> tuple[Any, ...]:
        """Sign a batch or reduction for this chain and book, or for another."""
        typed = eip712.typed_data(_signable(given), self._domain(**domain))
        signature = by.sign_message(encode_typed_data(full_message=typed)).encode_rsv()
        return (*given[:-1], signature)

    def signer_of(self, given: tuple[Any, ...]) -> str:
        """Return the address that the book recovers from a signed batch or reduction."""
        digest = eip712.digest(_signable(given), self._domain())
        return "0x" + eip712.recover(digest, given[-1]).hex()

    def _domain(self, chain_id: int | None = None, contract: str | None = None) -> eip712.Domain:
        return eip712.Domain(
            chain_id=chain_id or self.system.chain.chain_id,
            contract=bytes.fromhex((contract or self.system.book.address)[2:]),
        )

    def sender(self, member: int) -> Any:
        """Return the account of one of the traders."""
        names = {PROVIDER: "provider", CONSUMER: "consumer", RIVAL: "rival"}
        return self.system.people[names[member]]

    def post(self, *batches: tuple[Any, ...], by: Any = None) -> Any:
        """Post batches, by the account of the first one's member; return the receipt."""
        return self.system.book.post(list(batches), sender=by or self.sender(batches[0][0]))

    def place(self, member: int, *orders: Order, code: int = CODE) -> list[int]:
        """Post one batch by its member's account and return its orders' ids."""
        self.post(self.batch(member, *orders, code=code))
        number = self.system.book.batchCount()
        return [order_id(number, index) for index in range(len(orders))]

    def reduce(self, member: int, wanted: Any, *, by: Any = None, **fields: Any) -> Any:
        """Reduce orders by their member's account; return the receipt."""
        given = self.reduction(member, wanted, **fields)
        return self.system.book.reduce([given], sender=by or self.sender(member))

    def left(self, *ids: int) -> list[int]:
        """Return what remains of orders."""
        return [self.system.book.orderOf(i)[1] for i in ids]

    # WHAT THERE IS

    def money(self, member: int) -> tuple[int, int]:
        """Return how a trader's free money changed since the start, and what is locked."""
        balance = self.system.vault.balanceOf(member)
        return balance.free - self.funds, balance.locked

    @property
    def funds(self) -> int:
        """What each trader started with [base units]."""
        return 10**12

    def market(self, index: int = 1) -> tuple[int, ...]:
        """Return offers, requests, fresh offers, fresh requests; rounds count from the first."""
        found = self.system.book.marketOf(index)
        return (
            found.offers,
            found.requests,
            found.freshOffers,
            found.freshRequests,
            found.freshRound - self.round,
        )

    # EVENTS

    def posted(self, batch: tuple[Any, ...], signer: Any, *, round_: int = 0) -> tuple[Any, ...]:
        """Return the event of the newest batch."""
        member, code, side, salt, _, packed, commitments, _ = batch
        values = {
            "batch": self.system.book.batchCount(),
            "member": member,
            "class": code,
            "round": self.round + round_,
            "salt": salt,
            "signer": signer,
            "orders": packed,
        }
        if side == Side.OFFER:
            return self.system.event("book", "OffersPosted", **values)
        return self.system.event("book", "RequestsPosted", **values, commitments=commitments)

    def locked(self, member: int, amount: int) -> tuple[Any, ...]:
        return self.system.event("vault", "Locked", member=member, amount=amount)

    def released(self, *freed: tuple[int, int]) -> tuple[Any, ...]:
        """Return the vault's event: money of members that came free."""
        moves = [member << 152 | member << 128 | amount for member, amount in freed]
        return self.system.event("vault", "Released", movements=moves)

    def reduced(self, given: tuple[Any, ...], signer: Any) -> tuple[Any, ...]:
        member, salt, _, ids, quantities, _ = given
        values = {"member": member, "salt": salt, "signer": signer}
        return self.system.event("book", "OrdersReduced", **values, ids=ids, quantities=quantities)

    # CLEARING

    def conditions(self, rounds: int, suspended: Iterable[int] = ()) -> Market:
        """Return what a clearing of CODE so many rounds after the first works with."""
        return Market(
            class_code=CODE,
            class_index=1,
            round=self.round + rounds,
            round_length=ROUND,
            slot_length=SLOT,
            gate_lead=LEAD,
            reference=REFERENCE,
            bond_rates=tuple(self.rates),
            suspended=frozenset(suspended),
        )

    @property
    def rates(self) -> Sequence[int]:
        """The pilot's bond rates by band [1/10,000]."""
        return (3_000, 2_500, 2_000, 1_500, 1_200, 1_000, 800, 500)

    def standing(self, rounds: int, suspended: Iterable[int] = ()) -> Standing:
        """Read what stands in CODE so many rounds after the first."""
        numbers = range(1, self.system.book.batchCount() + 1)
        return standing(self.conditions(rounds, suspended), self.read(numbers))

    def read(self, numbers: Iterable[int]) -> list[Batch]:
        """Read batches off the chain."""
        wanted = list(numbers)
        _, left = self.system.book.load(wanted)
        rest, found = iter(left), []
        for number in wanted:
            state, packed = self.system.book.batchOf(number)
            pending = [i for i in range(BATCH_ORDERS) if state >> 64 & ~state & 1 << i]
            found.append(unpack_batch(number, state, packed, {i: next(rest) for i in pending}))
        return found

    def clear(
        self, submission: Submission, rounds: int, *, code: int = CODE, by: Any = None
    ) -> Any:
        """Clear a market so many rounds after the first, by an outsider; return the receipt."""
        given = tuple(getattr(submission, name) for name in Submission.__slots__)
        sender = by or self.system.people["outsider"]
        return self.system.clearing.clear(code, self.round + rounds, given, sender=sender)


def fills(*given: tuple[int, int, int]) -> list[Fill]:
    """Return fills: offer, request, quantity."""
    return [Fill(offer=o, request=r, quantity=q) for o, r, q in given]


def submission(found: Standing, *given: tuple[int, int, int]) -> Submission:
    """Return the wire form of an allocation, with honest hints."""
    return build(found, fills(*given))


def open_floor(system: Any, rival: Any) -> Floor:
    """List the classes, admit the rival, fund it, register the assets, go to the start."""
    people, assets = system.people, system.assets
    people["rival"] = rival
    small = (SMALL, SLOT, LEAD, REFERENCE, 1, WINDOW, 2 * PLACES, False, MASK, b"\x02" * 32)
    coarse = (COARSE, SLOT, LEAD, REFERENCE, LOT, WINDOW, 1_000, False, 0, b"\x03" * 32)
    newcomer = (rival.address, b"\x0a" * 32, b"\x00" * 32, 0, 0, 1, "Rival", "350900", "C3484")
    number, calls = system.propose(
        (assets, assets.listClass.encode_input(small, "small", "HUR")),
        (assets, assets.listClass.encode_input(coarse, "coarse", "HUR")),
        (system.members, system.members.admit.encode_input(newcomer)),
    )
    system.council.execute(number, calls, sender=people["outsider"])
    system.token.mint(rival, 10**12, sender=people["deployer"])
    system.token.approve(system.vault, 10**12, sender=rival)
    system.vault.deposit(RIVAL, 10**12, sender=rival)
    for member, account, code in (
        (PROVIDER, "provider", CODE),
        (PROVIDER, "provider", COARSE),
        (CONSUMER, "consumer", CODE),
        (RIVAL, "rival", SMALL),
    ):
        identity = bytes([member, code & 0xFF]) * 16
        assets.registerAsset(member, code, WIDE, identity, sender=people[account])
    assets.attest(FINE, MASK, FOREVER, b"\xd0" * 32, sender=people["attestor"])
    start = (system.now() // DAY + 2) * DAY
    system.at(start)
    return Floor(system, start)


def _signable(given: tuple[Any, ...]) -> eip712.OrderBatch | eip712.Reduction:
    if len(given) == 6:
        member, salt, deadline, ids, quantities, signature = given
        return eip712.Reduction(
            member=member,
            salt=salt,
            deadline=deadline,
            ids=tuple(ids),
            quantities=tuple(quantities),
            signature=signature,
        )
    member, code, side, salt, deadline, packed, commitments, signature = given
    return eip712.OrderBatch(
        member=member,
        class_=code,
        side=side,
        salt=salt,
        deadline=deadline,
        orders=packed,
        commitments=tuple(commitments),
        signature=signature,
    )
