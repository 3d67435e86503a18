"""What the demo chooses: enough of everything, within the contracts' rules, the same for a seed."""

import unicodedata
from collections import Counter

import pytest

from capshare.data import OfferRow, RequestRow, deliveries
from capshare.demo.firms import COUNCIL, lei, uscc
from capshare.demo.outcomes import CONTESTED, DECK, Courses, Ending, course
from capshare.demo.scenario import (
    DAY,
    FULL,
    LOT,
    SMALL,
    START,
    Scenario,
    choose,
    demo_parameters,
    posting_day,
)
from capshare.identity import clean_name
from capshare.orders import BATCH_ORDERS, Side, bond_per_unit
from capshare.taxonomy import unpack

SEEDS = range(7)  # one a week of the quarter
POSTING = 28_800  # as `play` posts, [s] after midnight


@pytest.fixture(scope="module")
def scenarios() -> list[Scenario]:
    return [choose(seed) for seed in SEEDS]


def rows_of(scenario: Scenario) -> list[OfferRow | RequestRow]:
    return [row for day in scenario.days for posting in day.postings for row in posting.rows]


def test_same_seed_chooses_the_same_scenario(scenarios: list[Scenario]) -> None:
    assert choose(3) == scenarios[3]


def test_other_seed_chooses_other_firms_and_orders(scenarios: list[Scenario]) -> None:
    first, second = scenarios[0], choose(7)  # the same week
    assert first.first_day == second.first_day
    assert [firm.identity for firm in first.firms] != [firm.identity for firm in second.firms]
    assert first.days != second.days


def test_every_seed_has_enough_firms_orders_and_classes(scenarios: list[Scenario]) -> None:
    for scenario in scenarios:
        assert len(scenario.firms) >= 30
        assert scenario.orders >= 400
        assert len(scenario.days) >= 3
        soft = Counter(unpack(listed.terms.code).soft for listed in scenario.classes)
        assert soft[False] >= 2
        assert soft[True] >= 1


def test_small_scenario_is_small_and_has_both_kinds_of_classes() -> None:
    scenario = choose(1, SMALL)
    assert SMALL.orders <= scenario.orders < FULL.orders // 2
    assert {unpack(listed.terms.code).soft for listed in scenario.classes} == {True, False}


def test_firms_have_clean_names_in_many_scripts_and_valid_codes(
    scenarios: list[Scenario],
) -> None:
    for scenario in scenarios:
        names = [firm.name for firm in scenario.firms]
        assert [clean_name(name) for name in names] == names
        assert len(set(names)) == len(names)
        scripts = {
            unicodedata.name(character).split()[0]
            for name in names
            for character in name
            if character.isalpha()
        }
        assert len(scripts) >= 8, scripts
        codes = [firm.identity for firm in scenario.firms]
        assert not any(code.warning for code in codes)
        assert len({code.hash() for code in codes}) == len(codes)
        assert {code.scheme for code in codes} == {"uscc", "lei"}


def test_made_register_codes_pass_their_checks() -> None:
    import random

    chance = random.Random(5)
    for _ in range(200):
        assert not uscc("330200", chance).warning
        lei(chance)  # raises for a wrong one


def test_founders_come_first_and_form_the_council(scenarios: list[Scenario]) -> None:
    for scenario in scenarios:
        seats = [bool(firm.roles & COUNCIL) for firm in scenario.firms]
        assert seats == sorted(seats, reverse=True)
        assert sum(seats) >= 3


def test_orders_are_within_their_class(scenarios: list[Scenario]) -> None:
    for scenario in scenarios:
        terms = {listed.terms.code: listed.terms for listed in scenario.classes}
        for row in rows_of(scenario):
            assert row.quantity >= LOT
            if isinstance(row, RequestRow):
                assert row.last_slot - row.first_slot < terms[row.class_code].window
                assert not row.needs & ~terms[row.class_code].mask


def test_books_are_within_the_bound_of_a_class(scenarios: list[Scenario]) -> None:
    for scenario in scenarios:
        for listed in scenario.classes:
            terms = listed.terms
            half = terms.book_size // 2
            groups = terms.window * 8 * 2 ** terms.mask.bit_count()
            assert half * min(half, groups) <= 250_000
            own = [row for row in rows_of(scenario) if row.class_code == terms.code]
            assert sum(isinstance(row, OfferRow) for row in own) <= half
            assert sum(isinstance(row, RequestRow) for row in own) <= half


