"""CreditLedger: open value, outcomes, decay, bands, caps.

A ledger of its own on `stage`'s members, whose book, clearing and deals are played by accounts.
Pilot parameters with three decimals: H 1 h, Hbad 4 h.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Any

import pytest

PROVIDER, CONSUMER, ARBITER = 4, 5, 6
H, H_BAD = 3_600, 14_400  # [s]
THRESHOLDS = [n * 1_000 for n in (0, 1_000, 5_000, 20_000, 60_000, 150_000, 400_000, 1_000_000)]
RATIOS = [0, 2, 4, 8, 12, 20, 30, 50]
CAP, NEWCOMER = 10_000_000, 50_000_000  # C and newcomerCap [base units]
MOST = 2**112 - 1
UNTOUCHED = (0, 0, 0)


@dataclass
class Ledger:
    """A credit ledger and what tests do with it."""

    stage: Any
    contract: Any
    dealer: Any  # plays the deals
    start: int = 0  # a multiple of both half-lives [unix s]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.contract, name)

    def outcome(self, **changes: int) -> tuple[int, ...]:
        fields = {
            "provider": PROVIDER,
            "consumer": CONSUMER,
            "good": 0,
            "bad": 0,
            "consumer_good": 0,
            "consumer_bad": 0,
            "open_value": 0,
        }
        return tuple((fields | changes).values())

    def record(self, **changes: int) -> Any:
        return self.contract.record([self.outcome(**changes)], sender=self.dealer)

    def recorded(self, member: int, group: int, good: int, bad: int) -> tuple[Any, ...]:
        values = {"member": member, "counterpartyGroup": group, "good": good, "bad": bad}
        return self.stage.event("ledger", "CreditRecorded", **values)

    def open(self, value: int, *, member: int = PROVIDER, declared: int = 0) -> Any:
        book = self.stage.people["book"]
        return self.contract.open(member, declared, value, sender=book)

    def goto(self, seconds: int) -> None:
        """Let the next transaction run so long after the start."""
        self.stage.at(self.start + seconds)

    def seen(self, seconds: int, member: int = PROVIDER) -> tuple[int, int]:
        """Return good and bad as they are so long after the start."""
        self.stage.at(self.start + seconds + 1)  # the newest block is a second older
        assert self.stage.now() == self.start + seconds
        return tuple(self.contract.creditOf(member))


@pytest.fixture(scope="session")
def deploy_ledger(project, people, chain, stage_contracts, accounts, kit):
    """Deploy a ledger with other parameters."""
    dealer = accounts.generate_test_account()
    accounts[0].transfer(dealer, "1000 ether")

    def deploy(**changes):
        unused, played = "0x" + "00" * 20, people["book"].address
        deployment = [unused] * 9
        deployment[1] = stage_contracts.members.address
        deployment[3] = played
        deployment[4] = people["clearing"].address
        deployment[5] = dealer.address
        parameters = replace(kit.parameters, **changes).to_abi()
        contract = people["deployer"].deploy(project.CreditLedger, tuple(deployment), parameters)
        contracts = {**stage_contracts.contracts, "ledger": contract}
        start = (stage_contracts.now() // H_BAD + 2) * H_BAD
        return Ledger(kit.System(people, chain, contracts), contract, dealer, start)

    return deploy


@pytest.fixture(scope="session")
def pilot_ledger(deploy_ledger):
    return deploy_ledger()


@pytest.fixture(scope="session")
def open_ledger(deploy_ledger):
    return deploy_ledger(counterparty_cap=MOST)


@pytest.fixture
def ledger(pilot_ledger):
    """The pilot's ledger, at a multiple of both half-lives."""
    pilot_ledger.goto(0)
    return pilot_ledger


@pytest.fixture
def uncapped(open_ledger):
    """A ledger in which one counterparty may add all that can be stored."""
    open_ledger.goto(0)
    return open_ledger


@pytest.fixture
def admit_to(ledger, kit, outsider):
    """Admit the outsider to an owner group; return its member id."""

    def admit(group):
        members = ledger.stage.members
        ledger.stage.govern(members.admit, kit.admission(outsider.address, group=group))
        return members.memberOf(outsider)

    return admit


def only(receipt, ledger):
    return ledger.stage.emitted(receipt)


# CONSTRUCTION


def test_constructor_fixes_the_rules(ledger):
    found = [ledger.goodHalfLife(), ledger.badHalfLife()]
    found += [ledger.counterpartyCap(), ledger.newcomerCap()]
    assert found == [H, H_BAD, CAP, NEWCOMER]


