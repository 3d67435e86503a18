"""Clearing: small books of their own, each for one rule."""

from __future__ import annotations

from dataclasses import replace

import pytest

from capshare.market.commitment import DealTerms, proofs, root
from tests.contract.clearings import ask, bid, cleared, matched, price_words
from tests.contract.floor import (
    CODE,
    CONSUMER,
    FINE,
    PROVIDER,
    REFERENCE,
    SLOT,
    submission,
)


@pytest.fixture
def clear_reverts(floor, reverts):
    """Send a clearing and expect an error of the clearing with its values."""

    def check(name, given, /, *, rounds=1, **values):
        with reverts(getattr(floor.clearing, name), **values):
            floor.clear(given, rounds)

    return check


def test_member_that_trades_with_itself_makes_no_deal(floor):
    (offer,) = floor.place(PROVIDER, floor.offer(price=50))
    (request,) = floor.place(PROVIDER, floor.request(price=60))
    floor.goto(1)
    receipt = floor.clear(submission(floor.standing(1), (offer, request, 10)), 1)
    low, high = ask(50, offer), bid(60, request)
    names = {"class": CODE, "round": floor.round + 1}
    assert floor.emitted(receipt) == [
        floor.released((PROVIDER, 750)),
        cleared(floor, 1),
        floor.event(
            "clearing", "PricesSet", **names, prices=price_words(floor.slot, 55, low, high)
        ),
        floor.event("clearing", "OrdersMatched", **names, fills=[matched(offer, request, 10, 55)]),
    ]
    assert floor.money(PROVIDER) == (0, 0)
    assert floor.credit.openValueOf(PROVIDER) == 0
    assert floor.assets.reservedOf(FINE, floor.slot) == 10
    assert floor.deals.rootOf(1, floor.round + 1) == b"\0" * 32


def test_sixty_four_deals_of_one_clearing_are_proven(floor):
    offers = floor.place(PROVIDER, *[floor.offer(quantity=1, price=50)] * 64)
    requests = floor.place(CONSUMER, *[floor.request(quantity=1, price=50)] * 64)
    floor.goto(1)
    pairs = list(zip(offers, requests, strict=True))
    floor.clear(submission(floor.standing(1), *((a, b, 1) for a, b in pairs)), 1)
    deals = [
        DealTerms(
            class_index=1,
            round=floor.round + 1,
            index=index,
            provider=PROVIDER,
            consumer=CONSUMER,
            asset=FINE,
            slot=floor.slot,
            quantity=1,
            price=50,
            bond_per_unit=15,
            offer_id=offer,
            request_id=request,
        )
        for index, (offer, request) in enumerate(pairs)
    ]
    leaves = [d.leaf() for d in deals]
    assert floor.deals.rootOf(1, floor.round + 1) == root(leaves)
    paths = proofs(leaves)
    proven = [floor.deals.isProven((deals[i].words(), paths[i])) for i in (0, 1, 31, 62, 63)]
    assert proven == [True] * 5
    assert floor.market()[:2] == (0, 0)


@pytest.mark.parametrize("price", [0, 2**72 - 1])
def test_least_and_largest_price_are_traded_at(floor, people, price):
    for name, member in (("provider", PROVIDER), ("consumer", CONSUMER)):
        floor.token.mint(people[name], 2**74, sender=people["deployer"])
        floor.token.approve(floor.vault, 2**74, sender=people[name])
        floor.vault.deposit(member, 2**74, sender=people[name])
    floor.goto(1)
    (offer,) = floor.place(PROVIDER, floor.offer(price=price, quantity=1))
    (request,) = floor.place(CONSUMER, floor.request(price=price, quantity=2))
    floor.goto(2)
    receipt = floor.clear(submission(floor.standing(2), (offer, request, 1)), 2)
    prices = floor.emitted(receipt)[-2][2]["prices"]
    # The request that wants more bounds from both sides.
    high = bid(price, request)
    assert list(prices) == price_words(floor.slot, price, high, high)
    bond = -(-max(price, REFERENCE) * 3_000 // 10_000)
    assert floor.vault.balanceOf(PROVIDER).locked == bond
    assert floor.vault.balanceOf(CONSUMER).locked == 2 * price


def test_attributes_and_windows_decide_who_may_trade(floor):
    plain, fine = floor.place(
        PROVIDER, floor.offer(price=10), floor.offer(price=50, attributes=0b11)
    )
    (picky,) = floor.place(CONSUMER, floor.request(price=70, needs=0b10))
    floor.goto(1)
    receipt = floor.clear(submission(floor.standing(1), (fine, picky, 10)), 1)
    prices = floor.emitted(receipt)[-2][2]["prices"]
    low, high = ask(50, fine), bid(70, picky)
    assert list(prices) == price_words(floor.slot, 60, low, high, attributes=0b11)
    assert floor.left(plain, fine, picky) == [10, 0, 0]


def test_request_with_one_open_slot_is_alive(floor, clear_reverts):
    soon = floor.start // SLOT + 1
    (half,) = floor.place(CONSUMER, floor.request(first_slot=soon, last_slot=soon + 1))
    floor.goto(11)
    found = floor.standing(11)
    assert found.dead == ()
    buried = replace(found, book=replace(found.book, requests=()), dead=(half,))
    clear_reverts("OrderAlive", submission(buried), rounds=11, id=half)
    floor.clear(submission(found), 11)


def test_clear_reverts_for_later_order_before_the_earlier_at_one_price(floor, clear_reverts):
    first, second = floor.place(PROVIDER, floor.offer(), floor.offer())
    (request,) = floor.place(CONSUMER, floor.request(price=200))
    floor.goto(1)
    found = floor.standing(1)
    values = {"slot": floor.slot, "attributes": 0, "credit": 0}
    given = submission(found, (second, request, 10))
    low, cap = ask(101, second), ask(101, first)
    clear_reverts("Suboptimal", given, rounds=1, **values, low=low, cap=cap)
    floor.clear(submission(found, (first, request, 10)), 1)


def test_clear_reverts_for_trade_left_out_at_equal_price(floor, clear_reverts):
    (offer,) = floor.place(PROVIDER, floor.offer(attributes=0b11))
    (request,) = floor.place(CONSUMER, floor.request())
    floor.goto(1)
    found = floor.standing(1)
    values = {"slot": floor.slot, "attributes": 0b11, "credit": 0}
    low, cap = bid(101, request), ask(101, offer)
    clear_reverts("Suboptimal", submission(found), rounds=1, **values, low=low, cap=cap)
    floor.clear(submission(found, (offer, request, 10)), 1)
