"""Whole deployments, people by role, and factories for contract tests.

`market` is the system as it is deployed. On `stage` two accounts, `book` and `clearing`, play the
capacity book and the clearing, so that a test can lock money and commit deals as it pleases; every
other contract is real.
"""

from __future__ import annotations

from ast import literal_eval
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import ape
import pytest
from ape.exceptions import CustomError
from eth_abi import encode
from eth_account.messages import encode_typed_data
from eth_utils import keccak

from capshare import parameters
from capshare.deploy import created_address
from tests.contract.floor import Floor, open_floor

ZERO = "0x" + "00" * 20
DECIMALS = 3
PARAMETERS = parameters.load("pilot", DECIMALS).parameters
CONTRACTS = (
    "Council",
    "MemberRegistry",
    "AssetRegistry",
    "CapacityBook",
    "Clearing",
    "Deals",
    "Vault",
    "CreditLedger",
)
TRADER, COUNCIL, VALIDATOR, ARBITER, AUDITOR, ATTESTOR = 1, 2, 4, 8, 16, 32
TRADE, OPERATE, TREASURY = 1, 2, 4
FUNDS = 10**12  # what each trader has in the vault [base units]

# Members by id, in the order of admission: name, roles. Accounts follow the same order.
MEMBERS = (
    ("councillor", COUNCIL | VALIDATOR),
    ("second_councillor", COUNCIL),
    ("third_councillor", COUNCIL | AUDITOR),
    ("provider", TRADER),
    ("consumer", TRADER),
    ("arbiter", ARBITER),
    ("other_arbiter", ARBITER),
    ("suspended_member", TRADER | COUNCIL | ARBITER),
    ("attestor", ATTESTOR),
)
PROVIDER, CONSUMER = 4, 5
CLASS_CODE, SLOT_LENGTH, GATE_LEAD, REFERENCE, CAPACITY = 7_001, 120, 10, 50, 1_000
CLASS = (CLASS_CODE, SLOT_LENGTH, GATE_LEAD, REFERENCE, 1, 7, 1_000, False, 0b11, b"\x01" * 32)


@pytest.fixture(scope="session")
def people(accounts: Any) -> dict[str, Any]:
    """Accounts by role; `operator`, `treasurer`, `trader` are the provider's keys."""
    names = [name for name, _ in MEMBERS]
    names += ["operator", "treasurer", "trader", "outsider", "book", "clearing", "deployer"]
    people = {name: accounts[i] for i, name in enumerate(names[: len(accounts)])}
    for name in names[len(accounts) :]:
        people[name] = accounts.generate_test_account()
        accounts[0].transfer(people[name], "1000 ether")
    return people


@pytest.fixture(scope="session")
def councillor(people: dict[str, Any]) -> Any:
    return people["councillor"]


@pytest.fixture(scope="session")
def provider(people: dict[str, Any]) -> Any:
    return people["provider"]


@pytest.fixture(scope="session")
def consumer(people: dict[str, Any]) -> Any:
    return people["consumer"]


@pytest.fixture(scope="session")
def arbiter(people: dict[str, Any]) -> Any:
    return people["arbiter"]


@pytest.fixture(scope="session")
def operator(people: dict[str, Any]) -> Any:
    return people["operator"]


@pytest.fixture(scope="session")
def outsider(people: dict[str, Any]) -> Any:
    return people["outsider"]


@pytest.fixture(scope="session")
def suspended_member(people: dict[str, Any]) -> Any:
    return people["suspended_member"]


def member_id(name: str) -> int:
    """Return the id that a member of MEMBERS has in every deployment."""
    return [n for n, _ in MEMBERS].index(name) + 1


@dataclass(frozen=True)
class Deal:
    """A committed deal and what a test computes with."""

    terms: tuple[int, int, int]
    proof: tuple[bytes, ...]
    id: int
    asset: int
    slot: int
    quantity: int
    price: int
    bond: int  # per unit
    offer: int
    request: int

    @property
    def reference(self) -> tuple[Any, Any]:
        """What every verb of {Deals} takes."""
        return (self.terms, self.proof)

    @property
    def end(self) -> int:
        return (self.slot + 1) * SLOT_LENGTH

    @property
    def gate(self) -> int:
        return self.slot * SLOT_LENGTH - GATE_LEAD


