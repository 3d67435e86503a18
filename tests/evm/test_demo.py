"""The demo's play on the real contracts: every ending occurs, and every figure adds up."""

import pytest

from capshare.demo.delivering import PlayedDeal
from capshare.demo.outcomes import CONTESTED, Ending
from capshare.demo.play import Played, play
from capshare.demo.report import Report, report
from capshare.demo.scenario import SMALL, choose
from capshare.demo.source import EmbeddedSource
from capshare.devnet.accounts import DevAccount
from capshare.ledger.deals import DealState
from capshare.orders import Side
from capshare.replay import replay
from capshare.taxonomy import unpack

pytestmark = pytest.mark.slow

FINAL = {
    Ending.DEFAULTED: DealState.DEFAULTED,
    Ending.RELEASED: DealState.RELEASED,
    Ending.CANCELLED: DealState.CANCELLED,
    Ending.CANCELLED_CONTESTED: DealState.CANCELLED,
}


@pytest.fixture(scope="module")
def played() -> Played:
    return play(choose(1))


@pytest.fixture(scope="module")
def figures(played: Played) -> Report:
    return report(played, replay(EmbeddedSource(played.stage.chain), played.stage.book))


def ended(played: Played, ending: Ending) -> list[PlayedDeal]:
    return [d for d in played.deliveries.deals.values() if d.course.ending == ending]


def test_audit_finds_nothing(figures: Report) -> None:
    assert figures.audit.findings == ()
    assert figures.audit.roots == 8
    assert figures.good


def test_play_is_as_large_as_promised(figures: Report) -> None:
    assert figures.firms >= 30
    assert figures.orders >= 400
    assert figures.rounds >= 3
    assert figures.clearings > figures.rounds
    assert {unpack(row.class_code).soft for row in figures.markets} == {True, False}
    assert len(figures.markets) >= 3


def test_orders_are_relayed_cancelled_lowered_and_expired(figures: Report) -> None:
    assert 0 < figures.relayed < figures.orders
    assert min(figures.cancelled, figures.reduced, figures.revoked) > 0


def test_every_ending_occurs(figures: Report) -> None:
    assert {row.ending for row in figures.outcomes if row.deals} == set(Ending)
    assert sum(row.deals for row in figures.outcomes) == figures.deals > 100


def test_every_deal_ends_as_its_parties_acted(played: Played) -> None:
    for ending in Ending:
        for deal in ended(played, ending):
            quantity, course = deal.deal.quantity, deal.course
            assert deal.state == FINAL.get(ending, DealState.SETTLED)
            reported, good = course.reported(quantity), course.good(quantity)
            if ending in FINAL:
                assert deal.settled == 0
            elif ending == Ending.CONCEDED:
                assert deal.settled == good < reported
            elif ending == Ending.UNRULED:
                assert deal.settled == (good + reported) // 2
            elif ending in CONTESTED:
                assert good <= deal.settled <= reported
            else:
                assert deal.settled == reported


def test_rulings_favour_both_sides(played: Played) -> None:
    nearer = set()
    for deal in ended(played, Ending.RULED) + ended(played, Ending.RULED_BY_OTHER):
        reported = deal.course.reported(deal.deal.quantity)
        good = deal.course.good(deal.deal.quantity)
        nearer.add(
            (reported - deal.settled > deal.settled - good)
            - (reported - deal.settled < deal.settled - good)
        )
    assert {1, -1} <= nearer


def test_clearings_gain_at_least_what_naive_matching_gains(played: Played) -> None:
    for cleared in played.floor.cleared:
        assert cleared.surplus >= max(cleared.greedy, cleared.first_come) >= 0
    total = sum(cleared.surplus for cleared in played.floor.cleared)
    assert total > sum(cleared.greedy for cleared in played.floor.cleared)
    assert total > sum(cleared.first_come for cleared in played.floor.cleared) > 0


def test_money_in_is_money_out(figures: Report) -> None:
    money = figures.money
    assert money.conserved
    assert money.deposited == money.withdrawn > 0
    assert (money.held, money.balance, money.gained) == (0, 0, 0)
    assert money.paid == sum(row.paid for row in figures.outcomes)
    assert money.forfeited > 0
    home = sum(row.withdrawn - row.deposited for row in figures.accounts)
    assert home == 0
    earned = sum(
        row.withdrawn - row.deposited for row in figures.accounts if row.side == Side.OFFER
    )
    assert 0 < earned <= money.paid + money.forfeited


def test_credit_moves_up_and_down(figures: Report) -> None:
    providers = [row for row in figures.accounts if row.side == Side.OFFER]
    assert max(row.highest for row in providers) >= 3
    assert any(row.band < row.highest for row in providers)
    assert any(row.bad for row in providers)
    assert all(row.good for row in providers if row.band)


def test_calendar_sells_no_more_than_was_offered(figures: Report) -> None:
    for row in figures.calendar:
        assert len(row.offered) == len(row.sold)
        for offered, sold in zip(row.offered, row.sold, strict=True):
            assert 0 <= sold <= offered
    assert any(row.used for row in figures.calendar)


def test_prices_lie_between_low_and_high(figures: Report) -> None:
    for row in figures.prices:
        assert 60 * row.low <= row.hourly <= 60 * row.high
    sold = sum(row.quantity for row in figures.prices)
    assert sold == sum(row.volume for row in figures.markets)


def test_report_is_plain(figures: Report) -> None:
    import json

    again = json.loads(json.dumps(figures.to_dict()))
    assert again["good"] is True
    assert again["money"]["conserved"] is True
    assert again["audit"]["findings"] == []


def test_same_seed_gives_the_same_chain() -> None:
    first, second = play(choose(4, SMALL)), play(choose(4, SMALL))
    assert first.stage.chain.head.hash == second.stage.chain.head.hash


def test_other_seed_gives_another_chain() -> None:
    first, second = play(choose(0, SMALL)), play(choose(7, SMALL))
    assert first.stage.chain.head.header.state_root != second.stage.chain.head.header.state_root


@pytest.mark.parametrize("seed", [0, 2, 3, 5, 6])
def test_other_weeks_play_to_the_end_and_agree(seed: int) -> None:
    played = play(choose(seed, SMALL))
    audit = replay(EmbeddedSource(played.stage.chain), played.stage.book)
    assert report(played, audit).good


def test_nobody_but_the_cast_sends(played: Played) -> None:
    keys: set[DevAccount] = set(played.cast.accounts)
    senders = {
        receipt.transaction.sender
        for number in range(played.stage.chain.head.number + 1)
        for receipt in played.stage.chain.block(number).receipts
    }
    assert senders <= {key.raw for key in keys}
