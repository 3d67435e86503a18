"""The shipped books and tables: complete, typed, as their index says."""

from importlib.resources import files
from pathlib import Path

import pytest

from capshare import data
from capshare.data import OfferRow, RequestRow
from capshare.errors import NotFound, UsageError
from capshare.taxonomy import class_name

TEST_BOOKS = Path(__file__).parent.parent / "data" / "books"
FOUR_MEGABYTES = 4 * 2**20


@pytest.mark.parametrize("name", data.index())
def test_shipped_book_is_as_its_index_says(name: str) -> None:
    book, entry = data.book(name), data.index()[name]
    assert (len(book.rows), len(book.offers), len(book.requests)) == (
        entry.orders,
        entry.offers,
        entry.requests,
    )
    assert sum(offer.quantity for offer in book.offers) == entry.offered
    assert sum(request.quantity for request in book.requests) == entry.requested
    assert len({row.class_code for row in book.rows}) == entry.classes


@pytest.mark.parametrize("name", data.index(TEST_BOOKS))
def test_test_book_is_as_its_index_says(name: str) -> None:
    book, entry = data.book(name, TEST_BOOKS), data.index(TEST_BOOKS)[name]
    assert (len(book.offers), len(book.requests)) == (entry.offers, entry.requests)


def test_shipped_index_is_part_of_the_whole() -> None:
    whole = data.index(TEST_BOOKS)
    assert data.index().items() <= whole.items()
    assert len(whole) == 152


def test_index_knows_thin_books_by_their_case() -> None:
    entry = data.index(TEST_BOOKS)["thin/t119-self"]
    assert (entry.set, entry.kind) == ("thin", "self")
    assert entry.surplus_no_self is not None


def test_rows_are_typed_in_the_order_of_arrival() -> None:
    book = data.book("shopfloor-quarter-a")
    assert book.rows[0] == OfferRow(
        line=0,
        arrival=22326,
        firm="F001",
        asset="R12",
        class_code=0xB7000000,
        slot=3,
        quantity=690,
        price=1150,
        attributes=143361,
        credit=7,
    )
    assert [row.line for row in book.rows] == list(range(4268))
    arrivals = [row.arrival for row in book.rows if row.arrival is not None]
    assert len(arrivals) == 4268
    assert arrivals == sorted(arrivals)


def test_request_keeps_both_ends_of_its_window() -> None:
    assert data.book("jobshop-kacem").requests[0] == RequestRow(
        line=0,
        arrival=None,
        firm="B003",
        class_code=0x05321000,
        first_slot=3,
        last_slot=4,
        quantity=85,
        price=2316,
        needs=65536,
        min_credit=4,
    )


def test_firms_own_the_offers_of_their_book() -> None:
    firms = {firm.firm for firm in data.firms()}
    assert firms == {offer.firm for offer in data.book("shopfloor-quarter-a").offers}
    assert {firm.type for firm in data.firms()} == {"reliable", "average", "poor"}


def test_deliveries_of_a_firm_are_counted_from_one() -> None:
    counts: dict[str, int] = {}
    for row in data.deliveries():
        counts[row.firm] = counts.get(row.firm, 0) + 1
        assert row.n == counts[row.firm]
        assert 0 <= row.delivered_ratio <= 10_000
    assert set(counts) == {firm.firm for firm in data.firms()}


def test_unknown_book_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(NotFound, match="no book 'nowhere'") as caught:
        data.book("nowhere")
    assert "jobshop-kacem" in caught.value.next_step


def test_line_that_is_no_order_is_refused_by_its_number(tmp_path: Path) -> None:
    (tmp_path / "odd.jsonl").write_text('{"side":"offer","firm":"F"}\n')
    with pytest.raises(UsageError, match="line 1 of the book lacks the field"):
        data.book("odd", tmp_path)


def test_every_class_of_the_shipped_books_is_in_the_table() -> None:
    codes = {row.class_code for name in data.index() for row in data.book(name).rows}
    assert codes <= {int(code, 16) for code in data.table("classes")}
    assert not [code for code in codes if class_name(code).startswith("0x")]


def test_shipped_data_stays_small_and_carries_its_licences() -> None:
    root = Path(str(files("capshare.data")))
    size = sum(path.stat().st_size for path in root.rglob("*") if path.is_file())
    assert size < FOUR_MEGABYTES
    for directory in (root, TEST_BOOKS):
        notices = (directory / "LICENSES.txt").read_text(encoding="utf-8")
        assert notices.count("MIT License") == 2
