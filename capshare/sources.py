"""Where a replay reads a chain: logs, views, code and storage as of one pinned block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from eth_utils.address import to_checksum_address
from hexbytes import HexBytes
from web3.exceptions import Web3Exception

from capshare.chain import Chain, RawLog


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What a transaction asked for. Addresses: 20 bytes."""

    sender: bytes
    to: bytes  # empty: it created a contract
    data: bytes


class Source(Protocol):
    """What can be read of a chain; answers are as of one pinned block. Addresses: 20 bytes."""

    block: int
    time: int  # the pinned block's [unix s]

    def logs(self, addresses: Sequence[str], first: int) -> Iterator[tuple[RawLog, int]]:
        """Yield the logs of contracts from block `first` on, in order, with their block's time."""
        ...

    def sent(self, tx_hash: bytes) -> Sent:
        """Return a mined transaction."""
        ...

    def call(self, address: bytes, data: bytes) -> bytes:
        """Return what a view returns, undecoded."""
        ...

    def code(self, address: bytes) -> bytes:
        """Return a contract's code."""
        ...

    def storage(self, address: bytes, slot: int) -> int:
        """Return a storage word."""
        ...

    def storage_root(self, address: bytes) -> bytes | None:
        """Return the root of a contract's whole storage, None where the node does not give it."""
        ...


class NodeSource:
    """A node behind a `Chain`, pinned at its head."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self.block = chain.head()
        self._times: dict[int, int] = {}
        self.time = self._time_of(self.block)

    def logs(self, addresses: Sequence[str], first: int) -> Iterator[tuple[RawLog, int]]:
        """Yield the logs with their blocks' times."""
        for log in self._chain.logs(addresses, first, self.block):
            yield log, self._time_of(log.block)

    def sent(self, tx_hash: bytes) -> Sent:
        """Return a mined transaction."""
        found: Any = self._chain.web3.eth.get_transaction(HexBytes(tx_hash))
        return Sent(
            sender=_raw(found["from"]),
            to=_raw(found["to"]) if found.get("to") else b"",
            data=bytes(found["input"]),
        )

    def call(self, address: bytes, data: bytes) -> bytes:
        """Return what a view returns."""
        request: Any = {"to": to_checksum_address(address), "data": "0x" + data.hex()}
        return bytes(self._chain.web3.eth.call(request, self.block))

    def code(self, address: bytes) -> bytes:
        """Return a contract's code."""
        return self._chain.code(to_checksum_address(address))

    def storage(self, address: bytes, slot: int) -> int:
        """Return a storage word."""
        return self._chain.storage(to_checksum_address(address), slot, self.block)

    def storage_root(self, address: bytes) -> bytes | None:
        """Return the root of a contract's storage by `eth_getProof`, which not every node has."""
        web3: Any = self._chain.web3
        try:
            proof = web3.eth.get_proof(to_checksum_address(address), [], self.block)
        except Web3Exception:
            return None
        return bytes(proof["storageHash"])

    def _time_of(self, block: int) -> int:
        if block not in self._times:
            web3: Any = self._chain.web3
            self._times[block] = int(web3.eth.get_block(block)["timestamp"])
        return self._times[block]


def _raw(address: str) -> bytes:
    return bytes.fromhex(address.removeprefix("0x"))
