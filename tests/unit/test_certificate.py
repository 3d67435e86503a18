"""The certificate: accepts exactly the optimal allocations, and says why it refuses the others."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capshare.errors import RuleRefused
from capshare.market import hints
from capshare.market.book import Book, Fill, Standing, standing
from capshare.market.certificate import REASONS, AllocationRefused, Certificate, check, verify
from capshare.market.documents import book_from_json, listed_from_json, prices_to_json
from capshare.market.listing import Group, list_book
from capshare.market.prices import bounds, prove, settle_high, settle_low
from capshare.market.solver import solve
from capshare.market.submission import Submission, build, pack, place
from capshare.orders import Batch, order_id
from tests.unit.market_books import (
    MARKET,
    batch,
    batches_of,
    feasible,
    fills_of,
    naive_prices,
    offer,
    random_books,
    request,
    value,
    vectors,
)

# -- by order id ---------------------------------------------------------------------------------


def test_vectors_allocations_are_accepted_with_their_prices() -> None:
    for vector in vectors():
        proof = check(book_from_json(vector), fills_of(vector["fills"]))
        assert prices_to_json(proof.prices) == vector["groups"], vector["name"]


def test_vectors_bad_allocations_are_refused_with_their_reason() -> None:
    refused = []
    for vector in vectors():
        for bad in vector.get("bad", ()):
            with pytest.raises(AllocationRefused) as raised:
                check(book_from_json(vector), fills_of(bad["fills"]), listed_from_json(bad))
            assert raised.value.reason == bad["reason"], (vector["name"], bad)
            refused.append(bad["reason"])
    assert len(refused) == 488
    assert set(refused) == set(REASONS) - {"too many fills"}


@settings(max_examples=60)
@given(random_books(most=3, quantity=2, prices=2))
def test_exactly_the_optimal_allocations_are_accepted(book: Book) -> None:
    allocations = list(feasible(book))
    best = max(value(book, fills) for fills in allocations)
    for fills in allocations:
        found = naive_prices(book, fills)
        is_best = value(book, fills) == best
        assert (found is not None) == is_best
        if is_best and _few(fills):
            assert found is not None
            _require_prices(check(book, fills), found)
        else:
            with pytest.raises(AllocationRefused) as raised:
                check(book, fills)
            assert raised.value.reason == ("suboptimal" if _few(fills) else "too many fills")


def _few(fills: list[Fill]) -> bool:
    orders = {fill.offer for fill in fills} | {fill.request for fill in fills}
    return not fills or len(fills) < len(orders)


@given(random_books(most=9))
def test_prices_are_the_extreme_fixpoints_and_their_middle(book: Book) -> None:
    fills = list(solve(book).fills)
    found = naive_prices(book, fills)
    assert found is not None
    _require_prices(check(book, fills), found)


def _require_prices(proof: Certificate, found: dict[Group, tuple[int, int, int]]) -> None:
    for row in proof.prices:
        key = Group(row.slot, row.attributes, row.credit)
        assert (row.low, row.high, row.price) == found[key]


@given(random_books(most=8), st.data())
def test_perturbed_allocations_are_refused_for_what_is_wrong(
    book: Book, data: st.DataObject
) -> None:
    fills = list(solve(book).fills)
    if not fills:
        return
    chosen = data.draw(st.integers(0, len(fills) - 1))
    fill, others = fills[chosen], fills[:chosen] + fills[chosen + 1 :]
    whole = book.offers[0].quantity + book.requests[0].quantity + 10
    for changed, reason in (
        (others, "suboptimal"),
        ([*others, replace(fill, quantity=fill.quantity - 1)], None),
        ([*others, replace(fill, quantity=0)], "empty fill"),
        ([*others, replace(fill, quantity=whole)], "overfill"),
        ([*others, replace(fill, offer=9999)], "unknown order"),
        ([*others, replace(fill, request=9999)], "unknown order"),
    ):
        with pytest.raises(AllocationRefused) as raised:
            check(book, changed)
        assert raised.value.reason == reason or reason is None
        assert raised.value.exit_code == 10


def _book() -> Book:
    """Two offers and two requests that can all trade."""
    return book_from_json(
        {
            "offers": [
                {"id": 1, "slot": 5, "quantity": 2, "price": 10, "attributes": 1, "credit": 0},
                {"id": 2, "slot": 6, "quantity": 2, "price": 10, "attributes": 1, "credit": 0},
            ],
            "requests": [
                {
                    "id": number,
                    "from": 5,
                    "to": 6,
                    "quantity": 2,
                    "price": 12,
                    "needs": 1,
                    "min_credit": 0,
                }
                for number in (3, 4)
            ],
        }
    )


def _fills(*rows: tuple[int, int, int]) -> list[Fill]:
    return fills_of([list(row) for row in rows])


def test_optimal_allocation_in_more_fills_than_needed_is_refused() -> None:
    shredded = _fills((1, 3, 1), (1, 4, 1), (2, 3, 1), (2, 4, 1))
    with pytest.raises(AllocationRefused, match="too many fills: 4 fills for 4 orders"):
        check(_book(), shredded)
    check(_book(), _fills((1, 3, 2), (2, 4, 2)))


def test_pair_filled_twice_is_refused() -> None:
    with pytest.raises(AllocationRefused, match="duplicate: the fill of offer 1 to request 3"):
        check(_book(), _fills((1, 3, 1), (1, 3, 1), (2, 4, 2)))


def test_fill_outside_window_mask_or_credit_is_refused() -> None:
    book = _book()
    for changes in ({"first_slot": 6}, {"needs": 3}, {"min_credit": 1}):
        strict = replace(book, requests=(replace(book.requests[0], **changes),))
        with pytest.raises(AllocationRefused, match="ineligible: the fill of offer 1 to request 3"):
            check(strict, _fills((1, 3, 2)))


@pytest.mark.parametrize(
    ("offers", "requests", "message"),
    [
        ([2, 1], [3, 4], "unsorted: order 1 is listed after 2"),
        ([1, 1, 2], [3, 4], "duplicate: order 1 is listed twice"),
        ([1, 2], [3, 4, 5], "unknown order: the book has no order 5"),
        ([1, 2], [3], "missing order: order 4 is not listed"),
        ([3, 4], [1, 2], "unknown order: the book has no order 3"),
    ],
)
def test_wrong_list_of_orders_is_refused(
    offers: list[int], requests: list[int], message: str
) -> None:
    with pytest.raises(AllocationRefused, match=message):
        check(_book(), _fills((1, 3, 2), (2, 4, 2)), (offers, requests))


def test_suboptimal_names_the_group_and_its_bounds() -> None:
    with pytest.raises(
        AllocationRefused, match="group of slot 5, attributes 1, credit 0"
    ) as raised:
        check(_book(), _fills((2, 4, 2)))
    low, cap = 12 * 2**40 + 2**39 - 3, 10 * 2**40 + 1  # request 3 pays more than offer 1 asks
    assert f"lowest price {low} exceeds the highest {cap}" in raised.value.detail


# -- in wire form --------------------------------------------------------------------------------

# Batch 1: offers 64 (slot 12), 65 (slot 12), 66 (slot 13). Batch 2: requests 128, 129 (a kind),
# 130 (another). Batch 3: offer 192, gone. Batch 4: an offer in a slot that is closed. Batch 5:
# requests of a suspended member.
WORLD: dict[int, Batch] = {
    1: batch(1, offer(), offer(price=11), offer(slot=13, quantity=4), left={}, member=21),
    2: batch(
        2, request(), request(price=14), request(first_slot=11, quantity=9, price=11), member=22
    ),
    3: batch(3, offer(), gone=1),
    4: batch(4, offer(slot=0)),
    5: batch(5, request(), request(), gone=2),
    6: batch(6, offer(), round=MARKET.round),  # fresh
    7: batch(7, offer(), class_index=MARKET.class_index + 1),
}
SUSPENDED = replace(MARKET, suspended=frozenset({5}))
STANDING = standing(SUSPENDED, WORLD.values())


def submit(**changes: bytes) -> Submission:
    """Return the wire form of the best allocation of WORLD with fields replaced."""
    best = solve(STANDING.book)
    return replace(build(STANDING, best.fills, best.hints), **changes)


def refusal(submission: Submission, count: int = STANDING.count) -> tuple[str, tuple[Any, ...]]:
    """Return the name and the values with which WORLD's clearing is refused."""
    with pytest.raises(RuleRefused) as raised:
        verify(SUSPENDED, WORLD, submission, standing=count)
    return raised.value.name, raised.value.values


