"""The ledger's book and clearing: posting, reducing, expiring, clearing."""

from dataclasses import replace

import pytest

from capshare import eip712
from capshare.events import (
    DealsCommitted,
    Locked,
    MarketCleared,
    OffersPosted,
    OrdersMatched,
    OrdersReduced,
    OrdersRemoved,
    PricesSet,
    Released,
    RequestsPosted,
)
from capshare.ledger import batches, book, registry_views, vault, views
from capshare.ledger.commands import (
    Attest,
    Clear,
    Expire,
    ListClass,
    Post,
    Reduce,
    RetireClass,
    SetPaused,
    SetSigner,
    Suspend,
)
from capshare.orders import pack_orders
from tests.unit.ledger_play import (
    ATTESTOR,
    CLASS,
    CODE,
    CONSUMER,
    FIRST_SLOT,
    OTHER,
    PLAIN,
    PROVIDER,
    REFERENCE,
    START,
    L,
    Play,
    R,
    S,
    W,
    address,
    offer,
    request,
    sign,
)

BOND = 6  # ceil(20 * 30 %), a unit of an offer of band 0 at or below the reference


@pytest.fixture
def play() -> Play:
    play = Play()
    play.open_market()
    return play


def reservation(play: Play, slot: int = FIRST_SLOT) -> int:
    return registry_views.reserved_of(play.state, 1, slot)


# -- posting -------------------------------------------------------------------------------------


def test_post_of_offers_reserves_locks_and_counts(play: Play) -> None:
    batch = play.batch(PROVIDER, offer(quantity=10), offer(quantity=5, price=40))
    events = play.do(Post, PROVIDER, batches=(batch,))
    assert events == [
        OffersPosted(
            batch=1,
            member=PROVIDER,
            class_=CODE,
            round=START // R,
            salt=batch.salt,
            signer=address(PROVIDER),
            orders=batch.orders,
        ),
        Locked(member=PROVIDER, amount=10 * BOND + 5 * 12),
    ]
    assert reservation(play) == 15
    assert play.state.open_value[PROVIDER] == 15 * REFERENCE
    assert views.held_by(play.state, 1, PROVIDER) == (2, 0)
    assert (play.state.live[PROVIDER], play.state.markets[1].fresh_offers) == (2, 2)
    assert views.order_of(play.state, 65) == (batches.word_of(play.state, 65), 5)


def test_post_of_requests_locks_the_bids(play: Play) -> None:
    batch = play.batch(CONSUMER, request(quantity=10, price=30))
    events = play.do(Post, CONSUMER, batches=(batch,))
    assert isinstance(events[0], RequestsPosted)
    assert events[1] == Locked(member=CONSUMER, amount=300)
    assert views.held_by(play.state, 1, CONSUMER) == (0, 1)


