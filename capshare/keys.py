"""Keys that sign: a keystore v3 file opened by a password. No key is ever printed or logged."""

import json
import stat
import sys
from pathlib import Path
from typing import Protocol

from capshare.errors import KeyRefused, NotFound


class Signer(Protocol):
    """Something that signs transactions and 32-byte digests for one address."""

    @property
    def address(self) -> str:
        """Return the checksummed address."""
        ...

    def sign_transaction(self, transaction: dict[str, object]) -> bytes:
        """Return the raw signed transaction."""
        ...

    def sign_digest(self, digest: bytes) -> bytes:
        """Return the 65-byte signature (r, s, v) of a digest made by EIP-712."""
        ...


class LocalSigner:
    """A key in this process's memory; its representation shows the address only."""

    def __init__(self, key: bytes) -> None:
        from eth_account import Account

        self._account = Account.from_key(key)
        self._key = key

    def __repr__(self) -> str:
        return f"LocalSigner({self.address})"

    @property
    def address(self) -> str:
        """Return the checksummed address."""
        return str(self._account.address)

    def sign_transaction(self, transaction: dict[str, object]) -> bytes:
        """Return the raw signed transaction."""
        return bytes(self._account.sign_transaction(transaction).raw_transaction)

    def sign_digest(self, digest: bytes) -> bytes:
        """Return the 65-byte signature (r, s, v) of a digest made by EIP-712."""
        from coincurve import PrivateKey

        signature = PrivateKey(self._key).sign_recoverable(digest, hasher=None)
        return signature[:64] + bytes([signature[64] + 27])


def open_keystore(path: Path, password: str) -> LocalSigner:
    """Open a keystore v3 file.

    Raise NotFound if there is no such file, KeyRefused if others may read it, if it is no
    keystore, or if the password is wrong.
    """
    from eth_account import Account

    if not path.is_file():
        raise NotFound(f"no keystore file at {path}", next_step="name an existing keystore v3 file")
    refuse_readable_by_others(path)
    try:
        return LocalSigner(bytes(Account.decrypt(json.loads(path.read_text()), password)))
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise KeyRefused(
            f"{path} is no keystore v3 file", next_step="name a keystore v3 JSON file"
        ) from error
    except ValueError as error:
        raise KeyRefused(
            f"the password does not open {path}", next_step="try again with its password"
        ) from error


def refuse_readable_by_others(path: Path) -> None:
    """Raise KeyRefused unless only the owner can read the file (mode 0600); POSIX only."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if sys.platform != "win32" and mode & 0o077:
        raise KeyRefused(
            f"{path} can be read by others (mode {mode:04o})", next_step=f"chmod 600 {path}"
        )


def read_password(path: Path) -> str:
    """Read a password file's first line; raise NotFound or KeyRefused."""
    if not path.is_file():
        raise NotFound(f"no password file at {path}", next_step="name an existing file")
    refuse_readable_by_others(path)
    return path.read_text(encoding="utf-8").split("\n", 1)[0]
