"""CapacityBook: posting, reducing, expiring, pausing, and what may be recorded of a clearing.

Pilot parameters: R 10 s, W 6 s, horizon 2 days; slots of 120 s whose gate closes 10 s before them.
"""

from __future__ import annotations

import pytest
from eth_utils import keccak

from capshare.orders import Side
from tests.contract.floor import (
    CAPACITY,
    COARSE,
    COARSE_ASSET,
    CODE,
    CONSUMER,
    CONSUMERS,
    FINE,
    FOREVER,
    HORIZON,
    LOCK,
    LOT,
    MASK,
    PLACES,
    PLAIN,
    PROVIDER,
    REFERENCE,
    RIVAL,
    RIVALS,
    ROUND,
    SLOT,
    SMALL,
    SUSPENDED,
    TRADE,
    WINDOW,
    submission,
)

TRADER = 1
OFFER, REQUEST = Side.OFFER, Side.REQUEST
BOND = 31  # a unit: ceil(101 * 30 %)
ORDER_BYTES = 28
DOCUMENT = b"\xd0" * 32
HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
GROUP_ORDER = 2 * HALF_ORDER + 1


@pytest.fixture
def suspend(floor):
    def run(member):
        floor.govern(floor.members.suspend, member)

    return run


@pytest.fixture
def pause(floor):
    def run(paused=True):
        return floor.govern(floor.book.setPaused, paused)

    return run


@pytest.fixture
def post_reverts(floor, reverts):
    """Post a batch and expect an error with its values."""

    def check(error, batch, /, *, by=None, **values):
        with reverts(error, **values):
            floor.post(batch, by=by)

    return check


# CONSTRUCTION


def test_constructor_fixes_the_rules(floor, kit):
    assert tuple(floor.book.parameters()) == (ROUND, LOCK, HORIZON)
    (event,) = floor.emitted(floor.book.creation_metadata.receipt)
    rules = kit.parameters.to_abi()
    assert event == floor.event("book", "RulesSet", rulesVersion=1, parameters=rules)


# POSTING OFFERS


def test_provider_posts_offer_that_locks_its_bond(floor, provider):
    batch = floor.batch(PROVIDER, floor.offer(attributes=0b10))
    receipt = floor.post(batch)
    assert floor.emitted(receipt) == [floor.posted(batch, provider), floor.locked(PROVIDER, 310)]
    assert floor.money(PROVIDER) == (-310, 310)
    assert floor.assets.reservedOf(FINE, floor.slot) == 10
    assert floor.credit.openValueOf(PROVIDER) == 10 * REFERENCE
    assert floor.market() == (1, 0, 1, 0, 0)
    assert tuple(floor.book.heldBy(1, PROVIDER)) == (1, 0)
    assert floor.book.liveOrders(PROVIDER) == 1
    assert floor.book.isSaltUsed(PROVIDER, batch[3])


def test_posted_batch_is_kept_as_code_beside_one_word(floor):
    number = floor.book.batchCount() + 1
    orders = [floor.offer(price=p) for p in (0, 7, 2**20)]
    batch = floor.batch(PROVIDER, *orders)
    floor.post(batch)
    assert floor.book.batchCount() == number
    state, packed = floor.book.batchOf(number)
    assert packed == batch[5]
    assert state == (
        PROVIDER << 228 | 3 << 221 | floor.round << 189 | OFFER << 188 | 1 << 176 | PROVIDER << 152
    )
    pointer = floor.book.pointerOf(number)
    assert floor.chain.provider.get_code(pointer) == b"\x00" + packed
    words = [int.from_bytes(packed[at : at + 28], "big") for at in (0, 28, 56)]
    found = [tuple(floor.book.orderOf(number * 64 + index)) for index in range(4)]
    assert found == [*((word, 10) for word in words), (0, 0)]
    assert tuple(map(list, floor.book.load([number]))) == ([state], [])


def test_bond_is_a_share_of_the_greater_of_ask_and_reference(floor):
    for ask, bond in ((0, 15), (50, 15), (51, 16), (101, 31)):
        before = floor.money(PROVIDER)[1]
        floor.place(PROVIDER, floor.offer(price=ask, quantity=3))
        assert floor.money(PROVIDER)[1] - before == 3 * bond


def test_requests_lock_their_bids_and_carry_commitments(floor, consumer):
    orders = [floor.request(price=p, last_slot=floor.slot + n) for n, p in enumerate((7, 0, 9))]
    batch = floor.batch(CONSUMER, *orders)
    receipt = floor.post(batch)
    assert floor.emitted(receipt) == [floor.posted(batch, consumer), floor.locked(CONSUMER, 160)]
    assert floor.money(CONSUMER) == (-160, 160)
    assert floor.market() == (0, 3, 0, 3, 0)
    assert tuple(floor.book.heldBy(1, CONSUMER)) == (0, 3)
    assert floor.book.liveOrders(CONSUMER) == 3
    assert floor.credit.openValueOf(CONSUMER) == 0


def test_request_at_price_zero_locks_nothing(floor, consumer):
    batch = floor.batch(CONSUMER, floor.request(price=0))
    assert floor.emitted(floor.post(batch)) == [floor.posted(batch, consumer)]
    assert floor.money(CONSUMER) == (0, 0)


def test_largest_request_locks_its_bid_to_the_last_unit(floor, reverts, people, consumer):
    amount = (2**32 - 1) * (2**72 - 1)
    batch = floor.batch(CONSUMER, floor.request(quantity=2**32 - 1, price=2**72 - 1))
    error = floor.vault.InsufficientFree
    with reverts(error, member=CONSUMER, free=floor.funds, wanted=amount):
        floor.post(batch)
    floor.token.mint(consumer, amount, sender=people["deployer"])
    floor.token.approve(floor.vault, amount, sender=consumer)
    floor.vault.deposit(CONSUMER, amount - floor.funds, sender=consumer)
    floor.post(batch)
    assert tuple(floor.vault.balanceOf(CONSUMER)) == (0, amount)


