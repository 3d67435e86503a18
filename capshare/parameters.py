"""The numbers of a deployment and of a class, as the contracts hold them; TOML in and out."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib import resources
from pathlib import Path
from typing import Any

from capshare.codec import (
    U8,
    U16,
    U32,
    U64,
    U72,
    U112,
    Bool,
    Bytes32,
    U16x8,
    U112x8,
    struct_codec,
)
from capshare.errors import Discrepancy, NotFound, UsageError
from capshare.units import format_duration, parse_duration

BANDS = 8
RATE_BASE = 10_000  # rates are in 1/10,000

# Sections of a parameter file and what stands in each; amounts are scaled to the token.
_SECTIONS = {
    "rounds": ("round", "lock", "horizon"),
    "governance": ("move_delay", "proposal_life"),
    "deals": ("deliver_within", "accept_within", "answer_within", "rule_within", "dispute_rate"),
    "credit": (
        "good_half_life",
        "bad_half_life",
        "bond_rates",
        "ratios",
        "thresholds",
        "counterparty_cap",
        "newcomer_cap",
    ),
}
_AMOUNTS = ("thresholds", "counterparty_cap", "newcomer_cap")
_PLAIN = ("dispute_rate", "bond_rates", "ratios")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """Every number of a deployment that is not a class's (`types/Parameters.sol`), in its order.

    Durations are in seconds, rates in 1/10,000, amounts in base units of the token; tuples have one
    entry a band.
    """

    round: U32  # R
    lock: U32  # W < R
    horizon: U32
    move_delay: U32
    proposal_life: U32
    deliver_within: U32  # D, from the slot's end
    accept_within: U32  # A, from the report
    answer_within: U32  # O, from the contest
    rule_within: U32  # J, from the dispute
    good_half_life: U32  # H
    bad_half_life: U32  # Hbad
    dispute_rate: U16
    bond_rates: U16x8
    ratios: U16x8
    thresholds: U112x8
    counterparty_cap: U112  # C
    newcomer_cap: U112

    def to_abi(self) -> tuple[Any, ...]:
        """Return the fields as a constructor's argument takes them."""
        return tuple(getattr(self, field.name) for field in fields(self))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold and `from_dict` reads."""
        return {
            field.name: list(value) if isinstance(value, tuple) else value
            for field in fields(self)
            for value in (getattr(self, field.name),)
        }

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Parameters:
        """Return the parameters of what `to_dict` gave, checked."""
        try:
            given: dict[str, Any] = {
                k: tuple(v) if isinstance(v, list) else v for k, v in raw.items()
            }
            parameters = cls(**given)
        except TypeError as error:
            raise UsageError(f"these are no parameters: {error}") from error
        parameters.check()
        return parameters

    def check(self) -> None:
        """Raise UsageError unless every value fits its field and the rules can work with it."""
        try:
            struct_codec(Parameters).encode(self)
        except (Discrepancy, TypeError, ValueError) as error:
            raise UsageError(f"a parameter does not fit its field: {error}") from error
        if field := self.wrong_field():
            raise UsageError(f"parameter {field} is {getattr(self, field)}, which cannot work")

    def wrong_field(self) -> str:
        """Return the first field whose value the rules cannot work with, or an empty string."""
        rates = (*self.bond_rates, self.dispute_rate)
        for field, works in (
            ("round", self.round > 0),
            ("lock", self.lock < self.round),
            ("good_half_life", self.good_half_life > 0),
            ("bad_half_life", self.bad_half_life > 0),
            ("dispute_rate", self.dispute_rate <= RATE_BASE),
            ("bond_rates", max(rates) <= RATE_BASE),
        ):
            if not works:
                return field
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassTerms:
    """A class of capacity as it is listed (`IAssetRegistry.Class`); only `retired` ever changes."""

    code: U32
    slot_length: U32  # S [s]
    gate_lead: U32  # L [s]
    reference: U72  # [base units per capacity unit]
    lot: U32  # [capacity units]
    window: U8  # [slots]
    book_size: U16  # orders of both sides together
    retired: Bool
    mask: U64  # attribute bits that count
    terms: Bytes32  # hash of the standard terms

    def slot_start(self, slot: int) -> int:
        """Return the first second of a slot [unix s]."""
        return slot * self.slot_length

    def slot_end(self, slot: int) -> int:
        """Return the first second after a slot [unix s]."""
        return (slot + 1) * self.slot_length

    def gate(self, slot: int) -> int:
        """Return the second at which what is unsold of a slot perishes [unix s]."""
        return slot * self.slot_length - self.gate_lead

    def is_open(self, slot: int, round_: int, parameters: Parameters) -> bool:
        """Tell whether a slot is open in a round: its gate is not before the round's end."""
        return (round_ + 1) * parameters.round + self.gate_lead <= slot * self.slot_length


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """How a class divides time: the slot's length and the gate's lead [s]."""

    slot_length: int
    gate_lead: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterSet:
    """A parameter file: the numbers, scaled to a token, and the calendars by name."""

    parameters: Parameters
    calendars: dict[str, Calendar]


