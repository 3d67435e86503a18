"""Books for the market's tests: vectors, data, random ones, and a slow second opinion on them."""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from capshare import data
from capshare.data import OfferRow
from capshare.market.book import (
    INFINITY,
    PRICE_BASE,
    Book,
    Fill,
    Market,
    StandingOffer,
    StandingRequest,
)
from capshare.market.listing import Group, group_key, is_eligible, kind_key
from capshare.orders import Batch, Offer, Order, Request, Side

TESTS = Path(__file__).parent.parent
DATA_BOOKS = TESTS / "data" / "books"


@cache
def vectors() -> list[dict[str, Any]]:
    """Read the market vectors."""
    content: list[dict[str, Any]] = json.loads((TESTS / "vectors" / "market.json").read_text())
    return content


def fills_of(rows: list[list[int]]) -> list[Fill]:
    """Read fills as the vectors write them."""
    return [Fill(offer=offer, request=request, quantity=q) for offer, request, q in rows]


def books_by_class(name: str) -> list[Book]:
    """Read a data book as one market a class; ids follow the order of arrival."""
    rows = data.book(name, DATA_BOOKS).rows
    markets: dict[int, tuple[list[StandingOffer], list[StandingRequest]]] = {}
    firms: dict[str, int] = {}
    for row in rows:
        offers, requests = markets.setdefault(row.class_code, ([], []))
        member = firms.setdefault(row.firm, len(firms) + 1)
        if isinstance(row, OfferRow):
            offers.append(
                StandingOffer(
                    id=64 + row.line,
                    member=member,
                    slot=row.slot,
                    quantity=row.quantity,
                    price=row.price,
                    attributes=row.attributes,
                    credit=row.credit,
                )
            )
        else:
            requests.append(
                StandingRequest(
                    id=64 + row.line,
                    member=member,
                    first_slot=row.first_slot,
                    last_slot=row.last_slot,
                    quantity=row.quantity,
                    price=row.price,
                    needs=row.needs,
                    min_credit=row.min_credit,
                )
            )
    return [Book(offers=tuple(o), requests=tuple(r)) for o, r in markets.values()]


# -- random books --------------------------------------------------------------------------------


@st.composite
def random_books(
    draw: st.DrawFn, most: int = 7, quantity: int = 4, prices: int = 6, members: int = 3
) -> Book:
    """Draw a small book: few prices, so that ties are common, and few slots, masks and bands."""
    count = draw(st.integers(0, most)), draw(st.integers(0, most))
    ids = draw(st.permutations(range(64, 64 + sum(count))))
    small = st.integers(1, quantity)
    masks = st.sampled_from((0, 1, 2, 3))
    offers = [
        StandingOffer(
            id=ids[n],
            member=draw(st.integers(1, members)),
            asset=n + 1,
            slot=draw(st.integers(10, 13)),
            quantity=draw(small),
            price=draw(st.integers(1, prices)),
            attributes=draw(masks),
            credit=draw(st.integers(0, 1)),
        )
        for n in range(count[0])
    ]
    requests = []
    for n in range(count[1]):
        first = draw(st.integers(9, 13))
        requests.append(
            StandingRequest(
                id=ids[count[0] + n],
                member=draw(st.integers(1, members)),
                first_slot=first,
                last_slot=first + draw(st.integers(0, 3)),
                quantity=draw(small),
                price=draw(st.integers(1, prices + 1)),
                needs=draw(masks) & draw(masks),
                min_credit=draw(st.integers(0, 1)),
            )
        )
    return Book(offers=tuple(offers), requests=tuple(requests))


# -- a second opinion ----------------------------------------------------------------------------


def eligible_pairs(book: Book) -> list[tuple[StandingOffer, StandingRequest]]:
    """List all pairs that may trade."""
    return [
        (offer, request)
        for offer in book.offers
        for request in book.requests
        if is_eligible(group_key(offer), kind_key(request))
    ]


def value(book: Book, fills: list[Fill]) -> int:
    """Return the perturbed surplus of fills."""
    asks = {offer.id: offer.perturbed for offer in book.offers}
    bids = {request.id: request.perturbed for request in book.requests}
    return sum(fill.quantity * (bids[fill.request] - asks[fill.offer]) for fill in fills)


def best_by_paths(book: Book) -> list[Fill]:
    """Solve a tiny book by augmenting along best paths, offer by request (Bellman-Ford)."""
    sellers, buyers, pairs = len(book.offers), len(book.requests), eligible_pairs(book)
    source, sink = sellers + buyers, sellers + buyers + 1
    seat = {offer.id: n for n, offer in enumerate(book.offers)}
    chair = {request.id: sellers + n for n, request in enumerate(book.requests)}
    edges: list[list[int]] = []  # tail, head, capacity, cost; the odd ones go back

    def join(tail: int, head: int, capacity: int, cost: int) -> None:
        edges.append([tail, head, capacity, cost])
        edges.append([head, tail, 0, -cost])

    for offer, request in pairs:
        most = min(offer.quantity, request.quantity)
        join(seat[offer.id], chair[request.id], most, 0)
    for offer in book.offers:
        join(source, seat[offer.id], offer.quantity, offer.perturbed)
    for request in book.requests:
        join(chair[request.id], sink, request.quantity, -request.perturbed)
    while True:
        cost, via = {source: 0}, {}
        for _ in range(sellers + buyers + 2):
            for number, (tail, head, capacity, price) in enumerate(edges):
                if capacity and tail in cost and cost[tail] + price < cost.get(head, INFINITY):
                    cost[head], via[head] = cost[tail] + price, number
        if cost.get(sink, 0) >= 0:
            break
        path, node = [], sink
        while node != source:
            path.append(via[node])
            node = edges[via[node]][0]
        pushed = min(edges[number][2] for number in path)
        for number in path:
            edges[number][2] -= pushed
            edges[number ^ 1][2] += pushed
    return [
        Fill(offer=offer.id, request=request.id, quantity=edges[2 * n + 1][2])
        for n, (offer, request) in enumerate(pairs)
        if edges[2 * n + 1][2]
    ]


