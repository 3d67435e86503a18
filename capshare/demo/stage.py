"""The stage: an in-process chain with the contracts on it, the keys, and the log as it grows.

Commands go in as the ledger's values; every log that comes out is folded at once, so the players
read the market's state from the twin. `capshare.replay` later compares it with the chain.
"""

import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from capshare import abi
from capshare.deploy import Founder, Plan, Step, TokenTerms, deploy
from capshare.deployments import CONTRACTS, AddressBook
from capshare.devnet.accounts import DevAccount
from capshare.devnet.blocks import LogEntry, Receipt
from capshare.devnet.embedded import EmbeddedChain
from capshare.errors import CapshareError, RuleRefused
from capshare.events import Event, decode
from capshare.keys import LocalSigner
from capshare.ledger import calldata
from capshare.ledger.commands import Command
from capshare.ledger.core import apply
from capshare.ledger.state import State
from capshare.parameters import Parameters
from capshare.replay import deployment_of, raw

TOKEN: Final = TokenTerms(name="Euro (demo)", symbol="EUR", decimals=3)
_DEPLOYMENT: Final = "demo"


@dataclass(slots=True)
class Spent:
    """Gas of the transactions of one function, before refunds."""

    transactions: int = 0
    gas: int = 0
    most: int = 0

    def add(self, gas: int) -> None:
        """Count one transaction."""
        self.transactions += 1
        self.gas += gas
        self.most = max(self.most, gas)


@dataclass(slots=True)
class Stage:
    """One deployment on one chain, and what its log says so far."""

    chain: EmbeddedChain
    book: AddressBook
    state: State
    deployer: DevAccount
    spent: dict[str, Spent] = field(default_factory=dict)  # by contract and function
    on_event: Callable[[Event], None] = lambda event: None
    _contracts: dict[bytes, str] = field(default_factory=dict)

    @property
    def now(self) -> int:
        """The time of the next block [unix s]."""
        return self.chain.time

    def wait_until(self, moment: int) -> None:
        """Let the next block be of `moment` [unix s], or of right now if that has passed."""
        if moment > self.chain.time:
            self.chain.set_next_timestamp(moment)

    def do(self, sender: DevAccount, command: Command) -> Receipt:
        """Send a command in a transaction of its own and fold its logs.

        Raise RuleRefused with the contract's error if it reverts.
        """
        contract, function = command.CONTRACT, command.FUNCTION
        return self._send(sender, contract, function, calldata.encode(command))

    def call_token(self, sender: DevAccount, function: str, arguments: Iterable[Any]) -> Receipt:
        """Send a call of the settlement token."""
        data = abi.encode_call("SettlementToken", function, tuple(arguments))
        return self._send(sender, "SettlementToken", function, data)

    def view(self, contract: str, function: str, *arguments: Any) -> Any:
        """Return what a view of a contract returns now."""
        address = self.book.token if contract == "SettlementToken" else self.book.address(contract)
        data = self.chain.call(raw(address), abi.encode_call(contract, function, arguments))
        return abi.decode_result(contract, function, data)

    def fold(self, logs: Iterable[LogEntry], now: int) -> None:
        """Apply the deployment's logs to the state; those of the token are passed over."""
        for log in logs:
            contract = self._contracts.get(log.address)
            if contract is not None:
                event = decode(contract, log.topics, log.data)
                apply(self.state, event, now)
                self.on_event(event)

    def _send(self, sender: DevAccount, contract: str, function: str, data: bytes) -> Receipt:
        address = self.book.token if contract == "SettlementToken" else self.book.address(contract)
        receipt = self.chain.send(sender, raw(address), data)
        if not receipt.succeeded:
            raise _refusal(contract, function, receipt)
        self.spent.setdefault(f"{contract}.{function}", Spent()).add(receipt.gas_before_refunds)
        self.fold(receipt.logs, receipt.timestamp)
        return receipt


def set_up(
    *,
    genesis_time: int,
    accounts: tuple[DevAccount, ...],
    parameters: Parameters,
    founders: tuple[Founder, ...],
    validators: tuple[str, ...],
    on_step: Callable[[Step], None],
) -> Stage:
    """Start a chain and deploy the contracts on it; the first account deploys.

    Deployment is the one that `capshare deploy` makes, its verification included.
    """
    from capshare.chain import Chain  # brings web3
    from capshare.devnet.provider import EmbeddedProvider

    chain = EmbeddedChain(genesis_time=genesis_time, accounts=accounts)
    deployer = accounts[0]
    plan = Plan(
        name=_DEPLOYMENT,
        parameters=parameters,
        founders=founders,
        validators=validators,
        token=TOKEN,
    )
    with tempfile.TemporaryDirectory() as folder:
        book = deploy(
            Chain(EmbeddedProvider(chain)),
            LocalSigner(deployer.key),
            plan,
            Path(folder) / f"{_DEPLOYMENT}.json",
            on_step,
        )
    stage = Stage(chain=chain, book=book, state=State(deployment_of(book)), deployer=deployer)
    stage._contracts = {raw(book.address(name)): name for name in CONTRACTS}
    for number in range(chain.head.number + 1):
        block = chain.block(number)
        for receipt in block.receipts:
            stage.fold(receipt.logs, block.timestamp)
    return stage


def _refusal(contract: str, function: str, receipt: Receipt) -> CapshareError:
    error = abi.decode_error(receipt.outcome.output)
    if error is None:
        return CapshareError(f"{contract}.{function} failed: {receipt.outcome.error}")
    return RuleRefused(
        f"{contract}.{function}: {error}", name=error.name, values=tuple(error.values.values())
    )
