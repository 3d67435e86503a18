"""Books, allocations and solutions as JSON values: the forms of `capshare clear`.

A book is `{"offers": […], "requests": […]}`. Any size, window, mask and lot will do; only what the
arithmetic needs is required: prices below 2^72, ids below 2^38, at least one unit. Keys that are
not known are not looked at.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from capshare.errors import UsageError
from capshare.market.book import (
    ID_END,
    PRICE_END,
    Book,
    Fill,
    StandingOffer,
    StandingRequest,
)
from capshare.market.prices import GroupPrice
from capshare.market.solver import Allocation
from capshare.orders import whole_number

_Order = TypeVar("_Order", StandingOffer, StandingRequest)

_OFFER: Final = {
    "id": "id",
    "slot": "slot",
    "quantity": "quantity",
    "price": "price",
    "attributes": "attributes",
    "credit": "credit",
    "member": "member",
    "asset": "asset",
}
_REQUEST: Final = {
    "id": "id",
    "from": "first_slot",
    "to": "last_slot",
    "quantity": "quantity",
    "price": "price",
    "needs": "needs",
    "min_credit": "min_credit",
    "member": "member",
}
_OPTIONAL: Final = {"member", "asset"}


def book_from_json(document: object) -> Book:
    """Read a book; raise `UsageError` naming the row, counted from 1, that is wrong."""
    return Book(
        offers=_orders(document, "offers", _OFFER, StandingOffer),
        requests=_orders(document, "requests", _REQUEST, StandingRequest),
    )


def fills_from_json(document: object) -> tuple[Fill, ...]:
    """Read the fills of an allocation: objects, or lists of offer, request, quantity."""
    fills = []
    for number, row in enumerate(_list(document, "fills"), 1):
        where = f"fill {number}"
        if isinstance(row, list) and len(row) == 3:
            row = dict(zip(("offer", "request", "quantity"), row, strict=True))
        if not isinstance(row, dict):
            raise UsageError(f"{where}: {row!r} is no fill")
        fills.append(
            Fill(
                offer=whole_number(row, "offer", where),
                request=whole_number(row, "request", where),
                quantity=whole_number(row, "quantity", where),
            )
        )
    return tuple(fills)


def listed_from_json(document: object) -> tuple[list[int], list[int]] | None:
    """Read which orders an allocation lists, if it says so: the ids of offers and of requests."""
    if not isinstance(document, dict) or not {"offers", "requests"} & document.keys():
        return None
    sides = []
    for side in ("offers", "requests"):
        ids = _list(document, side)
        for number, order in enumerate(ids, 1):
            whole_number({"id": order}, "id", f"{side}, row {number}")
        sides.append(ids)
    return sides[0], sides[1]


def allocation_to_json(allocation: Allocation) -> dict[str, Any]:
    """Write the solution of a book; its fills can be checked by themselves."""
    return {
        "surplus": allocation.surplus,
        "volume": allocation.volume,
        "sold": {str(order): quantity for order, quantity in allocation.sold.items()},
        "bought": {str(order): quantity for order, quantity in allocation.bought.items()},
        "groups": prices_to_json(allocation.prices),
        "fills": [
            {"offer": fill.offer, "request": fill.request, "quantity": fill.quantity}
            for fill in allocation.fills
        ],
    }


def prices_to_json(prices: Sequence[GroupPrice]) -> list[dict[str, Any]]:
    """Write the prices of groups; `low` and `high` as decimal strings, being above 2^53."""
    return [
        {
            "slot": row.slot,
            "attributes": row.attributes,
            "credit": row.credit,
            "low": str(row.low),
            "high": str(row.high),
            "price": row.price,
        }
        for row in prices
    ]


def _orders(
    document: object, side: str, keys: Mapping[str, str], make: Callable[..., _Order]
) -> tuple[_Order, ...]:
    orders: list[_Order] = []
    seen: set[int] = set()
    for number, row in enumerate(_list(document, side), 1):
        where = f"{side}, row {number}"
        if not isinstance(row, dict):
            raise UsageError(f"{where}: {row!r} is no order")
        values = {
            name: whole_number(row, key, where)
            for key, name in keys.items()
            if key in row or key not in _OPTIONAL
        }
        order = make(**values)
        if values.get("last_slot", 0) < values.get("first_slot", 0):
            raise UsageError(f"{where}: to {row['to']} is before from {row['from']}")
        _require_below(order.id, ID_END, "id", where)
        _require_below(order.price, PRICE_END, "price", where)
        if not order.quantity:
            raise UsageError(f"{where}: quantity is 0", next_step="Leave the order out.")
        if order.id in seen:
            raise UsageError(f"{where}: id {order.id} stands in an earlier row")
        seen.add(order.id)
        orders.append(order)
    return tuple(orders)


def _require_below(value: int, end: int, key: str, where: str) -> None:
    if value >= end:
        raise UsageError(f"{where}: {key} {value} is not below {end}")


def _list(document: object, key: str) -> list[Any]:
    if not isinstance(document, dict):
        raise UsageError(f"the document is no JSON object with {key!r}")
    rows = document.get(key)
    if not isinstance(rows, list):
        raise UsageError(f"{key} is no list", next_step=f"Give {key} as a list, even if empty.")
    return rows
