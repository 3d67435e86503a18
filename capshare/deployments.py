"""The address book: what was deployed where, one JSON file a network and deployment.

Path: `<home>/deployments/<chain id>-<first 8 of the genesis hash>/<name>.json`. It is written
before the first transaction and after each one: a deployment cut off anywhere can go on.
"""

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from platformdirs import user_data_path

from capshare.errors import NotFound, UsageError

_FORMAT = 1

CONTRACTS = (
    "Council",
    "MemberRegistry",
    "AssetRegistry",
    "CapacityBook",
    "Clearing",
    "Deals",
    "Vault",
    "CreditLedger",
)
"""The contracts in the order of their creation, which their addresses depend on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressBook:
    """One deployment. `parameters` are those of capshare.parameters as plain values."""

    name: str
    chain_id: int
    genesis_hash: str
    rules_version: int
    artifact_checksum: str
    deployer: str
    first_nonce: int  # of the deployer; the contracts' addresses follow from it
    token: str
    token_symbol: str
    token_decimals: int
    start_block: int  # the first block that can hold an event of it
    parameters: Mapping[str, Any]
    founders: tuple[Mapping[str, Any], ...]
    validators: tuple[str, ...]
    addresses: Mapping[str, str]
    transactions: Mapping[str, str] = field(default_factory=dict)  # contract to transaction hash

    @property
    def complete(self) -> bool:
        """Return whether every contract was created."""
        return all(name in self.transactions for name in CONTRACTS)

    def address(self, contract: str) -> str:
        """Return a contract's address."""
        return self.addresses[contract]


def home() -> Path:
    """Return the folder of all the user keeps: `CAPSHARE_HOME` or the system's data folder."""
    chosen = os.environ.get("CAPSHARE_HOME")
    return Path(chosen) if chosen else user_data_path("capshare")


def book_path(root: Path, chain_id: int, genesis_hash: str, name: str) -> Path:
    """Return where a deployment's address book belongs below `root`."""
    return (
        root / "deployments" / f"{chain_id}-{genesis_hash.removeprefix('0x')[:8]}" / f"{name}.json"
    )


def save(path: Path, book: AddressBook) -> None:
    """Write an address book so that a crash leaves the old one or the new one, never half."""
    write_atomically(path, json.dumps({"format": _FORMAT, **asdict(book)}, indent=2) + "\n")


def write_atomically(path: Path, text: str, mode: int = 0o644) -> None:
    """Replace a file by fsync and rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def load(path: Path) -> AddressBook:
    """Read an address book; raise NotFound or UsageError with what is wrong."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise NotFound(
            f"no deployment at {path}",
            next_step="run `capshare deploy`, or name another with --name",
        ) from error
    except ValueError as error:
        raise UsageError(f"{path} is no JSON file: {error}", next_step="restore it") from error
    try:
        if raw.pop("format") != _FORMAT:
            raise UsageError(
                f"{path} has another format", next_step="use the capshare that wrote it"
            )
        raw["founders"], raw["validators"] = tuple(raw["founders"]), tuple(raw["validators"])
        return AddressBook(**raw)
    except (TypeError, KeyError, AttributeError) as error:
        raise UsageError(f"{path} is no address book: {error}", next_step="restore it") from error
