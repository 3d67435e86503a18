"""Deals: every transition with its money, credit and capacity, and every refusal beside it.

Pilot parameters: D 30 s, A 20 s, O 20 s, J 40 s, dispute bonds 10 %.
"""

from __future__ import annotations

from dataclasses import replace

import ape
import pytest
from eth_abi import decode, encode
from eth_utils import keccak

ZERO = "0x" + "00" * 20
PROVIDER, CONSUMER, ARBITER, OTHER = 4, 5, 6, 7
OPERATE = 2
OPEN, DELIVERED, CONTESTED, DISPUTED, SETTLED, DEFAULTED, RELEASED, CANCELLED = range(8)
D, A, O, J = 30, 20, 20, 40  # noqa: E741
REFERENCE = 50
Q, PRICE, BOND = 10, 101, 31
EVIDENCE = b"\x0e" * 32


@pytest.fixture
def deal(stage):
    return stage.open_deals(Q)[0]


@pytest.fixture
def delivered(stage, deal):
    stage.deliver(deal)
    return deal


@pytest.fixture
def contested(stage, delivered):
    """Reported 10, accepted 4: six units of 101 in question, a bond of ceil(60.6) = 61."""
    stage.accept(delivered, accepted=4)
    return delivered


@pytest.fixture
def disputed(stage, contested):
    stage.dispute(contested)
    return contested


CONTEST_BOND = 61


@pytest.fixture
def check(stage, kit):
    """Compare both balances with what the funds became, credit, capacity and open value."""

    def compare(deal, *, provider, consumer, good=(0, 0), bad=(0, 0), reserved=None):
        funds = kit.funds
        assert stage.balances() == ((funds + provider, 0), (funds + consumer, 0))
        assert provider + consumer == 0, "money was made or lost"
        assert stage.vault.held() == stage.token.balanceOf(stage.vault) == 2 * funds
        found = [tuple(stage.credit.creditOf(m)) for m in (PROVIDER, CONSUMER)]
        assert found == list(zip(good, bad, strict=True))
        expected = deal.quantity if reserved is None else reserved
        assert stage.assets.reservedOf(deal.asset, deal.slot) == expected
        assert stage.credit.openValueOf(PROVIDER) == 0

    return compare


def references(*deals):
    return [d.reference for d in deals]


def settled(stage, deal, state, quantity):
    return stage.event(
        "deals", "DealSettled", deal=deal.id, state=state, quantity=quantity, terms=deal.terms
    )


def released(stage, *moves):
    """The vault's event; moves are (from, to, amount)."""
    packed = [to << 152 | from_ << 128 | amount for from_, to, amount in moves]
    return stage.event("vault", "Released", movements=packed)


def recorded(stage, member, group, good, bad):
    values = {"member": member, "counterpartyGroup": group, "good": good, "bad": bad}
    return stage.event("credit", "CreditRecorded", **values)


# COMMITTING


def test_commit_stores_root(stage, people):
    root = b"\x11" * 32
    receipt = stage.deals.commit(3, 9, root, sender=people["clearing"])
    assert stage.emitted(receipt) == [
        stage.event("deals", "DealsCommitted", classIndex=3, round=9, root=root)
    ]
    assert stage.deals.rootOf(3, 9) == root


def test_commit_reverts_for_all_but_clearing(stage, reverts, people):
    for name in ("book", "councillor", "provider", "outsider"):
        with reverts(stage.deals.NotClearing, sender=people[name]):
            stage.deals.commit(1, 1, b"\x11" * 32, sender=people[name])


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8])
def test_every_deal_of_a_clearing_is_proven(stage, count):
    deals = stage.open_deals(*[Q] * count)
    assert [stage.deals.isProven(d.reference) for d in deals] == [True] * count


def test_other_terms_are_not_proven(stage, deal):
    word0, word1, word2 = deal.terms
    for terms in (
        (word0 + (1 << 68), word1, word2),
        (word0 + 1, word1, word2),
        (word0, word1 + (1 << 184), word2),
        (word0, word1, word2 + (1 << 216)),
        (word0 + (1 << 212), word1, word2),  # a round that was never cleared
        (0, 0, 0),
    ):
        assert not stage.deals.isProven((terms, deal.proof))


def test_inner_node_is_no_deal(stage, people, kit):
    leaves = [keccak(bytes([i]) * 96) for i in range(4)]
    root, _ = kit.merkle(leaves)
    stage.deals.commit(1, 77, root, sender=people["clearing"])
    words = (int.from_bytes(leaves[0], "big"), int.from_bytes(leaves[1], "big"), 0)
    assert not stage.deals.isProven((words, ()))


# DELIVERING


def test_deliver_reports_in_full_from_slot_end(stage, deal):
    receipt = stage.deliver(deal, time=deal.end)
    deadline = deal.end + A
    assert stage.emitted(receipt) == [
        stage.event(
            "deals",
            "DeliveryReported",
            deal=deal.id,
            reported=Q,
            deadline=deadline,
            evidence=EVIDENCE,
        )
    ]
    assert stage.progress(deal) == (DELIVERED, Q, 0, deadline, 0)


