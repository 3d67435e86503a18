"""The fast loop against py-evm's own: same result, gas, logs and state for any code."""

import random
from collections import Counter

import pytest

from capshare.devnet.accounts import dev_accounts
from capshare.devnet.blocks import Receipt
from capshare.devnet.embedded import EmbeddedChain
from capshare.devnet.interpreter import PURE, decode

ACCOUNTS = dev_accounts(count=3)
START = 1_800_000_000
WORDS = (0, 1, 2, 5, 31, 32, 33, 64, 200, 2**128, 2**255, 2**255 - 1, 2**256 - 1)
STATEFUL = (
    *(0x05, 0x07, 0x08, 0x09, 0x0A, 0x0B, 0x1D),  # SDIV..SIGNEXTEND, SAR
    *(0x31, 0x32, 0x37, 0x38, 0x39, 0x3A, 0x3B, 0x3C, 0x3D, 0x3E, 0x3F),
    *(0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49),
    *(0x53, 0x54, 0x55, 0x59, 0x5A, 0x5F),
    *(0xA0, 0xA1, 0xA2, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFA, 0xFD, 0xFE, 0xFF, 0x00),
)


def push(value: int, size: int | None = None) -> bytes:
    size = size or max(1, (value.bit_length() + 7) // 8)
    return bytes([0x5F + size]) + value.to_bytes(size, "big")


def random_code(chance: random.Random) -> bytes:
    """Return code that often runs for a while: words on the stack, loops, jumps anywhere."""
    words = chance.choice((0, 12, 30))
    code = bytearray(b"".join(push(chance.choice((0, 1, 2, 7, 32, 64))) for _ in range(words)))
    places: list[int] = []
    for _ in range(chance.randint(5, 60)):
        draw = chance.random()
        if draw < 0.3:
            code += push(chance.choice(WORDS))
        elif draw < 0.45:
            code.append(chance.choice((0x80, 0x90)) + chance.randint(0, 4))
        elif draw < 0.53:
            places.append(len(code))
            code.append(0x5B)
        elif draw < 0.6:
            place = chance.choice(places) if places and chance.random() < 0.8 else 3
            code += push(place, 2) + bytes([chance.choice((0x56, 0x57, 0x57))])
        elif draw < 0.62:
            code.append(chance.choice((0x56, 0x57)))
        elif draw < 0.9:
            code.append(chance.choice((*PURE, 0x30, 0x33, 0x34, 0x36, 0x58)))
        else:
            code.append(chance.choice(STATEFUL))
    return bytes(code)


def creating(code: bytes) -> bytes:
    """Return init code that deploys `code`."""
    head = push(len(code), 2) + bytes((0x80, 0x60, 12, 0x60, 0, 0x39, 0x60, 0, 0xF3))
    return head + code


class Twins:
    """The same transactions to a chain with the fast loop and to one without."""

    def __init__(self) -> None:
        self.fast, self.plain = (
            EmbeddedChain(genesis_time=START, accounts=ACCOUNTS, fast=fast)
            for fast in (True, False)
        )

    def send(self, to: bytes | None, data: bytes, **options: int) -> Receipt:
        fast, plain = (
            chain.send(ACCOUNTS[0], to, data, **options) for chain in (self.fast, self.plain)
        )
        for name in ("succeeded", "output", "gas_used", "gas_refunded", "logs", "created"):
            assert getattr(fast.outcome, name) == getattr(plain.outcome, name), (name, data.hex())
        assert fast.outcome.reverted == plain.outcome.reverted
        # The header commits to state, receipts and gas, so equal hashes leave no difference.
        assert self.fast.head.hash == self.plain.head.hash, data.hex()
        return fast


@pytest.fixture(scope="module")
def twins() -> Twins:
    return Twins()


@pytest.mark.slow
def test_fast_loop_equals_py_evm_on_random_code(twins: Twins) -> None:
    chance = random.Random(2026)
    ends: Counter[str] = Counter()
    for _ in range(120):
        code = random_code(chance)
        deployed = twins.send(None, creating(code)).contract_address
        if deployed is not None:
            gas = chance.choice((40_000, 100_000, 400_000))
            value = chance.choice((0, 0, 7))
            data = chance.randbytes(chance.randint(0, 80))
            outcome = twins.send(deployed, data, gas=gas, value=value).outcome
            ends[outcome.error or "succeeded"] += 1
        outcome = twins.send(None, code, gas=400_000).outcome
        ends[outcome.error or "succeeded"] += 1
    for end in (
        "succeeded",
        "out of gas",
        "insufficient stack",
        "full stack",
        "invalid jump destination",
        "execution reverted",
    ):
        assert ends[end] > 0, ends


BINARY = sorted(code for code, (_, taken, given) in PURE.items() if (taken, given) == (2, 1))


@pytest.mark.parametrize("opcode", [code for code in BINARY if code != 0x20])
def test_binary_instruction_equals_py_evm_on_the_edges_of_words(twins: Twins, opcode: int) -> None:
    pairs = [(left, right) for left in WORDS for right in WORDS]
    code = bytearray()
    for place, (left, right) in enumerate(pairs):
        code += push(right, 32) + push(left, 32) + bytes([opcode]) + push(32 * place, 2) + b"\x52"
    code += push(32 * len(pairs), 2) + push(0) + b"\xfd"
    assert len(twins.send(None, bytes(code)).outcome.output) == 32 * len(pairs)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("5b600056", "out of gas"),  # a loop without end
        ("6001600160016001565b", "invalid jump destination"),
        ("605b600156", "invalid jump destination"),  # into the data of a PUSH
        ("01", "insufficient stack"),
        ("7f" + "ff" * 32 + "51", "out of gas"),  # memory beyond any gas
        ("6000" + "7f" + "ff" * 32 + "20", "succeeded"),  # hashing nothing touches no memory
        ("7f" + "ff" * 32 + "80" + "20", "out of gas"),
        ("5f", "invalid instruction"),  # PUSH0 came with shanghai
        ("60", "succeeded"),  # a PUSH whose data end with the code
        ("5b6000600057", "succeeded"),  # a jump not taken
        ("5b" + "6001" + "600056", "full stack"),
    ],
)
def test_edge_of_code_equals_py_evm(twins: Twins, code: str, error: str) -> None:
    outcome = twins.send(None, bytes.fromhex(code), gas=300_000).outcome
    assert (outcome.error or "succeeded") == error


def test_gas_is_seen_exactly_by_code(twins: Twins) -> None:
    # GAS, some arithmetic, GAS again, and both are returned.
    code = "5a" + "600160020160005260005150" + "5a" + "602052" + "600052" + "60406000f3"
    output = twins.send(None, bytes.fromhex(code), gas=200_000).outcome.output
    after, before = int.from_bytes(output[32:64], "big"), int.from_bytes(output[:32], "big")
    assert before - after == 7 * 3 + 3 + 2 + 2  # pushes, ADD, MSTORE, MLOAD; memory; POP; GAS


def test_decoding_finds_no_destination_in_data() -> None:
    program = decode(bytes.fromhex("605b5b00"))
    assert list(program.destinations) == [2]
