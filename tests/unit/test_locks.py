"""The lock files: what they name, and that every supported platform can install them."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "requirements"
PLATFORMS = ("x86_64-manylinux_2_28", "x86_64-pc-windows-msvc", "aarch64-apple-darwin")


def pins(name: str) -> set[tuple[str, str]]:
    """Return the (package, version) pairs of a lock file."""
    text = (REQUIREMENTS / name).read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z0-9._-]+)==(\S+)", text, flags=re.MULTILINE))


@pytest.mark.parametrize("name", ["demo.txt", "dev.txt"])
def test_lock_has_checksums_and_names_no_host(name: str) -> None:
    text = (REQUIREMENTS / name).read_text(encoding="utf-8")
    assert "://" not in text
    assert text.count("--hash=sha256:") >= len(pins(name)) > 40


def test_demo_runs_on_the_versions_that_the_tests_run_on() -> None:
    assert pins("demo.txt") <= pins("dev.txt")


def test_locks_follow_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    locked = pins("dev.txt")
    for text in chain(project["dependencies"], *extras.values()):
        requirement = Requirement(text)
        if requirement.name == project["name"]:
            continue
        versions = [
            version for name, version in locked if name == canonicalize_name(requirement.name)
        ]
        assert any(requirement.specifier.contains(v, prereleases=True) for v in versions), (
            f"{requirement} is not locked; run `make lock`"
        )


@pytest.mark.slow
@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
@pytest.mark.parametrize("platform", PLATFORMS)
def test_demo_resolves_to_wheels_alone(platform: str, python: str, tmp_path: Path) -> None:
    uv = [str(Path(sys.executable).parent / "uv"), "pip", "install", "--dry-run", "--quiet"]
    target = ["--target", str(tmp_path), "--python", sys.executable]
    wanted = ["--python-platform", platform, "--python-version", python]
    strict = ["--only-binary", ":all:", "--require-hashes", "-r", str(REQUIREMENTS / "demo.txt")]
    done = subprocess.run(
        uv + target + wanted + strict, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
