"""Clearing: one whole clearing to the last figure, and every refusal beside it.

The book that most tests clear, in round 11 (asks left, bids right; the near slot is open to round
22, the soon one closed at the end of round 10):

    near  cheap 10 @ 40     big    12 @ 90
          dear  10 @ 60     own     3 @ 80, of the member that offers
    far   far    4 @ 31     either  4 @ 55, near or far
    soon  late   5 @ 10     missed  3 @ 20
                            poor    1 @ 30, near, needs an attribute that no offer has

Best: big takes cheap and 2 of dear, own 3 of dear (netted), either takes far; near costs 60, the
price of what dear has left; far 43, the middle of 31 and 55. `late` and `missed` are dead.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from capshare.market.commitment import DealTerms, proofs, root
from capshare.market.submission import Submission
from tests.contract.clearings import (
    ON_CHAIN,
    WIDTHS,
    ask,
    bid,
    cleared,
    matched,
    price_words,
    rows,
    with_rows,
    word,
)
from tests.contract.floor import (
    CODE,
    CONSUMER,
    FINE,
    LOCK,
    PROVIDER,
    REFERENCE,
    RIVAL,
    SLOT,
    SMALL,
    submission,
)

CLEARED = 11  # rounds after the first
EVIDENCE = b"\x0e" * 32


@dataclass(frozen=True)
class Orders:
    """Ids of the book's orders, its slots and its best clearing."""

    soon: int
    near: int
    far_slot: int
    cheap: int
    dear: int
    far: int
    late: int
    big: int
    either: int
    missed: int
    own: int
    poor: int
    best: Submission


def fills_of(o):
    return (
        (o.cheap, o.big, 10),
        (o.dear, o.big, 2),
        (o.dear, o.own, 3),
        (o.far, o.either, 4),
    )


@pytest.fixture(scope="module")
def posted(opened_floor, provider, consumer, outsider, reverts, kit):
    """Post the book in the first round; find its best clearing.

    The unused are fixtures of the session: ape starts again when one of them comes later.
    """
    floor = replace(opened_floor, salt=500)
    soon = floor.start // SLOT + 1
    near, far = soon + 1, soon + 2
    floor.goto(0)
    cheap, dear, afar, late = floor.place(
        PROVIDER,
        floor.offer(slot=near, price=40),
        floor.offer(slot=near, price=60),
        floor.offer(slot=far, price=31, quantity=4),
        floor.offer(slot=soon, price=10, quantity=5),
    )
    big, either, missed = floor.place(
        CONSUMER,
        floor.request(first_slot=near, price=90, quantity=12),
        floor.request(first_slot=near, last_slot=far, price=55, quantity=4),
        floor.request(first_slot=soon, price=20, quantity=3),
    )
    (own,) = floor.place(PROVIDER, floor.request(first_slot=near, price=80, quantity=3))
    (poor,) = floor.place(RIVAL, floor.request(first_slot=near, price=30, quantity=1, needs=1))
    ids = (cheap, dear, afar, late, big, either, missed, own, poor)
    o = Orders(soon, near, far, *ids, best=None)
    return replace(o, best=submission(floor.standing(CLEARED), *fills_of(o)))


@pytest.fixture
def o(posted, floor):
    """The posted book, at the beginning of the round in which it is cleared."""
    floor.goto(CLEARED)
    return posted


@pytest.fixture
def clear_reverts(floor, reverts):
    """Send a clearing and expect an error of the clearing with its values."""

    def check(name, given, /, *, rounds=CLEARED, code=CODE, **values):
        with reverts(getattr(floor.clearing, name), **values):
            floor.clear(given, rounds, code=code)

    return check


def deals_of(floor, o):
    common = {"class_index": 1, "round": floor.round + CLEARED, "provider": PROVIDER}
    common |= {"consumer": CONSUMER, "asset": FINE}
    near, far = {"slot": o.near, "price": 60}, {"slot": o.far_slot, "price": 43}
    return [
        DealTerms(
            **common,
            **near,
            index=0,
            quantity=10,
            bond_per_unit=15,
            offer_id=o.cheap,
            request_id=o.big,
        ),
        DealTerms(
            **common,
            **near,
            index=1,
            quantity=2,
            bond_per_unit=18,
            offer_id=o.dear,
            request_id=o.big,
        ),
        DealTerms(
            **common,
            **far,
            index=2,
            quantity=4,
            bond_per_unit=15,
            offer_id=o.far,
            request_id=o.either,
        ),
    ]


