"""The funded accounts of a devnet."""

import stat
from pathlib import Path

import pytest
from eth_account import Account

from capshare.devnet import accounts_of
from capshare.devnet.accounts import dev_accounts, read_accounts, write_accounts
from capshare.errors import NotFound


def test_accounts_follow_from_the_seed() -> None:
    assert dev_accounts("a", 3) == dev_accounts("a", 3)
    assert dev_accounts("a", 3) == dev_accounts("a", 5)[:3]
    assert not set(dev_accounts("a", 3)) & set(dev_accounts("b", 3))


def test_address_belongs_to_its_key() -> None:
    for account in dev_accounts(count=3):
        assert Account.from_key(account.key).address == account.address
        assert account.raw.hex() == account.address[2:].lower()


def test_default_accounts_stay_what_they_are() -> None:
    assert dev_accounts(count=1)[0].address == "0x6316a4AF2e9c10d10043Ec20221eaD51C20F8213"


def test_key_is_not_shown() -> None:
    account = dev_accounts(count=1)[0]
    assert account.key.hex() not in repr(account)
    assert repr(account.key) not in repr(account)


def test_accounts_are_read_as_they_were_written(tmp_path: Path) -> None:
    accounts = dev_accounts(count=3)
    write_accounts(tmp_path / "accounts.json", accounts)
    assert read_accounts(tmp_path / "accounts.json") == accounts
    assert accounts_of(tmp_path) == accounts


def test_file_is_its_owners_alone_even_where_a_wider_one_was(tmp_path: Path) -> None:
    path = tmp_path / "accounts.json"
    path.write_text("{}")
    path.chmod(0o644)
    write_accounts(path, dev_accounts(count=1))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_accounts_of_the_users_devnet_are_found_in_its_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAPSHARE_HOME", str(tmp_path))
    with pytest.raises(NotFound):
        accounts_of()
    (tmp_path / "devnet").mkdir()
    write_accounts(tmp_path / "devnet" / "accounts.json", dev_accounts(count=2))
    assert accounts_of() == dev_accounts(count=2)
