"""Funded accounts of a devnet, the same ones for the same seed."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from eth_hash.auto import keccak
from eth_keys.datatypes import PrivateKey

DEFAULT_SEED = "capshare devnet"
DEFAULT_COUNT = 100
BALANCE = 10**24  # wei each: a million coins

_CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@dataclass(frozen=True, slots=True, kw_only=True)
class DevAccount:
    """An account that a devnet funds and, in process, signs for."""

    address: str  # checksummed
    key: bytes = field(repr=False)  # private; worth nothing elsewhere, since the seed gives it

    @property
    def raw(self) -> bytes:
        """The address's 20 bytes."""
        return bytes.fromhex(self.address[2:])


def dev_accounts(seed: str = DEFAULT_SEED, count: int = DEFAULT_COUNT) -> tuple[DevAccount, ...]:
    """Derive `count` accounts: key i is keccak256("capshare dev account" | seed | i) mod order."""
    accounts = []
    for index in range(count):
        digest = keccak(
            b"capshare dev account\0" + seed.encode() + b"\0" + index.to_bytes(4, "big")
        )
        key = (int.from_bytes(digest, "big") % (_CURVE_ORDER - 1) + 1).to_bytes(32, "big")
        address = PrivateKey(key).public_key.to_checksum_address()
        accounts.append(DevAccount(address=address, key=key))
    return tuple(accounts)


def write_accounts(path: Path, accounts: Sequence[DevAccount]) -> None:
    """Write addresses and keys to `path`, readable by its owner only from the first byte on."""
    rows = [{"address": each.address, "privateKey": "0x" + each.key.hex()} for each in accounts]
    path.unlink(missing_ok=True)  # an older file could have wider rights
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump({"accounts": rows}, file, indent=1)
        file.write("\n")


def read_accounts(path: Path) -> tuple[DevAccount, ...]:
    """Read what `write_accounts` wrote."""
    rows = json.loads(path.read_text())["accounts"]
    return tuple(
        DevAccount(address=row["address"], key=bytes.fromhex(row["privateKey"][2:])) for row in rows
    )
