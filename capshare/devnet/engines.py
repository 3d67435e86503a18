"""Which engines there are, and the one that needs Python alone."""

import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import ClassVar, Final

from capshare.devnet.anvil import AnvilEngine
from capshare.devnet.engine import Engine, Plan
from capshare.errors import NotFound, UsageError

OLDEST_PY_EVM: Final = (0, 12)


class EmbeddedEngine(Engine):
    """Run an `EmbeddedChain` behind a loopback server; its chain is gone after `down`."""

    name: ClassVar[str] = "embedded"
    keeps_state: ClassVar[bool] = False

    def version(self) -> str:
        """Return py-evm's version. Raises `NotFound` without it, `UsageError` for one too old."""
        install = "Install it: pip install 'capshare[demo]'"
        try:
            found = version("py-evm")
        except PackageNotFoundError as error:
            raise NotFound("engine embedded needs py-evm", next_step=install) from error
        major, minor = found.split(".")[:2]
        if (int(major), int(minor)) < OLDEST_PY_EVM:
            raise UsageError(f"py-evm {found} is too old", next_step=install)
        return f"py-evm {found}"

    def command(self, plan: Plan, port: int, accounts: Path) -> list[str]:
        """Return the command that serves a new chain."""
        command = [sys.executable, "-m", "capshare.devnet.server"]
        command += ["--port", str(port), "--accounts", str(accounts)]
        command += ["--chain-id", str(plan.chain_id), "--gas-limit", str(plan.gas_limit)]
        command += ["--block-time", str(plan.block_time)]
        return command

    def prepare(self, url: str, accounts: Path) -> None:
        """Do nothing: the genesis block funds the accounts."""


ENGINES: Final[dict[str, type[Engine]]] = {
    each.name: each for each in (EmbeddedEngine, AnvilEngine)
}


def engine_named(name: str) -> Engine:
    """Return an engine by its name. Raises `UsageError`."""
    if name not in ENGINES:
        raise UsageError(f"no engine {name!r}; there are {', '.join(ENGINES)}")
    return ENGINES[name]()
