"""Contract calls as bytes and back, from the shipped artifacts; no node, no web3.

Functions are named (no contract overloads any), structs are tuples in the ABI's order. Encoding:
the Solidity ABI specification, through eth-abi.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from eth_abi.abi import decode, encode

from capshare import artifacts
from capshare.codec import keccak
from capshare.errors import NotFound

_BUILT_IN = {"Error": ("string",), "Panic": ("uint256",)}  # solc's own, in no ABI


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractError:
    """A revert of a contract: the custom error's name, and its values by parameter."""

    name: str
    values: Mapping[str, object]

    def __str__(self) -> str:
        return f"{self.name}({', '.join(f'{k}={shown(v)}' for k, v in self.values.items())})"


@dataclass(frozen=True, slots=True)
class _Function:
    selector: bytes
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Error:
    name: str
    parameters: tuple[str, ...]
    types: tuple[str, ...]


def shown(value: object) -> str:
    """Return a value as people read it: bytes as 0x-hexadecimal."""
    return "0x" + value.hex() if isinstance(value, bytes) else str(value)


def type_of(parameter: Mapping[str, Any]) -> str:
    """Return an ABI parameter's canonical type; a struct becomes its parenthesised fields."""
    kind: str = parameter["type"]
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(type_of(c) for c in parameter['components'])}){kind[len('tuple') :]}"


def encode_call(contract: str, function: str, arguments: Sequence[Any] = ()) -> bytes:
    """Return the calldata of a call: selector and encoded arguments."""
    entry = _function(contract, function)
    return entry.selector + encode(entry.inputs, tuple(arguments))


def decode_result(contract: str, function: str, data: bytes) -> Any:
    """Return what a call returned: the value, or a tuple if there are several."""
    values = decode(_function(contract, function).outputs, data)
    return values[0] if len(values) == 1 else values


def encode_creation(contract: str, arguments: Sequence[Any] = ()) -> bytes:
    """Return the data of a creating transaction: bytecode and constructor arguments."""
    artifact = artifacts.load(contract)
    inputs = next((e["inputs"] for e in artifact.abi if e["type"] == "constructor"), ())
    return artifact.bytecode + encode([type_of(i) for i in inputs], tuple(arguments))


def decode_error(data: bytes) -> ContractError | None:
    """Return the error that revert data names, or None if no contract of ours declares it."""
    found = _errors().get(data[:4])
    if found is None:
        return None
    values = decode(found.types, data[4:])
    return ContractError(name=found.name, values=dict(zip(found.parameters, values, strict=True)))


@cache
def error_names() -> frozenset[str]:
    """Return the names of all custom errors that the contracts can raise."""
    return frozenset(error.name for error in _errors().values()) - set(_BUILT_IN)


@cache
def _function(contract: str, function: str) -> _Function:
    for entry in artifacts.load(contract).abi:
        if entry["type"] == "function" and entry["name"] == function:
            inputs = tuple(type_of(i) for i in entry["inputs"])
            return _Function(
                _selector(function, inputs), inputs, tuple(type_of(o) for o in entry["outputs"])
            )
    raise NotFound(f"{contract} has no function {function!r}")


@cache
def _errors() -> dict[bytes, _Error]:
    known = {
        _selector(name, types): _Error(name, ("reason",), types)
        for name, types in _BUILT_IN.items()
    }
    for contract in artifacts.names():
        for entry in artifacts.load(contract).abi:
            if entry["type"] == "error":
                types = tuple(type_of(i) for i in entry["inputs"])
                names = tuple(i["name"] for i in entry["inputs"])
                known[_selector(entry["name"], types)] = _Error(entry["name"], names, types)
    return known


def _selector(name: str, types: Sequence[str]) -> bytes:
    return keccak(f"{name}({','.join(types)})".encode())[:4]
