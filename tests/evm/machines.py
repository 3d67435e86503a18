"""Two in-process EVMs behind one face: revm for speed, py-evm for exact gas and receipts."""

import re
from dataclasses import dataclass
from typing import Protocol

from capshare.codec import keccak
from capshare.demo.source import EmbeddedSource
from capshare.devnet.accounts import dev_accounts
from capshare.devnet.embedded import EmbeddedChain

RICH = 10**30  # [wei]
GAS = 150_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """A log of a transaction, undecoded."""

    address: str  # lower-case hexadecimal
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a transaction did: `data` is the return or revert data."""

    ok: bool
    data: bytes
    gas: int
    logs: tuple[Log, ...] = ()


class Machine(Protocol):
    """An EVM that runs one transaction after the other."""

    chain_id: int

    def create(self, sender: str, data: bytes) -> str:
        """Create a contract and return its address."""
        ...

    def transact(self, sender: str, to: str, data: bytes) -> Outcome:
        """Run a transaction; keep its effects if it succeeds."""
        ...

    def call(self, to: str, data: bytes) -> bytes:
        """Return what a view returns."""
        ...

    def storage(self, address: str, slot: int) -> int:
        """Return a storage word."""
        ...

    def code(self, address: str) -> bytes:
        """Return the code at an address."""
        ...

    def set_time(self, now: int) -> None:
        """Let the next transactions run at `now` [unix s]."""
        ...


class Revm:
    """revm. Its gas is too low (slots stay warm between transactions): never report it."""

    def __init__(self, senders: tuple[str, ...]) -> None:
        import pyrevm

        self._pyrevm = pyrevm
        self.chain_id = 31337
        self._evm = pyrevm.EVM(
            gas_limit=2**50,
            spec_id="LONDON",
            env=pyrevm.Env(cfg=pyrevm.CfgEnv(chain_id=self.chain_id)),
        )
        self._number = 0
        self._now = 0
        self.logs: list[tuple[int, Log]] = []  # all, each with its time [unix s]
        for sender in senders:
            self._evm.set_balance(sender, RICH)

    def create(self, sender: str, data: bytes) -> str:
        created = str(self._evm.deploy(sender, data, gas=2**34)).lower()
        self._take_logs()
        return created

    def transact(self, sender: str, to: str, data: bytes) -> Outcome:
        return self._run(sender, to, data, static=False)

    def call(self, to: str, data: bytes) -> bytes:
        outcome = self._run("0x" + "00" * 19 + "ff", to, data, static=True)
        assert outcome.ok, outcome
        return outcome.data

    def storage(self, address: str, slot: int) -> int:
        return int(self._evm.storage(address, slot))

    def code(self, address: str) -> bytes:
        code = bytes(self._evm.get_code(address) or b"")
        # revm pads code that it has run; the account's hash tells which form this is.
        return code if keccak(code) == self._evm.basic(address).code_hash else code[:-33]

    def snapshot(self) -> tuple[object, int]:
        """Remember the state; `revert` goes back to it."""
        return self._evm.snapshot(), len(self.logs)

    def revert(self, checkpoint: tuple[object, int]) -> None:
        """Undo everything since a snapshot, which is used up."""
        self._evm.revert(checkpoint[0])
        del self.logs[checkpoint[1] :]

    def set_time(self, now: int) -> None:
        self._number += 1
        self._now = now
        block = self._pyrevm.BlockEnv(number=self._number, timestamp=now)
        self._evm.set_block_env(block)

    def _run(self, sender: str, to: str, data: bytes, *, static: bool) -> Outcome:
        try:
            returned = self._evm.message_call(
                sender, to, calldata=data, gas=2**34, is_static=static
            )
        except RuntimeError as error:
            found = re.search(r"output: 0x([0-9a-f]*)", str(error))
            if found is None:
                raise
            return Outcome(ok=False, data=bytes.fromhex(found[1]), gas=0)
        logs = () if static else self._take_logs()
        gas = self._evm.result.gas_used
        return Outcome(ok=True, data=bytes(returned), gas=gas, logs=logs)

    def _take_logs(self) -> tuple[Log, ...]:
        """Return the last transaction's logs, and keep them."""
        logs = tuple(
            Log(
                address=entry.address.lower(),
                topics=tuple(bytes(topic) for topic in entry.data[0]),
                data=bytes(entry.data[1]),
            )
            for entry in self._evm.result.logs
        )
        self.logs += [(self._now, log) for log in logs]
        return logs


class PyEvm:
    """py-evm under London rules: each call a transaction of its own, gas as a block counts it."""

    def __init__(self, senders: tuple[str, ...], now: int) -> None:
        self._chain = EmbeddedChain(
            genesis_time=now,
            gas_limit=4 * GAS,
            accounts=[a for a in dev_accounts(count=200) if a.address.lower() in senders],
        )
        self.chain_id = self._chain.chain_id
        self.creations: dict[str, int] = {}  # gas by address

    def create(self, sender: str, data: bytes) -> str:
        receipt = self._chain.send(_raw(sender), None, data)
        assert receipt.contract_address is not None, receipt.outcome
        created = "0x" + receipt.contract_address.hex()
        self.creations[created] = receipt.gas_before_refunds
        return created

    def transact(self, sender: str, to: str, data: bytes) -> Outcome:
        receipt = self._chain.send(_raw(sender), _raw(to), data, gas=GAS)
        logs = tuple(
            Log(address="0x" + entry.address.hex(), topics=entry.topics, data=entry.data)
            for entry in receipt.logs
        )
        return Outcome(
            ok=receipt.succeeded,
            data=receipt.outcome.output,
            gas=receipt.gas_before_refunds,
            logs=logs,
        )

    def call(self, to: str, data: bytes) -> bytes:
        return self._chain.call(_raw(to), data)

    def storage(self, address: str, slot: int) -> int:
        return self._chain.storage(_raw(address), slot)

    def code(self, address: str) -> bytes:
        return self._chain.code(_raw(address))

    def set_time(self, now: int) -> None:
        self._chain.set_next_timestamp(now)

    def storage_root(self, address: str) -> bytes:
        """Return the root of a contract's whole storage."""
        return EmbeddedSource(self._chain).storage_root(_raw(address))


def _raw(address: str) -> bytes:
    return bytes.fromhex(address.removeprefix("0x"))
