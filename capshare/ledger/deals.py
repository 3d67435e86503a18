"""Deals: the life of each deal, from its clearing to its settlement."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import IntEnum

from capshare import eip712
from capshare.codec import ZERO_ADDRESS, keccak
from capshare.eip712 import Consent, Domain
from capshare.events import (
    DealContested,
    DealDisputed,
    DealRuled,
    DealsCommitted,
    DealSettled,
    DeliveryReported,
    TermsWords,
)
from capshare.ledger import credit, members, vault
from capshare.ledger.commands import (
    Accept,
    CancelDeal,
    Deliver,
    Dispute,
    Reference,
    ReleaseDeals,
    Rule,
    Settle,
)
from capshare.ledger.core import Transaction, applies, decides, require
from capshare.ledger.payouts import Payout, dispute_bond, given_up, paid, ruled, undone
from capshare.ledger.proofs import deal_of, is_proven
from capshare.ledger.state import Progress, State
from capshare.market.commitment import DealTerms


class DealState(IntEnum):
    """Where a deal stands; from SETTLED on it is final."""

    OPEN = 0
    DELIVERED = 1
    CONTESTED = 2
    DISPUTED = 3
    SETTLED = 4
    DEFAULTED = 5
    RELEASED = 6
    CANCELLED = 7


def domain(state: State) -> Domain:
    """Return where signatures over consents hold."""
    return Domain(chain_id=state.deployment.chain_id, contract=state.deployment.deals)


def draw_arbiter(state: State, deal: DealTerms) -> int:
    """Return the arbiter that the orders' ids draw among those outside both groups; 0: none."""
    provider_group = state.members[deal.provider].group
    consumer_group = state.members[deal.consumer].group
    outside = members.active_outside(state, state.arbiters, provider_group, consumer_group)
    if not outside:
        return 0
    words = deal.offer_id.to_bytes(32, "big") + deal.request_id.to_bytes(32, "big")
    return outside[int.from_bytes(keccak(words), "big") % len(outside)]


@dataclass(slots=True)
class _Call:
    """What one call's final deals do to the vault and to credit, once it is through."""

    tx: Transaction
    sender: bytes = ZERO_ADDRESS
    party: int = 0  # whose operate key the sender is
    to_lock: int = 0  # by the party
    # Provider, consumer and payout of each run of deals between the same two.
    runs: list[tuple[int, int, Payout]] = field(default_factory=list)

    def require_party(self, member: int) -> None:
        """Refuse unless the sender may operate for the member."""
        members.require_scope(self.tx.state, member, self.sender, members.OPERATE)
        self.party = member

    def finish(
        self, deal: DealTerms, terms: TermsWords, state: DealState, quantity: int, payout: Payout
    ) -> None:
        """Make a deal final; its money and credit move at the call's end."""
        self.tx.emit(DealSettled(deal=deal.id, state=int(state), quantity=quantity, terms=terms))
        parties = (deal.provider, deal.consumer)
        if self.runs and self.runs[-1][:2] == parties:
            payout = self.runs.pop()[2] + payout
        self.runs.append((*parties, payout))

    def carry_out(self) -> None:
        """Move money and credit: what is freed is free before any is locked."""
        movements = [
            vault.movement(from_, to, amount)
            for provider, consumer, payout in self.runs
            for from_, to, amount in (
                (consumer, provider, payout.earned),
                (consumer, consumer, payout.refunded),
                (provider, provider, payout.returned),
                (provider, consumer, payout.forfeited),
            )
            if amount
        ]
        vault.release(self.tx, movements)
        if self.to_lock:
            vault.lock(self.tx, self.party, self.to_lock)
        for provider, consumer, payout in self.runs:
            credit.record(self.tx, provider, consumer, payout)


def _load(tx: Transaction, reference: Reference) -> tuple[DealTerms, Progress]:
    """Return a committed deal and where it stands."""
    require(is_proven(tx.state, reference), "NotProven", reference.terms.word0 >> 196)
    deal = deal_of(reference.terms)
    return deal, tx.state.progress[deal.id]


def _require_state(deal: DealTerms, progress: Progress, state: DealState) -> None:
    require(progress.state == state, "WrongState", deal.id, progress.state)


def _require_in_time(tx: Transaction, deal: DealTerms, deadline: int) -> None:
    require(tx.now <= deadline, "DealDeadlinePassed", deal.id, deadline)


def _slot_end(tx: Transaction, deal: DealTerms) -> int:
    return tx.state.classes[deal.class_index].slot_end(deal.slot)


def _require_lengths(deals: int, *entries: int) -> None:
    require(deals != 0, "EmptyList")
    for count in entries:
        require(count == deals, "ListLengths", deals, count)


def _bond(tx: Transaction, deal: DealTerms, reported: int, accepted: int) -> int:
    return dispute_bond(deal, reported, accepted, tx.state.parameters.dispute_rate)


