"""Compiled contracts as they were built: interface, code, layout, and the sources they came from.

The files beside this one are written by `make build` and shipped in the wheel, so that nobody
needs a compiler to deploy, call or audit.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from capshare.errors import NotFound

_FOLDER = Path(__file__).parent
_MANIFEST = "manifest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """Hold one compiled contract.

    `bytecode` creates it (constructor arguments go behind it); `runtime_bytecode` is what stays
    on the chain, with zeros where `immutable_references` (variable name → places in bytes) puts
    the values given at creation. `storage_layout` is solc's, without its declaration numbers.
    """

    name: str
    abi: tuple[Mapping[str, Any], ...]
    bytecode: bytes
    runtime_bytecode: bytes
    immutable_references: Mapping[str, tuple[tuple[int, int], ...]]
    storage_layout: Mapping[str, Any]

    @property
    def runtime_size(self) -> int:
        """Return the number of bytes on the chain."""
        return len(self.runtime_bytecode)

    def masked(self, code: bytes) -> bytes:
        """Return the code with every immutable value zeroed, comparable to `runtime_bytecode`."""
        masked = bytearray(code)
        for places in self.immutable_references.values():
            for start, length in places:
                masked[start : start + length] = bytes(length)
        return bytes(masked)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Say how the artifacts were compiled: `sources` maps each path to its sha256."""

    rules_version: int
    solc: str
    settings: Mapping[str, Any]
    sources: Mapping[str, str]

    @property
    def checksum(self) -> str:
        """Return one sha256 over compiler, settings and sources: the artifacts' identity."""
        parts = [self.rules_version, self.solc, dict(self.settings), dict(self.sources)]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


@cache
def names() -> tuple[str, ...]:
    """Return the names of all shipped contracts, sorted."""
    return tuple(sorted(p.stem for p in _FOLDER.glob("*.json") if p.stem != _MANIFEST))


@cache
def load(name: str) -> Artifact:
    """Return one contract's artifact; raise NotFound for a name that was not compiled."""
    if name not in names():
        raise NotFound(
            f"no compiled contract is named {name!r}",
            next_step=f"choose one of: {', '.join(names())}",
        )
    raw = _read(name)
    return Artifact(
        name=raw["contractName"],
        abi=tuple(raw["abi"]),
        bytecode=bytes.fromhex(raw["bytecode"][2:]),
        runtime_bytecode=bytes.fromhex(raw["runtimeBytecode"][2:]),
        immutable_references=MappingProxyType(
            {
                variable: tuple((place["start"], place["length"]) for place in places)
                for variable, places in raw["immutableReferences"].items()
            }
        ),
        storage_layout=MappingProxyType(raw["storageLayout"]),
    )


@cache
def manifest() -> Manifest:
    """Return how the shipped artifacts were compiled."""
    raw = _read(_MANIFEST)
    return Manifest(
        rules_version=raw["rulesVersion"],
        solc=raw["solc"],
        settings=MappingProxyType(raw["settings"]),
        sources=MappingProxyType(raw["sources"]),
    )


def stale_sources(root: Path) -> list[str]:
    """Return the sources under a checkout that are not the ones compiled: changed, new or gone."""
    compiled = manifest().sources
    present = {
        path.relative_to(root).as_posix()
        for path in (root / "contracts").rglob("*.sol")
        if ".cache" not in path.parts
    }
    return sorted(
        path for path in present | set(compiled) if compiled.get(path) != _checksum(root / path)
    )


def _checksum(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def _read(stem: str) -> dict[str, Any]:
    raw: dict[str, Any] = json.loads((_FOLDER / f"{stem}.json").read_text(encoding="utf-8"))
    return raw