def test_deliver_is_taken_in_last_second_by_operate_key_of_suspended_member(stage, deal, operator):
    stage.govern(stage.members.suspend, PROVIDER)
    stage.at(deal.end + D)
    stage.deals.deliver(references(deal), [1], [EVIDENCE], sender=operator)
    assert stage.progress(deal) == (DELIVERED, 1, 0, deal.end + D + A, 0)


def test_deliver_takes_an_array(stage):
    deals = stage.open_deals(10, 20, 30)
    stage.deliver(*deals)
    assert [stage.progress(d)[:2] for d in deals] == [(DELIVERED, q) for q in (10, 20, 30)]


def test_deliver_reverts_for_empty_and_unequal_lists(stage, reverts, deal, provider):
    with reverts(stage.deals.EmptyList):
        stage.deals.deliver([], [], [], sender=provider)
    with reverts(stage.deals.ListLengths, deals=1, entries=2):
        stage.deals.deliver(references(deal), [Q, Q], [EVIDENCE], sender=provider)
    with reverts(stage.deals.ListLengths, deals=1, entries=0):
        stage.deals.deliver(references(deal), [Q], [], sender=provider)


def test_deliver_reverts_for_terms_not_committed(stage, reverts, deal, provider):
    word0, word1, word2 = deal.terms
    forged = ((word0, word1 + (1 << 184), word2), deal.proof)
    with reverts(stage.deals.NotProven, deal=deal.id):
        stage.deals.deliver([forged], [Q], [EVIDENCE], sender=provider)


def test_deliver_reverts_a_second_time_even_in_one_array(stage, reverts, deal, provider):
    stage.at(deal.end)
    with reverts(stage.deals.WrongState, deal=deal.id, state=DELIVERED):
        stage.deals.deliver(references(deal, deal), [5, 5], [EVIDENCE] * 2, sender=provider)
    stage.deliver(deal, time=deal.end + 1)
    with reverts(stage.deals.WrongState, deal=deal.id, state=DELIVERED):
        stage.deliver(deal, time=deal.end + 2)


def test_deliver_reverts_before_slot_end(stage, reverts, deal):
    with reverts(stage.deals.BeforeSlotEnd, deal=deal.id, slotEnd=deal.end):
        stage.deliver(deal, time=deal.end - 1)


def test_deliver_reverts_after_deadline(stage, reverts, deal):
    with reverts(stage.deals.DealDeadlinePassed, deal=deal.id, deadline=deal.end + D):
        stage.deliver(deal, time=deal.end + D + 1)


def test_deliver_reverts_for_all_but_providers_operate_keys(stage, reverts, deal, people):
    for i, name in enumerate(("consumer", "treasurer", "trader", "councillor", "outsider")):
        stage.at(deal.end + i)
        sender = people[name]
        with reverts(stage.members.NotSigner, member=PROVIDER, signer=sender, scope=OPERATE):
            stage.deals.deliver(references(deal), [Q], [EVIDENCE], sender=sender)


@pytest.mark.parametrize("reported", [0, Q + 1, 2**32 - 1])
def test_deliver_reverts_for_nothing_and_for_more_than_sold(stage, reverts, deal, reported):
    with reverts(stage.deals.BadReport, deal=deal.id, reported=reported, most=Q):
        stage.deliver(deal, reported=reported)


# ACCEPTING


def test_accept_in_full_settles(stage, check, delivered):
    receipt = stage.accept(delivered)
    value = Q * PRICE
    assert stage.emitted(receipt) == [
        settled(stage, delivered, SETTLED, Q),
        released(stage, (CONSUMER, PROVIDER, value), (PROVIDER, PROVIDER, Q * BOND)),
        recorded(stage, PROVIDER, CONSUMER, value, 0),
        recorded(stage, CONSUMER, PROVIDER, value, 0),
    ]
    assert stage.progress(delivered)[:3] == (SETTLED, Q, 0)
    check(delivered, provider=value, consumer=-value, good=(value, value))


def test_accept_of_short_report_settles_it(stage, check, deal):
    stage.deliver(deal, reported=7)
    receipt = stage.accept(deal, accepted=7)
    assert stage.emitted(receipt)[:2] == [
        settled(stage, deal, SETTLED, 7),
        released(
            stage,
            (CONSUMER, PROVIDER, 7 * PRICE),
            (CONSUMER, CONSUMER, 3 * PRICE),
            (PROVIDER, PROVIDER, 7 * BOND),
            (PROVIDER, CONSUMER, 3 * BOND),
        ),
    ]
    paid = 7 * PRICE - 3 * BOND
    check(
        deal,
        provider=paid,
        consumer=-paid,
        good=(7 * PRICE, 7 * PRICE),
        bad=(3 * PRICE, 0),
    )


def test_accept_of_less_contests_and_locks_bond(stage, kit, delivered):
    receipt = stage.accept(delivered, accepted=4)
    deadline = receipt.timestamp + O
    assert stage.emitted(receipt) == [
        stage.event(
            "deals",
            "DealContested",
            deal=delivered.id,
            accepted=4,
            deadline=deadline,
            evidence=b"\x0f" * 32,
        ),
        stage.event("vault", "Locked", member=CONSUMER, amount=CONTEST_BOND),
    ]
    assert stage.progress(delivered) == (CONTESTED, Q, 4, deadline, 0)
    locked = Q * PRICE + CONTEST_BOND
    assert stage.balances()[1] == (kit.funds - locked, locked)