def places(*entries: tuple[int, int]) -> bytes:
    return b"".join(pack([listed], 2) + pack([index], 1) for listed, index in entries)


def fill(*rows: tuple[int, int, int]) -> bytes:
    return b"".join(pack(row[:2], 2) + pack(row[2:], 4) for row in rows)


def test_standing_orders_are_the_living_and_the_dead_of_the_class() -> None:
    assert [row.id for row in STANDING.book.offers] == [64, 65, 66]
    assert [row.id for row in STANDING.book.requests] == [128, 129, 130]
    assert STANDING.dead == (256, 320)
    assert STANDING.count == 8


def test_best_allocation_is_accepted_with_the_solvers_prices() -> None:
    best = solve(STANDING.book)
    proof = verify(SUSPENDED, WORLD, submit(), standing=8)
    assert proof.fills == best.fills
    assert proof.prices == best.prices
    assert proof.dead == STANDING.dead
    assert len(proof.fill_prices) == len(proof.fills) > 2


def name32(name: str) -> bytes:
    return name.encode().ljust(32, b"\0")


LISTS = {
    "batches": "batches",
    "offers": "offers",
    "groups": "groups",
    "requests": "requests",
    "kinds": "kinds",
    "dead": "dead",
    "fills": "fills",
    "low_order": "lowOrder",
    "group_order": "groupOrder",
    "high_order": "highOrder",
}


