"""AssetRegistry: classes, assets, attestations, reserved capacity.

On `stage` the account `book` plays the capacity book, so reservations can be made one by one.
"""

from __future__ import annotations

import pytest
from eth_abi import encode
from eth_utils import keccak

from tests.contract.floor import FOREVER

PROVIDER, CONSUMER, ARBITER, SUSPENDED, ATTESTOR = 4, 5, 6, 8, 9
TRADER, ATTESTOR_ROLE, OPERATE = 1, 32, 2
CODE, SLOT, CAPACITY = 7_001, 120, 1_000
IDENTITY, DOCUMENT = b"\x1d" * 32, b"\xd0" * 32
MOST_PAIRS = 250_000
K = 16_000_000  # a slot, the first of its storage word


def make_class(**changes):
    fields = {
        "code": 8_001,
        "slotLength": 86_400,
        "gateLead": 21_600,
        "reference": 2**72 - 1,
        "lot": 2**32 - 1,
        "window": 7,
        "bookSize": 1_000,
        "retired": False,
        "mask": 2**64 - 1,
        "terms": b"\x7e" * 32,
    }
    return tuple((fields | changes).values())


def make_offer(asset, *, slot=K, quantity=1, attributes=0):
    word = asset << 200 | quantity << 168 | 5 << 96 | slot << 72 | attributes << 8
    return word.to_bytes(28, "big")


@pytest.fixture
def refused(stage, refused_by_council):
    """Run a method through the council of `stage` and expect the error that it passes on."""

    def check(method, *arguments, error, **values):
        call = (method.contract, method.encode_input(*arguments))
        refused_by_council(stage, call, error=error, **values)

    return check


@pytest.fixture
def other_asset(stage, consumer):
    """An asset of the consumer, in the same class."""
    stage.assets.registerAsset(CONSUMER, CODE, 2**32 - 1, IDENTITY, sender=consumer)
    return stage.assets.assetCount()


@pytest.fixture
def attest(stage, people):
    def run(asset, attributes, until):
        sender = people["attestor"]
        return stage.assets.attest(asset, attributes, until, DOCUMENT, sender=sender)

    return run


@pytest.fixture
def reserve(stage, people):
    def run(*offers, member=PROVIDER, index=1, sender="book"):
        data = b"".join(offers)
        return stage.assets.reserve(member, index, SLOT, data, sender=people[sender])

    return run


def word(name):
    return name.encode().ljust(32, b"\0")


# LISTING CLASSES


def test_council_lists_class_under_next_index(stage):
    given = make_class()
    receipt = stage.govern(stage.assets.listClass, given, "Fünfachsfräsen", "HUR")
    values = {"index": 2, "code": 8_001, "class_": given}
    assert stage.emitted(receipt)[1:] == [
        stage.event("assets", "ClassListed", **values, name="Fünfachsfräsen", unit="HUR")
    ]
    assert stage.assets.classCount() == stage.assets.indexOf(8_001) == 2
    assert tuple(stage.assets.getClass(2)) == given
    index, stored = stage.assets.classOf(8_001)
    assert (index, tuple(stored)) == (2, given)


def test_class_of_unknown_code_has_index_zero(stage):
    index, stored = stage.assets.classOf(9_999)
    assert index == stage.assets.indexOf(9_999) == 0
    assert not any(tuple(stored)[:9])


def test_list_class_reverts_for_all_but_council(stage, reverts, outsider, councillor):
    for sender in (outsider, councillor):
        with reverts(stage.assets.NotCouncilCall, sender=sender):
            stage.assets.listClass(make_class(), "", "", sender=sender)


def test_list_class_reverts_for_code_listed_before(stage, reverts, outsider):
    call = stage.assets.listClass.encode_input(make_class(code=CODE), "", "")
    number, listed = stage.propose((stage.assets, call))
    reason = keccak(text="ClassTaken(uint32,uint16)")[:4] + encode(["uint32", "uint16"], [CODE, 1])
    with reverts(stage.council.CallFailed, index=0, reason=reason):
        stage.council.execute(number, listed, sender=outsider)


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({"slotLength": 119}, "slotLength", 119),
        ({"slotLength": 0}, "slotLength", 0),
        ({"reference": 0}, "reference", 0),
        ({"lot": 0}, "lot", 0),
        ({"window": 0}, "window", 0),
        ({"bookSize": 0}, "bookSize", 0),
        ({"bookSize": 999}, "bookSize", 999),
        ({"bookSize": 2_002}, "bookSize", 2_002),
        ({"retired": True}, "retired", 1),
    ],
)
def test_list_class_reverts_for_field_out_of_range(stage, refused, changes, field, value):
    refused(
        stage.assets.listClass,
        make_class(**changes),
        "",
        "",
        error=stage.assets.BadClass,
        field=word(field),
        value=value,
    )