# CONSTRUCTION


def test_constructor_fixes_the_rules(floor):
    assert floor.clearing.roundLength() == 10
    packed = sum(rate << 16 * band for band, rate in enumerate(floor.rates))
    assert floor.clearing.bondRates() == packed


# A WHOLE CLEARING


def test_anyone_clears_the_market_and_the_log_says_all(floor, o, kit):
    deals = deals_of(floor, o)
    top, _ = kit.merkle([kit.leaf(d.words()) for d in deals])
    names = {"class": CODE, "round": floor.round + CLEARED}
    receipt = floor.clear(o.best, CLEARED)
    low, high = ask(31, o.far), bid(55, o.either)
    near = ask(60, o.dear)
    assert floor.emitted(receipt) == [
        floor.released((PROVIDER, 75), (CONSUMER, 60)),  # the dead
        floor.released((CONSUMER, 360), (PROVIDER, 3 * (80 + 18)), (CONSUMER, 48)),
        floor.event("deals", "DealsCommitted", classIndex=1, round=names["round"], root=top),
        cleared(floor, CLEARED, root=top, deals=3, dead=[o.late, o.missed]),
        floor.event(
            "clearing",
            "PricesSet",
            **names,
            prices=price_words(o.near, 60, near, near) + price_words(o.far_slot, 43, low, high),
        ),
        floor.event(
            "clearing",
            "OrdersMatched",
            **names,
            fills=[
                matched(o.cheap, o.big, 10, 60),
                matched(o.dear, o.big, 2, 60),
                matched(o.dear, o.own, 3, 60),
                matched(o.far, o.either, 4, 43),
            ],
        ),
    ]


def test_clearing_returns_the_root_of_its_deals(floor, o, outsider):
    top = root([d.leaf() for d in deals_of(floor, o)])
    given = tuple(getattr(o.best, name) for name in Submission.__slots__)
    arguments = (CODE, floor.round + CLEARED, given)
    floor.goto(CLEARED, 1)  # a call runs in the newest block, which is a second older
    assert floor.clearing.clear.call(*arguments, sender=outsider) == top
    floor.clear(o.best, CLEARED)
    assert floor.deals.rootOf(1, floor.round + CLEARED) == top


def test_clearing_frees_what_is_not_owed(floor, o):
    assert floor.money(PROVIDER) == (-705, 705)  # 150 + 180 + 60 + 75 of bonds, 240 bid
    assert floor.money(CONSUMER) == (-1_360, 1_360)
    floor.clear(o.best, CLEARED)
    # Bonds: 10 x 15 and 2 x 18 and 4 x 15 of deals, 5 x 18 of what dear has left.
    assert floor.money(PROVIDER) == (-336, 336)
    assert floor.money(CONSUMER) == (-892, 892)  # 12 x 60 + 4 x 43
    assert floor.money(RIVAL) == (-30, 30)
    assert floor.credit.openValueOf(PROVIDER) == 21 * REFERENCE  # without late and netted 3
    reserved = [floor.assets.reservedOf(FINE, slot) for slot in (o.soon, o.near, o.far_slot)]
    assert reserved == [0, 20, 4]  # what was netted stays used
    assert floor.vault.held() == 3 * floor.funds


def test_clearing_leaves_what_was_not_filled(floor, o):
    floor.clear(o.best, CLEARED)
    assert floor.left(o.cheap, o.dear, o.far, o.late) == [0, 5, 0, 0]
    assert floor.left(o.big, o.either, o.missed, o.own, o.poor) == [0, 0, 0, 0, 1]
    assert floor.market()[:2] == (1, 1)
    assert floor.book.marketOf(1).clearedRound == floor.round + CLEARED
    assert [floor.book.liveOrders(m) for m in (PROVIDER, CONSUMER, RIVAL)] == [1, 0, 1]
    held = [tuple(floor.book.heldBy(1, m)) for m in (PROVIDER, CONSUMER, RIVAL)]
    assert held == [(1, 0), (0, 0), (0, 1)]


