"""Registered codes and asset identities: one thing, one hash."""

import unicodedata

import pytest
from Crypto.Hash import keccak
from hypothesis import given
from hypothesis import strategies as st

from capshare.errors import UsageError
from capshare.identity import (
    Identity,
    Scheme,
    clean_name,
    identity,
    lei_is_valid,
    licence_hash,
    machine_hash,
    team_hash,
    uscc_check,
)

LEI = "5493001KJTIIGC8Y1R12"


def keccak256(text: str) -> bytes:
    return keccak.new(digest_bits=256, data=text.encode()).digest()


@pytest.mark.parametrize("code", ["91350100M000100Y43", "91110000600037341L"])
def test_uscc_with_a_right_check_passes_without_warning(code: str) -> None:
    assert identity(f"uscc:{code}") == Identity(scheme=Scheme.USCC, code=code)


@pytest.mark.parametrize(
    ("code", "warning"),
    [
        ("91350100M000100Y44", "91350100M000100Y44 ends in 4, its check gives 3"),
        ("91350100M000100Y4Z", "91350100M000100Y4Z holds Z, which no USCC has"),
    ],
)
def test_uscc_with_a_wrong_check_passes_with_a_warning(code: str, warning: str) -> None:
    assert identity(f"uscc:{code}").warning == warning


def test_uscc_of_another_length_is_refused() -> None:
    with pytest.raises(UsageError, match="not 18 digits"):
        identity("uscc:91350100M000100Y4")


@given(st.text("0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=17, max_size=17), st.integers(0, 16))
def test_uscc_check_changes_with_any_one_character(body: str, place: int) -> None:
    other = "1" if body[place] != "1" else "2"
    assert uscc_check(body) != uscc_check(body[:place] + other + body[place + 1 :])


def test_lei_with_a_right_check_passes() -> None:
    assert identity(f"lei:{LEI}") == Identity(scheme=Scheme.LEI, code=LEI)


@pytest.mark.parametrize("code", [LEI[:-1] + "3", LEI[:-1], "549300IKJTIIGC8Y1R12", ""])
def test_lei_with_a_wrong_check_is_refused(code: str) -> None:
    assert not lei_is_valid(code)
    with pytest.raises(UsageError):
        identity(f"lei:{code}")


def test_duns_is_one_code_with_or_without_hyphens() -> None:
    assert identity("duns:15-048-3782") == identity("DUNS: 150483782")
    assert identity("duns:150483782").warning == ""


def test_duns_of_another_length_passes_with_a_warning() -> None:
    assert identity("duns:1504837").warning == "1504837 has not the 9 digits of a DUNS"


def test_other_codes_are_free_text() -> None:
    assert identity("other: HRB 1234 ").code == "HRB 1234"


@pytest.mark.parametrize("text", ["91350100M000100Y43", "vat:DE123", "", "other:", "other: \u200d"])
def test_identity_without_register_or_code_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        identity(text)


def test_identity_hash_is_keccak_of_scheme_and_code() -> None:
    assert identity(f"LEI: {LEI.lower()}").hash() == keccak256(f"lei:{LEI}")


def test_identity_hash_is_one_for_composed_and_decomposed_letters() -> None:
    composed = unicodedata.normalize("NFC", "Müller-Nr 1")
    decomposed = unicodedata.normalize("NFD", "Müller-Nr 1")
    assert composed != decomposed
    assert identity(f"other:{composed}").hash() == identity(f"other:{decomposed}").hash()


@pytest.mark.parametrize("name", ["深圳市精密机械有限公司", "Müller & Söhne", "شرکت می\u200cشود"])
def test_names_of_any_script_pass_unchanged(name: str) -> None:
    assert clean_name(name) == name


@pytest.mark.parametrize(
    "character", ["\n", "\t", "\x1b", "\u202e", "\u2066", "\u200b", "\u200f", "\ufeff", "\u2028"]
)
def test_names_with_hidden_characters_are_refused(character: str) -> None:
    with pytest.raises(UsageError, match=f"U\\+{ord(character):04X}"):
        clean_name(f"Good{character}Firm")


def test_name_keeps_single_spaces_only() -> None:
    assert clean_name(" Müller \u00a0&  Söhne\u3000") == "Müller & Söhne"


def test_machine_has_one_hash_in_any_case_and_width() -> None:
    hashes = {
        machine_hash("DMG MORI", "SN 0815"),
        machine_hash("dmg mori", " sn  0815"),
        machine_hash("ＤＭＧ MORI", "SN 0815"),
    }
    assert hashes == {keccak256("machine\ndmg mori\nsn 0815")}


def test_asset_hashes_differ_by_kind_and_by_where_a_part_ends() -> None:
    firm = identity("other:a")
    hashes = {
        machine_hash("a b", "c"),
        machine_hash("a", "b c"),
        licence_hash("a b", "c"),
        team_hash(firm, "c"),
        team_hash(identity("other:b"), "c"),
    }
    assert len(hashes) == 5
