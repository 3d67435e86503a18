"""The wire form of a clearing: every list's bytes, and that it says what the fills say."""

from dataclasses import fields, replace

import pytest
from hypothesis import given

from capshare.market.book import Book, Fill, standing
from capshare.market.certificate import verify
from capshare.market.listing import list_book
from capshare.market.solver import solve
from capshare.market.submission import Submission, build, cut, pack, place
from tests.unit.market_books import MARKET, batch, batches_of, offer, random_books, request

# Batch 2 holds requests of two kinds, batch 5 offers of two groups, batch 9 a dead offer.
WORLD = {
    2: batch(2, request(price=14), request(first_slot=11), request(price=13)),
    5: batch(5, offer(slot=13), offer(), offer(quantity=7), offer(attributes=1), gone=8),
    9: batch(9, offer(slot=0)),
}
ORDERS = standing(MARKET, WORLD.values())


def test_every_list_is_packed_as_the_interface_says() -> None:
    best = solve(ORDERS.book)
    built = build(ORDERS, best.fills, best.hints)
    assert built.batches == bytes.fromhex("00000002 00000005 00000009")
    assert built.offers == bytes.fromhex("0001 01  0001 02  0001 00")  # slot 12 before slot 13
    assert built.groups == bytes.fromhex("0002 0001")
    assert built.requests == bytes.fromhex("0000 01  0000 00  0000 02")  # from slot 11, then 12
    assert built.kinds == bytes.fromhex("0001 0002")
    assert built.dead == bytes.fromhex("0002 00")
    assert len(built.fills) == 8 * len(best.fills)
    assert tuple(kind for (kind,) in cut(built.low_order, 2)) == best.hints.low_order
    assert tuple(group for (group,) in cut(built.group_order, 2)) == best.hints.group_order
    assert tuple(cut(built.high_order, 2, 2)) == best.hints.high_order
    assert built.size == sum(len(getattr(built, field.name)) for field in fields(Submission))


def test_fill_is_request_position_offer_position_quantity() -> None:
    built = build(ORDERS, [Fill(offer=5 * 64 + 2, request=2 * 64, quantity=3)])
    assert built.fills == bytes.fromhex("0001 0001 00000003")


def test_fills_are_sorted_by_request_then_offer() -> None:
    first, second = 5 * 64 + 1, 5 * 64 + 2
    given_fills = [
        Fill(offer=second, request=2 * 64, quantity=1),
        Fill(offer=first, request=2 * 64, quantity=2),
        Fill(offer=second, request=2 * 64 + 1, quantity=3),
    ]
    placed = place(list_book(ORDERS.book), given_fills)
    assert placed == [(0, 1, 3), (1, 0, 2), (1, 1, 1)]


def test_lists_are_in_the_contracts_order() -> None:
    assert [field.name for field in fields(Submission)] == [
        "batches",
        "offers",
        "groups",
        "requests",
        "kinds",
        "dead",
        "fills",
        "low_order",
        "group_order",
        "high_order",
    ]


@given(random_books(most=8))
def test_hints_are_found_where_none_are_given(book: Book) -> None:
    world = batches_of(book)
    orders = standing(MARKET, world.values())
    best = solve(orders.book)
    assert build(orders, best.fills) == build(orders, best.fills, best.hints)


@given(random_books(most=8))
def test_order_of_batches_does_not_matter(book: Book) -> None:
    world = batches_of(book)
    forth = standing(MARKET, world.values())
    back = standing(MARKET, reversed(world.values()))
    fills = solve(forth.book).fills
    assert build(forth, fills) == build(back, fills[::-1])


def test_only_batches_with_a_listed_order_are_listed() -> None:
    world = {**WORLD, 6: batch(6, offer(), gone=1), 7: batch(7, offer(), round=MARKET.round)}
    orders = standing(MARKET, world.values())
    assert build(orders, []).batches == bytes.fromhex("00000002 00000005 00000009")


def test_what_a_member_may_hold_alone_fits_the_wire() -> None:
    world = {n: batch(n, *[offer(price=9)] * 64) for n in range(1, 17)}
    world |= {n: batch(n, *[request()] * 64) for n in range(17, 33)}
    orders = standing(MARKET, world.values())
    best = solve(orders.book)
    built = build(orders, best.fills, best.hints)
    assert verify(MARKET, world, built, standing=2048).fills == best.fills
    assert built.size < 100 * 1024


def test_cut_and_pack_are_inverse() -> None:
    assert list(cut(bytes.fromhex("0001 02 0003 04"), 2, 1)) == [(1, 2), (3, 4)]
    assert pack([1, 515], 2) == bytes.fromhex("0001 0203")
    assert list(cut(b"", 4)) == []


def test_number_too_large_for_its_place_is_refused() -> None:
    fill = Fill(offer=5 * 64 + 1, request=2 * 64, quantity=1 << 32)
    with pytest.raises(OverflowError):
        build(ORDERS, [fill])
    assert build(ORDERS, [replace(fill, quantity=(1 << 32) - 1)]).fills.endswith(b"\xff" * 4)