# OPEN VALUE


def test_book_raises_open_value_of_newcomer_to_the_cap(ledger, reverts):
    assert only(ledger.open(NEWCOMER - 5), ledger) == []
    values = {"member": PROVIDER, "wanted": NEWCOMER + 1, "cap": NEWCOMER}
    with reverts(ledger.NewcomerCapExceeded, **values):
        ledger.open(6)
    assert ledger.openValueOf(PROVIDER) == NEWCOMER - 5
    ledger.open(5)
    assert ledger.openValueOf(PROVIDER) == NEWCOMER
    with reverts(ledger.NewcomerCapExceeded, **values):
        ledger.open(1)
    assert ledger.openValueOf(CONSUMER) == 0


def test_open_value_is_free_from_band_one_on(ledger, reverts):
    ledger.record(good=THRESHOLDS[1])
    ledger.open(2**110, declared=1)
    ledger.open(2**110)
    assert ledger.openValueOf(PROVIDER) == 2**111
    # The band is lost, not what is open: only more is refused.
    ledger.goto(H)
    values = {"member": PROVIDER, "wanted": 2**111 + 1, "cap": NEWCOMER}
    with reverts(ledger.NewcomerCapExceeded, **values):
        ledger.open(1)


@pytest.mark.parametrize("declared", [1, 7, 2**256 - 1])
def test_open_reverts_for_newcomer_that_declares_credit(ledger, reverts, declared):
    values = {"member": PROVIDER, "declared": declared, "band": 0}
    with reverts(ledger.CreditAboveBand, **values):
        ledger.open(1, declared=declared)


def test_member_declares_up_to_its_band(ledger, reverts):
    ledger.record(good=THRESHOLDS[2])
    for declared in (0, 1, 2):
        ledger.open(1, declared=declared)
    with reverts(ledger.CreditAboveBand, member=PROVIDER, declared=3, band=2):
        ledger.open(1, declared=3)
    ledger.goto(H)
    with reverts(ledger.CreditAboveBand, member=PROVIDER, declared=2, band=1):
        ledger.open(1, declared=2)


def test_open_reverts_for_all_but_book(ledger, reverts, people):
    for sender in (ledger.dealer, *map(people.get, ("clearing", "provider", "outsider"))):
        with reverts(ledger.NotAllowed, sender=sender):
            ledger.contract.open(PROVIDER, 0, 1, sender=sender)


@pytest.mark.parametrize("name", ["book", "clearing"])
def test_book_and_clearing_lower_open_value(ledger, people, name):
    ledger.open(100)
    ledger.open(50, member=CONSUMER)
    members, values = [PROVIDER, CONSUMER, PROVIDER], [30, 50, 1]
    assert only(ledger.close(members, values, sender=people[name]), ledger) == []
    assert [ledger.openValueOf(m) for m in (PROVIDER, CONSUMER)] == [69, 0]


def test_close_reverts_for_all_but_book_and_clearing(ledger, reverts, people):
    for sender in (ledger.dealer, *map(people.get, ("provider", "councillor", "outsider"))):
        with reverts(ledger.NotAllowed, sender=sender):
            ledger.close([], [], sender=sender)


# OUTCOMES


def test_outcome_is_recorded_for_both_sides(ledger):
    ledger.open(1_000)
    ledger.goto(7)
    receipt = ledger.record(good=900, bad=40, consumer_good=800, consumer_bad=30, open_value=999)
    assert only(receipt, ledger) == [
        ledger.recorded(PROVIDER, CONSUMER, 900, 40),
        ledger.recorded(CONSUMER, PROVIDER, 800, 30),
    ]
    now = ledger.start + 7
    assert tuple(ledger.recordOf(PROVIDER)) == (900, 40, now)
    assert tuple(ledger.recordOf(CONSUMER)) == (800, 30, now)
    assert ledger.addedBy(PROVIDER, CONSUMER) == 900
    assert ledger.addedBy(CONSUMER, PROVIDER) == 800
    assert ledger.addedBy(PROVIDER, ARBITER) == 0
    assert ledger.openValueOf(PROVIDER) == 1


