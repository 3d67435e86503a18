"""What members sign: batches, reductions and consents as EIP-712 typed data.

The domain is `capshare`, version `1`, the chain and the contract that takes the signature: the book
for batches and reductions, the deals contract for consents.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from eth_keys.datatypes import Signature
from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError

from capshare.codec import (
    U8,
    U24,
    U32,
    U40,
    U64,
    U256,
    ZERO_ADDRESS,
    Bytes,
    Bytes32s,
    U32s,
    U40s,
    keccak,
)  # fmt: skip

NAME = "capshare"
VERSION = "1"

_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0

# Primary type: its members in order, as the contracts' type hashes spell them.
TYPES: dict[str, tuple[tuple[str, str], ...]] = {
    "EIP712Domain": (
        ("string", "name"),
        ("string", "version"),
        ("uint256", "chainId"),
        ("address", "verifyingContract"),
    ),
    "OrderBatch": (
        ("uint24", "member"),
        ("uint32", "class"),
        ("uint8", "side"),
        ("uint256", "salt"),
        ("uint40", "deadline"),
        ("bytes", "orders"),
        ("bytes32[]", "commitments"),
    ),
    "Reduction": (
        ("uint24", "member"),
        ("uint256", "salt"),
        ("uint40", "deadline"),
        ("uint40[]", "ids"),
        ("uint32[]", "quantities"),
    ),
    "Consent": (
        ("uint64", "deal"),
        ("uint8", "state"),
        ("uint32", "reported"),
        ("uint32", "accepted"),
        ("uint40", "deadline"),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """Where a signature holds: one contract on one chain."""

    chain_id: int
    contract: bytes  # 20 bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderBatch:
    """Up to 64 orders of one member, class and side (`ICapacityBook.OrderBatch`)."""

    member: U24
    class_: U32  # class code
    side: U8  # capshare.orders.Side
    salt: U256  # works once a member
    deadline: U40  # last second it may be carried to the chain [unix s]
    orders: Bytes  # packed, 28 bytes each
    commitments: Bytes32s = ()  # requests: one each; offers: none
    signature: Bytes = b""  # empty: the sender is the key


@dataclass(frozen=True, slots=True, kw_only=True)
class Reduction:
    """Up to 64 reductions of a member's own orders (`ICapacityBook.Reduction`)."""

    member: U24
    salt: U256
    deadline: U40
    ids: U40s
    quantities: U32s  # what shall remain of each; 0 cancels
    signature: Bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """A party's consent to undo a deal that stands exactly so."""

    deal: U64
    state: U8
    reported: U32
    accepted: U32
    deadline: U40


Signable = OrderBatch | Reduction | Consent


def type_string(name: str) -> str:
    """Return a type as its hash covers it, such as `Consent(uint64 deal,…)`."""
    return f"{name}({','.join(f'{kind} {field}' for kind, field in TYPES[name])})"


def digest(value: Signable, domain: Domain) -> bytes:
    """Return the 32 bytes that are signed."""
    return keccak(b"\x19\x01" + domain_separator(domain) + struct_hash(value))


def domain_separator(domain: Domain) -> bytes:
    """Return the hash of the domain."""
    words = (keccak(NAME.encode()), keccak(VERSION.encode()), domain.chain_id, domain.contract)
    return _hash("EIP712Domain", words)


def struct_hash(value: Signable) -> bytes:
    """Return the hash of the value alone, as the contract forms it."""
    name = type(value).__name__
    return _hash(name, [_attribute(value, field) for _, field in TYPES[name]])


def typed_data(value: Signable, domain: Domain) -> dict[str, Any]:
    """Return the message as wallets and `eth_account.messages.encode_typed_data` take it."""
    name = type(value).__name__
    return {
        "types": {
            type_name: [{"name": field, "type": kind} for kind, field in TYPES[type_name]]
            for type_name in ("EIP712Domain", name)
        },
        "primaryType": name,
        "domain": {
            "name": NAME,
            "version": VERSION,
            "chainId": domain.chain_id,
            "verifyingContract": "0x" + domain.contract.hex(),
        },
        "message": {field: _plain(_attribute(value, field)) for _, field in TYPES[name]},
    }


def recover(message_hash: bytes, signature: bytes) -> bytes:
    """Return the address that signed, or the zero address if the signature is none.

    As OpenZeppelin's `ECDSA` on chain: 65 bytes r, s, v with s in the lower half and v 27 or 28.
    """
    if len(signature) != 65:
        return ZERO_ADDRESS
    r, s, v = int.from_bytes(signature[:32]), int.from_bytes(signature[32:64]), signature[64]
    if s > _HALF_ORDER or v not in (27, 28):
        return ZERO_ADDRESS
    try:
        key = Signature(vrs=(v - 27, r, s)).recover_public_key_from_msg_hash(message_hash)
    except (BadSignature, ValidationError, ValueError):
        return ZERO_ADDRESS
    return key.to_canonical_address()


def _attribute(value: Signable, field: str) -> Any:
    return getattr(value, "class_" if field == "class" else field)


def _hash(name: str, values: Iterable[Any]) -> bytes:
    words = [keccak(type_string(name).encode())]
    for (kind, _), value in zip(TYPES[name], values, strict=True):
        if isinstance(value, tuple):
            # An array's hash covers its items as words, without a length.
            words.append(keccak(b"".join(_word(kind[:-2], item) for item in value)))
        else:
            words.append(_word(kind, value))
    return keccak(b"".join(words))


def _word(kind: str, value: Any) -> bytes:
    if isinstance(value, int):
        return value.to_bytes(32, "big")
    if kind == "bytes":
        return keccak(value)
    return bytes(value).rjust(32, b"\0")


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    return [_plain(item) for item in value] if isinstance(value, tuple) else int(value)