def test_slots_are_open_when_orders_are_posted(scenarios: list[Scenario]) -> None:
    for scenario in scenarios:
        rules = scenario.parameters
        terms = {listed.terms.code: listed.terms for listed in scenario.classes}
        for row in rows_of(scenario):
            posted = START + posting_day(row, scenario.first_day) * DAY + POSTING
            last = row.slot if isinstance(row, OfferRow) else row.last_slot
            slot = scenario.slot(last)
            assert terms[row.class_code].is_open(slot, posted // rules.round + 1, rules)
            assert slot * DAY <= posted + rules.horizon


def test_no_asset_is_offered_above_its_capacity(scenarios: list[Scenario]) -> None:
    for scenario in scenarios:
        assets = {asset.key: asset for asset in scenario.assets}
        offered: Counter[tuple[str, int]] = Counter()
        for row in rows_of(scenario):
            if isinstance(row, OfferRow):
                offered[row.asset, row.slot] += row.quantity
                assert assets[row.asset].firm == row.firm
                assert assets[row.asset].class_code == row.class_code
        for (asset, _), quantity in offered.items():
            assert quantity <= assets[asset].capacity
        assert len({asset.identity for asset in scenario.assets}) == len(assets)


def test_deposits_cover_all_orders_of_a_firm(scenarios: list[Scenario]) -> None:
    for scenario in scenarios:
        reference = {listed.terms.code: listed.terms.reference for listed in scenario.classes}
        needed: Counter[str] = Counter()
        for row in rows_of(scenario):
            unit = row.price
            if isinstance(row, OfferRow):
                rates = scenario.parameters.bond_rates
                unit = bond_per_unit(row.price, 0, reference[row.class_code], rates)
            needed[row.firm] += row.quantity * unit
        assert needed.keys() == scenario.deposits.keys()
        assert all(scenario.deposits[firm] >= needed[firm] for firm in needed)


def test_batches_hold_one_firm_class_and_side(scenarios: list[Scenario]) -> None:
    for scenario in scenarios:
        for day in scenario.days:
            for posting in day.postings:
                assert 0 < len(posting.rows) <= BATCH_ORDERS
                assert {row.firm for row in posting.rows} == {posting.firm}
                assert {row.class_code for row in posting.rows} == {posting.class_code}
                is_offer = posting.side == Side.OFFER
                assert {isinstance(row, OfferRow) for row in posting.rows} == {is_offer}


def test_withdrawals_follow_the_day_of_posting(scenarios: list[Scenario]) -> None:
    for scenario in scenarios:
        changes = [(day.number, w) for day in scenario.days for w in day.withdrawals]
        assert {withdrawal.share for _, withdrawal in changes} == {0, 5_000}
        for number, withdrawal in changes:
            assert posting_day(withdrawal.row, scenario.first_day) == number - 1


def test_revocation_takes_one_bit_that_somebody_needs(scenarios: list[Scenario]) -> None:
    for scenario in scenarios:
        plan = scenario.revocation
        asset = next(asset for asset in scenario.assets if asset.key == plan.asset)
        taken = asset.attributes & ~plan.attributes
        mask = next(
            listed.terms.mask
            for listed in scenario.classes
            if listed.terms.code == asset.class_code
        )
        assert taken.bit_count() == 1
        assert taken & mask
        assert not plan.attributes & ~asset.attributes
        assert 0 <= plan.day < len(scenario.days)


def test_demo_parameters_can_work() -> None:
    demo_parameters().check()


def test_deck_names_every_ending_that_the_data_lack() -> None:
    by_data = {course(row).ending for row in deliveries()}
    assert by_data | set(DECK) == set(Ending)


def test_courses_show_every_ending_within_a_few_dozen_deals() -> None:
    courses = Courses(deliveries())
    firms = sorted({row.firm for row in deliveries()})
    seen = {courses.next(firms[number % len(firms)]).ending for number in range(40)}
    assert seen == set(Ending)


def test_courses_follow_each_providers_rows() -> None:
    rows = [row for row in deliveries() if row.firm == "F003"]
    courses = Courses(rows, deck=(Ending.SILENT,))
    dealt = [courses.next("F003") for _ in range(6)]
    assert [dealt[place] for place in (0, 1, 3, 4)] == [course(rows[p]) for p in (0, 1, 3, 4)]
    assert dealt[2].ending == dealt[5].ending == Ending.SILENT


@pytest.mark.parametrize("quantity", [1, 2, 19, 20, 333, 100_000])
def test_contested_courses_leave_something_to_contest(quantity: int) -> None:
    for ending in Ending:
        for row in deliveries()[:50]:
            played = course(row, ending)
            assert 0 < played.reported(quantity) <= quantity
            assert 0 <= played.good(quantity) <= played.reported(quantity)
            if ending in CONTESTED:
                assert played.good(quantity) < played.reported(quantity)
            else:
                assert played.good(quantity) == played.reported(quantity)
