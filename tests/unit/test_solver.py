"""The solver: exact on every book, by either algorithm, and never wrong in silence."""

import sys
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capshare import data
from capshare.errors import CapshareError
from capshare.market import forest, network, paths, solver
from capshare.market.book import Book, Fill, StandingOffer, StandingRequest
from capshare.market.documents import book_from_json, prices_to_json
from capshare.market.listing import list_book
from capshare.market.solver import Allocation, solve
from tests.unit.market_books import (
    DATA_BOOKS,
    best_by_paths,
    books_by_class,
    random_books,
    value,
    vectors,
)

ORTOOLS = "ortools.graph.python.min_cost_flow"
INDEX = data.index(DATA_BOOKS)
BIG = [name for name, entry in INDEX.items() if entry.orders > 1_700]
MIDDLE = [name for name, entry in INDEX.items() if 100 < entry.orders <= 1_700]


@pytest.fixture(params=["OR-tools", "OR-tools through sets", "paths"])
def algorithm(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have books solved by each of the algorithms."""
    if request.param == "paths":
        monkeypatch.setattr(network, "best_flows", paths.best_flows)
    if request.param == "OR-tools through sets":
        monkeypatch.setattr(network, "_SAVING", -1)


@pytest.mark.usefixtures("algorithm")
def test_vectors_are_solved_to_surplus_totals_and_prices() -> None:
    for vector in vectors():
        best = solve(book_from_json(vector))
        assert (best.surplus, best.volume) == (vector["surplus"], vector["volume"]), vector["name"]
        assert _by_text(best.sold) == vector["sold"], vector["name"]
        assert _by_text(best.bought) == vector["bought"], vector["name"]
        assert prices_to_json(best.prices) == vector["groups"], vector["name"]


def _by_text(quantities: dict[int, int]) -> dict[str, int]:
    return {str(order): quantity for order, quantity in quantities.items()}


def test_thin_books_reach_surplus_and_volume() -> None:
    thin = [name for name in INDEX if name.startswith("thin/")]
    assert len(thin) == 140
    for name in thin:
        _require_optimum(name)


@pytest.mark.parametrize("name", MIDDLE)
def test_data_book_reaches_surplus_and_volume(name: str) -> None:
    _require_optimum(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", BIG)
def test_big_data_book_reaches_surplus_and_volume(name: str) -> None:
    _require_optimum(name)


def _require_optimum(name: str) -> None:
    best = [solve(book) for book in books_by_class(name)]
    assert sum(one.surplus for one in best) == INDEX[name].surplus, name
    assert sum(one.volume for one in best) == INDEX[name].volume, name
    for one in best:
        _require_forest(one)


def _require_forest(best: Allocation) -> None:
    assert not best.fills or len(best.fills) < len(best.sold) + len(best.bought)


@given(random_books())
def test_random_book_is_solved_as_by_augmenting_paths(book: Book) -> None:
    expected = value(book, best_by_paths(book))
    for best_flows in (network.best_flows, paths.best_flows):
        listing = list_book(book)
        sold, bought, flows = best_flows(listing)
        placed = forest.lay(listing, forest.acyclic(flows), sold, bought)
        fills = [
            Fill(offer=listing.offers[i].id, request=listing.requests[j].id, quantity=quantity)
            for j, i, quantity in placed
        ]
        assert value(book, fills) == expected
    _require_forest(solve(book))


@given(random_books(most=12, quantity=1000, prices=3), st.randoms())
def test_order_of_rows_does_not_matter(book: Book, random: object) -> None:
    offers, requests = list(book.offers), list(book.requests)
    random.shuffle(offers)  # type: ignore[attr-defined]
    random.shuffle(requests)  # type: ignore[attr-defined]
    shuffled = Book(offers=tuple(offers), requests=tuple(requests))
    assert solve(shuffled) == solve(book)


def test_fills_come_in_canonical_order() -> None:
    book = books_by_class("jobshop-kacem")[0]
    listing = list_book(book)
    sellers = {offer.id: place for place, offer in enumerate(listing.offers)}
    buyers = {request.id: place for place, request in enumerate(listing.requests)}
    places = [(buyers[fill.request], sellers[fill.offer]) for fill in solve(book).fills]
    assert len(places) > 5
    assert places == sorted(set(places))


def test_flows_in_a_cycle_are_turned_until_one_is_gone() -> None:
    flows = {(0, 0): 3, (0, 1): 4, (1, 0): 5, (1, 1): 2, (2, 1): 1}
    fewer = forest.acyclic(flows)
    assert len(fewer) < len(flows)
    assert all(quantity > 0 for quantity in fewer.values())
    for side in (0, 1):
        for place in range(3):
            assert sum(q for key, q in fewer.items() if key[side] == place) == sum(
                q for key, q in flows.items() if key[side] == place
            )


FLOWS = st.dictionaries(
    st.tuples(st.integers(0, 6), st.integers(0, 6)), st.integers(1, 5), max_size=40
)


@given(FLOWS)
def test_acyclic_flows_are_a_forest_with_the_same_totals(
    flows: dict[tuple[int, int], int],
) -> None:
    fewer = forest.acyclic(flows)
    roots = {(side, place): (side, place) for side in (0, 1) for place in range(7)}

    def root(node: tuple[int, int]) -> tuple[int, int]:
        return node if roots[node] == node else root(roots[node])

    for (group, kind), quantity in fewer.items():
        assert quantity > 0
        assert root((0, group)) != root((1, kind))
        roots[root((0, group))] = root((1, kind))
    for side in (0, 1):
        for place in range(7):
            assert sum(q for key, q in fewer.items() if key[side] == place) == sum(
                q for key, q in flows.items() if key[side] == place
            )


def _pair(quantity: int = 5, price: int = 10) -> Book:
    return Book(
        offers=(StandingOffer(id=64, slot=1, quantity=quantity, price=price),),
        requests=(
            StandingRequest(id=65, first_slot=0, last_slot=9, quantity=quantity, price=price),
        ),
    )


@pytest.mark.parametrize("quantity", [1, 2**32 - 1, 2**62, 2**200])
def test_quantity_may_be_of_any_size(quantity: int) -> None:
    assert solve(_pair(quantity)).volume == quantity


def test_window_and_mask_may_be_of_any_size() -> None:
    book = _pair()
    wide = replace(
        book,
        offers=(replace(book.offers[0], slot=10**9, attributes=1 << 300, credit=1000),),
        requests=(replace(book.requests[0], last_slot=10**12, needs=1 << 300, min_credit=999),),
    )
    assert solve(wide).volume == 5


def test_empty_book_is_solved() -> None:
    best = solve(Book(offers=(), requests=()))
    assert (best.fills, best.prices, best.surplus, best.volume) == ((), (), 0, 0)


def test_small_book_is_solved_without_ortools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, ORTOOLS, None)
    assert solve(_pair()).volume == 5


def test_large_book_without_ortools_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, ORTOOLS, None)
    monkeypatch.setattr(solver, "SMALL", 1)
    with pytest.raises(network.MissingSolver) as raised:
        solve(_pair())
    assert raised.value.next_step == "Run: pip install 'capshare[solver]'"
    assert raised.value.exit_code == 1


def test_allocation_that_the_certificate_refuses_is_not_returned(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(network, "best_flows", lambda listing: ([0], [0], {}))
    with pytest.raises(CapshareError, match="the solver's allocation was refused: suboptimal"):
        solve(_pair())


def test_failure_of_ortools_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "_ranks", lambda listing: ([0], [-(2**61)], 2**61))
    with pytest.raises(CapshareError, match="OR-tools did not solve the book: BAD_COST_RANGE"):
        solve(_pair())