@pytest.mark.parametrize("field", LISTS)
def test_list_with_an_incomplete_entry_is_malformed(field: str) -> None:
    data = getattr(submit(), field) + b"\0"
    assert refusal(submit(**{field: data})) == (
        "Malformed",
        (name32(LISTS[field]), len(data)),
    )


def test_first_incomplete_list_is_named() -> None:
    wrong = submit(requests=b"\0", dead=b"\0", groups=b"\0")
    assert refusal(wrong) == ("Malformed", (name32("groups"), 1))


CASES: dict[str, tuple[dict[str, bytes], str, tuple[Any, ...]]] = {
    "group counts do not add up": (
        {"groups": pack([2, 2], 2)},
        "Malformed",
        (name32("offers"), 4),
    ),
    "kind counts do not add up": (
        {"kinds": pack([1, 1], 2)},
        "Malformed",
        (name32("requests"), 2),
    ),
    "batch twice": ({"batches": pack([1, 2, 2, 5], 4)}, "BatchesUnsorted", (2,)),
    "batches falling": ({"batches": pack([2, 1, 4, 5], 4)}, "BatchesUnsorted", (1,)),
    "batch unknown": ({"batches": pack([1, 2, 4, 99], 4)}, "BatchNotStanding", (99,)),
    "batch fresh": ({"batches": pack([1, 2, 4, 6], 4)}, "BatchNotStanding", (6,)),
    "batch of another class": ({"batches": pack([1, 2, 4, 7], 4)}, "BatchNotStanding", (7,)),
    "empty group": ({"groups": pack([2, 0, 1], 2)}, "Malformed", (name32("groups"), 1)),
    "empty kind": ({"kinds": pack([0, 1, 2], 2)}, "Malformed", (name32("kinds"), 0)),
    "offer in no batch": (
        {"offers": places((0, 0), (4, 1), (0, 2))},
        "Malformed",
        (name32("offers"), 1),
    ),
    "request in no batch": (
        {"requests": places((9, 2), (1, 0), (1, 1))},
        "Malformed",
        (name32("requests"), 0),
    ),
    "request among the offers": (
        {"offers": places((0, 0), (1, 1), (0, 2))},
        "OrderNotStanding",
        (129,),
    ),
    "offer beyond its batch": (
        {"offers": places((0, 0), (0, 3), (0, 2))},
        "OrderNotStanding",
        (67,),
    ),
    "index beyond any batch": (
        {"offers": places((0, 0), (0, 255), (0, 2))},
        "OrderNotStanding",
        (64 + 255,),
    ),
    "offer gone": (
        {"batches": pack([1, 2, 3, 4, 5], 4), "offers": places((0, 0), (2, 0), (0, 2))},
        "OrderNotStanding",
        (192,),
    ),
    "offer twice": ({"offers": places((0, 0), (0, 0), (0, 2))}, "OrdersUnsorted", (64,)),
    "offers falling": ({"offers": places((0, 1), (0, 0), (0, 2))}, "OrdersUnsorted", (64,)),
    "offer of another group": ({"offers": places((0, 0), (0, 2), (0, 1))}, "WrongGroup", (66,)),
    "groups falling": (
        {"offers": places((0, 2), (0, 0), (0, 1)), "groups": pack([1, 2], 2)},
        "GroupsUnsorted",
        (1,),
    ),
    "group in two parts": ({"groups": pack([1, 1, 1], 2)}, "GroupsUnsorted", (1,)),
    "request of another kind": (
        {"requests": places((1, 2), (1, 0), (1, 1)), "kinds": pack([2, 1], 2)},
        "OrdersUnsorted",
        (128,),
    ),
    "request of the kind before": (
        {"requests": places((1, 0), (1, 2), (1, 1)), "kinds": pack([2, 1], 2)},
        "WrongGroup",
        (130,),
    ),
    "kinds falling": (
        {"requests": places((1, 0), (1, 1), (1, 2)), "kinds": pack([2, 1], 2)},
        "KindsUnsorted",
        (1,),
    ),
    "dead offer among the living": (
        {"offers": places((2, 0), (0, 0), (0, 1), (0, 2)), "groups": pack([1, 2, 1], 2)},
        "OrderDead",
        (256,),
    ),
    "request of a suspended member among the living": (
        {"requests": places((1, 2), (1, 0), (1, 1), (3, 0)), "kinds": pack([1, 3], 2)},
        "OrderDead",
        (320,),
    ),
    "dead order in no batch": ({"dead": places((2, 0), (4, 0))}, "Malformed", (name32("dead"), 1)),
    "dead order gone": ({"dead": places((2, 0), (3, 1))}, "OrderNotStanding", (321,)),
    "dead order twice": ({"dead": places((2, 0), (2, 0))}, "OrdersUnsorted", (256,)),
    "dead orders falling": ({"dead": places((3, 0), (2, 0))}, "OrdersUnsorted", (256,)),
    "living offer among the dead": ({"dead": places((0, 2), (2, 0))}, "OrderAlive", (66,)),
    "living request among the dead": ({"dead": places((1, 1), (2, 0))}, "OrderAlive", (129,)),
    "dead order left out": ({"dead": places((2, 0))}, "Incomplete", (7, 8)),
    "offer left out": (
        {"offers": places((0, 0), (0, 2)), "groups": pack([1, 1], 2)},
        "Incomplete",
        (7, 8),
    ),
    "fills falling": ({"fills": fill((1, 1, 1), (1, 0, 1))}, "FillsUnsorted", (1,)),
    "pair twice": ({"fills": fill((1, 0, 1), (1, 0, 1))}, "FillsUnsorted", (1,)),
    "fill of no request": ({"fills": fill((3, 0, 1))}, "Malformed", (name32("fills"), 0)),
    "fill of no offer": ({"fills": fill((0, 3, 1))}, "Malformed", (name32("fills"), 0)),
    "fill of nothing": ({"fills": fill((1, 0, 0))}, "EmptyFill", (64, 128)),
    "more than the offer has": ({"fills": fill((0, 2, 5))}, "Overfill", (66,)),
    "more than the request wants": ({"fills": fill((1, 0, 4), (1, 1, 2))}, "Overfill", (128,)),
    "more than both": ({"fills": fill((1, 0, 6))}, "Overfill", (64,)),
    "more fills than needed": (
        {"fills": fill((1, 0, 1), (1, 1, 1), (2, 0, 1), (2, 1, 1))},
        "TooManyFills",
        (4, 4),
    ),
    "kind missing in the low order": ({"low_order": pack([0], 2)}, "LowOrderRefused", (1,)),
    "kind twice in the low order": ({"low_order": pack([1, 1], 2)}, "LowOrderRefused", (1,)),
    "no such kind in the low order": ({"low_order": pack([2, 0], 2)}, "LowOrderRefused", (0,)),
    "group missing in the high order": ({"group_order": pack([0], 2)}, "HighOrderRefused", (1,)),
    "group twice": ({"group_order": pack([1, 1], 2)}, "HighOrderRefused", (1,)),
    "no such group": ({"group_order": pack([2, 1], 2)}, "HighOrderRefused", (0,)),
    "no entry for a kind with fills": ({"high_order": b""}, "HighOrderRefused", (2,)),
    "no such group in an entry": (
        {"high_order": pack([0, 7], 2)},
        "HighOrderRefused",
        (2,),
    ),
    "no such kind in an entry": ({"high_order": pack([9, 0], 2)}, "HighOrderRefused", (2,)),
}