def test_accept_of_nothing_contests(stage, delivered):
    stage.accept(delivered, accepted=0)
    assert stage.progress(delivered)[:3] == (CONTESTED, Q, 0)


def test_accept_frees_money_before_it_locks_the_bond(stage, reverts, kit, consumer, people):
    # The first contest locks 101; accepting the second frees the price of what was not reported.
    deals = stage.open_deals(10, 10)
    stage.at(deals[0].end)
    stage.deals.deliver(references(*deals), [10, 5], [EVIDENCE] * 2, sender=people["provider"])
    stage.vault.withdraw(CONSUMER, stage.balances()[1][0], sender=consumer)
    missing = {"member": CONSUMER, "free": 0, "wanted": 101}
    with reverts(stage.vault.InsufficientFree, **missing):
        stage.accept(deals[0], accepted=0)
    stage.deals.accept(references(*deals), [0, 5], [EVIDENCE] * 2, sender=consumer)
    assert [stage.progress(d)[0] for d in deals] == [CONTESTED, SETTLED]
    assert stage.balances()[1] == (5 * PRICE + 5 * BOND - 101, 10 * PRICE + 101)


def test_accept_reverts_after_deadline(stage, reverts, delivered):
    deadline = delivered.end + A
    with reverts(stage.deals.DealDeadlinePassed, deal=delivered.id, deadline=deadline):
        stage.accept(delivered, time=deadline + 1)


def test_accept_is_taken_in_last_second(stage, delivered):
    stage.accept(delivered, time=delivered.end + A)
    assert stage.progress(delivered)[0] == SETTLED


def test_accept_reverts_for_empty_and_unequal_lists(stage, reverts, delivered, consumer):
    with reverts(stage.deals.EmptyList):
        stage.deals.accept([], [], [], sender=consumer)
    with reverts(stage.deals.ListLengths, deals=1, entries=0):
        stage.deals.accept(references(delivered), [], [EVIDENCE], sender=consumer)
    with reverts(stage.deals.ListLengths, deals=1, entries=2):
        stage.deals.accept(references(delivered), [1], [EVIDENCE] * 2, sender=consumer)


def test_accept_reverts_for_terms_not_committed(stage, reverts, delivered, consumer):
    with reverts(stage.deals.NotProven, deal=delivered.id):
        stage.deals.accept([(delivered.terms, [b"\x01" * 32])], [Q], [EVIDENCE], sender=consumer)


def test_accept_reverts_before_report(stage, reverts, deal):
    with reverts(stage.deals.WrongState, deal=deal.id, state=OPEN):
        stage.accept(deal)


def test_accept_reverts_twice_in_one_array(stage, reverts, delivered):
    with reverts(stage.deals.WrongState, deal=delivered.id, state=SETTLED):
        stage.accept(delivered, delivered)
    with reverts(stage.deals.WrongState, deal=delivered.id, state=CONTESTED):
        stage.accept(delivered, delivered, accepted=4)


def test_accept_reverts_for_all_but_consumers_operate_keys(stage, reverts, delivered, people):
    for name in ("provider", "operator", "councillor", "outsider"):
        sender = people[name]
        with reverts(stage.members.NotSigner, member=CONSUMER, signer=sender, scope=OPERATE):
            stage.deals.accept(references(delivered), [Q], [EVIDENCE], sender=sender)


def test_accept_reverts_above_report(stage, reverts, deal):
    stage.deliver(deal, reported=6)
    with reverts(stage.deals.AcceptedAboveReported, deal=deal.id, accepted=7, reported=6):
        stage.accept(deal, accepted=7)


def test_accept_reverts_without_money_for_bond(stage, reverts, delivered, consumer):
    stage.vault.withdraw(CONSUMER, stage.balances()[1][0] - 60, sender=consumer)
    values = {"member": CONSUMER, "free": 60, "wanted": CONTEST_BOND}
    with reverts(stage.vault.InsufficientFree, **values):
        stage.accept(delivered, accepted=4)


# DISPUTING


def test_dispute_locks_bond_and_draws_arbiter(stage, kit, contested):
    receipt = stage.dispute(contested)
    drawn = keccak(encode(["uint256", "uint256"], [contested.offer, contested.request]))
    arbiter = [ARBITER, OTHER][int.from_bytes(drawn, "big") % 2]
    deadline = receipt.timestamp + J
    assert stage.emitted(receipt) == [
        stage.event(
            "deals",
            "DealDisputed",
            deal=contested.id,
            arbiter=arbiter,
            deadline=deadline,
            evidence=b"\x0d" * 32,
        ),
        stage.event("vault", "Locked", member=PROVIDER, amount=CONTEST_BOND),
    ]
    assert stage.progress(contested) == (DISPUTED, Q, 4, deadline, arbiter)
    locked = Q * BOND + CONTEST_BOND
    assert stage.balances()[0] == (kit.funds - locked, locked)


