"""`capshare devnet`: a chain in a process of its own, driven as people and programs do."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from web3 import HTTPProvider, Web3

from capshare.cli import main
from capshare.devnet import accounts_of, process
from capshare.devnet.engine import down, find


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a command left."""

    exit_code: object
    stdout: str
    stderr: str


Capshare = Callable[..., Result]


@pytest.fixture
def capshare(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Capshare]:
    """Run a command with a home of its own; no devnet outlives the test."""
    monkeypatch.setenv("CAPSHARE_HOME", str(tmp_path))

    def run(*arguments: str) -> Result:
        with pytest.raises(SystemExit) as caught:
            main(["devnet", *arguments])
        captured = capsys.readouterr()
        return Result(exit_code=caught.value.code, stdout=captured.out, stderr=captured.err)

    yield run
    if find(tmp_path / "devnet") is not None:
        down(tmp_path / "devnet")


def shown(result: Result) -> Any:
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["embedded", pytest.param("anvil", marks=pytest.mark.anvil)])
def test_devnet_goes_up_serves_another_process_and_goes_down(
    capshare: Capshare, engine: str
) -> None:
    up = shown(capshare("up", "--engine", engine, "--port", "0", "--chain-id", "4711", "--json"))
    assert (up["engine"], up["chain_id"]) == (engine, 4711)
    assert type(up["head"]) is int
    assert Path(up["accounts"]).stat().st_mode & 0o777 == 0o600

    web3 = Web3(HTTPProvider(up["rpc"]))
    payer, payee = accounts_of()[:2]
    assert web3.eth.chain_id == 4711
    assert web3.eth.gas_price == 0
    transaction = {
        "chainId": 4711,
        "nonce": 0,
        "gas": 21_000,
        "gasPrice": 0,
        "value": 5,
        "to": payee.address,
    }
    raw = Account.sign_transaction(transaction, payer.key).raw_transaction
    receipt = web3.eth.wait_for_transaction_receipt(web3.eth.send_raw_transaction(raw))
    assert receipt["status"] == 1
    assert web3.eth.get_balance(payee.address) == web3.eth.get_balance(accounts_of()[2].address) + 5

    before = web3.eth.get_block("latest")["timestamp"]
    warped = shown(capshare("warp", "2h", "--json"))
    assert 7_200 <= warped["timestamp"] - before < 7_300
    to = shown(capshare("warp", "--to", "2040-01-01T00:00", "--json"))
    assert to["time"] == "2040-01-01T00:00:00+00:00"
    assert web3.eth.get_block(to["head"])["timestamp"] == to["timestamp"]

    status = shown(capshare("status", "--json"))
    assert status["genesis"] == up["genesis"] == web3.eth.get_block(0)["hash"].to_0x_hex()
    assert status["head"] >= 3
    assert status["pid"] == up["pid"]

    ended = capshare("down")
    assert ended.exit_code == 0
    assert ("lost" in ended.stderr) == (engine == "embedded")
    assert not process.is_alive(up["pid"])
    assert capshare("status").exit_code == 6


@pytest.mark.slow
@pytest.mark.anvil
def test_anvil_goes_on_with_its_chain_and_its_time(capshare: Capshare) -> None:
    first = shown(capshare("up", "--engine", "anvil", "--port", "0", "--json"))
    warped = shown(capshare("warp", "30d", "--json"))
    capshare("down")
    second = shown(capshare("up", "--engine", "anvil", "--port", "0", "--json"))
    assert second["genesis"] == first["genesis"]
    assert second["head"] >= warped["head"]
    assert shown(capshare("warp", "1s", "--json"))["timestamp"] > warped["timestamp"]


@pytest.mark.slow
def test_foreground_ends_with_its_process(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "capshare", "devnet", "up", "--foreground", "--port", "0"]
    shell = subprocess.Popen(
        command,
        env=os.environ | {"CAPSHARE_HOME": str(tmp_path)},
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while (running := find(tmp_path / "devnet")) is None and time.monotonic() < deadline:
        time.sleep(0.1)
    assert running is not None
    shell.send_signal(signal.SIGTERM)
    assert shell.wait(timeout=30) == 0
    assert not process.is_alive(running.pid)
    assert find(tmp_path / "devnet") is None


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["status"], 6),
        (["down"], 6),
        (["warp", "2h"], 6),
        (["warp"], 2),
        (["warp", "2h", "--to", "2040-01-01"], 2),
        (["warp", "soon"], 2),
        (["up", "--engine", "parity"], 2),
    ],
)
def test_command_without_a_devnet_ends_with_its_code(
    capshare: Capshare, arguments: list[str], code: int
) -> None:
    result = capshare(*arguments)
    assert result.exit_code == code
    assert result.stdout == ""
