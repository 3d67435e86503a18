"""How the ledger works: commands are decided into events or a refusal, events are applied."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from capshare.events import Event
from capshare.ledger.commands import Command
from capshare.ledger.state import State

NO_REASON = ""  # name of a refusal whose contract reverts without a reason

E = TypeVar("E", bound=Event)
C = TypeVar("C", bound=Command)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a contract refuses: its error's name and values in the order of its parameters.

    Values are as in events: numbers, addresses of 20 bytes. The name may be NO_REASON.
    """

    name: str
    values: tuple[Any, ...] = ()

    def __str__(self) -> str:
        shown = ("0x" + v.hex() if isinstance(v, bytes) else str(v) for v in self.values)
        return f"{self.name}({', '.join(shown)})"


class Refused(Exception):
    """Carries a refusal out of the rules; `decide` returns it."""

    def __init__(self, name: str, *values: Any) -> None:
        super().__init__(name, *values)
        self.refusal = Refusal(name=name, values=values)


def require(condition: bool, name: str, *values: Any) -> None:
    """Refuse with that error unless the condition holds: Solidity's `require`.

    Values are evaluated even where the condition holds; they must be defined then, too.
    """
    if not condition:
        raise Refused(name, *values)


class Transaction:
    """One transaction under way: its own copy of the state, and the events emitted so far."""

    __slots__ = ("events", "now", "state")

    def __init__(self, state: State, now: int) -> None:
        self.state = state.fork()
        self.now = now
        self.events: list[Event] = []

    def emit(self, event: Event) -> None:
        """Emit an event and let what follows see its effect."""
        apply(self.state, event, self.now)
        self.events.append(event)


_APPLY: dict[type[Event], Callable[[State, Any, int], None]] = {}
_DECIDE: dict[type[Command], Callable[[Transaction, Any], None]] = {}


def applies(
    class_: type[E],
) -> Callable[[Callable[[State, E, int], None]], Callable[[State, E, int], None]]:
    """Register the function that changes the state as an event of the class says."""

    def register(function: Callable[[State, E, int], None]) -> Callable[[State, E, int], None]:
        _APPLY[class_] = function
        return function

    return register


def decides(
    class_: type[C],
) -> Callable[[Callable[[Transaction, C], None]], Callable[[Transaction, C], None]]:
    """Register the function that carries out commands of the class, or raises Refused."""

    def register(function: Callable[[Transaction, C], None]) -> Callable[[Transaction, C], None]:
        _DECIDE[class_] = function
        return function

    return register


def apply(state: State, event: Event, now: int) -> State:
    """Change the state as the event says and return it: the same object, not a copy.

    `now` is the time of the block that logged the event [unix s]. Events must come in the chain's
    order. Nothing is checked: `refuse` does that.
    """
    _APPLY[type(event)](state, event, now)
    return state


def carry_out(transaction: Transaction, command: Command) -> None:
    """Carry a command out inside a transaction; raise Refused as the contract reverts."""
    _DECIDE[type(command)](transaction, command)


def decide(state: State, command: Command) -> tuple[Event, ...] | Refusal:
    """Return the events that the contracts emit for a command, in order, or why they refuse.

    Leaves the state as it is; apply the events to move on.
    """
    transaction = Transaction(state, command.now)
    try:
        carry_out(transaction, command)
    except Refused as refused:
        return refused.refusal
    return tuple(transaction.events)


def refuse(state: State, command: Command) -> Refusal | None:
    """Return why the contracts refuse a command, with their error and values, or None."""
    decided = decide(state, command)
    return decided if isinstance(decided, Refusal) else None
