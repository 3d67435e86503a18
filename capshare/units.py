"""Money, quantities, durations and times: as people write them, and as the contracts count them.

Everything is exact integer arithmetic. What does not divide exactly is refused, with the nearest
values that do; nothing is ever rounded.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from capshare.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Currency:
    """The settlement token as people know it: one unit is `10**decimals` base units."""

    code: str  # such as EUR
    decimals: int

    @property
    def base(self) -> int:
        """Count the base units in one currency unit."""
        base: int = 10**self.decimals
        return base


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A unit of measure by its UN/CEFACT Recommendation 20 code."""

    code: str
    symbol: str  # as people write it after a number
    name: str
    seconds: int  # in one unit; 0 for pieces, which no time unit converts to


MINUTE = Unit(code="MIN", symbol="min", name="minute", seconds=60)
HOUR = Unit(code="HUR", symbol="h", name="hour", seconds=3600)
PIECE = Unit(code="C62", symbol="pc", name="piece", seconds=0)

UNITS = {unit.code: unit for unit in (MINUTE, HOUR, PIECE)}

_UNIT_WORDS = {
    "min": MINUTE,
    "minute": MINUTE,
    "minutes": MINUTE,
    "h": HOUR,
    "hour": HOUR,
    "hours": HOUR,
    "pc": PIECE,
    "pcs": PIECE,
    "piece": PIECE,
    "pieces": PIECE,
}
_SECONDS = {"w": 604_800, "d": 86_400, "h": 3600, "min": 60, "m": 60, "s": 1}
_DECIMAL = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_MONEY = re.compile(r"(?:(?P<code>[A-Za-z][A-Za-z0-9]*\s+|[A-Za-z]+))?(?P<number>\S+)")
_QUANTITY = re.compile(r"(?P<number>[0-9.]+)\s*(?P<unit>[A-Za-z0-9]*)")
_DURATION_PART = re.compile(r"([0-9]+)\s*(min|[wdhms])\s*", re.ASCII)


# -- money ---------------------------------------------------------------------------------------


def parse_amount(text: str, currency: Currency) -> int:
    """Return the base units of `EUR 85.00` or `85`.

    Raise `UsageError` for another currency, a comma, or more decimals than the currency has.
    """
    number = _money(text, currency)
    scaled = number * currency.base
    if scaled.denominator != 1:
        below, above = _around(scaled)
        raise UsageError(
            f"{text!r} has more than the {currency.decimals} decimals of {currency.code}",
            next_step=f"Write {format_amount(below, currency)} or "
            f"{format_amount(above, currency)}.",
        )
    return scaled.numerator


def format_amount(amount: int, currency: Currency) -> str:
    """Write base units as `EUR 85.00`: all that is there, and at least two decimals."""
    return f"{currency.code} {_decimal(Fraction(amount, currency.base), min(2, currency.decimals))}"


def parse_price(text: str, currency: Currency, unit: Unit) -> int:
    """Return the price [base units per capacity unit] of `EUR 85.00/h` for a class's `unit`.

    Without `/…` the price is per `unit`. Raise `UsageError` with the nearest prices that divide.
    """
    money, slash, per_text = text.partition("/")
    per = unit_of(per_text) if slash else unit
    number = _money(money.strip(), currency)
    price = number * currency.base / _ratio(per, unit, text)
    if price.denominator != 1:
        below, above = _around(price)
        raise UsageError(
            f"{text!r} is no whole number of base units a {unit.name}",
            next_step=f"Write {format_price(below, currency, unit, per)} or "
            f"{format_price(above, currency, unit, per)}.",
        )
    return price.numerator


def format_price(price: int, currency: Currency, unit: Unit, per: Unit | None = None) -> str:
    """Write a price [base units per `unit`] as `EUR 85.00/h`.

    It is per `unit`, too, where it has no finite decimal form per `per`.
    """
    shown = per or unit
    number = Fraction(price, currency.base) * _ratio(shown, unit, shown.symbol)
    if not _is_decimal(number):
        return format_price(price, currency, unit)
    return f"{currency.code} {_decimal(number, min(2, currency.decimals))}/{shown.symbol}"


# -- quantities ----------------------------------------------------------------------------------


def unit_of(text: str) -> Unit:
    """Find a unit by its Rec 20 code or its word: `HUR`, `h`, `hours`."""
    word = text.strip()
    found = UNITS.get(word.upper()) or _UNIT_WORDS.get(word.lower())
    if found is None:
        known = ", ".join(f"{unit.symbol} ({code})" for code, unit in UNITS.items())
        raise UsageError(f"{word!r} is no unit of measure", next_step=f"Use one of {known}.")
    return found


def parse_quantity(text: str, unit: Unit) -> int:
    """Return the capacity units of `40 h`, `1.5 h` or `2400` for a class's `unit`.

    Without a unit the number counts capacity units. Raise `UsageError` with the nearest quantities
    if it is no whole number of them.
    """
    match = _QUANTITY.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"{text!r} is no quantity", next_step=f"Write such as 40 {unit.symbol}.")
    given = unit_of(match["unit"]) if match["unit"] else unit
    quantity = _number(match["number"]) * _ratio(given, unit, text)
    if quantity.denominator != 1:
        below, above = _around(quantity)
        raise UsageError(
            f"{text!r} is no whole number of {unit.name}s",
            next_step=f"Write {below} {unit.symbol} or {above} {unit.symbol}.",
        )
    return quantity.numerator


def format_quantity(quantity: int, unit: Unit) -> str:
    """Write capacity units with their symbol: `2400 min`."""
    return f"{quantity} {unit.symbol}"


# -- durations -----------------------------------------------------------------------------------