def test_batches_of_one_call_are_numbered_in_order(floor, provider):
    first = floor.book.batchCount() + 1
    batches = [floor.batch(PROVIDER, floor.offer(price=p)) for p in (5, 6)]
    batches.append(floor.batch(PROVIDER, floor.request()))
    assert floor.book.post.call(batches, sender=provider) == first
    floor.post(*batches)
    assert floor.book.batchCount() == first + 2
    assert [floor.book.batchOf(first + i)[1] for i in range(3)] == [b[5] for b in batches]


def test_call_without_batches_changes_nothing(floor, outsider):
    count = floor.book.batchCount()
    assert floor.emitted(floor.book.post([], sender=outsider)) == []
    assert floor.book.batchCount() == count


def test_refused_batch_takes_the_whole_call_with_it(floor, reverts):
    good, bad = floor.batch(PROVIDER, floor.offer()), floor.batch(PROVIDER, floor.offer(quantity=0))
    count = floor.book.batchCount()
    with reverts(floor.book.BelowLot, index=0, quantity=0, lot=1):
        floor.post(good, bad)
    assert floor.book.batchCount() == count
    assert not floor.book.isSaltUsed(PROVIDER, good[3])
    assert floor.money(PROVIDER) == (0, 0)
    floor.post(good)


# SHAPE, SALT, DEADLINE


def test_batch_holds_64_orders(floor):
    ids = floor.place(CONSUMER, *[floor.request(price=i) for i in range(64)])
    assert floor.left(*ids[:2], *ids[-2:]) == [10] * 4
    assert floor.book.orderOf(ids[-1])[0] >> 96 & (1 << 72) - 1 == 63
    assert floor.market() == (0, 64, 0, 64, 0)


@pytest.mark.parametrize("length", [0, 1, 27, 29, 65 * ORDER_BYTES])
def test_post_reverts_for_batch_of_no_whole_orders_or_too_many(floor, post_reverts, length):
    packed = (floor.batch(CONSUMER, floor.request())[5] * 65)[:length]
    if length == 29:
        packed += b"\0"
    batch = floor.batch(CONSUMER, packed=packed[:length], side=REQUEST)
    post_reverts(floor.book.MalformedBatch, batch, length=length)


@pytest.mark.parametrize("bit", range(4))
def test_post_reverts_for_unused_bit_of_an_order(floor, post_reverts, bit):
    good = floor.batch(CONSUMER, floor.request(), floor.request())
    packed = good[5][:-1] + bytes([good[5][-1] | 1 << bit])
    batch = floor.batch(CONSUMER, packed=packed, side=REQUEST)
    post_reverts(floor.book.MalformedBatch, batch, length=56)


@pytest.mark.parametrize(("side", "given"), [(REQUEST, 1), (REQUEST, 3), (OFFER, 1)])
def test_post_reverts_for_other_number_of_commitments(floor, post_reverts, side, given):
    order = floor.request() if side == REQUEST else floor.offer()
    batch = floor.batch(PROVIDER, order, order, commitments=[b"\x01" * 32] * given)
    expected = 2 if side == REQUEST else 0
    post_reverts(floor.book.CommitmentCount, batch, given=given, expected=expected)


def test_batch_is_taken_in_the_last_second_of_its_deadline(floor):
    floor.goto(0, 3)
    floor.post(floor.batch(PROVIDER, floor.offer(), deadline=floor.start + 3))
    assert floor.now() == floor.start + 3


def test_batch_is_refused_the_second_after_its_deadline(floor, post_reverts):
    batch = floor.batch(PROVIDER, floor.offer(), deadline=floor.start + 3)
    floor.goto(0, 4)
    post_reverts(floor.book.DeadlinePassed, batch, deadline=floor.start + 3)


@pytest.mark.parametrize("salt", [0, 255, 256, 2**256 - 1])
def test_salt_works_once_a_member(floor, post_reverts, salt):
    floor.post(floor.batch(PROVIDER, floor.offer(), salt=salt))
    again = floor.batch(PROVIDER, floor.offer(price=7), salt=salt)
    post_reverts(floor.book.SaltUsed, again, member=PROVIDER, salt=salt)
    assert floor.book.isSaltUsed(PROVIDER, salt)
    assert not floor.book.isSaltUsed(PROVIDER, salt ^ 1)
    floor.post(floor.batch(CONSUMER, floor.request(), salt=salt))


def test_salt_works_once_in_a_call(floor, reverts):
    batches = [floor.batch(PROVIDER, floor.offer(), salt=5) for _ in range(2)]
    with reverts(floor.book.SaltUsed, member=PROVIDER, salt=5):
        floor.post(*batches)


def test_salt_works_once_over_batches_and_reductions(floor, reverts, provider, post_reverts):
    (order,) = floor.place(PROVIDER, floor.offer())
    used = floor.salt
    with reverts(floor.book.SaltUsed, member=PROVIDER, salt=used):
        floor.reduce(PROVIDER, {order: 1}, salt=used)
    floor.reduce(PROVIDER, {order: 1}, salt=77)
    batch = floor.batch(PROVIDER, floor.offer(), salt=77)
    post_reverts(floor.book.SaltUsed, batch, member=PROVIDER, salt=77)


# CLASS AND ORDERS


def test_post_reverts_for_unknown_class(floor, post_reverts):
    for code in (0, 9_999):
        batch = floor.batch(CONSUMER, floor.request(), code=code)
        post_reverts(floor.book.UnknownClass, batch, **{"class": code})


def test_post_reverts_for_retired_class_while_its_orders_stand(floor, post_reverts):
    (order,) = floor.place(CONSUMER, floor.request())
    floor.govern(floor.assets.retireClass, CODE)
    batch = floor.batch(CONSUMER, floor.request())
    post_reverts(floor.book.ClassIsRetired, batch, **{"class": CODE})
    assert floor.left(order) == [10]


def test_order_is_at_least_a_lot(floor, post_reverts):
    good = floor.offer(asset=COARSE_ASSET, quantity=LOT)
    for quantity in (0, LOT - 1):
        small = floor.offer(asset=COARSE_ASSET, quantity=quantity)
        batch = floor.batch(PROVIDER, good, small, code=COARSE)
        post_reverts(floor.book.BelowLot, batch, index=1, quantity=quantity, lot=LOT)
    floor.place(PROVIDER, good, code=COARSE)


