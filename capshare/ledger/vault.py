"""Vault: free and locked balance a member, the only holder of tokens."""

from __future__ import annotations

from collections.abc import Sequence

from capshare.events import Deposited, Locked, Released, Withdrawn
from capshare.ledger import members
from capshare.ledger.commands import Deposit, TokenTransfer, Withdraw
from capshare.ledger.core import Transaction, applies, decides, require
from capshare.ledger.state import State

MOST_HELD = (1 << 128) - 1
_AMOUNT = MOST_HELD
_MEMBER = (1 << 24) - 1


def movement(from_: int, to: int, amount: int) -> int:
    """Return locked money of one member that becomes free money of another, as one word."""
    return to << 152 | from_ << 128 | amount


@decides(Deposit)
def _deposit(tx: Transaction, command: Deposit) -> None:
    state, member, amount = tx.state, command.member, command.amount
    members.require_scope(state, member, command.sender, members.TREASURY)
    require(amount != 0, "ZeroAmount")
    owed = state.held
    transfer = command.transfer or TokenTransfer(balance_before=owed, moved=amount)
    before = transfer.balance_before
    require(before >= owed, "TokenShrunk", owed, before)
    require(amount <= MOST_HELD - owed, "BalanceTooLarge", member, amount)
    tx.emit(Deposited(member=member, from_=command.sender, amount=amount))
    require(transfer.moved == amount, "UnexpectedTransfer", amount, transfer.moved)


@decides(Withdraw)
def _withdraw(tx: Transaction, command: Withdraw) -> None:
    state, member, amount = tx.state, command.member, command.amount
    members.require_scope(state, member, command.sender, members.TREASURY)
    require(amount != 0, "ZeroAmount")
    free = state.free[member]
    require(amount <= free, "InsufficientFree", member, free, amount)
    tx.emit(Withdrawn(member=member, to=state.members[member].account, amount=amount))
    moved = command.transfer.moved if command.transfer else amount
    require(moved == amount, "UnexpectedTransfer", amount, moved)


def lock(tx: Transaction, member: int, amount: int) -> None:
    """Lock free money, as the book and the deals ask."""
    free = tx.state.free[member]
    require(amount <= free, "InsufficientFree", member, free, amount)
    tx.emit(Locked(member=member, amount=amount))


def release(tx: Transaction, movements: Sequence[int]) -> None:
    """Carry movements of locked money out; none: nothing happens."""
    if movements:
        tx.emit(Released(movements=tuple(movements)))


@applies(Deposited)
def _deposited(state: State, event: Deposited, now: int) -> None:
    state.held += event.amount
    state.free[event.member] += event.amount
    state.deposited[event.member] += event.amount


@applies(Withdrawn)
def _withdrawn(state: State, event: Withdrawn, now: int) -> None:
    state.held -= event.amount
    state.free[event.member] -= event.amount
    state.withdrawn[event.member] += event.amount


@applies(Locked)
def _locked(state: State, event: Locked, now: int) -> None:
    state.free[event.member] -= event.amount
    state.locked[event.member] += event.amount


@applies(Released)
def _released(state: State, event: Released, now: int) -> None:
    free, locked = state.free, state.locked
    for word in event.movements:
        amount = word & _AMOUNT
        locked[word >> 128 & _MEMBER] -= amount
        free[word >> 152 & _MEMBER] += amount
