"""Conservation of money and capacity: what the invariants I1, I2 and I4 say, checked anew.

Everything is summed up from orders and deals, never from the running figures that it is compared
with.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from capshare.ledger import batches
from capshare.ledger.payouts import dispute_bond
from capshare.ledger.state import State

_24 = (1 << 24) - 1
_CONTESTED, _DISPUTED = 2, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Imbalance:
    """A figure that is not what it must be; `subject` names whose, such as `locked of member 3`."""

    rule: str  # I1, I2 or I4
    subject: str
    expected: int
    found: int


def check_conservation(state: State) -> list[Imbalance]:
    """Return what is not conserved in a state: an empty list if all is."""
    return [*_check_money(state), *_check_capacity(state)]


def needed_locks(state: State) -> dict[int, int]:
    """Return by member what its live orders and the deals that are not final have to lock."""
    locked: dict[int, int] = defaultdict(int)
    for number, _ in state.live_batches.entries():
        batch = state.batches[number]
        for order in batches.live_orders_of(state, number):
            rate = batches.locked_per_unit(state, batch, batches.word_of(state, order))
            locked[batch >> 152 & _24] += batches.left_of(state, order) * rate
    rate = state.parameters.dispute_rate
    for identifier, deal in state.deals.entries():
        assert deal is not None
        locked[deal.consumer] += deal.quantity * deal.price
        locked[deal.provider] += deal.quantity * deal.bond_per_unit
        progress = state.progress[identifier]
        bond = dispute_bond(deal, progress.reported, progress.accepted, rate)
        if progress.state in (_CONTESTED, _DISPUTED):
            locked[deal.consumer] += bond
        if progress.state == _DISPUTED:
            locked[deal.provider] += bond
    return locked


def _check_money(state: State) -> list[Imbalance]:
    free, locked = dict(state.free.entries()), dict(state.locked.entries())
    found = []
    paid_in = sum(v for _, v in state.deposited.entries())
    paid_out = sum(v for _, v in state.withdrawn.entries())
    for subject, total in (
        ("deposits - withdrawals", paid_in - paid_out),
        ("free + locked of all members", sum(free.values()) + sum(locked.values())),
    ):
        if total != state.held:
            found.append(Imbalance(rule="I1", subject=subject, expected=state.held, found=total))
    needed = needed_locks(state)
    for member in sorted(locked.keys() | needed.keys()):
        expected, held = needed.get(member, 0), locked.get(member, 0)
        if expected != held:
            found.append(
                Imbalance(
                    rule="I1", subject=f"locked of member {member}", expected=expected, found=held
                )
            )
    for member, amount in free.items():
        if amount < 0:
            found.append(
                Imbalance(rule="I2", subject=f"free of member {member}", expected=0, found=amount)
            )
    return found


def _check_capacity(state: State) -> list[Imbalance]:
    needed = defaultdict(int, state.used.entries())
    for number, _ in state.live_batches.entries():
        if state.batches[number] >> 188 & 1:
            continue
        for order in batches.live_orders_of(state, number):
            word = batches.word_of(state, order)
            needed[word >> 200 << 24 | word >> 72 & _24] += batches.left_of(state, order)
    reserved = dict(state.reserved.entries())
    found = []
    for key in sorted(reserved.keys() | needed.keys()):
        subject = f"reserved of asset {key >> 24} in slot {key & _24}"
        expected, held = needed.get(key, 0), reserved.get(key, 0)
        if expected != held:
            found.append(Imbalance(rule="I4", subject=subject, expected=expected, found=held))
        capacity = state.assets[key >> 24].capacity
        if held > capacity:
            found.append(Imbalance(rule="I4", subject=subject, expected=capacity, found=held))
    return found