@pytest.mark.parametrize("attributes", [0b100, 0b111, 1 << 63])
def test_post_reverts_for_attributes_outside_the_mask(floor, post_reverts, attributes):
    values = {"attributes": attributes, "mask": MASK}
    offers = floor.batch(PROVIDER, floor.offer(attributes=attributes))
    post_reverts(floor.book.OutsideMask, offers, index=0, **values)
    requests = floor.batch(CONSUMER, floor.request(needs=MASK), floor.request(needs=attributes))
    post_reverts(floor.book.OutsideMask, requests, index=1, **values)


def test_bands_end_at_seven(floor, post_reverts):
    for band in (8, 15):
        batch = floor.batch(CONSUMER, floor.request(), floor.request(min_credit=band))
        post_reverts(floor.book.UnknownBand, batch, index=1, credit=band)
    floor.place(CONSUMER, floor.request(min_credit=7))


@pytest.mark.parametrize("span", [WINDOW, 255, 2**24 - 1])
def test_post_reverts_for_window_too_wide(floor, post_reverts, span):
    batch = floor.batch(CONSUMER, floor.request(last_slot=floor.slot + span))
    post_reverts(floor.book.WindowTooWide, batch, index=0, slots=span + 1, most=WINDOW)


def test_widest_window_is_taken(floor):
    floor.place(CONSUMER, floor.request(last_slot=floor.slot + WINDOW - 1))


def test_slot_is_taken_while_it_is_open_in_the_next_round(floor, post_reverts):
    slot = floor.start // SLOT + 1  # its gate: 110 s after the start, the end of round 10
    floor.goto(9, 9)
    floor.place(PROVIDER, floor.offer(slot=slot))
    floor.goto(10)
    for side, order in (
        (PROVIDER, floor.offer(slot=slot)),
        (CONSUMER, floor.request(first_slot=slot - 2, last_slot=slot)),
    ):
        post_reverts(floor.book.SlotNotOpen, floor.batch(side, order), index=0, slot=slot)
    floor.place(CONSUMER, floor.request(first_slot=slot, last_slot=slot + 1))
    batch = floor.batch(PROVIDER, floor.offer(), floor.offer(slot=0))
    post_reverts(floor.book.SlotNotOpen, batch, index=1, slot=0)


def test_slot_is_taken_that_begins_within_the_horizon(floor, post_reverts):
    slot = (floor.start + HORIZON) // SLOT  # begins just then
    floor.goto(0)
    floor.place(PROVIDER, floor.offer(slot=slot))
    floor.place(CONSUMER, floor.request(first_slot=slot - 6, last_slot=slot))
    beyond = floor.batch(PROVIDER, floor.offer(), floor.offer(slot=slot + 1))
    post_reverts(floor.book.BeyondHorizon, beyond, index=1, slot=slot + 1)
    beyond = floor.batch(CONSUMER, floor.request(first_slot=slot, last_slot=slot + 1))
    post_reverts(floor.book.BeyondHorizon, beyond, index=0, slot=slot + 1)
    last = 2**24 - 1
    beyond = floor.batch(CONSUMER, floor.request(first_slot=last, last_slot=last + 6))
    post_reverts(floor.book.BeyondHorizon, beyond, index=0, slot=last + 6)


# WHO MAY POST


def test_trade_key_posts_within_its_limit_of_the_day(floor, post_reverts, people):
    trader = people["trader"]
    batch = floor.batch(PROVIDER, floor.request(price=99))
    assert floor.emitted(floor.post(batch, by=trader))[0] == floor.posted(batch, trader)
    values = {"signer": trader, "wanted": 11, "left": 10}
    batch = floor.batch(PROVIDER, floor.request(quantity=11, price=1))
    post_reverts(floor.members.LimitExceeded, batch, by=trader, **values)
    floor.post(floor.batch(PROVIDER, floor.request(price=1)), by=trader)
    batch = floor.batch(PROVIDER, floor.request(quantity=1, price=1))
    values = {"signer": trader, "wanted": 1, "left": 0}
    post_reverts(floor.members.LimitExceeded, batch, by=trader, **values)
    floor.post(batch)  # the account has no limit
    floor.at(floor.start + 86_400)
    slot = floor.slot + 720
    batch = floor.batch(PROVIDER, floor.request(first_slot=slot, price=100))
    floor.post(batch, by=trader)


def test_post_reverts_for_outsider_and_other_scopes(floor, post_reverts, people):
    for name in ("outsider", "consumer", "operator", "treasurer", "councillor"):
        batch = floor.batch(PROVIDER, floor.offer())
        values = {"member": PROVIDER, "signer": people[name], "scope": TRADE}
        post_reverts(floor.members.NotSigner, batch, by=people[name], **values)


def test_post_reverts_for_unknown_member(floor, post_reverts, outsider):
    for member in (0, 11, 2**24 - 1):
        batch = floor.batch(member, floor.request())
        values = {"member": member, "signer": outsider, "scope": TRADE}
        post_reverts(floor.members.NotSigner, batch, by=outsider, **values)


def test_post_reverts_for_suspended_member_and_without_role(floor, post_reverts, people):
    for member, name in ((SUSPENDED, "suspended_member"), (6, "arbiter")):
        batch = floor.batch(member, floor.request())
        values = {"member": member, "role": TRADER}
        post_reverts(floor.members.MemberNotActive, batch, by=people[name], **values)


def test_post_reverts_while_paused(floor, post_reverts, pause, outsider, reverts):
    pause()
    post_reverts(floor.book.BookPaused, floor.batch(PROVIDER, floor.offer()))
    with reverts(floor.book.BookPaused):
        floor.book.post([], sender=outsider)
    pause(False)
    floor.place(PROVIDER, floor.offer())


# SIGNATURES


def test_outsider_carries_signed_batches_of_several_members(floor, people, outsider):
    batches = [
        floor.signed(floor.batch(PROVIDER, floor.offer(quantity=1)), people["trader"]),
        floor.signed(floor.batch(CONSUMER, floor.request(), floor.request()), people["consumer"]),
    ]
    receipt = floor.post(*batches, by=outsider)
    found = [e[2]["signer"] for e in floor.emitted(receipt) if "signer" in e[2]]
    assert found == [people["trader"].address.lower(), people["consumer"].address.lower()]
    assert floor.money(PROVIDER)[1] == BOND
    assert floor.money(CONSUMER)[1] == 2_020