def test_every_deal_is_proven_against_the_root(floor, o):
    floor.clear(o.best, CLEARED)
    deals = deals_of(floor, o)
    paths = proofs([d.leaf() for d in deals])
    for deal, path in zip(deals, paths, strict=True):
        assert floor.deals.isProven((deal.words(), path))
        other = replace(deal, quantity=deal.quantity + 1)
        assert not floor.deals.isProven((other.words(), path))


def test_deals_of_a_clearing_are_delivered_and_paid(floor, o, provider, consumer):
    floor.clear(o.best, CLEARED)
    deals = deals_of(floor, o)
    paths = proofs([d.leaf() for d in deals])
    references = [(d.words(), p) for d, p in zip(deals, paths, strict=True)]
    evidence = [EVIDENCE] * 3
    quantities = [10, 2, 4]
    floor.at((o.far_slot + 1) * SLOT)
    # The near slot ended 120 s ago: too late for two of the deals.
    floor.deals.deliver(references[2:], quantities[2:], evidence[2:], sender=provider)
    floor.deals.accept(references[2:], quantities[2:], evidence[2:], sender=consumer)
    floor.deals.settle(references[:2], sender=consumer)
    lost = 10 * 15 + 2 * 18
    assert floor.money(PROVIDER) == (4 * 43 - lost - 90, 90)
    assert floor.money(CONSUMER) == (lost - 4 * 43, 0)
    assert floor.credit.openValueOf(PROVIDER) == 5 * REFERENCE
    value, missing = 4 * 43, 12 * 60
    assert tuple(floor.credit.creditOf(PROVIDER)) == (value, missing)


def test_what_is_left_stands_in_the_next_round(floor, o):
    floor.clear(o.best, CLEARED)
    (more,) = floor.place(CONSUMER, floor.request(first_slot=o.near, price=61, quantity=9))
    floor.goto(CLEARED + 1)
    found = floor.standing(CLEARED + 1)
    assert found.count == 3
    floor.clear(submission(found, (o.dear, more, 5)), CLEARED + 1)
    assert floor.left(o.dear, more) == [0, 4]
    # One unit more would go to the rest of the bid: the price is the middle of 61 and 61.
    assert floor.money(CONSUMER)[1] == 892 + 9 * 61


