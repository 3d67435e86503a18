"""The worst books that the bounds allow: each clears in one block, and as its twin says."""

import pytest

from capshare.events import logs
from capshare.events.market import MarketCleared, OrdersMatched
from tests.evm.worst_books import BLOCK, BOOKS, exchange_for, measure, members_of

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", BOOKS)
def test_worst_book_clears_in_one_block(name, record_property):
    book = BOOKS[name]()
    exchange = exchange_for(book)
    done = measure(exchange, book)
    record_property("gas of clearing the worst books", {name: done.outcome.gas})
    assert done.offers + done.requests + done.dead == len(book.orders)
    cleared, matched = _events(exchange, done)
    assert len(cleared.dead) == done.dead
    assert len(matched) == done.fills
    assert done.outcome.gas <= BLOCK


def test_worst_books_reach_the_bounds():
    """Half of the orders, all kinds and groups, as many batches and members as orders."""
    for name, orders in (("500 kinds x 500 groups", 1_000), ("pair bound", 2_000)):
        book = BOOKS[name]()
        assert len(book.orders) == members_of(book) == orders == book.listed.book_size


def _events(exchange, done):
    found = [
        logs.decode("Clearing", log.topics, log.data)
        for log in done.outcome.logs
        if log.address == exchange.world.addresses["Clearing"]
    ]
    matched = next((event.fills for event in found if isinstance(event, OrdersMatched)), ())
    assert isinstance(found[0], MarketCleared)
    return found[0], matched