@pytest.mark.parametrize("case", CASES)
def test_submission_is_refused_with_the_contracts_error(case: str) -> None:
    changes, name, values = CASES[case]
    assert refusal(submit(**changes)) == (name, values)


def test_request_outside_the_window_is_ineligible() -> None:
    early = {
        1: batch(1, offer(slot=14), offer()),
        2: batch(2, request(last_slot=12)),
    }
    orders = standing(MARKET, early.values())
    wrong = replace(build(orders, solve(orders.book).fills), fills=fill((0, 1, 5)))
    with pytest.raises(RuleRefused) as raised:
        verify(MARKET, early, wrong, standing=3)
    assert (raised.value.name, raised.value.values) == ("Ineligible", (64, 128))


def test_no_fill_at_all_is_suboptimal_where_trade_is_possible() -> None:
    name, (slot, attributes, credit, low, cap) = refusal(build(STANDING, []))
    assert (name, slot, attributes, credit) == ("Suboptimal", 12, 0, 0)
    assert low == 14 * 2**40 + 2**39 - 129  # the highest bid that is not filled
    assert cap == 10 * 2**40 + 64  # the lowest ask that has something left


def test_partly_filled_order_counts_with_what_is_left() -> None:
    world = {
        1: batch(1, offer(), partly=1, left={0: 2}),
        2: batch(2, request()),
    }
    orders = standing(MARKET, world.values())
    fills = [Fill(offer=64, request=128, quantity=2)]
    assert verify(MARKET, world, build(orders, fills), standing=2).fills == tuple(fills)
    too_much = build(orders, [Fill(offer=64, request=128, quantity=3)])
    with pytest.raises(RuleRefused, match=r"Overfill\(64\)"):
        verify(MARKET, world, too_much, standing=2)


