"""What a chain keeps: blocks, their transactions, receipts and logs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from eth.abc import ReceiptAPI, SignedTransactionAPI
from eth.vm.forks.london.blocks import LondonBlockHeader

from capshare.devnet.evm import Outcome

BASE_FEE: Final = 0  # [wei] as on the network that members run: a transaction may pay nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One event, and where in the chain it stands."""

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes
    block_number: int
    block_hash: bytes
    transaction_hash: bytes
    transaction_index: int
    log_index: int  # within the block


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A mined transaction, what it did, and where it stands.

    `outcome` holds what a node's receipt leaves out: the data of a revert, and the gas that
    refunds took off.
    """

    transaction: SignedTransactionAPI
    transaction_hash: bytes
    transaction_index: int
    block_number: int
    block_hash: bytes
    timestamp: int  # [unix s] of the block
    cumulative_gas_used: int
    effective_gas_price: int  # [wei]
    outcome: Outcome
    logs: tuple[LogEntry, ...]
    consensus: ReceiptAPI  # as the receipts' trie holds it

    @property
    def succeeded(self) -> bool:
        """Whether the transaction did what it was meant to."""
        return self.outcome.succeeded

    @property
    def gas_used(self) -> int:
        """Gas of the whole transaction, after refunds."""
        return self.outcome.gas_used

    @property
    def gas_before_refunds(self) -> int:
        """Gas of the whole transaction, before refunds."""
        return self.outcome.gas_used + self.outcome.gas_refunded

    @property
    def contract_address(self) -> bytes | None:
        """Address of the contract that the transaction created."""
        return self.outcome.created


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A sealed block."""

    header: LondonBlockHeader
    hash: bytes
    receipts: tuple[Receipt, ...]

    @property
    def number(self) -> int:
        """Its height; the genesis block's is 0."""
        return self.header.block_number

    @property
    def timestamp(self) -> int:
        """Its time [unix s]."""
        return self.header.timestamp


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFilter:
    """Which logs to take: any of `addresses` (none: all), and at each place any of its topics.

    An empty place takes every topic, but the log must have one there.
    """

    addresses: frozenset[bytes] = frozenset()
    topics: tuple[frozenset[bytes], ...] = ()

    def takes(self, log: LogEntry) -> bool:
        """Say whether a log passes."""
        if self.addresses and log.address not in self.addresses:
            return False
        if len(self.topics) > len(log.topics):
            return False
        return all(
            not wanted or topic in wanted
            for wanted, topic in zip(self.topics, log.topics, strict=False)
        )


def logs_of(blocks: Sequence[Block], wanted: LogFilter) -> Iterator[LogEntry]:
    """Yield the logs of `blocks` that pass, in the chain's order."""
    for block in blocks:
        for receipt in block.receipts:
            for log in receipt.logs:
                if wanted.takes(log):
                    yield log


def receipts_of(
    header: LondonBlockHeader,
    done: Sequence[tuple[bytes, SignedTransactionAPI, Outcome, ReceiptAPI]],
) -> tuple[Receipt, ...]:
    """Place what a block's transactions did: hash, transaction, outcome, consensus receipt each."""
    receipts: list[Receipt] = []
    log_index = 0
    for index, (transaction_hash, transaction, outcome, consensus) in enumerate(done):
        logs = tuple(
            LogEntry(
                address=address,
                topics=topics,
                data=data,
                block_number=header.block_number,
                block_hash=header.hash,
                transaction_hash=transaction_hash,
                transaction_index=index,
                log_index=log_index + place,
            )
            for place, (address, topics, data) in enumerate(outcome.logs)
        )
        log_index += len(logs)
        receipts.append(
            Receipt(
                transaction=transaction,
                transaction_hash=transaction_hash,
                transaction_index=index,
                block_number=header.block_number,
                block_hash=header.hash,
                timestamp=header.timestamp,
                cumulative_gas_used=consensus.gas_used,
                effective_gas_price=min(
                    transaction.max_fee_per_gas,
                    BASE_FEE + transaction.max_priority_fee_per_gas,
                ),
                outcome=outcome,
                logs=logs,
                consensus=consensus,
            )
        )
    return tuple(receipts)
