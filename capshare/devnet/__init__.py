"""Development chains: one inside the process, and engines that run as processes of their own.

In process: `embedded.EmbeddedChain`, and `provider.EmbeddedProvider` for web3 over it. As a
process: `engines.engine_named(...).up(...)`, then `engine.status`, `engine.warp`, `engine.down`.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from capshare.errors import NotFound

if TYPE_CHECKING:
    from capshare.devnet.accounts import DevAccount


def accounts_of(directory: Path | None = None) -> "tuple[DevAccount, ...]":
    """Return the funded accounts of the devnet in `directory`, else of the user's.

    Raises `NotFound` where none was ever started.
    """
    from capshare.devnet.accounts import read_accounts
    from capshare.devnet.state import ACCOUNTS_FILE, default_directory

    path = (directory or default_directory()) / ACCOUNTS_FILE
    try:
        return read_accounts(path)
    except FileNotFoundError as error:
        raise NotFound(
            f"no devnet has left its accounts in {path.parent}",
            next_step="Start one with `capshare devnet up`.",
        ) from error