def test_post_carries_signed_batches_of_others(play: Play) -> None:
    batch = play.batch(PROVIDER, offer())
    digest = eip712.digest(batch, book.domain(play.state))
    signed = replace(batch, signature=sign(PROVIDER, digest))
    (posted, _) = play.do(Post, PLAIN, batches=(signed,))
    assert posted.signer == address(PROVIDER)  # type: ignore[attr-defined]
    forged = replace(play.batch(PROVIDER, offer()), signature=signed.signature)
    name, member, signer, scope = play.refusal(Post, PROVIDER, batches=(forged,))
    assert (name, member, scope) == ("NotSigner", PROVIDER, 1)
    assert signer not in (address(PROVIDER), bytes(20))
    broken = replace(play.batch(PROVIDER, offer()), signature=b"\0" * 65)
    assert play.refusal(Post, PROVIDER, batches=(broken,))[2] == bytes(20)


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (offer(quantity=1), ("BelowLot", 0, 1, 2)),
        (offer(attributes=4), ("OutsideMask", 0, 4, 3)),
        (offer(credit=8), ("UnknownBand", 0, 8)),
        (offer(slot=START // S + 1), ("SlotNotOpen", 0, START // S + 1)),
        (offer(slot=START // S + 26), ("BeyondHorizon", 0, START // S + 26)),
        (offer(asset=9), ("UnknownAsset", 9)),
        (offer(asset=2), ("AssetNotOwned", 2, PROVIDER)),
        (offer(quantity=101), ("CapacityExceeded", 1, FIRST_SLOT, 101, 100)),
        (offer(credit=1), ("CreditAboveBand", PROVIDER, 1, 0)),
        (request(last_slot=FIRST_SLOT + 3), ("WindowTooWide", 0, 4, 3)),
        (request(quantity=2, price=10**6), ("InsufficientFree", PROVIDER, 10**6, 2 * 10**6)),
    ],
)
def test_post_refuses_an_order(play: Play, order, expected: tuple) -> None:
    assert play.refusal(Post, PROVIDER, batches=(play.batch(PROVIDER, order),)) == expected


def test_post_accepts_the_last_open_slot_and_the_horizon(play: Play) -> None:
    opens = START // S + 2  # its gate is at START + 380, after round + 2 ends
    assert play.post(PROVIDER, offer(slot=opens), offer(slot=START // S + 25))
    play.now = START + 5 * R // 2
    first = -(-(START + 4 * R + L) // S)
    assert play.refusal(Post, PROVIDER, batches=(play.batch(PROVIDER, offer(slot=first - 1)),)) == (
        "SlotNotOpen",
        0,
        first - 1,
    )
    assert play.post(PROVIDER, offer(slot=first))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"deadline": START - 1}, ("DeadlinePassed", START - 1)),
        ({"orders": b""}, ("MalformedBatch", 0)),
        ({"orders": bytes(27)}, ("MalformedBatch", 27)),
        ({"orders": bytes(28 * 65)}, ("MalformedBatch", 28 * 65)),
        ({"orders": pack_orders([offer()])[:-1] + b"\1"}, ("MalformedBatch", 28)),
        ({"commitments": (bytes(32),)}, ("CommitmentCount", 1, 0)),
        ({"side": 2}, ("",)),  # no such side: the contract cannot even read it
        ({"class_": 8}, ("UnknownClass", 8)),
        ({"member": CONSUMER}, ("NotSigner", CONSUMER, address(PROVIDER), 1)),
    ],
)
def test_post_refuses_a_batch(play: Play, changes: dict, expected: tuple) -> None:
    batch = play.batch(PROVIDER, offer(), **changes)
    assert play.refusal(Post, PROVIDER, batches=(batch,)) == expected


def test_post_takes_64_orders_but_a_side_holds_half_of_the_book(play: Play) -> None:
    orders = [offer(quantity=2, slot=FIRST_SLOT + n % 3) for n in range(64)]
    refused = play.refusal(Post, PROVIDER, batches=(play.batch(PROVIDER, *orders),))
    assert refused == ("SideFull", CODE, 0, 0, 64, 30)
    larger = replace(CLASS, code=8, book_size=500)
    play.by_council(ListClass, class_=larger, name="", unit="")
    batch = play.batch(PROVIDER, *orders, class_=8)
    assert play.refusal(Post, PROVIDER, batches=(batch,)) == ("AssetOfOtherClass", 1, 1)


def test_post_leaves_places_to_other_owner_groups(play: Play) -> None:
    assert len(play.post(PROVIDER, *[offer(quantity=2)] * 20)) == 20
    refused = play.refusal(Post, PROVIDER, batches=(play.batch(PROVIDER, offer(quantity=2)),))
    assert refused == ("ShareExceeded", CODE, 0, PROVIDER, 21, 9)
    assert play.post(OTHER, offer(asset=2))


def test_post_refuses_a_used_salt_within_one_call_too(play: Play) -> None:
    first = play.batch(PROVIDER, offer(quantity=2))
    again = replace(first, orders=pack_orders([offer(quantity=3)]))
    refused = play.refusal(Post, PROVIDER, batches=(first, again))
    assert refused == ("SaltUsed", PROVIDER, first.salt)
    play.do(Post, PROVIDER, batches=(first, play.batch(PROVIDER, offer())))
    assert play.refusal(Post, PROVIDER, batches=(again,)) == refused


def test_post_sees_the_same_batch_and_call_reserve(play: Play) -> None:
    one = play.batch(PROVIDER, offer(quantity=60), offer(quantity=41))
    assert play.refusal(Post, PROVIDER, batches=(one,))[0] == "CapacityExceeded"
    two = (play.batch(PROVIDER, offer(quantity=60)), play.batch(PROVIDER, offer(quantity=41)))
    refused = play.refusal(Post, PROVIDER, batches=two)
    assert refused == ("CapacityExceeded", 1, FIRST_SLOT, 101, 100)
    assert reservation(play) == 0


def test_post_refuses_newcomers_above_the_cap() -> None:
    play = Play()
    play = Play(parameters=replace(play.parameters, newcomer_cap=199))
    play.open_market()
    refused = play.refusal(Post, PROVIDER, batches=(play.batch(PROVIDER, offer()),))
    assert refused == ("NewcomerCapExceeded", PROVIDER, 200, 199)


def test_post_refuses_suspended_members_retired_classes_and_the_paused_book(play: Play) -> None:
    given = {"batches": (play.batch(PROVIDER, offer()),)}
    play.by_council(Suspend, member=PROVIDER)
    assert play.refusal(Post, PROVIDER, **given) == ("MemberNotActive", PROVIDER, 1)
    play.by_council(RetireClass, code=CODE)
    assert play.refusal(Post, PROVIDER, **given) == ("ClassIsRetired", CODE)
    play.by_council(SetPaused, paused=True)
    assert play.refusal(Post, PROVIDER, **given) == ("BookPaused",)
    assert play.council_refusal(SetPaused, paused=True) == ("PauseUnchanged", True)


def test_post_refuses_declared_attributes_not_attested_to_the_slots_end(play: Play) -> None:
    end = (FIRST_SLOT + 1) * S
    given = {"asset": 1, "attributes": 1, "document": bytes(32)}
    play.do(Attest, ATTESTOR, valid_until=end - 1, **given)
    batch = play.batch(PROVIDER, offer(attributes=1))
    refused = play.refusal(Post, PROVIDER, batches=(batch,))
    assert refused == ("NotAttested", 1, FIRST_SLOT, 1, 0)
    play.do(Attest, ATTESTOR, valid_until=end, **given)
    assert play.do(Post, PROVIDER, batches=(batch,))


# -- reducing and expiring -----------------------------------------------------------------------


def test_reduce_frees_money_capacity_and_open_value(play: Play) -> None:
    first, second = play.post(PROVIDER, offer(quantity=10), offer(quantity=5))
    reduction = play.reduction(PROVIDER, {first: 4, second: 0})
    events = play.do(Reduce, PROVIDER, reductions=(reduction,))
    assert events == [
        OrdersReduced(
            member=PROVIDER,
            salt=reduction.salt,
            signer=address(PROVIDER),
            ids=(first, second),
            quantities=(4, 0),
        ),
        Released(movements=(vault.movement(PROVIDER, PROVIDER, 11 * BOND),)),
    ]
    assert (reservation(play), play.state.open_value[PROVIDER]) == (4, 4 * REFERENCE)
    assert (views.order_of(play.state, first)[1], views.order_of(play.state, second)[1]) == (4, 0)
    assert (play.state.markets[1].offers, play.state.markets[1].fresh_offers) == (1, 1)


def test_reduce_refuses(play: Play) -> None:
    (mine,) = play.post(PROVIDER, offer(quantity=10))
    (other,) = play.post(OTHER, offer(asset=2))

    def refusal(lowered: dict[int, int], **changes) -> tuple:
        reduction = play.reduction(PROVIDER, lowered, **changes)
        return play.refusal(Reduce, PROVIDER, reductions=(reduction,))

    assert refusal({mine: 10}) == ("NotReduced", mine, 10, 10)
    assert refusal({mine + 1: 0}) == ("OrderNotLive", mine + 1)
    assert refusal({other: 0}) == ("OrderNotOwned", other, PROVIDER)
    assert refusal({}) == ("ListLengths", 0, 0)
    assert refusal({mine: 1}, quantities=(1, 2)) == ("ListLengths", 1, 2)
    assert refusal({mine: 1}, deadline=play.now - 1) == ("DeadlinePassed", play.now - 1)
    assert refusal({mine: 1}, salt=1) == ("SaltUsed", PROVIDER, 1)
    assert refusal({}, ids=(mine, mine), quantities=(0, 0)) == ("OrderNotLive", mine)
    assert refusal({}, ids=(mine, mine), quantities=(5, 6)) == ("NotReduced", mine, 5, 6)


def test_reduce_takes_one_order_twice_and_pays_once(play: Play) -> None:
    (mine,) = play.post(PROVIDER, offer(quantity=10))
    reduction = play.reduction(PROVIDER, {}, ids=(mine, mine), quantities=(5, 2))
    _, released = play.do(Reduce, PROVIDER, reductions=(reduction,))
    movement = vault.movement(PROVIDER, PROVIDER, 8 * BOND)
    assert released == Released(movements=(movement,))


def test_standing_orders_are_locked_until_cleared_or_the_lock_ends(play: Play) -> None:
    (mine,) = play.post(PROVIDER, offer(quantity=10))
    play.next_round()
    refused = play.refusal(Reduce, PROVIDER, reductions=(play.reduction(PROVIDER, {mine: 0}),))
    assert refused == ("MarketLocked", CODE, play.now + W)
    play.clear()
    assert play.do(Reduce, PROVIDER, reductions=(play.reduction(PROVIDER, {mine: 3}),))
    play.next_round()
    play.now += W
    assert play.do(Reduce, PROVIDER, reductions=(play.reduction(PROVIDER, {mine: 0}),))


def test_expire_removes_only_dead_orders_and_revoked_offers(play: Play) -> None:
    kept, revoked = play.post(PROVIDER, offer(), offer(attributes=1))
    (dead,) = play.post(CONSUMER, request(first_slot=START // S + 2, last_slot=START // S + 2))
    given = {"asset": 1, "valid_until": START + 10**6, "document": bytes(32)}
    play.do(Attest, ATTESTOR, attributes=2, **given)
    play.now = START + 3 * R + W
    ids = (kept, dead, 9_999, dead, revoked)
    events = play.do(Expire, PLAIN, ids=ids)
    assert events == [
        OrdersRemoved(ids=(dead, revoked)),
        Released(
            movements=(
                vault.movement(CONSUMER, CONSUMER, 300),
                vault.movement(PROVIDER, PROVIDER, 10 * BOND),
            )
        ),
    ]
    assert play.do(Expire, PLAIN, ids=ids) == []


def test_expire_takes_all_orders_of_a_suspended_member(play: Play) -> None:
    ids = play.post(PROVIDER, offer(), offer())
    play.by_council(Suspend, member=PROVIDER)
    events = play.do(Expire, PLAIN, ids=tuple(ids))
    assert events[0] == OrdersRemoved(ids=tuple(ids))
    assert play.state.live[PROVIDER] == 0


# -- clearing ------------------------------------------------------------------------------------


def test_clear_matches_frees_and_commits(play: Play) -> None:
    (sold,) = play.post(PROVIDER, offer(quantity=10, price=20))
    (bought,) = play.post(CONSUMER, request(quantity=6, price=30))
    play.next_round()
    round_ = play.now // R
    given = play.clearing()
    released, committed, cleared, priced, matched = play.do(Clear, PLAIN, **given)
    price = 20  # what is left of the offer sets it
    assert released == Released(movements=(vault.movement(CONSUMER, CONSUMER, 6 * 10),))
    assert committed == DealsCommitted(
        class_index=1, round=round_, root=play.state.roots[1 << 32 | round_]
    )
    assert cleared == MarketCleared(
        class_=CODE,
        round=round_,
        sender=address(PLAIN),
        root=committed.root,  # type: ignore[attr-defined]
        deals=1,
        dead=(),
    )
    assert isinstance(priced, PricesSet)
    assert priced.prices[0] == FIRST_SLOT << 144 | price
    assert matched == OrdersMatched(
        class_=CODE, round=round_, fills=(sold << 144 | bought << 104 | 6 << 72 | price,)
    )
    assert (views.order_of(play.state, sold)[1], views.order_of(play.state, bought)[1]) == (4, 0)
    assert play.refusal(Clear, PLAIN, **given) == ("AlreadyCleared", CODE, round_)


def test_clear_nets_a_members_own_orders(play: Play) -> None:
    play.post(PROVIDER, offer(quantity=10))
    play.post(PROVIDER, request(quantity=10, price=30))
    play.next_round()
    events = play.do(Clear, PLAIN, **play.clearing())
    names = [type(event).__name__ for event in events]
    assert names == ["Released", "MarketCleared", "PricesSet", "OrdersMatched"]
    assert views.balance_of(play.state, PROVIDER) == (1_000_000, 0)
    assert play.state.open_value[PROVIDER] == 0
    assert reservation(play) == 10  # used up, though by its own member


def test_clear_removes_and_refunds_dead_orders(play: Play) -> None:
    (dead,) = play.post(CONSUMER, request(first_slot=START // S + 2, last_slot=START // S + 2))
    (alive,) = play.post(PROVIDER, offer())
    play.now = START + 3 * R
    events = play.do(Clear, PLAIN, **play.clearing())
    assert events[0] == Released(movements=(vault.movement(CONSUMER, CONSUMER, 300),))
    assert events[1].dead == (dead,)  # type: ignore[attr-defined]
    assert views.order_of(play.state, alive)[1] == 10


def test_clear_refuses(play: Play) -> None:
    play.post(PROVIDER, offer())
    given = play.clearing()
    round_ = given["round"]
    assert play.refusal(Clear, PLAIN, **given) == ("NothingStanding", CODE)
    assert play.refusal(Clear, PLAIN, **{**given, "class_": 9}) == ("UnknownClass", 9)
    refused = play.refusal(Clear, PLAIN, **{**given, "round": round_ + 1})
    assert refused == ("WrongRound", round_ + 1, round_)
    play.next_round()
    empty = given["submission"]  # lists nothing
    refused = play.refusal(Clear, PLAIN, class_=CODE, round=round_ + 1, submission=empty)
    assert refused == ("Incomplete", 0, 1)
    play.by_council(SetPaused, paused=True)
    assert play.refusal(Clear, PLAIN, **play.clearing()) == ("ClearingPaused",)


def test_clearing_computed_at_the_rounds_start_survives_what_others_send(play: Play) -> None:
    (mine,) = play.post(PROVIDER, offer())
    play.post(CONSUMER, request())
    play.next_round()
    given = play.clearing()
    play.post(OTHER, offer(asset=2))
    assert play.do(Expire, PLAIN, ids=(mine,)) == []
    given_up = play.reduction(PROVIDER, {mine: 0})
    assert play.refusal(Reduce, PROVIDER, reductions=(given_up,))[0] == "MarketLocked"
    revoked = {"asset": 1, "attributes": 0, "valid_until": 0, "document": bytes(32)}
    play.do(Attest, ATTESTOR, **revoked)
    assert play.do(Clear, PLAIN, **given)


def test_signer_spends_no_more_than_its_day_allows(play: Play) -> None:
    signer = address(60)
    play.do(SetSigner, CONSUMER, signer=signer, scopes=1, limit=500)
    play.do(Post, signer, batches=(play.batch(CONSUMER, request(quantity=10, price=30)),))
    batch = play.batch(CONSUMER, request(quantity=7, price=30))
    assert play.refusal(Post, signer, batches=(batch,)) == ("LimitExceeded", signer, 210, 200)
    play.now = (play.now // 86_400 + 1) * 86_400
    slot = play.now // S + 3
    batch = play.batch(CONSUMER, request(first_slot=slot, last_slot=slot, quantity=16))
    assert play.do(Post, signer, batches=(batch,))
    assert play.state.signers[signer].spent == 480
