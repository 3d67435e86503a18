"""What clearings look like in wire form and in the log, for contract tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from capshare.market.submission import Submission, cut, pack
from tests.contract.floor import CODE, Floor

N = 2**40
WIDTHS = {
    "batches": (4,),
    "offers": (2, 1),
    "groups": (2,),
    "requests": (2, 1),
    "kinds": (2,),
    "dead": (2, 1),
    "fills": (2, 2, 4),
    "low_order": (2,),
    "group_order": (2,),
    "high_order": (2, 2),
}
ON_CHAIN = {"low_order": "lowOrder", "group_order": "groupOrder", "high_order": "highOrder"}


def rows(given: Submission, name: str) -> list[tuple[int, ...]]:
    """Cut a list of a submission into its entries."""
    return list(cut(getattr(given, name), *WIDTHS[name]))


def with_rows(given: Submission, **lists: Sequence[Sequence[int]]) -> Submission:
    """Return a submission with other lists."""
    return replace(
        given,
        **{
            name: b"".join(
                pack([value], width)
                for row in entries
                for value, width in zip(row, WIDTHS[name], strict=True)
            )
            for name, entries in lists.items()
        },
    )


def word(name: str) -> bytes:
    """Return a list's name as the errors carry it."""
    return name.encode().ljust(32, b"\0")


def ask(price: int, order: int) -> int:
    """Return an offer's perturbed price."""
    return price * N + order


def bid(price: int, order: int) -> int:
    """Return a request's perturbed price."""
    return price * N + N // 2 - order


def matched(offer: int, request: int, quantity: int, price: int) -> int:
    """Return a fill as `OrdersMatched` lists it."""
    return offer << 144 | request << 104 | quantity << 72 | price


def price_words(
    slot: int, price: int, low: int, high: int, attributes: int = 0, credit: int = 0
) -> list[int]:
    """Return a group's price as `PricesSet` lists it."""
    return [slot << 144 | attributes << 80 | credit << 72 | price, low << 128 | high]


def cleared(
    floor: Floor,
    rounds: int,
    *,
    code: int = CODE,
    root: bytes = b"\0" * 32,
    deals: int = 0,
    dead: Sequence[int] = (),
) -> Any:
    """Return the event of a clearing sent by an outsider."""
    values = {"class": code, "round": floor.round + rounds, "sender": floor.people["outsider"]}
    return floor.event("clearing", "MarketCleared", **values, root=root, deals=deals, dead=dead)