@dataclass
class System:
    """One deployment, with helpers that do what the tests need again and again."""

    people: dict[str, Any]
    chain: Any
    contracts: dict[str, Any] = field(default_factory=dict)
    asset: int = 0
    round: int = 1

    def __getattr__(self, name: str) -> Any:
        try:
            return self.contracts[name]
        except KeyError:
            raise AttributeError(name) from None

    def propose(
        self, *calls: tuple[Any, bytes], votes: int = 2
    ) -> tuple[int, list[tuple[str, bytes]]]:
        """Propose calls, supported by `votes` seats; return the number and the calls."""
        listed = [(target.address, data) for target, data in calls]
        self.council.propose(listed, "because", sender=self.people["councillor"])
        number = self.council.proposalCount()
        seats = [self.members.accountOf(m) for m in self.members.council()]
        voters = [p for p in self.people.values() if p.address in seats][1:]
        for voter in voters[: votes - 1]:
            self.council.vote(number, True, sender=voter)
        return number, listed

    def govern(self, method: Any, *arguments: Any) -> Any:
        """Let the council call a method; return the receipt."""
        number, calls = self.propose((method.contract, method.encode_input(*arguments)), votes=9)
        return self.council.execute(number, calls, sender=self.people["outsider"])

    def event(self, contract: str, name: str, /, **values: Any) -> tuple[str, str, Any]:
        """Return an event as `emitted` does; all its values must be named."""
        emitter = self.contracts[contract]
        (abi,) = [e for e in emitter.contract_type.events if e.name == name]
        assert {i.name for i in abi.inputs} == set(values), f"name the values of {abi.selector}"
        return emitter.address, name, {k: plain(v) for k, v in values.items()}

    def emitted(self, receipt: Any) -> list[tuple[str, str, Any]]:
        """Return all events of a transaction, in order: emitter, name, values."""
        return [
            (
                log.contract_address,
                log.event_name,
                {k: plain(v) for k, v in log.event_arguments.items()},
            )
            for log in receipt.events
        ]

    def at(self, time: int) -> None:
        """Give the next block this time [unix s]."""
        self.chain.pending_timestamp = time

    def now(self) -> int:
        """Return the newest block's time [unix s]."""
        return int(self.chain.blocks.head.timestamp)

    def progress(self, deal: Deal) -> tuple[int, int, int, int, int]:
        """Return a deal's state, reported, accepted, deadline and arbiter."""
        found = self.deals.progressOf(deal.id)
        return (found.state, found.reported, found.accepted, found.deadline, found.arbiter)

    def balances(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return free and locked of the provider and of the consumer."""
        return tuple(
            (b.free, b.locked)
            for b in (self.vault.balanceOf(member_id(n)) for n in ("provider", "consumer"))
        )

    def open_deals(self, *quantities: int, **terms: int) -> list[Deal]:
        """Commit deals between provider and consumer with all that stands behind them."""
        deals = [self.make_deal(index=i, quantity=q, **terms) for i, q in enumerate(quantities)]
        root, proofs = merkle([leaf(d.terms) for d in deals])
        deals = [replace(d, proof=p) for d, p in zip(deals, proofs, strict=True)]
        book, provider, consumer = (
            self.people["book"],
            member_id("provider"),
            member_id("consumer"),
        )
        orders = b"".join(
            (d.asset << 200 | d.quantity << 168 | d.price << 96 | d.slot << 72).to_bytes(28, "big")
            for d in deals
        )
        self.assets.reserve(provider, 1, SLOT_LENGTH, orders, sender=book)
        value = sum(d.quantity for d in deals) * REFERENCE
        self.credit.open(provider, 0, value, sender=book)
        self.vault.lock(provider, sum(d.quantity * d.bond for d in deals), sender=book)
        self.vault.lock(consumer, sum(d.quantity * d.price for d in deals), sender=book)
        self.deals.commit(1, self.round, root, sender=self.people["clearing"])
        self.round += 1
        return deals

    def make_deal(
        self,
        *,
        index: int = 0,
        quantity: int = 10,
        price: int = 101,
        bond: int = 31,
        slot: int = 0,
        offer: int = 64,
        request: int = 128,
        provider: int = PROVIDER,
        consumer: int = CONSUMER,
    ) -> Deal:
        """Return a deal's terms; without a slot it is the first whose gate is ten minutes off."""
        slot = slot or (self.now() + 600 + GATE_LEAD) // SLOT_LENGTH + 1
        number = 1 << 48 | self.round << 16 | index
        asset = self.asset
        word0 = (
            number << 196
            | provider << 172
            | consumer << 148
            | asset << 124
            | slot << 100
            | quantity << 68
        )
        words = (word0, price << 184 | bond << 112, offer + index << 216 | request + index << 176)
        return Deal(
            words, (), number, asset, slot, quantity, price, bond, offer + index, request + index
        )

    def deliver(self, *deals: Deal, reported: int | None = None, time: int = 0) -> Any:
        """Report deliveries by the provider's account at the slot's end; in full by default."""
        self.at(time or deals[0].end)
        quantities = [d.quantity if reported is None else reported for d in deals]
        return self.deals.deliver(
            [d.reference for d in deals],
            quantities,
            [b"\x0e" * 32] * len(deals),
            sender=self.people["provider"],
        )

    def accept(self, *deals: Deal, accepted: int | None = None, time: int = 0) -> Any:
        """Accept by the consumer's account; in full by default."""
        if time:
            self.at(time)
        quantities = [d.quantity if accepted is None else accepted for d in deals]
        return self.deals.accept(
            [d.reference for d in deals],
            quantities,
            [b"\x0f" * 32] * len(deals),
            sender=self.people["consumer"],
        )

    def dispute(self, *deals: Deal, time: int = 0) -> Any:
        """Dispute by the provider's account."""
        if time:
            self.at(time)
        return self.deals.dispute(
            [d.reference for d in deals],
            [b"\x0d" * 32] * len(deals),
            sender=self.people["provider"],
        )

    def consent(self, deal: Deal, /, *, by: str, **changes: int) -> bytes:
        """Sign a deal away as it stands, or as changed."""
        state, reported, accepted, _, _ = self.progress(deal)
        message = {
            "deal": deal.id,
            "state": state,
            "reported": reported,
            "accepted": accepted,
            "deadline": 2**40 - 1,
        } | {k: v for k, v in changes.items() if k != "chain"}
        typed = encode_typed_data(
            domain_data={
                "name": "capshare",
                "version": "1",
                "chainId": changes.get("chain", self.chain.chain_id),
                "verifyingContract": self.deals.address,
            },
            message_types={
                "Consent": [
                    {"name": "deal", "type": "uint64"},
                    {"name": "state", "type": "uint8"},
                    {"name": "reported", "type": "uint32"},
                    {"name": "accepted", "type": "uint32"},
                    {"name": "deadline", "type": "uint40"},
                ]
            },
            message_data=message,
        )
        return self.people[by].sign_message(typed).encode_rsv()


def plain(value: Any) -> Any:
    """Return a value of an event in one form: lower-case hexadecimal, tuples, integers."""
    value = getattr(value, "address", value)
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, str):
        return value.lower() if value.startswith("0x") else value
    return tuple(plain(v) for v in value) if isinstance(value, list | tuple) else value