def test_slot_is_open_iff_its_gate_is_not_before_the_rounds_end() -> None:
    # (round + 1) * 100 + lead <= slot * 1000
    gates = [replace(MARKET, round=18, gate_lead=lead) for lead in (99, 100, 101)]
    assert [market.is_open(2) for market in gates] == [True, True, False]


@given(random_books(most=8))
def test_wire_form_and_door_agree(book: Book) -> None:
    world = batches_of(book)
    orders = standing(MARKET, world.values())
    best = solve(orders.book)
    proof = verify(MARKET, world, build(orders, best.fills, best.hints), standing=len(world))
    assert (proof.fills, proof.prices) == (best.fills, best.prices)


# -- hints ---------------------------------------------------------------------------------------


@given(random_books(most=8), st.randoms(use_true_random=False))
def test_wrong_hints_are_refused_or_change_nothing(book: Book, random: Any) -> None:
    listing = list_book(book)
    found = bounds(listing, place(listing, solve(book).fills))
    right = hints.find(listing, found)
    prices = prove(listing, found, right)

    def shuffled(values: tuple[Any, ...]) -> tuple[Any, ...]:
        copy = list(values)
        random.shuffle(copy)
        return tuple(copy)

    for wrong in (
        replace(right, low_order=shuffled(right.low_order)),
        replace(right, group_order=shuffled(right.group_order)),
        replace(right, high_order=shuffled(right.high_order)),
    ):
        refused = None
        try:
            assert prove(listing, found, wrong) == prices
        except RuleRefused as error:
            refused = error.name
        assert refused in (None, "LowOrderRefused", "HighOrderRefused")