def test_dispute_draws_by_orders(stage):
    deals = stage.open_deals(*[Q] * 8)
    stage.deliver(*deals)
    stage.accept(*deals, accepted=4)
    stage.dispute(*deals)
    drawn = {stage.progress(d)[4] for d in deals}
    assert drawn == {ARBITER, OTHER}


def test_dispute_opens_without_any_arbiter(stage, contested):
    for member in (ARBITER, OTHER):
        stage.govern(stage.members.setRoles, member, 0)
    stage.dispute(contested)
    assert stage.progress(contested)[4] == 0


def test_dispute_takes_last_second(stage, contested):
    deadline = stage.progress(contested)[3]
    stage.dispute(contested, time=deadline)
    assert stage.progress(contested)[0] == DISPUTED


def test_dispute_reverts_after_deadline(stage, reverts, contested):
    deadline = stage.progress(contested)[3]
    with reverts(stage.deals.DealDeadlinePassed, deal=contested.id, deadline=deadline):
        stage.dispute(contested, time=deadline + 1)


def test_dispute_reverts_for_lists_states_and_proof(stage, reverts, deal, provider):
    with reverts(stage.deals.EmptyList):
        stage.deals.dispute([], [], sender=provider)
    with reverts(stage.deals.ListLengths, deals=1, entries=2):
        stage.deals.dispute(references(deal), [EVIDENCE] * 2, sender=provider)
    with reverts(stage.deals.NotProven, deal=deal.id):
        stage.deals.dispute([(deal.terms, [EVIDENCE])], [EVIDENCE], sender=provider)
    with reverts(stage.deals.WrongState, deal=deal.id, state=OPEN):
        stage.dispute(deal)
    stage.deliver(deal)
    with reverts(stage.deals.WrongState, deal=deal.id, state=DELIVERED):
        stage.dispute(deal)
    stage.accept(deal, accepted=4)
    with reverts(stage.deals.WrongState, deal=deal.id, state=DISPUTED):
        stage.dispute(deal, deal)


def test_dispute_reverts_for_all_but_providers_operate_keys(stage, reverts, contested, people):
    for name in ("consumer", "treasurer", "outsider"):
        sender = people[name]
        with reverts(stage.members.NotSigner, member=PROVIDER, signer=sender, scope=OPERATE):
            stage.deals.dispute(references(contested), [EVIDENCE], sender=sender)


def test_dispute_reverts_without_money_for_bond(stage, reverts, contested, provider):
    stage.vault.withdraw(PROVIDER, stage.balances()[0][0], sender=provider)
    values = {"member": PROVIDER, "free": 0, "wanted": CONTEST_BOND}
    with reverts(stage.vault.InsufficientFree, **values):
        stage.dispute(contested)


# RULING


@pytest.fixture
def drawn(stage, disputed, people):
    """Account of the arbiter drawn, and of the other one."""
    names = {ARBITER: "arbiter", OTHER: "other_arbiter"}
    member = stage.progress(disputed)[4]
    return people[names[member]], people[names[ARBITER + OTHER - member]]


@pytest.mark.parametrize(
    ("ruled", "paid_bond"),
    # Accepted 4, reported 10: above 7 the consumer is farther off, below it the provider.
    [(4, 1), (6, 1), (7, 0), (8, -1), (10, -1)],
)
def test_rule_pays_bond_of_farther_party(stage, check, disputed, drawn, ruled, paid_bond):
    arbiter = stage.progress(disputed)[4]
    receipt = stage.deals.rule(disputed.reference, ruled, EVIDENCE, sender=drawn[0])
    values = {"deal": disputed.id, "arbiter": arbiter, "quantity": ruled, "reason": EVIDENCE}
    assert stage.emitted(receipt)[:2] == [
        stage.event("deals", "DealRuled", **values),
        settled(stage, disputed, SETTLED, ruled),
    ]
    assert stage.progress(disputed)[0] == SETTLED
    provider = ruled * PRICE - (Q - ruled) * BOND - paid_bond * CONTEST_BOND
    check(
        disputed,
        provider=provider,
        consumer=-provider,
        good=(ruled * PRICE, 0),
        bad=((Q - ruled) * PRICE, (ruled - 4) * PRICE if paid_bond < 0 else 0),
    )


def test_rule_moves_each_lock_once(stage, disputed, drawn):
    receipt = stage.deals.rule(disputed.reference, 9, EVIDENCE, sender=drawn[0])
    assert stage.emitted(receipt)[2] == released(
        stage,
        (CONSUMER, PROVIDER, 9 * PRICE + CONTEST_BOND),
        (CONSUMER, CONSUMER, PRICE),
        (PROVIDER, PROVIDER, 9 * BOND + CONTEST_BOND),
        (PROVIDER, CONSUMER, BOND),
    )


def test_rule_is_open_to_other_arbiter_after_half_of_time(stage, reverts, disputed, drawn):
    half = stage.progress(disputed)[3] - J + J // 2
    stage.at(half)
    with reverts(stage.deals.NotArbiter, deal=disputed.id, sender=drawn[1]):
        stage.deals.rule(disputed.reference, 7, EVIDENCE, sender=drawn[1])
    stage.at(half + 1)
    stage.deals.rule(disputed.reference, 7, EVIDENCE, sender=drawn[1])
    assert stage.progress(disputed)[0] == SETTLED


