"""Processes and ports: start one in the background, see whether it lives, end it."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from capshare.errors import CapshareError, UsageError

HOST: Final = "127.0.0.1"
USUAL_PORT: Final = 8545
END_SECONDS: Final = 15.0
POLL_SECONDS: Final = 0.05


def choose_port(wanted: int | None) -> int:
    """Return a free port: the wanted one, else the usual one, else any.

    Raises `UsageError` when the wanted one is taken.
    """
    if wanted:
        if not _is_free(wanted):
            raise UsageError(
                f"port {wanted} is taken by another process",
                next_step="Name another with --port, or leave --port out to get a free one.",
            )
        return wanted
    if wanted is None and _is_free(USUAL_PORT):
        return USUAL_PORT
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


_children: dict[int, subprocess.Popen[bytes]] = {}  # ours, until they are seen to have ended


def start(command: Sequence[str], *, log: Path, detach: bool) -> int:
    """Start a process that writes to `log` and return its id.

    Detached, it outlives this process and its terminal.
    """
    with log.open("wb") as output:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=detach,
        )
    _children[child.pid] = child
    return child.pid


def is_alive(pid: int) -> bool:
    """Say whether a process exists."""
    if pid in _children:  # one that ended would still exist until it is asked for its end
        if _children[pid].poll() is None:
            return True
        del _children[pid]
        return False
    if sys.platform == "win32":
        listed = subprocess.run(
            ["tasklist", "/FI", f"PID eq {pid}", "/NH"], capture_output=True, text=True, check=False
        )
        return str(pid) in listed.stdout
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def command_of(pid: int) -> str:
    """Return the command line of a process, empty where it cannot be learnt."""
    proc = Path(f"/proc/{pid}/cmdline")
    if proc.exists():
        return proc.read_bytes().replace(b"\0", b" ").decode(errors="replace")
    if sys.platform == "win32":
        return ""
    listed = subprocess.run(
        ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return listed.stdout.strip()


def end(pid: int) -> None:
    """End a process, by force if it does not within 15 s. Raises `CapshareError`."""
    for number in (signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + END_SECONDS
        while time.monotonic() < deadline:
            if not is_alive(pid):
                return
            time.sleep(POLL_SECONDS)
    raise CapshareError(f"process {pid} does not end")
