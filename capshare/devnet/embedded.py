"""A whole chain in this process: no node, no network, no file.

Blocks follow London's rules, with a base fee of zero as on the network that members run: a
transaction may pay nothing. Every transaction is mined at once in a block of its own, unless
`automine` is off. The chain is the caller's alone: share it between threads with a lock.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, cast

from eth.abc import ReceiptAPI, SignedTransactionAPI
from eth.db.atomic import AtomicDB
from eth.vm.forks.london.blocks import LondonBlockHeader
from eth.vm.forks.london.state import LondonState
from eth.vm.forks.london.transactions import LondonTransactionBuilder
from eth_keys.datatypes import PrivateKey
from eth_typing import Address, BlockNumber, Hash32

from capshare.devnet.accounts import BALANCE, DevAccount, dev_accounts
from capshare.devnet.blocks import Block, LogEntry, LogFilter, Receipt, logs_of, receipts_of
from capshare.devnet.clock import Clock, ClockReading
from capshare.devnet.estimate import estimate
from capshare.devnet.evm import CallFailed, CallMessage, Machine, Outcome, TransactionRefused
from capshare.devnet.history import Blockish, History
from capshare.devnet.pool import Pool
from capshare.errors import NotFound

CHAIN_ID: Final = 31337
BLOCK_GAS_LIMIT: Final = 200_000_000
ZERO_ADDRESS: Final = bytes(20)
KEPT_VIEWS: Final = 64  # states held open, each with its caches


@dataclass(frozen=True, slots=True, kw_only=True)
class _Snapshot:
    height: int
    clock: ClockReading
    pool: Pool


class EmbeddedChain:
    """A chain that lives as long as this object does.

    `genesis_time` [unix s] makes time virtual: one second a block, more only through `warp`, so
    that the same transactions give the same chain. Without it, time is the wall's, and `warp`
    moves ahead of it. `accounts` are funded and may `send`. `fast=False` runs py-evm's own loop.
    """

    def __init__(
        self,
        *,
        chain_id: int = CHAIN_ID,
        gas_limit: int = BLOCK_GAS_LIMIT,
        genesis_time: int | None = None,
        accounts: Sequence[DevAccount] | None = None,
        balances: Mapping[bytes, int] | None = None,
        automine: bool = True,
        fast: bool = True,
        clock: Clock | None = None,
    ) -> None:
        self.chain_id = chain_id
        self.gas_limit = gas_limit
        self.accounts = tuple(dev_accounts() if accounts is None else accounts)
        self.automine = automine
        self.clock = clock or Clock(virtual=genesis_time is not None)
        self._machine = Machine(chain_id=chain_id, fast=fast)
        self._keys = {account.raw: PrivateKey(account.key) for account in self.accounts}
        self._snapshots: list[_Snapshot] = []
        self._pool = Pool()
        self._views: dict[int, LondonState] = {}  # opened for calls, by height

        root = self._machine.genesis_root(
            {account.raw: BALANCE for account in self.accounts} | dict(balances or {})
        )
        start = self.clock.time_after(0) if genesis_time is None else genesis_time
        header = LondonBlockHeader(
            difficulty=0,
            block_number=BlockNumber(0),
            gas_limit=gas_limit,
            timestamp=start,
            state_root=Hash32(root),
        )
        self._history = History(Block(header=header, hash=header.hash, receipts=()))

    # Blocks

    @property
    def database(self) -> AtomicDB:
        """The nodes of all state tries, by hash; for proofs."""
        return self._machine.database

    @property
    def head(self) -> Block:
        """The latest block."""
        return self._history.head

    @property
    def time(self) -> int:
        """The timestamp [unix s] that a block mined now would get."""
        return self.clock.time_after(self.head.timestamp)

    def block(self, block: Blockish = "latest") -> Block:
        """Return a sealed block; "pending" is the latest. Raises `NotFound`."""
        return self._history.block(block)

    def block_by_hash(self, block_hash: bytes) -> Block:
        """Return a block by its hash. Raises `NotFound`."""
        return self._history.by_hash(block_hash)

    # Sending

    def send_raw(self, raw: bytes) -> bytes:
        """Take a signed transaction and return its hash; with `automine` it is mined on return.

        A transaction whose nonce is ahead waits for those before it. One that reverts is mined,
        and its `receipt` says so. Raises `TransactionRefused` for one that no block can hold.
        """
        transaction = self._machine.decode(raw)
        transaction_hash = bytes(transaction.hash)
        self._admit(transaction, transaction_hash)
        self._pool.add(transaction_hash, transaction)
        while self.automine and (ready := self._pool.ready(self.nonce)):
            refused = self._seal(ready[:1], keep_empty=False)
            if transaction_hash in refused:
                raise refused[transaction_hash]
        return transaction_hash

    def send(
        self,
        sender: DevAccount | bytes,
        to: bytes | None,
        data: bytes = b"",
        *,
        value: int = 0,
        gas: int | None = None,
        gas_price: int = 0,
    ) -> Receipt:
        """Sign for a dev account, mine at once and return the receipt; `to=None` creates.

        Without `gas` the whole block's is offered, which estimates nothing and costs nothing.
        A revert does not raise: look at `receipt.outcome`. Raises `NotFound` for another account.
        """
        raw = self.sign(sender, to, data, value=value, gas=gas, gas_price=gas_price)
        transaction_hash = self.send_raw(raw)
        if not self.automine:
            self.mine()
        return self.receipt(transaction_hash)

    def sign(
        self,
        sender: DevAccount | bytes,
        to: bytes | None,
        data: bytes = b"",
        *,
        value: int = 0,
        gas: int | None = None,
        gas_price: int = 0,
        nonce: int | None = None,
    ) -> bytes:
        """Sign a legacy transaction for a dev account and return its bytes."""
        address = sender.raw if isinstance(sender, DevAccount) else sender
        key = self._keys.get(address)
        if key is None:
            raise NotFound(f"0x{address.hex()} is no account of this devnet")
        unsigned = LondonTransactionBuilder.create_unsigned_transaction(
            nonce=self.nonce(address, "pending") if nonce is None else nonce,
            gas_price=gas_price,
            gas=self.gas_limit if gas is None else gas,
            to=Address(to or b""),
            value=value,
            data=data,
        )
        return unsigned.as_signed_transaction(key, chain_id=self.chain_id).encode()

    def mine(self, *, timestamp: int | None = None) -> Block:
        """Mine a block of all waiting transactions that fit, or an empty one.

        `timestamp` [unix s] must be later than the head's, else `TransactionRefused`.
        """
        if timestamp is not None:
            self.set_next_timestamp(timestamp)
        chosen: list[bytes] = []
        room = self.gas_limit
        for transaction_hash in self._pool.ready(self.nonce):
            waiting = self._pool.find(transaction_hash)
            if waiting is None or waiting.gas > room:
                break  # a later one of the same sender could not go before it
            chosen.append(transaction_hash)
            room -= waiting.gas
        self._seal(chosen)
        return self.head

    def receipt(self, transaction_hash: bytes) -> Receipt:
        """Return a mined transaction's receipt. Raises `NotFound`."""
        return self._history.receipt(transaction_hash)

    @property
    def has_waiting(self) -> bool:
        """Whether transactions wait for a block."""
        return bool(self._pool)

    def waiting(self, transaction_hash: bytes) -> SignedTransactionAPI | None:
        """Return a transaction that is taken but not mined yet."""
        return self._pool.find(transaction_hash)

    # Reading

    def call(
        self,
        to: bytes | None,
        data: bytes = b"",
        *,
        sender: bytes = ZERO_ADDRESS,
        value: int = 0,
        gas: int | None = None,
        block: Blockish = "latest",
    ) -> bytes:
        """Call without a transaction and return what it returns. Raises `CallFailed`."""
        outcome = self.execute(
            CallMessage(
                sender=sender, to=to or b"", data=data, value=value, gas=gas or self.gas_limit
            ),
            block=block,
        )
        if not outcome.succeeded:
            raise CallFailed(outcome.error, data=outcome.output, reverted=outcome.reverted)
        return outcome.output

    def execute(self, message: CallMessage, *, block: Blockish = "latest") -> Outcome:
        """Execute a message on top of `block`'s state and undo it, whatever it comes to."""
        return self._machine.call(self._view(block), message)

    def estimate_gas(self, message: CallMessage, *, block: Blockish = "latest") -> int:
        """Return gas enough for `message`, at most 1.5 % above the least. Raises `CallFailed`.

        `message.gas` is the most that it may come to.
        """
        state = self._view(block)

        def run(gas: int) -> Outcome:
            return self._machine.call(state, replace(message, gas=gas))

        return estimate(run, message.gas)

    def balance(self, address: bytes, block: Blockish = "latest") -> int:
        """Return an account's coins [wei]."""
        return self._view(block).get_balance(Address(address))

    def nonce(self, address: bytes, block: Blockish = "latest") -> int:
        """Return how many transactions an account has sent; "pending" counts the waiting ones."""
        nonce = self._view("latest" if block == "pending" else block).get_nonce(Address(address))
        if block == "pending":
            waiting = self._pool.nonces(address)
            while nonce in waiting:
                nonce += 1
        return nonce

    def code(self, address: bytes, block: Blockish = "latest") -> bytes:
        """Return a contract's runtime code, empty for an account of a person."""
        return self._view(block).get_code(Address(address))

    def storage(self, address: bytes, slot: int, block: Blockish = "latest") -> int:
        """Return a storage word."""
        return self._view(block).get_storage(Address(address), slot)

    def logs(
        self, wanted: LogFilter | None = None, *, first: int = 0, last: int | None = None
    ) -> Iterator[LogEntry]:
        """Yield logs of the blocks `first` to `last`, both included, in the chain's order."""
        end = self.head.number if last is None else min(last, self.head.number)
        return logs_of(self._history.span(first, end), wanted or LogFilter())

    # Time, snapshots

    def warp(self, *, seconds: int = 0, to: int | None = None) -> int:
        """Move time forward by `seconds`, or to `to` [unix s], mine a block there, return its time.

        Raises `TransactionRefused` for a `to` that is not later than the head.
        """
        if to is None:
            self.advance(seconds)
        return self.mine(timestamp=to).timestamp

    def advance(self, seconds: int) -> int:
        """Make the next block `seconds` later; returns how far time is ahead in all."""
        return self.clock.advance(seconds, self.head.timestamp)

    def set_next_timestamp(self, timestamp: int) -> None:
        """Make `timestamp` [unix s] the next block's; later ones go on from there."""
        if timestamp <= self.head.timestamp:
            raise TransactionRefused(
                f"time {timestamp} is not later than the head's, {self.head.timestamp}",
                next_step="Time only goes forward; to go back, revert to a snapshot.",
            )
        self.clock.set_next(timestamp)

    def snapshot(self) -> int:
        """Remember the chain as it is and return the number to `revert` to."""
        self._snapshots.append(
            _Snapshot(height=self.head.number, clock=self.clock.reading(), pool=self._pool.copy())
        )
        return len(self._snapshots)

    def revert(self, snapshot: int) -> None:
        """Go back to a snapshot, which is used up with all later ones. Raises `NotFound`."""
        if not 1 <= snapshot <= len(self._snapshots):
            raise NotFound(f"no snapshot {snapshot}")
        kept = self._snapshots[snapshot - 1]
        del self._snapshots[snapshot - 1 :]
        self._history.cut(kept.height)
        self._pool = kept.pool
        self._views.clear()
        self.clock.restore(kept.clock)

    # Inside

    def _view(self, block: Blockish) -> LondonState:
        number = self._history.number(block)
        ancestors = self._history.ancestors(number)
        if number > self.head.number:  # pending: never kept, for its time moves on
            header = self._next_header()
            return self._machine.state(header.state_root, header, ancestors)
        if number not in self._views:
            if len(self._views) >= KEPT_VIEWS:
                self._views.clear()
            header = self._history.block(number).header
            self._views[number] = self._machine.state(header.state_root, header, ancestors)
        return self._views[number]

    def _next_header(self) -> LondonBlockHeader:
        head = self.head
        return LondonBlockHeader(
            difficulty=0,
            block_number=BlockNumber(head.number + 1),
            gas_limit=self.gas_limit,
            timestamp=self.time,
            parent_hash=Hash32(head.hash),
            state_root=head.header.state_root,
        )

    def _admit(self, transaction: SignedTransactionAPI, transaction_hash: bytes) -> None:
        if self._history.is_mined(transaction_hash) or transaction_hash in self._pool:
            raise TransactionRefused("already known")
        if transaction.gas > self.gas_limit:
            raise TransactionRefused(
                f"exceeds block gas limit: have {transaction.gas}, limit {self.gas_limit}"
            )
        sender = transaction.sender
        nonce = self.nonce(sender)
        if transaction.nonce < nonce:
            raise TransactionRefused(f"nonce too low: next nonce {nonce}, tx {transaction.nonce}")
        if transaction.nonce in self._pool.nonces(sender):
            raise TransactionRefused(f"nonce {transaction.nonce} is waiting already")
        cost = transaction.value + transaction.gas * transaction.max_fee_per_gas
        balance = self.balance(sender)
        if balance < cost:
            raise TransactionRefused(
                f"insufficient funds for gas * price + value: have {balance}, want {cost}"
            )

    def _seal(
        self, hashes: Sequence[bytes], *, keep_empty: bool = True
    ) -> dict[bytes, TransactionRefused]:
        """Mine a block of waiting transactions; drop and return those that turn out impossible."""
        refused: dict[bytes, TransactionRefused] = {}
        header = self._next_header()
        state = self._machine.state(
            header.state_root, header, self._history.ancestors(header.block_number)
        )
        done: list[tuple[bytes, SignedTransactionAPI, Outcome, ReceiptAPI]] = []
        for transaction_hash in hashes:
            transaction = self._pool.take(transaction_hash)
            try:
                outcome, receipt = self._machine.transact(state, header, transaction)
            except TransactionRefused as error:
                refused[transaction_hash] = error
                continue
            header = _with(header, gas_used=receipt.gas_used, bloom=header.bloom | receipt.bloom)
            done.append((transaction_hash, transaction, outcome, receipt))
        if not done and not keep_empty:
            return refused
        state.persist()
        header = _with(
            header,
            state_root=state.state_root,
            transaction_root=self._machine.trie_root([each for _, each, _, _ in done]),
            receipt_root=self._machine.trie_root([each for _, _, _, each in done]),
        )
        block = Block(header=header, hash=header.hash, receipts=receipts_of(header, done))
        self._history.append(block)
        self._views.clear()
        self.clock.sealed(block.timestamp)
        return refused


def _with(header: LondonBlockHeader, **fields: object) -> LondonBlockHeader:
    return cast(LondonBlockHeader, header.copy(**fields))