def _with_bonds(tx: Transaction, deal: DealTerms, progress: Progress, payout: Payout) -> Payout:
    """Add the bonds that the deal's state has locked to what goes back to each side."""
    if progress.state < DealState.CONTESTED:
        return payout
    bond = _bond(tx, deal, progress.reported, progress.accepted)
    returned = bond if progress.state == DealState.DISPUTED else 0
    return replace(payout, refunded=payout.refunded + bond, returned=payout.returned + returned)


# -- verbs ---------------------------------------------------------------------------------------


@decides(Deliver)
def _deliver(tx: Transaction, command: Deliver) -> None:
    _require_lengths(len(command.deals), len(command.quantities), len(command.evidence))
    call = _Call(tx, command.sender)
    for reference, quantity, evidence in zip(
        command.deals, command.quantities, command.evidence, strict=True
    ):
        deal, progress = _load(tx, reference)
        _require_state(deal, progress, DealState.OPEN)
        end = _slot_end(tx, deal)
        require(tx.now >= end, "BeforeSlotEnd", deal.id, end)
        _require_in_time(tx, deal, end + tx.state.parameters.deliver_within)
        call.require_party(deal.provider)
        is_right = 0 < quantity <= deal.quantity
        require(is_right, "BadReport", deal.id, quantity, deal.quantity)
        tx.emit(
            DeliveryReported(
                deal=deal.id,
                reported=quantity,
                deadline=tx.now + tx.state.parameters.accept_within,
                evidence=evidence,
            )
        )


@decides(Accept)
def _accept(tx: Transaction, command: Accept) -> None:
    _require_lengths(len(command.deals), len(command.quantities), len(command.evidence))
    call = _Call(tx, command.sender)
    for reference, quantity, evidence in zip(
        command.deals, command.quantities, command.evidence, strict=True
    ):
        deal, progress = _load(tx, reference)
        _require_state(deal, progress, DealState.DELIVERED)
        _require_in_time(tx, deal, progress.deadline)
        call.require_party(deal.consumer)
        reported = progress.reported
        require(quantity <= reported, "AcceptedAboveReported", deal.id, quantity, reported)
        if quantity == reported:
            payout = paid(deal, quantity)
            payout = replace(payout, consumer_good=payout.earned)
            call.finish(deal, reference.terms, DealState.SETTLED, quantity, payout)
            continue
        call.to_lock += _bond(tx, deal, reported, quantity)
        tx.emit(
            DealContested(
                deal=deal.id,
                accepted=quantity,
                deadline=tx.now + tx.state.parameters.answer_within,
                evidence=evidence,
            )
        )
    call.carry_out()


@decides(Dispute)
def _dispute(tx: Transaction, command: Dispute) -> None:
    _require_lengths(len(command.deals), len(command.evidence))
    call = _Call(tx, command.sender)
    for reference, evidence in zip(command.deals, command.evidence, strict=True):
        deal, progress = _load(tx, reference)
        _require_state(deal, progress, DealState.CONTESTED)
        _require_in_time(tx, deal, progress.deadline)
        call.require_party(deal.provider)
        call.to_lock += _bond(tx, deal, progress.reported, progress.accepted)
        tx.emit(
            DealDisputed(
                deal=deal.id,
                arbiter=draw_arbiter(tx.state, deal),
                deadline=tx.now + tx.state.parameters.rule_within,
                evidence=evidence,
            )
        )
    call.carry_out()


@decides(Rule)
def _rule(tx: Transaction, command: Rule) -> None:
    quantity, terms = command.quantity, command.deal.terms
    deal, progress = _load(tx, command.deal)
    _require_state(deal, progress, DealState.DISPUTED)
    _require_in_time(tx, deal, progress.deadline)
    arbiter = tx.state.member_of[command.sender]
    require(_may_rule(tx, arbiter, deal, progress), "NotArbiter", deal.id, command.sender)
    accepted, reported = progress.accepted, progress.reported
    is_inside = accepted <= quantity <= reported
    require(is_inside, "RulingOutside", deal.id, quantity, accepted, reported)
    tx.emit(DealRuled(deal=deal.id, arbiter=arbiter, quantity=quantity, reason=command.reason))
    call = _Call(tx)
    payout = ruled(deal, reported, accepted, quantity, _bond(tx, deal, reported, accepted))
    call.finish(deal, terms, DealState.SETTLED, quantity, payout)
    call.carry_out()


def _may_rule(tx: Transaction, arbiter: int, deal: DealTerms, progress: Progress) -> bool:
    """Tell whether a member is the arbiter drawn, or any eligible one after half of the time."""
    state, rule_within = tx.state, tx.state.parameters.rule_within
    halfway = progress.deadline - rule_within + rule_within // 2
    if arbiter != progress.arbiter and tx.now <= halfway:
        return False
    group = state.members[arbiter].group
    parties = (state.members[deal.provider].group, state.members[deal.consumer].group)
    return members.is_active(state, arbiter, members.ARBITER) and group not in parties


