"""Orders, their words and their JSON."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capshare.errors import UsageError
from capshare.orders import (
    BATCH_ORDERS,
    ORDER_BYTES,
    Batch,
    Offer,
    Order,
    Request,
    Side,
    bond_per_unit,
    is_canonical,
    order_from_json,
    order_id,
    order_to_json,
    pack,
    pack_orders,
    pack_state,
    place_of,
    unpack,
    unpack_batch,
    unpack_orders,
    words_of,
)

OFFER = Offer(asset=0xA1, slot=0xB2, quantity=0xC3, price=0xD4, attributes=0xE5, credit=6)
REQUEST = Request(
    first_slot=0xB2, last_slot=0xB5, quantity=0xC3, price=0xD4, needs=0xE5, min_credit=6
)


def _field(bits: int) -> st.SearchStrategy[int]:
    return st.integers(0, (1 << bits) - 1)


OFFERS = st.builds(
    Offer,
    asset=_field(24),
    slot=_field(24),
    quantity=_field(32),
    price=_field(72),
    attributes=_field(64),
    credit=_field(4),
)
REQUESTS = st.builds(
    lambda span, **fields: Request(last_slot=fields["first_slot"] + span, **fields),
    span=_field(24),
    first_slot=_field(24),
    quantity=_field(32),
    price=_field(72),
    needs=_field(64),
    min_credit=_field(4),
)


def test_offer_is_packed_as_the_contracts_draw_it() -> None:
    assert pack(OFFER) == int("0000a1000000c30000000000000000d40000b200000000000000e560", 16)


def test_request_is_packed_with_its_span_in_the_place_of_the_asset() -> None:
    assert pack(REQUEST) >> 200 == 3
    assert pack(REQUEST) & (1 << 200) - 1 == pack(OFFER) & (1 << 200) - 1


@given(st.lists(OFFERS, max_size=3), st.lists(REQUESTS, max_size=3))
def test_packed_orders_come_back(offers: list[Order], requests: list[Order]) -> None:
    for side, orders in ((Side.OFFER, offers), (Side.REQUEST, requests)):
        data = pack_orders(orders)
        assert len(data) == ORDER_BYTES * len(orders)
        assert unpack_orders(side, data) == tuple(orders)
        assert all(is_canonical(word) for word in words_of(data))


def test_word_with_unused_bits_is_not_canonical() -> None:
    assert not is_canonical(pack(OFFER) | 1)
    assert unpack(Side.OFFER, pack(OFFER) | 0xF) == OFFER


@pytest.mark.parametrize(
    ("order", "what"),
    [
        (replace(OFFER, asset=1 << 24), "asset 16777216"),
        (replace(OFFER, slot=-1), "slot -1"),
        (replace(OFFER, attributes=1 << 64), "attributes"),
        (replace(OFFER, credit=16), "credit 16"),
        (replace(OFFER, quantity=1 << 32), "quantity 4294967296"),
        (replace(OFFER, price=1 << 72), "price"),
        (replace(REQUEST, last_slot=0xB1), "window -1"),
        (replace(REQUEST, first_slot=1 << 24, last_slot=1 << 24), "from"),
        (replace(REQUEST, needs=1 << 64), "needs"),
        (replace(REQUEST, min_credit=16), "min_credit 16"),
    ],
)
def test_pack_refuses_what_does_not_fit_its_field(order: Order, what: str) -> None:
    with pytest.raises(UsageError, match=f"^{what}"):
        pack(order)


def test_words_of_refuses_an_incomplete_order() -> None:
    with pytest.raises(UsageError, match="29 bytes"):
        words_of(bytes(29))


def test_id_is_batch_times_64_plus_index() -> None:
    assert order_id(3, 5) == 3 * 64 + 5
    assert place_of(order_id(3, 63)) == (3, 63)
    assert order_id(1, BATCH_ORDERS) == order_id(2, 0)


@pytest.mark.parametrize(
    ("ask", "credit", "bond"),
    [
        (100, 0, 30),  # 3,000 of 10,000
        (101, 0, 31),  # rounded up
        (10, 0, 15),  # at least of the reference
        (100, 1, 25),
        (0, 0, 15),
    ],
)
def test_bond_is_a_rounded_up_share_of_ask_or_reference(ask: int, credit: int, bond: int) -> None:
    assert bond_per_unit(ask, credit, 50, (3000, 2500)) == bond


BATCH = Batch(
    number=9,
    member=0x111111,
    side=Side.REQUEST,
    class_index=0x222,
    round=0x33333333,
    orders=(REQUEST, REQUEST, REQUEST),
    group=0x444444,
    gone=0b001,
    partly=0b010,
    left={1: 7},
)


def test_state_word_is_packed_as_the_contracts_draw_it() -> None:
    word = pack_state(BATCH)
    assert word & (1 << 64) - 1 == 0b001
    assert word >> 64 & (1 << 64) - 1 == 0b010
    assert word >> 152 & 0xFFFFFF == 0x111111
    assert word >> 176 & 0xFFF == 0x222
    assert word >> 188 & 1 == 1
    assert word >> 189 & 0xFFFFFFFF == 0x33333333
    assert word >> 221 & 0x7F == 3
    assert word >> 228 == 0x444444


def test_batch_comes_back_from_its_state_word_and_orders() -> None:
    assert unpack_batch(9, pack_state(BATCH), pack_orders(BATCH.orders), BATCH.left) == BATCH


def test_order_is_live_unless_gone_or_beyond_the_batch() -> None:
    assert [BATCH.is_live(index) for index in range(4)] == [False, True, True, False]


def test_remaining_is_what_is_left_of_a_partly_filled_order() -> None:
    assert (BATCH.remaining(1), BATCH.remaining(2)) == (7, REQUEST.quantity)


@pytest.mark.parametrize(("side", "order"), [(Side.OFFER, OFFER), (Side.REQUEST, REQUEST)])
def test_order_comes_back_from_json(side: Side, order: Order) -> None:
    assert order_from_json(side, order_to_json(order)) == order


def test_masks_and_bands_may_be_missing_in_json() -> None:
    row = {"asset": 1, "slot": 2, "quantity": 3, "price": 4}
    assert order_from_json(Side.OFFER, row) == Offer(asset=1, slot=2, quantity=3, price=4)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([], r"row 4: \[\] is no JSON object"),
        ({"asset": 1, "slot": 2, "quantity": 3}, "row 4: price is missing"),
        ({"asset": 1, "slot": 2, "quantity": 3, "price": "4"}, "row 4: price is '4'"),
        ({"asset": 1, "slot": 2, "quantity": 3, "price": 4.0}, "row 4: price is 4.0"),
        ({"asset": 1, "slot": 2, "quantity": 3, "price": True}, "row 4: price is True"),
        ({"asset": 1, "slot": -2, "quantity": 3, "price": 4}, "row 4: slot is -2"),
    ],
)
def test_json_that_is_no_order_is_refused_with_its_place(row: object, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        order_from_json(Side.OFFER, row, "row 4")
