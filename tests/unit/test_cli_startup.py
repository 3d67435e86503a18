"""The command line's frame: a light start, and one place where errors become exit codes."""

import subprocess
import sys
from collections.abc import Callable
from types import ModuleType

import click
import pytest
from click.testing import CliRunner

from capshare import __version__
from capshare.cli import COMMANDS, Entry, main
from capshare.errors import CapshareError, Discrepancy, NetworkError, RuleRefused

HEAVY = ("web3", "rich", "ortools", "eth", "numpy", "requests", "aiohttp", "asyncio", "fractions")

PROBE = f"""
import sys
from capshare.cli import main
main(["--help"], standalone_mode=False)
loaded = {{name.split(".")[0] for name in sys.modules}}
heavy = {{name for name in loaded if name in {HEAVY!r} or name.startswith("eth_")}}
commands = {{name for name in sys.modules if name.startswith("capshare.cli.")}}
assert not heavy, heavy
assert commands <= {{"capshare.cli.text"}}, commands
"""


Ended = tuple[object, str, str]  # exit code, stdout, stderr


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[BaseException | None], Ended]:
    """Run a command `fail` that prints and then raises what the test says."""
    module = ModuleType("capshare_fake_command")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    target = f"{module.__name__}:fail"
    monkeypatch.setitem(COMMANDS, "fail", Entry(target=target, summary="Fail."))

    def invoke(error: BaseException | None) -> Ended:
        @click.command
        def fail() -> None:
            click.echo("data")
            if error is not None:
                raise error

        vars(module)["fail"] = fail
        with pytest.raises(SystemExit) as ended:
            main(["fail"])
        return ended.value.code, *capsys.readouterr()

    return invoke


def test_help_imports_no_heavy_package_and_no_command() -> None:
    probe = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True)
    assert probe.returncode == 0, probe.stderr


def test_help_lists_every_command_with_its_summary() -> None:
    shown = CliRunner().invoke(main, ["--help"])
    assert shown.exit_code == 0
    for name, entry in COMMANDS.items():
        assert f"  {name} " in shown.output
        assert entry.summary in shown.output


@pytest.mark.parametrize("module", ["capshare", "capshare.cli"])
def test_package_runs_as_a_module(module: str) -> None:
    shown = subprocess.run(
        [sys.executable, "-m", module, "--version"], capture_output=True, text=True
    )
    assert (shown.returncode, shown.stdout) == (0, f"capshare {__version__}, rules 1\n")


def test_unknown_command_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["nothing"])
    out, err = capsys.readouterr()
    assert (ended.value.code, out) == (2, "")
    assert "No such command 'nothing'" in err


def test_command_that_ends_well_exits_with_zero(
    run: Callable[[BaseException | None], Ended],
) -> None:
    assert run(None) == (0, "data\n", "")


@pytest.mark.parametrize(
    ("error", "code", "talk"),
    [
        (
            NetworkError("no node at http://x", next_step="Start one."),
            3,
            "Error: no node at http://x\nNext: Start one.\n",
        ),
        (RuleRefused(name="SideFull", values=(7, 20)), 5, "Error: SideFull(7, 20)\n"),
        (Discrepancy("sums differ"), 10, "Error: sums differ\n"),
        (CapshareError("odd"), 1, "Error: odd\n"),
        (
            ModuleNotFoundError("No module named 'ortools'", name="ortools.graph"),
            2,
            "Error: this command needs the Python package ortools\n"
            "Next: Install capshare[demo], or capshare[solver] to clear without a chain.\n",
        ),
        (KeyboardInterrupt(), 130, "Interrupted.\n"),
        (click.Abort(), 130, "Interrupted.\n"),
    ],
)
def test_error_becomes_its_exit_code_without_a_traceback(
    run: Callable[[BaseException | None], Ended], error: BaseException, code: int, talk: str
) -> None:
    assert run(error) == (code, "data\n", talk)


@pytest.mark.parametrize(
    "error", [ZeroDivisionError("bug"), ModuleNotFoundError("bug", name="capshare.nowhere")]
)
def test_unexpected_error_is_not_hidden(
    run: Callable[[BaseException | None], Ended], error: Exception
) -> None:
    with pytest.raises(type(error), match="bug"):
        run(error)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_where_the_listing_says(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert isinstance(command, click.Command)
    assert command.name == name
