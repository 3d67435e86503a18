"""Encode and decode contract values, strictly: one value has one encoding, and no other is read.

Fields of frozen dataclasses name their Solidity type with the annotations below; `codec` turns a
class into the codec of that struct. Strict means: every padding byte zero, every number inside its
type, dynamic parts in order without gaps, overlaps or a rest. That is what solc's encoder writes.
"""

from __future__ import annotations

import importlib
import typing
from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Annotated, Any

from capshare.errors import Discrepancy

try:
    # safe-pysha3, which has wheels for Linux only, is five times faster.
    _keccak_256: Callable[[bytes], Any] = importlib.import_module("sha3").keccak_256

    def keccak(data: bytes) -> bytes:
        """Return the keccak-256 hash."""
        return bytes(_keccak_256(data).digest())

except ImportError:
    from eth_hash.auto import keccak as _keccak

    def keccak(data: bytes) -> bytes:
        """Return the keccak-256 hash."""
        return _keccak(data)


U8 = Annotated[int, "uint8"]
U16 = Annotated[int, "uint16"]
U24 = Annotated[int, "uint24"]
U32 = Annotated[int, "uint32"]
U40 = Annotated[int, "uint40"]
U64 = Annotated[int, "uint64"]
U72 = Annotated[int, "uint72"]
U96 = Annotated[int, "uint96"]
U112 = Annotated[int, "uint112"]
U256 = Annotated[int, "uint256"]
Bool = Annotated[bool, "bool"]
Address = Annotated[bytes, "address"]  # 20 bytes
Bytes32 = Annotated[bytes, "bytes32"]
Bytes = Annotated[bytes, "bytes"]
String = Annotated[str, "string"]
U16x8 = Annotated[tuple[int, ...], "uint16[8]"]
U112x8 = Annotated[tuple[int, ...], "uint112[8]"]
U32s = Annotated[tuple[int, ...], "uint32[]"]
U40s = Annotated[tuple[int, ...], "uint40[]"]
U256s = Annotated[tuple[int, ...], "uint256[]"]
Addresses = Annotated[tuple[bytes, ...], "address[]"]
Bytes32s = Annotated[tuple[bytes, ...], "bytes32[]"]

ZERO_ADDRESS = bytes(20)
ZERO_BYTES32 = bytes(32)

Read = Callable[[bytes, int], tuple[Any, int]]
Write = Callable[[Any], bytes]


class Codec:
    """Reads and writes one type: `name` as in signatures, `words` of its head, whether dynamic.

    `read(data, at)` returns the value and where it ends; `write(value)` returns its encoding.
    """

    __slots__ = ("dynamic", "name", "read", "words", "write")

    def __init__(self, name: str, read: Read, write: Write, words: int = 1, dynamic: bool = False):
        self.name, self.read, self.write = name, read, write
        self.words, self.dynamic = words, dynamic

    def decode(self, data: bytes) -> Any:
        """Return the value that `data` encodes as a whole; raise Discrepancy for any other."""
        value, end = self.read(data, 0)
        if end != len(data):
            raise Discrepancy(f"{self.name}: {len(data) - end} bytes follow the value")
        return value

    def encode(self, value: Any) -> bytes:
        """Return the encoding as `decode` reads it."""
        return self.write(value)


def codec(annotation: Any) -> Codec:
    """Return the codec of an annotation above, a dataclass of them, or a tuple of dataclasses.

    Plain `bytes` is Solidity's `bytes`.
    """
    if annotation is bytes:
        return named_codec("bytes")
    if is_dataclass(annotation):
        return struct_codec(typing.cast(type, annotation))
    if typing.get_origin(annotation) is Annotated:
        return named_codec(typing.get_args(annotation)[1])
    item, _ = typing.get_args(annotation)  # tuple[Struct, ...]
    return _array(codec(item))


@cache
def struct_codec(class_: type) -> Codec:
    """Return the codec of a dataclass as a Solidity struct with its fields in order."""
    hints = typing.get_type_hints(class_, include_extras=True)
    names = [field.name for field in fields(class_)]
    return _tuple([codec(hints[name]) for name in names], names, class_)


def arguments_codec(annotations: Iterable[Any]) -> Codec:
    """Return the codec of a plain list of values, such as a function's arguments."""
    return sequence_codec(codec(annotation) for annotation in annotations)


def sequence_codec(items: Iterable[Codec]) -> Codec:
    """Return the codec of a plain list of values with these codecs."""
    return _tuple(list(items))


@cache
def named_codec(name: str) -> Codec:
    """Return the codec of a type by its name, such as `uint24`, `bytes32` or `address[]`."""
    if name.endswith("]"):
        item, _, length = name[:-1].rpartition("[")
        return _fixed(named_codec(item), int(length)) if length else _array(named_codec(item))
    if name.startswith("uint"):
        return _uint(name, int(name[4:]))
    return {"bool": _bool, "address": _address, "bytes32": _bytes32}.get(name, _blob)(name)


