"""The best allocation of a book: greatest surplus, then greatest volume, then earliest orders.

What each order trades, and the groups' prices, are unique; the fills are an optimal forest, fewer
than there are orders with one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from capshare.errors import CapshareError
from capshare.market import certificate, forest, network, paths
from capshare.market.book import Book, Fill
from capshare.market.listing import Listing, list_book
from capshare.market.prices import GroupPrice, Hints

#: Most orders that are solved without OR-tools: a second or two.
SMALL: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """The best allocation of a book, proven to be it."""

    fills: tuple[Fill, ...]  # in canonical order
    hints: Hints
    prices: tuple[GroupPrice, ...]  # of the groups that traded, ascending
    surplus: int  # sum of quantity * (bid - ask) [token base units]
    volume: int  # [capacity units]
    sold: Mapping[int, int]  # by offer id, ascending; without zeros
    bought: Mapping[int, int]  # by request id, ascending; without zeros


def solve(book: Book) -> Allocation:
    """Find the best allocation of a book of any size, and prove it.

    Books of more than SMALL orders need OR-tools: raises `network.MissingSolver` without it.
    """
    listing = list_book(book)
    sold, bought, flows = _best_flows(listing)
    fills = tuple(
        Fill(
            offer=listing.offers[offer].id,
            request=listing.requests[request].id,
            quantity=quantity,
        )
        for request, offer, quantity in forest.lay(listing, forest.acyclic(flows), sold, bought)
    )
    try:
        proof = certificate.check(book, fills)
    except certificate.AllocationRefused as error:
        raise CapshareError(
            f"the solver's allocation was refused: {error}", next_step="Report it with the book."
        ) from error
    asked = sum(
        quantity * offer.price for quantity, offer in zip(sold, listing.offers, strict=True)
    )
    bid = sum(
        quantity * request.price for quantity, request in zip(bought, listing.requests, strict=True)
    )
    sellers = zip((offer.id for offer in listing.offers), sold, strict=True)
    buyers = zip((request.id for request in listing.requests), bought, strict=True)
    return Allocation(
        fills=fills,
        hints=proof.hints,
        prices=proof.prices,
        surplus=bid - asked,
        volume=sum(sold),
        sold=dict(sorted(entry for entry in sellers if entry[1])),
        bought=dict(sorted(entry for entry in buyers if entry[1])),
    )


def _best_flows(listing: Listing) -> tuple[list[int], list[int], dict[tuple[int, int], int]]:
    offered = sum(offer.quantity for offer in listing.offers)
    wanted = sum(request.quantity for request in listing.requests)
    is_small = len(listing.offers) + len(listing.requests) <= SMALL
    # OR-tools counts in 64 bits; and without it, small books can be solved all the same.
    if max(offered, wanted) >= network.FLOW_END or (is_small and not network.is_installed()):
        return paths.best_flows(listing)
    return network.best_flows(listing)
