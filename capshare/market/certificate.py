"""Check an allocation as the contract does: nothing of it is trusted, the prices are derived.

`verify` takes a clearing's wire form and mirrors contracts/Clearing.sol: same errors, same values,
same order. `check` takes fills by order id and has no bound on the book; it finds the hints itself.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NoReturn, TypeVar

from capshare.errors import Discrepancy, RuleRefused
from capshare.market import hints as settling
from capshare.market.book import (
    Book,
    Fill,
    Market,
    StandingOffer,
    StandingRequest,
    standing_offer,
    standing_request,
)
from capshare.market.listing import (
    Group,
    Kind,
    Listing,
    eligible_groups,
    group_key,
    is_eligible,
    kind_key,
    list_book,
)
from capshare.market.prices import GroupPrice, Hints, PlacedFill, bounds, prove
from capshare.market.submission import Submission, cut, place
from capshare.orders import Batch, Side, order_id

_Key = TypeVar("_Key", Group, Kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """An allocation that is proven to be optimal, and the prices that it implies."""

    listing: Listing
    placed: tuple[PlacedFill, ...]  # in canonical order
    hints: Hints
    prices: tuple[GroupPrice, ...]  # of the groups that traded, ascending
    dead: tuple[int, ...] = ()  # ids of the dead orders, ascending

    @property
    def fills(self) -> tuple[Fill, ...]:
        """List the fills by order id, in canonical order."""
        offers, requests = self.listing.offers, self.listing.requests
        return tuple(
            Fill(offer=offers[offer].id, request=requests[request].id, quantity=quantity)
            for request, offer, quantity in self.placed
        )

    @property
    def fill_prices(self) -> tuple[int, ...]:
        """List the fills' prices [token base units per capacity unit], as `fills`."""
        by_group = {(row.slot, row.attributes, row.credit): row.price for row in self.prices}
        return tuple(by_group[group_key(self.listing.offers[offer])] for _, offer, _ in self.placed)


