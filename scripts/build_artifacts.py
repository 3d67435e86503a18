"""Compile the contracts and write what the wheel ships: ABI, bytecode, layout and checksums.

    build_artifacts.py              compile all, write capshare/artifacts/*.json
    build_artifacts.py --check      compile all, fail if the committed artifacts differ
    build_artifacts.py --only FILE  compile FILE and its imports, print messages and sizes

The compiler is the one that `package-lock.json` pins (npm's WebAssembly build), reached through
`scripts/solc`; nothing is downloaded. Its settings are read from `ape-config.yaml`, the one place
where ape reads them too, so that both give the same bytecode down to the metadata hash.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SOLCX_FOLDER = ROOT / ".solcx"
# Read by py-solc-x (also inside ape) when it is imported, in place of ~/.solcx.
os.environ["SOLCX_BINARY_PATH"] = str(SOLCX_FOLDER)
sys.path.insert(0, str(ROOT))

import solcx
import yaml
from solcx.exceptions import SolcError

from capshare import RULES_VERSION

CONTRACTS = ROOT / "contracts"
CONFIG = ROOT / "ape-config.yaml"
ARTIFACTS = ROOT / "capshare" / "artifacts"
SIZE_LIMIT = 24_576  # bytes of runtime code, EIP-170
# What solc must answer for each contract; `evm.deployedBytecode` brings immutableReferences.
SELECTION = [
    "abi",
    "storageLayout",
    "evm.bytecode.object",
    "evm.deployedBytecode.object",
    "evm.deployedBytecode.immutableReferences",
]

Json = dict[str, Any]


def link_compiler(version: str) -> None:
    """Make `scripts/solc` findable as the installed solc of that version."""
    link = SOLCX_FOLDER / f"solc-v{version}"
    SOLCX_FOLDER.mkdir(exist_ok=True)
    if not link.is_symlink():
        link.symlink_to(Path("..") / "scripts" / "solc")


def compiler_settings() -> tuple[str, Json]:
    """Return the compiler's version and its settings as standard JSON names them."""
    config = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))["solidity"]
    settings = {
        "evmVersion": config["evm_version"],
        "optimizer": {"enabled": config["optimize"], "runs": config["optimization_runs"]},
        "remappings": sorted(config["import_remapping"]),
        "viaIR": config["via_ir"],
    }
    return config["version"], settings


def contract_paths() -> list[str]:
    """Return the project's Solidity sources, relative to the root, sorted."""
    return sorted(
        path.relative_to(ROOT).as_posix()
        for path in CONTRACTS.rglob("*.sol")
        if ".cache" not in path.parts
    )


def is_ours(path: str) -> bool:
    """Tell whether a source is the project's, not a library's."""
    return path.startswith(f"{CONTRACTS.name}/")


def read_sources(paths: list[str]) -> Json:
    """Return the `sources` part of a standard JSON input."""
    return {path: {"content": (ROOT / path).read_text(encoding="utf-8")} for path in paths}


def run_solc(version: str, sources: Json, settings: Json) -> Json:
    """Run the compiler once; raise SystemExit with its messages if it refuses."""
    request = {"language": "Solidity", "sources": sources, "settings": settings}
    try:
        output: Json = solcx.compile_standard(
            request, base_path=ROOT, solc_version=version, allow_empty=True
        )
    except SolcError as error:
        raise SystemExit(error.message if error.message else str(error)) from None
    return output


def compile_contracts(paths: list[str], version: str, settings: Json) -> Json:
    """Compile the sources and all that they import; the syntax trees cover the imports too."""
    selection = {"*": {"": ["ast"]}, **{path: {"*": SELECTION, "": ["ast"]} for path in paths}}
    return run_solc(version, read_sources(paths), {**settings, "outputSelection": selection})


def warnings_of(output: Json) -> list[str]:
    """Return solc's warnings about our sources, as it prints them; libraries' are not ours."""
    return [
        error["formattedMessage"]
        for error in output.get("errors", [])
        if error["severity"] == "warning"
        and is_ours(error.get("sourceLocation", {}).get("file", f"{CONTRACTS.name}/"))
    ]


def declarations(output: Json) -> dict[int, Json]:
    """Return every contract and variable declaration of the syntax trees, by its number."""

    def walk(node: Any) -> Iterator[Json]:
        if isinstance(node, dict):
            if node.get("nodeType") in ("ContractDefinition", "VariableDeclaration"):
                yield node
            for child in node.values():
                yield from walk(child)
        elif isinstance(node, list):
            for child in node:
                yield from walk(child)

    return {node["id"]: node for source in output["sources"].values() for node in walk(source)}


def stable_layout(layout: Json) -> Json:
    """Drop the declaration numbers from a storage layout: they move when any file is added."""
    text = json.dumps(layout)
    names = set(re.findall(r"\((\w+)\)\d+_storage", text))
    numbered = set(re.findall(r"\((\w+)\)(\d+)_storage", text))
    if len(numbered) > len(names):
        raise SystemExit(f"two types share a name in one storage layout: {sorted(numbered)}")
    plain: Json = json.loads(re.sub(r"\((\w+)\)\d+", r"(\1)", text))

    def strip(node: Any) -> Any:
        if isinstance(node, dict):
            return {k: strip(v) for k, v in node.items() if k != "astId"}
        return [strip(v) for v in node] if isinstance(node, list) else node

    stripped: Json = strip(plain)
    return stripped