def leaf(terms: tuple[int, int, int]) -> bytes:
    return keccak(b"".join(word.to_bytes(32, "big") for word in terms))


def merkle(leaves: list[bytes]) -> tuple[bytes, list[tuple[bytes, ...]]]:
    """Return root and proofs of a tree of sorted pairs; an odd node moves up."""
    proofs: list[tuple[bytes, ...]] = [() for _ in leaves]
    level = [(node, [i]) for i, node in enumerate(leaves)]
    while len(level) > 1:
        above = []
        for left, right in zip(level[::2], level[1::2], strict=False):
            for mine, other in ((left, right), (right, left)):
                for i in mine[1]:
                    proofs[i] += (other[0],)
            above.append((keccak(b"".join(sorted((left[0], right[0])))), left[1] + right[1]))
        if len(level) % 2:
            above.append(level[-1])
        level = above
    return level[0][0], proofs


def admission(account: Any, **changes: Any) -> tuple[Any, ...]:
    """Return an admission of an account, with the fields under test changed."""
    fields = {
        "account": account,
        "identity": keccak(text=str(account)),
        "encryptionKey": b"\x00" * 32,
        "keyValidUntil": 0,
        "group": 0,
        "roles": TRADER,
        "name": "宁德精工有限公司",
        "region": "350900",
        "industry": "C3484",
    }
    return tuple((fields | changes).values())


def deploy(
    project: Any,
    people: dict[str, Any],
    *,
    played: tuple[str, ...] = (),
    token: Any = None,
    founders: list[tuple[Any, ...]] | None = None,
    validators: list[str] | None = None,
) -> dict[str, Any]:
    """Deploy all contracts but those that accounts play, at addresses that know each other."""
    deployer = people["deployer"]
    token = token or deployer.deploy(project.SettlementToken, "Euro (devnet)", "EUR", DECIMALS)
    addresses, nonce = {}, deployer.nonce
    for name in CONTRACTS:
        if name in played:
            addresses[name] = people["book" if name == "CapacityBook" else "clearing"].address
        else:
            addresses[name] = created_address(deployer.address, nonce)
            nonce += 1
    if founders is None:
        founders = [admission(people[name].address, roles=roles) for name, roles in MEMBERS]
    if validators is None:
        validators = [people["councillor"].address]
    common = ((*addresses.values(), token.address), PARAMETERS.to_abi())
    short = ("council", "members", "assets", "book", "clearing", "deals", "vault", "credit")
    contracts = {"token": token}
    for name, key in zip(CONTRACTS, short, strict=True):
        if name in played:
            continue
        more = (founders, validators) if name == "MemberRegistry" else ()
        contracts[key] = deployer.deploy(getattr(project, name), *common, *more)
        assert contracts[key].address == addresses[name]
    return contracts


