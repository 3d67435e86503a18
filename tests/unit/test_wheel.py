"""What the wheel holds, and how little its command line imports to say what it can do."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "capshare"
SHIPPED_FOLDERS = ("artifacts", "data", "params", "cli/locale")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel with the pinned backend, without asking any registry."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "flit_core.wheel", "--outdir", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    """List the wheel's files."""
    return set(zipfile.ZipFile(wheel).namelist())


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unpack the wheel as an installation would."""
    folder = tmp_path_factory.mktemp("site")
    zipfile.ZipFile(wheel).extractall(folder)
    return folder


def test_wheel_is_pure_python(wheel: Path) -> None:
    assert wheel.name.startswith("capshare-")
    assert wheel.name.endswith("-py3-none-any.whl")


@pytest.mark.parametrize("folder", SHIPPED_FOLDERS)
def test_wheel_holds_every_file_of_a_data_folder(names: set[str], folder: str) -> None:
    expected = {
        path.relative_to(ROOT).as_posix()
        for path in (PACKAGE / folder).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert expected
    assert expected <= names


def test_wheel_holds_every_module_and_the_typing_mark(names: set[str]) -> None:
    modules = {path.relative_to(ROOT).as_posix() for path in PACKAGE.rglob("*.py")}
    assert {*modules, "capshare/py.typed"} <= names


def test_wheel_holds_parameters_of_pilot_and_production(names: set[str]) -> None:
    assert {"capshare/params/pilot.toml", "capshare/params/production.toml"} <= names


def test_wheel_holds_nothing_but_the_package_and_its_licences(names: set[str]) -> None:
    outside = {name for name in names if not name.startswith("capshare/")}
    (info,) = {name.split("/")[0] for name in outside}
    assert info.endswith(".dist-info")
    licences = {f"{info}/licenses/{n}" for n in ("LICENSE", "NOTICE", "THIRD_PARTY_NOTICES.md")}
    metadata = {f"{info}/{n}" for n in ("METADATA", "RECORD", "WHEEL", "entry_points.txt")}
    assert outside == licences | metadata


def test_wheel_names_the_command(wheel: Path, names: set[str]) -> None:
    (name,) = (n for n in names if n.endswith("/entry_points.txt"))
    assert "capshare=capshare.cli:main" in zipfile.ZipFile(wheel).read(name).decode()


def test_help_from_the_wheel_imports_no_heavy_library(site: Path, tmp_path: Path) -> None:
    program = """
import sys
sys.path.insert(0, sys.argv[1])
sys.argv = ["capshare", "--help"]
from capshare.cli import main
try:
    main()
except SystemExit as end:
    assert end.code in (0, None), end.code
import json, capshare
print(json.dumps([capshare.__file__, sorted(sys.modules)]))
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(site)],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    *help_lines, last = done.stdout.splitlines()
    imported_from, modules = json.loads(last)
    assert Path(imported_from).is_relative_to(site)
    assert any("demo" in line for line in help_lines)
    heavy = {"web3", "rich", "ortools", "numpy", "eth", "eth_account", "requests", "asyncio"}
    assert heavy & set(modules) == set()
