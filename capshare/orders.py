"""Orders: their terms, the 28 bytes that carry them, and the batches in which they stand.

An order's terms never change. It is known by its id, `batch * 64 + index`; earlier is smaller.
One order is a word of 224 bits (contracts/types/Order.sol), both sides alike:

```
           223        200 199      168 167    96 95     72 71            8 7      4 3  0
offer    |  asset   24  | quantity 32 | ask 72 | slot 24 | attributes 64 | credit    4 | 0 |
request  |  span    24  | quantity 32 | bid 72 | from 24 | needs      64 | minCredit 4 | 0 |
```

A batch is one word beside its orders (contracts/types/Batch.sol):

```
  255  252 251    228 227  221 220   189 188   188 187    176 175   152 151  128 127    64 63   0
 |  0  4  | group 24 | count 7 | round 32 | side 1 | class 12 | member 24 | 0  24 | partly 64 | gone 64 |
```
"""  # noqa: E501 (the drawing is the contract's)

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from capshare.errors import UsageError

ORDER_BYTES: Final = 28
BATCH_ORDERS: Final = 64  # most orders in a batch

_RATE_BASE: Final = 10_000


class Side(IntEnum):
    """Which side of the market an order is on."""

    OFFER = 0  # sells capacity
    REQUEST = 1  # asks for capacity


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Terms of an offer: part of an asset's capacity in one slot."""

    asset: int
    slot: int
    quantity: int  # [capacity units]
    price: int  # ask [token base units per capacity unit]
    attributes: int = 0  # declared bits
    credit: int = 0  # declared band 0..7


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Terms of a request: any split over the slots of its window will do."""

    first_slot: int
    last_slot: int  # inclusive
    quantity: int  # [capacity units]
    price: int  # bid [token base units per capacity unit]
    needs: int = 0  # bits
    min_credit: int = 0  # band 0..7

    @property
    def span(self) -> int:
        """Count the slots of the window after the first."""
        return self.last_slot - self.first_slot


Order = Offer | Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Orders of one member, class and side as the book holds them, and what of them is gone."""

    number: int
    member: int
    side: Side
    class_index: int
    round: int  # in which it was posted
    orders: tuple[Order, ...]
    group: int = 0  # the member's owner group when it posted
    gone: int = 0  # bit i: order i was filled, cancelled or removed
    partly: int = 0  # bit i: `left[i]` is what remains of order i
    left: Mapping[int, int] = field(default_factory=dict)  # index to capacity units

    def is_live(self, index: int) -> bool:
        """Tell whether order `index` exists and is still in the book."""
        return index < len(self.orders) and not self.gone >> index & 1

    def remaining(self, index: int) -> int:
        """Return what remains of a live order [capacity units]."""
        return self.left[index] if self.partly >> index & 1 else self.orders[index].quantity


def order_id(batch: int, index: int) -> int:
    """Return the id of order `index` of batch number `batch`."""
    return batch * BATCH_ORDERS + index


def place_of(order: int) -> tuple[int, int]:
    """Return the batch number and the index in it of an order's id."""
    return divmod(order, BATCH_ORDERS)