def test_rule_reverts_for_others_at_any_time(stage, reverts, disputed, people):
    half = stage.progress(disputed)[3] - J + J // 2
    names = ("provider", "consumer", "councillor", "suspended_member", "outsider")
    for i, name in enumerate(names):
        stage.at(half + 1 + i)
        with reverts(stage.deals.NotArbiter, deal=disputed.id, sender=people[name]):
            stage.deals.rule(disputed.reference, 7, EVIDENCE, sender=people[name])


def test_rule_reverts_for_drawn_arbiter_suspended_since(stage, reverts, disputed, drawn):
    stage.govern(stage.members.suspend, stage.progress(disputed)[4])
    with reverts(stage.deals.NotArbiter, deal=disputed.id, sender=drawn[0]):
        stage.deals.rule(disputed.reference, 7, EVIDENCE, sender=drawn[0])


@pytest.mark.parametrize("ruled", [3, 11])
def test_rule_reverts_outside_figures(stage, reverts, disputed, drawn, ruled):
    values = {"deal": disputed.id, "quantity": ruled, "accepted": 4, "reported": 10}
    with reverts(stage.deals.RulingOutside, **values):
        stage.deals.rule(disputed.reference, ruled, EVIDENCE, sender=drawn[0])


def test_rule_reverts_after_deadline(stage, reverts, disputed, drawn):
    deadline = stage.progress(disputed)[3]
    stage.at(deadline + 1)
    with reverts(stage.deals.DealDeadlinePassed, deal=disputed.id, deadline=deadline):
        stage.deals.rule(disputed.reference, 7, EVIDENCE, sender=drawn[0])


def test_rule_is_taken_in_last_second(stage, disputed, drawn):
    stage.at(stage.progress(disputed)[3])
    stage.deals.rule(disputed.reference, 7, EVIDENCE, sender=drawn[0])
    assert stage.progress(disputed)[0] == SETTLED


def test_rule_reverts_before_dispute_and_without_proof(stage, reverts, contested, arbiter):
    with reverts(stage.deals.WrongState, deal=contested.id, state=CONTESTED):
        stage.deals.rule(contested.reference, 7, EVIDENCE, sender=arbiter)
    with reverts(stage.deals.NotProven, deal=contested.id):
        stage.deals.rule((contested.terms, [EVIDENCE]), 7, EVIDENCE, sender=arbiter)


# RELEASING


@pytest.mark.parametrize(("quantity", "price", "bond"), [(10, 101, 31), (3, 7, 5), (1, 1, 1)])
def test_release_pays_half_of_bond(stage, check, provider, quantity, price, bond):
    deal = stage.open_deals(quantity, price=price, bond=bond)[0]
    stage.at(deal.gate - 1)
    receipt = stage.deals.release(references(deal), sender=provider)
    lost = (quantity * bond + 1) // 2
    moves = [
        (CONSUMER, CONSUMER, quantity * price),
        (PROVIDER, PROVIDER, quantity * bond - lost),
        (PROVIDER, CONSUMER, lost),
    ]
    bad = (quantity * price + 1) // 2
    assert stage.emitted(receipt) == [
        settled(stage, deal, RELEASED, 0),
        released(stage, *[m for m in moves if m[2]]),
        recorded(stage, PROVIDER, CONSUMER, 0, bad),
    ]
    check(deal, provider=-lost, consumer=lost, bad=(bad, 0), reserved=0)
    assert stage.progress(deal) == (RELEASED, 0, 0, 0, 0)


def test_release_gives_back_only_its_capacity(stage, provider):
    first, second = stage.open_deals(10, 20)
    stage.deals.release(references(first), sender=provider)
    assert stage.assets.reservedOf(first.asset, first.slot) == 20
    assert stage.credit.openValueOf(PROVIDER) == 20 * REFERENCE
    assert stage.progress(second)[0] == OPEN


def test_release_reverts_from_gate_on(stage, reverts, deal, provider):
    stage.at(deal.gate)
    with reverts(stage.deals.GatePassed, deal=deal.id, gate=deal.gate):
        stage.deals.release(references(deal), sender=provider)


def test_release_reverts_for_list_state_proof_and_party(stage, reverts, deal, people, provider):
    with reverts(stage.deals.EmptyList):
        stage.deals.release([], sender=provider)
    with reverts(stage.deals.NotProven, deal=deal.id):
        stage.deals.release([(deal.terms, [EVIDENCE])], sender=provider)
    with reverts(stage.deals.WrongState, deal=deal.id, state=RELEASED):
        stage.deals.release(references(deal, deal), sender=provider)
    for name in ("consumer", "treasurer", "outsider"):
        sender = people[name]
        with reverts(stage.members.NotSigner, member=PROVIDER, signer=sender, scope=OPERATE):
            stage.deals.release(references(deal), sender=sender)


# CANCELLING


