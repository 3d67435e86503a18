"""web3 over an embedded chain, without a server between them."""

import itertools
import threading
from typing import Any, cast

from web3.providers.base import JSONBaseProvider
from web3.types import RPCEndpoint, RPCResponse

from capshare.devnet.embedded import EmbeddedChain
from capshare.devnet.rpc import Methods


class EmbeddedProvider(JSONBaseProvider):
    """Answer web3's requests from `chain`: `Web3(EmbeddedProvider(chain))`.

    Requests of several threads take turns.
    """

    def __init__(self, chain: EmbeddedChain, **options: Any) -> None:
        super().__init__(**options)
        self.chain = chain
        self._methods = Methods(chain)
        self._turn = threading.Lock()
        self._identities = itertools.count(1)

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """Answer one request."""
        with self._turn:
            return cast(RPCResponse, self._methods.answer(self._request(method, params)))

    def make_batch_request(
        self, requests: list[tuple[RPCEndpoint, Any]]
    ) -> list[RPCResponse] | RPCResponse:
        """Answer requests in their order."""
        batch = [self._request(method, params) for method, params in requests]
        with self._turn:
            return cast(list[RPCResponse], self._methods.answer(batch))

    def is_connected(self, show_traceback: bool = False) -> bool:
        """Say yes: the chain is here."""
        return True

    def _request(self, method: RPCEndpoint, params: Any) -> dict[str, Any]:
        return {
            "jsonrpc": "2.0",
            "id": next(self._identities),
            "method": method,
            "params": list(params or ()),
        }