def test_council_lists_the_largest_books_that_clear_in_a_block(stage):
    least = make_class(slotLength=120, gateLead=0, reference=1, lot=1, window=1, bookSize=2, mask=0)
    wide = make_class(code=8_002, window=255, bookSize=1_000)  # 500 x 500, whatever the shape
    long = make_class(code=8_003, window=7, bookSize=2_000, mask=0b101)  # 1,000 x 7 x 8 x 4
    listed = [(c, "", "") for c in (least, wide, long)]
    calls = [(stage.assets, stage.assets.listClass.encode_input(*c)) for c in listed]
    number, calls = stage.propose(*calls)
    stage.council.execute(number, calls, sender=stage.people["outsider"])
    assert [tuple(stage.assets.getClass(i)) for i in (2, 3, 4)] == [least, wide, long]


@pytest.mark.parametrize(
    ("changes", "pairs"),
    [
        ({"bookSize": 1_002}, 501 * 501),
        ({"bookSize": 2_000, "mask": 0b111}, 1_000 * 7 * 8 * 8),
        ({"bookSize": 2_000, "mask": 0b11, "window": 8}, 1_000 * 8 * 8 * 4),
        ({"bookSize": 2_000, "window": 255}, 1_000 * 1_000),
    ],
)
def test_list_class_reverts_for_book_too_large_to_clear(stage, refused, changes, pairs):
    given = make_class(**changes)
    error = stage.assets.BookTooLarge
    refused(stage.assets.listClass, given, "", "", error=error, pairs=pairs, most=MOST_PAIRS)


# RETIRING CLASSES


def test_council_retires_class_once(stage, refused):
    before = tuple(stage.assets.getClass(1))
    receipt = stage.govern(stage.assets.retireClass, CODE)
    assert stage.emitted(receipt)[1:] == [stage.event("assets", "ClassRetired", index=1, code=CODE)]
    assert tuple(stage.assets.getClass(1)) == (*before[:7], True, *before[8:])
    refused(stage.assets.retireClass, CODE, error=stage.assets.ClassRetiredAlready, code=CODE)


def test_retire_class_reverts_for_unknown_code(stage, refused):
    refused(stage.assets.retireClass, 9_999, error=stage.assets.UnknownClass, code=9_999)


def test_retire_class_reverts_for_all_but_council(stage, reverts, outsider, councillor):
    for sender in (outsider, councillor):
        with reverts(stage.assets.NotCouncilCall, sender=sender):
            stage.assets.retireClass(CODE, sender=sender)


# REGISTERING ASSETS


@pytest.mark.parametrize("capacity", [1, 2**32 - 1])
def test_operate_key_registers_asset(stage, operator, capacity):
    before = stage.assets.assetCount()
    receipt = stage.assets.registerAsset(PROVIDER, CODE, capacity, IDENTITY, sender=operator)
    values = {"asset": before + 1, "member": PROVIDER, "classIndex": 1}
    assert stage.emitted(receipt) == [
        stage.event("assets", "AssetRegistered", **values, capacity=capacity, identity=IDENTITY)
    ]
    assert stage.assets.assetCount() == stage.assets.assetByIdentity(IDENTITY) == before + 1
    assert tuple(stage.assets.getAsset(before + 1)) == (PROVIDER, 1, capacity, 0, 0)
    assert stage.assets.assetsOf(PROVIDER) == 2


def test_asset_of_retired_class_is_registered(stage, provider):
    stage.govern(stage.assets.retireClass, CODE)
    stage.assets.registerAsset(PROVIDER, CODE, 1, IDENTITY, sender=provider)
    assert stage.assets.assetsOf(PROVIDER) == 2


def test_register_asset_reverts_for_outsider_and_other_scopes(stage, reverts, people):
    for name in ("outsider", "consumer", "treasurer", "trader", "councillor"):
        sender = people[name]
        with reverts(stage.members.NotSigner, member=PROVIDER, signer=sender, scope=OPERATE):
            stage.assets.registerAsset(PROVIDER, CODE, 1, IDENTITY, sender=sender)


def test_register_asset_reverts_for_suspended_member_and_without_role(stage, reverts, people):
    for member, name in ((SUSPENDED, "suspended_member"), (ARBITER, "arbiter")):
        with reverts(stage.members.MemberNotActive, member=member, role=TRADER):
            stage.assets.registerAsset(member, CODE, 1, IDENTITY, sender=people[name])


def test_register_asset_reverts_for_unknown_class(stage, reverts, provider):
    for code in (0, 9_999):
        with reverts(stage.assets.UnknownClass, code=code):
            stage.assets.registerAsset(PROVIDER, code, 1, IDENTITY, sender=provider)


