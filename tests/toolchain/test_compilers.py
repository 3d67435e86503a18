"""The compiler's two callers, py-solc-x and ape, and the wrapper that both of them run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from capshare import artifacts

pytestmark = [pytest.mark.compiler, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[2]
SOLC = ROOT / "scripts" / "solc"
HEADER = "// SPDX-License-Identifier: Apache-2.0\npragma solidity 0.8.37;\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Copy what building needs into an empty checkout without contracts."""
    for name in ("ape-config.yaml", "package.json", "scripts/solc", "scripts/build_artifacts.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    for name in ("contracts", "capshare/artifacts"):
        (tmp_path / name).mkdir(parents=True)
    shutil.copy(ROOT / "capshare" / "__init__.py", tmp_path / "capshare")
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    return tmp_path


def build(checkout: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(checkout / "scripts" / "build_artifacts.py"), *options]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def solc(*options: str, source: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(SOLC), *options], input=source, check=False, capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def ape_types() -> dict[str, dict[str, dict[str, str]]]:
    """Compile all by ape, into the folder where `ape test` will find it.

    Without `--force` ape keeps a contract when only a library that it inlines has changed.
    """
    subprocess.run(
        [str(Path(sys.executable).parent / "ape"), "compile", "--force"],
        cwd=ROOT,
        env={**os.environ, "SOLCX_BINARY_PATH": str(ROOT / ".solcx")},
        check=True,
        capture_output=True,
    )
    types: dict[str, dict[str, dict[str, str]]] = json.loads(
        (ROOT / ".build" / "__local__.json").read_text(encoding="utf-8")
    )["contractTypes"]
    return types


@pytest.mark.parametrize("name", artifacts.names())
def test_ape_and_py_solc_x_give_the_same_bytecode(
    ape_types: dict[str, dict[str, dict[str, str]]], name: str
) -> None:
    artifact, by_ape = artifacts.load(name), ape_types[name]
    assert by_ape["runtimeBytecode"]["bytecode"] == "0x" + artifact.runtime_bytecode.hex()
    assert by_ape["deploymentBytecode"]["bytecode"] == "0x" + artifact.bytecode.hex()


def test_wrapper_tells_the_pinned_version() -> None:
    package = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))
    done = solc("--version")
    assert f"\nVersion: {package['devDependencies']['solc']}+commit." in done.stdout
    assert solc("--version").stdout == done.stdout


def test_wrapper_compiles_what_imports_from_the_base_path(tmp_path: Path) -> None:
    (tmp_path / "A.sol").write_text(HEADER + "contract A { uint256 public a; }")
    source = HEADER + 'import {A} from "A.sol"; contract B is A {}'
    request = json.dumps(
        {
            "language": "Solidity",
            "sources": {"B.sol": {"content": source}},
            "settings": {"outputSelection": {"*": {"*": ["evm.bytecode.object"]}}},
        }
    )
    found = json.loads(solc("--standard-json", "--base-path", str(tmp_path), source=request).stdout)
    assert found["contracts"]["B.sol"]["B"]["evm"]["bytecode"]["object"]
    missing = json.loads(
        solc("--standard-json", f"--base-path={SOLC.parent}", source=request).stdout
    )
    assert 'Source "A.sol" not found' in missing["errors"][0]["message"]


@pytest.mark.parametrize("options", [[], ["--combined-json", "abi"]])
def test_wrapper_refuses_what_it_does_not_do(options: list[str]) -> None:
    done = solc(*options)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("solc: ")


def test_build_writes_then_finds_nothing_to_do(checkout: Path) -> None:
    source = checkout / "contracts" / "Small.sol"
    source.write_text(
        HEADER + "contract Small { uint256 public immutable a; uint256 public b;"
        " constructor(uint256 c) { a = c; } }"
    )
    first, second, check = build(checkout), build(checkout), build(checkout, "--check")
    assert first.stdout.splitlines() == ["wrote Small.json", "wrote manifest.json"]
    assert second.stdout.splitlines() == ["artifacts are up to date"]
    assert check.returncode == 0
    written = json.loads((checkout / "capshare" / "artifacts" / "Small.json").read_text())
    assert set(written["immutableReferences"]) == {"a"}
    assert [entry["label"] for entry in written["storageLayout"]["storage"]] == ["b"]

    source.write_text(source.read_text().replace("b;", "d;"))
    stale = build(checkout, "--check")
    assert stale.returncode == 1
    assert "Small.json, manifest.json" in stale.stderr
    assert "make build" in stale.stderr


def test_build_removes_the_artifact_of_a_removed_contract(checkout: Path) -> None:
    old, new = (checkout / "contracts" / f"{name}.sol" for name in ("Old", "New"))
    old.write_text(HEADER + "contract Old { uint256 public a; }")
    build(checkout)
    old.rename(new)
    new.write_text(new.read_text().replace("Old", "New"))
    assert build(checkout).returncode == 0
    left = {path.name for path in (checkout / "capshare" / "artifacts").glob("*.json")}
    assert left == {"New.json", "manifest.json"}


def test_build_ships_no_interface_library_or_abstract_contract(checkout: Path) -> None:
    (checkout / "contracts" / "All.sol").write_text(
        HEADER + "interface I { error E(uint256 a); } abstract contract Base {}"
        " library L { function f(uint256 a) internal pure returns (uint256) {"
        " require(a > 1, I.E(a)); return a; } }"
        " contract Whole is Base { function g(uint256 a) external pure returns (uint256) {"
        " return L.f(a); } }"
    )
    assert build(checkout).returncode == 0
    folder = checkout / "capshare" / "artifacts"
    assert {path.stem for path in folder.glob("*.json")} == {"Whole", "manifest"}
    abi = json.loads((folder / "Whole.json").read_text())["abi"]
    assert "E" in {entry.get("name") for entry in abi}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("contract C { function f() public { uint256 a; } }", "the compiler warns"),
        ("contract C { function f( }", "ParserError"),
        (
            "library L { function f() external pure returns (uint256) { return 1; } }"
            " contract C { function g() external pure returns (uint256) { return L.f(); } }",
            "make the library's functions internal",
        ),
    ],
    ids=["warning", "error", "linked library"],
)
def test_build_refuses(checkout: Path, body: str, message: str) -> None:
    (checkout / "contracts" / "C.sol").write_text(HEADER + body)
    done = build(checkout)
    assert done.returncode == 1
    assert message in done.stderr
    assert list((checkout / "capshare" / "artifacts").glob("*.json")) == []