def test_outcomes_are_recorded_in_order(ledger):
    outcomes = [
        ledger.outcome(good=5),
        ledger.outcome(provider=CONSUMER, consumer=ARBITER, bad=3),
        ledger.outcome(good=2, consumer_good=2),
    ]
    receipt = ledger.contract.record(outcomes, sender=ledger.dealer)
    assert only(receipt, ledger) == [
        ledger.recorded(PROVIDER, CONSUMER, 5, 0),
        ledger.recorded(CONSUMER, ARBITER, 0, 3),
        ledger.recorded(PROVIDER, CONSUMER, 2, 0),
        ledger.recorded(CONSUMER, PROVIDER, 2, 0),
    ]
    assert [tuple(ledger.creditOf(m)) for m in (PROVIDER, CONSUMER)] == [(7, 0), (2, 3)]


def test_outcome_of_nothing_leaves_no_trace(ledger):
    assert only(ledger.record(), ledger) == []
    assert only(ledger.contract.record([], sender=ledger.dealer), ledger) == []
    assert tuple(ledger.recordOf(PROVIDER)) == tuple(ledger.recordOf(CONSUMER)) == UNTOUCHED


def test_outcome_inside_an_owner_group_closes_open_value_only(ledger, admit_to):
    sister = admit_to(PROVIDER)
    ledger.open(100)
    values = {"good": 5, "bad": 5, "consumer_good": 5, "consumer_bad": 5}
    receipt = ledger.record(consumer=sister, open_value=60, **values)
    assert only(receipt, ledger) == []
    assert tuple(ledger.recordOf(PROVIDER)) == tuple(ledger.recordOf(sister)) == UNTOUCHED
    assert ledger.addedBy(PROVIDER, PROVIDER) == 0
    assert ledger.openValueOf(PROVIDER) == 40


def test_record_reverts_for_all_but_deals(ledger, reverts, people):
    for name in ("book", "clearing", "provider", "councillor", "outsider"):
        with reverts(ledger.NotAllowed, sender=people[name]):
            ledger.contract.record([ledger.outcome(good=1)], sender=people[name])


def test_suspension_keeps_credit(ledger):
    ledger.record(good=THRESHOLDS[1], bad=7)
    ledger.stage.govern(ledger.stage.members.suspend, PROVIDER)
    assert tuple(ledger.creditOf(PROVIDER)) == (THRESHOLDS[1], 7)
    assert ledger.bandOf(PROVIDER) == 1


# ONE COUNTERPARTY'S CAP


def test_one_counterparty_adds_up_to_the_cap(ledger):
    assert only(ledger.record(good=CAP - 1), ledger)[0] == ledger.recorded(
        PROVIDER, CONSUMER, CAP - 1, 0
    )
    assert only(ledger.record(good=2), ledger) == [ledger.recorded(PROVIDER, CONSUMER, 1, 0)]
    before = tuple(ledger.recordOf(PROVIDER))
    assert only(ledger.record(good=2**128 - 1), ledger) == []
    assert tuple(ledger.recordOf(PROVIDER)) == before == (CAP, 0, ledger.start + 1)
    assert ledger.addedBy(PROVIDER, CONSUMER) == CAP
    # Another one adds as much.
    ledger.record(consumer=ARBITER, good=CAP + 1)
    assert tuple(ledger.creditOf(PROVIDER)) == (2 * CAP, 0)


def test_full_cap_keeps_no_bad_away(ledger):
    ledger.record(good=CAP)
    receipt = ledger.record(good=5, bad=6)
    assert only(receipt, ledger) == [ledger.recorded(PROVIDER, CONSUMER, 0, 6)]
    assert tuple(ledger.creditOf(PROVIDER)) == (CAP, 6)


def test_members_of_one_owner_group_share_its_cap(ledger, admit_to):
    sister = admit_to(CONSUMER)
    ledger.record(good=CAP - 1)
    receipt = ledger.record(consumer=sister, good=100)
    assert only(receipt, ledger) == [ledger.recorded(PROVIDER, CONSUMER, 1, 0)]


