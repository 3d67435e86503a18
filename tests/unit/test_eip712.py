"""Typed data: golden vectors, written with eth_account; signatures as the chain reads them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from capshare import eip712
from capshare.codec import ZERO_ADDRESS, keccak
from capshare.eip712 import Consent, Domain, OrderBatch, Reduction, Signable

VECTORS = json.loads(
    (Path(__file__).parent.parent / "vectors" / "eip712.json").read_text(encoding="utf-8")
)
CLASSES: dict[str, Any] = {"OrderBatch": OrderBatch, "Reduction": Reduction, "Consent": Consent}
CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def raw(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def value_of(case: dict[str, Any]) -> Signable:
    fields = {}
    for member in VECTORS["types"][case["primaryType"]]:
        given = case["message"][member["name"]]
        if member["type"].startswith("bytes"):
            given = tuple(map(raw, given)) if isinstance(given, list) else raw(given)
        else:
            given = tuple(map(int, given)) if isinstance(given, list) else int(given)
        fields["class_" if member["name"] == "class" else member["name"]] = given
    return CLASSES[case["primaryType"]](**fields)


def domain_of(case: dict[str, Any]) -> Domain:
    return Domain(
        chain_id=case["domain"]["chainId"], contract=raw(case["domain"]["verifyingContract"])
    )


def test_types_are_those_of_the_vectors() -> None:
    for name, members in VECTORS["types"].items():
        assert [(m["type"], m["name"]) for m in members] == list(eip712.TYPES[name])
        type_hash = keccak(eip712.type_string(name).encode())
        assert type_hash == raw(VECTORS["typeHashes"][name])


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda c: c["primaryType"])
def test_hashes_are_those_of_the_vectors(case: dict[str, Any]) -> None:
    value, domain = value_of(case), domain_of(case)
    assert eip712.domain_separator(domain) == raw(case["domainSeparator"])
    assert eip712.struct_hash(value) == raw(case["structHash"])
    assert eip712.digest(value, domain) == raw(case["digest"])


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda c: c["primaryType"])
def test_wallets_hash_the_typed_data_alike(case: dict[str, Any]) -> None:
    message = encode_typed_data(full_message=eip712.typed_data(value_of(case), domain_of(case)))
    assert message.body == raw(case["structHash"])
    assert message.header == raw(case["domainSeparator"])


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda c: c["primaryType"])
def test_signer_is_recovered(case: dict[str, Any]) -> None:
    signer = eip712.recover(raw(case["digest"]), raw(case["signature"]))
    assert signer == raw(VECTORS["signer"])


def test_signature_covers_chain_contract_and_every_field() -> None:
    case = VECTORS["cases"][1]
    value, domain = value_of(case), domain_of(case)
    assert isinstance(value, OrderBatch)
    changed = [
        (replace(value, member=1), domain),
        (replace(value, class_=1), domain),
        (replace(value, side=0), domain),
        (replace(value, salt=1), domain),
        (replace(value, deadline=1), domain),
        (replace(value, orders=value.orders[:28]), domain),
        (replace(value, commitments=value.commitments[:1]), domain),
        (value, replace(domain, chain_id=1)),
        (value, replace(domain, contract=bytes(20))),
    ]
    digests = {eip712.digest(*pair) for pair in changed}
    assert len(digests) == len(changed)
    assert eip712.digest(value, domain) not in digests
    assert eip712.digest(replace(value, signature=b"1"), domain) == raw(case["digest"])


def altered() -> dict[str, bytes]:
    signature = raw(VECTORS["cases"][0]["signature"])
    r, s, v = signature[:32], int.from_bytes(signature[32:64]), signature[64]
    return {
        "empty": b"",
        "short": signature[:64],
        "long": signature + b"\0",
        "v of 0 or 1": signature[:64] + bytes([v - 27]),
        "high s": r + (CURVE_ORDER - s).to_bytes(32) + bytes([55 - v]),
        "zero r": bytes(32) + signature[32:],
        "zero s": r + bytes(32) + bytes([v]),
        "r beyond the curve": b"\xff" * 32 + signature[32:],
    }


@pytest.mark.parametrize("name", altered())
def test_signature_in_another_form_is_nobodys(name: str) -> None:
    assert eip712.recover(raw(VECTORS["cases"][0]["digest"]), altered()[name]) == ZERO_ADDRESS


def test_eth_account_signs_what_the_ledger_recovers() -> None:
    case = VECTORS["cases"][-1]
    account = Account.from_key(b"\7" * 32)
    signed = account.sign_typed_data(
        full_message=eip712.typed_data(value_of(case), domain_of(case))
    )
    signer = eip712.recover(raw(case["digest"]), bytes(signed.signature))
    assert signer == raw(account.address)