def test_market_without_a_trade_is_cleared_all_the_same(floor, o):
    floor.goto(CLEARED)
    (alone,) = floor.place(CONSUMER, floor.request(), code=SMALL)
    floor.goto(CLEARED + 1)
    found = floor.standing(CLEARED + 1)
    empty = Submission(**{name: b"" for name in WIDTHS})
    given = with_rows(
        empty,
        batches=[(alone // 64,)],
        requests=[(0, 0)],
        kinds=[(1,)],
        low_order=[(0,)],
    )
    receipt = floor.clear(given, CLEARED + 1, code=SMALL)
    assert floor.emitted(receipt) == [cleared(floor, CLEARED + 1, code=SMALL)]
    assert floor.left(alone) == [10]
    assert found.count == 9  # the other market is as it was


def test_order_of_suspended_member_is_cleared_as_dead(floor, o, clear_reverts):
    floor.govern(floor.members.suspend, RIVAL)
    clear_reverts("OrderDead", o.best, id=o.poor)
    floor.goto(CLEARED, 8)
    found = floor.standing(CLEARED, {RIVAL})
    assert found.dead == (o.late, o.missed, o.poor)
    receipt = floor.clear(submission(found, *fills_of(o)), CLEARED)
    dead = floor.released((PROVIDER, 75), (CONSUMER, 60), (RIVAL, 30))
    assert floor.emitted(receipt)[0] == dead
    assert floor.money(RIVAL) == (0, 0)


def test_order_of_reinstated_member_is_alive_again(floor, o, clear_reverts):
    floor.govern(floor.members.suspend, RIVAL)
    found = floor.standing(CLEARED, {RIVAL})
    floor.govern(floor.members.reinstate, RIVAL)
    clear_reverts("OrderAlive", submission(found, *fills_of(o)), id=o.poor)


# AT THE DOOR


def test_market_is_cleared_once_a_round(floor, o, clear_reverts):
    floor.clear(o.best, CLEARED)
    values = {"class": CODE, "round": floor.round + CLEARED}
    clear_reverts("AlreadyCleared", o.best, **values)
    floor.goto(CLEARED + 1)
    clear_reverts("AlreadyCleared", o.best, **values)  # said before that the round is over
    floor.goto(CLEARED + 1, 2)
    floor.clear(submission(floor.standing(CLEARED + 1)), CLEARED + 1)


@pytest.mark.parametrize("rounds", [CLEARED - 1, CLEARED + 1])
def test_clear_reverts_for_another_round(floor, o, clear_reverts, rounds):
    values = {"given": floor.round + rounds, "current": floor.round + CLEARED}
    clear_reverts("WrongRound", o.best, rounds=rounds, **values)


def test_clearing_is_taken_in_the_rounds_last_second(floor, o):
    floor.goto(CLEARED, 9)
    floor.clear(o.best, CLEARED)
    assert floor.now() == floor.start + CLEARED * 10 + 9


def test_clearing_is_refused_the_second_after_its_round(floor, o, clear_reverts):
    floor.goto(CLEARED + 1)
    values = {"given": floor.round + CLEARED, "current": floor.round + CLEARED + 1}
    clear_reverts("WrongRound", o.best, **values)


def test_clear_reverts_for_unknown_class(floor, o, clear_reverts):
    for code in (0, 9_999):
        clear_reverts("UnknownClass", o.best, code=code, **{"class": code})


def test_clear_reverts_while_paused(floor, o, clear_reverts):
    floor.govern(floor.book.setPaused, True)
    clear_reverts("ClearingPaused", o.best)
    floor.govern(floor.book.setPaused, False)
    floor.goto(CLEARED + 1)
    floor.clear(submission(floor.standing(CLEARED + 1), *fills_of(o)), CLEARED + 1)


def test_clear_reverts_when_nothing_stands(floor, o, clear_reverts):
    clear_reverts("NothingStanding", o.best, code=SMALL, **{"class": SMALL})
    floor.place(CONSUMER, floor.request(), code=SMALL)  # fresh
    clear_reverts("NothingStanding", o.best, code=SMALL, **{"class": SMALL})


def test_fresh_orders_take_no_part(floor, o, clear_reverts):
    (fresh,) = floor.place(RIVAL, floor.request(first_slot=o.near, price=2_000))
    batches = [*rows(o.best, "batches"), (fresh // 64,)]
    given = with_rows(o.best, batches=batches)
    clear_reverts("BatchNotStanding", given, batch=fresh // 64)
    floor.clear(o.best, CLEARED)
    assert floor.left(fresh) == [10]
    assert floor.market()[:4] == (1, 2, 0, 1)


def test_order_reduced_in_the_round_before_is_cleared_as_it_is(floor, o):
    floor.goto(CLEARED, LOCK)
    floor.reduce(PROVIDER, {o.cheap: 4})
    floor.goto(CLEARED + 1)
    given = ((o.cheap, o.big, 4), (o.dear, o.big, 8), (o.dear, o.own, 2), (o.far, o.either, 4))
    floor.clear(submission(floor.standing(CLEARED + 1), *given), CLEARED + 1)
    assert floor.left(o.cheap, o.dear, o.big, o.own) == [0, 0, 0, 1]


# LISTS THAT ARE MALFORMED


@pytest.mark.parametrize("name", WIDTHS)
def test_clear_reverts_for_list_of_no_whole_entries(o, clear_reverts, name):
    data = getattr(o.best, name) + b"\x01"
    values = {"list": word(ON_CHAIN.get(name, name)), "position": len(data)}
    clear_reverts("Malformed", replace(o.best, **{name: data}), **values)


def test_clear_reverts_for_counts_of_other_sum(o, clear_reverts):
    more = with_rows(o.best, groups=[(2,), (2,)])
    clear_reverts("Malformed", more, list=word("offers"), position=4)
    fewer = with_rows(o.best, kinds=[(2,), (1,)])
    clear_reverts("Malformed", fewer, list=word("requests"), position=3)


def test_clear_reverts_for_group_or_kind_without_orders(o, clear_reverts):
    group = with_rows(o.best, groups=[(2,), (0,), (1,)])
    clear_reverts("Malformed", group, list=word("groups"), position=1)
    kind = with_rows(o.best, kinds=[(2,), (1,), (1,), (0,)])
    clear_reverts("Malformed", kind, list=word("kinds"), position=3)


@pytest.mark.parametrize("name", ["offers", "requests", "dead"])
def test_clear_reverts_for_order_of_no_listed_batch(o, clear_reverts, name):
    entries = rows(o.best, name)
    entries[1] = (4, 0)
    given = with_rows(o.best, **{name: entries})
    clear_reverts("Malformed", given, list=word(name), position=1)


@pytest.mark.parametrize("fill", [(4, 0, 1), (3, 3, 1), (65_535, 65_535, 1)])
def test_clear_reverts_for_fill_of_order_not_listed(o, clear_reverts, fill):
    given = with_rows(o.best, fills=[*rows(o.best, "fills"), fill])
    clear_reverts("Malformed", given, list=word("fills"), position=4)


# BATCHES AND ORDERS


def test_clear_reverts_unless_batches_ascend(o, clear_reverts):
    batches = rows(o.best, "batches")
    swapped = with_rows(o.best, batches=[batches[0], batches[2], batches[1], batches[3]])
    clear_reverts("BatchesUnsorted", swapped, position=2)
    repeated = with_rows(o.best, batches=[batches[0], *batches])
    clear_reverts("BatchesUnsorted", repeated, position=1)


def test_clear_reverts_for_batch_unknown_or_of_other_class(floor, o, clear_reverts):
    (other,) = floor.place(CONSUMER, floor.request(), code=SMALL)
    floor.goto(CLEARED + 1)
    batches = rows(o.best, "batches")
    for number in (other // 64, other // 64 + 1, 2**32 - 1):
        given = with_rows(o.best, batches=[*batches, (number,)])
        clear_reverts("BatchNotStanding", given, rounds=CLEARED + 1, batch=number)
    given = with_rows(o.best, batches=[(0,), *batches])
    clear_reverts("BatchNotStanding", given, rounds=CLEARED + 1, batch=0)


def test_clear_reverts_for_order_of_the_other_side(o, clear_reverts):
    offers, requests = rows(o.best, "offers"), rows(o.best, "requests")
    given = with_rows(o.best, offers=[*offers[:2], requests[0]])
    clear_reverts("OrderNotStanding", given, id=o.big)
    given = with_rows(o.best, requests=[offers[0], *requests[1:]])
    clear_reverts("OrderNotStanding", given, id=o.cheap)


@pytest.mark.parametrize("index", [4, 63, 64, 255])
def test_clear_reverts_for_order_that_does_not_exist(o, clear_reverts, index):
    first = o.cheap // 64 * 64
    offers, dead = rows(o.best, "offers"), rows(o.best, "dead")
    given = with_rows(o.best, offers=[(0, index), *offers[1:]])
    clear_reverts("OrderNotStanding", given, id=first + index)
    given = with_rows(o.best, dead=[dead[0], (0, index)])
    clear_reverts("OrderNotStanding", given, id=first + index)


def test_clear_reverts_for_order_that_is_gone(floor, o, clear_reverts):
    floor.goto(CLEARED, LOCK)
    floor.reduce(PROVIDER, {o.far: 0})
    clear_reverts("OrderNotStanding", o.best, id=o.far)


def test_clear_reverts_unless_ids_ascend(o, clear_reverts):
    offers, requests, dead = (rows(o.best, name) for name in ("offers", "requests", "dead"))
    given = with_rows(o.best, offers=[offers[1], offers[0], offers[2]])
    clear_reverts("OrdersUnsorted", given, id=o.cheap)
    given = with_rows(o.best, requests=[requests[1], requests[0], *requests[2:]])
    clear_reverts("OrdersUnsorted", given, id=o.big)
    given = with_rows(o.best, dead=dead[::-1])
    clear_reverts("OrdersUnsorted", given, id=o.late)
    given = with_rows(o.best, offers=[offers[0], offers[0], offers[2]])
    clear_reverts("OrdersUnsorted", given, id=o.cheap)


def test_clear_reverts_for_order_in_the_wrong_group_or_kind(o, clear_reverts):
    clear_reverts("WrongGroup", with_rows(o.best, groups=[(3,)]), id=o.far)
    # The kinds of `own` and `either` differ in their windows only.
    requests = rows(o.best, "requests")
    given = with_rows(
        o.best,
        requests=[requests[0], requests[2], requests[1], requests[3]],
        kinds=[(2,), (1,), (1,)],
    )
    clear_reverts("WrongGroup", given, id=o.either)


def test_clear_reverts_unless_groups_and_kinds_ascend(o, clear_reverts):
    offers, requests = rows(o.best, "offers"), rows(o.best, "requests")
    given = with_rows(o.best, offers=[offers[2], *offers[:2]], groups=[(1,), (2,)])
    clear_reverts("GroupsUnsorted", given, group=1)
    split = with_rows(o.best, groups=[(1,), (1,), (1,)])
    clear_reverts("GroupsUnsorted", split, group=1)
    given = with_rows(
        o.best, requests=[*requests[:2], requests[3], requests[2]], kinds=[(2,), (1,), (1,)]
    )
    clear_reverts("KindsUnsorted", given, kind=2)
    split = with_rows(o.best, kinds=[(1,), (1,), (1,), (1,)])
    clear_reverts("KindsUnsorted", split, kind=1)


def test_clear_reverts_for_dead_order_among_the_living(o, clear_reverts):
    late, missed = rows(o.best, "dead")
    offers, requests = rows(o.best, "offers"), rows(o.best, "requests")
    given = with_rows(o.best, offers=[late, *offers], groups=[(1,), (2,), (1,)], dead=[missed])
    clear_reverts("OrderDead", given, id=o.late)
    given = with_rows(
        o.best, requests=[missed, *requests], kinds=[(1,), (2,), (1,), (1,)], dead=[late]
    )
    clear_reverts("OrderDead", given, id=o.missed)


def test_clear_reverts_for_living_order_among_the_dead(o, clear_reverts):
    requests, dead = rows(o.best, "requests"), rows(o.best, "dead")
    given = with_rows(o.best, requests=requests[:3], kinds=[(2,), (1,)], dead=[*dead, requests[3]])
    clear_reverts("OrderAlive", given, id=o.poor)


def test_clear_reverts_unless_every_standing_order_is_listed(o, clear_reverts):
    poor = with_rows(o.best, requests=rows(o.best, "requests")[:3], kinds=[(2,), (1,)])
    clear_reverts("Incomplete", poor, listed=8, standing=9)
    dead = with_rows(o.best, dead=rows(o.best, "dead")[:1])
    clear_reverts("Incomplete", dead, listed=8, standing=9)
    nothing = Submission(**{name: b"" for name in WIDTHS})
    clear_reverts("Incomplete", nothing, listed=0, standing=9)


# FILLS


def test_clear_reverts_unless_fills_ascend(o, clear_reverts):
    fills = rows(o.best, "fills")
    swapped = with_rows(o.best, fills=[fills[0], fills[2], fills[1], fills[3]])
    clear_reverts("FillsUnsorted", swapped, position=2)
    repeated = with_rows(o.best, fills=[(0, 0, 5), (0, 0, 5), *fills[1:]])
    clear_reverts("FillsUnsorted", repeated, position=1)


def test_clear_reverts_for_fill_of_nothing(o, clear_reverts):
    given = with_rows(o.best, fills=[(0, 0, 0), *rows(o.best, "fills")[1:]])
    clear_reverts("EmptyFill", given, offer=o.cheap, request=o.big)


def test_clear_reverts_for_fill_outside_window_or_attributes(o, clear_reverts):
    given = with_rows(o.best, fills=[(0, 2, 1)])
    clear_reverts("Ineligible", given, offer=o.far, request=o.big)
    given = with_rows(o.best, fills=[(3, 0, 1)])
    clear_reverts("Ineligible", given, offer=o.cheap, request=o.poor)


def test_clear_reverts_for_more_than_is_left_of_an_order(o, clear_reverts):
    fills = rows(o.best, "fills")
    for quantity in (11, 2**32 - 1):
        given = with_rows(o.best, fills=[(0, 0, quantity), *fills[1:]])
        clear_reverts("Overfill", given, id=o.cheap)
    given = with_rows(o.best, fills=[(0, 0, 10), (0, 1, 3), *fills[2:]])
    clear_reverts("Overfill", given, id=o.big)
    given = with_rows(o.best, fills=[(0, 0, 3), (0, 1, 9), (1, 1, 2), (2, 2, 4)])
    clear_reverts("Overfill", given, id=o.dear)


def test_clear_reverts_for_shredded_deals(o, clear_reverts):
    given = with_rows(o.best, fills=[(0, 0, 9), (0, 1, 3), (1, 0, 1), (1, 1, 2)])
    clear_reverts("TooManyFills", given, fills=4, filledOrders=4)


# HINTS


@pytest.mark.parametrize(
    ("order", "position"),
    [
        ([0, 1], 2),  # one is missing
        ([0, 1, 2, 2], 4),  # one too many
        ([0, 1, 3], 2),  # no such kind
        ([0, 0, 1], 1),  # twice
        ([1, 0, 2], 1),  # not falling
        ([2, 1, 0], 1),
    ],
)
def test_clear_reverts_for_other_order_of_kinds(o, clear_reverts, order, position):
    assert rows(o.best, "low_order") == [(0,), (1,), (2,)]
    given = with_rows(o.best, low_order=[(kind,) for kind in order])
    clear_reverts("LowOrderRefused", given, position=position)


@pytest.mark.parametrize(
    ("groups", "kinds", "position"),
    [
        ([1], [(1, 1)], 1),  # a group is missing
        ([1, 0, 0], [(1, 1), (0, 0)], 3),  # one too many
        ([1, 2], [(1, 1), (0, 0)], 1),  # no such group
        ([1, 1], [(1, 1), (0, 0)], 1),  # twice
        ([0, 1], [(0, 0), (1, 1)], 1),  # not rising
        ([1, 0], [(0, 0), (1, 1)], 3),  # the second kind's group has passed
        ([1, 0], [(1, 1)], 3),  # a kind is missing
        ([1, 0], [(1, 1), (0, 0), (0, 0)], 4),  # twice
        ([1, 0], [(1, 1), (2, 0)], 3),  # a kind without fills
        ([1, 0], [(1, 1), (3, 0)], 3),  # no such kind
        ([1, 0], [(0, 1), (1, 1)], 2),  # not eligible for the group
        ([1, 0], [(1, 0), (0, 0)], 2),  # eligible for a group before
        ([1, 0], [(1, 1), (0, 2)], 3),  # no such group
    ],
)
def test_clear_reverts_for_other_order_of_groups(o, clear_reverts, groups, kinds, position):
    assert rows(o.best, "group_order") == [(1,), (0,)]
    assert rows(o.best, "high_order") == [(1, 1), (0, 0)]
    given = with_rows(o.best, group_order=[(g,) for g in groups], high_order=kinds)
    clear_reverts("HighOrderRefused", given, position=position)


# WORSE ALLOCATIONS


def test_clear_reverts_for_trade_left_out(floor, o, clear_reverts):
    found = floor.standing(CLEARED)
    given = submission(found, *(f for f in fills_of(o) if f[1] != o.own))
    values = {"slot": o.near, "attributes": 0, "credit": 0}
    low, cap = bid(80, o.own), ask(60, o.dear)
    clear_reverts("Suboptimal", given, **values, low=low, cap=cap)


def test_clear_reverts_for_trade_at_a_loss(floor, o, clear_reverts):
    found = floor.standing(CLEARED)
    given = [*fills_of(o)[:3], (o.far, o.either, 3), (o.dear, o.either, 1)]
    values = {"slot": o.near, "attributes": 0, "credit": 0}
    low, cap = ask(60, o.dear), bid(55, o.either)
    clear_reverts("Suboptimal", submission(found, *given), **values, low=low, cap=cap)


def test_clear_reverts_for_dearer_offer_before_the_cheaper(floor, o, clear_reverts):
    found = floor.standing(CLEARED)
    given = [(o.cheap, o.big, 9), (o.dear, o.big, 3), *fills_of(o)[2:]]
    values = {"slot": o.near, "attributes": 0, "credit": 0}
    low, cap = ask(60, o.dear), ask(40, o.cheap)
    clear_reverts("Suboptimal", submission(found, *given), **values, low=low, cap=cap)


def test_clear_reverts_for_request_served_in_its_dearer_slot(floor, o, clear_reverts):
    """A request that could have the cheaper slot: the bound travels from group to group."""
    found = floor.standing(CLEARED)
    given = [(o.cheap, o.big, 10), (o.dear, o.own, 3), (o.dear, o.either, 4), (o.dear, o.big, 2)]
    values = {"slot": o.near, "attributes": 0, "credit": 0}
    low, cap = ask(60, o.dear), bid(55, o.either)
    clear_reverts("Suboptimal", submission(found, *given), **values, low=low, cap=cap)