def test_cap_makes_room_as_what_was_added_decays(ledger):
    ledger.record(good=CAP)
    ledger.goto(H)
    receipt = ledger.record(good=CAP)
    assert only(receipt, ledger) == [ledger.recorded(PROVIDER, CONSUMER, CAP // 2, 0)]
    assert tuple(ledger.recordOf(PROVIDER)) == (CAP, 0, ledger.start + H)
    assert ledger.addedBy(PROVIDER, CONSUMER) == CAP


def test_consumer_is_capped_like_provider(ledger):
    receipt = ledger.record(consumer_good=CAP + 1)
    assert only(receipt, ledger) == [ledger.recorded(CONSUMER, PROVIDER, CAP, 0)]


# DECAY


def test_credit_halves_at_each_multiple_of_its_half_life(ledger):
    ledger.goto(10)
    ledger.record(good=1_001, bad=1_001)
    found = [ledger.seen(t) for t in (H - 1, H, 2 * H - 1, 2 * H, H_BAD - 1, H_BAD, 2 * H_BAD)]
    assert found == [
        (1001, 1001),
        (500, 1001),
        (500, 1001),
        (250, 1001),
        (125, 1001),
        (62, 500),
        (3, 250),
    ]
    assert ledger.addedBy(PROVIDER, CONSUMER) == 3
    assert tuple(ledger.recordOf(PROVIDER)) == (1_001, 1_001, ledger.start + 10)


def test_new_outcome_joins_what_is_left(ledger):
    ledger.record(good=1_001, bad=1_001)
    ledger.goto(H_BAD)
    ledger.record(good=5, bad=5)
    assert tuple(ledger.recordOf(PROVIDER)) == (67, 505, ledger.start + H_BAD)
    assert ledger.addedBy(PROVIDER, CONSUMER) == 67
    assert ledger.seen(H_BAD + H) == (33, 505)


def test_touching_changes_no_decay(ledger):
    ledger.record(good=1_023)
    ledger.record(provider=ARBITER, good=1_023)
    for hours in (1, 2, 3):
        ledger.goto(hours * H)
        ledger.record(bad=1)
    assert ledger.seen(4 * H)[0] == ledger.seen(4 * H + 2, ARBITER)[0] == 63


def test_credit_is_gone_after_long(ledger):
    ledger.record(good=CAP, bad=2**112 - 1)
    assert ledger.seen(24 * H) == (0, MOST >> 6)
    assert ledger.seen(500 * H_BAD) == (0, 0)
    assert ledger.bandOf(PROVIDER) == 0


# BANDS


def test_band_is_reached_with_its_threshold(uncapped):
    members = list(range(100, 100 + 16))
    goods = list(itertools.chain.from_iterable((t - 1, t) for t in THRESHOLDS[1:]))
    goods += [0, MOST]
    outcomes = [uncapped.outcome(provider=m, good=g) for m, g in zip(members, goods, strict=True)]
    uncapped.contract.record(outcomes, sender=uncapped.dealer)
    found = [uncapped.bandOf(m) for m in members]
    assert found == [0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 0, 7]


def test_band_is_lost_beyond_its_ratio(uncapped):
    good = 60 * 10**9
    bads = list(itertools.chain.from_iterable((good // r, good // r + 1) for r in RATIOS[1:]))
    members = list(range(200, 200 + len(bads)))
    outcomes = [
        uncapped.outcome(provider=m, good=good, bad=b) for m, b in zip(members, bads, strict=True)
    ]
    uncapped.contract.record(outcomes, sender=uncapped.dealer)
    found = [uncapped.bandOf(m) for m in members]
    assert found == [1, 0, 2, 1, 3, 2, 4, 3, 5, 4, 6, 5, 7, 6]


def test_bad_decays_slower_than_good(uncapped):
    uncapped.record(good=50 * 10**9, bad=10**9)
    assert uncapped.bandOf(PROVIDER) == 7
    uncapped.seen(H)
    assert uncapped.bandOf(PROVIDER) == 5  # 25 times as much good as bad
    uncapped.seen(H_BAD)
    assert uncapped.bandOf(PROVIDER) == 2  # an eighth of fifty, and half of the bad


# THE LARGEST VALUES


def test_good_and_bad_end_at_what_a_word_holds(uncapped):
    receipt = uncapped.record(good=2**128 - 1, bad=2**128 - 1)
    assert only(receipt, uncapped) == [uncapped.recorded(PROVIDER, CONSUMER, MOST, 2**128 - 1)]
    assert tuple(uncapped.creditOf(PROVIDER)) == (MOST, MOST)
    receipt = uncapped.record(consumer=ARBITER, good=5, bad=1)
    assert only(receipt, uncapped) == [uncapped.recorded(PROVIDER, ARBITER, 5, 1)]
    assert tuple(uncapped.creditOf(PROVIDER)) == (MOST, MOST)
    assert uncapped.bandOf(PROVIDER) == 0
    assert only(uncapped.record(good=1), uncapped) == []