def test_register_asset_reverts_without_capacity_or_identity(stage, reverts, provider):
    with reverts(stage.assets.ZeroCapacity):
        stage.assets.registerAsset(PROVIDER, CODE, 0, IDENTITY, sender=provider)
    with reverts(stage.assets.ZeroIdentity):
        stage.assets.registerAsset(PROVIDER, CODE, 1, b"\0" * 32, sender=provider)


def test_register_asset_reverts_for_machine_registered_before(
    stage, reverts, other_asset, provider
):
    with reverts(stage.assets.AssetIdentityTaken, identity=IDENTITY, asset=other_asset):
        stage.assets.registerAsset(PROVIDER, CODE, 1, IDENTITY, sender=provider)


# RAISING CAPACITY


def test_operate_key_raises_capacity(stage, operator):
    for capacity in (CAPACITY + 1, 2**32 - 1):
        receipt = stage.assets.raiseCapacity(stage.asset, capacity, sender=operator)
        assert stage.emitted(receipt) == [
            stage.event("assets", "CapacityRaised", asset=stage.asset, capacity=capacity)
        ]
        assert stage.assets.getAsset(stage.asset).capacity == capacity


@pytest.mark.parametrize("wanted", [CAPACITY, CAPACITY - 1, 0])
def test_raise_capacity_reverts_unless_it_rises(stage, reverts, provider, wanted):
    values = {"asset": stage.asset, "capacity": CAPACITY, "wanted": wanted}
    with reverts(stage.assets.CapacityNotRaised, **values):
        stage.assets.raiseCapacity(stage.asset, wanted, sender=provider)


def test_raise_capacity_reverts_for_unknown_asset(stage, reverts, provider):
    for asset in (0, stage.asset + 1, 2**24 - 1):
        with reverts(stage.assets.UnknownAsset, asset=asset):
            stage.assets.raiseCapacity(asset, 2_000, sender=provider)


def test_raise_capacity_reverts_for_outsider_and_other_scopes(stage, reverts, people):
    for name in ("outsider", "consumer", "treasurer", "trader", "attestor"):
        sender = people[name]
        with reverts(stage.members.NotSigner, member=PROVIDER, signer=sender, scope=OPERATE):
            stage.assets.raiseCapacity(stage.asset, 2_000, sender=sender)


# ATTESTING


def test_attestor_sets_attributes_and_takes_them_back(stage, attest):
    for attributes, until in ((2**64 - 1, FOREVER), (0b10, 5), (0, 0)):
        receipt = attest(stage.asset, attributes, until)
        values = {"asset": stage.asset, "attestor": ATTESTOR, "attributes": attributes}
        assert stage.emitted(receipt) == [
            stage.event("assets", "AssetAttested", **values, validUntil=until, document=DOCUMENT)
        ]
        assert tuple(stage.assets.getAsset(stage.asset)) == (
            PROVIDER,
            1,
            CAPACITY,
            attributes,
            until,
        )


def test_attest_reverts_for_who_is_no_account(stage, reverts, people):
    for name in ("outsider", "operator"):
        with reverts(stage.members.NotAccount, sender=people[name]):
            stage.assets.attest(stage.asset, 1, FOREVER, DOCUMENT, sender=people[name])


def test_attest_reverts_without_role_and_for_suspended_attestor(stage, reverts, people, attest):
    for name, member in (("provider", PROVIDER), ("suspended_member", SUSPENDED)):
        with reverts(stage.members.MemberNotActive, member=member, role=ATTESTOR_ROLE):
            stage.assets.attest(stage.asset, 1, FOREVER, DOCUMENT, sender=people[name])
    stage.govern(stage.members.suspend, ATTESTOR)
    with reverts(stage.members.MemberNotActive, member=ATTESTOR, role=ATTESTOR_ROLE):
        attest(stage.asset, 1, FOREVER)


def test_attest_reverts_for_unknown_asset(stage, reverts, attest):
    for asset in (0, stage.asset + 1):
        with reverts(stage.assets.UnknownAsset, asset=asset):
            attest(asset, 1, FOREVER)


def test_attestation_covers_its_attributes_to_its_last_second(stage, attest):
    attest(stage.asset, 0b110, 5_000)
    covered = [
        (a, until, stage.assets.covers(stage.asset, a, until))
        for a in (0, 0b010, 0b110, 0b111)
        for until in (5_000, 5_001)
    ]
    assert covered == [
        (0, 5_000, True),
        (0, 5_001, True),
        (0b010, 5_000, True),
        (0b010, 5_001, False),
        (0b110, 5_000, True),
        (0b110, 5_001, False),
        (0b111, 5_000, False),
        (0b111, 5_001, False),
    ]
    assert stage.assets.covers(0, 0, 0)
    assert not stage.assets.covers(0, 1, 0)


