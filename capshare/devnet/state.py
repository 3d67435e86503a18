"""What a devnet leaves in its directory while it runs."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from capshare.deployments import home
from capshare.errors import UsageError

STATE_FILE = "devnet.json"
ACCOUNTS_FILE = "accounts.json"
LOG_FILE = "devnet.log"


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A devnet's process and where to reach it."""

    engine: str
    version: str  # of the engine's program
    pid: int
    url: str
    chain_id: int
    genesis_hash: str


def default_directory() -> Path:
    """Return the directory of the devnet that is meant where none is named."""
    return home() / "devnet"


def read_state(directory: Path) -> Running | None:
    """Return what is written about the devnet in `directory`, or None. Raises `UsageError`."""
    path = directory / STATE_FILE
    try:
        return Running(**json.loads(path.read_text()))
    except FileNotFoundError:
        return None
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"{path} cannot be read: {error}", next_step=f"Remove {path} and start anew."
        ) from error


def write_state(directory: Path, running: Running) -> None:
    """Write a devnet's state whole or not at all."""
    path = directory / STATE_FILE
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(asdict(running), indent=1) + "\n")
    draft.replace(path)


def clear_state(directory: Path) -> None:
    """Forget the devnet of `directory`."""
    (directory / STATE_FILE).unlink(missing_ok=True)
