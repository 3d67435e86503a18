"""Random books of all sorts, posted on the contracts and ready to be cleared."""

import random
from dataclasses import dataclass, replace

from capshare.market import solver
from capshare.market.book import standing
from capshare.market.submission import build
from capshare.orders import Offer, Order, Request, order_id
from tests.evm.books import AHEAD, Exchange, terms
from tests.evm.perturbations import Case

MASKS = ((0,), (0, 1), (0, 1, 3), (0, 1, 2, 3, 7), (0, 1 << 63, 1 << 63 | 5, (1 << 64) - 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What a book is made of."""

    offers: int
    requests: int
    slots: int
    masks: tuple[int, ...]
    bands: int
    widest: int  # [slots]
    price: int  # least [token base units per capacity unit]
    spread: int
    units: int  # most of an order [capacity units]
    members: int
    reference: int
    waits: int  # rounds from post to clearing; from 2 on the first slots are dead
    suspends: bool
    reduced: float  # share of the orders


@dataclass(slots=True, kw_only=True)
class Posted:
    """A book on the contracts."""

    code: int
    numbers: list[int]  # its batches, fresh ones included
    strangers: tuple[int, ...]


def recipe(chance: random.Random, *, large: bool) -> Recipe:
    """Draw a recipe. A large one has at least 200 orders, 3 slots and attributes."""
    rich = chance.random() < 0.05
    most = 160 if large else chance.choice((4, 12, 20, 30))
    least = 104 if large else chance.choice((1, 4, 4))
    spread = chance.choice((1, 1, 2, 2, 3, 5, 10, 1_000))
    return Recipe(
        offers=chance.randint(least, most),
        requests=chance.randint(least, most),
        slots=chance.randint(4, 9) if large else chance.choice((1, 2, 2, 3, 5)),
        masks=chance.choice(MASKS[1:] if large else MASKS),
        bands=chance.choice((1, 2, 3, 8)),
        widest=chance.randint(1, 7),
        price=(1 << 72) - 1 - 2 * spread if rich else chance.choice((0, 1, 100, 1_000)),
        spread=spread,
        units=3 if rich else chance.choice((2, 5, 40, 40, 1_000_000)),
        members=chance.choice((1, 2, 2, 3, 3, 5, 8)),
        reference=(1 << 72) - 1 if rich else chance.choice((1, 100, 5_000)),
        waits=chance.choice((1, 2, 2, 2)),
        suspends=chance.random() < 0.2,
        reduced=chance.choice((0.0, 0.1, 0.3)),
    )


def post_book(exchange: Exchange, code: int, made: Recipe, chance: random.Random) -> Posted:
    """List a class, post the book's orders, lower some, and go to the round of the clearing."""
    mask = 0
    for each in made.masks:
        mask |= each
    exchange.list_class(terms(code, reference=made.reference, window=8, mask=mask))
    members = chance.sample(list(exchange.traders), made.members)
    assets = {member: exchange.add_asset(member, code, mask) for member in members}
    first = exchange.round + AHEAD + 1
    sides: list[list[Order]] = [
        [_offer(chance, made, first) for _ in range(made.offers)],
        [_request(chance, made, first) for _ in range(made.requests)],
    ]
    numbers = []
    largest = chance.choice((1, 3, 12, 64))
    while any(sides):
        side = chance.choice([side for side in sides if side])
        size = chance.randint(1, largest)
        member = chance.choice(members)
        batch = [
            replace(order, asset=assets[member]) if isinstance(order, Offer) else order
            for order in side[:size]
        ]
        del side[:size]
        number, _ = exchange.post(member, code, batch)
        numbers.append(number)
        lowered = {
            order_id(number, index): chance.choice((0, chance.randrange(order.quantity)))
            for index, order in enumerate(batch)
            if chance.random() < made.reduced
        }
        if lowered:
            assert exchange.reduce(member, lowered).ok
    exchange.to_round(exchange.round + made.waits)
    fresh, _ = exchange.post(members[0], code, [_request(chance, made, exchange.round + 5)])
    if made.suspends:
        exchange.suspend(chance.choice(members))
    strangers = (fresh, *((chance.randrange(1, numbers[0]),) if numbers[0] > 1 else ()))
    return Posted(code=code, numbers=[*numbers, fresh], strangers=strangers)


def case_of(exchange: Exchange, posted: Posted) -> Case:
    """Read the book off the chain and find the clearing that the contract has to accept."""
    market = exchange.market(posted.code)
    batches = exchange.batches({*posted.numbers, *posted.strangers})
    found = standing(market, batches.values())
    best = solver.solve(found.book)
    return Case(
        market=market,
        batches=batches,
        standing=found,
        fills=best.fills,
        submission=build(found, best.fills, best.hints),
        strangers=posted.strangers,
    )


def _offer(chance: random.Random, made: Recipe, first: int) -> Offer:
    return Offer(
        asset=0,
        slot=first + chance.randrange(made.slots),
        quantity=chance.randint(1, made.units),
        price=made.price + chance.randrange(made.spread),
        attributes=chance.choice(made.masks),
        credit=chance.randrange(made.bands),
    )


def _request(chance: random.Random, made: Recipe, first: int) -> Request:
    start = first + chance.randrange(made.slots)
    return Request(
        first_slot=start,
        last_slot=start + chance.randrange(made.widest),
        quantity=chance.randint(1, made.units),
        price=made.price + chance.randrange(made.spread) + chance.randrange(2) * made.spread // 4,
        needs=chance.choice(made.masks) & chance.choice(made.masks),
        min_credit=chance.randrange(chance.randint(1, made.bands)),
    )