@given(random_books(most=8))
def test_hints_exist_for_every_feasible_allocation(book: Book) -> None:
    """A wrong allocation is refused for what it is, not for its hints."""
    fills = list(solve(book).fills)[1:]
    listing = list_book(book)
    found = bounds(listing, place(listing, fills))
    order = hints.find(listing, found)
    settle_low(listing, found, order.low_order)
    settle_high(listing, found, order.group_order, order.high_order)


def _two_kinds() -> tuple[Any, Any, Any]:
    """Return a listing in which kind 1 pays more than kind 0, its bounds and its hints."""
    world = {
        1: batch(1, offer(quantity=1), offer(slot=13, quantity=1)),
        2: batch(2, request(last_slot=12, price=20), request(first_slot=13, price=30)),
    }
    book = standing(MARKET, world.values()).book
    listing = list_book(book)
    found = bounds(listing, place(listing, solve(book).fills))
    return listing, found, hints.find(listing, found)


@pytest.mark.parametrize(
    ("change", "name", "values"),
    [
        (lambda h: replace(h, low_order=h.low_order[::-1]), "LowOrderRefused", (1,)),
        (lambda h: replace(h, group_order=h.group_order[::-1]), "HighOrderRefused", (1,)),
        (lambda h: replace(h, high_order=h.high_order[::-1]), "HighOrderRefused", (2 + 1,)),
        (lambda h: replace(h, high_order=h.high_order * 2), "HighOrderRefused", (2 + 2,)),
        (lambda h: replace(h, high_order=h.high_order[:1]), "HighOrderRefused", (2 + 1,)),
        (
            lambda h: replace(h, high_order=(h.high_order[0], h.high_order[0])),
            "HighOrderRefused",
            (2 + 1,),
        ),
    ],
)
def test_hints_out_of_order_are_refused_with_their_position(
    change: Callable[[Any], Any], name: str, values: tuple[int, ...]
) -> None:
    listing, found, right = _two_kinds()
    assert right.low_order == (1, 0)
    prove(listing, found, right)
    with pytest.raises(RuleRefused) as raised:
        prove(listing, found, change(right))
    assert (raised.value.name, raised.value.values) == (name, values)


def test_kind_is_not_settled_at_a_group_other_than_its_first() -> None:
    world = {
        1: batch(1, offer(price=10), offer(slot=13, price=11)),
        2: batch(2, request(quantity=8)),
    }
    orders = standing(MARKET, world.values())
    best = solve(orders.book)
    (kind, first), order = best.hints.high_order[0], best.hints.group_order
    other = next(group for group in order if group != first)
    wrong = replace(best.hints, high_order=((kind, other),))
    with pytest.raises(RuleRefused, match=r"HighOrderRefused\(2\)"):
        verify(MARKET, world, build(orders, best.fills, wrong), standing=3)


def test_kind_is_not_settled_at_a_group_that_it_cannot_use() -> None:
    listing, found, right = _two_kinds()
    (kind, _), (_, dear) = right.high_order
    (_, cheap), _ = right.high_order
    other = 1 - kind
    assert not listing.eligible[other] >> cheap & 1
    with pytest.raises(RuleRefused, match=r"HighOrderRefused\(2\)"):
        prove(listing, found, replace(right, high_order=((other, cheap), (kind, dear))))


def test_empty_market_of_dead_orders_clears() -> None:
    world = {4: batch(4, offer(slot=0))}
    orders = standing(MARKET, world.values())
    assert orders == Standing(book=Book(offers=(), requests=()), dead=(order_id(4, 0),))
    proof = verify(MARKET, world, build(orders, []), standing=1)
    assert (proof.fills, proof.prices, proof.dead) == ((), (), (256,))