@decides(ReleaseDeals)
def _release(tx: Transaction, command: ReleaseDeals) -> None:
    _require_lengths(len(command.deals))
    call = _Call(tx, command.sender)
    for reference in command.deals:
        deal, progress = _load(tx, reference)
        _require_state(deal, progress, DealState.OPEN)
        gate = tx.state.classes[deal.class_index].gate(deal.slot)
        require(tx.now < gate, "GatePassed", deal.id, gate)
        call.require_party(deal.provider)
        call.finish(deal, reference.terms, DealState.RELEASED, 0, given_up(deal))
    call.carry_out()


@decides(CancelDeal)
def _cancel(tx: Transaction, command: CancelDeal) -> None:
    deal, progress = _load(tx, command.deal)
    is_going = progress.state <= DealState.DISPUTED
    require(is_going, "WrongState", deal.id, progress.state)
    is_open = progress.state == DealState.OPEN
    last = _slot_end(tx, deal) + tx.state.parameters.deliver_within
    _require_in_time(tx, deal, last if is_open else progress.deadline)
    require(tx.now <= command.deadline, "ConsentExpired", deal.id, command.deadline)
    consent = Consent(
        deal=deal.id,
        state=progress.state,
        reported=progress.reported,
        accepted=progress.accepted,
        deadline=command.deadline,
    )
    signed = eip712.digest(consent, domain(tx.state))
    for member, signature in (
        (deal.provider, command.provider_signature),
        (deal.consumer, command.consumer_signature),
    ):
        signer = eip712.recover(signed, signature)
        may_act = members.has_scope(tx.state, member, signer, members.OPERATE)
        require(may_act, "BadConsent", deal.id, member, signer)
    call = _Call(tx)
    payout = _with_bonds(tx, deal, progress, undone(deal))
    call.finish(deal, command.deal.terms, DealState.CANCELLED, 0, payout)
    call.carry_out()


@decides(Settle)
def _settle(tx: Transaction, command: Settle) -> None:
    _require_lengths(len(command.deals))
    call = _Call(tx)
    for reference in command.deals:
        deal, progress = _load(tx, reference)
        if progress.state > DealState.DISPUTED:
            continue
        is_open = progress.state == DealState.OPEN
        last = _slot_end(tx, deal) + tx.state.parameters.deliver_within
        if tx.now <= (last if is_open else progress.deadline):
            continue
        quantity = undisturbed(progress)
        payout = _with_bonds(tx, deal, progress, paid(deal, quantity))
        final = DealState.DEFAULTED if is_open else DealState.SETTLED
        call.finish(deal, reference.terms, final, quantity, payout)
    call.carry_out()


def undisturbed(progress: Progress) -> int:
    """Return what a deal settles at if nobody acts in time: reported, accepted, or the middle."""
    if progress.state == DealState.DISPUTED:
        return (progress.accepted + progress.reported) // 2
    return progress.accepted if progress.state == DealState.CONTESTED else progress.reported


# -- events --------------------------------------------------------------------------------------


@applies(DealsCommitted)
def _deals_committed(state: State, event: DealsCommitted, now: int) -> None:
    state.roots[event.class_index << 32 | event.round] = event.root


@applies(DeliveryReported)
def _delivery_reported(state: State, event: DeliveryReported, now: int) -> None:
    state.progress[event.deal] = Progress(
        state=DealState.DELIVERED, reported=event.reported, deadline=event.deadline
    )


@applies(DealContested)
def _deal_contested(state: State, event: DealContested, now: int) -> None:
    state.progress[event.deal] = replace(
        state.progress[event.deal],
        state=DealState.CONTESTED,
        accepted=event.accepted,
        deadline=event.deadline,
    )


@applies(DealDisputed)
def _deal_disputed(state: State, event: DealDisputed, now: int) -> None:
    state.progress[event.deal] = replace(
        state.progress[event.deal],
        state=DealState.DISPUTED,
        arbiter=event.arbiter,
        deadline=event.deadline,
    )


@applies(DealRuled)
def _deal_ruled(state: State, event: DealRuled, now: int) -> None:
    """Change nothing: the settlement follows."""


@applies(DealSettled)
def _deal_settled(state: State, event: DealSettled, now: int) -> None:
    deal = deal_of(event.terms)
    state.progress[event.deal] = replace(state.progress[event.deal], state=event.state)
    reference = state.classes[deal.class_index].reference
    state.open_value[deal.provider] -= deal.quantity * reference
    state.deals.drop(event.deal)
    if event.state in (DealState.RELEASED, DealState.CANCELLED):
        key = deal.asset << 24 | deal.slot
        state.reserved[key] -= deal.quantity
        state.used[key] -= deal.quantity
