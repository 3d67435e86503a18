"""One interface over the programs that run a devnet."""

import contextlib
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from capshare.devnet import process
from capshare.devnet.accounts import DEFAULT_COUNT, DEFAULT_SEED, dev_accounts, write_accounts
from capshare.devnet.node import Head, ask, head_of, identity_of
from capshare.devnet.state import (
    ACCOUNTS_FILE,
    LOG_FILE,
    Running,
    clear_state,
    read_state,
    write_state,
)
from capshare.errors import NetworkError, NotFound, UsageError

START_SECONDS: Final = 60.0
POLL_SECONDS: Final = 0.05
STAY_SECONDS: Final = 0.2
LOG_TAIL: Final = 2000  # characters of a failed start that are shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a devnet is to be like."""

    directory: Path
    chain_id: int = 31337
    port: int | None = None  # None: the usual one or any free one
    gas_limit: int = 200_000_000  # of a block
    block_time: int = 5  # [s] after which an idle chain shows an empty block; 0: never
    seed: str = DEFAULT_SEED  # of the accounts
    accounts: int = DEFAULT_COUNT


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """A running devnet and where its chain stands."""

    running: Running
    head: Head


class Engine(ABC):
    """A program that runs a devnet: up, status, down, warp.

    One devnet to a directory. An engine says how its program is started; the rest is the same.
    """

    name: ClassVar[str]
    keeps_state: ClassVar[bool]  # whether the chain goes on after `down` and `up`

    @abstractmethod
    def version(self) -> str:
        """Return the program's version. Raises `NotFound` or `UsageError` where it cannot run."""

    @abstractmethod
    def command(self, plan: Plan, port: int, accounts: Path) -> list[str]:
        """Return the command that runs the program in the foreground."""

    @abstractmethod
    def prepare(self, url: str, accounts: Path) -> None:
        """Make a program that has just started ready for use: fund the accounts of that file."""

    def up(self, plan: Plan, *, detach: bool = True) -> Running:
        """Start the devnet and return when it answers; with the same plan again, that one.

        Raises `UsageError` where another devnet runs in the directory, `NetworkError` where the
        program does not come up.
        """
        found = find(plan.directory)
        if found is not None:
            return self._same(found, plan)
        version = self.version()
        plan.directory.mkdir(parents=True, exist_ok=True)
        accounts = plan.directory / ACCOUNTS_FILE
        write_accounts(accounts, dev_accounts(plan.seed, plan.accounts))
        port = process.choose_port(plan.port)
        url = f"http://{process.HOST}:{port}"
        log = plan.directory / LOG_FILE
        pid = process.start(self.command(plan, port, accounts), log=log, detach=detach)
        try:
            genesis_hash = self._wait(pid, url, plan.chain_id, log)
            self.prepare(url, accounts)
        except BaseException:
            process.end(pid)
            raise
        running = Running(
            engine=self.name,
            version=version,
            pid=pid,
            url=url,
            chain_id=plan.chain_id,
            genesis_hash=genesis_hash,
        )
        write_state(plan.directory, running)
        return running

    def run(self, plan: Plan, on_up: Callable[[], None]) -> None:
        """Run the devnet until Ctrl-C, a SIGTERM or its own end; call `on_up` when it answers.

        Raises as `up` does, and `UsageError` where one runs already.
        """
        found = find(plan.directory)
        if found is not None:
            raise UsageError(
                f"a devnet runs in {plan.directory} already: {found.engine}, {found.url}",
                next_step="End it with `capshare devnet down`.",
            )
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)  # raises like Ctrl-C
        try:
            running = self.up(plan, detach=False)
            on_up()
            while process.is_alive(running.pid):
                time.sleep(STAY_SECONDS)
        except KeyboardInterrupt:
            pass
        finally:
            left = find(plan.directory)
            if left is not None:
                process.end(left.pid)
            clear_state(plan.directory)
            signal.signal(signal.SIGTERM, before)

    def _same(self, found: Running, plan: Plan) -> Running:
        wanted_url = found.url if not plan.port else f"http://{process.HOST}:{plan.port}"
        if (found.engine, found.chain_id, found.url) == (self.name, plan.chain_id, wanted_url):
            return found
        raise UsageError(
            f"a devnet runs in {plan.directory} already: {found.engine}, chain {found.chain_id},"
            f" {found.url}",
            next_step="End it with `capshare devnet down`, or give the new one its own --dir.",
        )

    def _wait(self, pid: int, url: str, chain_id: int, log: Path) -> str:
        deadline = time.monotonic() + START_SECONDS
        while process.is_alive(pid) and time.monotonic() < deadline:
            with contextlib.suppress(NetworkError):
                found, genesis_hash = identity_of(url)
                if found == chain_id:
                    return genesis_hash
                raise UsageError(f"chain {found} answers at {url}, not {chain_id}")
            time.sleep(POLL_SECONDS)
        tail = log.read_text(errors="replace")[-LOG_TAIL:].strip()
        raise NetworkError(
            f"{self.name} did not come up at {url}: {tail or 'it wrote nothing'}",
            next_step=f"Read {log}.",
        )


def find(directory: Path) -> Running | None:
    """Return the devnet that runs in `directory`; forget one that is written but gone.

    It is the same one if its process lives and its node still answers with the same genesis.
    A process that lives but does not answer counts as long as its command is the engine's.
    """
    running = read_state(directory)
    if running is None:
        return None
    if process.is_alive(running.pid):
        try:
            if identity_of(running.url) == (running.chain_id, running.genesis_hash):
                return running
        except NetworkError:
            command = process.command_of(running.pid)
            if "capshare.devnet" in command or "anvil" in command:
                return running
    clear_state(directory)
    return None


def status(directory: Path) -> Status:
    """Return the devnet that runs in `directory`. Raises `NotFound`, `NetworkError`."""
    running = _found(directory)
    return Status(running=running, head=head_of(running.url))


def down(directory: Path) -> Running:
    """End the devnet that runs in `directory` and return what it was. Raises `NotFound`."""
    running = _found(directory)
    process.end(running.pid)
    clear_state(directory)
    return running


def warp(directory: Path, *, seconds: int = 0, to: int | None = None) -> Head:
    """Move the chain's time forward by `seconds`, or to `to` [unix s], and mine a block there.

    Raises `UsageError` for a time that is not later than the head's, `NotFound`, `NetworkError`.
    """
    running = _found(directory)
    url = running.url
    if to is not None:
        head = head_of(url)
        if to <= head.time:
            raise UsageError(
                f"time {to} is not later than the chain's, {head.time}",
                next_step="Time only goes forward; start a new devnet to go back.",
            )
        ask(url, "evm_setNextBlockTimestamp", to)
    elif seconds > 0:
        ask(url, "evm_increaseTime", seconds)
    else:
        raise UsageError(f"time moves forward only, not by {seconds} s")
    ask(url, "evm_mine")
    return head_of(url)


def _found(directory: Path) -> Running:
    running = find(directory)
    if running is None:
        raise NotFound(
            f"no devnet runs in {directory}", next_step="Start one with `capshare devnet up`."
        )
    return running
