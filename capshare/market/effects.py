"""What a proven clearing changes: deals, money and open value set free, what is left of orders.

Twin of contracts/libraries/Effects.sol; carries nothing out.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from capshare.market.book import Book, Market
from capshare.market.certificate import Certificate
from capshare.market.commitment import DealTerms, deals, root
from capshare.orders import bond_per_unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """What a clearing changes."""

    deals: tuple[DealTerms, ...]  # in fill order
    root: bytes  # over them
    fill_prices: tuple[int, ...]  # of all fills [token base units per capacity unit]
    freed: tuple[tuple[int, int], ...]  # member, its locked money that comes free, in order
    closed: tuple[tuple[int, int], ...]  # member, by how much its open value falls, in order
    filled: tuple[int, ...]  # ids of orders filled in full; offers, then requests, as listed
    partly: tuple[tuple[int, int], ...]  # ids of partly filled orders and what is left; likewise
    dead: tuple[int, ...]  # ids of dead orders, which the book removes and refunds


def effects(market: Market, certificate: Certificate) -> Effects:
    """Work out what a clearing changes.

    A consumer's money beyond the price comes free. A fill inside one member is netted: all its
    money and the bond come free, the open value falls. Sums run over consecutive fills of one
    consumer; sums of zero are left out.
    """
    listing, prices = certificate.listing, certificate.fill_prices
    freed: list[tuple[int, int]] = []
    closed: list[tuple[int, int]] = []
    offered = [offer.quantity for offer in listing.offers]
    wanted = [request.quantity for request in listing.requests]
    for (buyer, seller, quantity), price in zip(certificate.placed, prices, strict=True):
        request, offer = listing.requests[buyer], listing.offers[seller]
        wanted[buyer] -= quantity
        offered[seller] -= quantity
        if offer.member == request.member:
            bond = bond_per_unit(offer.price, offer.credit, market.reference, market.bond_rates)
            freed.append((request.member, quantity * (request.price + bond)))
            closed.append((request.member, quantity * market.reference))
        else:
            freed.append((request.member, quantity * (request.price - price)))
            closed.append((request.member, 0))
    left = {
        **{listing.offers[seller].id: offered[seller] for seller in _touched(certificate, 1)},
        **{listing.requests[buyer].id: wanted[buyer] for buyer in _touched(certificate, 0)},
    }
    made = deals(
        market,
        Book(offers=listing.offers, requests=listing.requests),
        certificate.fills,
        prices,
    )
    return Effects(
        deals=made,
        root=root([deal.leaf() for deal in made]),
        fill_prices=prices,
        freed=_by_run(freed),
        closed=_by_run(closed),
        filled=tuple(order for order, rest in left.items() if not rest),
        partly=tuple((order, rest) for order, rest in left.items() if rest),
        dead=certificate.dead,
    )


def _touched(certificate: Certificate, side: int) -> list[int]:
    """List the positions of the orders with fills on one side, ascending."""
    return sorted({fill[side] for fill in certificate.placed})


def _by_run(entries: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Add up the amounts of neighbours of the same member; leave out zeros."""
    runs: list[tuple[int, int]] = []
    for member, amount in entries:
        if runs and runs[-1][0] == member:
            runs[-1] = (member, runs[-1][1] + amount)
        else:
            runs.append((member, amount))
    return tuple(run for run in runs if run[1])