@pytest.mark.parametrize("state", ["deal", "delivered", "contested", "disputed"])
def test_cancel_returns_everything(stage, check, request, outsider, state):
    deal = request.getfixturevalue(state)
    signatures = [stage.consent(deal, by=name) for name in ("operator", "consumer")]
    receipt = stage.deals.cancel(deal.reference, 2**40 - 1, *signatures, sender=outsider)
    assert stage.emitted(receipt)[0] == settled(stage, deal, CANCELLED, 0)
    assert len(stage.emitted(receipt)) == 2  # and the vault's: nobody's credit changes
    assert stage.progress(deal)[0] == CANCELLED
    check(deal, provider=0, consumer=0, reserved=0)


def test_cancel_takes_last_second_of_open_deal_and_consent(stage, deal, outsider):
    deadline = deal.end + D
    signatures = [stage.consent(deal, by=n, deadline=deadline) for n in ("provider", "consumer")]
    stage.at(deadline)
    stage.deals.cancel(deal.reference, deadline, *signatures, sender=outsider)
    assert stage.progress(deal)[0] == CANCELLED


def test_cancel_reverts_after_deadline_to_report(stage, reverts, deal, outsider):
    signatures = [stage.consent(deal, by=name) for name in ("provider", "consumer")]
    stage.at(deal.end + D + 1)
    with reverts(stage.deals.DealDeadlinePassed, deal=deal.id, deadline=deal.end + D):
        stage.deals.cancel(deal.reference, 2**40 - 1, *signatures, sender=outsider)


@pytest.mark.parametrize("state", ["delivered", "contested", "disputed"])
def test_cancel_reverts_after_steps_deadline(stage, reverts, request, outsider, state):
    deal = request.getfixturevalue(state)
    signatures = [stage.consent(deal, by=name) for name in ("provider", "consumer")]
    deadline = stage.progress(deal)[3]
    stage.at(deadline + 1)
    with reverts(stage.deals.DealDeadlinePassed, deal=deal.id, deadline=deadline):
        stage.deals.cancel(deal.reference, 2**40 - 1, *signatures, sender=outsider)


def test_cancel_reverts_after_consents_deadline(stage, reverts, deal, outsider):
    deadline = stage.now() + 100
    signatures = [stage.consent(deal, by=n, deadline=deadline) for n in ("provider", "consumer")]
    stage.at(deadline + 1)
    with reverts(stage.deals.ConsentExpired, deal=deal.id, deadline=deadline):
        stage.deals.cancel(deal.reference, deadline, *signatures, sender=outsider)


def test_cancel_reverts_for_final_deal_and_without_proof(stage, reverts, deal, outsider):
    signatures = [stage.consent(deal, by=name) for name in ("provider", "consumer")]
    with reverts(stage.deals.NotProven, deal=deal.id):
        stage.deals.cancel((deal.terms, [EVIDENCE]), 2**40 - 1, *signatures, sender=outsider)
    stage.deals.cancel(deal.reference, 2**40 - 1, *signatures, sender=outsider)
    with reverts(stage.deals.WrongState, deal=deal.id, state=CANCELLED):
        stage.deals.cancel(deal.reference, 2**40 - 1, *signatures, sender=outsider)


def test_cancel_reverts_for_keys_of_wrong_scope_or_member(stage, reverts, deal, people, outsider):
    good = stage.consent(deal, by="consumer")
    for name in ("trader", "treasurer", "consumer", "outsider"):
        with reverts(stage.deals.BadConsent, deal=deal.id, member=PROVIDER, signer=people[name]):
            stage.deals.cancel(
                deal.reference,
                2**40 - 1,
                stage.consent(deal, by=name),
                good,
                sender=outsider,
            )
    with reverts(stage.deals.BadConsent, deal=deal.id, member=CONSUMER, signer=people["provider"]):
        stage.deals.cancel(
            deal.reference,
            2**40 - 1,
            stage.consent(deal, by="provider"),
            stage.consent(deal, by="provider"),
            sender=outsider,
        )


def test_cancel_reverts_for_signature_that_is_none(stage, reverts, deal, outsider):
    good = stage.consent(deal, by="consumer")
    r, s = good[:32], int.from_bytes(good[32:64], "big")
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    mirrored = r + (order - s).to_bytes(32, "big") + bytes([55 - good[64]])
    for bad in (b"", good[:64], b"\x00" * 65, mirrored):
        with reverts(stage.deals.BadConsent, deal=deal.id, member=PROVIDER, signer=ZERO):
            stage.deals.cancel(deal.reference, 2**40 - 1, bad, good, sender=outsider)


@pytest.fixture(scope="session")
def refusal(kit):
    """Read the values of a BadConsent."""

    def values(error):
        data = kit.revert_data(error)
        assert data[:4] == keccak(text="BadConsent(uint64,uint24,address)")[:4]
        return decode(["uint64", "uint24", "address"], data[4:])

    return values


