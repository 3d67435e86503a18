"""Deployment: eight contracts that know each other's addresses from their first second.

The addresses follow from the deployer's nonce, so no contract needs a setter and nobody keeps a
right afterwards. The address book is written first; whatever interrupts a deployment, the same
command goes on where it stopped, and on a finished one it only verifies.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import rlp
from eth_hash.auto import keccak
from eth_utils.address import to_checksum_address

from capshare import RULES_VERSION, abi, artifacts, deployments
from capshare.chain import RECEIPT_SECONDS, Chain
from capshare.deployments import CONTRACTS, AddressBook
from capshare.errors import CapshareError, Discrepancy, NetworkError, UsageError
from capshare.keys import Signer
from capshare.parameters import Parameters

TOKEN = "SettlementToken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Founder:
    """A member admitted by the constructor. `roles`: bits of IMemberRegistry; council is 2."""

    account: str
    identity: bytes  # 32 bytes, capshare.identity
    name: str
    roles: int
    region: str = ""
    industry: str = ""
    group: int = 0  # 0: a group of its own
    encryption_key: bytes = bytes(32)
    key_valid_until: int = 0  # [unix s]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenTerms:
    """A new mintable token for a devnet; its owner is the deployer."""

    name: str
    symbol: str
    decimals: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to deploy. `token` is an ERC-20's address, or the terms of a devnet token to create."""

    name: str
    parameters: Parameters
    founders: tuple[Founder, ...]
    validators: tuple[str, ...]
    token: str | TokenTerms


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One creation: which contract, at which nonce and address, with which transaction data."""

    contract: str
    nonce: int
    address: str
    data: bytes


def created_address(deployer: str, nonce: int) -> str:
    """Return the address of what `deployer` creates at a nonce (yellow paper, section 7)."""
    packed = rlp.encode([bytes.fromhex(deployer.removeprefix("0x")), nonce])
    return to_checksum_address(keccak(packed)[12:])


def prepare(chain: Chain, deployer: str, plan: Plan) -> AddressBook:
    """Return the address book that deploying `plan` now would give; sends nothing."""
    first = chain.nonce(deployer)
    creates_token = isinstance(plan.token, TokenTerms)
    start = first + int(creates_token)
    if isinstance(plan.token, TokenTerms):
        token, symbol = created_address(deployer, first), plan.token.symbol
        decimals = plan.token.decimals
    else:
        token = plan.token
        if not chain.code(token):
            raise UsageError(f"no contract at token address {token}", next_step="check --token")
        symbol = str(chain.call(token, TOKEN, "symbol"))
        decimals = int(chain.call(token, TOKEN, "decimals"))
    return AddressBook(
        name=plan.name,
        chain_id=chain.chain_id,
        genesis_hash=chain.genesis_hash,
        rules_version=RULES_VERSION,
        artifact_checksum=artifacts.manifest().checksum,
        deployer=to_checksum_address(deployer),
        first_nonce=first,
        token=to_checksum_address(token),
        token_symbol=symbol,
        token_decimals=decimals,
        start_block=chain.head() + 1,
        parameters=plan.parameters.to_dict(),
        founders=tuple(_founder_entry(f) for f in plan.founders),
        validators=tuple(to_checksum_address(v) for v in plan.validators),
        addresses={c: created_address(deployer, start + i) for i, c in enumerate(CONTRACTS)},
    )


def steps(book: AddressBook, plan: Plan) -> list[Step]:
    """List the creations of a deployment in order; pure."""
    result = []
    nonce = book.first_nonce
    if isinstance(plan.token, TokenTerms):
        terms = (plan.token.name, plan.token.symbol, plan.token.decimals)
        data = abi.encode_creation(TOKEN, terms)
        result.append(Step(contract=TOKEN, nonce=nonce, address=book.token, data=data))
        nonce += 1
    for offset, contract in enumerate(CONTRACTS):
        data = abi.encode_creation(contract, creation_arguments(contract, book, plan.parameters))
        address = book.address(contract)
        result.append(Step(contract=contract, nonce=nonce + offset, address=address, data=data))
    return result


def creation_arguments(contract: str, book: AddressBook, parameters: Parameters) -> list[Any]:
    """Return a contract's constructor arguments in the ABI's order."""
    arguments: list[Any] = [
        (*(book.address(c) for c in CONTRACTS), book.token),
        parameters.to_abi(),
    ]
    if contract == "MemberRegistry":
        arguments += [[_founder_tuple(f) for f in book.founders], list(book.validators)]
    return arguments


def deploy(
    chain: Chain,
    signer: Signer,
    plan: Plan,
    path: Path,
    on_step: Callable[[Step], None] = lambda step: None,
) -> AddressBook:
    """Deploy `plan`, or finish a deployment that was cut off; verify and return its address book.

    Raise UsageError if the book at `path` is of another plan, chain or deployer, and NetworkError
    if the deployer's key was used for something else in between.
    """
    book = _begin(chain, signer, plan, path)
    for step in steps(book, plan):
        if not chain.code(step.address):
            book = _create(chain, signer, step, book)
        elif step.contract not in book.transactions and step.contract != TOKEN:
            book = replace(book, transactions={**book.transactions, step.contract: ""})
        deployments.save(path, book)
        on_step(step)
    problems = verify(chain, book)
    if problems:
        raise Discrepancy(
            "the deployment differs from its plan: " + "; ".join(problems),
            next_step="deploy anew with another --name and a fresh deployer key",
        )
    return book


def verify(chain: Chain, book: AddressBook) -> list[str]:
    """Compare code, immutables, parameters and founders on the chain with the book.

    Return what differs, in words; an empty list is a good deployment.
    """
    from capshare.verification import differences

    return differences(chain, book)


def _begin(chain: Chain, signer: Signer, plan: Plan, path: Path) -> AddressBook:
    if not path.exists():
        book = prepare(chain, signer.address, plan)
        deployments.save(path, book)
        return book
    book = deployments.load(path)
    expected = replace(
        prepare(chain, signer.address, plan) if isinstance(plan.token, str) else book,
        first_nonce=book.first_nonce,
        start_block=book.start_block,
        addresses=book.addresses,
        transactions=book.transactions,
        chain_id=chain.chain_id,
        genesis_hash=chain.genesis_hash,
        deployer=to_checksum_address(signer.address),
        artifact_checksum=artifacts.manifest().checksum,
        parameters=plan.parameters.to_dict(),
        founders=tuple(_founder_entry(f) for f in plan.founders),
        validators=tuple(to_checksum_address(v) for v in plan.validators),
    )
    if asdict(expected) != asdict(book):
        changed = [k for k, v in asdict(expected).items() if asdict(book)[k] != v]
        raise UsageError(
            f"{path} holds a deployment with other {', '.join(changed)}",
            next_step="choose another --name",
        )
    return book


def _create(chain: Chain, signer: Signer, step: Step, book: AddressBook) -> AddressBook:
    nonce = chain.nonce(signer.address)
    if nonce == step.nonce + 1:
        _wait_for_code(chain, step)  # sent by a run that was cut off before it saw the block
        return replace(book, transactions={**book.transactions, step.contract: ""})
    if nonce != step.nonce:
        raise NetworkError(
            f"{step.contract} needs the deployer's transaction {step.nonce}, but its next is "
            f"{nonce}: the key {signer.address} was used for something else in between",
            next_step="deploy anew with another --name and a key that does nothing else",
        )
    receipt = chain.send(signer, step.data, nonce=nonce)
    if receipt.contract_address != step.address:
        raise CapshareError(
            f"{step.contract} was created at {receipt.contract_address}, not at {step.address}"
        )
    return replace(
        book, transactions={**book.transactions, step.contract: "0x" + receipt.tx_hash.hex()}
    )


def _wait_for_code(chain: Chain, step: Step) -> None:
    until = time.monotonic() + RECEIPT_SECONDS
    while not chain.code(step.address):
        if time.monotonic() > until:
            raise NetworkError(
                f"the transaction that creates {step.contract} is in no block",
                next_step="check that the chain makes blocks, then run the command again",
            )
        time.sleep(0.2)


def _founder_entry(founder: Founder) -> dict[str, Any]:
    plain = asdict(founder)
    for key in ("identity", "encryption_key"):
        plain[key] = "0x" + plain[key].hex()
    plain["account"] = to_checksum_address(founder.account)
    return plain


def _founder_tuple(entry: Any) -> tuple[Any, ...]:
    """Return IMemberRegistry.Admission in its ABI order."""
    return (
        entry["account"],
        bytes.fromhex(entry["identity"][2:]),
        bytes.fromhex(entry["encryption_key"][2:]),
        entry["key_valid_until"],
        entry["group"],
        entry["roles"],
        entry["name"],
        entry["region"],
        entry["industry"],
    )


def founders_from(entries: Sequence[Any]) -> tuple[Founder, ...]:
    """Return founders as an address book keeps them as values again."""
    return tuple(
        Founder(
            **{
                **entry,
                "identity": bytes.fromhex(entry["identity"][2:]),
                "encryption_key": bytes.fromhex(entry["encryption_key"][2:]),
            }
        )
        for entry in entries
    )
