"""The worst books that the bounds on a class allow, and what clearing them takes.

Every order is a batch of its own and another member's, every offer another asset's: whatever a
clearing reads or writes of an order, it finds cold. Slots count from the first that is open in the
round after the post.
"""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product

from capshare.devnet.evm import Machine
from capshare.market import solver
from capshare.market.book import standing
from capshare.market.submission import build
from capshare.orders import BATCH_ORDERS, Offer, Order, Request, Side, order_id
from capshare.parameters import ClassTerms
from tests.evm.books import AHEAD, Exchange, open_exchange, terms
from tests.evm.machines import Outcome
from tests.evm.shapes import SHARE
from tests.evm.transplant import measured
from tests.evm.world import revm_world

BLOCK = 90_000_000  # gas that every clearing has to stay within
ASK, BID = 1_000, 2_000  # [token base units per capacity unit]
ALL_BITS = (1 << 64) - 1
WINDOW, BITS = 7, 2  # of a class with 2,000 orders
CODE = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class WorstBook:
    """A book as it is posted, order by order."""

    listed: ClassTerms
    orders: tuple[Order, ...]
    waits: int = 1  # rounds from post to clearing; with 2, slot 0 is closed
    reduces: tuple[Side, ...] = ()  # whose orders are lowered by a unit: the rest has its own word
    is_netted: bool = False  # each member has an offer and a request
    is_hollow: bool = False  # of each batch all orders but the last are cancelled
    spacing: int = 1  # with 8, no two members' counts share a word


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What clearing a book took."""

    outcome: Outcome
    calldata: int  # [bytes]
    offers: int
    requests: int
    groups: int
    kinds: int
    fills: int
    dead: int


def every_kind_and_group() -> WorstBook:
    """Return 500 kinds × 500 groups, each eligible for all but a few, and one tree of fills.

    All attribute bits count and nearly all are needed, so that 63 sets have to be intersected.
    """
    groups = product(range(250), (ALL_BITS, ALL_BITS ^ 1))
    kinds = product((ALL_BITS ^ 1 ^ 1 << bit for bit in range(1, 64)), range(8))
    return WorstBook(
        listed=terms(CODE, window=255, book_size=1_000),
        orders=_dense(
            [_offer(slot, mask, 7) for slot, mask in islice(groups, 500)],
            [_request(0, 249, needs, credit) for needs, credit in islice(kinds, 500)],
        ),
    )


def pair_bound(*, reduces: tuple[Side, ...] = ()) -> WorstBook:
    """Return 2,000 orders at the bound on pairs, 1,000 kinds × 224 groups, and a forest."""
    return WorstBook(
        listed=_class_of_2_000(),
        orders=_dense(_offers(range(WINDOW), 1_000), _requests(0, 1_000)),
        reduces=reduces,
    )


def half_dead() -> WorstBook:
    """Return 2,000 orders at the bound of which the half is dead, on both sides."""
    dead = [*_offers([0], 500), *(_request(0, 0, 0, 0) for _ in range(500))]
    alive = _dense(_offers(range(1, WINDOW + 1), 500), _requests(1, 500))
    return WorstBook(listed=_class_of_2_000(), orders=(*dead, *alive), waits=2)


def offers_dead(*, is_hollow: bool = False) -> WorstBook:
    """Return 2,000 orders at the bound of which all offers are dead."""
    orders = (*_offers([0], 1_000), *_requests(1, 1_000))
    return WorstBook(listed=_class_of_2_000(), orders=orders, waits=2, is_hollow=is_hollow)


def lone_pairs(*, is_netted: bool, is_hollow: bool = False) -> WorstBook:
    """Return 1,000 pairs in slots of their own, of whose offers a rest stays: a new word each."""
    pairs = [
        (_offer(slot, 0, 7), replace(_request(slot, slot, 0, 0), quantity=9))
        for slot in range(1_000)
    ]
    return WorstBook(
        listed=_class_of_2_000(),
        orders=tuple(order for pair in pairs for order in pair),
        is_netted=is_netted,
        is_hollow=is_hollow,
        reduces=(Side.REQUEST,) if is_hollow else (),
    )


def _distant(make: Callable[[], WorstBook]) -> Callable[[], WorstBook]:
    """Let members post a book whose numbers are so far apart that no two share a word of counts."""
    return lambda: replace(make(), spacing=8)


BOOKS: Mapping[str, Callable[[], WorstBook]] = {
    "500 kinds x 500 groups": every_kind_and_group,
    "pair bound": pair_bound,
    "pair bound, distant members": _distant(pair_bound),
    "pair bound, reduced before": lambda: pair_bound(reduces=(Side.OFFER, Side.REQUEST)),
    "half dead": half_dead,
    "half dead, distant members": _distant(half_dead),
    "offers dead": offers_dead,
    "offers dead, in hollow batches": lambda: offers_dead(is_hollow=True),
    "lone pairs": lambda: lone_pairs(is_netted=False),
    "lone pairs, distant members": _distant(lambda: lone_pairs(is_netted=False)),
    "lone pairs, netted": lambda: lone_pairs(is_netted=True),
    "lone pairs, netted, distant members": _distant(lambda: lone_pairs(is_netted=True)),
    "lone pairs, netted, in hollow batches": lambda: lone_pairs(is_netted=True, is_hollow=True),
}


def exchange_for(book: WorstBook) -> Exchange:
    """Admit the members that post a book."""
    return open_exchange(revm_world, members_of(book), spacing=book.spacing)


def measure(exchange: Exchange, book: WorstBook, machine: Machine | None = None) -> Measured:
    """Post a book, one order a batch and a member, and clear it on py-evm."""
    numbers = post(exchange, book)
    found = standing(exchange.market(CODE), exchange.batches(numbers).values())
    best = solver.solve(found.book)
    submission = build(found, best.fills, best.hints)
    data = exchange.clear_data(CODE, submission)
    return Measured(
        outcome=measured(exchange.world, "Clearing", data, machine),
        calldata=len(data),
        offers=len(found.book.offers),
        requests=len(found.book.requests),
        groups=len(submission.groups) // 2,
        kinds=len(submission.kinds) // 2,
        fills=len(best.fills),
        dead=len(found.dead),
    )


def post(exchange: Exchange, book: WorstBook) -> list[int]:
    """Post a book's orders and go to the round of its clearing."""
    exchange.list_class(book.listed)
    first = exchange.round + AHEAD + 1
    numbers = []
    held = {Side.OFFER: 0, Side.REQUEST: 0}
    for place, order in enumerate(book.orders):
        member = exchange.traders[place // 2 if book.is_netted else place]
        placed: Order
        if isinstance(order, Offer):
            asset = exchange.add_asset(member, CODE, book.listed.mask)
            placed = replace(order, asset=asset, slot=first + order.slot)
        else:
            placed = replace(
                order, first_slot=first + order.first_slot, last_slot=first + order.last_slot
            )
        side = Side.OFFER if isinstance(order, Offer) else Side.REQUEST
        size = _most(held[side], book.listed.book_size // 2) if book.is_hollow else 1
        held[side] += 1
        number, _ = exchange.post(member, CODE, [placed] * size)
        numbers.append(number)
        wanted = {order_id(number, index): 0 for index in range(size - 1)}
        if side in book.reduces:
            wanted[order_id(number, size - 1)] = order.quantity - 1
        if wanted:
            assert exchange.reduce(member, wanted).ok
    exchange.to_round(exchange.round + book.waits)
    return numbers


def _most(held: int, most: int) -> int:
    """Return how many orders a member may post on a side that holds as many of others."""
    return min(BATCH_ORDERS, most - held, max(SHARE, (most - held) // 2))


def members_of(book: WorstBook) -> int:
    """Count the members that post a book."""
    return len(book.orders) // (2 if book.is_netted else 1)


def _class_of_2_000() -> ClassTerms:
    return terms(CODE, window=WINDOW, book_size=2_000, mask=(1 << BITS) - 1)


def _offer(slot: int, attributes: int, credit: int) -> Offer:
    return Offer(asset=0, slot=slot, quantity=10, price=ASK, attributes=attributes, credit=credit)


def _request(first: int, last: int, needs: int, credit: int) -> Request:
    return Request(
        first_slot=first, last_slot=last, quantity=10, price=BID, needs=needs, min_credit=credit
    )


def _offers(slots: Iterable[int], count: int) -> list[Offer]:
    """Return offers of as many groups as there are in these slots, in turn."""
    groups = list(product(slots, range(1 << BITS), range(8)))
    return [_offer(*groups[x % len(groups)]) for x in range(count)]


def _requests(first: int, count: int) -> list[Request]:
    """Return requests of a kind each: those that can use most of WINDOW slots come first."""

    def used(window: tuple[int, int]) -> int:
        return max(0, min(window[1], WINDOW - 1) - max(window[0], 0) + 1)

    windows = [
        (start, start + span)
        for start, span in product(range(1 - WINDOW, WINDOW), range(WINDOW))
        if start + span >= 0
    ]
    kinds = product(sorted(windows, key=used, reverse=True), range(1 << BITS), range(8))
    return [
        _request(first + window[0], first + window[1], needs, credit)
        for window, needs, credit in islice(kinds, count)
    ]


def _dense(offers: Sequence[Offer], requests: Sequence[Request]) -> tuple[Order, ...]:
    """Return orders of one total on both sides, but of no equal partial sums: all is one tree."""
    chance = random.Random(1)
    asked = [chance.randrange(10_000, 30_000) for _ in offers]
    wanted = [chance.randrange(10_000, 30_000) for _ in requests]
    short, gap = (wanted, sum(asked) - sum(wanted))
    if gap < 0:
        short, gap = asked, -gap
    for x in range(len(short)):
        short[x] += gap // len(short) + (x < gap % len(short))
    return (
        *(replace(o, quantity=q) for o, q in zip(offers, asked, strict=True)),
        *(replace(r, quantity=q) for r, q in zip(requests, wanted, strict=True)),
    )
