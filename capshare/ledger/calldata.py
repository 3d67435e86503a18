"""Commands to calldata and back, and refusals to what a reverting contract returns."""

from __future__ import annotations

import typing
from dataclasses import fields
from functools import cache
from typing import Any, NamedTuple

from eth_abi.abi import encode as encode_abi

from capshare import artifacts
from capshare.codec import (
    ZERO_ADDRESS,
    Codec,
    arguments_codec,
    keccak,
    named_codec,
    sequence_codec,
)
from capshare.errors import Discrepancy
from capshare.ledger import commands
from capshare.ledger.commands import Command, Intrude
from capshare.ledger.core import NO_REASON, Refusal, Refused
from capshare.ledger.state import CONTRACTS

COMMANDS: dict[tuple[str, str], type[Command]] = {
    (value.CONTRACT, value.FUNCTION): value
    for value in vars(commands).values()
    if isinstance(value, type) and issubclass(value, Command) and hasattr(value, "FUNCTION")
}

#: Functions that obey contracts of the deployment only, and the error that others get.
RESTRICTED = {
    ("MemberRegistry", "spend"): "NotBook",
    ("AssetRegistry", "reserve"): "NotAllowed",
    ("AssetRegistry", "unreserve"): "NotAllowed",
    ("CapacityBook", "recordClearing"): "NotClearing",
    ("Deals", "commit"): "NotClearing",
    ("Vault", "lock"): "NotAllowed",
    ("Vault", "release"): "NotAllowed",
    ("CreditLedger", "open"): "NotAllowed",
    ("CreditLedger", "close"): "NotAllowed",
    ("CreditLedger", "record"): "NotAllowed",
}


class _Form(NamedTuple):
    """How a command is written as calldata."""

    signature: str
    selector: bytes
    names: tuple[str, ...]
    arguments: Codec


@cache
def _forms() -> dict[type[Command], _Form]:
    return {class_: _form(class_) for class_ in COMMANDS.values()}


def _form(class_: type[Command]) -> _Form:
    hints = typing.get_type_hints(class_, include_extras=True)
    names = tuple(
        field.name for field in fields(class_) if field.name not in ("sender", "now", "transfer")
    )
    arguments = arguments_codec([hints[name] for name in names])
    signature = class_.FUNCTION + arguments.name
    return _Form(signature, keccak(signature.encode())[:4], names, arguments)


def signature_of(class_: type[Command]) -> str:
    """Return a command's function with its argument types, such as `vote(uint256,bool)`."""
    return _forms()[class_].signature


def encode(command: Command) -> bytes:
    """Return the calldata that asks the command's contract for it."""
    if isinstance(command, Intrude):
        abi = _functions(command.contract)[command.function]
        types = [type_of(parameter) for parameter in abi["inputs"]]
        return _selector(abi) + encode_abi(types, [_zero(p) for p in abi["inputs"]])
    form = _forms()[type(command)]
    return form.selector + form.arguments.encode([getattr(command, n) for n in form.names])


def contract_of(command: Command) -> str:
    """Return the name of the contract that a command is sent to."""
    return command.contract if isinstance(command, Intrude) else command.CONTRACT


def decode(contract: str, data: bytes, sender: bytes, now: int) -> Command:
    """Return the command that calldata asks a contract for.

    Raise Refused, without a reason, if the contract has no such function that changes state, or if
    the arguments are not exactly what an encoder writes for it.
    """
    for class_, form in _forms().items():
        if contract == class_.CONTRACT and form.selector == data[:4]:
            try:
                values = form.arguments.decode(data[4:])
            except Discrepancy:
                raise Refused(NO_REASON) from None
            return class_(sender=sender, now=now, **dict(zip(form.names, values, strict=True)))
    for restricted_contract, function in RESTRICTED:
        if restricted_contract == contract:
            abi = _functions(contract)[function]
            if _selector(abi) == data[:4]:
                return Intrude(sender=sender, now=now, contract=contract, function=function)
    raise Refused(NO_REASON)


def is_view(contract: str, data: bytes) -> bool:
    """Tell whether calldata asks a contract for a view, which changes nothing."""
    return any(
        _selector(abi) == data[:4] and abi["stateMutability"] in ("view", "pure")
        for abi in _functions(contract).values()
    )


def encode_refusal(refusal: Refusal) -> bytes:
    """Return the data with which the contract reverts."""
    if refusal.name == NO_REASON:
        return b""
    selector, values = _errors()[refusal.name]
    return selector + values.encode(refusal.values)


def decode_refusal(data: bytes) -> Refusal:
    """Return the refusal that revert data says; raise Discrepancy for an unknown error."""
    if not data:
        return Refusal(name=NO_REASON)
    for name, (selector, values) in _errors().items():
        if selector == data[:4]:
            return Refusal(name=name, values=values.decode(data[4:]))
    raise Discrepancy(f"no contract has an error with selector 0x{data[:4].hex()}")


@cache
def _errors() -> dict[str, tuple[bytes, Codec]]:
    """Return selector and codec of every error by name; one name has one signature everywhere."""
    found: dict[str, tuple[bytes, Codec]] = {}
    for contract in CONTRACTS:
        for entry in artifacts.load(contract).abi:
            if entry["type"] == "error":
                types = [type_of(parameter) for parameter in entry["inputs"]]
                values = sequence_codec(named_codec(name) for name in types)
                selector = keccak(f"{entry['name']}({','.join(types)})".encode())[:4]
                found[entry["name"]] = (selector, values)
    return found


@cache
def _functions(contract: str) -> dict[str, Any]:
    return {
        entry["name"]: entry
        for entry in artifacts.load(contract).abi
        if entry["type"] == "function"
    }


def type_of(parameter: Any) -> str:
    """Return the canonical type of a parameter of an ABI."""
    kind: str = parameter["type"]
    if kind.startswith("tuple"):
        inner = ",".join(type_of(component) for component in parameter["components"])
        return f"({inner}){kind[5:]}"
    return kind


def _zero(parameter: Any) -> Any:
    kind: str = parameter["type"]
    if kind.endswith("[]"):
        return []
    if kind == "tuple":
        return [_zero(component) for component in parameter["components"]]
    if kind == "address":
        return ZERO_ADDRESS
    return {"string": "", "bool": False}.get(kind, b"" if kind.startswith("bytes") else 0)


@cache
def _selector_of_signature(signature: str) -> bytes:
    return keccak(signature.encode())[:4]


def _selector(abi: Any) -> bytes:
    types = ",".join(type_of(parameter) for parameter in abi["inputs"])
    return _selector_of_signature(f"{abi['name']}({types})")
