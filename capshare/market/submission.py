"""A clearing's wire form: packed big-endian bytes, as IClearing.Submission.

Orders are named by the place of their batch in a list and their index in it, fills by the places of
their orders. All lists ascend, so that one pass shows that nothing is listed twice.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields

from capshare.market import hints as settling
from capshare.market.book import Fill, Standing
from capshare.market.listing import Listing, list_book
from capshare.market.prices import Hints, PlacedFill, bounds
from capshare.orders import place_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """An allocation in wire form; the fields' order is the contract's."""

    batches: bytes  # 4 each: batch number, strictly ascending
    offers: bytes  # 3 each: place in `batches` (2), index in the batch (1)
    groups: bytes  # 2 each: number of offers
    requests: bytes  # 3 each
    kinds: bytes  # 2 each: number of requests
    dead: bytes  # 3 each: dead orders of both sides
    fills: bytes  # 8 each: request position (2), offer position (2), quantity (4)
    low_order: bytes  # 2 each: every kind once, by falling value
    group_order: bytes  # 2 each: every group once, by rising high
    high_order: bytes  # 4 each: kind with fills (2), the group whose high is its value (2)

    @property
    def size(self) -> int:
        """Count the bytes of all lists."""
        return sum(len(getattr(self, field.name)) for field in fields(self))


def build(standing: Standing, fills: Iterable[Fill], hints: Hints | None = None) -> Submission:
    """Return the wire form of an allocation of all standing orders of a market.

    `solver.solve(standing.book)` gives fills and hints. Without hints they are found here; the
    fills may be any feasible ones. Assumes at most 65,536 orders a side and batches.
    """
    listing = list_book(standing.book)
    placed = place(listing, fills)
    if hints is None:
        hints = settling.find(listing, bounds(listing, placed))
    sellers = [offer.id for offer in listing.offers]
    buyers = [request.id for request in listing.requests]
    batches = sorted({place_of(order)[0] for order in (*sellers, *buyers, *standing.dead)})

    def orders(ids: Iterable[int]) -> bytes:
        cut = (place_of(order) for order in ids)
        return b"".join(
            bisect_left(batches, batch).to_bytes(2, "big") + bytes([index]) for batch, index in cut
        )

    return Submission(
        batches=pack(batches, 4),
        offers=orders(sellers),
        groups=pack(_counts(listing.group_of, len(listing.groups)), 2),
        requests=orders(buyers),
        kinds=pack(_counts(listing.kind_of, len(listing.kinds)), 2),
        dead=orders(standing.dead),
        fills=b"".join(pack(fill[:2], 2) + pack(fill[2:], 4) for fill in placed),
        low_order=pack(hints.low_order, 2),
        group_order=pack(hints.group_order, 2),
        high_order=b"".join(pack(entry, 2) for entry in hints.high_order),
    )


def place(listing: Listing, fills: Iterable[Fill]) -> list[PlacedFill]:
    """Return fills by the positions of their orders, in canonical order."""
    sellers = {offer.id: position for position, offer in enumerate(listing.offers)}
    buyers = {request.id: position for position, request in enumerate(listing.requests)}
    return sorted((buyers[fill.request], sellers[fill.offer], fill.quantity) for fill in fills)


def pack(values: Iterable[int], width: int) -> bytes:
    """Return numbers in `width` bytes each."""
    return b"".join(value.to_bytes(width, "big") for value in values)


def cut(data: bytes, *widths: int) -> Iterator[tuple[int, ...]]:
    """List the entries of packed bytes, each cut into numbers of these widths."""
    at = 0
    while at < len(data):
        entry = []
        for width in widths:
            entry.append(int.from_bytes(data[at : at + width], "big"))
            at += width
        yield tuple(entry)


def _counts(places: Sequence[int], many: int) -> list[int]:
    counts = [0] * many
    for one in places:
        counts[one] += 1
    return counts