def furnish(system: System) -> System:
    """Suspend the suspended member, set the provider's keys, list a class, fund the traders."""
    people = system.people
    system.govern(system.members.suspend, member_id("suspended_member"))
    system.govern(system.assets.listClass, CLASS, "five-axis milling", "HUR")
    for name, scope in (("operator", OPERATE), ("treasurer", TREASURY), ("trader", TRADE)):
        system.members.setSigner(people[name], scope, 1_000, sender=people["provider"])
    for name in ("provider", "consumer"):
        system.token.mint(people[name], 2 * FUNDS, sender=people["deployer"])
        system.token.approve(system.vault, 2 * FUNDS, sender=people[name])
        system.vault.deposit(member_id(name), FUNDS, sender=people[name])
    system.assets.registerAsset(
        member_id("provider"), CLASS_CODE, CAPACITY, b"\xa5" * 32, sender=people["provider"]
    )
    system.asset = system.assets.assetCount()
    return system


@pytest.fixture(scope="session")
def stage_contracts(project: Any, people: dict[str, Any], chain: Any) -> System:
    contracts = deploy(project, people, played=("CapacityBook", "Clearing"))
    return furnish(System(people, chain, contracts))


@pytest.fixture
def stage(stage_contracts: System) -> System:
    """The system with `book` and `clearing` played by accounts."""
    return replace(stage_contracts)


@pytest.fixture(scope="session")
def market_contracts(project: Any, people: dict[str, Any], chain: Any) -> System:
    return furnish(System(people, chain, deploy(project, people)))


@pytest.fixture
def market(market_contracts: System) -> System:
    """The system as it is deployed."""
    return replace(market_contracts)


@pytest.fixture(scope="session")
def opened_floor(market_contracts: System, accounts: Any) -> Floor:
    rival = accounts.generate_test_account()
    accounts[0].transfer(rival, "1000 ether")
    return open_floor(replace(market_contracts), rival)


@pytest.fixture
def floor(opened_floor: Floor) -> Floor:
    """The market with three traders, money and assets, at the beginning of a day."""
    return replace(opened_floor)


@pytest.fixture(scope="session")
def reverts() -> Any:
    """Like `ape.reverts`, but every value must be named and the revert data be exactly theirs.

    `ape.reverts` lets pass an error it cannot decode and a value it does not know.
    """

    @contextmanager
    def check(error: Any, **values: Any) -> Iterator[None]:
        abi = error.abi
        assert [i.name for i in abi.inputs] == list(values), f"name the values of {abi.selector}"
        expected = encode_error(abi, [getattr(v, "address", v) for v in values.values()])
        with ape.reverts() as info:
            yield
        assert revert_data(info.value).hex() == expected.hex(), repr(info.value)

    return check


@pytest.fixture(scope="session")
def refused_by_council(reverts: Any, people: dict[str, Any]) -> Any:
    """Let the council make calls, and expect the error that call `index` reverts with."""

    def check(
        system: System, *calls: tuple[Any, bytes], error: Any, index: int = 0, **values: Any
    ) -> None:
        assert [i.name for i in error.abi.inputs] == list(values), error.abi.selector
        number, listed = system.propose(*calls)
        given = [getattr(v, "address", v) for v in values.values()]
        with reverts(system.council.CallFailed, index=index, reason=encode_error(error.abi, given)):
            system.council.execute(number, listed, sender=people["outsider"])

    return check


def revert_data(error: Any) -> bytes:
    """Return what the EVM returned with a revert."""
    if isinstance(error, CustomError):  # decoded, since it is in the ABI of the contract called
        return encode_error(error.abi, list(error.inputs.values()))
    message = error.revert_message
    if message.startswith('b"'):  # how eth-tester spells bytes that hold an apostrophe
        return bytes(literal_eval(message))
    return bytes.fromhex(message.removeprefix("0x"))


def encode_error(abi: Any, values: list[Any]) -> bytes:
    types = [i.canonical_type for i in abi.inputs]
    return keccak(text=abi.selector)[:4] + encode(types, values)


@pytest.fixture(scope="session")
def kit() -> Any:
    """Free functions and constants of this file, for tests that need their own deployment."""

    class Kit:
        admission = staticmethod(admission)
        deploy = staticmethod(deploy)
        furnish = staticmethod(furnish)
        member_id = staticmethod(member_id)
        merkle = staticmethod(merkle)
        leaf = staticmethod(leaf)
        revert_data = staticmethod(revert_data)
        System = System
        Deal = Deal
        parameters = PARAMETERS
        funds = FUNDS

    return Kit
