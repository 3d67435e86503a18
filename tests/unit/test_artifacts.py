"""The loader of compiled contracts, and its view of which sources they belong to."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import capshare
from capshare import artifacts
from capshare.errors import NotFound

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Copy what the checksums cover, to be changed freely."""
    shutil.copytree(ROOT / "contracts", tmp_path / "contracts")
    shutil.copy(ROOT / "ape-config.yaml", tmp_path)
    return tmp_path


@pytest.fixture
def source(checkout: Path) -> Path:
    """Name one contract's source in the copy."""
    return checkout / "contracts" / "Vault.sol"


def test_every_contract_of_the_deployment_is_shipped() -> None:
    expected = {
        "AssetRegistry",
        "CapacityBook",
        "Clearing",
        "Council",
        "CreditLedger",
        "Deals",
        "MemberRegistry",
        "SettlementToken",
        "Vault",
    }
    assert expected <= set(artifacts.names())


@pytest.mark.parametrize("name", artifacts.names())
def test_artifact_has_interface_code_and_layout(name: str) -> None:
    artifact = artifacts.load(name)
    assert artifact.name == name
    assert {entry["type"] for entry in artifact.abi} >= {"function"}
    assert artifact.runtime_size > 100
    assert len(artifact.bytecode) > artifact.runtime_size
    assert set(artifact.storage_layout) == {"storage", "types"}


@pytest.mark.parametrize("name", artifacts.names())
def test_immutables_are_zero_in_the_shipped_code(name: str) -> None:
    artifact = artifacts.load(name)
    assert artifact.masked(artifact.runtime_bytecode) == artifact.runtime_bytecode


def test_masked_hides_immutable_values_and_nothing_else() -> None:
    artifact = dataclasses.replace(
        artifacts.load("Vault"),
        runtime_bytecode=bytes(8),
        immutable_references={"token": ((1, 2), (5, 1))},
    )
    assert artifact.masked(bytes([9, 9, 9, 0, 0, 9, 0, 0])) == bytes([9, 0, 0, 0, 0, 0, 0, 0])
    assert artifact.masked(bytes([0, 0, 0, 1, 0, 0, 0, 0])) != artifact.runtime_bytecode


def test_load_gives_the_same_frozen_value_again() -> None:
    artifact = artifacts.load("Vault")
    assert artifacts.load("Vault") is artifact
    with pytest.raises(dataclasses.FrozenInstanceError):
        artifact.name = "Other"  # type: ignore[misc]


@pytest.mark.parametrize("name", ["Nothing", "manifest", "../__init__", ""])
def test_load_refuses_a_name_that_is_no_contract(name: str) -> None:
    with pytest.raises(NotFound, match="no compiled contract") as caught:
        artifacts.load(name)
    assert "Vault" in caught.value.next_step


def test_manifest_carries_the_rules_version_and_the_settings() -> None:
    manifest = artifacts.manifest()
    assert manifest.rules_version == capshare.RULES_VERSION
    assert manifest.solc.startswith("0.8.37+commit.")
    assert manifest.settings["evmVersion"] == "london"
    assert manifest.settings["viaIR"] is True


def test_manifest_checksum_follows_every_source() -> None:
    manifest = artifacts.manifest()
    path = next(iter(manifest.sources))
    other = dataclasses.replace(manifest, sources={**manifest.sources, path: "0" * 64})
    assert len(manifest.checksum) == 64
    assert other.checksum != manifest.checksum


def test_sources_are_stale_when_changed(checkout: Path, source: Path) -> None:
    before = artifacts.stale_sources(checkout)
    source.write_text(source.read_text() + "\n// changed\n")
    assert set(artifacts.stale_sources(checkout)) == {*before, "contracts/Vault.sol"}


def test_sources_are_stale_when_added_or_removed(checkout: Path, source: Path) -> None:
    before = artifacts.stale_sources(checkout)
    source.rename(source.with_name("Renamed.sol"))
    expected = {*before, "contracts/Renamed.sol", "contracts/Vault.sol"}
    assert set(artifacts.stale_sources(checkout)) == expected


def test_sources_are_stale_when_the_settings_changed(checkout: Path) -> None:
    config = checkout / "ape-config.yaml"
    config.write_text(config.read_text().replace("london", "berlin"))
    assert "ape-config.yaml" in artifacts.stale_sources(checkout)


def test_loader_needs_no_chain_library() -> None:
    program = (
        "import sys; from capshare import artifacts; [artifacts.load(n) for n in artifacts.names()]"
        "; sys.exit(int('web3' in sys.modules or 'click' in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
