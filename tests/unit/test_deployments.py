import json
from dataclasses import replace

import pytest

from capshare import deployments
from capshare.deployments import CONTRACTS, AddressBook
from capshare.errors import NotFound, UsageError

BOOK = AddressBook(
    name="default",
    chain_id=31337,
    genesis_hash="0x" + "ab" * 32,
    rules_version=1,
    artifact_checksum="c" * 64,
    deployer="0x" + "11" * 20,
    first_nonce=0,
    token="0x" + "22" * 20,
    token_symbol="EUR",
    token_decimals=3,
    start_block=1,
    parameters={"round": 3600, "bond_rates": [1, 2]},
    founders=({"name": "宁德精工", "identity": "0x00"},),
    validators=("0x" + "33" * 20,),
    addresses={name: f"0x{n:040x}" for n, name in enumerate(CONTRACTS, 1)},
)


def test_saved_book_is_read_back_equal(tmp_path):
    path = deployments.book_path(tmp_path, 31337, BOOK.genesis_hash, "default")
    deployments.save(path, BOOK)
    assert deployments.load(path) == BOOK
    assert path.relative_to(tmp_path).as_posix() == "deployments/31337-abababab/default.json"


def test_book_is_complete_when_every_contract_has_a_transaction():
    assert not BOOK.complete
    assert replace(BOOK, transactions=dict.fromkeys(CONTRACTS, "0x00")).complete


def test_missing_book_is_not_found(tmp_path):
    with pytest.raises(NotFound, match="no deployment"):
        deployments.load(tmp_path / "none.json")


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"format": 2}', '{"format": 1, "name": "x"}'])
def test_damaged_book_is_refused(tmp_path, text):
    path = tmp_path / "book.json"
    path.write_text(text)
    with pytest.raises(UsageError):
        deployments.load(path)


def test_failed_write_keeps_the_old_book(tmp_path, monkeypatch):
    path = tmp_path / "book.json"
    deployments.save(path, BOOK)

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(deployments.os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        deployments.save(path, replace(BOOK, name="other"))
    assert deployments.load(path) == BOOK
    assert json.loads(path.read_text())["format"] == 1
    assert [p.name for p in tmp_path.iterdir()] == ["book.json"]


def test_home_is_moved_by_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("CAPSHARE_HOME", str(tmp_path))
    assert deployments.home() == tmp_path


def test_home_is_the_systems_data_folder_without_it(monkeypatch):
    monkeypatch.delenv("CAPSHARE_HOME", raising=False)
    assert deployments.home().name == "capshare"