def names() -> tuple[str, ...]:
    """Return the names of the sets that ship with the package."""
    folder = resources.files("capshare") / "params"
    return tuple(sorted(f.name[:-5] for f in folder.iterdir() if f.name.endswith(".toml")))


def load(name: str, decimals: int) -> ParameterSet:
    """Return a shipped set by its name, scaled to a token of that many decimals."""
    if name not in names():
        raise NotFound(
            f"no parameter set is named {name!r}", next_step=f"Use one of {', '.join(names())}."
        )
    text = (resources.files("capshare") / "params" / f"{name}.toml").read_text(encoding="utf-8")
    return parse(text, decimals)


def read(path: Path, decimals: int) -> ParameterSet:
    """Return the set of a file, scaled to a token of that many decimals."""
    return parse(path.read_text(encoding="utf-8"), decimals)


def parse(text: str, decimals: int) -> ParameterSet:
    """Return the set that TOML text holds; raise UsageError if it is not a complete valid one."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"the parameters are no TOML: {error}") from error
    if raw.keys() - {"calendars"} != _SECTIONS.keys():
        raise UsageError(f"the sections must be {', '.join(_SECTIONS)} and calendars")
    values: dict[str, Any] = {}
    for section, expected in _SECTIONS.items():
        if raw[section].keys() != set(expected):
            raise UsageError(f"[{section}] must hold {', '.join(expected)}, no more and no less")
        for name in expected:
            values[name] = _value(name, raw[section][name], 10**decimals)
    calendars = {
        name: Calendar(**{key: parse_duration(given) for key, given in calendar.items()})
        for name, calendar in raw.get("calendars", {}).items()
    }
    parameters = Parameters(**values)
    parameters.check()
    return ParameterSet(parameters=parameters, calendars=calendars)


def _value(name: str, given: Any, base: int) -> Any:
    if name in _AMOUNTS:
        return tuple(v * base for v in given) if isinstance(given, list) else given * base
    if name in _PLAIN:
        return tuple(given) if isinstance(given, list) else given
    return parse_duration(given)


def dump(given: ParameterSet, decimals: int) -> str:
    """Return the TOML text that `parse` reads as this set; amounts must be whole token units."""
    base = 10**decimals
    lines: list[str] = []
    for section, held in _SECTIONS.items():
        lines.append(f"[{section}]")
        for name in held:
            value = getattr(given.parameters, name)
            if name in _AMOUNTS:
                if any(v % base for v in (value if isinstance(value, tuple) else (value,))):
                    raise UsageError(f"{name} {value} is no whole number of token units")
                scaled = [v // base for v in value] if isinstance(value, tuple) else value // base
                lines.append(f"{name} = {scaled}")
            elif name in _PLAIN:
                lines.append(f"{name} = {list(value) if isinstance(value, tuple) else value}")
            else:
                lines.append(f'{name} = "{format_duration(value)}"')
        lines.append("")
    for name, calendar in given.calendars.items():
        lines.append(f"[calendars.{name}]")
        lines += [
            f'{field.name} = "{format_duration(getattr(calendar, field.name))}"'
            for field in fields(calendar)
        ]
        lines.append("")
    return "\n".join(lines)