class AllocationRefused(Discrepancy):
    """Report an allocation that `check` refuses; `reason` is one of REASONS."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


REASONS = (
    "unsorted",
    "duplicate",
    "unknown order",
    "missing order",
    "empty fill",
    "ineligible",
    "overfill",
    "too many fills",
    "suboptimal",
)


# -- by order id ---------------------------------------------------------------------------------


def check(
    book: Book,
    fills: Iterable[Fill],
    listed: tuple[Sequence[int], Sequence[int]] | None = None,
) -> Certificate:
    """Return the proof that the fills are an optimal allocation of the book.

    `listed` are the ids of offers and of requests as somebody listed them; by default the whole
    book's. Raise `AllocationRefused` with the first reason met.
    """
    offers = {offer.id: offer for offer in book.offers}
    requests = {request.id: request for request in book.requests}
    if listed is not None:
        _check_listed(listed[0], offers)
        _check_listed(listed[1], requests)
    given = tuple(fills)
    _check_fills(given, offers, requests)
    listing = list_book(book)
    placed = place(listing, given)
    found = bounds(listing, placed)
    hints = settling.find(listing, found)
    try:
        prices = prove(listing, found, hints)
    except RuleRefused as error:
        slot, attributes, credit, low, cap = error.values
        raise AllocationRefused(
            "suboptimal",
            f"in the group of slot {slot}, attributes {attributes}, credit {credit} "
            f"the lowest price {low} exceeds the highest {cap}, so another allocation is better",
        ) from error
    return Certificate(listing=listing, placed=tuple(placed), hints=hints, prices=prices)


def _check_listed(listed: Sequence[int], known: Mapping[int, object]) -> None:
    previous = -1
    for order in listed:
        if order == previous:
            raise AllocationRefused("duplicate", f"order {order} is listed twice")
        if order < previous:
            raise AllocationRefused("unsorted", f"order {order} is listed after {previous}")
        previous = order
    for order in listed:
        if order not in known:
            raise AllocationRefused("unknown order", f"the book has no order {order}")
    for order in known.keys() - set(listed):
        raise AllocationRefused("missing order", f"order {order} is not listed")


def _check_fills(
    fills: Sequence[Fill],
    offers: Mapping[int, StandingOffer],
    requests: Mapping[int, StandingRequest],
) -> None:
    offered = {order: offer.quantity for order, offer in offers.items()}
    wanted = {order: request.quantity for order, request in requests.items()}
    pairs: set[tuple[int, int]] = set()
    for fill in fills:
        pair = (fill.offer, fill.request)
        if fill.offer not in offers or fill.request not in requests:
            raise AllocationRefused("unknown order", f"the book lacks an order of {_named(pair)}")
        if fill.quantity <= 0:
            raise AllocationRefused("empty fill", f"{fill.quantity} units in {_named(pair)}")
        if not is_eligible(group_key(offers[fill.offer]), kind_key(requests[fill.request])):
            raise AllocationRefused("ineligible", _named(pair))
        for left, order in ((offered, fill.offer), (wanted, fill.request)):
            left[order] -= fill.quantity
            if left[order] < 0:
                raise AllocationRefused(
                    "overfill", f"order {order} is given {-left[order]} units too many"
                )
        if pair in pairs:
            raise AllocationRefused("duplicate", f"{_named(pair)} is listed twice")
        pairs.add(pair)
    filled = len({pair[0] for pair in pairs}) + len({pair[1] for pair in pairs})
    if pairs and len(pairs) >= filled:
        raise AllocationRefused(
            "too many fills", f"{len(pairs)} fills for {filled} orders: one less is always enough"
        )


def _named(pair: tuple[int, int]) -> str:
    return f"the fill of offer {pair[0]} to request {pair[1]}"


# -- in wire form --------------------------------------------------------------------------------


def verify(
    market: Market, batches: Mapping[int, Batch], submission: Submission, *, standing: int
) -> Certificate:
    """Return the proof that a submission is an optimal clearing of the market.

    `batches` are the known batches by number, of this class or any; `standing` is the market's
    count of standing orders. Raise `RuleRefused` with the contract's error and values. Assumes that
    the class is known, not cleared in this round, and has standing orders.
    """
    _check_lengths(submission)
    listed = _batches(market, batches, submission.batches)
    offers, groups, group_of = _walk_offers(market, listed, submission)
    requests, kinds, kind_of = _walk_requests(market, listed, submission)
    dead = _dead(market, listed, submission.dead)
    count = len(offers) + len(requests) + len(dead)
    if count != standing:
        _refuse("Incomplete", count, standing)
    listing = Listing(
        offers=tuple(offers),
        requests=tuple(requests),
        groups=tuple(groups),
        kinds=tuple(kinds),
        group_of=tuple(group_of),
        kind_of=tuple(kind_of),
        eligible=eligible_groups(groups, kinds),
    )
    placed = _fills(listing, submission.fills)
    hints = Hints(
        low_order=tuple(kind for (kind,) in cut(submission.low_order, 2)),
        group_order=tuple(group for (group,) in cut(submission.group_order, 2)),
        high_order=tuple((kind, group) for kind, group in cut(submission.high_order, 2, 2)),
    )
    prices = prove(listing, bounds(listing, placed), hints)
    return Certificate(
        listing=listing, placed=tuple(placed), hints=hints, prices=prices, dead=tuple(dead)
    )


_WIDTHS = {
    "batches": 4,
    "offers": 3,
    "groups": 2,
    "requests": 3,
    "kinds": 2,
    "dead": 3,
    "fills": 8,
    "lowOrder": 2,
    "groupOrder": 2,
    "highOrder": 4,
}


def _refuse(name: str, *values: object) -> NoReturn:
    raise RuleRefused(name=name, values=values)


def _malformed(name: str, position: int) -> NoReturn:
    _refuse("Malformed", name.encode().ljust(32, b"\0"), position)


def _check_lengths(submission: Submission) -> None:
    for field, (name, width) in zip(Submission.__slots__, _WIDTHS.items(), strict=True):
        length = len(getattr(submission, field))
        if length % width:
            _malformed(name, length)
    for name, counts, orders in (
        ("offers", submission.groups, submission.offers),
        ("requests", submission.kinds, submission.requests),
    ):
        total = sum(count for (count,) in cut(counts, 2))
        if total != len(orders) // _WIDTHS[name]:
            _malformed(name, total)


def _batches(market: Market, batches: Mapping[int, Batch], data: bytes) -> list[Batch]:
    listed: list[Batch] = []
    for position, (number,) in enumerate(cut(data, 4)):
        if listed and number <= listed[-1].number:
            _refuse("BatchesUnsorted", position)
        batch = batches.get(number)
        if batch is None or batch.class_index != market.class_index or batch.round >= market.round:
            _refuse("BatchNotStanding", number)
        listed.append(batch)
    return listed


def _find(listed: Sequence[Batch], name: str, position: int, place: int) -> Batch:
    if place >= len(listed):
        _malformed(name, position)
    return listed[place]


def _walk(
    listed: Sequence[Batch], side: Side, orders: bytes, counts: bytes
) -> Iterator[tuple[int, bool, Batch, int, int]]:
    """List each order's part (group or kind), whether it opens it, its batch, index and id.

    Refuses what does not stand, is of the other side, or not after the one before in its part.
    """
    name, counts_name = ("offers", "groups") if side == Side.OFFER else ("requests", "kinds")
    entries = enumerate(cut(orders, 2, 1))
    for part, (count,) in enumerate(cut(counts, 2)):
        if not count:
            _malformed(counts_name, part)
        previous = -1
        for position, (place_in_list, index) in islice(entries, count):
            batch = _find(listed, name, position, place_in_list)
            order = order_id(batch.number, index)
            if batch.side != side or not batch.is_live(index):
                _refuse("OrderNotStanding", order)
            if order <= previous:
                _refuse("OrdersUnsorted", order)
            yield part, previous < 0, batch, index, order
            previous = order


def _walk_offers(
    market: Market, listed: Sequence[Batch], submission: Submission
) -> tuple[list[StandingOffer], list[Group], list[int]]:
    offers: list[StandingOffer] = []
    groups: list[Group] = []
    group_of: list[int] = []
    walk = _walk(listed, Side.OFFER, submission.offers, submission.groups)
    for group, is_first, batch, index, order in walk:
        offer = standing_offer(batch, index)
        _check_key(group_key(offer), groups, "GroupsUnsorted", group, is_first, order)
        if market.is_dead(batch.member, batch.orders[index]):
            _refuse("OrderDead", order)
        offers.append(offer)
        group_of.append(group)
    return offers, groups, group_of


def _walk_requests(
    market: Market, listed: Sequence[Batch], submission: Submission
) -> tuple[list[StandingRequest], list[Kind], list[int]]:
    requests: list[StandingRequest] = []
    kinds: list[Kind] = []
    kind_of: list[int] = []
    walk = _walk(listed, Side.REQUEST, submission.requests, submission.kinds)
    for kind, is_first, batch, index, order in walk:
        request = standing_request(batch, index)
        _check_key(kind_key(request), kinds, "KindsUnsorted", kind, is_first, order)
        if market.is_dead(batch.member, batch.orders[index]):
            _refuse("OrderDead", order)
        requests.append(request)
        kind_of.append(kind)
    return requests, kinds, kind_of


def _check_key(
    key: _Key, keys: list[_Key], unsorted: str, part: int, is_first: bool, order: int
) -> None:
    """Keep the key that opens a part, above the one before; require it of the others."""
    if is_first:
        if keys and key <= keys[-1]:
            _refuse(unsorted, part)
        keys.append(key)
    elif key != keys[-1]:
        _refuse("WrongGroup", order)


def _dead(market: Market, listed: Sequence[Batch], data: bytes) -> list[int]:
    dead: list[int] = []
    for position, (place_in_list, index) in enumerate(cut(data, 2, 1)):
        batch = _find(listed, "dead", position, place_in_list)
        order = order_id(batch.number, index)
        if not batch.is_live(index):
            _refuse("OrderNotStanding", order)
        if dead and order <= dead[-1]:
            _refuse("OrdersUnsorted", order)
        if not market.is_dead(batch.member, batch.orders[index]):
            _refuse("OrderAlive", order)
        dead.append(order)
    return dead


def _fills(listing: Listing, data: bytes) -> list[PlacedFill]:
    """Read fills that ascend, are eligible and within what is left, and few enough."""
    offered = [offer.quantity for offer in listing.offers]
    wanted = [request.quantity for request in listing.requests]
    placed: list[PlacedFill] = []
    previous = (-1, -1)
    for position, (request, offer, quantity) in enumerate(cut(data, 2, 2, 4)):
        if (request, offer) <= previous:
            _refuse("FillsUnsorted", position)
        previous = (request, offer)
        if offer >= len(offered) or request >= len(wanted):
            _malformed("fills", position)
        seller, buyer = listing.offers[offer].id, listing.requests[request].id
        if not quantity:
            _refuse("EmptyFill", seller, buyer)
        group, kind = listing.group_of[offer], listing.kind_of[request]
        if not listing.eligible[kind] >> group & 1:
            _refuse("Ineligible", seller, buyer)
        if quantity > offered[offer]:
            _refuse("Overfill", seller)
        if quantity > wanted[request]:
            _refuse("Overfill", buyer)
        offered[offer] -= quantity
        wanted[request] -= quantity
        placed.append((request, offer, quantity))
    filled = len({fill[0] for fill in placed}) + len({fill[1] for fill in placed})
    if placed and len(placed) >= filled:
        _refuse("TooManyFills", len(placed), filled)
    return placed
