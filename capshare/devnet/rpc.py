"""The JSON-RPC methods of an embedded chain, and what a request and its answer look like."""

import inspect
from collections.abc import Callable, Mapping
from typing import Final

import rlp
from eth.constants import EMPTY_SHA3
from eth.rlp.accounts import Account
from eth_hash.auto import keccak
from trie import HexaryTrie

from capshare.devnet.blocks import Block
from capshare.devnet.embedded import EmbeddedChain
from capshare.devnet.evm import CallFailed, CallMessage
from capshare.devnet.history import Blockish
from capshare.devnet.wire import (
    Json,
    block_json,
    data,
    log_json,
    quantity,
    read_data,
    read_filter,
    read_quantity,
    receipt_json,
    transaction_json,
)
from capshare.errors import CapshareError, NotFound, UsageError

CLIENT_VERSION: Final = "capshare-devnet/embedded"

# Error codes of JSON-RPC 2.0 and, for the rest, of geth.
PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
SERVER_ERROR: Final = -32000
EXECUTION_REVERTED: Final = 3

ERROR_STRING: Final = bytes.fromhex("08c379a0")  # selector of Solidity's Error(string)


class Methods:
    """Answer JSON-RPC requests from an `EmbeddedChain`.

    `idle_seconds` lets a running clock be seen: a request that finds the head older than that
    mines an empty block first, as a network that seals all the time would have. None: never.
    """

    def __init__(self, chain: EmbeddedChain, *, idle_seconds: int | None = None) -> None:
        self._chain = chain
        self._idle_seconds = idle_seconds
        self._methods: dict[str, Callable[..., Json]] = {
            "eth_chainId": lambda: quantity(chain.chain_id),
            "net_version": lambda: str(chain.chain_id),
            "net_listening": lambda: True,
            "net_peerCount": lambda: quantity(0),
            "web3_clientVersion": lambda: CLIENT_VERSION,
            "web3_sha3": lambda raw: data(keccak(read_data(raw))),
            "eth_syncing": lambda: False,
            "eth_mining": lambda: True,
            "eth_accounts": lambda: [account.address for account in chain.accounts],
            "eth_gasPrice": lambda: quantity(0),
            "eth_maxPriorityFeePerGas": lambda: quantity(0),
            "eth_feeHistory": self._fee_history,
            "eth_blockNumber": lambda: quantity(chain.head.number),
            "eth_getBlockByNumber": self._block_by_number,
            "eth_getBlockByHash": self._block_by_hash,
            "eth_getBlockReceipts": self._block_receipts,
            "eth_getBlockTransactionCountByNumber": self._transaction_count_of_block,
            "eth_getBalance": self._balance,
            "eth_getCode": self._code,
            "eth_getStorageAt": self._storage,
            "eth_getProof": self._proof,
            "eth_getTransactionCount": self._nonce,
            "eth_call": self._call,
            "eth_estimateGas": self._estimate,
            "eth_sendRawTransaction": lambda raw: data(chain.send_raw(read_data(raw))),
            "eth_sendTransaction": self._send,
            "eth_getTransactionByHash": self._transaction,
            "eth_getTransactionReceipt": self._receipt,
            "eth_getLogs": self._logs,
            "debug_getRawHeader": lambda block: data(rlp.encode(self._block(block).header)),
            "debug_getRawReceipts": lambda block: [
                data(each.consensus.encode()) for each in self._block(block).receipts
            ],
            "evm_snapshot": lambda: quantity(chain.snapshot()),
            "evm_revert": self._revert,
            "evm_increaseTime": lambda seconds: chain.advance(read_quantity(seconds)),
            "evm_setNextBlockTimestamp": self._set_next_timestamp,
            "evm_mine": self._mine,
            "evm_setAutomine": self._set_automine,
        }

    def answer(self, request: Json) -> Json:
        """Answer one request or a batch of them; never raises."""
        if isinstance(request, list):
            if not request:
                return _failure(None, INVALID_REQUEST, "empty batch")
            return [self._answer_one(each) for each in request]
        return self._answer_one(request)

    def _answer_one(self, request: Json) -> Json:
        if not isinstance(request, Mapping) or not isinstance(request.get("method"), str):
            return _failure(None, INVALID_REQUEST, "not a JSON-RPC request")
        identity, name = request.get("id"), request["method"]
        method = self._methods.get(name)
        if method is None:
            return _failure(identity, METHOD_NOT_FOUND, f"the method {name} does not exist")
        params = request.get("params") or []
        try:
            inspect.signature(method).bind(*params)
        except TypeError as error:
            return _failure(identity, INVALID_PARAMS, f"invalid parameters of {name}: {error}")
        try:
            self._keep_fresh(name)
            return {"jsonrpc": "2.0", "id": identity, "result": method(*params)}
        except CallFailed as error:
            if error.reverted:
                message = error.message + _reason(error.data)
                return _failure(identity, EXECUTION_REVERTED, message, data(error.data))
            return _failure(identity, SERVER_ERROR, error.message)
        except UsageError as error:
            return _failure(identity, INVALID_PARAMS, f"invalid parameters of {name}: {error}")
        except CapshareError as error:
            return _failure(identity, SERVER_ERROR, error.message)

    def _keep_fresh(self, name: str) -> None:
        chain, limit = self._chain, self._idle_seconds
        reads = name.startswith("eth_") and not name.startswith("eth_send")
        if limit is None or not reads or not chain.automine or not chain.clock.flows:
            return
        if chain.time - chain.head.timestamp >= limit:
            chain.mine()

    def _tag(self, tag: Json, default: Blockish = "latest") -> Blockish:
        if tag is None:
            return default
        if isinstance(tag, Mapping):  # EIP-1898
            if "blockHash" in tag:
                return self._chain.block_by_hash(read_data(tag["blockHash"], length=32)).number
            return read_quantity(tag.get("blockNumber"))
        if isinstance(tag, str) and tag.startswith("0x"):
            return read_quantity(tag)
        if isinstance(tag, int | str):
            return tag
        raise UsageError(f"not a block: {tag!r}")

    def _block(self, tag: Json) -> Block:
        return self._chain.block(self._tag(tag))

    # Blocks and transactions

    def _block_by_number(self, tag: Json, full: bool = False) -> Json:
        try:
            return block_json(self._block(tag), full=full)
        except NotFound:
            return None

    def _block_by_hash(self, block_hash: Json, full: bool = False) -> Json:
        try:
            return block_json(
                self._chain.block_by_hash(read_data(block_hash, length=32)), full=full
            )
        except NotFound:
            return None

    def _block_receipts(self, tag: Json) -> Json:
        try:
            return [receipt_json(each) for each in self._block(tag).receipts]
        except NotFound:
            return None

    def _transaction_count_of_block(self, tag: Json) -> Json:
        return quantity(len(self._block(tag).receipts))

    def _transaction(self, transaction_hash: Json) -> Json:
        key = read_data(transaction_hash, length=32)
        waiting = self._chain.waiting(key)
        if waiting is not None:
            return transaction_json(waiting)
        try:
            mined = self._chain.receipt(key)
        except NotFound:
            return None
        return transaction_json(mined.transaction, mined)

    def _receipt(self, transaction_hash: Json) -> Json:
        try:
            return receipt_json(self._chain.receipt(read_data(transaction_hash, length=32)))
        except NotFound:
            return None

    def _fee_history(self, count: Json, newest: Json, percentiles: Json = None) -> Json:
        last = self._block(newest).number
        first = max(0, last - read_quantity(count) + 1)
        blocks = [self._chain.block(number) for number in range(first, last + 1)]
        history: dict[str, Json] = {
            "oldestBlock": quantity(first),
            "baseFeePerGas": [quantity(0)] * (len(blocks) + 1),
            "gasUsedRatio": [each.header.gas_used / each.header.gas_limit for each in blocks],
        }
        if percentiles is not None:
            history["reward"] = [[quantity(0)] * len(percentiles) for _ in blocks]
        return history

    # State

    def _balance(self, address: Json, tag: Json = None) -> Json:
        return quantity(self._chain.balance(read_data(address, length=20), self._tag(tag)))

    def _code(self, address: Json, tag: Json = None) -> Json:
        return data(self._chain.code(read_data(address, length=20), self._tag(tag)))

    def _storage(self, address: Json, slot: Json, tag: Json = None) -> Json:
        word = self._chain.storage(
            read_data(address, length=20), read_quantity(slot), self._tag(tag)
        )
        return data(word.to_bytes(32, "big"))

    def _nonce(self, address: Json, tag: Json = None) -> Json:
        return quantity(self._chain.nonce(read_data(address, length=20), self._tag(tag)))

    def _proof(self, address: Json, slots: Json, tag: Json = None) -> Json:
        block = self._block(tag)
        database = self._chain.database
        owner = read_data(address, length=20)
        states = HexaryTrie(database, root_hash=block.header.state_root)
        encoded = states[keccak(owner)]
        account = rlp.decode(encoded, sedes=Account) if encoded else Account()
        words = HexaryTrie(database, root_hash=account.storage_root)
        storage = []
        for slot in slots:
            number = read_quantity(slot)
            key = keccak(number.to_bytes(32, "big"))
            value = words[key]
            storage.append(
                {
                    "key": slot,
                    "value": quantity(int.from_bytes(rlp.decode(value)) if value else 0),
                    "proof": [data(rlp.encode(node)) for node in words.get_proof(key)],
                }
            )
        return {
            "address": data(owner),
            "balance": quantity(account.balance),
            "nonce": quantity(account.nonce),
            "codeHash": data(account.code_hash if encoded else EMPTY_SHA3),
            "storageHash": data(account.storage_root),
            "accountProof": [data(rlp.encode(node)) for node in states.get_proof(keccak(owner))],
            "storageProof": storage,
        }

    # Execution

    def _message(self, call: Json) -> CallMessage:
        if not isinstance(call, Mapping):
            raise UsageError(f"not a call: {call!r}")
        payload = call.get("input") if call.get("input") is not None else call.get("data")
        price = call.get("gasPrice") or call.get("maxFeePerGas")
        return CallMessage(
            sender=read_data(call["from"], length=20) if call.get("from") else bytes(20),
            to=read_data(call["to"], length=20) if call.get("to") else b"",
            data=read_data(payload),
            value=read_quantity(call.get("value")),
            gas=min(
                read_quantity(call.get("gas"), default=self._chain.gas_limit),
                self._chain.gas_limit,
            ),
            gas_price=read_quantity(price),
            access_list=tuple(
                (
                    read_data(each["address"], length=20),  # type: ignore[misc]
                    tuple(read_quantity(slot) for slot in each["storageKeys"]),
                )
                for each in call.get("accessList") or ()
            ),
        )

    def _call(self, call: Json, tag: Json = None, overrides: Json = None) -> Json:
        if overrides:
            raise UsageError("state overrides are not supported")
        outcome = self._chain.execute(self._message(call), block=self._tag(tag))
        if not outcome.succeeded:
            raise CallFailed(outcome.error, data=outcome.output, reverted=outcome.reverted)
        return data(outcome.output)

    def _estimate(self, call: Json, tag: Json = None) -> Json:
        gas = self._chain.estimate_gas(self._message(call), block=self._tag(tag))
        return quantity(gas)

    def _send(self, call: Json) -> Json:
        message = self._message(call)
        gas = message.gas
        if call.get("gas") is None:
            gas = self._chain.estimate_gas(message)
        raw = self._chain.sign(
            message.sender,
            message.to,
            message.data,
            value=message.value,
            gas=gas,
            gas_price=message.gas_price,
            nonce=None if call.get("nonce") is None else read_quantity(call["nonce"]),
        )
        return data(self._chain.send_raw(raw))

    def _logs(self, wanted: Json) -> Json:
        if not isinstance(wanted, Mapping):
            raise UsageError(f"not a log filter: {wanted!r}")
        if wanted.get("blockHash") is not None:
            block = self._chain.block_by_hash(read_data(wanted["blockHash"], length=32))
            first = last = block.number
        else:
            head = self._chain.head.number
            first = self._limit(wanted.get("fromBlock"), head)
            last = self._limit(wanted.get("toBlock"), head)
        logs = self._chain.logs(read_filter(wanted), first=first, last=last)
        return [log_json(log) for log in logs]

    def _limit(self, tag: Json, head: int) -> int:
        named = self._tag(tag)
        if isinstance(named, int):
            return named  # a height above the head is no error here: it ends at the head
        return head if named == "pending" else self._chain.block(named).number

    # Time and snapshots

    def _revert(self, snapshot: Json) -> bool:
        try:
            self._chain.revert(read_quantity(snapshot))
        except NotFound:
            return False
        return True

    def _set_next_timestamp(self, timestamp: Json) -> None:
        self._chain.set_next_timestamp(read_quantity(timestamp))

    def _mine(self, timestamp: Json = None) -> str:
        if isinstance(timestamp, Mapping):
            timestamp = timestamp.get("timestamp")
        self._chain.mine(timestamp=None if timestamp is None else read_quantity(timestamp))
        return quantity(0)

    def _set_automine(self, on: Json) -> bool:
        self._chain.automine = bool(on)
        if self._chain.automine and self._chain.has_waiting:
            self._chain.mine()
        return True


def _failure(identity: Json, code: int, message: str, revert: str | None = None) -> Json:
    error: dict[str, Json] = {"code": code, "message": message}
    if revert is not None:
        error["data"] = revert
    return {"jsonrpc": "2.0", "id": identity, "error": error}


def _reason(revert: bytes) -> str:
    """Return ": " and the words of a plain `revert("words")`, or nothing."""
    if revert[:4] != ERROR_STRING or len(revert) < 68:
        return ""
    size = int.from_bytes(revert[36:68], "big")
    return ": " + revert[68 : 68 + size].decode("utf-8", "replace")
