"""Remove one `emit` at a time from a contract: a test must fail each time.

    mutate_emits.py              try ten, chosen by --seed
    mutate_emits.py --all        try every one
    mutate_emits.py --list       print them

Each mutant's contract is compiled and put into a copy of the package, where chain and ledger play
the histories of tests/evm/test_lock_step.py; the copy without a mutation plays them first and has
to pass. Exit code 1 if a mutant survives. The working tree is never touched. Needs npm's solc.
"""

from __future__ import annotations

import argparse
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts import build_artifacts

PLAY = """
from tests.evm.lock_step.drive import Tally, history
from tests.evm.lock_step.play import Play

for seed in range(1, {histories} + 1):
    history(Play(seed), 500, Tally())
"""
COPIED = ("capshare", "tests", "pyproject.toml")
EMIT = re.compile(r"^[ \t]*emit (\w+)\([^;]*\);\n", re.MULTILINE)
# Abstract contracts and the one that each becomes.
CONCRETE = {"BookStore": "CapacityBook", "DealStore": "Deals", "MemberStore": "MemberRegistry"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A source without one of its emits."""

    path: str
    line: int
    event: str
    source: str

    @property
    def contract(self) -> str:
        """Return the contract whose artifact changes."""
        name = Path(self.path).stem
        return CONCRETE.get(name, name)

    def __str__(self) -> str:
        return f"{self.path}:{self.line} {self.event}"


def mutants(sources: Mapping[str, str]) -> list[Mutant]:
    """Return one mutant for each emit of the contracts that are deployed."""
    found = []
    for path, source in sources.items():
        if path.count("/") > 1:
            continue  # an interface, a library or a token of the devnet
        for match in EMIT.finditer(source):
            found.append(
                Mutant(
                    path=path,
                    line=source.count("\n", 0, match.start()) + 1,
                    event=match[1],
                    source=source[: match.start()] + source[match.end() :],
                )
            )
    return found


def artifact_of(mutant: Mutant, sources: Mapping[str, str]) -> str:
    """Compile the mutant's contract and return the text of its artifact."""
    version, settings = build_artifacts.compiler_settings()
    target = f"contracts/{mutant.contract}.sol"
    given = {path: {"content": text} for path, text in sources.items()}
    given[mutant.path] = {"content": mutant.source}
    selection = {"*": {"": ["ast"]}, target: {"*": build_artifacts.SELECTION, "": ["ast"]}}
    output = build_artifacts.run_solc(version, given, {**settings, "outputSelection": selection})
    return build_artifacts.render(build_artifacts.deployable(output)[mutant.contract])


def play(folder: Path, histories: int) -> subprocess.CompletedProcess[str]:
    """Play histories on chain and ledger in a copy of the project; a difference fails."""
    return subprocess.run(
        [sys.executable, "-c", PLAY.format(histories=histories)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def copy_project(folder: Path) -> None:
    """Copy what the test needs."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)


def survivors(chosen: list[Mutant], sources: Mapping[str, str], histories: int) -> list[Mutant]:
    """Try the mutants and return those that no test noticed."""
    alive = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copy_project(folder)
        untouched = play(folder, histories)
        if untouched.returncode:
            raise SystemExit(f"they differ without a mutation:\n{untouched.stderr}")
        for mutant in chosen:
            begun = time.perf_counter()
            artifact = folder / "capshare" / "artifacts" / f"{mutant.contract}.json"
            original = artifact.read_text(encoding="utf-8")
            artifact.write_text(artifact_of(mutant, sources), encoding="utf-8")
            done = play(folder, histories)
            artifact.write_text(original, encoding="utf-8")
            if done.returncode and "Difference: " not in done.stderr:
                raise SystemExit(f"{mutant}: the histories could not be played:\n{done.stderr}")
            verdict = "noticed" if done.returncode else "NOT NOTICED"
            print(f"{mutant}: {verdict}, {time.perf_counter() - begun:.0f} s", flush=True)
            if not done.returncode:
                alive.append(mutant)
    return alive


def main() -> int:
    """Run the command line described at the top of this file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--histories", type=int, default=10, help="of 500 commands each")
    arguments = parser.parse_args()
    # Read once: every mutant is one emit away from the same sources.
    sources = {
        path: (ROOT / path).read_text(encoding="utf-8") for path in build_artifacts.contract_paths()
    }
    found = mutants(sources)
    if arguments.list:
        print("\n".join(map(str, found)))
        return 0
    build_artifacts.link_compiler(build_artifacts.compiler_settings()[0])
    chosen = found
    if not arguments.all:
        chosen = random.Random(arguments.seed).sample(found, min(arguments.count, len(found)))
    alive = survivors(chosen, sources, arguments.histories)
    print(f"{len(chosen) - len(alive)} of {len(chosen)} noticed")
    return 1 if alive else 0


if __name__ == "__main__":
    raise SystemExit(main())