def parse_duration(text: str) -> int:
    """Return the seconds of `2h30m`, `3 d`, `90 s` or `1w`; each part at most once, falling."""
    parts = _DURATION_PART.findall(text)
    sizes = [_SECONDS[symbol] for _, symbol in parts]
    if not parts or _DURATION_PART.sub("", text.strip()) or sizes != sorted(set(sizes))[::-1]:
        raise UsageError(f"{text!r} is no duration", next_step="Write such as 2h30m, 3 d or 90 s.")
    return sum(int(count) * size for (count, _), size in zip(parts, sizes, strict=True))


def format_duration(seconds: int) -> str:
    """Write seconds as `2h30m`: days, hours, minutes, seconds, the zeros left out."""
    parts, rest = [], seconds
    for symbol in ("d", "h", "m", "s"):
        count, rest = divmod(rest, _SECONDS[symbol])
        if count:
            parts.append(f"{count}{symbol}")
    return "".join(parts) or "0s"


# -- time ----------------------------------------------------------------------------------------


def zone_of(name: str) -> ZoneInfo:
    """Find a time zone by its IANA name, such as `Europe/Berlin`."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise UsageError(
            f"{name!r} is no time zone", next_step="Write such as UTC, Europe/Berlin."
        ) from error


def parse_time(text: str, zone: ZoneInfo) -> int:
    """Return the unix seconds of `2026-11-24T08:00`, read in `zone` unless it carries an offset.

    A date alone is its midnight. Raise `UsageError` for fractions of a second, and for local times
    that a change of the clock skips or repeats.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise UsageError(
            f"{text!r} is no date and time", next_step="Write such as 2026-11-24T08:00."
        ) from error
    if moment.microsecond:
        raise UsageError(f"{text!r} is no whole second", next_step="Leave the fraction out.")
    if moment.tzinfo is not None:
        return _unix(moment)
    first, second = (_unix(moment.replace(tzinfo=zone, fold=fold)) for fold in (0, 1))
    if first != second:
        choices = " or ".join(format_time(at, zone) for at in sorted((first, second)))
        raise UsageError(
            f"{text!r} is skipped or repeated by a change of the clock in {zone.key}",
            next_step=f"Write {choices}.",
        )
    return first


def format_time(unix: int, zone: ZoneInfo) -> str:
    """Write unix seconds as ISO 8601 in `zone`, with its offset, which `parse_time` reads back."""
    return (_EPOCH + timedelta(seconds=unix)).astimezone(zone).isoformat()


def slot_at(unix: int, length: int) -> int:
    """Return the slot that contains a time: `k` with `k*length <= unix < (k+1)*length`."""
    return unix // length


def slot_start(slot: int, length: int) -> int:
    """Return the first second of a slot."""
    return slot * length


def slot_end(slot: int, length: int) -> int:
    """Return the second at which a slot is over; the next one starts there."""
    return (slot + 1) * length


def slot_gate(slot: int, length: int, lead: int) -> int:
    """Return the gate: the time after which a slot's capacity has perished."""
    return slot * length - lead


def parse_slot(text: str, length: int, zone: ZoneInfo) -> int:
    """Return the slot that starts at a time, or that a whole number names.

    Raise `UsageError` with the starts around it if no slot starts then.
    """
    if text.strip().isascii() and text.strip().isdigit():
        return int(text)
    unix = parse_time(text, zone)
    slot = slot_at(unix, length)
    if slot_start(slot, length) != unix:
        raise UsageError(
            f"no slot of {format_duration(length)} starts at {text!r}",
            next_step=f"Write {format_time(slot_start(slot, length), zone)} or "
            f"{format_time(slot_end(slot, length), zone)}.",
        )
    return slot


# -- how -----------------------------------------------------------------------------------------

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _money(text: str, currency: Currency) -> Fraction:
    match = _MONEY.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"{text!r} is no amount", next_step=f"Write {currency.code} 85.00.")
    code = (match["code"] or currency.code).strip()
    if code.casefold() != currency.code.casefold():
        raise UsageError(
            f"{text!r} is in {code}, accounts are in {currency.code}",
            next_step=f"Give it in {currency.code}.",
        )
    return _number(match["number"])


def _number(text: str) -> Fraction:
    if _DECIMAL.fullmatch(text) is None:
        raise UsageError(
            f"{text!r} is no number", next_step="Write digits with a point, such as 1234.50."
        )
    return Fraction(text)


def _ratio(given: Unit, wanted: Unit, text: str) -> Fraction:
    """Return how many of `wanted` are in one of `given`."""
    if given == wanted:
        return Fraction(1)
    if not given.seconds or not wanted.seconds:
        raise UsageError(
            f"{text!r}: {given.name}s do not convert to {wanted.name}s",
            next_step=f"Give it in {wanted.name}s.",
        )
    return Fraction(given.seconds, wanted.seconds)


def _around(value: Fraction) -> tuple[int, int]:
    below = value.numerator // value.denominator
    return below, below + 1


def _is_decimal(value: Fraction) -> bool:
    """Say whether the digits end: the denominator has no factor but 2 and 5."""
    rest = value.denominator
    for factor in (2, 5):
        while rest % factor == 0:
            rest //= factor
    return rest == 1


def _decimal(value: Fraction, places: int) -> str:
    """Write a fraction whose digits end, all of them, and at least `places` decimals."""
    scaled = value * 10**places
    while scaled.denominator != 1:
        places, scaled = places + 1, scaled * 10
    digits = str(abs(scaled.numerator)).rjust(places + 1, "0")
    whole, fraction = digits[: len(digits) - places], digits[len(digits) - places :]
    return ("-" if value < 0 else "") + whole + (f".{fraction}" if places else "")


def _unix(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(seconds=1)
