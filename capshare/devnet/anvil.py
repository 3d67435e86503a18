"""The engine `anvil`: Foundry's development node, from PATH or from npm's @foundry-rs/anvil."""

import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import ClassVar, Final

from capshare.devnet.accounts import BALANCE, read_accounts
from capshare.devnet.engine import Engine, Plan
from capshare.devnet.node import ask, ask_all, head_of
from capshare.devnet.process import HOST
from capshare.errors import NotFound, UsageError

OLDEST: Final = (1, 0)  # earlier ones lack flags that are used here
STATE_FILE: Final = "anvil-state.json"
NPM_PACKAGE: Final = "@foundry-rs/anvil"
COMMAND_SECONDS: Final = 20.0


class AnvilEngine(Engine):
    """Run anvil under London rules without fees; its chain goes on after `down` and `up`."""

    name: ClassVar[str] = "anvil"
    keeps_state: ClassVar[bool] = True

    def version(self) -> str:
        """Return anvil's version. Raises `NotFound` without one, `UsageError` for one too old."""
        program = find_anvil()
        said = subprocess.run(
            [program, "--version"],
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        ).stdout
        found = re.search(r"(\d+)\.(\d+)\.\d+\S*", said)
        if found is None:
            raise UsageError(f"{program} does not say its version: {said[:200]!r}")
        if (int(found[1]), int(found[2])) < OLDEST:
            raise UsageError(
                f"anvil {found[0]} at {program} is too old",
                next_step=f"Install a newer one: npm install {NPM_PACKAGE}",
            )
        return found[0]

    def command(self, plan: Plan, port: int, accounts: Path) -> list[str]:
        """Return anvil's command line; it funds no accounts of its own."""
        command = [
            str(find_anvil()),
            *("--host", HOST, "--port", str(port), "--no-cors", "--no-request-size-limit"),
            *("--hardfork", "london", "--chain-id", str(plan.chain_id)),
            *("--gas-limit", str(plan.gas_limit), "--accounts", "0", "--order", "fifo"),
            # A base fee of zero stays zero in anvil, as on the network that members run.
            *("--block-base-fee-per-gas", "0", "--gas-price", "0", "--disable-min-priority-fee"),
            *("--state", str(plan.directory / STATE_FILE), "--quiet"),
        ]
        if plan.block_time:  # transactions are still mined at once
            command += ["--block-time", str(plan.block_time), "--mixed-mining"]
        return command

    def prepare(self, url: str, accounts: Path) -> None:
        """Fund the accounts of a new chain; let a chain that goes on keep its warped time."""
        head = head_of(url)
        behind = head.time - int(time.time())
        if behind > 0:
            ask(url, "evm_increaseTime", behind + 1)
        addresses = [account.address for account in read_accounts(accounts)]
        balances = ask_all(url, [("eth_getBalance", (each, "latest")) for each in addresses])
        if not any(int(balance, 16) for balance in balances):
            ask_all(url, [("anvil_setBalance", (each, hex(BALANCE))) for each in addresses])


def find_anvil() -> Path:
    """Return the native program: on PATH, in a node_modules here or above, or npm's global one.

    Raises `NotFound`.
    """
    on_path = shutil.which("anvil")
    if on_path is not None:
        program = Path(on_path).resolve()
        if program.suffix != ".mjs":
            return program
        native = _native(program.parent.parent.parent)  # npm's wrapper, which starts the program
        if native is not None:
            return native
    here = Path.cwd()
    for modules in (each / "node_modules" for each in (here, *here.parents)):
        native = _native(modules)
        if native is not None:
            return native
    npm = shutil.which("npm")
    if npm is not None:
        root = subprocess.run(
            [npm, "root", "--global"],
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        ).stdout.strip()
        native = _native(Path(root)) if root else None
        if native is not None:
            return native
    raise NotFound(
        "no anvil on PATH, in node_modules or among npm's global packages",
        next_step=f"Install it (npm install {NPM_PACKAGE}), or use --engine embedded.",
    )


def _native(modules: Path) -> Path | None:
    """Return the program for this platform out of a node_modules; npm installs no other's."""
    found = sorted(modules.glob(f"{NPM_PACKAGE}-*/bin/anvil*"))
    return found[0].resolve() if found else None
