import json

import pytest
from eth_account import Account

from capshare.errors import KeyRefused, NotFound
from capshare.keys import LocalSigner, open_keystore, read_password

KEY = bytes(31) + b"\x07"


@pytest.fixture
def keystore(tmp_path):
    path = tmp_path / "key.json"
    path.write_text(json.dumps(Account.encrypt(KEY, "correct horse", kdf="pbkdf2", iterations=2)))
    path.chmod(0o600)
    return path


def test_keystore_opens_with_its_password(keystore):
    assert open_keystore(keystore, "correct horse").address == Account.from_key(KEY).address


def test_keystore_refuses_another_password(keystore):
    with pytest.raises(KeyRefused, match="does not open"):
        open_keystore(keystore, "battery staple")


def test_keystore_that_others_can_read_is_refused(keystore):
    keystore.chmod(0o644)
    with pytest.raises(KeyRefused, match=r"mode 0644") as refused:
        open_keystore(keystore, "correct horse")
    assert refused.value.next_step == f"chmod 600 {keystore}"


@pytest.mark.parametrize("text", ["not json", "[]", '{"version": 3}'])
def test_file_that_is_no_keystore_is_refused(tmp_path, text):
    path = tmp_path / "key.json"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(KeyRefused, match="no keystore v3"):
        open_keystore(path, "x")


def test_missing_keystore_is_not_found(tmp_path):
    with pytest.raises(NotFound):
        open_keystore(tmp_path / "none.json", "x")


def test_password_is_the_first_line(tmp_path):
    path = tmp_path / "password"
    path.write_text("correct horse\nanything\n")
    path.chmod(0o600)
    assert read_password(path) == "correct horse"


def test_missing_password_file_is_not_found(tmp_path):
    with pytest.raises(NotFound):
        read_password(tmp_path / "none")


def test_signer_shows_its_address_and_never_its_key():
    signer = LocalSigner(KEY)
    assert KEY.hex() not in repr(signer)
    assert signer.address in repr(signer)


def test_signature_of_a_digest_recovers_to_the_signer():
    digest = b"\x11" * 32
    signature = LocalSigner(KEY).sign_digest(digest)
    assert Account._recover_hash(digest, signature=signature) == LocalSigner(KEY).address