def test_signed_batch_carried_twice_is_refused(floor, people, outsider, post_reverts):
    batch = floor.signed(floor.batch(PROVIDER, floor.offer(quantity=1)), people["trader"])
    floor.post(batch, by=outsider)
    post_reverts(floor.book.SaltUsed, batch, by=outsider, member=PROVIDER, salt=batch[3])


def test_signature_for_another_chain_or_contract_is_nobodys(floor, people, outsider, post_reverts):
    given = floor.batch(PROVIDER, floor.offer(quantity=1))
    for domain in ({"chain_id": 1}, {"contract": floor.deals.address}):
        batch = floor.signed(given, people["trader"], **domain)
        signer = floor.signer_of(batch)
        assert signer != people["trader"].address.lower()
        values = {"member": PROVIDER, "signer": signer, "scope": TRADE}
        post_reverts(floor.members.NotSigner, batch, by=outsider, **values)


@pytest.mark.parametrize("field", range(7))
def test_signature_covers_every_field(floor, people, outsider, post_reverts, field):
    given = floor.batch(PROVIDER, floor.request(quantity=1, price=1), deadline=floor.start + 99)
    signed = list(floor.signed(given, people["provider"]))
    other = floor.batch(CONSUMER, floor.request(quantity=1, price=2), code=SMALL, deadline=FOREVER)
    signed[field] = [b"\x99" * 32] if field == 6 else other[field]
    if field == 2:
        # The side cannot change alone: the shape of the batch would be another.
        offer = floor.batch(PROVIDER, floor.offer(quantity=1))
        signed[2], signed[5], signed[6] = offer[2], offer[5], offer[6]
    signed = tuple(signed)
    values = {"member": signed[0], "signer": floor.signer_of(signed), "scope": TRADE}
    post_reverts(floor.members.NotSigner, signed, by=outsider, **values)


def test_post_reverts_for_signature_of_other_scope_and_of_outsider(floor, people, post_reverts):
    for name in ("outsider", "operator", "consumer"):
        batch = floor.signed(floor.batch(PROVIDER, floor.offer()), people[name])
        values = {"member": PROVIDER, "signer": people[name], "scope": TRADE}
        post_reverts(floor.members.NotSigner, batch, by=people["provider"], **values)


def test_post_reverts_for_what_is_no_signature(floor, people, outsider, post_reverts):
    good = floor.signed(floor.batch(PROVIDER, floor.offer(quantity=1)), people["trader"])
    r, s, v = good[7][:32], int.from_bytes(good[7][32:64], "big"), good[7][64]
    mirrored = r + (GROUP_ORDER - s).to_bytes(32, "big") + bytes([55 - v])
    for signature in (b"\0", b"\0" * 65, good[7][:64], good[7] + b"\0", mirrored):
        batch = (*good[:7], signature)
        values = {"member": PROVIDER, "signer": "0x" + "00" * 20, "scope": TRADE}
        post_reverts(floor.members.NotSigner, batch, by=outsider, **values)
    floor.post(good, by=outsider)


# SIDES AND SHARES


def test_owner_group_holds_no_more_than_places_stay_free(floor, post_reverts):
    half = [floor.request(price=1)] * 21
    floor.place(CONSUMER, *half, code=SMALL)  # holds 21, 21 stay free
    batch = floor.batch(CONSUMER, floor.request(price=1), code=SMALL)
    values = {"class": SMALL, "side": REQUEST, "group": CONSUMER, "held": 22, "free": 20}
    post_reverts(floor.book.ShareExceeded, batch, **values)
    floor.place(PROVIDER, *half[:20], code=SMALL)  # twenty are never too many
    batch = floor.batch(PROVIDER, floor.request(price=1), code=SMALL)
    values |= {"group": PROVIDER, "held": 21, "free": 0}
    post_reverts(floor.book.ShareExceeded, batch, **values)
    floor.place(RIVAL, floor.request(price=1), code=SMALL)
    assert floor.market(2) == (0, PLACES, 0, PLACES, 0)


def test_members_of_one_owner_group_share_its_places(floor, post_reverts):
    floor.govern(floor.members.setGroup, CONSUMER, PROVIDER)
    floor.place(PROVIDER, *[floor.request(price=1)] * 15, code=SMALL)
    floor.place(CONSUMER, *[floor.request(price=1)] * 6, code=SMALL)
    assert tuple(floor.book.heldBy(2, PROVIDER)) == (0, 21)
    assert tuple(floor.book.heldBy(2, CONSUMER)) == (0, 0)
    batch = floor.batch(CONSUMER, floor.request(price=1), code=SMALL)
    values = {"class": SMALL, "side": REQUEST, "group": PROVIDER, "held": 22, "free": 20}
    post_reverts(floor.book.ShareExceeded, batch, **values)


def test_side_is_full_at_half_of_the_book(floor, post_reverts):
    for member in (PROVIDER, CONSUMER):
        floor.place(member, *[floor.request(price=1)] * 20, code=SMALL)
    three = floor.batch(RIVAL, *[floor.request(price=1)] * 3, code=SMALL)
    values = {"class": SMALL, "side": REQUEST, "held": 40, "adding": 3, "most": PLACES}
    post_reverts(floor.book.SideFull, three, **values)
    floor.place(RIVAL, *[floor.request(price=1)] * 2, code=SMALL)
    # The other side is as empty as before.
    offers = [floor.offer(asset=RIVALS, quantity=1)] * 21
    floor.place(RIVAL, *offers, code=SMALL)
    assert floor.market(2) == (21, PLACES, 21, PLACES, 0)
    batch = floor.batch(RIVAL, offers[0], code=SMALL)
    values = {"class": SMALL, "side": OFFER, "group": RIVAL, "held": 22, "free": 20}
    post_reverts(floor.book.ShareExceeded, batch, **values)