def _word(data: bytes, at: int) -> int:
    end = at + 32
    if end > len(data):
        raise Discrepancy(f"the data ends at byte {len(data)}, inside a word")
    return int.from_bytes(data[at:end], "big")


def _uint(name: str, bits: int) -> Codec:
    def read(data: bytes, at: int) -> tuple[int, int]:
        value = _word(data, at)
        if value >> bits:
            raise Discrepancy(f"{value:#x} is no {name}")
        return value, at + 32

    def write(value: int) -> bytes:
        if value >> bits:
            raise Discrepancy(f"{value:#x} is no {name}")
        return value.to_bytes(32, "big")

    return Codec(name, read, write)


def _bool(name: str) -> Codec:
    number = _uint("uint1", 1)

    def read(data: bytes, at: int) -> tuple[bool, int]:
        value, end = number.read(data, at)
        return value == 1, end

    return Codec(name, read, lambda value: number.write(int(value)))


def _address(name: str) -> Codec:
    def read(data: bytes, at: int) -> tuple[bytes, int]:
        if _word(data, at) >> 160:
            raise Discrepancy(f"0x{data[at : at + 32].hex()} is no address")
        return data[at + 12 : at + 32], at + 32

    return Codec(name, read, lambda value: bytes(12) + _sized(value, 20, name))


def _bytes32(name: str) -> Codec:
    def read(data: bytes, at: int) -> tuple[bytes, int]:
        if at + 32 > len(data):
            raise Discrepancy(f"the data ends at byte {len(data)}, inside a word")
        return data[at : at + 32], at + 32

    return Codec(name, read, lambda value: _sized(value, 32, name))


def _sized(value: bytes, size: int, name: str) -> bytes:
    if len(value) != size:
        raise Discrepancy(f"0x{value.hex()} is no {name}")
    return bytes(value)


def _blob(name: str) -> Codec:
    is_text = name == "string"

    def read(data: bytes, at: int) -> tuple[Any, int]:
        start, size = at + 32, _word(data, at)
        end = start + size + -size % 32
        value, padding = data[start : start + size], data[start + size : end]
        if end > len(data) or any(padding):
            raise Discrepancy(f"{name}: cut off, or padded with other than zeros")
        # A chain holds whatever bytes were sent; those that are no text must survive all the same.
        return (value.decode(errors="surrogateescape") if is_text else value), end

    def write(value: Any) -> bytes:
        data: bytes = value.encode(errors="surrogateescape") if is_text else value
        return len(data).to_bytes(32, "big") + data + bytes(-len(data) % 32)

    return Codec(name, read, write, dynamic=True)


def _array(item: Codec) -> Codec:
    def read(data: bytes, at: int) -> tuple[tuple[Any, ...], int]:
        count = _word(data, at)
        # An item takes a word at least: bounds the work before anything is believed.
        if count > len(data) // 32:
            raise Discrepancy(f"{item.name}[]: {count} items do not fit the data")
        return _read_items([item] * count, data, at + 32)

    def write(values: tuple[Any, ...]) -> bytes:
        body = _write_items([item] * len(values), values)
        return len(values).to_bytes(32, "big") + body

    return Codec(f"{item.name}[]", read, write, dynamic=True)


def _fixed(item: Codec, count: int) -> Codec:
    items = [item] * count
    return Codec(
        f"{item.name}[{count}]",
        lambda data, at: _read_items(items, data, at),
        lambda values: _write_items(items, values),
        words=item.words * count,
    )


def _tuple(items: list[Codec], names: list[str] | None = None, make: Any = None) -> Codec:
    def read(data: bytes, at: int) -> tuple[Any, int]:
        values, end = _read_items(items, data, at)
        return (values if names is None else make(**dict(zip(names, values, strict=True)))), end

    def write(value: Any) -> bytes:
        return _write_items(
            items, value if names is None else [getattr(value, name) for name in names]
        )

    dynamic = any(item.dynamic for item in items)
    name = f"({','.join(item.name for item in items)})"
    words = 1 if dynamic else sum(item.words for item in items)
    return Codec(name, read, write, words, dynamic)


def _read_items(items: list[Codec], data: bytes, base: int) -> tuple[tuple[Any, ...], int]:
    head, tail = base, base + 32 * sum([item.words for item in items])
    values = []
    for item in items:
        if item.dynamic:
            if base + _word(data, head) != tail:
                raise Discrepancy(f"{item.name}: not where a canonical encoding has it")
            value, tail = item.read(data, tail)
            head += 32
        else:
            value, head = item.read(data, head)
        values.append(value)
    return tuple(values), tail


def _write_items(items: list[Codec], values: Iterable[Any]) -> bytes:
    head, tail = [], []
    offset = 32 * sum([item.words for item in items])
    for item, value in zip(items, values, strict=True):
        data = item.write(value)
        if item.dynamic:
            head.append(offset.to_bytes(32, "big"))
            tail.append(data)
            offset += len(data)
        else:
            head.append(data)
    return b"".join(head + tail)
