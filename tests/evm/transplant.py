"""A world moved from revm to py-evm, so that exact gas does not need its history run again.

The ledger folds the world's log into every storage word of the contracts and the code of every
batch; py-evm begins with them. Should a word be missing or wrong, the clearing that is measured
would do something else there: `measured` requires the same outcome and logs on both machines.
"""

from eth.vm.forks.london.blocks import LondonBlockHeader
from eth.vm.forks.london.state import LondonState
from eth.vm.forks.london.transactions import LondonTransactionBuilder
from eth_keys.datatypes import PrivateKey
from eth_typing import Address, BlockNumber

from capshare import artifacts
from capshare.deployments import CONTRACTS
from capshare.devnet.accounts import BALANCE
from capshare.devnet.evm import Machine
from capshare.events import decode
from capshare.ledger import storage
from capshare.ledger.core import apply
from capshare.ledger.state import State
from capshare.replay import deployment_of
from tests.evm.machines import GAS, Log, Outcome, Revm
from tests.evm.world import ACCOUNTS, World

SENDER = ACCOUNTS[0]


def measured(world: World, contract: str, data: bytes, machine: Machine | None = None) -> Outcome:
    """Run a transaction, by nobody in particular, on both machines; return py-evm's outcome."""
    assert isinstance(world.machine, Revm)
    machine = machine or Machine(chain_id=world.machine.chain_id)
    exact = _run(machine, world, contract, data)
    quick = world.machine.transact(SENDER.address, world.addresses[contract], data)
    assert (exact.ok, exact.data, exact.logs) == (quick.ok, quick.data, quick.logs)
    return exact


def state_of(world: World) -> State:
    """Fold the world's log."""
    assert isinstance(world.machine, Revm)
    state = State(deployment_of(world.book))
    for now, log in world.machine.logs:
        name = world.names[log.address]
        if name in CONTRACTS:
            apply(state, decode(name, log.topics, log.data), now)
    return state


def _run(machine: Machine, world: World, contract: str, data: bytes) -> Outcome:
    header = LondonBlockHeader(
        difficulty=0,
        block_number=BlockNumber(1),
        gas_limit=GAS,
        timestamp=world.now,
        base_fee_per_gas=0,
    )
    state = machine.state(machine.genesis_root({SENDER.raw: BALANCE}), header, ())
    _write(state, world)
    transaction = LondonTransactionBuilder.create_unsigned_transaction(
        nonce=0,
        gas_price=0,
        gas=GAS,
        to=Address(_raw(world.addresses[contract])),
        value=0,
        data=data,
    ).as_signed_transaction(PrivateKey(SENDER.key), chain_id=machine.chain_id)
    outcome, receipt = machine.transact(state, header, machine.decode(transaction.encode()))
    return Outcome(
        ok=outcome.succeeded,
        data=outcome.output,
        gas=outcome.gas_used + outcome.gas_refunded,
        logs=tuple(
            Log(address="0x" + entry.address.hex(), topics=_topics(entry.topics), data=entry.data)
            for entry in receipt.logs
        ),
    )


def _write(state: LondonState, world: World) -> None:
    """Write the world's contracts: as if an earlier transaction of the same block had done it.

    That needs no hash of the state, and `Machine.transact` begins by fixing what was there before.
    """
    folded = state_of(world)
    for contract, words in storage.storage_words(folded).items():
        address = Address(_raw(world.addresses[contract]))
        size = artifacts.load(contract).runtime_size
        state.set_code(address, world.machine.code(world.addresses[contract])[:size])
        state.set_nonce(address, 1)
        for slot, word in words.items():
            state.set_storage(address, slot, word)
    state.set_nonce(Address(_raw(world.addresses["CapacityBook"])), folded.batch_count + 1)
    for batch in range(1, folded.batch_count + 1):
        pointer = world.view("CapacityBook", "pointerOf", (batch,))
        state.set_code(Address(_raw(pointer)), storage.batch_code(folded, batch))
        state.set_nonce(Address(_raw(pointer)), 1)


def _topics(topics: tuple[int, ...]) -> tuple[bytes, ...]:
    return tuple(topic.to_bytes(32, "big") for topic in topics)


def _raw(address: str) -> bytes:
    return bytes.fromhex(address.removeprefix("0x"))
