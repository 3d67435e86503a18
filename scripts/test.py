"""Run every check that the tools on this machine allow; the last line says what was left out.

    test.py          leave out, and count, what needs a tool that is not here
    test.py --all    a missing tool is a failure

Python alone checks style, types, layers and that the committed artifacts belong to the sources,
and runs the tests on those artifacts. With node it also lints and compiles the contracts, compares
py-solc-x's and ape's bytecode, and runs ape's contract tests and those on anvil. Every step runs
even if an earlier one failed. Needs `make test`'s environment; uses the standard library only.
"""

from __future__ import annotations

import argparse
import ast
import os
import shlex
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
NODE_MARKERS = frozenset({"anvil", "compiler"})
NODE_MAJOR = 20
INSTALL_NODE = f"node {NODE_MAJOR} or newer, with npm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One command; it succeeds with exit code 0. `tests` is how many tests it holds, if any."""

    name: str
    command: tuple[str | Path, ...]
    tests: int = 0


def python_steps() -> list[Step]:
    """Return the steps that need Python alone."""
    without_node = " and ".join(f"not {marker}" for marker in sorted(NODE_MARKERS))
    return [
        Step(name="ruff check", command=(BIN / "ruff", "check", ".")),
        Step(name="ruff format", command=(BIN / "ruff", "format", "--check", ".")),
        Step(name="mypy", command=(BIN / "mypy",)),
        Step(name="layers", command=(BIN / "lint-imports",)),
        Step(name="fresh artifacts", command=(sys.executable, __file__, "--only-artifacts")),
        Step(
            name="pytest",
            command=(BIN / "pytest", "-n", "auto", "--dist", "loadfile", "-m", without_node),
        ),
    ]


def node_steps() -> list[Step]:
    """Return the steps that need node, in an order in which each finds what it needs."""
    marked = count_tests(ROOT / "tests", of_node=True)
    contract = count_tests(ROOT / "tests" / "contract", of_node=False)
    return [
        Step(name="npm ci", command=("make", "--no-print-directory", "node_modules/.installed")),
        Step(
            name="solhint",
            command=(
                "node_modules/.bin/solhint",
                "--disc",
                "--noPoster",
                "--max-warnings",
                "0",
                "contracts/**/*.sol",
            ),
        ),
        Step(
            name="artifacts equal a compilation",
            command=(sys.executable, "scripts/build_artifacts.py", "--check"),
        ),
        Step(
            name="pytest with compiler and anvil",
            command=(BIN / "pytest", "-m", " or ".join(sorted(NODE_MARKERS))),
            tests=marked,
        ),
        Step(name="ape test", command=(BIN / "ape", "test", "tests/contract"), tests=contract),
    ]


def count_tests(folder: Path, *, of_node: bool) -> int:
    """Count test functions without importing them; parametrised ones count once.

    With `of_node`, only those marked as needing node, by themselves or by their module.
    """
    total = 0
    for path in sorted(folder.rglob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        module_marked = any(
            isinstance(node, ast.Assign)
            and any(isinstance(t, ast.Name) and t.id == "pytestmark" for t in node.targets)
            and marks_node(node.value)
            for node in tree.body
        )
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                marked = module_marked or any(marks_node(d) for d in node.decorator_list)
                total += not of_node or marked
    return total


def marks_node(expression: ast.AST) -> bool:
    """Tell whether an expression names `pytest.mark.<one of the markers of node>`."""
    return any(
        isinstance(node, ast.Attribute) and node.attr in NODE_MARKERS
        for node in ast.walk(expression)
    )


def node_found() -> bool:
    """Tell whether a new enough node and npm can be run."""
    if not (shutil.which("node") and shutil.which("npm")):
        return False
    answer = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False)
    return answer.returncode == 0 and int(answer.stdout.lstrip("v").split(".")[0]) >= NODE_MAJOR


def run(step: Step, environment: dict[str, str]) -> bool:
    """Run one step with its output passed through; return whether it succeeded."""
    words = shlex.join(
        os.path.relpath(word, ROOT) if isinstance(word, Path) else word for word in step.command
    )
    print(f"\n=== {step.name}: {words}", flush=True)
    started = time.monotonic()
    code = subprocess.run(step.command, cwd=ROOT, env=environment, check=False).returncode
    print(
        f"--- {step.name}: {'ok' if code == 0 else f'FAILED ({code})'}"
        f" in {time.monotonic() - started:.0f} s",
        flush=True,
    )
    return code == 0


def check_artifacts() -> int:
    """Fail, naming the remedy, if a contract changed since the artifacts were made."""
    sys.path.insert(0, str(ROOT))
    from capshare import artifacts

    stale = artifacts.stale_sources(ROOT)
    if stale:
        print(f"compiled from other sources: {', '.join(stale)}\nRun `make build` (needs node).")
        return 1
    print(f"{len(artifacts.names())} artifacts belong to the sources")
    return 0


def main() -> int:
    """Run the command line described at the top of this file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--all", action="store_true", help="a missing tool is a failure")
    parser.add_argument("--only-artifacts", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only_artifacts:
        return check_artifacts()

    environment = {**os.environ, "SOLCX_BINARY_PATH": str(ROOT / ".solcx")}
    steps, with_node = python_steps(), node_steps()
    found = node_found()
    failed = [step.name for step in steps + with_node * found if not run(step, environment)]

    left_out = [] if found else with_node
    verdict = f"FAILED: {', '.join(failed)}; " if failed else "all that ran passed; "
    print(f"\n{verdict}{describe(left_out)}")
    return int(bool(failed or (left_out and arguments.all)))


def describe(left_out: list[Step]) -> str:
    """Say how much was not run, and what to install to run it."""
    if not left_out:
        return "nothing was skipped"
    tests = sum(step.tests for step in left_out)
    return f"skipped {len(left_out)} steps with {tests} tests: install {INSTALL_NODE}"


if __name__ == "__main__":
    sys.exit(main())
