"""What stands in one market in one round: the orders that a clearing is about."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from capshare.orders import Batch, Offer, Request, Side, order_id

PRICE_BASE: Final = 1 << 40  # N: perturbed prices are price * N and a term below N of the id
ID_END: Final = 1 << 38  # ids are below
PRICE_END: Final = 1 << 72  # prices are below
INFINITY: Final = (1 << 128) - 1  # above every perturbed price


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingOffer:
    """An offer in the book and what is left of it."""

    id: int
    slot: int
    quantity: int  # left [capacity units]
    price: int  # ask [token base units per capacity unit]
    attributes: int = 0
    credit: int = 0
    member: int = 0
    asset: int = 0

    @property
    def perturbed(self) -> int:
        """Return the ask that no other order has: of equal asks the earlier is lower."""
        return self.price * PRICE_BASE + self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingRequest:
    """A request in the book and what is left of it."""

    id: int
    first_slot: int
    last_slot: int  # inclusive
    quantity: int  # left [capacity units]
    price: int  # bid [token base units per capacity unit]
    needs: int = 0
    min_credit: int = 0
    member: int = 0

    @property
    def perturbed(self) -> int:
        """Return the bid that no other order has: of equal bids the earlier is higher.

        The half makes it exceed an equal ask, so that trades at equal price happen.
        """
        return self.price * PRICE_BASE + PRICE_BASE // 2 - self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """The living orders of one market, in any order; ids are unique on each side."""

    offers: tuple[StandingOffer, ...]
    requests: tuple[StandingRequest, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """Part of an offer given to a request."""

    offer: int  # id
    request: int  # id
    quantity: int  # [capacity units]


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """One class in one round: what a clearing needs to know beside the batches."""

    class_code: int
    class_index: int
    round: int
    round_length: int  # R [s]
    slot_length: int  # S [s]
    gate_lead: int  # L [s]
    reference: int  # price [token base units per capacity unit]
    bond_rates: tuple[int, ...]  # by band [1/10,000]
    suspended: frozenset[int] = frozenset()  # members

    def is_open(self, slot: int) -> bool:
        """Tell whether the slot's gate comes no earlier than the round's end."""
        return (self.round + 1) * self.round_length + self.gate_lead <= slot * self.slot_length

    def is_dead(self, member: int, order: Offer | Request) -> bool:
        """Tell whether none of the order's slots is open, or its member is suspended."""
        last = order.slot if isinstance(order, Offer) else order.last_slot
        return member in self.suspended or not self.is_open(last)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """All standing orders of a market: the living, and the dead that a clearing removes."""

    book: Book
    dead: tuple[int, ...]  # ids, ascending

    @property
    def count(self) -> int:
        """Count the orders that a clearing has to list."""
        return len(self.book.offers) + len(self.book.requests) + len(self.dead)


def standing(market: Market, batches: Iterable[Batch]) -> Standing:
    """Select the market's standing orders: posted in an earlier round, and not gone.

    Batches of other classes and fresh ones are passed over.
    """
    offers: list[StandingOffer] = []
    requests: list[StandingRequest] = []
    dead: list[int] = []
    for batch in batches:
        if batch.class_index != market.class_index or batch.round >= market.round:
            continue
        for index, order in enumerate(batch.orders):
            if not batch.is_live(index):
                continue
            if market.is_dead(batch.member, order):
                dead.append(order_id(batch.number, index))
            elif batch.side == Side.OFFER:
                offers.append(standing_offer(batch, index))
            else:
                requests.append(standing_request(batch, index))
    return Standing(
        book=Book(offers=tuple(offers), requests=tuple(requests)), dead=tuple(sorted(dead))
    )


def standing_offer(batch: Batch, index: int) -> StandingOffer:
    """Return order `index` of a batch of offers with its id and what is left of it."""
    terms = batch.orders[index]
    assert isinstance(terms, Offer)
    return StandingOffer(
        id=order_id(batch.number, index),
        slot=terms.slot,
        quantity=batch.remaining(index),
        price=terms.price,
        attributes=terms.attributes,
        credit=terms.credit,
        member=batch.member,
        asset=terms.asset,
    )


def standing_request(batch: Batch, index: int) -> StandingRequest:
    """Return order `index` of a batch of requests with its id and what is left of it."""
    terms = batch.orders[index]
    assert isinstance(terms, Request)
    return StandingRequest(
        id=order_id(batch.number, index),
        first_slot=terms.first_slot,
        last_slot=terms.last_slot,
        quantity=batch.remaining(index),
        price=terms.price,
        needs=terms.needs,
        min_credit=terms.min_credit,
        member=batch.member,
    )
