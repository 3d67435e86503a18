"""Ask a node over HTTP with nothing but the standard library, so that it costs no start-up time."""

import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from capshare.errors import NetworkError

TIMEOUT: Final = 10.0  # [s]

_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback needs no proxy


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Where a chain stands."""

    number: int
    time: int  # [unix s]


class NodeError(NetworkError):
    """Report a node's own refusal: its JSON-RPC error's message."""


def ask(url: str, method: str, *params: Any, timeout: float = TIMEOUT) -> Any:
    """Call one method and return its result. Raises `NetworkError`, `NodeError`."""
    return ask_all(url, [(method, params)], timeout=timeout)[0]


def ask_all(
    url: str, calls: Sequence[tuple[str, Sequence[Any]]], *, timeout: float = TIMEOUT
) -> list[Any]:
    """Call several methods in one request and return their results in the order of `calls`."""
    body = [
        {"jsonrpc": "2.0", "id": index, "method": method, "params": list(params)}
        for index, (method, params) in enumerate(calls)
    ]
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    try:
        with _direct.open(request, timeout=timeout) as response:
            answers = json.load(response)
    except (OSError, ValueError) as error:
        raise NetworkError(f"no node answers at {url}: {error}") from error
    if not isinstance(answers, list) or len(answers) != len(calls):
        raise NetworkError(f"{url} does not answer as a node does: {str(answers)[:200]}")
    results = []
    for answer in sorted(answers, key=lambda each: each["id"]):
        if "error" in answer:
            raise NodeError(str(answer["error"].get("message", answer["error"])))
        results.append(answer.get("result"))
    return results


def head_of(url: str) -> Head:
    """Return a node's latest block."""
    block = ask(url, "eth_getBlockByNumber", "latest", False)
    return Head(number=int(block["number"], 16), time=int(block["timestamp"], 16))


def identity_of(url: str, *, timeout: float = TIMEOUT) -> tuple[int, str]:
    """Return a node's chain id and genesis hash, which together say which chain it is."""
    chain_id, genesis = ask_all(
        url, [("eth_chainId", ()), ("eth_getBlockByNumber", ("0x0", False))], timeout=timeout
    )
    return int(chain_id, 16), str(genesis["hash"])
