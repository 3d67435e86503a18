"""One London state machine over py-evm: transactions and calls in, outcomes out.

It sits on py-evm's state and computation classes and leaves its chain classes out: those validate
and store every block several times, and lose the data of a revert on the way.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from eth.abc import ComputationAPI, ReceiptAPI, SignedTransactionAPI
from eth.constants import BLANK_ROOT_HASH, CREATE_CONTRACT_ADDRESS
from eth.db.atomic import AtomicDB
from eth.db.backends.memory import MemoryDB
from eth.db.trie import make_trie_root_and_nodes
from eth.exceptions import PyEVMError, Revert, VMError
from eth.vm.execution_context import ExecutionContext
from eth.vm.forks.berlin.transactions import calculate_txn_intrinsic_gas_berlin
from eth.vm.forks.frontier.transaction_context import FrontierTransactionContext
from eth.vm.forks.london import LondonVM
from eth.vm.forks.london.blocks import LondonBlockHeader
from eth.vm.forks.london.state import LondonState
from eth.vm.forks.london.transactions import LondonTransactionBuilder
from eth.vm.message import Message
from eth_hash.auto import keccak
from eth_keys.exceptions import BadSignature
from eth_typing import Address, BlockNumber, Hash32
from eth_utils.exceptions import ValidationError
from rlp import encode as rlp_encode
from rlp.exceptions import RLPException

from capshare.devnet.interpreter import FastComputation
from capshare.errors import CapshareError

RawLog = tuple[bytes, tuple[bytes, ...], bytes]  # emitting contract, topics, data


class TransactionRefused(CapshareError):
    """Report a transaction that no block can hold; it costs nothing and leaves no trace."""


class CallFailed(CapshareError):
    """Report a call that did not succeed: `data` is the revert's, `reverted` tells it from others.

    Out of gas, a bad jump or an invalid opcode leave no data and `reverted` false.
    """

    def __init__(self, message: str, *, data: bytes = b"", reverted: bool) -> None:
        super().__init__(message)
        self.data = data
        self.reverted = reverted


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What executing one message left behind, successful or not."""

    succeeded: bool
    output: bytes  #            returned data, or the data of the revert
    error: str  #               why it failed, empty when it succeeded
    reverted: bool  #           failed by REVERT, so `output` is the contract's own error
    gas_used: int  #            of the whole transaction, after refunds
    gas_refunded: int  #        what refunds took off: gas_used + gas_refunded is "before refunds"
    logs: tuple[RawLog, ...]
    created: bytes | None  #    address of the contract that it created


class LondonCode(LondonState):
    """London state whose code runs in `FastComputation`, with the same results."""

    computation_class = FastComputation


@dataclass(frozen=True, slots=True, kw_only=True)
class CallMessage:
    """A message that nobody signed, for calls and estimates; it pays no gas."""

    sender: bytes
    to: bytes  #      empty: create a contract from `data`
    data: bytes
    value: int  #     wei
    gas: int
    gas_price: int = 0  # what GASPRICE answers
    access_list: tuple[tuple[Address, tuple[int, ...]], ...] = ()


