"""The documents say what is so: figures from the benchmarks, files and commands that exist."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from capshare import abi, artifacts
from capshare.cli import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(
    path for folder in (ROOT, ROOT / "docs") for path in folder.glob("*.md") if path.is_file()
)


def test_readme_shows_the_benchmarks_figures():
    done = subprocess.run(
        [sys.executable, "scripts/write_figures.py", "--check"], cwd=ROOT, check=False
    )
    assert done.returncode == 0


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: p.name)
def test_links_lead_somewhere(path):
    text = path.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if not target.startswith(("http", "mailto")):
            assert (path.parent / target).exists(), target


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: p.name)
def test_test_files_that_are_named_exist(path):
    names = {p.name for p in (ROOT / "tests").rglob("*.py")}
    for name in re.findall(r"\b(test_\w+\.py)\b", path.read_text(encoding="utf-8")):
        assert name in names, name


def test_commands_that_readme_shows_exist():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"^(?:\.venv/bin/)?capshare (\w+)", text, re.MULTILINE))
    assert shown
    assert shown <= set(COMMANDS)


def test_make_targets_that_readme_shows_exist():
    recipes = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\bmake (\w+) ", text)) <= set(recipes)


def test_events_in_the_table_of_steps_exist():
    events = {
        entry["name"]
        for name in artifacts.names()
        for entry in artifacts.load(name).abi
        if entry["type"] == "event"
    }
    table = (ROOT / "README.md").read_text(encoding="utf-8").split("## The steps")[1]
    rows = [line for line in table.split("##")[0].splitlines() if line.startswith("|")]
    for row in rows[2:]:
        for event in re.findall(r"`([A-Z]\w+)`", row.split("|")[5]):
            assert event in events, event


def test_errors_named_in_the_protocol_exist():
    text = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
    assert "`TokenShrunk`" in text
    assert {"TokenShrunk"} <= abi.error_names()
