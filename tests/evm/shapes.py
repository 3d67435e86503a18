"""Books of the measured shapes, and the gas of posting and clearing them.

A shape is slots × attribute masks × credit bands; its generator is the one of the market's design.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from capshare.devnet.evm import Machine
from capshare.market import solver
from capshare.market.book import standing
from capshare.market.submission import build
from capshare.orders import Offer, Order, Request
from tests.evm.books import Exchange, terms
from tests.evm.machines import Outcome, Revm
from tests.evm.transplant import measured
from tests.evm.world import error_of

BATCH = 50  # orders of one member
SHARE = 20  # orders that an owner group may hold on a side that is nearly full
ASSET = 7  # offers of one asset in a row
REFERENCE = 4_000  # [token base units per capacity unit]
FIRST = 3  # the first slot, in slots after the round of the post: open when the book is cleared


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How varied a book's orders are."""

    slots: int
    masks: tuple[int, ...]
    bands: int
    window: int  # widest [slots]
    book_size: int  # most that the bounds allow the class


SHAPES = {
    "1slot": Shape(slots=1, masks=(0,), bands=1, window=1, book_size=2_000),
    "7x3": Shape(slots=7, masks=(0, 1, 3), bands=1, window=3, book_size=2_000),
    "30x5x3": Shape(slots=30, masks=(0, 1, 3, 7, 15), bands=3, window=7, book_size=1_000),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """Posts of one book: what each took, and which batches they are."""

    numbers: tuple[int, ...]
    offers: tuple[tuple[int, int], ...]  # orders, gas of each batch of offers
    requests: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleared:
    """A clearing of one book."""

    outcome: Outcome
    calldata: int  # [bytes]
    groups: int
    kinds: int
    fills: int
    deals: int


def orders_of(
    shape: Shape, first: int, count: int, seed: int = 3
) -> tuple[list[Offer], list[Request]]:
    """Return `count` offers (of asset 0) and as many requests for slots from `first` on."""
    chance = random.Random(seed)
    offers = [
        Offer(
            asset=0,
            slot=first + chance.randrange(shape.slots),
            quantity=chance.randint(1, 40),
            price=1_000 + chance.randrange(600),
            attributes=chance.choice(shape.masks),
            credit=chance.randrange(shape.bands),
        )
        for _ in range(count)
    ]
    requests = []
    for _ in range(count):
        start = first + chance.randrange(shape.slots)
        width = chance.randint(1, shape.window)
        requests.append(
            Request(
                first_slot=start,
                last_slot=min(first + shape.slots - 1, start + width - 1),
                quantity=chance.randint(1, 40),
                price=1_010 + chance.randrange(600),
                needs=chance.choice(shape.masks) & chance.choice(shape.masks),
                min_credit=chance.randrange(chance.randint(1, shape.bands)),
            )
        )
    return offers, requests


def cuts(count: int, most: int) -> Iterator[range]:
    """Cut orders into batches as large as the rule on shares lets different members post."""
    at = 0
    while at < count:
        size = min(BATCH, count - at)
        if size > SHARE and size > most - at - size:
            size = SHARE
        yield range(at, at + size)
        at += size


def traders_for(orders: int) -> int:
    """Return how many members it takes to post as many orders, half of them on either side."""
    return 2 * (orders // 2 // BATCH + 3)


def post_shape(exchange: Exchange, code: int, shape: Shape, count: int) -> Posted:
    """List a class and post `count` orders a side, batches of one member each."""
    mask = max(shape.masks)
    exchange.list_class(
        terms(
            code,
            reference=REFERENCE,
            window=shape.window,
            book_size=shape.book_size,
            mask=mask,
        )
    )
    offers, requests = orders_of(shape, exchange.round + FIRST, count)
    providers = exchange.traders[: len(exchange.traders) // 2]
    consumers = exchange.traders[len(exchange.traders) // 2 :]
    numbers: list[int] = []
    costs: tuple[list[tuple[int, int]], list[tuple[int, int]]] = ([], [])
    for place, cut in enumerate(cuts(count, shape.book_size // 2)):
        member = providers[place]
        mine: list[Order] = []
        for x, offer in enumerate(offers[cut.start : cut.stop]):
            if x % ASSET == 0:
                asset = exchange.add_asset(member, code, mask)
            mine.append(
                Offer(
                    asset=asset,
                    slot=offer.slot,
                    quantity=offer.quantity,
                    price=offer.price,
                    attributes=offer.attributes,
                    credit=offer.credit,
                )
            )
        number, outcome = exchange.post(member, code, mine)
        numbers.append(number)
        costs[0].append((len(mine), outcome.gas))
    for place, cut in enumerate(cuts(count, shape.book_size // 2)):
        theirs = requests[cut.start : cut.stop]
        number, outcome = exchange.post(consumers[place], code, theirs)
        numbers.append(number)
        costs[1].append((len(theirs), outcome.gas))
    return Posted(numbers=tuple(numbers), offers=tuple(costs[0]), requests=tuple(costs[1]))


def clear(
    exchange: Exchange, code: int, numbers: Sequence[int], machine: Machine | None = None
) -> Cleared:
    """Clear a market in the current round with the best allocation.

    A world on revm is measured on py-evm, in `machine` if one is given.
    """
    book = standing(exchange.market(code), exchange.batches(numbers).values())
    best = solver.solve(book.book)
    submission = build(book, best.fills, best.hints)
    data = exchange.clear_data(code, submission)
    if isinstance(exchange.world.machine, Revm):
        outcome = measured(exchange.world, "Clearing", data, machine)
    else:
        outcome = exchange.clear(code, submission)
    assert outcome.ok, error_of(outcome)
    members = {order.id: order.member for order in (*book.book.offers, *book.book.requests)}
    return Cleared(
        outcome=outcome,
        calldata=len(data),
        groups=len(submission.groups) // 2,
        kinds=len(submission.kinds) // 2,
        fills=len(best.fills),
        deals=sum(members[fill.offer] != members[fill.request] for fill in best.fills),
    )