class Machine:
    """Execute London transactions on a state database that keeps every root ever written.

    `fast` chooses this package's loop; without it py-evm's own runs, the one it is tested against.
    """

    def __init__(self, *, chain_id: int, fast: bool = True) -> None:
        self.chain_id = chain_id
        self.database = AtomicDB(MemoryDB())
        self._state_class = LondonCode if fast else LondonState

    def genesis_root(self, balances: Mapping[bytes, int]) -> bytes:
        """Write the first state, which holds only `balances` [wei], and return its root."""
        header = LondonBlockHeader(
            difficulty=0, block_number=BlockNumber(0), gas_limit=0, timestamp=0
        )
        state = self.state(BLANK_ROOT_HASH, header, ())
        for address, balance in balances.items():
            state.set_balance(Address(address), balance)
        state.persist()
        return state.state_root

    def state(
        self, root: bytes, header: LondonBlockHeader, ancestors: Iterable[bytes]
    ) -> LondonState:
        """Open the state at `root` for code that runs in the block of `header`.

        `ancestors` are the hashes of the blocks before it, nearest first.
        """
        context = ExecutionContext(
            coinbase=header.coinbase,
            timestamp=header.timestamp,
            block_number=header.block_number,
            difficulty=header.difficulty,
            mix_hash=header.mix_hash,
            gas_limit=header.gas_limit,
            prev_hashes=cast(Iterable[Hash32], ancestors),
            chain_id=self.chain_id,
            base_fee_per_gas=header.base_fee_per_gas,
        )
        return self._state_class(self.database, context, Hash32(root))

    def decode(self, raw: bytes) -> SignedTransactionAPI:
        """Decode a signed transaction for this chain and recover its sender.

        Raises `TransactionRefused` for bytes that are none, a bad signature, another chain's
        transaction, or one without replay protection.
        """
        try:
            transaction = LondonTransactionBuilder.decode(raw)
            sender = transaction.sender
        except (RLPException, ValidationError, BadSignature, PyEVMError, ValueError) as error:
            raise TransactionRefused(f"invalid transaction: {error}") from error
        if transaction.chain_id != self.chain_id:
            raise TransactionRefused(
                f"invalid chain id for signer: have {transaction.chain_id} want {self.chain_id}",
                next_step="Sign for this chain's id (EIP-155).",
            )
        if transaction.gas < transaction.intrinsic_gas:
            raise TransactionRefused(
                f"intrinsic gas too low: have {transaction.gas}, want {transaction.intrinsic_gas},"
                f" sender 0x{sender.hex()}"
            )
        return transaction

    def transact(
        self, state: LondonState, header: LondonBlockHeader, transaction: SignedTransactionAPI
    ) -> tuple[Outcome, ReceiptAPI]:
        """Execute a transaction in the block of `header`, whose `gas_used` counts those before it.

        Raises `TransactionRefused` where London rules allow no block to hold it.
        """
        state.lock_changes()
        try:
            computation = state.apply_transaction(transaction)
        except ValidationError as error:
            raise TransactionRefused(str(error)) from error
        receipt = LondonVM.make_receipt(header, transaction, computation, state)
        gas_used = receipt.gas_used - header.gas_used
        before_refunds = transaction.gas - computation.get_gas_remaining()
        return _outcome(computation, gas_used, before_refunds - gas_used), receipt

    def call(self, state: LondonState, message: CallMessage) -> Outcome:
        """Execute a message and undo it; `state` stays as it was and keeps its read caches."""
        snapshot = state.snapshot()
        try:
            return self._execute(state, message)
        finally:
            state.revert(snapshot)
            state.lock_changes()

    def _execute(self, state: LondonState, message: CallMessage) -> Outcome:
        is_create = message.to == CREATE_CONTRACT_ADDRESS
        intrinsic = calculate_txn_intrinsic_gas_berlin(_Priced(message))  # type: ignore[arg-type]
        if message.gas < intrinsic:
            raise CallFailed(
                f"intrinsic gas too low: have {message.gas}, want {intrinsic}", reverted=False
            )
        if message.value > state.get_balance(Address(message.sender)):
            raise CallFailed("insufficient funds for transfer", reverted=False)
        sender = Address(message.sender)
        created = None
        if is_create:
            nonce = state.get_nonce(sender)
            created = Address(keccak(rlp_encode([message.sender, nonce]))[12:])
        evm_message = Message(
            gas=message.gas - intrinsic,
            to=Address(message.to),
            sender=sender,
            value=message.value,
            data=b"" if is_create else message.data,
            code=message.data if is_create else state.get_code(Address(message.to)),
            create_address=created,  # type: ignore[arg-type]  # its None is implicit there
        )
        state.mark_address_warm(sender)
        state.mark_address_warm(evm_message.storage_address)
        for address, slots in message.access_list:
            state.mark_address_warm(address)
            for slot in slots:
                state.mark_storage_warm(address, slot)
        state.increment_nonce(sender)
        context = FrontierTransactionContext(gas_price=message.gas_price, origin=sender)
        run = (
            state.computation_class.apply_create_message
            if is_create
            else state.computation_class.apply_message
        )
        computation = run(state, evm_message, context)
        spent = message.gas - computation.get_gas_remaining()
        refund = LondonVM.calculate_net_gas_refund(spent, computation.get_gas_refund())
        return _outcome(computation, spent - refund, refund)

    def trie_root(self, items: Iterable[SignedTransactionAPI | ReceiptAPI]) -> bytes:
        """Return the root of the trie that a header commits to its transactions or receipts by."""
        return make_trie_root_and_nodes(tuple(items))[0]  # type: ignore[arg-type]


class _Priced:
    """A `CallMessage` with the attributes by which py-evm prices a transaction's bytes."""

    def __init__(self, message: CallMessage) -> None:
        self.data = message.data
        self.to = message.to
        self.access_list = message.access_list


def _outcome(computation: ComputationAPI, gas_used: int, gas_refunded: int) -> Outcome:
    error = None if computation.is_success else computation.error
    created = computation.msg.storage_address if computation.msg.is_create else None
    return Outcome(
        succeeded=error is None,
        output=bytes(computation.output),
        error="" if error is None else _reason(error),
        reverted=isinstance(error, Revert),
        gas_used=gas_used,
        gas_refunded=gas_refunded,
        logs=tuple(
            (bytes(address), tuple(topic.to_bytes(32, "big") for topic in topics), bytes(data))
            for address, topics, data in computation.get_log_entries()
        ),
        created=created if error is None else None,
    )


def _reason(error: VMError) -> str:
    if isinstance(error, Revert):
        return "execution reverted"
    name = type(error).__name__
    return "".join(f" {each.lower()}" if each.isupper() else each for each in name).strip()


def _prefer_fast_keccak() -> None:
    """Make eth-hash use pysha3 where it is installed: five times faster than its first choice."""
    try:
        from eth_hash.backends import pysha3
    except ImportError:
        return
    keccak.hasher = pysha3.backend.keccak256  # type: ignore[assignment]


_prefer_fast_keccak()
