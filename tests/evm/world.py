"""A deployment on an in-process machine, with people in it, for tests and benchmarks."""

from collections.abc import Sequence
from typing import Any

from eth_utils.address import to_checksum_address

from capshare import RULES_VERSION, abi
from capshare.deploy import TOKEN, Founder, Plan, TokenTerms, created_address, steps
from capshare.deployments import CONTRACTS, AddressBook
from capshare.devnet.accounts import dev_accounts
from capshare.parameters import Parameters
from tests.evm.machines import Machine, Outcome, PyEvm, Revm

START = 1_800_000_000  # [unix s]; a multiple of every round length used in tests
ACCOUNTS = dev_accounts(count=200)
DEPLOYER = ACCOUNTS[0].address.lower()
TRADER, COUNCIL, VALIDATOR, ARBITER, AUDITOR, ATTESTOR = 1, 2, 4, 8, 16, 32
TRADE, OPERATE, TREASURY = 1, 2, 4
EUR = TokenTerms(name="Euro", symbol="EUR", decimals=3)


class World:
    """The eight contracts and the token. `founders` are members 1, 2, … from the first second.

    Account `n` of the machine is `ACCOUNTS[n]`; account 0 deploys, then acts for nobody.
    """

    def __init__(
        self,
        machine: Machine,
        parameters: Parameters,
        founders: Sequence[Founder],
        now: int = START,
    ) -> None:
        self.machine = machine
        self.now = now
        self.parameters = parameters
        machine.set_time(now)
        plan = Plan(
            name="world",
            parameters=parameters,
            founders=tuple(founders),
            validators=(ACCOUNTS[1].address,),
            token=EUR,
        )
        self.book = _book(machine, plan)
        self.addresses = {name: a.lower() for name, a in self.book.addresses.items()}
        self.addresses[TOKEN] = self.book.token.lower()
        self.logs: list[Any] = []
        for step in steps(self.book, plan):
            created = machine.create(DEPLOYER, step.data)
            assert created == step.address.lower(), (step.contract, created)
        self.names = {address: name for name, address in self.addresses.items()}

    def send(
        self, sender: str, contract: str, function: str, arguments: Sequence[Any] = ()
    ) -> Outcome:
        """Run a transaction."""
        return self.machine.transact(
            sender, self.addresses[contract], abi.encode_call(contract, function, arguments)
        )

    def do(
        self, sender: str, contract: str, function: str, arguments: Sequence[Any] = ()
    ) -> Outcome:
        """Run a transaction that must succeed."""
        outcome = self.send(sender, contract, function, arguments)
        assert outcome.ok, (contract, function, error_of(outcome))
        return outcome

    def view(self, contract: str, function: str, arguments: Sequence[Any] = ()) -> Any:
        """Return what a view returns, decoded."""
        data = abi.encode_call(contract, function, arguments)
        return abi.decode_result(
            contract, function, self.machine.call(self.addresses[contract], data)
        )

    def warp(self, to: int) -> None:
        """Let the next transactions run at `to` [unix s]."""
        self.now = to
        self.machine.set_time(to)

    def fund(self, member: int, account: str, amount: int) -> None:
        """Mint tokens for an account and deposit them for its member."""
        self.do(DEPLOYER, TOKEN, "mint", (account, amount))
        self.do(account, TOKEN, "approve", (self.addresses["Vault"], amount))
        self.do(account, "Vault", "deposit", (member, amount))


def revm_world(parameters: Parameters, founders: Sequence[Founder]) -> World:
    """Return a world on revm: fast, no gas figures."""
    machine = Revm(tuple(a.address.lower() for a in ACCOUNTS))
    return World(machine, parameters, founders)


def pyevm_world(parameters: Parameters, founders: Sequence[Founder]) -> World:
    """Return a world on py-evm: exact gas, about 8 million a second."""
    machine = PyEvm(tuple(a.address.lower() for a in ACCOUNTS), START - 1_000)
    return World(machine, parameters, founders)


def founder(number: int, roles: int, *, group: int = 0) -> Founder:
    """Return the founder that will be member `number`, acting from account `number`."""
    return Founder(
        account=account_of(number),
        identity=number.to_bytes(32, "big"),
        name=f"Member {number}",
        roles=roles,
        group=group,
    )


def account_of(number: int) -> str:
    """Return member `number`'s account; beyond ACCOUNTS it has no key: only on revm it can act."""
    if number < len(ACCOUNTS):
        return ACCOUNTS[number].address
    return to_checksum_address(number.to_bytes(20, "big"))


def error_of(outcome: Outcome) -> abi.ContractError | bytes:
    """Return the decoded error of a reverted transaction."""
    return abi.decode_error(outcome.data) or outcome.data


def _book(machine: Machine, plan: Plan) -> AddressBook:
    first = 0
    return AddressBook(
        name=plan.name,
        chain_id=machine.chain_id,
        genesis_hash="0x" + "00" * 32,
        rules_version=RULES_VERSION,
        artifact_checksum="",
        deployer=ACCOUNTS[0].address,
        first_nonce=first,
        token=created_address(DEPLOYER, first),
        token_symbol=EUR.symbol,
        token_decimals=EUR.decimals,
        start_block=0,
        parameters=plan.parameters.to_dict(),
        founders=tuple(
            {
                "account": f.account,
                "identity": "0x" + f.identity.hex(),
                "encryption_key": "0x" + f.encryption_key.hex(),
                "key_valid_until": f.key_valid_until,
                "group": f.group,
                "roles": f.roles,
                "name": f.name,
                "region": f.region,
                "industry": f.industry,
            }
            for f in plan.founders
        ),
        validators=plan.validators,
        addresses={c: created_address(DEPLOYER, first + 1 + i) for i, c in enumerate(CONTRACTS)},
    )
