"""Class codes and attributes: every number has a name that leads back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capshare.data import table
from capshare.errors import UsageError
from capshare.taxonomy import (
    MATRIX,
    ClassCode,
    Family,
    Kind,
    Material,
    Precision,
    Stage,
    attribute_mask,
    attribute_words,
    class_code,
    class_name,
    process_name,
    unpack,
)


def test_fields_are_packed_from_the_highest_bits() -> None:
    fields = ClassCode(kind=0xB, stage=0x7, process=0x323, material=0x4, precision=0x7, band=0x3)
    assert fields.pack() == 0xB7323473
    assert unpack(0xB7323473) == fields


@given(st.integers(0, 2**32 - 1))
def test_every_code_survives_its_fields_and_its_name(code: int) -> None:
    assert unpack(code).pack() == code
    assert class_code(class_name(code)) == code


@given(
    st.sampled_from(Kind),
    st.sampled_from(Stage),
    st.sampled_from([0, 0x321, 0x323, 0x333, 0x410, 0x1F0, 0x1F7]),
    st.sampled_from(Material),
    st.sampled_from(Precision),
    st.integers(0, 15),
)
def test_every_code_of_known_fields_has_words(
    kind: Kind, stage: Stage, process: int, material: Material, precision: Precision, band: int
) -> None:
    code = ClassCode(
        kind=kind, stage=stage, process=process, material=material, precision=precision, band=band
    ).pack()
    assert not class_name(code).startswith("0x")
    assert class_code(class_name(code)) == code


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("stage", Stage)
def test_every_cell_of_hard_and_soft_by_stage_has_a_class(soft: bool, stage: Stage) -> None:
    """F1: hard and soft resources through the whole chain."""
    name = MATRIX[soft, stage]
    fields = unpack(class_code(name))
    assert (fields.soft, fields.stage) == (soft, stage)
    assert class_name(fields.pack()) == name


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("mill/production", 0x05323000),
        ("Mill/Production/Aluminium/IT7/v3", 0x05323473),
        ("machine:mill/production", 0x05323000),
        ("din-323/production", 0x05323000),
        ("edm/production/v1", 0x05341001),
        ("tool:injection-mould/production/polymer", 0x25122700),
        ("inspection/inspection", 0xB7000000),
        ("0xb7000000", 0xB7000000),
        ("know-how:turn/planning/titanium", 0xA3321500),
    ],
)
def test_name_is_read(name: str, code: int) -> None:
    assert class_code(name) == code


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("mill", "mill/production"),
        ("mil/production", "Processes: "),
        ("mill:turn/production", "Use one of machine, line"),
        ("mill/produce", "Use one of any, design"),
        ("mill/production/it7/steel", "Precisions: any, it14"),
        ("mill/production/it13", "Precisions: any, it14"),
        ("mill/production/v0", "Bands: v1 to v15"),
        ("din-999/production", "Processes: "),
        ("din-000/production", "Processes: "),
        ("0x123456789", "Processes: "),
        ("", "Processes: "),
    ],
)
def test_name_that_is_none_is_refused_with_the_words_there_are(name: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        class_code(name)
    assert hint in caught.value.next_step


@pytest.mark.parametrize("code", [-1, 2**32])
def test_code_beyond_32_bits_is_refused(code: int) -> None:
    with pytest.raises(UsageError, match="32 bits"):
        unpack(code)


def test_field_beyond_its_bits_is_refused() -> None:
    with pytest.raises(UsageError, match="process 4096 does not fit in 12 bits"):
        ClassCode(kind=0, stage=5, process=0x1000)


def test_words_at_one_place_are_distinct() -> None:
    kinds = {kind.name.lower().replace("_", "-") for kind in Kind}
    processes = [row["word"] for row in table("processes").values() if "word" in row]
    assert len(processes) == len(set(processes))
    assert not kinds & set(processes)


def test_every_class_of_the_books_has_words() -> None:
    names = [class_name(int(code, 16)) for code in table("classes")]
    assert len(set(names)) == len(names)
    assert not [name for name in names if name.startswith("0x")]


@pytest.mark.parametrize(
    ("kinds", "family"),
    [
        ("0125", Family.CAPABILITY),
        ("389A", Family.INNOVATION),
        ("4BCDEF", Family.SERVICE),
    ],
)
def test_kinds_belong_to_policy_families(kinds: str, family: Family) -> None:
    found = {ClassCode(kind=int(kind, 16), stage=0).family for kind in kinds}
    assert found == {family}


@pytest.mark.parametrize(
    ("process", "language", "name"),
    [
        (0x323, "en", "Milling"),
        (0x323, "de", "Fraesen"),
        (0x112, "en", "Die casting"),
        (0x112, "de", "Druckgiessen"),
        (0x1F5, "en", "Additive: powder bed fusion"),
    ],
)
def test_process_has_its_standard_name(process: int, language: str, name: str) -> None:
    assert process_name(process, language) == name


def test_process_without_a_standard_is_refused() -> None:
    with pytest.raises(UsageError, match="has a process abc"):
        process_name(0xABC)


def test_every_word_of_a_process_belongs_to_a_process() -> None:
    assert all(process_name(int(digits, 16)) for digits in table("processes"))


@given(st.integers(0, 2**64 - 1))
def test_every_mask_survives_its_words(mask: int) -> None:
    assert attribute_mask(attribute_words(mask)) == mask


@pytest.mark.parametrize(
    ("word", "mask"),
    [
        ("ISO 9001", 1),
        ("iso-9001", 1),
        ("as9100", 1 << 2),
        ("TISAX", 1 << 7),
        ("5-axis", 1 << 9),
        ("region north", 1 << 16),
        ("bit-63", 1 << 63),
    ],
)
def test_attribute_is_read_by_name_or_its_beginning(word: str, mask: int) -> None:
    assert attribute_mask([word]) == mask


@pytest.mark.parametrize(
    ("word", "message"), [("iso", "several"), ("", "no"), ("gost", "no"), ("bit-64", "no")]
)
def test_attribute_that_is_not_clear_is_refused(word: str, message: str) -> None:
    with pytest.raises(UsageError, match=f"is {message} attribute"):
        attribute_mask([word])


def test_attribute_names_of_a_deployment_replace_ours() -> None:
    names = {3: "Explosionsschutz Zone 1"}
    assert attribute_words(0b1001, names) == ("bit-0", "explosionsschutz-zone-1")
    assert attribute_mask(["explosionsschutz"], names) == 0b1000


def test_mask_beyond_64_bits_is_refused() -> None:
    with pytest.raises(UsageError, match="64 bits"):
        attribute_words(2**64)
