"""How the same book trades without a clearing: greedy and first-come matching.

Both are the usual ways and the yardstick in reports. Each fill here has a price of its own between
ask and bid, so members would trade with each other at unequal prices; only quantities are returned.
Earlier means a smaller id. Trades of a member with itself count, as in a clearing.
"""

from collections.abc import Iterable
from heapq import heappop, heappush

from capshare.market.book import Book, Fill, StandingOffer, StandingRequest
from capshare.market.listing import bitmap, eligible_kinds, list_book, members


def surplus(book: Book, fills: Iterable[Fill]) -> int:
    """Return the sum of quantity * (bid - ask) over fills [token base units]."""
    asks = {offer.id: offer.price for offer in book.offers}
    bids = {request.id: request.price for request in book.requests}
    return sum(fill.quantity * (bids[fill.request] - asks[fill.offer]) for fill in fills)


def greedy(book: Book) -> list[Fill]:
    """Serve requests by falling bid, each from the cheapest offers that it can use."""
    listing = list_book(book)
    queues: list[list[tuple[int, int, int]]] = [[] for _ in listing.groups]  # ask, id, quantity
    for offer, group in zip(listing.offers, listing.group_of, strict=True):
        queues[group].append((offer.price, offer.id, offer.quantity))
    for queue in queues:
        queue.sort(reverse=True)
    filled = bitmap(range(len(queues)), queues)  # groups with something left
    fills = []
    places = sorted(
        range(len(listing.requests)),
        key=lambda place: (-listing.requests[place].price, listing.requests[place].id),
    )
    for place in places:
        request = listing.requests[place]
        eligible, wanted = listing.eligible[listing.kind_of[place]], request.quantity
        while wanted and eligible & filled:
            group = min(members(eligible & filled), key=lambda g: queues[g][-1])
            ask, offer_id, left = queues[group][-1]
            if ask > request.price:
                break
            quantity = min(wanted, left)
            fills.append(Fill(offer=offer_id, request=request.id, quantity=quantity))
            wanted -= quantity
            if left > quantity:
                queues[group][-1] = (ask, offer_id, left - quantity)
            else:
                queues[group].pop()
                filled ^= (not queues[group]) << group
    return fills


def first_come(book: Book) -> list[Fill]:
    """Let each order, as it arrives, take the best resting orders: price, then age."""
    listing = list_book(book)
    by_kind = eligible_kinds(listing.groups, listing.kinds)
    # Both sides rest in heaps of (price to beat, id, left) by group or kind; best first.
    sides = {
        True: ([[] for _ in listing.groups], listing.eligible),
        False: ([[] for _ in listing.kinds], by_kind),
    }
    return fills
