"""A loopback JSON-RPC server over an embedded chain: `python -m capshare.devnet.server`.

The chain lives in this process and ends with it.
"""

import argparse
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import FrameType
from typing import Final

from capshare.devnet.accounts import read_accounts
from capshare.devnet.embedded import BLOCK_GAS_LIMIT, CHAIN_ID, EmbeddedChain
from capshare.devnet.rpc import PARSE_ERROR, Methods

HOST: Final = "127.0.0.1"
IDLE_SECONDS: Final = 5
LARGEST_BODY: Final = 64 * 2**20  # bytes
STACK_BYTES: Final = 64 * 2**20  # of a request's thread: contracts call each other 1,024 deep
INTERNAL_ERROR: Final = -32603

log = logging.getLogger("capshare.devnet")


class DevnetServer(ThreadingHTTPServer):
    """Serve `chain` on the loopback interface; port 0 takes any free one.

    Requests take turns, so each sees a whole chain.
    """

    daemon_threads = True
    allow_reuse_address = os.name == "posix"  # elsewhere it would share a taken port
    request_queue_size = 128

    def __init__(
        self, chain: EmbeddedChain, *, port: int = 0, idle_seconds: int | None = IDLE_SECONDS
    ) -> None:
        super().__init__((HOST, port), _Handler)
        self.chain = chain
        self._methods = Methods(chain, idle_seconds=idle_seconds)
        self._turn = threading.Lock()

    @property
    def url(self) -> str:
        """Where clients reach it."""
        return f"http://{HOST}:{self.server_address[1]}"

    def answer(self, body: bytes) -> bytes:
        """Answer the body of a request."""
        try:
            request = json.loads(body)
        except ValueError as error:
            failure = {"code": PARSE_ERROR, "message": f"not JSON: {error}"}
            return json.dumps({"jsonrpc": "2.0", "id": None, "error": failure}).encode()
        try:
            with self._turn:
                answer = self._methods.answer(request)
        except Exception as error:
            log.exception("request failed: %.2000s", body)
            identity = request.get("id") if isinstance(request, dict) else None
            failure = {"code": INTERNAL_ERROR, "message": f"internal error: {error!r}"}
            answer = {"jsonrpc": "2.0", "id": identity, "error": failure}
        return json.dumps(answer, separators=(",", ":")).encode()


class _Handler(BaseHTTPRequestHandler):
    server: DevnetServer
    protocol_version = "HTTP/1.1"  # keeps the connection
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave together

    def do_POST(self) -> None:
        """Answer a JSON-RPC request."""
        host = self.headers.get("Host", "").rsplit(":", 1)[0]
        if host not in (HOST, "localhost"):  # a web page that reaches here by a name of its own
            self.send_error(403, "loopback only")
            return
        length = int(self.headers.get("Content-Length", "0"))
        if length > LARGEST_BODY:
            self.send_error(413)
            return
        answer = self.server.answer(self.rfile.read(length))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet about each request."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve a new chain until the process is told to end."""
    parser = argparse.ArgumentParser(prog="python -m capshare.devnet.server")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--accounts", type=Path, required=True, help="file with funded accounts")
    parser.add_argument("--chain-id", type=int, default=CHAIN_ID)
    parser.add_argument("--gas-limit", type=int, default=BLOCK_GAS_LIMIT)
    parser.add_argument("--block-time", type=int, default=IDLE_SECONDS, help="0: never idle")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")

    chain = EmbeddedChain(
        chain_id=options.chain_id,
        gas_limit=options.gas_limit,
        accounts=read_accounts(options.accounts),
    )
    threading.stack_size(STACK_BYTES)
    try:
        server = DevnetServer(chain, port=options.port, idle_seconds=options.block_time or None)
    except OSError as error:
        log.error("port %d: %s", options.port, error)
        return 3

    def stop(_number: int, _frame: FrameType | None) -> None:
        threading.Thread(target=server.shutdown).start()  # from its own thread it would wait

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    log.info("chain %d at %s", chain.chain_id, server.url)
    with server:
        server.serve_forever(poll_interval=0.1)
    log.info("ended at block %d; the chain is gone", chain.head.number)
    return 0


if __name__ == "__main__":
    sys.exit(main())
