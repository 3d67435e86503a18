"""Storage words from values, by solc's storage layout: which value lies in which word."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from capshare.codec import keccak

_WORD = 32


def encode(layout: Mapping[str, Any], values: Mapping[str, Any]) -> dict[int, int]:
    """Return the storage words that hold the values, slot to word, words of zero left out.

    `values` has one entry for every variable of the layout, by label: numbers, booleans, addresses
    and hashes as bytes, lists, mappings, and structs as mappings or objects whose attributes are
    the members' names in snake case. Raises KeyError for a variable without a value.
    """
    words: dict[int, int] = {}
    types = layout["types"]
    for variable in layout["storage"]:
        place = int(variable["slot"]), variable["offset"]
        _put(words, types, variable["type"], *place, values[variable["label"]])
    return {slot: word for slot, word in words.items() if word}


def _put(
    words: dict[int, int], types: Mapping[str, Any], name: str, slot: int, offset: int, value: Any
) -> None:
    kind = types[name]
    match kind["encoding"]:
        case "mapping":
            for key, item in value.items():
                at = int.from_bytes(keccak(_key(key) + slot.to_bytes(_WORD, "big")), "big")
                _put(words, types, kind["value"], at, 0, item)
        case "dynamic_array":
            words[slot] = len(value)
            first = int.from_bytes(keccak(slot.to_bytes(_WORD, "big")), "big")
            size = int(types[kind["base"]]["numberOfBytes"])
            per_word = _WORD // size
            for index, item in enumerate(value):
                word, place = divmod(index, per_word)
                _put(words, types, kind["base"], first + word, place * size, item)
        case "bytes":
            # Only short ones: EIP712's fallbacks, which stay empty.
            data = value.encode() if isinstance(value, str) else value
            words[slot] = int.from_bytes(data.ljust(_WORD, b"\0"), "big") | 2 * len(data)
        case _ if "members" in kind:
            for member in kind["members"]:
                at = slot + int(member["slot"])
                _put(
                    words, types, member["type"], at, member["offset"], _of(value, member["label"])
                )
        case _:
            number = int.from_bytes(value, "big") if isinstance(value, bytes) else int(value)
            words[slot] = words.get(slot, 0) | number << 8 * offset


def _key(key: Any) -> bytes:
    return key.rjust(_WORD, b"\0") if isinstance(key, bytes) else key.to_bytes(_WORD, "big")


def _of(value: Any, label: str) -> Any:
    if isinstance(value, Mapping):
        return value[label]
    return getattr(value, re.sub(r"([A-Z])", r"_\1", label).lower().rstrip("_"))
