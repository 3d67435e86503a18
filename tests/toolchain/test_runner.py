"""`make test` itself: what it leaves out, what it says of that, and when it fails."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from capshare import artifacts

ROOT = Path(__file__).resolve().parents[2]
Play = Callable[..., tuple[int, list[str]]]


@pytest.fixture(scope="module")
def runner() -> ModuleType:
    """Load scripts/test.py under a name that is not the standard library's `test`."""
    spec = importlib.util.spec_from_file_location("runner", ROOT / "scripts" / "test.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look a class's module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def play(runner: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Play:
    """Run `main` on two steps of Python and one of node; return its exit code and what ran."""

    def run(*options: str, node: bool, failing: str = "") -> tuple[int, list[str]]:
        ran: list[str] = []

        def step(done: object, environment: dict[str, str]) -> bool:
            assert environment["SOLCX_BINARY_PATH"] == str(ROOT / ".solcx")
            ran.append(done.name)  # type: ignore[attr-defined]
            return ran[-1] != failing

        steps = [runner.Step(name=name, command=(), tests=n) for name, n in (("a", 0), ("b", 5))]
        monkeypatch.setattr(runner, "python_steps", lambda: steps)
        monkeypatch.setattr(
            runner, "node_steps", lambda: [runner.Step(name="n", command=(), tests=7)]
        )
        monkeypatch.setattr(runner, "node_found", lambda: node)
        monkeypatch.setattr(runner, "run", step)
        monkeypatch.setattr(sys, "argv", ["test.py", *options])
        return runner.main(), ran

    return run


def last_line(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out.splitlines()[-1]


def test_everything_runs_where_node_is(play: Play, capsys: pytest.CaptureFixture[str]) -> None:
    assert play("--all", node=True) == (0, ["a", "b", "n"])
    assert last_line(capsys) == "all that ran passed; nothing was skipped"


def test_last_line_counts_what_was_left_out(play: Play, capsys: pytest.CaptureFixture[str]) -> None:
    assert play(node=False) == (0, ["a", "b"])
    expected = "all that ran passed; skipped 1 steps with 7 tests: install node 20"
    assert last_line(capsys).startswith(expected)


def test_missing_tool_is_a_failure_with_all(play: Play) -> None:
    assert play("--all", node=False) == (1, ["a", "b"])


def test_later_steps_run_after_a_failure(play: Play, capsys: pytest.CaptureFixture[str]) -> None:
    assert play(node=True, failing="a") == (1, ["a", "b", "n"])
    assert last_line(capsys).startswith("FAILED: a; ")


def test_stale_artifacts_name_the_remedy(
    runner: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(artifacts, "stale_sources", lambda root: ["contracts/Vault.sol"])
    assert runner.check_artifacts() == 1
    assert "contracts/Vault.sol" in (said := capsys.readouterr().out)
    assert "make build" in said


def test_tests_that_need_node_are_counted_by_their_marks(
    runner: ModuleType, tmp_path: Path
) -> None:
    (tmp_path / "test_some.py").write_text(
        "import pytest\n"
        "def test_a(): ...\n"
        "@pytest.mark.anvil\ndef test_b(): ...\n"
        "@pytest.mark.slow\n@pytest.mark.compiler\ndef test_c(): ...\n"
        "def helper(): ...\n"
    )
    (tmp_path / "test_all.py").write_text(
        "import pytest\npytestmark = [pytest.mark.compiler]\ndef test_a(): ...\n"
    )
    assert runner.count_tests(tmp_path, of_node=True) == 3
    assert runner.count_tests(tmp_path, of_node=False) == 4


def test_the_markers_of_node_are_the_projects(runner: ModuleType) -> None:
    declared = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert all(f'"{marker}: needs npm' in declared for marker in runner.NODE_MARKERS)
