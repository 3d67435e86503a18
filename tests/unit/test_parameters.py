"""Parameter sets: the shipped ones, and what is refused."""

from dataclasses import replace
from pathlib import Path

import pytest

from capshare import parameters
from capshare.errors import NotFound, UsageError
from capshare.parameters import ClassTerms, Parameters

CENTS = 2


def test_shipped_sets_are_those_of_the_design() -> None:
    production = parameters.load("production", CENTS)
    pilot = parameters.load("pilot", CENTS)
    assert parameters.names() == ("pilot", "production")
    assert (production.parameters.round, production.parameters.lock) == (3_600, 900)
    assert (pilot.parameters.round, pilot.parameters.lock) == (10, 6)
    assert production.calendars["day"].gate_lead == 6 * 3_600
    assert production.calendars["shift"].slot_length == 28_800
    assert pilot.calendars["day"].slot_length == 120
    assert production.parameters.proposal_life == 14 * 86_400
    for field in ("bond_rates", "ratios", "thresholds", "newcomer_cap", "dispute_rate"):
        assert getattr(production.parameters, field) == getattr(pilot.parameters, field)


def test_amounts_are_scaled_to_the_token() -> None:
    cents = parameters.load("production", CENTS).parameters
    wei = parameters.load("production", 18).parameters
    assert cents.thresholds[1] == 1_000 * 100
    assert wei.counterparty_cap == cents.counterparty_cap * 10**16


@pytest.mark.parametrize("name", ["production", "pilot"])
def test_set_survives_toml_and_plain_values(name: str, tmp_path: Path) -> None:
    given = parameters.load(name, CENTS)
    path = tmp_path / "set.toml"
    path.write_text(parameters.dump(given, CENTS), encoding="utf-8")
    assert parameters.read(path, CENTS) == given
    assert Parameters.from_dict(given.parameters.to_dict()) == given.parameters
    assert given.parameters.to_abi()[:2] == (given.parameters.round, given.parameters.lock)


def text() -> str:
    return parameters.dump(parameters.load("pilot", CENTS), CENTS)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('lock = "6s"', 'lock = "10s"', "lock is 10"),
        ('round = "10s"', 'round = "0s"', "round is 0"),
        ('good_half_life = "1h"', 'good_half_life = "0s"', "good_half_life is 0"),
        ("dispute_rate = 1000", "dispute_rate = 10001", "dispute_rate is 10001"),
        ("[3000,", "[10001,", "bond_rates"),
        ("[3000,", "[", "does not fit"),
        ("newcomer_cap = 50000", "newcomer_cap = -1", "does not fit"),
        ('lock = "6s"', "", r"\[rounds\] must hold"),
        ("[governance]", "[gov]", "sections"),
        ("[rounds]", "[rounds", "no TOML"),
        ('lock = "6s"', 'lock = "6 parsecs"', "no duration"),
    ],
)
def test_set_is_refused(old: str, new: str, message: str) -> None:
    assert old in text()
    with pytest.raises(UsageError, match=message):
        parameters.parse(text().replace(old, new, 1), CENTS)


def test_unknown_name_is_not_found() -> None:
    with pytest.raises(NotFound, match="moon"):
        parameters.load("moon", CENTS)


def test_amount_below_the_tokens_unit_is_not_dumped() -> None:
    given = parameters.load("pilot", CENTS)
    odd = replace(given, parameters=replace(given.parameters, newcomer_cap=1))
    with pytest.raises(UsageError, match="newcomer_cap"):
        parameters.dump(odd, CENTS)


def test_plain_values_of_another_kind_are_refused() -> None:
    with pytest.raises(UsageError, match="no parameters"):
        Parameters.from_dict({"round": 1})


def test_slot_is_open_until_its_gate_could_fall_into_the_round() -> None:
    p = parameters.load("production", CENTS).parameters
    terms = ClassTerms(
        code=1,
        slot_length=86_400,
        gate_lead=21_600,
        reference=1,
        lot=1,
        window=1,
        book_size=2,
        retired=False,
        mask=0,
        terms=bytes(32),
    )
    assert terms.gate(10) == 842_400
    last = 842_400 // 3_600 - 1  # the round that ends at the gate
    assert terms.is_open(10, last, p)
    assert not terms.is_open(10, last + 1, p)
    assert (terms.slot_start(10), terms.slot_end(10)) == (864_000, 950_400)