def feasible(book: Book) -> Iterator[list[Fill]]:
    """List every feasible allocation of a tiny book."""
    pairs = eligible_pairs(book)

    def extend(place: int, left: dict[int, int], fills: list[Fill]) -> Iterator[list[Fill]]:
        if place == len(pairs):
            yield list(fills)
            return
        offer, request = pairs[place]
        for quantity in range(min(left[offer.id], left[request.id]) + 1):
            rest = dict(left)
            rest[offer.id] -= quantity
            rest[request.id] -= quantity
            fill = Fill(offer=offer.id, request=request.id, quantity=quantity)
            yield from extend(place + 1, rest, [*fills, fill] if quantity else fills)

    orders = (*book.offers, *book.requests)
    yield from extend(0, {order.id: order.quantity for order in orders}, [])


def naive_prices(book: Book, fills: list[Fill]) -> dict[Group, tuple[int, int, int]] | None:
    """Return low, high, price of every group as the rules define them; None if not optimal."""
    offers = {offer.id: offer for offer in book.offers}
    requests = {request.id: request for request in book.requests}
    sold = dict.fromkeys(offers, 0)
    bought = dict.fromkeys(requests, 0)
    groups = {group_key(offer) for offer in book.offers}
    low, cap = dict.fromkeys(groups, 0), dict.fromkeys(groups, INFINITY)
    arcs = set()
    for fill in fills:
        sold[fill.offer] += fill.quantity
        bought[fill.request] += fill.quantity
        group, request = group_key(offers[fill.offer]), requests[fill.request]
        cap[group] = min(cap[group], request.perturbed)
        arcs |= {(group, other) for other in groups if is_eligible(other, kind_key(request))}
    for offer in book.offers:
        group = group_key(offer)
        if sold[offer.id]:
            low[group] = max(low[group], offer.perturbed)
        if sold[offer.id] < offer.quantity:
            cap[group] = min(cap[group], offer.perturbed)
    for request in book.requests:
        if bought[request.id] < request.quantity:
            for group in groups:
                if is_eligible(group, kind_key(request)):
                    low[group] = max(low[group], request.perturbed)
    high = dict(cap)
    for _ in groups:
        for group, other in arcs:
            low[other] = max(low[other], low[group])
            high[group] = min(high[group], high[other])
    if any(low[group] > cap[group] for group in groups):
        return None
    return {g: (low[g], high[g], (low[g] + high[g]) // 2 // PRICE_BASE) for g in groups}


# -- batches -------------------------------------------------------------------------------------

MARKET = Market(
    class_code=0x05323000,
    class_index=3,
    round=7,
    round_length=100,
    slot_length=1000,
    gate_lead=50,  # slots from 1 on are open: (7 + 1) * 100 + 50 <= 1000
    reference=4,
    bond_rates=(3000, 2500, 2000, 1500, 1200, 1000, 800, 500),
)


def batch(number: int, *orders: Order, **changes: Any) -> Batch:
    """Return a standing batch of MARKET; `changes` override its fields."""
    side = Side.OFFER if isinstance(orders[0], Offer) else Side.REQUEST
    made = Batch(
        number=number,
        member=number,
        side=side,
        class_index=MARKET.class_index,
        round=MARKET.round - 1,
        orders=orders,
    )
    return replace(made, **changes)


def offer(**changes: Any) -> Offer:
    """Return an offer of 5 units at 10 in slot 12; `changes` override."""
    return replace(Offer(asset=1, slot=12, quantity=5, price=10), **changes)


def request(**changes: Any) -> Request:
    """Return a request for 5 units at 12 in slots 12 to 13; `changes` override."""
    return replace(Request(first_slot=12, last_slot=13, quantity=5, price=12), **changes)


def batches_of(book: Book) -> dict[int, Batch]:
    """Post a random book: an order a batch, so that ids keep their order; number = id."""
    made = {}
    for sold in book.offers:
        terms = Offer(
            asset=sold.asset,
            slot=sold.slot,
            quantity=sold.quantity,
            price=sold.price,
            attributes=sold.attributes,
            credit=sold.credit,
        )
        made[sold.id] = batch(sold.id, terms, member=sold.member)
    for wanted in book.requests:
        needs = Request(
            first_slot=wanted.first_slot,
            last_slot=wanted.last_slot,
            quantity=wanted.quantity,
            price=wanted.price,
            needs=wanted.needs,
            min_credit=wanted.min_credit,
        )
        made[wanted.id] = batch(wanted.id, needs, member=wanted.member)
    return made