def test_cancelled_orders_leave_their_places(floor):
    ids = floor.place(CONSUMER, *[floor.request(price=1)] * 21, code=SMALL)
    floor.reduce(CONSUMER, {ids[0]: 0})
    floor.place(CONSUMER, floor.request(price=1), code=SMALL)
    assert tuple(floor.book.heldBy(2, CONSUMER)) == (0, 21)


# WHAT STANDS BEHIND AN OFFER


def test_post_reverts_for_offer_of_asset_that_is_not_the_members(floor, post_reverts):
    batch = floor.batch(PROVIDER, floor.offer(), floor.offer(asset=CONSUMERS))
    values = {"asset": CONSUMERS, "member": PROVIDER}
    post_reverts(floor.assets.AssetNotOwned, batch, **values)


def test_post_reverts_for_offer_of_unknown_asset_and_of_other_class(floor, post_reverts):
    for asset in (0, 6, 2**24 - 1):
        batch = floor.batch(PROVIDER, floor.offer(asset=asset))
        post_reverts(floor.assets.UnknownAsset, batch, asset=asset)
    batch = floor.batch(PROVIDER, floor.offer(asset=COARSE_ASSET))
    post_reverts(floor.assets.AssetOfOtherClass, batch, asset=COARSE_ASSET, classIndex=3)


def test_post_reverts_for_attributes_not_attested(floor, post_reverts):
    batch = floor.batch(PROVIDER, floor.offer(asset=PLAIN, attributes=0b01))
    values = {"asset": PLAIN, "slot": floor.slot, "declared": 0b01, "attested": 0}
    post_reverts(floor.assets.NotAttested, batch, **values)


def test_no_capacity_is_sold_twice(floor, post_reverts):
    floor.place(PROVIDER, floor.offer(asset=PLAIN, quantity=600))
    more = floor.offer(asset=PLAIN, quantity=200)
    batch = floor.batch(PROVIDER, more, more, floor.offer(asset=PLAIN, quantity=1))
    values = {"asset": PLAIN, "slot": floor.slot, "wanted": 1_001, "capacity": CAPACITY}
    post_reverts(floor.assets.CapacityExceeded, batch, **values)
    floor.place(PROVIDER, more, more)
    assert floor.assets.reservedOf(PLAIN, floor.slot) == CAPACITY


def test_post_reverts_for_credit_above_the_members_band(floor, post_reverts):
    batch = floor.batch(PROVIDER, floor.offer(), floor.offer(credit=7), floor.offer(credit=1))
    values = {"member": PROVIDER, "declared": 7, "band": 0}
    post_reverts(floor.credit.CreditAboveBand, batch, **values)


def test_newcomer_offers_up_to_its_cap(floor, post_reverts, kit):
    cap = kit.parameters.newcomer_cap
    most = cap // REFERENCE
    offers = floor.batch(PROVIDER, floor.offer(quantity=most - 1), floor.offer(quantity=2))
    values = {"member": PROVIDER, "wanted": cap + REFERENCE, "cap": cap}
    post_reverts(floor.credit.NewcomerCapExceeded, offers, **values)
    floor.place(PROVIDER, floor.offer(quantity=most))
    batch = floor.batch(PROVIDER, floor.offer(quantity=1))
    post_reverts(floor.credit.NewcomerCapExceeded, batch, **values)
    assert floor.credit.openValueOf(PROVIDER) == cap


def test_post_reverts_beyond_free_money(floor, post_reverts):
    floor.place(CONSUMER, floor.request(quantity=1, price=floor.funds - 5))
    batch = floor.batch(CONSUMER, floor.request(quantity=3, price=2))
    values = {"member": CONSUMER, "free": 5, "wanted": 6}
    post_reverts(floor.vault.InsufficientFree, batch, **values)
    floor.place(CONSUMER, floor.request(quantity=5, price=1))
    assert floor.money(CONSUMER) == (-floor.funds, floor.funds)


# FRESH AND STANDING


def test_orders_are_fresh_in_their_round_only(floor):
    floor.goto(0)
    floor.place(PROVIDER, floor.offer(), floor.offer())
    floor.place(CONSUMER, floor.request())
    assert floor.market() == (2, 1, 2, 1, 0)
    floor.goto(0, 9)
    floor.place(CONSUMER, floor.request())
    assert floor.market() == (2, 2, 2, 2, 0)
    floor.goto(1)
    floor.place(PROVIDER, floor.offer())
    assert floor.market() == (3, 2, 1, 0, 1)
    floor.goto(3)
    floor.place(CONSUMER, floor.request())
    assert floor.market() == (3, 3, 0, 1, 3)


def test_removed_orders_leave_the_counts_they_are_in(floor):
    floor.goto(0)
    old = floor.place(PROVIDER, floor.offer(), floor.offer())
    floor.goto(1, LOCK)
    new = floor.place(PROVIDER, floor.offer(), floor.offer())
    assert floor.market() == (4, 0, 2, 0, 1)
    floor.reduce(PROVIDER, {old[0]: 0, new[0]: 0})
    assert floor.market() == (2, 0, 1, 0, 1)
    floor.reduce(PROVIDER, {old[1]: 5, new[1]: 5})  # which are as many as before
    assert floor.market() == (2, 0, 1, 0, 1)
    assert tuple(floor.book.heldBy(1, PROVIDER)) == (2, 0)
    assert floor.book.liveOrders(PROVIDER) == 2


def test_market_counts_are_the_markets_own(floor):
    floor.place(CONSUMER, floor.request())
    floor.place(CONSUMER, floor.request(), code=SMALL)
    assert [floor.market(i)[:2] for i in (1, 2, 3)] == [(0, 1), (0, 1), (0, 0)]
    assert floor.book.liveOrders(CONSUMER) == 2


# REDUCING


def test_provider_lowers_offer_and_gets_money_and_capacity_back(floor, provider):
    orders = floor.place(PROVIDER, floor.offer(), floor.offer())
    given = floor.reduction(PROVIDER, {orders[1]: 4})
    receipt = floor.book.reduce([given], sender=provider)
    assert floor.emitted(receipt) == [
        floor.reduced(given, provider),
        floor.released((PROVIDER, 6 * BOND)),
    ]
    assert floor.left(*orders) == [10, 4]
    assert floor.money(PROVIDER) == (-14 * BOND, 14 * BOND)
    assert floor.assets.reservedOf(FINE, floor.slot) == 14
    assert floor.credit.openValueOf(PROVIDER) == 14 * REFERENCE
    number = orders[0] // 64
    state, _ = floor.book.batchOf(number)
    assert state & (1 << 128) - 1 == 0b10 << 64
    assert floor.book.load([number])[1] == [4]


