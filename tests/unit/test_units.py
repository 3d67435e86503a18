"""Money, quantities, durations and times: exact or refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capshare.errors import UsageError
from capshare.units import (
    HOUR,
    MINUTE,
    PIECE,
    UNITS,
    Currency,
    Unit,
    format_amount,
    format_duration,
    format_price,
    format_quantity,
    format_time,
    parse_amount,
    parse_duration,
    parse_price,
    parse_quantity,
    parse_slot,
    parse_time,
    slot_at,
    slot_end,
    slot_gate,
    slot_start,
    unit_of,
    zone_of,
)

EUR = Currency(code="EUR", decimals=3)
USDC = Currency(code="USDC", decimals=6)
YEN = Currency(code="JPY", decimals=0)
BERLIN = zone_of("Europe/Berlin")
UTC = zone_of("UTC")
DAY = 86_400


@pytest.mark.parametrize(
    ("text", "currency", "amount"),
    [
        ("EUR 85.00", EUR, 85_000),
        ("eur85", EUR, 85_000),
        ("85.001", EUR, 85_001),
        ("0", EUR, 0),
        ("USDC 1.000001", USDC, 1_000_001),
        ("JPY 5", YEN, 5),
        ("JPY 5.0", YEN, 5),
    ],
)
def test_amount_is_read_exactly(text: str, currency: Currency, amount: int) -> None:
    assert parse_amount(text, currency) == amount


def test_amount_beyond_the_decimals_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="3 decimals of EUR") as caught:
        parse_amount("EUR 1.0005", EUR)
    assert caught.value.next_step == "Write EUR 1.00 or EUR 1.001."


@pytest.mark.parametrize("text", ["", "EUR", "-1", "1,5", "1e3", "1_000", "٣", "nan", "1.", ".5"])
def test_amount_that_is_no_plain_number_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_amount(text, EUR)


def test_amount_in_another_currency_is_refused() -> None:
    with pytest.raises(UsageError, match="is in USD, accounts are in EUR"):
        parse_amount("USD 1", EUR)


@given(st.integers(0, 2**128), st.sampled_from([EUR, USDC, YEN, Currency(code="X", decimals=18)]))
def test_amount_written_is_read_back(amount: int, currency: Currency) -> None:
    assert parse_amount(format_amount(amount, currency), currency) == amount


@pytest.mark.parametrize(
    ("text", "unit", "price"),
    [
        ("EUR 84.00/h", MINUTE, 1400),
        ("EUR 84/HUR", MINUTE, 1400),
        ("1.4", MINUTE, 1400),
        ("EUR 1.40 / min", MINUTE, 1400),
        ("EUR 1.40/min", HOUR, 84_000),
        ("EUR 12/pc", PIECE, 12_000),
    ],
)
def test_price_becomes_base_units_per_capacity_unit(text: str, unit: Unit, price: int) -> None:
    assert parse_price(text, EUR, unit) == price


@pytest.mark.parametrize(
    ("text", "currency", "unit", "nearest"),
    [
        ("EUR 85.00/h", EUR, MINUTE, "Write EUR 84.96/h or EUR 85.02/h."),
        ("USDC 85.00/h", USDC, MINUTE, "Write USDC 84.99996/h or USDC 85.00002/h."),
        ("EUR 0.00001/min", EUR, HOUR, "Write EUR 0.00/min or EUR 0.001/h."),
    ],
)
def test_price_that_does_not_divide_is_refused_with_the_nearest(
    text: str, currency: Currency, unit: Unit, nearest: str
) -> None:
    with pytest.raises(UsageError, match="no whole number of base units") as caught:
        parse_price(text, currency, unit)
    assert caught.value.next_step == nearest


def test_price_of_pieces_does_not_convert_to_time() -> None:
    with pytest.raises(UsageError, match="pieces do not convert"):
        parse_price("EUR 1/pc", EUR, MINUTE)


@given(st.integers(0, 2**72 - 1), st.sampled_from([MINUTE, HOUR]), st.sampled_from([MINUTE, HOUR]))
def test_price_written_is_read_back(price: int, unit: Unit, per: Unit) -> None:
    assert parse_price(format_price(price, USDC, unit, per), USDC, unit) == price


def test_price_is_shown_per_capacity_unit_where_digits_would_not_end() -> None:
    assert format_price(1400, EUR, HOUR, MINUTE) == "EUR 1.40/h"


@pytest.mark.parametrize(
    ("text", "unit", "quantity"),
    [
        ("40 h", MINUTE, 2400),
        ("1.5h", MINUTE, 90),
        ("240", MINUTE, 240),
        ("120 minutes", HOUR, 2),
        ("3 HUR", HOUR, 3),
        ("12 pcs", PIECE, 12),
        ("12 C62", PIECE, 12),
    ],
)
def test_quantity_counts_capacity_units(text: str, unit: Unit, quantity: int) -> None:
    assert parse_quantity(text, unit) == quantity


def test_quantity_that_does_not_divide_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="no whole number of hours") as caught:
        parse_quantity("90 min", HOUR)
    assert caught.value.next_step == "Write 1 h or 2 h."


@pytest.mark.parametrize("text", ["", "h", "-3 h", "1.2.3 h", "3 furlongs", "3 pc"])
def test_quantity_that_means_nothing_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_quantity(text, MINUTE)


@given(st.integers(0, 2**32 - 1), st.sampled_from(list(UNITS.values())))
def test_quantity_written_is_read_back(quantity: int, unit: Unit) -> None:
    assert parse_quantity(format_quantity(quantity, unit), unit) == quantity


def test_units_are_found_by_their_codes() -> None:
    assert {code: unit_of(code).code for code in UNITS} == {
        "MIN": "MIN",
        "HUR": "HUR",
        "C62": "C62",
    }


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("2h30m", 9000), ("3 d", 259_200), ("90 s", 90), ("1w2d", 777_600), ("2 h 30 min", 9000)],
)
def test_duration_is_read(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "h", "5m5m", "30m2h", "1.5h", "-1h", "1h x", "1y"])
def test_duration_that_is_not_clear_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no duration"):
        parse_duration(text)


@given(st.integers(0, 10**12))
def test_duration_written_is_read_back(seconds: int) -> None:
    assert parse_duration(format_duration(seconds)) == seconds


@pytest.mark.parametrize(
    ("text", "unix"),
    [
        ("2026-11-24T08:00", 1_795_503_600),
        ("2026-11-24T08:00+00:00", 1_795_507_200),
        ("2026-11-24T08:00Z", 1_795_507_200),
        ("2026-07-01", 1_782_856_800),
        ("1960-01-01T00:00Z", -315_619_200),
    ],
)
def test_time_is_read_in_the_zone_unless_it_carries_an_offset(text: str, unix: int) -> None:
    assert parse_time(text, BERLIN) == unix


@pytest.mark.parametrize(
    ("text", "choices"),
    [
        ("2026-03-29T02:30", "2026-03-29T01:30:00+01:00 or 2026-03-29T03:30:00+02:00"),
        ("2026-10-25T02:30", "2026-10-25T02:30:00+02:00 or 2026-10-25T02:30:00+01:00"),
    ],
)
def test_time_that_the_clock_skips_or_repeats_is_refused(text: str, choices: str) -> None:
    with pytest.raises(UsageError, match="change of the clock") as caught:
        parse_time(text, BERLIN)
    assert caught.value.next_step == f"Write {choices}."


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-13-01", "2026-11-24T08:00:00.5Z"])
def test_time_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_time(text, UTC)


@given(st.integers(0, 2**32), st.sampled_from([BERLIN, UTC, zone_of("Asia/Shanghai")]))
def test_time_written_is_read_back(unix: int, zone: object) -> None:
    assert parse_time(format_time(unix, zone), UTC) == unix  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["", "Mars/Base", "../etc/passwd", "/etc/localtime"])
def test_zone_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="no time zone"):
        zone_of(name)


@given(st.integers(0, 2**40), st.integers(120, 10**7))
def test_slot_contains_its_times(unix: int, length: int) -> None:
    slot = slot_at(unix, length)
    assert slot_start(slot, length) <= unix < slot_end(slot, length)
    assert slot_end(slot, length) == slot_start(slot + 1, length)


def test_gate_leads_the_slot() -> None:
    assert slot_gate(20_781, DAY, 21_600) == 20_781 * DAY - 21_600


def test_slot_is_named_by_its_start_or_number() -> None:
    assert parse_slot("2026-11-24", DAY, UTC) == parse_slot("20781", DAY, UTC) == 20_781


def test_slot_that_starts_at_no_such_time_is_refused_with_the_starts_around() -> None:
    with pytest.raises(UsageError, match="no slot of 1d starts") as caught:
        parse_slot("2026-11-24", DAY, BERLIN)
    assert caught.value.next_step == (
        "Write 2026-11-23T01:00:00+01:00 or 2026-11-24T01:00:00+01:00."
    )
