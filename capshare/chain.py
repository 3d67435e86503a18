"""The connection to a node: calls, transactions and logs, with reverts decoded to our errors.

Transactions are of the legacy type, which every supported engine takes at any gas price, and
carry the chain id. What the contracts refuse becomes `RuleRefused`, a node that fails
`NetworkError`.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from eth_typing import BlockNumber
from eth_utils.address import to_checksum_address
from requests.exceptions import RequestException
from web3 import HTTPProvider, Web3
from web3.exceptions import (
    ContractCustomError,
    ContractLogicError,
    TimeExhausted,
    TransactionNotFound,
    Web3Exception,
)
from web3.middleware import ExtraDataToPOAMiddleware
from web3.providers.base import BaseProvider
from web3.types import BlockIdentifier, FilterParams, TxParams

from capshare import abi
from capshare.errors import CapshareError, NetworkError, RuleRefused
from capshare.keys import Signer

log = logging.getLogger(__name__)

RECEIPT_SECONDS = 120
_LOG_BLOCKS = 2_000  # a request; nodes cap the range


@dataclass(frozen=True, slots=True, kw_only=True)
class RawLog:
    """One log as the node told it. `data` and `topics` are undecoded."""

    address: str  # checksummed
    topics: tuple[bytes, ...]
    data: bytes
    block: int
    log_index: int
    tx_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A transaction in a block that succeeded; `gas_used` as the block counts it."""

    tx_hash: bytes
    block: int
    gas_used: int
    contract_address: str | None
    logs: tuple[RawLog, ...]


