"""CreditLedger: outcomes of deals to bands, and open value."""

from __future__ import annotations

from capshare.events import CreditRecorded
from capshare.ledger.core import Transaction, applies, require
from capshare.ledger.payouts import Payout
from capshare.ledger.state import Added, Record, State
from capshare.parameters import BANDS

MOST = (1 << 112) - 1


def decayed(value: int, touched: int, now: int, half_life: int) -> int:
    """Return what is left now of a value: it halves at each multiple of the half-life."""
    return value >> (now // half_life - touched // half_life)


def credit_of(state: State, member: int, now: int) -> tuple[int, int]:
    """Return a member's good and bad, decayed to now [token base units]."""
    record, parameters = state.records[member], state.parameters
    return (
        decayed(record.good, record.touched, now, parameters.good_half_life),
        decayed(record.bad, record.touched, now, parameters.bad_half_life),
    )


def added_by(state: State, member: int, group: int, now: int) -> int:
    """Return what an owner group has added to a member's good, decayed to now."""
    added = state.added[member << 24 | group]
    return decayed(added.value, added.touched, now, state.parameters.good_half_life)


def band_of(state: State, member: int, now: int) -> int:
    """Return the highest band whose threshold and ratio the member's credit reaches."""
    good, bad = credit_of(state, member, now)
    thresholds, ratios = state.parameters.thresholds, state.parameters.ratios
    for band in range(BANDS - 1, 0, -1):
        if good >= thresholds[band] and good >= ratios[band] * bad:
            return band
    return 0


def check_open(state: State, member: int, declared: int, value: int, now: int) -> None:
    """Refuse a batch of offers that declares more credit, or opens more value, than is allowed."""
    band = band_of(state, member, now)
    require(declared <= band, "CreditAboveBand", member, declared, band)
    wanted, cap = state.open_value[member] + value, state.parameters.newcomer_cap
    require(band != 0 or wanted <= cap, "NewcomerCapExceeded", member, wanted, cap)


def record(tx: Transaction, provider: int, consumer: int, payout: Payout) -> None:
    """Record what deals between two say of them; inside one owner group, nothing."""
    provider_group = tx.state.members[provider].group
    consumer_group = tx.state.members[consumer].group
    if provider_group != consumer_group:
        _record(tx, provider, consumer_group, payout.provider_good, payout.provider_bad)
        _record(tx, consumer, provider_group, payout.consumer_good, payout.consumer_bad)


def _record(tx: Transaction, member: int, group: int, good: int, bad: int) -> None:
    if good:
        already = added_by(tx.state, member, group, tx.now)
        good = min(good, tx.state.parameters.counterparty_cap - already)
    if good or bad:
        tx.emit(CreditRecorded(member=member, counterparty_group=group, good=good, bad=bad))


@applies(CreditRecorded)
def _credit_recorded(state: State, event: CreditRecorded, now: int) -> None:
    member, group = event.member, event.counterparty_group
    if event.good:
        already = added_by(state, member, group, now)
        state.added[member << 24 | group] = Added(value=already + event.good, touched=now)
    good, bad = credit_of(state, member, now)
    state.records[member] = Record(
        good=min(good + event.good, MOST), bad=min(bad + event.bad, MOST), touched=now
    )