def bond_per_unit(ask: int, credit: int, reference: int, rates: Sequence[int]) -> int:
    """Return what an offer locks a capacity unit [token base units].

    `rates` are the bond rates of the bands [1/10,000]. Twin of contracts/libraries/Bond.sol.
    """
    return -(-max(ask, reference) * rates[credit] // _RATE_BASE)


# -- the word of an order ------------------------------------------------------------------------


def pack(order: Order) -> int:
    """Return an order as its word of 224 bits; raise `UsageError` for what does not fit a field."""
    match order:
        case Offer():
            fields = (order.asset, order.slot, order.attributes, order.credit)
            names = ("asset", "slot", "attributes", "credit")
        case Request():
            fields = (order.span, order.first_slot, order.needs, order.min_credit)
            names = ("window", "from", "needs", "min_credit")
    for name, value, bits in (
        *zip(names, fields, (24, 24, 64, 4), strict=True),
        ("quantity", order.quantity, 32),
        ("price", order.price, 72),
    ):
        if value < 0 or value >> bits:
            raise UsageError(
                f"{name} {value} does not fit an order",
                next_step=f"Give 0 to {(1 << bits) - 1}.",
            )
    high, slot, mask, band = fields
    return (
        high << 200 | order.quantity << 168 | order.price << 96 | slot << 72 | mask << 8 | band << 4
    )


def unpack(side: Side, word: int) -> Order:
    """Return the terms that a word carries; its four unused bits are not looked at."""
    high, quantity, price = word >> 200, word >> 168 & 0xFFFFFFFF, word >> 96 & (1 << 72) - 1
    slot, mask, band = word >> 72 & 0xFFFFFF, word >> 8 & (1 << 64) - 1, word >> 4 & 0xF
    if side == Side.OFFER:
        return Offer(
            asset=high, slot=slot, quantity=quantity, price=price, attributes=mask, credit=band
        )
    return Request(
        first_slot=slot,
        last_slot=slot + high,
        quantity=quantity,
        price=price,
        needs=mask,
        min_credit=band,
    )


def is_canonical(word: int) -> bool:
    """Tell whether a word's unused bits are zero, which makes the encoding unique."""
    return word & 0xF == 0


def pack_orders(orders: Iterable[Order]) -> bytes:
    """Return orders as posting, contract code and events carry them: 28 bytes each."""
    return b"".join(pack(order).to_bytes(ORDER_BYTES, "big") for order in orders)


def words_of(data: bytes) -> tuple[int, ...]:
    """Cut packed orders into their words; raise `UsageError` for an incomplete one."""
    if len(data) % ORDER_BYTES:
        raise UsageError(f"{len(data)} bytes are no whole number of orders of {ORDER_BYTES} bytes")
    return tuple(
        int.from_bytes(data[at : at + ORDER_BYTES], "big")
        for at in range(0, len(data), ORDER_BYTES)
    )


def unpack_orders(side: Side, data: bytes) -> tuple[Order, ...]:
    """Return the terms of packed orders; the inverse of `pack_orders`."""
    return tuple(unpack(side, word) for word in words_of(data))


# -- the word of a batch -------------------------------------------------------------------------


def pack_state(batch: Batch) -> int:
    """Return the storage word that the book holds of a batch."""
    return (
        batch.group << 228
        | len(batch.orders) << 221
        | batch.round << 189
        | batch.side << 188
        | batch.class_index << 176
        | batch.member << 152
        | batch.partly << 64
        | batch.gone
    )


def unpack_batch(number: int, state: int, orders: bytes, left: Mapping[int, int]) -> Batch:
    """Return a batch from its storage word, its packed orders and what is left, by index."""
    side = Side(state >> 188 & 1)
    return Batch(
        number=number,
        member=state >> 152 & 0xFFFFFF,
        side=side,
        class_index=state >> 176 & 0xFFF,
        round=state >> 189 & 0xFFFFFFFF,
        orders=unpack_orders(side, orders),
        group=state >> 228 & 0xFFFFFF,
        gone=state & (1 << 64) - 1,
        partly=state >> 64 & (1 << 64) - 1,
        left=dict(left),
    )


# -- JSON ----------------------------------------------------------------------------------------

_OFFER_KEYS: Final = {
    "asset": "asset",
    "slot": "slot",
    "quantity": "quantity",
    "price": "price",
    "attributes": "attributes",
    "credit": "credit",
}
_REQUEST_KEYS: Final = {
    "from": "first_slot",
    "to": "last_slot",
    "quantity": "quantity",
    "price": "price",
    "needs": "needs",
    "min_credit": "min_credit",
}


def order_to_json(order: Order) -> dict[str, int]:
    """Return an order's terms under the names that the project's books use."""
    keys = _OFFER_KEYS if isinstance(order, Offer) else _REQUEST_KEYS
    return {key: getattr(order, name) for key, name in keys.items()}


def order_from_json(side: Side, row: object, where: str = "order") -> Order:
    """Return the terms of a JSON object; `where` names it in a `UsageError`.

    Masks and bands may be missing: none, and band 0. Other keys are not looked at.
    """
    if side == Side.OFFER:
        return Offer(**_values(row, _OFFER_KEYS, {"attributes", "credit"}, where))
    return Request(**_values(row, _REQUEST_KEYS, {"needs", "min_credit"}, where))


def whole_number(row: Mapping[str, object], key: str, where: str) -> int:
    """Return a value of a JSON object that must be a whole number of at least 0."""
    value = row.get(key)
    if value is None:
        raise UsageError(f"{where}: {key} is missing")
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise UsageError(
            f"{where}: {key} is {value!r}", next_step="Give a whole number of at least 0."
        )
    return value


def _values(row: object, keys: Mapping[str, str], optional: set[str], where: str) -> dict[str, int]:
    if not isinstance(row, dict):
        raise UsageError(f"{where}: {row!r} is no JSON object")
    return {
        name: whole_number(row, key, where)
        for key, name in keys.items()
        if key in row or key not in optional
    }