def test_old_or_foreign_consent_cancels_nothing(stage, refusal, deal, outsider):
    other = stage.open_deals(Q)[0]
    provider = [
        stage.consent(deal, by="provider", **changes)
        for changes in (
            {"deal": other.id},
            {"state": DELIVERED},
            {"reported": 1},
            {"accepted": 1},
            {"deadline": 2**40 - 2},
            {"chain": 1},
        )
    ]
    consumer = stage.consent(deal, by="consumer")
    for signature in provider:
        # It recovers to an address that nobody has.
        with ape.reverts() as info:
            stage.deals.cancel(deal.reference, 2**40 - 1, signature, consumer, sender=outsider)
        assert refusal(info.value)[:2] == (deal.id, PROVIDER)
    assert stage.progress(deal)[0] == OPEN


def test_consent_to_a_state_is_void_in_the_next(stage, refusal, deal, outsider):
    signatures = [stage.consent(deal, by=name) for name in ("provider", "consumer")]
    stage.deliver(deal)
    with ape.reverts() as info:
        stage.deals.cancel(deal.reference, 2**40 - 1, *signatures, sender=outsider)
    assert refusal(info.value)[:2] == (deal.id, PROVIDER)


# SETTLING


def test_settle_defaults_unreported_deal(stage, check, deal, outsider):
    stage.at(deal.end + D + 1)
    receipt = stage.deals.settle(references(deal), sender=outsider)
    value, bond = Q * PRICE, Q * BOND
    assert stage.emitted(receipt) == [
        settled(stage, deal, DEFAULTED, 0),
        released(stage, (CONSUMER, CONSUMER, value), (PROVIDER, CONSUMER, bond)),
        recorded(stage, PROVIDER, CONSUMER, 0, value),
    ]
    assert stage.progress(deal) == (DEFAULTED, 0, 0, 0, 0)
    check(deal, provider=-bond, consumer=bond, bad=(value, 0))


def test_settle_pays_report_when_consumer_is_silent(stage, check, deal, outsider):
    stage.deliver(deal, reported=8)
    stage.at(deal.end + A + 1)
    receipt = stage.deals.settle(references(deal), sender=outsider)
    assert stage.emitted(receipt)[0] == settled(stage, deal, SETTLED, 8)
    paid = 8 * PRICE - 2 * BOND
    check(deal, provider=paid, consumer=-paid, good=(8 * PRICE, 0), bad=(2 * PRICE, 0))


def test_settle_pays_accepted_figure_when_provider_is_silent(stage, check, contested, outsider):
    stage.at(stage.progress(contested)[3] + 1)
    receipt = stage.deals.settle(references(contested), sender=outsider)
    assert stage.emitted(receipt)[0] == settled(stage, contested, SETTLED, 4)
    paid = 4 * PRICE - 6 * BOND
    check(contested, provider=paid, consumer=-paid, good=(4 * PRICE, 0), bad=(6 * PRICE, 0))


@pytest.mark.parametrize(("accepted", "middle"), [(4, 7), (5, 7), (0, 5), (9, 9)])
def test_settle_pays_middle_when_nobody_rules(stage, check, delivered, outsider, accepted, middle):
    stage.accept(delivered, accepted=accepted)
    stage.dispute(delivered)
    stage.at(stage.progress(delivered)[3] + 1)
    receipt = stage.deals.settle(references(delivered), sender=outsider)
    assert stage.emitted(receipt)[0] == settled(stage, delivered, SETTLED, middle)
    paid = middle * PRICE - (Q - middle) * BOND
    good, bad = (middle * PRICE, 0), ((Q - middle) * PRICE, 0)
    check(delivered, provider=paid, consumer=-paid, good=good, bad=bad)


def test_settle_skips_what_is_not_due(stage, deal, outsider):
    stage.at(deal.end + D)
    assert stage.emitted(stage.deals.settle(references(deal), sender=outsider)) == []
    assert stage.progress(deal)[0] == OPEN


@pytest.mark.parametrize("state", ["delivered", "contested", "disputed"])
def test_settle_skips_at_steps_deadline(stage, request, outsider, state):
    deal = request.getfixturevalue(state)
    before = stage.progress(deal)
    stage.at(before[3])
    assert stage.emitted(stage.deals.settle(references(deal), sender=outsider)) == []
    assert stage.progress(deal) == before


def test_settle_skips_final_and_repeated_deals(stage, check, outsider):
    released_, silent, open_ = stage.open_deals(10, 20, 30)
    stage.deals.release(references(released_), sender=stage.people["provider"])
    stage.deliver(silent)
    stage.at(silent.end + D + 1)
    mixed = references(released_, silent, open_, silent, open_)
    receipt = stage.deals.settle(mixed, sender=outsider)
    assert stage.emitted(receipt)[:2] == [
        settled(stage, silent, SETTLED, 20),
        settled(stage, open_, DEFAULTED, 0),
    ]
    paid = 20 * PRICE - 5 * BOND - 30 * BOND
    check(
        open_,
        provider=paid,
        consumer=-paid,
        good=(20 * PRICE, 0),
        bad=(5 * PRICE + 30 * PRICE, 0),
        reserved=50,
    )
    assert stage.emitted(stage.deals.settle(mixed, sender=outsider)) == []


