"""Order books, firms and code tables that ship with the package, as typed values.

The books' prices, firms and certificates are synthetic; README.md beside this file states what
comes from public data, what is assumed, and under which licence.
"""

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from capshare.errors import NotFound, UsageError

PACKAGE: Traversable = files(__name__)
BOOKS = PACKAGE / "books"


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferRow:
    """A line that sells: one asset, one slot."""

    line: int  # position in the file from 0; earlier lines arrived earlier
    arrival: int | None  # since the book's start, a Monday 00:00 [s]; only in streams
    firm: str
    asset: str
    class_code: int
    slot: int  # days from the book's start
    quantity: int  # [machine-minutes]
    price: int  # ask [1/1000 currency unit per machine-minute]
    attributes: int  # bits of attributes.json
    credit: int  # band 0..7


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRow:
    """A line that buys: any split over the days of the window."""

    line: int  # position in the file from 0; earlier lines arrived earlier
    arrival: int | None  # since the book's start, a Monday 00:00 [s]; only in streams
    firm: str
    class_code: int
    first_slot: int  # days from the book's start, inclusive
    last_slot: int  # days from the book's start, inclusive
    quantity: int  # [machine-minutes]
    price: int  # bid [1/1000 currency unit per machine-minute]
    needs: int  # bits of attributes.json
    min_credit: int  # band 0..7


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """An order book in the order of arrival."""

    name: str
    rows: tuple[OfferRow | RequestRow, ...]

    @property
    def offers(self) -> tuple[OfferRow, ...]:
        """List the rows that sell."""
        return tuple(row for row in self.rows if isinstance(row, OfferRow))

    @property
    def requests(self) -> tuple[RequestRow, ...]:
        """List the rows that buy."""
        return tuple(row for row in self.rows if isinstance(row, RequestRow))


@dataclass(frozen=True, slots=True, kw_only=True)
class FirmRow:
    """How a firm of the shop-floor book delivers. Shares are in 1/10000."""

    firm: str
    type: str  # reliable, average or poor
    credit: int  # band 0..7
    on_time: int  # probability of delivery in time
    short: int  # probability of delivering less
    reject_mean: int  # mean rejected share of the quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRow:
    """What became of a firm's n-th deal. Shares of the quantity are in 1/10000."""

    deal: int
    firm: str
    n: int  # counts the firm's deals from 1
    asset: str
    delivered_ratio: int
    rejected: int
    on_time: bool
    late_days: int
    breakdown: bool
    rework: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexEntry:
    """What is known of a book: its size and its exact optimum.

    Surpluses are in 1/1000 currency unit, volumes in machine-minutes; trades of a firm with itself
    count, except in the `no_self` fields.
    """

    name: str
    set: str
    kind: str | None  # the case a thin book shows
    orders: int
    offers: int
    requests: int
    classes: int
    slots: int
    offered: int
    requested: int
    surplus: int
    volume: int  # largest among all optimal allocations
    volume_min: int  # smallest among them
    greedy_surplus: int
    greedy_volume: int
    fcfs_surplus: int
    fcfs_volume: int
    surplus_no_self: int | None
    volume_no_self: int | None
    batch_surplus: int | None  # streams only, cleared day by day: a guide, not an exact value


def book(name: str, directory: Traversable = BOOKS) -> Book:
    """Read a book by its name, such as `jobshop-kacem` or `thin/t000-pair`.

    Raise `NotFound` with the names there are, `UsageError` at a line that is not an order.
    """
    rows = tuple(_order(line, row) for line, row in enumerate(_rows(name, directory)))
    return Book(name=name, rows=rows)


def firms() -> tuple[FirmRow, ...]:
    """List the firms of `shopfloor-quarter-a` with their habits of delivery."""
    return tuple(FirmRow(**row) for row in _rows("shopfloor-quarter-a.firms", BOOKS))


def deliveries() -> tuple[DeliveryRow, ...]:
    """List outcomes to replay: the n-th row of a firm is for its n-th deal."""
    return tuple(DeliveryRow(**row) for row in _rows("shopfloor-quarter-a.deliveries", BOOKS))


def index(directory: Traversable = BOOKS) -> Mapping[str, IndexEntry]:
    """Map the names of a directory's books to what is known of them."""
    entries = json.loads((directory / "index.json").read_text(encoding="utf-8"))
    return {entry.name: entry for entry in map(_entry, entries)}


@cache
def table(name: str) -> Mapping[str, Any]:
    """Read one of the code tables `attributes`, `classes`, `din8580` and `processes`."""
    content: dict[str, Any] = json.loads((PACKAGE / f"{name}.json").read_text(encoding="utf-8"))
    return content


def _order(line: int, row: dict[str, Any]) -> OfferRow | RequestRow:
    try:
        if row["side"] == "offer":
            return OfferRow(
                line=line,
                arrival=row.get("t"),
                firm=row["firm"],
                asset=row["asset"],
                class_code=int(row["class"], 16),
                slot=row["slot"],
                quantity=row["quantity"],
                price=row["price"],
                attributes=row["attributes"],
                credit=row["credit"],
            )
        return RequestRow(
            line=line,
            arrival=row.get("t"),
            firm=row["firm"],
            class_code=int(row["class"], 16),
            first_slot=row["from"],
            last_slot=row["to"],
            quantity=row["quantity"],
            price=row["price"],
            needs=row["needs"],
            min_credit=row["min_credit"],
        )
    except KeyError as error:
        raise UsageError(f"line {line + 1} of the book lacks the field {error}") from error


def _entry(row: dict[str, Any]) -> IndexEntry:
    name = row["file"].removesuffix(".jsonl")
    absent = dict.fromkeys(("kind", "surplus_no_self", "volume_no_self", "batch_surplus"))
    fields: dict[str, Any] = {**absent, **row, "name": name}
    return IndexEntry(**{field: fields[field] for field in IndexEntry.__slots__})


def _rows(name: str, directory: Traversable) -> Iterator[dict[str, Any]]:
    yield from map(json.loads, _text(name, directory).splitlines())


def _text(name: str, directory: Traversable) -> str:
    plain = directory.joinpath(f"{name}.jsonl")
    if plain.is_file():
        return plain.read_text(encoding="utf-8")
    packed = directory.joinpath(f"{name}.jsonl.gz")
    if packed.is_file():
        return gzip.decompress(packed.read_bytes()).decode("utf-8")
    raise NotFound(
        f"there is no book {name!r}",
        next_step=f"Choose one of {', '.join(index(directory))}.",
    )