def test_consumer_cancels_requests(floor, consumer):
    orders = floor.place(CONSUMER, floor.request(price=7), floor.request(price=9))
    given = floor.reduction(CONSUMER, {orders[1]: 0, orders[0]: 0})
    receipt = floor.book.reduce([given], sender=consumer)
    assert floor.emitted(receipt) == [
        floor.reduced(given, consumer),
        floor.released((CONSUMER, 160)),
    ]
    assert floor.left(*orders) == [0, 0]
    assert floor.money(CONSUMER) == (0, 0)
    assert floor.market() == (0, 0, 0, 0, 0)
    assert floor.book.liveOrders(CONSUMER) == 0
    assert floor.book.batchOf(orders[0] // 64)[0] & (1 << 128) - 1 == 0b11


def test_cancelled_request_at_price_zero_frees_nothing(floor, consumer):
    (order,) = floor.place(CONSUMER, floor.request(price=0))
    given = floor.reduction(CONSUMER, {order: 0})
    receipt = floor.book.reduce([given], sender=consumer)
    assert floor.emitted(receipt) == [floor.reduced(given, consumer)]


def test_largest_list_cancels_a_whole_batch(floor):
    orders = floor.place(CONSUMER, *[floor.request(price=1)] * 64)
    floor.reduce(CONSUMER, dict.fromkeys(orders, 0))
    assert floor.money(CONSUMER) == (0, 0)
    assert floor.market() == (0, 0, 0, 0, 0)


def test_order_is_lowered_again_and_again(floor, reverts):
    (order,) = floor.place(PROVIDER, floor.offer())
    floor.reduce(PROVIDER, [(order, 7), (order, 3)])
    assert floor.left(order) == [3]
    floor.reduce(PROVIDER, {order: 1})
    assert floor.money(PROVIDER)[1] == BOND
    with reverts(floor.book.OrderNotLive, id=order):
        floor.reduce(PROVIDER, [(order, 0), (order, 0)])
    floor.reduce(PROVIDER, {order: 0})
    assert floor.book.load([order // 64])[1] == []


def test_reduced_offer_makes_room_in_its_slot(floor, post_reverts):
    (order,) = floor.place(PROVIDER, floor.offer(asset=PLAIN, quantity=CAPACITY))
    floor.reduce(PROVIDER, {order: CAPACITY - 10})
    batch = floor.batch(PROVIDER, floor.offer(asset=PLAIN, quantity=11))
    values = {"asset": PLAIN, "slot": floor.slot, "wanted": 1_001, "capacity": CAPACITY}
    post_reverts(floor.assets.CapacityExceeded, batch, **values)
    floor.place(PROVIDER, floor.offer(asset=PLAIN, quantity=10))


def test_reduce_reverts_for_order_not_live(floor, reverts):
    orders = floor.place(PROVIDER, floor.offer(), floor.offer())
    floor.reduce(PROVIDER, {orders[0]: 0})
    for order in (orders[0], orders[1] + 1, orders[0] + 63, orders[0] + 64, 0, 2**40 - 1):
        with reverts(floor.book.OrderNotLive, id=order):
            floor.reduce(PROVIDER, {orders[1]: 5, order: 0})
    assert floor.left(orders[1]) == [10]


def test_reduce_reverts_for_order_of_another_member(floor, reverts):
    (mine,) = floor.place(PROVIDER, floor.offer())
    (other,) = floor.place(CONSUMER, floor.request())
    with reverts(floor.book.OrderNotOwned, id=other, member=PROVIDER):
        floor.reduce(PROVIDER, {mine: 0, other: 0})


def test_reduce_reverts_unless_less_remains(floor, reverts):
    (order,) = floor.place(PROVIDER, floor.offer())
    for wanted in (10, 11, 2**32 - 1):
        with reverts(floor.book.NotReduced, id=order, left=10, wanted=wanted):
            floor.reduce(PROVIDER, {order: wanted})
    floor.reduce(PROVIDER, {order: 4})
    with reverts(floor.book.NotReduced, id=order, left=4, wanted=4):
        floor.reduce(PROVIDER, {order: 4})


@pytest.mark.parametrize(("ids", "quantities"), [(0, 0), (1, 0), (1, 2), (65, 65)])
def test_reduce_reverts_for_lists_empty_unequal_or_too_long(
    floor, reverts, provider, ids, quantities
):
    given = (PROVIDER, 9, FOREVER, [64] * ids, [0] * quantities, b"")
    with reverts(floor.book.ListLengths, ids=ids, quantities=quantities):
        floor.book.reduce([given], sender=provider)


def test_reduction_is_taken_in_the_last_second_of_its_deadline(floor):
    (order,) = floor.place(PROVIDER, floor.offer())
    floor.goto(0, 5)
    floor.reduce(PROVIDER, {order: 0}, deadline=floor.start + 5)
    assert floor.left(order) == [0]


def test_reduction_is_refused_the_second_after_its_deadline(floor, reverts):
    (order,) = floor.place(PROVIDER, floor.offer())
    floor.goto(0, 6)
    with reverts(floor.book.DeadlinePassed, deadline=floor.start + 5):
        floor.reduce(PROVIDER, {order: 0}, deadline=floor.start + 5)


def test_reduce_reverts_for_outsider_and_other_scopes(floor, reverts, people):
    (order,) = floor.place(PROVIDER, floor.offer())
    for name in ("outsider", "consumer", "operator", "treasurer", "councillor"):
        values = {"member": PROVIDER, "signer": people[name], "scope": TRADE}
        with reverts(floor.members.NotSigner, **values):
            floor.reduce(PROVIDER, {order: 0}, by=people[name])
    floor.reduce(PROVIDER, {order: 0}, by=people["trader"])


def test_suspended_member_cancels_even_while_paused(floor, suspend, pause):
    (order,) = floor.place(PROVIDER, floor.offer())
    suspend(PROVIDER)
    pause()
    floor.goto(1, LOCK)
    floor.reduce(PROVIDER, {order: 0})
    assert floor.money(PROVIDER) == (0, 0)


def test_outsider_carries_signed_reductions_once(floor, reverts, people, outsider):
    (mine,) = floor.place(PROVIDER, floor.offer())
    (other,) = floor.place(CONSUMER, floor.request())
    given = [
        floor.signed(floor.reduction(PROVIDER, {mine: 0}), people["trader"]),
        floor.signed(floor.reduction(CONSUMER, {other: 2}), people["consumer"]),
    ]
    receipt = floor.book.reduce(given, sender=outsider)
    assert floor.emitted(receipt) == [
        floor.reduced(given[0], people["trader"]),
        floor.released((PROVIDER, 310)),
        floor.reduced(given[1], people["consumer"]),
        floor.released((CONSUMER, 808)),
    ]
    with reverts(floor.book.SaltUsed, member=CONSUMER, salt=given[1][1]):
        floor.book.reduce(given[1:], sender=outsider)


def test_reduction_signed_for_another_chain_is_nobodys(floor, reverts, people, outsider):
    (order,) = floor.place(PROVIDER, floor.offer())
    given = floor.signed(floor.reduction(PROVIDER, {order: 0}), people["trader"], chain_id=1)
    values = {"member": PROVIDER, "signer": floor.signer_of(given), "scope": TRADE}
    with reverts(floor.members.NotSigner, **values):
        floor.book.reduce([given], sender=outsider)


@pytest.mark.parametrize("field", range(5))
def test_signature_covers_every_field_of_a_reduction(floor, reverts, people, outsider, field):
    (order,) = floor.place(PROVIDER, floor.offer())
    given = floor.signed(floor.reduction(PROVIDER, {order: 5}), people["trader"])
    other = (CONSUMER, 1, FOREVER - 1, [order + 1], [4], b"")
    changed = (*given[:field], other[field], *given[field + 1 :])
    values = {"member": changed[0], "signer": floor.signer_of(changed), "scope": TRADE}
    with reverts(floor.members.NotSigner, **values):
        floor.book.reduce([changed], sender=outsider)


# THE LOCK AT A ROUND'S START


@pytest.mark.parametrize("second", [0, LOCK - 1])
@pytest.mark.parametrize("member", [PROVIDER, CONSUMER])
def test_standing_order_is_locked_at_a_rounds_start(floor, reverts, member, second):
    order = floor.offer() if member == PROVIDER else floor.request()
    (placed,) = floor.place(member, order)
    floor.goto(1, second)
    until = floor.start + ROUND + LOCK
    with reverts(floor.book.MarketLocked, **{"class": CODE, "until": until}):
        floor.reduce(member, {placed: 0})
    assert floor.left(placed) == [10]


def test_standing_order_is_free_when_the_lock_ends(floor):
    (order,) = floor.place(PROVIDER, floor.offer())
    floor.goto(1, LOCK)
    floor.reduce(PROVIDER, {order: 0})
    assert floor.now() == floor.start + ROUND + LOCK


def test_fresh_order_is_never_locked(floor):
    floor.goto(1)
    (order,) = floor.place(PROVIDER, floor.offer())
    floor.reduce(PROVIDER, {order: 0})
    assert floor.now() == floor.start + ROUND + 1


def test_standing_order_is_free_once_its_market_is_cleared(floor, reverts):
    (order,) = floor.place(PROVIDER, floor.offer())
    (elsewhere,) = floor.place(CONSUMER, floor.request(), code=SMALL)
    floor.goto(1)
    floor.clear(submission(floor.standing(1)), 1)
    floor.reduce(PROVIDER, {order: 0})
    assert floor.now() < floor.start + ROUND + LOCK
    until = floor.start + ROUND + LOCK
    with reverts(floor.book.MarketLocked, **{"class": SMALL, "until": until}):
        floor.reduce(CONSUMER, {elsewhere: 0})


# EXPIRING


def test_anyone_removes_orders_without_an_open_slot(floor, outsider):
    slot = floor.start // SLOT + 1  # open to round 10
    old = floor.place(PROVIDER, floor.offer(slot=slot), floor.offer(slot=slot + 1))
    asked = floor.place(
        CONSUMER,
        floor.request(first_slot=slot - 1, last_slot=slot),
        floor.request(first_slot=slot, last_slot=slot + 1),
    )
    floor.goto(11, LOCK)
    unknown = [0, old[0] + 2, old[0] + 63, 2**40 - 1]
    ids = [*unknown, asked[0], old[1], old[0], old[0], asked[1]]
    receipt = floor.book.expire(ids, sender=outsider)
    assert floor.emitted(receipt) == [
        floor.event("book", "OrdersRemoved", ids=[asked[0], old[0]]),
        floor.released((CONSUMER, 1_010), (PROVIDER, 310)),
    ]
    assert floor.left(*old, *asked) == [0, 10, 0, 10]
    assert floor.market()[:2] == (1, 1)
    assert floor.assets.reservedOf(FINE, slot) == 0
    assert floor.credit.openValueOf(PROVIDER) == 10 * REFERENCE
    assert floor.money(PROVIDER) == (-310, 310)
    assert floor.money(CONSUMER) == (-1_010, 1_010)


def test_order_lives_to_the_end_of_the_last_round_its_slot_is_open_in(floor, outsider):
    slot = floor.start // SLOT + 1
    (order,) = floor.place(PROVIDER, floor.offer(slot=slot))
    floor.goto(10, 9)
    receipt = floor.book.expire([order], sender=outsider)
    assert floor.emitted(receipt) == []
    assert floor.left(order) == [10]


def test_expire_passes_over_dead_orders_that_are_locked(floor, outsider):
    (order,) = floor.place(PROVIDER, floor.offer(slot=floor.start // SLOT + 1))
    floor.goto(11, LOCK - 1)
    assert floor.emitted(floor.book.expire([order], sender=outsider)) == []
    floor.goto(11, LOCK)
    floor.book.expire([order], sender=outsider)
    assert floor.left(order) == [0]


def test_expire_gives_back_what_remains_even_while_paused(floor, outsider, pause):
    slot = floor.start // SLOT + 1
    (order,) = floor.place(PROVIDER, floor.offer(slot=slot))
    floor.reduce(PROVIDER, {order: 3})
    pause()
    floor.goto(11, LOCK)
    receipt = floor.book.expire([order], sender=outsider)
    assert floor.emitted(receipt)[1] == floor.released((PROVIDER, 3 * BOND))
    assert floor.money(PROVIDER) == (0, 0)
    assert floor.assets.reservedOf(FINE, slot) == 0


def test_expire_passes_over_the_living(floor, outsider):
    orders = [*floor.place(PROVIDER, floor.offer()), *floor.place(CONSUMER, floor.request())]
    floor.goto(1, LOCK)
    assert floor.emitted(floor.book.expire(orders, sender=outsider)) == []
    assert floor.emitted(floor.book.expire([], sender=outsider)) == []
    assert floor.left(*orders) == [10, 10]


def test_orders_of_suspended_member_are_dead_at_once(floor, suspend, outsider):
    offers = floor.place(PROVIDER, floor.offer(), floor.offer())
    (request,) = floor.place(PROVIDER, floor.request())
    (other,) = floor.place(CONSUMER, floor.request())
    suspend(PROVIDER)
    floor.goto(0, 9)  # still fresh
    receipt = floor.book.expire([*offers, other, request], sender=outsider)
    assert floor.emitted(receipt)[0] == floor.event("book", "OrdersRemoved", ids=[*offers, request])
    assert floor.market() == (0, 1, 0, 1, 0)
    assert floor.money(PROVIDER) == (0, 0)


def test_offer_whose_attestation_was_revoked_is_removed(floor, people, outsider):
    good, lost = floor.place(PROVIDER, floor.offer(attributes=0b01), floor.offer(attributes=0b11))
    (request,) = floor.place(CONSUMER, floor.request(needs=0b11))
    floor.assets.attest(FINE, 0b01, FOREVER, DOCUMENT, sender=people["attestor"])
    floor.goto(0, 9)
    receipt = floor.book.expire([good, lost, request], sender=outsider)
    assert floor.emitted(receipt)[0] == floor.event("book", "OrdersRemoved", ids=[lost])
    assert floor.left(good, lost, request) == [10, 0, 10]


def test_offer_whose_attestation_ends_before_its_slot_is_removed(floor, people, outsider):
    bare, first, second = floor.place(
        PROVIDER,
        floor.offer(slot=floor.slot + 1),
        floor.offer(attributes=0b01),
        floor.offer(attributes=0b01, slot=floor.slot + 1),
    )
    end = (floor.slot + 2) * SLOT
    floor.assets.attest(FINE, MASK, end - 1, DOCUMENT, sender=people["attestor"])
    floor.goto(0, 9)
    receipt = floor.book.expire([bare, first, second], sender=outsider)
    assert floor.emitted(receipt)[0] == floor.event("book", "OrdersRemoved", ids=[second])
    assert floor.left(bare, first, second) == [10, 10, 0]


# PAUSING


def test_council_pauses_and_resumes(floor, pause, refused_by_council):
    for paused in (True, False):
        receipt = pause(paused)
        assert floor.emitted(receipt)[1:] == [floor.event("book", "PauseSet", paused=paused)]
        assert floor.book.isPaused() == paused
        call = (floor.book, floor.book.setPaused.encode_input(paused))
        refused_by_council(floor.system, call, error=floor.book.PauseUnchanged, paused=paused)


def test_set_paused_reverts_for_all_but_council(floor, reverts, outsider, councillor):
    for sender in (outsider, councillor):
        with reverts(floor.book.NotCouncilCall, sender=sender):
            floor.book.setPaused(True, sender=sender)


# BY THE CLEARING


def test_record_clearing_reverts_for_all_but_clearing(floor, reverts, people):
    nothing = (1, floor.round, [], [], [], [], [])
    for name in ("clearing", "provider", "councillor", "outsider"):
        with reverts(floor.book.NotClearing, sender=people[name]):
            floor.book.recordClearing(nothing, sender=people[name])


# VIEWS


def test_unknown_orders_and_batches_are_empty(floor):
    unknown = floor.book.batchCount() + 1
    assert tuple(floor.book.batchOf(unknown)) == (0, b"")
    assert tuple(floor.book.orderOf(unknown * 64)) == (0, 0)
    assert tuple(map(list, floor.book.load([unknown, 0]))) == ([0, 0], [])
    assert floor.book.liveOrders(unknown) == 0


def test_load_lists_what_remains_batch_by_batch(floor):
    first = floor.place(CONSUMER, *[floor.request(price=1)] * 4)
    second = floor.place(CONSUMER, *[floor.request(price=1)] * 2)
    floor.reduce(CONSUMER, {second[1]: 7, first[3]: 3, first[1]: 1, first[0]: 0})
    floor.reduce(CONSUMER, {first[3]: 0})
    numbers = [second[0] // 64, first[0] // 64]
    states, left = floor.book.load(numbers)
    assert [s & (1 << 128) - 1 for s in states] == [0b10 << 64, 0b1010 << 64 | 0b1001]
    assert left == [7, 1]


def test_order_keeps_its_terms_when_it_is_gone(floor):
    (order,) = floor.place(CONSUMER, floor.request())
    terms, _ = floor.book.orderOf(order)
    floor.reduce(CONSUMER, {order: 0})
    assert tuple(floor.book.orderOf(order)) == (terms, 0)


def test_pointer_is_the_address_the_book_creates_at_the_batchs_nonce(floor):
    book = bytes.fromhex(floor.book.address[2:])
    # RLP of [address, nonce] for nonces of one byte and of two.
    for number, encoded in (
        (1, b"\x01"),
        (127, b"\x7f"),
        (128, b"\x81\x80"),
        (256, b"\x82\x01\x00"),
    ):
        listed = bytes([0xC0 + 21 + len(encoded)]) + b"\x94" + book + encoded
        assert floor.book.pointerOf(number).lower() == "0x" + keccak(listed)[12:].hex()