def test_settle_reverts_for_empty_list_and_without_proof(stage, reverts, deal, outsider):
    with reverts(stage.deals.EmptyList):
        stage.deals.settle([], sender=outsider)
    stage.at(deal.end + D + 1)
    forged = (deal.terms, [EVIDENCE])
    with reverts(stage.deals.NotProven, deal=deal.id):
        stage.deals.settle([deal.reference, forged], sender=outsider)
    assert stage.progress(deal)[0] == OPEN


def test_final_deal_takes_no_further_step(stage, reverts, disputed, drawn, outsider):
    stage.deals.rule(disputed.reference, 7, EVIDENCE, sender=drawn[0])
    final = {"deal": disputed.id, "state": SETTLED}
    for verb in (stage.deliver, stage.accept, stage.dispute):
        with reverts(stage.deals.WrongState, **final):
            verb(disputed, time=stage.now() + 1)
    with reverts(stage.deals.WrongState, **final):
        stage.deals.rule(disputed.reference, 7, EVIDENCE, sender=drawn[0])
    with reverts(stage.deals.WrongState, **final):
        stage.deals.release(references(disputed), sender=stage.people["provider"])


# RUNS OF DEALS BETWEEN THE SAME TWO


def test_run_between_two_parties_is_one_outcome(stage, check):
    deals = stage.open_deals(10, 20, 30)
    stage.deliver(*deals)
    receipt = stage.accept(*deals)
    value = 60 * PRICE
    assert stage.emitted(receipt) == [
        *(settled(stage, d, SETTLED, d.quantity) for d in deals),
        released(stage, (CONSUMER, PROVIDER, value), (PROVIDER, PROVIDER, 60 * BOND)),
        recorded(stage, PROVIDER, CONSUMER, value, 0),
        recorded(stage, CONSUMER, PROVIDER, value, 0),
    ]
    check(deals[0], provider=value, consumer=-value, good=(value, value), reserved=60)


def test_runs_end_where_parties_change(stage, kit, people, outsider):
    """Two deals one way, one the other way round, one more: three runs."""
    swapped = {"provider": CONSUMER, "consumer": PROVIDER}
    deals = [stage.make_deal(index=i, **(swapped if i == 2 else {})) for i in range(4)]
    root, proofs = kit.merkle([kit.leaf(d.terms) for d in deals])
    deals = [replace(d, proof=p) for d, p in zip(deals, proofs, strict=True)]
    for member, ways in ((PROVIDER, (3, 1)), (CONSUMER, (1, 3))):
        stage.credit.open(member, 0, ways[0] * Q * REFERENCE, sender=people["book"])
        locked = ways[0] * Q * BOND + ways[1] * Q * PRICE
        stage.vault.lock(member, locked, sender=people["book"])
    stage.deals.commit(1, stage.round, root, sender=people["clearing"])
    stage.at(deals[0].end + D + 1)
    receipt = stage.deals.settle(references(*deals), sender=outsider)
    value, bond = Q * PRICE, Q * BOND
    assert stage.emitted(receipt)[4:] == [
        released(
            stage,
            (CONSUMER, CONSUMER, 2 * value),
            (PROVIDER, CONSUMER, 2 * bond),
            (PROVIDER, PROVIDER, value),
            (CONSUMER, PROVIDER, bond),
            (CONSUMER, CONSUMER, value),
            (PROVIDER, CONSUMER, bond),
        ),
        recorded(stage, PROVIDER, CONSUMER, 0, 2 * value),
        recorded(stage, CONSUMER, PROVIDER, 0, value),
        recorded(stage, PROVIDER, CONSUMER, 0, value),
    ]
    lost = 2 * bond
    assert stage.balances() == ((kit.funds - lost, 0), (kit.funds + lost, 0))
    assert [stage.credit.openValueOf(m) for m in (PROVIDER, CONSUMER)] == [0, 0]


# EXTREMES


def test_largest_deal_goes_through_all_states(stage, people, outsider):
    """Quantity and prices at the most that their fields hold."""
    quantity, price = 2**32 - 1, 2**72 - 1
    value, bond = quantity * price, -(-quantity * price // 10)
    # Some credit first: a newcomer's open value is capped.
    first = stage.open_deals(100, price=100_000)
    stage.deliver(*first)
    stage.accept(*first)
    stage.assets.raiseCapacity(stage.asset, quantity, sender=people["provider"])
    for name, member in (("provider", PROVIDER), ("consumer", CONSUMER)):
        stage.token.mint(people[name], 2 * value, sender=people["deployer"])
        stage.token.approve(stage.vault, 2 * value, sender=people[name])
        stage.vault.deposit(member, 2 * value, sender=people[name])
    before = stage.balances()
    deal = stage.open_deals(quantity, price=price, bond=price)[0]
    stage.deliver(deal)
    stage.accept(deal, accepted=0)
    stage.dispute(deal)
    assert [locked for _, locked in stage.balances()] == [value + bond] * 2
    stage.at(stage.progress(deal)[3] + 1)
    stage.deals.settle(references(deal), sender=outsider)
    # Half of the quantity, rounded down: as much bond is lost as is paid, and one unit's more.
    (provider, _), (consumer, _) = before
    assert stage.balances() == ((provider - price, 0), (consumer + price, 0))
    assert stage.credit.openValueOf(PROVIDER) == 0
