"""Choose what the demo plays: firms, classes, assets, orders and days, from a shipped book.

The orders are those of `shopfloor-quarter-a` (capshare/data/README.md), of five classes: turning,
milling, grinding, packing and dispatch (hard) and inspection (soft). The seed picks the week of the
quarter in which the market opens, the firms' names and codes, and who cancels, who reduces, who
lets others carry its signed batches. What was adapted from the data:

- The book is a stream of 91 days. The market opens on a Monday; what arrived before and is still
  open then is posted on the first morning, the rest each morning of the day it arrived on, until
  there are enough orders. Only the consumers with the most orders take part.
- Day d of the book is the slot of that day: slots of 24 h, gate 6 h before.
- An asset's capacity is the most it ever offers a day. Its attributes are attested at the start; an
  offer declares those that count in its class, so that groups stay few (`mask`).
- All members begin without credit: an offer declares the lesser of the data's band and the band
  that its member has reached when it posts (`trading` looks it up). Requests keep the least credit
  they ask for, so some wait until providers have earned it.
- Money is the data's: 1/1000 EUR, a token of three decimals. Thresholds and the cap of a
  counterparty are a tenth of production's, so that bands move within a few weeks of one shop floor.
"""

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import isqrt
from typing import Final

from capshare import parameters
from capshare.codec import keccak
from capshare.data import OfferRow, RequestRow, book, table
from capshare.demo.firms import Firm, founders, institutions, traders
from capshare.identity import machine_hash, team_hash
from capshare.orders import BATCH_ORDERS, Side, bond_per_unit
from capshare.parameters import ClassTerms, Parameters
from capshare.taxonomy import unpack
from capshare.units import MINUTE, Currency

BOOK: Final = "shopfloor-quarter-a"
CURRENCY: Final = Currency(code="EUR", decimals=3)
UNIT: Final = MINUTE
DAY: Final = 86_400
WEEKS: Final = (2, 7)  # the book's weeks in which the market may open: first, count
START: Final = int(datetime(2027, 1, 4, tzinfo=UTC).timestamp())  # a Monday
CLASSES: Final = (0x05321000, 0x05323000, 0x05331000, 0x48000000, 0xB7000000)
LOT: Final = 5  # [min]
BOOK_SIZE: Final = 1_000

Row = OfferRow | RequestRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is played."""

    orders: int
    consumers: int
    classes: tuple[int, ...]


FULL: Final = Size(orders=480, consumers=24, classes=CLASSES)
SMALL: Final = Size(orders=110, consumers=6, classes=(CLASSES[0], CLASSES[4]))


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedClass:
    """A class as the council will list it."""

    terms: ClassTerms
    name: str
    unit: str = UNIT.code


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedAsset:
    """An asset that a firm will register. `key` is its name in the book."""

    key: str
    firm: str
    class_code: int
    capacity: int  # a day [min]
    attributes: int
    identity: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """Rows that a firm posts as one batch; `relayed` ones are signed and carried by another."""

    firm: str
    class_code: int
    side: Side
    rows: tuple[Row, ...]
    relayed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """A change of mind: the row's order is lowered to a share of what is left, 0 cancels it."""

    row: Row
    share: int  # [1/10,000]


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingDay:
    """A day on which orders come in and markets clear; `number` counts from 0, the opening."""

    number: int
    postings: tuple[Posting, ...]
    withdrawals: tuple[Withdrawal, ...]  # of orders of the days before


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """On a trading day the attestor takes a bit of an asset's attributes back."""

    day: int
    asset: str
    attributes: int  # what remains


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """All that is decided before the first transaction."""

    seed: int
    first_slot: int  # the slot of the opening Monday
    first_day: int  # the same in the book's days
    parameters: Parameters
    firms: tuple[Firm, ...]  # founders first; a firm's member id is its place from 1
    deposits: dict[str, int]  # by firm, of those that trade [token base units]
    classes: tuple[ListedClass, ...]
    assets: tuple[PlannedAsset, ...]
    days: tuple[TradingDay, ...]
    revocation: Revocation

    @property
    def orders(self) -> int:
        """Count the orders that will be posted."""
        return sum(len(posting.rows) for day in self.days for posting in day.postings)

    def slot(self, day: int) -> int:
        """Return the slot of a day of the book."""
        return self.first_slot + day - self.first_day


