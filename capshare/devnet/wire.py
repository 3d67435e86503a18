"""Values of the chain as JSON-RPC writes them, and back.

Quantities are hexadecimal without leading zeros, data is hexadecimal by whole bytes, as in the
Ethereum JSON-RPC specification (execution-apis).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import rlp
from eth.abc import SignedTransactionAPI

from capshare.devnet.blocks import BASE_FEE, Block, LogEntry, LogFilter, Receipt
from capshare.errors import UsageError

Json = Any  # what json.loads gives: the boundary where types end


def quantity(number: int) -> str:
    """Write a number."""
    return hex(number)


def data(raw: bytes) -> str:
    """Write bytes."""
    return "0x" + raw.hex()


def read_quantity(value: Json, *, default: int = 0) -> int:
    """Read a number; what is left out is `default`. Raises `UsageError`."""
    if value is None:
        return default
    try:
        return value if isinstance(value, int) else int(value, 16)
    except (TypeError, ValueError) as error:
        raise UsageError(f"not a quantity: {value!r}") from error


def read_data(value: Json, *, length: int | None = None) -> bytes:
    """Read bytes; what is left out is empty. Raises `UsageError`."""
    try:
        is_raw = isinstance(value, bytes | bytearray)
        raw = bytes(value) if is_raw else bytes.fromhex((value or "0x").removeprefix("0x"))
    except (AttributeError, ValueError) as error:
        raise UsageError(f"not hexadecimal data: {value!r}") from error
    if length is not None and len(raw) != length:
        raise UsageError(f"expected {length} bytes, got {len(raw)}: {value}")
    return raw


def block_json(block: Block, *, full: bool) -> dict[str, Json]:
    """Write a block, with its transactions in full or by hash."""
    header = block.header
    encoded = len(rlp.encode(header))
    return {
        "number": quantity(block.number),
        "hash": data(block.hash),
        "parentHash": data(header.parent_hash),
        "sha3Uncles": data(header.uncles_hash),
        "miner": data(header.coinbase),
        "stateRoot": data(header.state_root),
        "transactionsRoot": data(header.transaction_root),
        "receiptsRoot": data(header.receipt_root),
        "logsBloom": data(header.bloom.to_bytes(256, "big")),
        "difficulty": quantity(header.difficulty),
        "totalDifficulty": quantity(0),
        "gasLimit": quantity(header.gas_limit),
        "gasUsed": quantity(header.gas_used),
        "timestamp": quantity(header.timestamp),
        "extraData": data(header.extra_data),
        "mixHash": data(header.mix_hash),
        "nonce": data(header.nonce),
        "baseFeePerGas": quantity(BASE_FEE),
        "size": quantity(encoded + sum(len(each.transaction.encode()) for each in block.receipts)),
        "uncles": [],
        "transactions": [
            transaction_json(each.transaction, each) if full else data(each.transaction_hash)
            for each in block.receipts
        ],
    }


def transaction_json(
    transaction: SignedTransactionAPI, mined: Receipt | None = None
) -> dict[str, Json]:
    """Write a transaction and, once it is mined, where."""
    kind = transaction.type_id or 0
    written: dict[str, Json] = {
        "hash": data(mined.transaction_hash if mined else transaction.hash),
        "type": quantity(kind),
        "chainId": quantity(transaction.chain_id or 0),
        "nonce": quantity(transaction.nonce),
        "from": data(transaction.sender),
        "to": data(transaction.to) if transaction.to else None,
        "value": quantity(transaction.value),
        "gas": quantity(transaction.gas),
        "input": data(transaction.data),
        "r": quantity(transaction.r),
        "s": quantity(transaction.s),
        "blockHash": data(mined.block_hash) if mined else None,
        "blockNumber": quantity(mined.block_number) if mined else None,
        "transactionIndex": quantity(mined.transaction_index) if mined else None,
    }
    if kind == 0:
        chain_id = transaction.chain_id or 0
        written["v"] = quantity(transaction.y_parity + 35 + 2 * chain_id)  # EIP-155
        written["gasPrice"] = quantity(transaction.gas_price)
        return written
    written["v"] = written["yParity"] = quantity(transaction.y_parity)
    written["accessList"] = [
        {
            "address": data(address),
            "storageKeys": [data(slot.to_bytes(32, "big")) for slot in slots],
        }
        for address, slots in transaction.access_list
    ]
    if kind == 1:
        written["gasPrice"] = quantity(transaction.gas_price)
    else:
        written["maxFeePerGas"] = quantity(transaction.max_fee_per_gas)
        written["maxPriorityFeePerGas"] = quantity(transaction.max_priority_fee_per_gas)
        price = mined.effective_gas_price if mined else transaction.max_fee_per_gas
        written["gasPrice"] = quantity(price)
    return written


def log_json(log: LogEntry) -> dict[str, Json]:
    """Write an event."""
    return {
        "address": data(log.address),
        "topics": [data(topic) for topic in log.topics],
        "data": data(log.data),
        "blockNumber": quantity(log.block_number),
        "blockHash": data(log.block_hash),
        "transactionHash": data(log.transaction_hash),
        "transactionIndex": quantity(log.transaction_index),
        "logIndex": quantity(log.log_index),
        "removed": False,
    }


def receipt_json(receipt: Receipt) -> dict[str, Json]:
    """Write a receipt; of a revert also `revertReason`, its data, as Besu does."""
    transaction = receipt.transaction
    created = receipt.contract_address
    written = {
        "transactionHash": data(receipt.transaction_hash),
        "transactionIndex": quantity(receipt.transaction_index),
        "blockHash": data(receipt.block_hash),
        "blockNumber": quantity(receipt.block_number),
        "from": data(transaction.sender),
        "to": data(transaction.to) if transaction.to else None,
        "contractAddress": data(created) if created else None,
        "gasUsed": quantity(receipt.gas_used),
        "cumulativeGasUsed": quantity(receipt.cumulative_gas_used),
        "effectiveGasPrice": quantity(receipt.effective_gas_price),
        "logs": [log_json(log) for log in receipt.logs],
        "logsBloom": data(receipt.consensus.bloom.to_bytes(256, "big")),
        "status": quantity(int(receipt.succeeded)),
        "type": quantity(transaction.type_id or 0),
    }
    if receipt.outcome.reverted:
        written["revertReason"] = data(receipt.outcome.output)
    return written


def read_filter(wanted: Mapping[str, Json]) -> LogFilter:
    """Read the addresses and topics of a log filter. Raises `UsageError`."""
    addresses = wanted.get("address") or []
    topics: Sequence[Json] = wanted.get("topics") or []
    return LogFilter(
        addresses=frozenset(read_data(each, length=20) for each in _listed(addresses)),
        topics=tuple(
            frozenset(read_data(each, length=32) for each in _listed(place or []))
            for place in topics
        ),
    )


def _listed(value: Json) -> Sequence[Json]:
    return value if isinstance(value, list | tuple) else [value]
