"""Greedy and first-come matching, as the data's index has them."""

import pytest

from capshare import data
from capshare.market.baselines import first_come, greedy, surplus
from capshare.market.book import Book, Fill, StandingOffer, StandingRequest
from tests.unit.market_books import DATA_BOOKS, books_by_class

INDEX = data.index(DATA_BOOKS)
BIG = [name for name, entry in INDEX.items() if entry.orders > 1_700]
SMALL = [name for name, entry in INDEX.items() if entry.orders <= 1_700]


def _require_index(name: str) -> None:
    entry, books = INDEX[name], books_by_class(name)
    by_bid = [(book, greedy(book)) for book in books]
    in_turn = [(book, first_come(book)) for book in books]
    assert sum(surplus(*pair) for pair in by_bid) == entry.greedy_surplus, name
    assert sum(fill.quantity for _, fills in by_bid for fill in fills) == entry.greedy_volume, name
    assert sum(surplus(*pair) for pair in in_turn) == entry.fcfs_surplus, name
    assert sum(fill.quantity for _, fills in in_turn for fill in fills) == entry.fcfs_volume, name


def test_books_match_as_the_index_says() -> None:
    assert len(SMALL) > 140
    for name in SMALL:
        _require_index(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", BIG)
def test_big_book_matches_as_the_index_says(name: str) -> None:
    _require_index(name)


def _offer(order: int, price: int, slot: int = 1) -> StandingOffer:
    return StandingOffer(id=order, slot=slot, quantity=2, price=price)


def _request(order: int, price: int, last_slot: int = 2) -> StandingRequest:
    return StandingRequest(id=order, first_slot=1, last_slot=last_slot, quantity=2, price=price)


def test_greedy_serves_the_highest_bid_first_from_the_cheapest_offer() -> None:
    # The best would leave slot 1 to request 4, which can use nothing else.
    book = Book(
        offers=(_offer(1, 5), _offer(2, 6, slot=2)),
        requests=(_request(3, 20), _request(4, 19, last_slot=1)),
    )
    assert greedy(book) == [Fill(offer=1, request=3, quantity=2)]


def test_first_come_takes_what_rests_when_it_arrives() -> None:
    book = Book(
        offers=(_offer(1, 9), _offer(4, 5)),
        requests=(_request(2, 10), _request(3, 8)),
    )
    # Request 2 takes the dear offer 1 that rests; the cheap offer 4 comes late.
    assert first_come(book) == [
        Fill(offer=1, request=2, quantity=2),
        Fill(offer=4, request=3, quantity=2),
    ]


def test_age_decides_between_equal_prices() -> None:
    book = Book(offers=(_offer(2, 5), _offer(1, 5, slot=2)), requests=(_request(3, 5),))
    expected = [Fill(offer=1, request=3, quantity=2)]
    assert greedy(book) == first_come(book) == expected


def test_nothing_trades_below_the_ask() -> None:
    book = Book(offers=(_offer(1, 5),), requests=(_request(2, 4),))
    assert greedy(book) == first_come(book) == []
    assert surplus(book, []) == 0