def to_artifact(name: str, compiled: Json, by_number: dict[int, Json]) -> Json:
    """Return the shipped form of one compiled contract; immutables are keyed by their name."""
    creation, runtime = compiled["evm"]["bytecode"], compiled["evm"]["deployedBytecode"]
    if "__$" in creation["object"]:
        raise SystemExit(f"{name} needs a linked library: make the library's functions internal")
    immutables = {
        by_number[int(number)]["name"]: places
        for number, places in runtime["immutableReferences"].items()
    }
    if len(immutables) != len(runtime["immutableReferences"]):
        raise SystemExit(f"{name} has two immutables of one name: {sorted(immutables)}")
    return {
        "contractName": name,
        "abi": compiled["abi"],
        "bytecode": "0x" + creation["object"],
        "runtimeBytecode": "0x" + runtime["object"],
        "immutableReferences": immutables,
        "storageLayout": stable_layout(compiled["storageLayout"]),
        "runtimeSize": len(runtime["object"]) // 2,
    }


def deployable(output: Json) -> dict[str, Json]:
    """Return the artifacts of our contracts: no interface, library, abstract contract or import."""
    by_number = declarations(output)
    kinds = {
        (node["name"], node["contractKind"], node.get("abstract", False))
        for node in by_number.values()
        if node["nodeType"] == "ContractDefinition"
    }
    artifacts: dict[str, Json] = {}
    for path, contracts in output["contracts"].items():
        for name, compiled in contracts.items():
            if not is_ours(path) or (name, "contract", False) not in kinds:
                continue
            if name in artifacts:
                raise SystemExit(f"two contracts are named {name}")
            artifacts[name] = to_artifact(name, compiled, by_number)
    return artifacts


def checksums() -> dict[str, str]:
    """Return the sha256 of each source and of the settings, by path."""
    paths = [CONFIG.name, *contract_paths()]
    return {path: hashlib.sha256((ROOT / path).read_bytes()).hexdigest() for path in paths}


def render(value: Json) -> str:
    """Return JSON text that is the same for the same value."""
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def build() -> tuple[dict[str, str], list[str]]:
    """Compile everything; return the text of each artifact file by name, and the warnings."""
    version, settings = compiler_settings()
    output = compile_contracts(contract_paths(), version, settings)
    artifacts = deployable(output)
    too_big = {n: a["runtimeSize"] for n, a in artifacts.items() if a["runtimeSize"] > SIZE_LIMIT}
    if too_big:
        raise SystemExit(f"larger than {SIZE_LIMIT} bytes: {too_big}")
    manifest = {
        "rulesVersion": RULES_VERSION,
        "settings": settings,
        "solc": str(solcx.get_solc_version(with_commit_hash=True)),
        "sources": checksums(),
    }
    files = {f"{name}.json": render(artifact) for name, artifact in artifacts.items()}
    return {**files, "manifest.json": render(manifest)}, warnings_of(output)


def differing(files: dict[str, str]) -> list[str]:
    """Return the names of committed artifact files that are missing, stale or left over."""
    committed = {path.name: path.read_text(encoding="utf-8") for path in ARTIFACTS.glob("*.json")}
    return sorted(
        name for name in files.keys() | committed.keys() if files.get(name) != committed.get(name)
    )


def write(files: dict[str, str]) -> list[str]:
    """Write the files that differ and remove the others; return the names that changed."""
    changed = differing(files)
    for name in changed:
        if name in files:
            (ARTIFACTS / name).write_text(files[name], encoding="utf-8")
        else:
            (ARTIFACTS / name).unlink()
    return changed


def print_sizes(output: Json) -> None:
    """Print one line a contract: runtime bytes, creation bytes, and what is left of the limit."""
    for name, artifact in sorted(deployable(output).items()):
        size, creation = artifact["runtimeSize"], len(artifact["bytecode"]) // 2 - 1
        print(f"{name:24} runtime {size:6} B  creation {creation:6} B  left {SIZE_LIMIT - size}")


def main(argv: list[str] | None = None) -> int:
    """Run the command line described at the top of this file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--check", action="store_true", help="compare with the committed files")
    action.add_argument("--only", nargs="+", metavar="FILE", help="compile these, write nothing")
    arguments = parser.parse_args(argv)

    version, settings = compiler_settings()
    link_compiler(version)
    solcx.set_solc_version(version)
    if arguments.only:
        paths = [Path(name).resolve().relative_to(ROOT).as_posix() for name in arguments.only]
        output = compile_contracts(sorted(paths), version, settings)
        print("\n".join(warnings_of(output)), end="")
        print_sizes(output)
        return 0

    files, warnings = build()
    if warnings:
        print("\n".join(warnings))
        raise SystemExit("the compiler warns; mend the contracts (nothing was written)")
    if not arguments.check:
        changed = write(files)
        print("\n".join(f"wrote {name}" for name in changed) or "artifacts are up to date")
        return 0
    if stale := differing(files):
        raise SystemExit(
            f"artifacts differ from a fresh compilation: {', '.join(stale)}\n"
            "Run `make build` and commit the result."
        )
    print(f"{len(files) - 1} artifacts equal a fresh compilation")
    return 0


if __name__ == "__main__":
    sys.exit(main())
