"""The ledger's deals, vault and credit: every way a deal ends, to the base unit."""

from dataclasses import replace

import pytest

from capshare import eip712
from capshare.codec import keccak
from capshare.eip712 import Consent
from capshare.events import (
    CreditRecorded,
    DealContested,
    DealDisputed,
    DealRuled,
    DealSettled,
    DeliveryReported,
    Deposited,
    Locked,
    Released,
    Withdrawn,
)
from capshare.ledger import credit, deals, registry_views, vault, views
from capshare.ledger.commands import (
    Accept,
    CancelDeal,
    Deliver,
    Deposit,
    Dispute,
    Reference,
    ReleaseDeals,
    Rule,
    SetGroup,
    SetRoles,
    SetSigner,
    Settle,
    TokenTransfer,
    Withdraw,
)
from capshare.ledger.deals import DealState
from capshare.ledger.proofs import deal_of
from capshare.ledger.state import Record
from tests.unit.ledger_play import (
    ARBITER,
    CONSUMER,
    FIRST_SLOT,
    OTHER,
    PLAIN,
    PROVIDER,
    L,
    Play,
    S,
    address,
    sign,
)

EVIDENCE = b"e" * 32
QUANTITY, PRICE, BOND = 10, 25, 6
END = (FIRST_SLOT + 1) * S
MONEY = 1_000_000


class Scene:
    """One open deal of 10 units at 25, with a bond of 6 a unit, at its slot's end."""

    def __init__(self) -> None:
        self.play = Play()
        self.deal = self.play.one_deal(QUANTITY)
        self.id = deal_of(self.deal.terms).id
        self.play.now = END

    def deliver(self, quantity: int = QUANTITY, sender: int = PROVIDER) -> list:
        return self.play.do(
            Deliver, sender, deals=(self.deal,), quantities=(quantity,), evidence=(EVIDENCE,)
        )

    def accept(self, quantity: int = QUANTITY, sender: int = CONSUMER) -> list:
        return self.play.do(
            Accept, sender, deals=(self.deal,), quantities=(quantity,), evidence=(EVIDENCE,)
        )

    def dispute(self) -> list:
        return self.play.do(Dispute, PROVIDER, deals=(self.deal,), evidence=(EVIDENCE,))

    def settle(self) -> list:
        return self.play.do(Settle, PLAIN, deals=(self.deal,))

    def lapse(self) -> None:
        """Go one second past the deal's deadline."""
        self.play.now = self.play.state.progress[self.id].deadline + 1

    def gains(self) -> tuple[int, int]:
        """Return what provider and consumer have more than they paid in; nothing may be locked."""
        balances = [views.balance_of(self.play.state, m) for m in (PROVIDER, CONSUMER)]
        assert [locked for _, locked in balances] == [0, 0]
        return balances[0][0] - MONEY, balances[1][0] - MONEY


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_deal_pays_in_full_when_accepted(scene: Scene) -> None:
    (reported,) = scene.deliver()
    deadline = scene.play.now + 120
    assert reported == DeliveryReported(
        deal=scene.id, reported=10, deadline=deadline, evidence=EVIDENCE
    )
    settled, released, *recorded = scene.accept()
    assert settled == DealSettled(
        deal=scene.id, state=DealState.SETTLED, quantity=10, terms=scene.deal.terms
    )
    assert released == Released(
        movements=(
            vault.movement(CONSUMER, PROVIDER, 250),
            vault.movement(PROVIDER, PROVIDER, 60),
        )
    )
    assert recorded == [
        CreditRecorded(member=PROVIDER, counterparty_group=CONSUMER, good=250, bad=0),
        CreditRecorded(member=CONSUMER, counterparty_group=PROVIDER, good=250, bad=0),
    ]
    assert scene.gains() == (250, -250)
    assert scene.play.state.open_value[PROVIDER] == 0
    assert credit.band_of(scene.play.state, PROVIDER, scene.play.now) == 1


def test_silence_accepts_and_is_neutral_for_the_consumer(scene: Scene) -> None:
    scene.deliver(8)
    assert scene.settle() == []
    scene.lapse()
    settled, _, *recorded = scene.settle()
    assert (settled.state, settled.quantity) == (DealState.SETTLED, 8)
    assert recorded == [
        CreditRecorded(member=PROVIDER, counterparty_group=CONSUMER, good=200, bad=50)
    ]
    assert scene.gains() == (200 - 2 * BOND, -200 + 2 * BOND)
    assert scene.settle() == []


def test_no_report_defaults(scene: Scene) -> None:
    scene.play.now = END + 151
    settled, _, recorded = scene.settle()
    assert (settled.state, settled.quantity) == (DealState.DEFAULTED, 0)
    assert (recorded.good, recorded.bad) == (0, 250)
    assert scene.gains() == (-10 * BOND, 10 * BOND)


