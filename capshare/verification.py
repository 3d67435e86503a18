"""What a deployment on a chain is, compared with what its address book says.

Code is compared byte for byte with the artifacts, apart from the immutables; each immutable is
compared with the value that the book's addresses and parameters give it.
"""

import re
from collections.abc import Callable, Mapping

from eth_abi.abi import encode
from eth_hash.auto import keccak

from capshare import artifacts
from capshare.chain import Chain
from capshare.deployments import CONTRACTS, AddressBook
from capshare.parameters import Parameters

_ADDRESSES: Mapping[str, str] = {
    "council": "Council",
    "councilContract": "Council",
    "members": "MemberRegistry",
    "assets": "AssetRegistry",
    "book": "CapacityBook",
    "clearing": "Clearing",
    "deals": "Deals",
    "vault": "Vault",
    "credit": "CreditLedger",
}

_EIP712_NAME, _EIP712_VERSION = b"capshare", b"1"
_DOMAIN_TYPE = keccak(
    b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)


def differences(chain: Chain, book: AddressBook) -> list[str]:
    """Return in words what differs; an empty list is a good deployment."""
    found = []
    if chain.genesis_hash != book.genesis_hash or chain.chain_id != book.chain_id:
        return [
            f"chain {chain.chain_id} with genesis {chain.genesis_hash} is not the book's "
            f"{book.chain_id} with {book.genesis_hash}"
        ]
    if artifacts.manifest().checksum != book.artifact_checksum:
        found.append(
            f"the book is of artifacts {book.artifact_checksum[:16]}, "
            f"this package has {artifacts.manifest().checksum[:16]}"
        )
    for contract in CONTRACTS:
        found += _contract_differences(chain, book, contract)
    return found or _founder_differences(chain, book)


def immutables(contract: str, book: AddressBook) -> dict[str, int]:
    """Return each immutable of a contract with the word that the book gives it."""
    parameters = Parameters.from_dict(dict(book.parameters))
    return {
        variable: _immutable(variable, contract, book, parameters)
        for variable in artifacts.load(contract).immutable_references
    }


def _contract_differences(chain: Chain, book: AddressBook, contract: str) -> list[str]:
    artifact, address = artifacts.load(contract), book.address(contract)
    code = chain.code(address)
    if not code:
        return [f"{contract}: no code at {address}"]
    if len(code) != artifact.runtime_size or artifact.masked(code) != artifact.runtime_bytecode:
        return [f"{contract}: the code at {address} is not the artifact's"]
    found = []
    for variable, expected in immutables(contract, book).items():
        for start, length in artifact.immutable_references[variable]:
            value = int.from_bytes(code[start : start + length], "big")
            if value != expected:
                found.append(f"{contract}.{variable} is {value:#x}, not {expected:#x}")
                break
    return found


def _founder_differences(chain: Chain, book: AddressBook) -> list[str]:
    members = book.address("MemberRegistry")
    found = []
    for number, founder in enumerate(book.founders, 1):
        identity = bytes.fromhex(founder["identity"][2:])
        member = chain.call(members, "MemberRegistry", "memberByIdentity", (identity,))
        if member != number:
            found.append(f"founder {number}, {founder['name']}, is member {member}")
    return found


def _immutable(variable: str, contract: str, book: AddressBook, parameters: Parameters) -> int:
    if variable == "token":
        return int(book.token, 16)
    if variable in _ADDRESSES:
        return int(book.address(_ADDRESSES[variable]), 16)
    if variable in _SPECIAL:
        return _SPECIAL[variable](parameters)
    if variable in _EIP712:
        return _EIP712[variable](book.chain_id, int(book.address(contract), 16))
    field = re.sub(r"(?<!^)([A-Z])", r"_\1", variable.lstrip("_")).lower()
    return int(getattr(parameters, field))


def _packed(values: tuple[int, ...], bits: int) -> int:
    return sum(value << bits * index for index, value in enumerate(values))


def _thresholds(first: int) -> Callable[[Parameters], int]:
    return lambda parameters: _packed(parameters.thresholds[first : first + 2], 112)


_SPECIAL: Mapping[str, Callable[[Parameters], int]] = {
    "_rates": lambda p: _packed(p.bond_rates, 16),
    "bondRates": lambda p: _packed(p.bond_rates, 16),
    "roundLength": lambda p: p.round,
    "_ratios": lambda p: _packed(p.ratios, 16),
    **{f"_thresholds{n}{n + 1}": _thresholds(n) for n in range(0, 8, 2)},
}


def _short_string(text: bytes) -> int:
    """Return OpenZeppelin's ShortString: the text, and its length in the last byte."""
    return int.from_bytes(text.ljust(31, b"\0") + bytes([len(text)]), "big")


def _domain_separator(chain_id: int, contract: int) -> int:
    fields = (
        _DOMAIN_TYPE,
        keccak(_EIP712_NAME),
        keccak(_EIP712_VERSION),
        chain_id,
        f"{contract:#042x}",
    )
    return int.from_bytes(
        keccak(encode(("bytes32", "bytes32", "bytes32", "uint256", "address"), fields)), "big"
    )


_EIP712: Mapping[str, Callable[[int, int], int]] = {
    "_cachedDomainSeparator": _domain_separator,
    "_cachedChainId": lambda chain_id, contract: chain_id,
    "_cachedThis": lambda chain_id, contract: contract,
    "_hashedName": lambda chain_id, contract: int.from_bytes(keccak(_EIP712_NAME), "big"),
    "_hashedVersion": lambda chain_id, contract: int.from_bytes(keccak(_EIP712_VERSION), "big"),
    "_name": lambda chain_id, contract: _short_string(_EIP712_NAME),
    "_version": lambda chain_id, contract: _short_string(_EIP712_VERSION),
}
