"""The life of an engine's process, with programs that stand in for a chain."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from capshare.devnet import engine as engines_life
from capshare.devnet import process
from capshare.devnet.anvil import AnvilEngine, find_anvil
from capshare.devnet.engine import Engine, Plan, down, find, status, warp
from capshare.devnet.engines import EmbeddedEngine, engine_named
from capshare.devnet.state import Running, read_state, write_state
from capshare.errors import NetworkError, NotFound, UsageError

NODE = """
import json, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Node(BaseHTTPRequestHandler):
    def do_POST(self):
        calls = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        block = {"hash": "0x" + "ab" * 32, "number": "0x7", "timestamp": "0x64"}
        results = {"eth_chainId": sys.argv[2], "eth_getBlockByNumber": block}
        body = json.dumps(
            [{"jsonrpc": "2.0", "id": c["id"], "result": results.get(c["method"])} for c in calls]
        ).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

HTTPServer(("127.0.0.1", int(sys.argv[1])), Node).serve_forever()
"""


class StandIn(Engine):
    """A node that knows its chain id and one block."""

    name: ClassVar[str] = "stand-in"
    keeps_state: ClassVar[bool] = False
    chain_id = "0x7a69"
    program = NODE

    def version(self) -> str:
        return "1"

    def command(self, plan: Plan, port: int, accounts: Path) -> list[str]:
        return [sys.executable, "-c", self.program, str(port), self.chain_id]

    def prepare(self, url: str, accounts: Path) -> None:
        assert accounts.exists()


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    left = read_state(tmp_path)
    if left is not None and process.is_alive(left.pid):
        process.end(left.pid)


def plan_for(directory: Path, port: int | None = 0) -> Plan:
    return Plan(directory=directory, port=port, accounts=2)


def test_devnet_comes_up_is_found_and_goes_down(directory: Path) -> None:
    running = StandIn().up(plan_for(directory))
    assert find(directory) == running
    found = status(directory)
    assert (found.head.number, found.head.time) == (7, 100)
    assert found.running.genesis_hash == "0x" + "ab" * 32
    assert down(directory) == running
    assert not process.is_alive(running.pid)
    assert find(directory) is None


def test_up_again_returns_the_same_devnet_but_refuses_another(directory: Path) -> None:
    running = StandIn().up(plan_for(directory))
    assert StandIn().up(plan_for(directory, None)) == running
    with pytest.raises(UsageError, match="runs in"):
        EmbeddedEngine().up(plan_for(directory))


def test_state_of_a_process_that_is_gone_is_forgotten(directory: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    write_state(directory, running_with(ended.pid))
    with pytest.raises(NotFound, match="no devnet runs"):
        status(directory)
    assert read_state(directory) is None


def test_process_that_took_over_the_id_is_left_alone(directory: Path) -> None:
    """A process id is used again; what has it now is none of ours."""
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        write_state(directory, running_with(other.pid))
        with pytest.raises(NotFound):
            down(directory)
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def running_with(pid: int) -> Running:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return Running(
        engine="embedded",
        version="1",
        pid=pid,
        url=f"http://127.0.0.1:{port}",
        chain_id=31337,
        genesis_hash="0x00",
    )


def test_taken_port_is_refused(directory: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port} is taken"):
            StandIn().up(plan_for(directory, port))
    assert read_state(directory) is None


def test_usual_port_gives_way_when_it_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setattr(process, "USUAL_PORT", taken.getsockname()[1])
        assert process.choose_port(None) != taken.getsockname()[1]


def test_program_that_fails_to_start_shows_its_last_words(directory: Path) -> None:
    class Broken(StandIn):
        program = "raise SystemExit('no room left')"

    with pytest.raises(NetworkError, match="no room left"):
        Broken().up(plan_for(directory))
    assert read_state(directory) is None


def test_program_that_never_answers_is_ended(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Mute(StandIn):
        program = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"

    monkeypatch.setattr(engines_life, "START_SECONDS", 1.0)
    with pytest.raises(NetworkError, match="did not come up"):
        Mute().up(plan_for(directory))
    pid = int((directory / "devnet.log").read_text())
    assert not process.is_alive(pid)


def test_node_of_another_chain_is_refused(directory: Path) -> None:
    class Other(StandIn):
        chain_id = "0x1"

    with pytest.raises(UsageError, match="chain 1 answers"):
        Other().up(plan_for(directory))


def test_warp_refuses_to_go_back(directory: Path) -> None:
    StandIn().up(plan_for(directory))
    with pytest.raises(UsageError, match="not later"):
        warp(directory, to=100)
    with pytest.raises(UsageError, match="forward only"):
        warp(directory, seconds=0)


def test_broken_state_file_is_named(directory: Path) -> None:
    (directory / "devnet.json").write_text("{")
    with pytest.raises(UsageError, match=r"devnet\.json cannot be read"):
        status(directory)
    (directory / "devnet.json").unlink()


def test_unknown_engine_is_refused() -> None:
    with pytest.raises(UsageError, match="embedded, anvil"):
        engine_named("parity")


def fake_anvil(path: Path, version: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho 'anvil Version: {version}'\n")
    path.chmod(0o755)
    return path


def test_anvil_is_found_on_the_path_and_in_node_modules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = tmp_path / "empty"
    work = tmp_path / "work" / "deep"
    empty.mkdir()
    work.mkdir(parents=True)
    monkeypatch.chdir(work)
    monkeypatch.setenv("PATH", str(empty))
    with pytest.raises(NotFound, match="no anvil"):
        find_anvil()

    modules = tmp_path / "work" / "node_modules"
    native = fake_anvil(modules / "@foundry-rs" / "anvil-any-cpu" / "bin" / "anvil", "1.7.1")
    assert find_anvil() == native.resolve()

    # npm's command is a script that starts the program; we start the program ourselves.
    wrapper = fake_anvil(modules / "@foundry-rs" / "anvil" / "bin.mjs", "1.7.1")
    (modules / ".bin").mkdir()
    (modules / ".bin" / "anvil").symlink_to(wrapper)
    monkeypatch.setenv("PATH", str(modules / ".bin"))
    assert find_anvil() == native.resolve()

    installed = fake_anvil(tmp_path / "bin" / "anvil", "1.5.0")
    monkeypatch.setenv("PATH", f"{installed.parent}:/usr/bin:/bin")
    assert find_anvil() == installed.resolve()


def test_anvil_that_is_too_old_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = fake_anvil(tmp_path / "old" / "anvil", "0.3.0")
    new = fake_anvil(tmp_path / "new" / "anvil", "1.7.1-stable")
    monkeypatch.setenv("PATH", f"{new.parent}:/usr/bin:/bin")
    assert AnvilEngine().version() == "1.7.1-stable"
    monkeypatch.setenv("PATH", f"{old.parent}:/usr/bin:/bin")
    with pytest.raises(UsageError, match="too old"):
        AnvilEngine().version()