def test_contest_left_unanswered_settles_at_the_accepted_figure(scene: Scene) -> None:
    scene.deliver()
    contested, locked = scene.accept(7)
    deadline = scene.play.now + 110
    assert contested == DealContested(
        deal=scene.id, accepted=7, deadline=deadline, evidence=EVIDENCE
    )
    assert locked == Locked(member=CONSUMER, amount=8)  # ceil(3 * 25 * 10 %)
    scene.lapse()
    settled, *_ = scene.settle()
    assert settled.quantity == 7
    assert scene.gains() == (175 - 3 * BOND, -175 + 3 * BOND)


def disputed(scene: Scene, accepted: int = 6) -> None:
    scene.deliver()
    scene.accept(accepted)
    opened, locked = scene.dispute()
    assert opened == DealDisputed(
        deal=scene.id, arbiter=ARBITER, deadline=scene.play.now + 200, evidence=EVIDENCE
    )
    assert locked.amount == -(-(10 - accepted) * PRICE // 10)


@pytest.mark.parametrize(
    ("ruling", "provider", "consumer_bad"),
    [
        (6, 150 - 4 * BOND - 10, 0),  # the provider's figure is farther
        (8, 200 - 2 * BOND, 0),  # a tie
        (9, 225 - BOND + 10, 75),  # the consumer's figure is farther
        (10, 250 + 10, 100),
    ],
)
def test_ruling_takes_the_bond_of_the_farther_figure(
    scene: Scene, ruling: int, provider: int, consumer_bad: int
) -> None:
    disputed(scene)
    given = {"deal": scene.deal, "quantity": ruling, "reason": EVIDENCE}
    ruled, settled, *_ = scene.play.do(Rule, ARBITER, **given)
    assert ruled == DealRuled(deal=scene.id, arbiter=ARBITER, quantity=ruling, reason=EVIDENCE)
    assert settled.quantity == ruling
    assert scene.gains() == (provider, -provider)
    assert scene.play.state.records[CONSUMER].bad == consumer_bad


def test_dispute_without_ruling_ends_in_the_middle(scene: Scene) -> None:
    disputed(scene, accepted=5)
    scene.lapse()
    settled, *_ = scene.settle()
    assert settled.quantity == 7
    assert scene.gains() == (175 - 3 * BOND, -175 + 3 * BOND)


def test_other_arbiters_rule_after_half_of_the_time(scene: Scene) -> None:
    disputed(scene)
    scene.play.by_council(SetRoles, member=OTHER, roles=8)
    given = {"deal": scene.deal, "quantity": 8, "reason": EVIDENCE}
    scene.play.now += 100
    refused = scene.play.refusal(Rule, OTHER, **given)
    assert refused == ("NotArbiter", scene.id, address(OTHER))
    scene.play.now += 1
    assert scene.play.do(Rule, OTHER, **given)


@pytest.mark.parametrize("role_lost", [True, False])
def test_arbiter_of_a_party_or_without_the_role_does_not_rule(
    scene: Scene, role_lost: bool
) -> None:
    disputed(scene)
    if role_lost:
        scene.play.by_council(SetRoles, member=ARBITER, roles=0)
    else:
        scene.play.by_council(SetGroup, member=ARBITER, group=PROVIDER)
    given = {"deal": scene.deal, "quantity": 8, "reason": EVIDENCE}
    refused = scene.play.refusal(Rule, ARBITER, **given)
    assert refused == ("NotArbiter", scene.id, address(ARBITER))


def test_ruling_stays_between_the_figures(scene: Scene) -> None:
    disputed(scene)
    given = {"deal": scene.deal, "quantity": 5, "reason": EVIDENCE}
    refused = scene.play.refusal(Rule, ARBITER, **given)
    assert refused == ("RulingOutside", scene.id, 5, 6, 10)


def test_arbiter_is_drawn_by_the_orders_ids(scene: Scene) -> None:
    state = scene.play.state
    for member in (OTHER, PLAIN):
        scene.play.by_council(SetRoles, member=member, roles=8)
    deal = deal_of(scene.deal.terms)
    drawn = keccak(deal.offer_id.to_bytes(32, "big") + deal.request_id.to_bytes(32, "big"))
    expected = (ARBITER, OTHER, PLAIN)[int.from_bytes(drawn, "big") % 3]
    assert deals.draw_arbiter(state, deal) == expected
    for member in (ARBITER, OTHER, PLAIN):
        scene.play.by_council(SetRoles, member=member, roles=0)
    assert deals.draw_arbiter(state, deal) == 0


def test_release_before_the_gate_costs_half_of_the_bond(scene: Scene) -> None:
    gate = FIRST_SLOT * S - L
    scene.play.now = gate
    refused = scene.play.refusal(ReleaseDeals, PROVIDER, deals=(scene.deal,))
    assert refused == ("GatePassed", scene.id, gate)
    scene.play.now = gate - 1
    settled, _, recorded = scene.play.do(ReleaseDeals, PROVIDER, deals=(scene.deal,))
    assert (settled.state, settled.quantity) == (DealState.RELEASED, 0)
    assert recorded.bad == 125
    assert scene.gains() == (-30, 30)
    assert registry_views.reserved_of(scene.play.state, 1, FIRST_SLOT) == 0


def consent(scene: Scene, deadline: int, provider: int = PROVIDER) -> dict:
    progress = scene.play.state.progress[scene.id]
    digest = eip712.digest(
        Consent(
            deal=scene.id,
            state=progress.state,
            reported=progress.reported,
            accepted=progress.accepted,
            deadline=deadline,
        ),
        deals.domain(scene.play.state),
    )
    return {
        "deal": scene.deal,
        "deadline": deadline,
        "provider_signature": sign(provider, digest),
        "consumer_signature": sign(CONSUMER, digest),
    }


@pytest.mark.parametrize("steps", [0, 1, 2, 3])
def test_cancel_returns_everything_from_every_state(scene: Scene, steps: int) -> None:
    for step in (scene.deliver, lambda: scene.accept(6), scene.dispute)[:steps]:
        step()
    settled, *rest = scene.play.do(CancelDeal, PLAIN, **consent(scene, scene.play.now))
    assert settled.state == DealState.CANCELLED
    assert [type(event) for event in rest] == [Released]
    assert scene.gains() == (0, 0)
    assert registry_views.reserved_of(scene.play.state, 1, FIRST_SLOT) == 0


def test_cancel_refuses_old_consents_strangers_and_late_ones(scene: Scene) -> None:
    now = scene.play.now
    old = consent(scene, now + 500)
    expired = consent(scene, now - 1)
    assert scene.play.refusal(CancelDeal, PLAIN, **expired) == (
        "ConsentExpired",
        scene.id,
        now - 1,
    )
    stranger = consent(scene, now, provider=OTHER)
    assert scene.play.refusal(CancelDeal, PLAIN, **stranger) == (
        "BadConsent",
        scene.id,
        PROVIDER,
        address(OTHER),
    )
    scene.deliver()
    assert scene.play.refusal(CancelDeal, PLAIN, **old)[0] == "BadConsent"
    deadline = scene.play.state.progress[scene.id].deadline
    scene.lapse()
    refused = scene.play.refusal(CancelDeal, PLAIN, **consent(scene, now + 500))
    assert refused == ("DealDeadlinePassed", scene.id, deadline)


def test_deliver_refuses(scene: Scene) -> None:
    play = scene.play

    def refusal(sender: int = PROVIDER, quantity: int = 10, deal: Reference | None = None):
        given = deal or scene.deal
        return play.refusal(
            Deliver, sender, deals=(given,), quantities=(quantity,), evidence=(EVIDENCE,)
        )

    assert refusal(quantity=0) == ("BadReport", scene.id, 0, 10)
    assert refusal(quantity=11) == ("BadReport", scene.id, 11, 10)
    assert refusal(sender=CONSUMER) == ("NotSigner", PROVIDER, address(CONSUMER), 2)
    forged = replace(scene.deal, terms=replace(scene.deal.terms, word1=1))
    assert refusal(deal=forged) == ("NotProven", scene.id)
    play.now = END - 1
    assert refusal() == ("BeforeSlotEnd", scene.id, END)
    play.now = END + 151
    assert refusal() == ("DealDeadlinePassed", scene.id, END + 150)
    assert play.refusal(Deliver, PROVIDER, deals=(), quantities=(), evidence=()) == ("EmptyList",)
    lists = {"deals": (scene.deal,), "quantities": (1,), "evidence": ()}
    assert play.refusal(Deliver, PROVIDER, **lists) == ("ListLengths", 1, 0)


def test_deal_is_reported_once_even_within_one_call(scene: Scene) -> None:
    refused = scene.play.refusal(
        Deliver,
        PROVIDER,
        deals=(scene.deal, scene.deal),
        quantities=(1, 1),
        evidence=(EVIDENCE,) * 2,
    )
    assert refused == ("WrongState", scene.id, DealState.DELIVERED)


def test_accept_refuses_more_than_reported_and_late_figures(scene: Scene) -> None:
    scene.deliver(5)
    given = {"deals": (scene.deal,), "evidence": (EVIDENCE,)}
    refused = scene.play.refusal(Accept, CONSUMER, quantities=(6,), **given)
    assert refused == ("AcceptedAboveReported", scene.id, 6, 5)
    deadline = scene.play.state.progress[scene.id].deadline
    scene.lapse()
    refused = scene.play.refusal(Accept, CONSUMER, quantities=(5,), **given)
    assert refused == ("DealDeadlinePassed", scene.id, deadline)


def test_operate_key_acts_for_its_member(scene: Scene) -> None:
    scene.play.do(SetSigner, PROVIDER, signer=address(70), scopes=2, limit=0)
    assert scene.deliver(sender=70)


# -- Vault ---------------------------------------------------------------------------------------


@pytest.fixture
def play() -> Play:
    return Play()


def test_deposit_and_withdrawal_go_through_the_account(play: Play) -> None:
    treasurer = address(70)
    play.do(SetSigner, OTHER, signer=treasurer, scopes=4, limit=0)
    assert play.do(Deposit, treasurer, member=OTHER, amount=7) == [
        Deposited(member=OTHER, from_=treasurer, amount=7)
    ]
    assert play.do(Withdraw, treasurer, member=OTHER, amount=3) == [
        Withdrawn(member=OTHER, to=address(OTHER), amount=3)
    ]
    assert views.balance_of(play.state, OTHER) == (4, 0)


def test_vault_refuses(play: Play) -> None:
    def refusal(verb, amount: int, transfer: TokenTransfer | None = None) -> tuple:
        return play.refusal(verb, OTHER, member=OTHER, amount=amount, transfer=transfer)

    play.do(Deposit, OTHER, member=OTHER, amount=5)
    assert refusal(Deposit, 0) == ("ZeroAmount",)
    assert refusal(Withdraw, 6) == ("InsufficientFree", OTHER, 5, 6)
    assert refusal(Deposit, 2**128 - 5) == ("BalanceTooLarge", OTHER, 2**128 - 5)
    shrunk = TokenTransfer(balance_before=4, moved=1)
    assert refusal(Deposit, 1, shrunk) == ("TokenShrunk", 5, 4)
    taxed = TokenTransfer(balance_before=5, moved=9)
    assert refusal(Deposit, 10, taxed) == ("UnexpectedTransfer", 10, 9)
    assert refusal(Withdraw, 1, taxed) == ("UnexpectedTransfer", 1, 9)
    refused = play.refusal(Deposit, PROVIDER, member=OTHER, amount=1)
    assert refused == ("NotSigner", OTHER, address(PROVIDER), 4)


# -- CreditLedger --------------------------------------------------------------------------------


def recorded(play: Play, member: int, group: int, good: int = 0, bad: int = 0) -> None:
    play.fold(CreditRecorded(member=member, counterparty_group=group, good=good, bad=bad))


def test_credit_halves_at_each_multiple_of_a_half_life(play: Play) -> None:
    recorded(play, PROVIDER, OTHER, good=1_001, bad=7)
    half_life = play.parameters.good_half_life
    play.now = (play.now // half_life + 1) * half_life
    assert credit.credit_of(play.state, PROVIDER, play.now - 1) == (1_001, 7)
    assert credit.credit_of(play.state, PROVIDER, play.now)[0] == 500
    assert credit.added_by(play.state, PROVIDER, OTHER, play.now) == 500
    recorded(play, PROVIDER, OTHER, good=1)
    assert play.state.records[PROVIDER].good == 501


def test_credit_saturates(play: Play) -> None:
    recorded(play, PROVIDER, OTHER, good=2**112 - 2)
    recorded(play, PROVIDER, CONSUMER, good=5, bad=2**200)
    assert play.state.records[PROVIDER] == Record(good=2**112 - 1, bad=2**112 - 1, touched=play.now)


@pytest.mark.parametrize(
    ("good", "bad", "band"),
    [(99, 0, 0), (100, 0, 1), (100, 51, 0), (2_000, 250, 3), (2_000, 251, 2), (10**6, 0, 7)],
)
def test_band_needs_its_threshold_and_its_ratio(play: Play, good: int, bad: int, band: int) -> None:
    recorded(play, PROVIDER, OTHER, good=good, bad=bad)
    assert credit.band_of(play.state, PROVIDER, play.now) == band


def test_counterparty_group_adds_no_more_than_its_cap() -> None:
    scene = Scene()
    recorded(scene.play, PROVIDER, CONSUMER, good=2_900)
    scene.deliver()
    *_, provider, consumer = scene.accept()
    assert (provider.good, consumer.good) == (100, 250)


def test_deals_inside_one_owner_group_build_no_credit() -> None:
    scene = Scene()
    scene.play.by_council(SetGroup, member=CONSUMER, group=PROVIDER)
    scene.deliver()
    assert [type(event) for event in scene.accept()] == [DealSettled, Released]
    assert scene.play.state.open_value[PROVIDER] == 0