# RESERVING


def test_book_reserves_all_offers_of_a_batch(stage, reserve, other_asset):
    receipt = reserve(
        make_offer(stage.asset, quantity=400),
        make_offer(stage.asset, quantity=600),
        make_offer(stage.asset, slot=K + 7, quantity=1_000),
        make_offer(stage.asset, slot=K + 8, quantity=1),
    )
    assert stage.emitted(receipt) == []
    reserved = [stage.assets.reservedOf(stage.asset, K + i) for i in range(10)]
    assert reserved == [1_000, 0, 0, 0, 0, 0, 0, 1_000, 1, 0]
    assert stage.assets.reservedOf(other_asset, K) == 0


def test_book_reserves_the_largest_capacity_in_every_slot_of_a_word(stage, reserve, other_asset):
    offers = [make_offer(other_asset, slot=K + i, quantity=2**32 - 1) for i in range(8)]
    reserve(*offers, member=CONSUMER)
    assert {stage.assets.reservedOf(other_asset, K + i) for i in range(8)} == {2**32 - 1}


def test_reserve_reverts_beyond_capacity_also_within_a_batch(stage, reverts, reserve):
    reserve(make_offer(stage.asset, quantity=400))
    values = {"asset": stage.asset, "slot": K, "wanted": 1_001, "capacity": CAPACITY}
    with reverts(stage.assets.CapacityExceeded, **values):
        reserve(make_offer(stage.asset, quantity=600), make_offer(stage.asset, quantity=1))
    with reverts(stage.assets.CapacityExceeded, **values):
        reserve(make_offer(stage.asset, quantity=601))
    assert stage.assets.reservedOf(stage.asset, K) == 400
    reserve(make_offer(stage.asset, quantity=600))
    assert stage.assets.reservedOf(stage.asset, K) == CAPACITY


def test_reserve_reverts_for_unknown_asset(stage, reverts, reserve):
    for asset in (0, stage.asset + 1, 2**24 - 1):
        with reverts(stage.assets.UnknownAsset, asset=asset):
            reserve(make_offer(stage.asset), make_offer(asset))


def test_reserve_reverts_for_asset_of_other_member_or_class(stage, reverts, reserve, other_asset):
    with reverts(stage.assets.AssetNotOwned, asset=other_asset, member=PROVIDER):
        reserve(make_offer(stage.asset), make_offer(other_asset))
    with reverts(stage.assets.AssetOfOtherClass, asset=stage.asset, classIndex=1):
        reserve(make_offer(stage.asset), index=2)


def test_reserve_takes_attributes_attested_to_the_slots_end(stage, reserve, attest):
    attest(stage.asset, 0b11, (K + 1) * SLOT)
    reserve(make_offer(stage.asset, attributes=0b11), make_offer(stage.asset, attributes=0b01))
    assert stage.assets.reservedOf(stage.asset, K) == 2


def test_reserve_reverts_for_attributes_not_attested_to_the_slots_end(
    stage, reverts, reserve, attest
):
    values = {"asset": stage.asset, "slot": K, "declared": 0b111}
    attest(stage.asset, 0b11, (K + 1) * SLOT)
    with reverts(stage.assets.NotAttested, **values, attested=0b11):
        reserve(make_offer(stage.asset, attributes=0b111))
    attest(stage.asset, 0b111, (K + 1) * SLOT - 1)
    with reverts(stage.assets.NotAttested, **values, attested=0):
        reserve(make_offer(stage.asset, attributes=0b111))
    reserve(make_offer(stage.asset))  # which declares nothing


def test_reserve_reverts_for_all_but_book(stage, reverts, reserve, people):
    for name in ("clearing", "provider", "councillor", "outsider"):
        with reverts(stage.assets.NotAllowed, sender=people[name]):
            reserve(make_offer(stage.asset), sender=name)


def test_unreserve_gives_capacity_back(stage, reserve, people):
    reserve(
        make_offer(stage.asset, quantity=1_000),
        make_offer(stage.asset, slot=K + 7, quantity=1_000),
    )
    entries = [stage.asset << 56 | (K + slot) << 32 | q for slot, q in ((0, 1), (7, 1_000), (0, 9))]
    receipt = stage.assets.unreserve(entries, sender=people["book"])
    assert stage.emitted(receipt) == []
    assert stage.assets.reservedOf(stage.asset, K) == 990
    assert stage.assets.reservedOf(stage.asset, K + 7) == 0
    reserve(make_offer(stage.asset, quantity=10))


def test_unreserve_reverts_for_all_but_book_and_deals(stage, reverts, people):
    for name in ("clearing", "provider", "councillor", "outsider"):
        with reverts(stage.assets.NotAllowed, sender=people[name]):
            stage.assets.unreserve([], sender=people[name])
