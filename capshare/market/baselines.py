"""How the same book trades without a clearing: greedy and first-come matching.

Both are usual practice and the yardstick in reports. Each of their fills has its own price between
ask and bid, so equals trade at unequal prices; only quantities are returned. Earlier means a
smaller id. Trades of a member with itself count, as in a clearing.
"""

from collections.abc import Iterable, Iterator
from heapq import heappop, heappush

from capshare.market.book import Book, Fill
from capshare.market.listing import eligible_kinds, list_book, members


def surplus(book: Book, fills: Iterable[Fill]) -> int:
    """Return the sum of quantity * (bid - ask) over fills [token base units]."""
    asks = {offer.id: offer.price for offer in book.offers}
    bids = {request.id: request.price for request in book.requests}
    return sum(fill.quantity * (bids[fill.request] - asks[fill.offer]) for fill in fills)


def greedy(book: Book) -> list[Fill]:
    """Serve requests by falling bid, each from the cheapest offers that it can use."""
    listing = list_book(book)
    offers = _Resting(len(listing.groups))
    for group, offer in zip(listing.group_of, listing.offers, strict=True):
        offers.add(group, offer.price, offer.id, offer.quantity)
    by_bid = sorted(
        zip(listing.requests, listing.kind_of, strict=True),
        key=lambda entry: (-entry[0].price, entry[0].id),
    )
    return [
        Fill(offer=offer, request=request.id, quantity=quantity)
        for request, kind in by_bid
        for offer, quantity in offers.take(listing.eligible[kind], request.price, request.quantity)
    ]


def first_come(book: Book) -> list[Fill]:
    """Let each order, as it arrives, take the best resting orders: price, then age."""
    listing = list_book(book)
    usable_by = eligible_kinds(listing.groups, listing.kinds)
    offers, requests = _Resting(len(listing.groups)), _Resting(len(listing.kinds))
    fills = []
    arrivals = [(offer.id, 0, place) for place, offer in enumerate(listing.offers)]
    arrivals += [(request.id, 1, place) for place, request in enumerate(listing.requests)]
    for order, is_request, place in sorted(arrivals):
        if is_request:
            request, kind = listing.requests[place], listing.kind_of[place]
            left = request.quantity
            for offer, quantity in offers.take(listing.eligible[kind], request.price, left):
                fills.append(Fill(offer=offer, request=order, quantity=quantity))
                left -= quantity
            requests.add(kind, -request.price, order, left)
        else:
            arrived, group = listing.offers[place], listing.group_of[place]
            left = arrived.quantity
            for buyer, quantity in requests.take(usable_by[group], -arrived.price, left):
                fills.append(Fill(offer=order, request=buyer, quantity=quantity))
                left -= quantity
            offers.add(group, arrived.price, order, left)
    return fills


class _Resting:
    """Orders of one side by group or kind, best first: lowest ask, or lowest negated bid."""

    def __init__(self, places: int) -> None:
        self.heaps: list[list[tuple[int, int, int]]] = [[] for _ in range(places)]
        self.held = 0  # set of the places that hold something

    def add(self, place: int, price: int, order: int, quantity: int) -> None:
        """Let what is left of an order rest."""
        if quantity:
            heappush(self.heaps[place], (price, order, quantity))
            self.held |= 1 << place

    def take(self, places: int, limit: int, wanted: int) -> Iterator[tuple[int, int]]:
        """Take up to `wanted` units at prices up to `limit`: ids and quantities, best first."""
        while wanted and places & self.held:
            place = min(members(places & self.held), key=lambda place: self.heaps[place][0])
            heap = self.heaps[place]
            price, order, left = heap[0]
            if price > limit:
                return
            quantity = min(wanted, left)
            wanted -= quantity
            if left > quantity:
                heap[0] = (price, order, left - quantity)  # stays the best: price and id are kept
            else:
                heappop(heap)
                self.held ^= (not heap) << place
            yield order, quantity
