"""What a clearing changes: money set free, open value, what is left, the root."""

from hypothesis import given

from capshare.market import commitment
from capshare.market.book import Book, standing
from capshare.market.certificate import Certificate, verify
from capshare.market.effects import effects
from capshare.market.solver import solve
from capshare.market.submission import build
from capshare.orders import Batch, bond_per_unit
from tests.unit.market_books import MARKET, batch, batches_of, offer, random_books, request


def cleared(world: dict[int, Batch]) -> Certificate:
    orders = standing(MARKET, world.values())
    best = solve(orders.book)
    return verify(MARKET, world, build(orders, best.fills, best.hints), standing=orders.count)


def test_consumer_gets_back_what_it_bid_above_the_price() -> None:
    # Offers 64 (all sold) and 65 (one left) ask 10, so the price lies between 10 and the bid 20.
    world = {
        1: batch(1, offer(), offer()),
        2: batch(2, request(price=20, quantity=9)),
    }
    done = effects(MARKET, cleared(world))
    assert done.fill_prices == (10, 10)
    assert done.freed == ((2, 9 * (20 - 10)),)
    assert done.closed == ()
    assert done.filled == (64, 128)
    assert done.partly == ((65, 1),)
    assert [deal.quantity for deal in done.deals] == [5, 4]
    assert done.root == commitment.root([deal.leaf() for deal in done.deals])


def test_fill_inside_one_member_frees_bid_and_bond_and_open_value() -> None:
    world = {1: batch(1, offer(price=10)), 2: batch(2, request(price=12), member=1)}
    done = effects(MARKET, cleared(world))
    assert done.deals == ()
    assert done.root == commitment.NO_DEALS
    assert done.freed == ((1, 5 * (12 + 3)),)  # the bond: 3,000 of 10,000
    assert done.closed == ((1, 5 * MARKET.reference),)
    assert done.filled == (64, 128)


def test_sums_run_over_neighbours_of_one_consumer_and_zeros_are_left_out() -> None:
    # The price is 10 (the offer has something left), so member 3's bid of 10 frees nothing.
    world = {
        1: batch(1, offer(price=10, quantity=50)),
        2: batch(2, request(price=12), request(price=13)),
        3: batch(3, request(price=10)),
        4: batch(4, request(price=11), member=2),
    }
    done = effects(MARKET, cleared(world))
    assert done.freed == ((2, 5 * 2 + 5 * 3), (2, 5 * 1))


def test_dead_orders_are_passed_on() -> None:
    world = {1: batch(1, offer(slot=0)), 2: batch(2, request())}
    assert effects(MARKET, cleared(world)).dead == (64,)


@given(random_books(most=8, members=2))
def test_money_and_quantities_add_up(book: Book) -> None:
    """What is locked before is locked after, in deals, or free."""
    world = batches_of(book)
    proof = cleared(world)
    done = effects(MARKET, proof)
    bids = {request.id: request.price for request in proof.listing.requests}
    offers = {offer.id: offer for offer in proof.listing.offers}
    locked = 0  # by what the fills took from requests, and the bonds of netted offers
    for fill in proof.fills:
        locked += fill.quantity * bids[fill.request]
    in_deals = sum(deal.quantity * deal.price for deal in done.deals)
    netted = [
        (fill, offers[fill.offer])
        for fill in proof.fills
        if fill.offer
        not in {deal.offer_id for deal in done.deals if deal.request_id == fill.request}
    ]
    bonds = sum(
        fill.quantity
        * bond_per_unit(offer.price, offer.credit, MARKET.reference, MARKET.bond_rates)
        for fill, offer in netted
    )
    assert sum(amount for _, amount in done.freed) == locked - in_deals + bonds
    assert sum(value for _, value in done.closed) == MARKET.reference * sum(
        fill.quantity for fill, _ in netted
    )
    assert len(done.deals) + len(netted) == len(proof.fills)
    assert all(amount > 0 for _, amount in done.freed)
    traded = {fill.offer for fill in proof.fills} | {fill.request for fill in proof.fills}
    assert {*done.filled} | {order for order, _ in done.partly} == traded
    assert all(rest > 0 for _, rest in done.partly)
