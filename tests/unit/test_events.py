"""Events: the contracts' own declarations, and nothing but exact logs."""

from typing import Any

import pytest

from capshare import artifacts
from capshare.errors import Discrepancy
from capshare.events import (
    EVENTS,
    Admission,
    Call,
    DealSettled,
    Event,
    Locked,
    MemberAdmitted,
    OffersPosted,
    Proposed,
    TermsWords,
    decode,
    encode,
    signature_of,
    topic_of,
)
from capshare.ledger.calldata import type_of
from capshare.ledger.state import CONTRACTS

# OpenZeppelin's EIP712 declares it and never emits it.
NEVER_EMITTED = {"EIP712DomainChanged"}

SAMPLES: list[Event] = [
    Locked(member=3, amount=2**200),
    Proposed(
        proposal=1,
        proposer=2,
        calls=(Call(target=b"t" * 20, data=b"1234"), Call(target=b"u" * 20, data=b"")),
        reason="größer",
        deadline=9,
    ),
    MemberAdmitted(
        member=1,
        account=b"a" * 20,
        admission=Admission(
            account=b"a" * 20,
            identity=b"i" * 32,
            encryption_key=bytes(32),
            key_valid_until=0,
            group=0,
            roles=3,
            name="Werk 1",
            region="350100",
            industry="34",
        ),
    ),
    OffersPosted(batch=1, member=2, class_=3, round=4, salt=5, signer=b"s" * 20, orders=bytes(56)),
    DealSettled(deal=1 << 48, state=4, quantity=5, terms=TermsWords(word0=1, word1=2, word2=3)),
]


def declared() -> list[tuple[str, Any]]:
    return [
        (contract, entry)
        for contract in CONTRACTS
        for entry in artifacts.load(contract).abi
        if entry["type"] == "event" and entry["name"] not in NEVER_EMITTED
    ]


def test_events_are_those_that_the_contracts_declare() -> None:
    assert sorted(entry["name"] for _, entry in declared()) == sorted(EVENTS)


@pytest.mark.parametrize(("contract", "entry"), declared(), ids=lambda v: str(v)[:24])
def test_event_has_the_declared_form(contract: str, entry: Any) -> None:
    class_ = EVENTS[entry["name"]]
    types = ",".join(type_of(parameter) for parameter in entry["inputs"])
    indexed = [parameter["indexed"] for parameter in entry["inputs"]]
    assert contract == class_.CONTRACT
    assert signature_of(class_) == f"{entry['name']}({types})"
    assert indexed == [place < class_.INDEXED for place in range(len(indexed))]


@pytest.mark.parametrize("event", SAMPLES, ids=lambda event: type(event).__name__)
def test_event_survives_its_log(event: Event) -> None:
    topics, data = encode(event)
    assert topics[0] == topic_of(type(event))
    assert decode(event.CONTRACT, topics, data) == event


def test_topic_is_the_signatures_hash() -> None:
    # ERC-20's best known topic has another signature; this one is Vault's.
    assert signature_of(Locked) == "Locked(uint24,uint256)"
    assert len(topic_of(Locked)) == 32


@pytest.mark.parametrize("event", SAMPLES, ids=lambda event: type(event).__name__)
def test_log_with_any_byte_changed_is_another_event_or_refused(event: Event) -> None:
    topics, data = encode(event)
    for place in range(len(data)):
        changed = data[:place] + bytes([data[place] ^ 0x80]) + data[place + 1 :]
        try:
            found = decode(event.CONTRACT, topics, changed)
        except Discrepancy:
            continue
        assert found != event
        assert encode(found) == (topics, changed)


def test_unknown_topics_and_wrong_emitters_are_refused() -> None:
    topics, data = encode(SAMPLES[0])
    with pytest.raises(Discrepancy, match="Deals has no event"):
        decode("Deals", topics, data)
    with pytest.raises(Discrepancy, match="no topic"):
        decode("Vault", (), b"")
    with pytest.raises(Discrepancy, match="1 topics"):
        decode("Vault", topics[:1], data)
    with pytest.raises(Discrepancy, match="is no uint24"):
        decode("Vault", (topics[0], b"\1" * 32), data)
