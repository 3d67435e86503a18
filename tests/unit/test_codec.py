"""Strict encoding: like eth_abi where it is canonical, and refusing everything else."""

from dataclasses import dataclass

import pytest
from eth_abi.abi import encode as eth_abi_encode
from hypothesis import given
from hypothesis import strategies as st

from capshare.codec import (
    U24,
    U256,
    Address,
    Bool,
    Bytes,
    Bytes32s,
    String,
    U16x8,
    U40s,
    arguments_codec,
    keccak,
)
from capshare.errors import Discrepancy


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    number: U24
    text: String


@dataclass(frozen=True, slots=True, kw_only=True)
class Flat:
    number: U24
    is_set: Bool


ARGUMENTS = arguments_codec(
    [U24, Bytes, tuple[Inner, ...], Flat, U40s, Bytes32s, Address, U16x8, U256]
)
NAMES = [
    "uint24",
    "bytes",
    "(uint24,string)[]",
    "(uint24,bool)",
    "uint40[]",
    "bytes32[]",
    "address",
    "uint16[8]",
    "uint256",
]

values = st.tuples(
    st.integers(0, 2**24 - 1),
    st.binary(max_size=70),
    st.lists(st.builds(Inner, number=st.integers(0, 9), text=st.text(max_size=40)), max_size=3),
    st.builds(Flat, number=st.integers(0, 9), is_set=st.booleans()),
    st.lists(st.integers(0, 2**40 - 1), max_size=4),
    st.lists(st.binary(min_size=32, max_size=32), max_size=3),
    st.binary(min_size=20, max_size=20),
    st.lists(st.integers(0, 2**16 - 1), min_size=8, max_size=8),
    st.integers(0, 2**256 - 1),
).map(lambda row: tuple(tuple(v) if isinstance(v, list) else v for v in row))


def plain(row: tuple) -> list:
    row = list(row)
    row[2] = [(item.number, item.text) for item in row[2]]
    row[3] = (row[3].number, row[3].is_set)
    return row


@given(values)
def test_encoding_is_eth_abis_and_decodes_to_itself(row: tuple) -> None:
    data = ARGUMENTS.encode(row)
    assert data == eth_abi_encode(NAMES, plain(row))
    assert ARGUMENTS.decode(data) == row


SAMPLE = (
    1,
    b"abc",
    (Inner(number=2, text="ä"),),
    Flat(number=3, is_set=True),
    (4,),
    (),
    *(
        b"a" * 20,
        (0,) * 8,
        5,
    ),
)


@given(st.integers(0, 8 * len(ARGUMENTS.encode(SAMPLE)) - 1))
def test_no_flipped_bit_decodes_to_the_same_value(bit: int) -> None:
    data = bytearray(ARGUMENTS.encode(SAMPLE))
    data[bit // 8] ^= 1 << bit % 8
    try:
        found = ARGUMENTS.decode(bytes(data))
    except Discrepancy:
        return
    assert found != SAMPLE
    assert ARGUMENTS.encode(found) == bytes(data)


@pytest.mark.parametrize("change", [lambda d: d[:-1], lambda d: d[:-32], lambda d: d + bytes(32)])
def test_cut_and_longer_data_are_refused(change) -> None:
    with pytest.raises(Discrepancy):
        ARGUMENTS.decode(change(ARGUMENTS.encode(SAMPLE)))


def test_huge_counts_are_refused_before_they_cost_anything() -> None:
    codec = arguments_codec([U40s])
    with pytest.raises(Discrepancy, match="do not fit"):
        codec.decode((32).to_bytes(32, "big") + (2**200).to_bytes(32, "big"))


def test_values_outside_their_type_are_not_encoded() -> None:
    with pytest.raises(Discrepancy, match="uint24"):
        arguments_codec([U24]).encode([2**24])
    with pytest.raises(Discrepancy, match="address"):
        arguments_codec([Address]).encode([b"a" * 19])


def test_text_that_is_none_survives() -> None:
    codec = arguments_codec([String])
    data = arguments_codec([Bytes]).encode([b"\xff\x00"])
    assert codec.encode(codec.decode(data)) == data


def test_keccak_is_ethereums() -> None:
    assert keccak(b"").hex().startswith("c5d2460186f7233c927e7db2dcc703c0")
