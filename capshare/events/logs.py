"""Raw logs to events and back, strictly: an unknown topic, a stray byte or bit is a discrepancy."""

from __future__ import annotations

import typing
from collections.abc import Sequence
from dataclasses import fields
from functools import cache
from typing import Any, NamedTuple

from capshare.codec import Codec, codec, keccak, sequence_codec
from capshare.errors import Discrepancy
from capshare.events import market, registries
from capshare.events.base import Event

EVENTS: dict[str, type[Event]] = {
    name: value
    for module in (registries, market)
    for name, value in vars(module).items()
    if isinstance(value, type) and issubclass(value, Event) and value is not Event
}


class _Form(NamedTuple):
    """How an event is written in a log: indexed fields as topics, the others as data."""

    class_: type[Event]
    signature: str
    topic: bytes
    names: tuple[str, ...]
    indexed: tuple[Codec, ...]
    data: Codec


def _form(class_: type[Event]) -> _Form:
    hints = typing.get_type_hints(class_, include_extras=True)
    names = tuple(field.name for field in fields(typing.cast(Any, class_)))
    codecs = [codec(hints[name]) for name in names]
    signature = f"{class_.__name__}({','.join(c.name for c in codecs)})"
    return _Form(
        class_,
        signature,
        keccak(signature.encode()),
        names,
        tuple(codecs[: class_.INDEXED]),
        sequence_codec(codecs[class_.INDEXED :]),
    )


@cache
def _forms() -> dict[type[Event], _Form]:
    return {class_: _form(class_) for class_ in EVENTS.values()}


@cache
def _by_topic() -> dict[tuple[str, bytes], _Form]:
    return {(form.class_.CONTRACT, form.topic): form for form in _forms().values()}


def signature_of(class_: type[Event]) -> str:
    """Return the canonical signature, such as `Locked(uint24,uint256)`."""
    return _forms()[class_].signature


def topic_of(class_: type[Event]) -> bytes:
    """Return the first topic of the event's logs."""
    return _forms()[class_].topic


def decode(contract: str, topics: Sequence[bytes], data: bytes) -> Event:
    """Return the event that a log of the named contract holds.

    Raise Discrepancy if the contract has no such event, or if the log is not exactly what the
    contract's encoder writes for one.
    """
    form = _by_topic().get((contract, topics[0] if topics else b""))
    if form is None:
        topic = topics[0].hex() if topics else "no topic"
        raise Discrepancy(f"{contract} has no event with topic {topic}")
    if len(topics) != 1 + len(form.indexed):
        raise Discrepancy(f"{form.signature}: {len(topics)} topics, not {1 + len(form.indexed)}")
    values = [c.decode(topic) for c, topic in zip(form.indexed, topics[1:], strict=True)]
    values += form.data.decode(data)
    return form.class_(**dict(zip(form.names, values, strict=True)))


def encode(event: Event) -> tuple[tuple[bytes, ...], bytes]:
    """Return the topics and the data of the log that holds this event."""
    form = _forms()[type(event)]
    values = [getattr(event, name) for name in form.names]
    count = len(form.indexed)
    topics = [c.encode(value) for c, value in zip(form.indexed, values[:count], strict=True)]
    return (form.topic, *topics), form.data.encode(values[count:])
