"""What the committed bytecode may hold: Berlin's instructions, and no more than EIP-170 allows.

The slowest supported engine runs Berlin's rules, while the compiler targets London; nothing that
London or a later fork added may appear.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from capshare import artifacts

# Berlin's instruction set by ranges, less 0x44: there it is DIFFICULTY, after the merge PREVRANDAO.
ALLOWED = frozenset(
    [
        *range(0x00, 0x0C),  # arithmetic
        *range(0x10, 0x1E),  # comparison, bits, shifts
        0x20,  # KECCAK256
        *range(0x30, 0x44),  # environment and block
        *range(0x45, 0x48),  # GASLIMIT, CHAINID, SELFBALANCE; 0x48 is BASEFEE
        *range(0x50, 0x5C),  # stack, memory, storage, jumps; 0x5c TLOAD … 0x5e MCOPY, 0x5f PUSH0
        *range(0x60, 0xA5),  # PUSH1–PUSH32, DUP, SWAP, LOG
        *range(0xF0, 0xF6),  # CREATE, CALL, CALLCODE, RETURN, DELEGATECALL, CREATE2
        0xFA,  # STATICCALL
        0xFD,  # REVERT
        0xFE,  # INVALID
        0xFF,  # SELFDESTRUCT
    ]
)
# With none of these, no contract's code can be replaced, run in another's storage, or removed.
CODE_CHANGING = {0xF2: "CALLCODE", 0xF4: "DELEGATECALL", 0xFF: "SELFDESTRUCT"}
SIZE_LIMIT = 24_576  # bytes, EIP-170


def instructions(code: bytes) -> Iterator[tuple[int, int]]:
    """Yield (position, opcode), skipping what PUSH carries and solc's metadata at the end."""
    end = len(code) - metadata_length(code)
    position = 0
    while position < end:
        opcode = code[position]
        yield position, opcode
        position += 1 + (opcode - 0x5F if 0x60 <= opcode <= 0x7F else 0)


def metadata_length(code: bytes) -> int:
    """Return the length of the CBOR map at the end, its two length bytes included, or 0."""
    length = int.from_bytes(code[-2:], "big") + 2
    return length if length <= len(code) and code[-length : -length + 6] == b"\xa2dipfs" else 0


def foreign(code: bytes) -> list[tuple[int, str]]:
    return [(at, f"{opcode:#04x}") for at, opcode in instructions(code) if opcode not in ALLOWED]


@pytest.mark.parametrize("name", artifacts.names())
def test_runtime_code_holds_no_instruction_above_berlin(name: str) -> None:
    assert foreign(artifacts.load(name).runtime_bytecode) == []


@pytest.mark.parametrize("name", artifacts.names())
def test_constructor_holds_no_instruction_above_berlin(name: str) -> None:
    artifact = artifacts.load(name)
    constructor, found, _ = artifact.bytecode.partition(artifact.runtime_bytecode)
    assert found, "the creation code does not hold the runtime code"
    assert foreign(constructor) == []


@pytest.mark.parametrize("name", artifacts.names())
def test_runtime_code_cannot_be_replaced(name: str) -> None:
    code = artifacts.load(name).runtime_bytecode
    assert [CODE_CHANGING[o] for _, o in instructions(code) if o in CODE_CHANGING] == []


@pytest.mark.parametrize("name", artifacts.names())
def test_runtime_code_fits_the_size_limit(name: str) -> None:
    assert artifacts.load(name).runtime_size <= SIZE_LIMIT


@pytest.mark.parametrize("name", artifacts.names())
def test_metadata_is_found_in_shipped_code(name: str) -> None:
    assert metadata_length(artifacts.load(name).runtime_bytecode) > 40


@pytest.mark.parametrize(
    "opcode", [0x44, 0x48, 0x49, 0x4A, 0x5C, 0x5D, 0x5E, 0x5F], ids=lambda o: f"{o:#04x}"
)
def test_scan_finds_later_instructions_but_not_pushed_data(opcode: int) -> None:
    assert foreign(bytes([0x01, opcode])) == [(1, f"{opcode:#04x}")]
    assert foreign(bytes([0x60, opcode, 0x00])) == []
    assert foreign(bytes([0x61, opcode, opcode, opcode])) == [(3, f"{opcode:#04x}")]
    assert foreign(bytes([0x7F, *[opcode] * 32, opcode])) == [(33, f"{opcode:#04x}")]


def test_scan_ends_before_the_metadata() -> None:
    metadata = b"\xa2dipfs" + bytes([0x48]) * 4
    code = bytes([0x00, 0xFE]) + metadata + len(metadata).to_bytes(2, "big")
    assert list(instructions(code)) == [(0, 0x00), (1, 0xFE)]