class Chain:
    """One node's view of one chain."""

    def __init__(self, provider: BaseProvider | str, *, gas_price: int | None = None) -> None:
        """Connect; raise NetworkError if nothing answers. `gas_price` [wei]: None asks the node."""
        self.where = provider if isinstance(provider, str) else type(provider).__name__
        self.web3 = Web3(HTTPProvider(provider) if isinstance(provider, str) else provider)
        self.web3.middleware_onion.inject(ExtraDataToPOAMiddleware, layer=0)
        self._gas_price = gas_price
        self.chain_id = int(self._ask(lambda: self.web3.eth.chain_id))
        genesis = self._ask(lambda: self.web3.eth.get_block(0))
        self.genesis_hash = "0x" + bytes(genesis["hash"]).hex()

    def head(self) -> int:
        """Return the height of the newest block."""
        return int(self._ask(lambda: self.web3.eth.block_number))

    def now(self) -> int:
        """Return the newest block's timestamp [unix s]."""
        return int(self._ask(lambda: self.web3.eth.get_block("latest"))["timestamp"])

    def code(self, address: str) -> bytes:
        """Return the code at an address."""
        return bytes(self._ask(lambda: self.web3.eth.get_code(to_checksum_address(address))))

    def storage(self, address: str, slot: int, block: int | None = None) -> int:
        """Return one storage word."""
        where: BlockIdentifier = "latest" if block is None else BlockNumber(block)
        word = self._ask(
            lambda: self.web3.eth.get_storage_at(to_checksum_address(address), slot, where)
        )
        return int.from_bytes(word, "big")

    def balance(self, address: str) -> int:
        """Return the coin balance [wei], which pays for gas where gas has a price."""
        return int(self._ask(lambda: self.web3.eth.get_balance(to_checksum_address(address))))

    def nonce(self, address: str) -> int:
        """Return the number of transactions an address has sent, pending ones included."""
        count = self.web3.eth.get_transaction_count
        return int(self._ask(lambda: count(to_checksum_address(address), "pending")))

    def call(
        self,
        address: str,
        contract: str,
        function: str,
        arguments: Sequence[Any] = (),
        *,
        sender: str | None = None,
        block: int | None = None,
    ) -> Any:
        """Call a function without a transaction and return its decoded result."""
        request: TxParams = {
            "to": to_checksum_address(address),
            "data": "0x" + abi.encode_call(contract, function, arguments).hex(),  # type: ignore[typeddict-item]
        }
        if sender:
            request["from"] = to_checksum_address(sender)
        data = self._ask(lambda: self.web3.eth.call(request, "latest" if block is None else block))
        return abi.decode_result(contract, function, bytes(data))

    def send(
        self,
        signer: Signer,
        data: bytes,
        *,
        to: str | None = None,
        nonce: int | None = None,
        gas: int | None = None,
    ) -> Receipt:
        """Sign and send a transaction, wait for its block and return the receipt.

        Without `gas` the node estimates it, which refuses a failing transaction before it is paid.
        Raise RuleRefused with the contract's error if it reverts.
        """
        request: TxParams = {
            "from": to_checksum_address(signer.address),
            "data": "0x" + data.hex(),  # type: ignore[typeddict-item]
            "value": 0,  # type: ignore[typeddict-item]
        }
        if to is not None:
            request["to"] = to_checksum_address(to)
        limit = gas or int(self._ask(lambda: self.web3.eth.estimate_gas(request)) * 1.1) + 10_000
        signed = signer.sign_transaction(
            {
                **request,
                "chainId": self.chain_id,
                "nonce": self.nonce(signer.address) if nonce is None else nonce,
                "gas": limit,
                "gasPrice": self.gas_price(),
            }
        )
        tx_hash = bytes(self._ask(lambda: self.web3.eth.send_raw_transaction(signed)))
        return self._receipt(tx_hash, request, limit)

    def gas_price(self) -> int:
        """Return the gas price to bid [wei]."""
        if self._gas_price is None:
            return int(self._ask(lambda: self.web3.eth.gas_price))
        return self._gas_price

    def logs(self, addresses: Sequence[str], first: int, last: int) -> Iterator[RawLog]:
        """Yield the logs of some contracts in blocks `first`...`last`, in the chain's order."""
        wanted = [to_checksum_address(a) for a in addresses]
        for start in range(first, last + 1, _LOG_BLOCKS):
            query: FilterParams = {
                "address": wanted,
                "fromBlock": start,
                "toBlock": min(start + _LOG_BLOCKS - 1, last),
            }
            for entry in self._ask(lambda query=query: self.web3.eth.get_logs(query)):
                yield raw_log(entry)

    def _receipt(self, tx_hash: bytes, request: TxParams, gas: int) -> Receipt:
        receipt = self._ask(
            lambda: self.web3.eth.wait_for_transaction_receipt(
                tx_hash,  # type: ignore[arg-type]
                timeout=RECEIPT_SECONDS,
                poll_latency=0.05,
            )
        )
        if not receipt["status"]:
            # Ask again at the block before: only a call tells why.
            self._ask(
                lambda: self.web3.eth.call({**request, "gas": gas}, int(receipt["blockNumber"]) - 1)
            )
            raise CapshareError(
                f"transaction 0x{tx_hash.hex()} failed in block {receipt['blockNumber']} and the "
                "same call passes now: something changed in between, or the gas ran out",
                next_step="send it again",
            )
        address = receipt["contractAddress"]
        return Receipt(
            tx_hash=tx_hash,
            block=int(receipt["blockNumber"]),
            gas_used=int(receipt["gasUsed"]),
            contract_address=str(address) if address else None,
            logs=tuple(raw_log(entry) for entry in receipt["logs"]),
        )

    def _ask(self, question: Any) -> Any:
        started = time.monotonic()
        try:
            return question()
        except (ContractCustomError, ContractLogicError) as error:
            raise refusal(error.data, str(error)) from error
        except (TransactionNotFound, TimeExhausted) as error:
            raise NetworkError(
                f"{self.where}: {error}", next_step="check that the chain makes blocks"
            ) from error
        except (Web3Exception, RequestException, OSError, ValueError) as error:
            raise NetworkError(
                f"{self.where} did not answer: {error}",
                next_step="check the RPC url, or start a chain with `capshare devnet up`",
            ) from error
        finally:
            log.debug("%s answered in %.3f s", self.where, time.monotonic() - started)


def raw_log(entry: Any) -> RawLog:
    """Return a log of web3 as a plain value."""
    return RawLog(
        address=str(entry["address"]),
        topics=tuple(bytes(topic) for topic in entry["topics"]),
        data=bytes(entry["data"]),
        block=int(entry["blockNumber"]),
        log_index=int(entry["logIndex"]),
        tx_hash=bytes(entry["transactionHash"]),
    )


def refusal(data: object, text: str) -> CapshareError:
    """Return the error for a revert: the contract's own by name and values where it is known."""
    raw = bytes.fromhex(data.removeprefix("0x")) if isinstance(data, str) else b""
    error = abi.decode_error(raw)
    if error is None:
        return CapshareError(f"the call was reverted: {text}")
    return RuleRefused(str(error), name=error.name, values=tuple(error.values.values()))