def choose(seed: int, size: Size = FULL) -> Scenario:
    """Return the scenario of a seed; the same seed gives the same one."""
    chance = random.Random(f"capshare demo {seed}")
    first, weeks = WEEKS
    first_day = 7 * (first + seed % weeks)
    rows, number_of_days = _rows(first_day, size)
    providers = tuple(sorted({row.firm for row in rows if isinstance(row, OfferRow)}))
    consumers = tuple(sorted({row.firm for row in rows if isinstance(row, RequestRow)}))
    firms = (
        *founders(chance),
        *institutions(chance),
        *traders(providers, consumers, chance),
    )
    rules = demo_parameters()
    classes = tuple(_class(code, rows) for code in size.classes)
    assets = tuple(_assets(rows, {firm.key: firm for firm in firms}))
    days = _days(rows, first_day, number_of_days, chance)
    return Scenario(
        seed=seed,
        first_slot=START // DAY,
        first_day=first_day,
        parameters=rules,
        firms=firms,
        deposits=_deposits(rows, classes, rules),
        classes=classes,
        assets=assets,
        days=days,
        revocation=_revocation(rows, assets, first_day + number_of_days // 2, first_day),
    )


def demo_parameters() -> Parameters:
    """Return production's parameters with credit scaled to a few weeks of one shop floor."""
    production = parameters.load("production", CURRENCY.decimals).parameters
    return replace(
        production,
        thresholds=tuple(threshold // 10 for threshold in production.thresholds),
        counterparty_cap=production.counterparty_cap // 10,
    )


def posting_day(row: Row, first_day: int) -> int:
    """Return the trading day on which a row is posted."""
    return max(0, (row.arrival or 0) // DAY - first_day)


def _rows(first_day: int, size: Size) -> tuple[tuple[Row, ...], int]:
    """Return the rows to play and over how many trading days they come in."""
    open_rows = [
        row
        for row in book(BOOK).rows
        if row.class_code in size.classes and _first_slot(row) > first_day
    ]
    busy = Counter(row.firm for row in open_rows if isinstance(row, RequestRow))
    soon = Counter(
        row.firm
        for row in open_rows
        if isinstance(row, RequestRow) and posting_day(row, first_day) < 7
    )
    ranked = sorted(soon, key=lambda firm: (-soon[firm], -busy[firm], firm))
    consumers = set(ranked[: size.consumers])
    rows = [row for row in open_rows if isinstance(row, OfferRow) or row.firm in consumers]
    rows.sort(key=lambda row: (posting_day(row, first_day), row.line))
    last = posting_day(rows[size.orders - 1], first_day)
    chosen = [row for row in rows if posting_day(row, first_day) <= last]
    return tuple(chosen), last + 1


def _first_slot(row: Row) -> int:
    return row.slot if isinstance(row, OfferRow) else row.first_slot


def _class(code: int, rows: Iterable[Row]) -> ListedClass:
    known = table("classes")[f"0x{code:08x}"]
    mask, window = 0, 1
    for row in rows:
        if isinstance(row, RequestRow) and row.class_code == code:
            mask |= row.needs
            window = max(window, row.last_slot - row.first_slot + 1)
    hourly = isqrt(known["rate_low"] * known["rate_high"] * CURRENCY.base**2)
    terms = ClassTerms(
        code=code,
        slot_length=DAY,
        gate_lead=DAY // 4,
        reference=hourly // 60,
        lot=LOT,
        window=window,
        book_size=BOOK_SIZE,
        retired=False,
        mask=mask,
        terms=keccak(f"Standard terms of {known['name']}: capacity by the minute".encode()),
    )
    return ListedClass(terms=terms, name=known["name"])


def _assets(rows: Iterable[Row], firms: dict[str, Firm]) -> Iterable[PlannedAsset]:
    capacity: dict[tuple[str, str, int], int] = {}
    attributes: dict[str, int] = {}
    for row in rows:
        if isinstance(row, OfferRow):
            key = (row.asset, row.firm, row.class_code)
            capacity[key] = max(capacity.get(key, 0), row.quantity)
            attributes[row.asset] = row.attributes
    for (asset, firm, code), most in sorted(capacity.items()):
        soft = unpack(code).soft
        yield PlannedAsset(
            key=asset,
            firm=firm,
            class_code=code,
            capacity=most,
            attributes=attributes[asset],
            identity=team_hash(firms[firm].identity, asset)
            if soft
            else machine_hash("Maschinenfabrik Demo", f"{firm}-{asset}"),
        )


def _days(
    rows: Iterable[Row], first_day: int, count: int, chance: random.Random
) -> tuple[TradingDay, ...]:
    batches: list[dict[tuple[str, int, Side], list[Row]]] = [{} for _ in range(count)]
    changes: list[list[Withdrawal]] = [[] for _ in range(count)]
    relaying: dict[str, bool] = {}
    for row in rows:
        day = posting_day(row, first_day)
        side = Side.OFFER if isinstance(row, OfferRow) else Side.REQUEST
        batches[day].setdefault((row.firm, row.class_code, side), []).append(row)
        relaying.setdefault(row.firm, chance.random() < 0.4)
        if chance.random() < 0.08 and day + 1 < count and _first_slot(row) > first_day + day + 1:
            share = chance.choice((0, 0, 5_000))
            changes[day + 1].append(Withdrawal(row=row, share=share))
    return tuple(
        TradingDay(
            number=number,
            postings=tuple(
                Posting(
                    firm=firm,
                    class_code=code,
                    side=side,
                    rows=tuple(chunk),
                    relayed=relaying[firm],
                )
                for (firm, code, side), given in sorted(batches[number].items())
                for chunk in _chunks(given)
            ),
            withdrawals=tuple(changes[number]),
        )
        for number in range(count)
    )


def _chunks(rows: list[Row]) -> Iterable[list[Row]]:
    for start in range(0, len(rows), BATCH_ORDERS):
        yield rows[start : start + BATCH_ORDERS]


def _deposits(
    rows: Iterable[Row], classes: Iterable[ListedClass], rules: Parameters
) -> dict[str, int]:
    """Return deposits that cover all of a firm's orders at once, and bonds of contests: a tenth."""
    reference = {listed.terms.code: listed.terms.reference for listed in classes}
    needs: dict[str, int] = {}
    for row in rows:
        if isinstance(row, OfferRow):
            unit = bond_per_unit(row.price, 0, reference[row.class_code], rules.bond_rates)
        else:
            unit = row.price
        needs[row.firm] = needs.get(row.firm, 0) + row.quantity * unit
    step = 1_000 * CURRENCY.base
    return {firm: -(-need * 11 // 10 // step) * step for firm, need in sorted(needs.items())}


def _revocation(
    rows: Iterable[Row], assets: Iterable[PlannedAsset], day: int, first_day: int
) -> Revocation:
    """Choose the asset whose offers of later days most often rest on a bit that somebody needs."""
    needed: dict[int, int] = {}
    later: Counter[str] = Counter()
    for row in rows:
        if isinstance(row, RequestRow):
            needed[row.class_code] = needed.get(row.class_code, 0) | row.needs
        elif row.slot > day + 1:
            later[row.asset] += 1
    able = [asset for asset in assets if asset.attributes & needed.get(asset.class_code, 0)]
    chosen = max(able, key=lambda asset: (later[asset.key], asset.key))
    bits = chosen.attributes & needed[chosen.class_code]
    return Revocation(
        day=day - first_day, asset=chosen.key, attributes=chosen.attributes & ~(bits & -bits)
    )
