"""Every custom error of the contracts has a test that names it, and a place in the Python twin."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from capshare import artifacts
from capshare.deployments import CONTRACTS
from tests.evm.lock_step.faults import ELSEWHERE

ROOT = Path(__file__).resolve().parents[2]

#: Errors that nothing can bring about, and why.
UNREACHABLE = {
    "CodeNotWritten": "64 orders are far below the limit of a contract's code",
    "InvalidShortString": "OpenZeppelin's; the domain's name and version are short",
    "StringTooLong": "OpenZeppelin's; the domain's name and version are short",
}

ERRORS = {
    entry["name"]: contract
    for contract in CONTRACTS
    for entry in artifacts.load(contract).abi
    if entry["type"] == "error"
}
TESTS = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "tests").rglob("test_*.py"))
    if path != Path(__file__).resolve()
}
TWIN = "\n".join(
    path.read_text(encoding="utf-8")
    for package in ("ledger", "market")
    for path in sorted((ROOT / "capshare" / package).glob("*.py"))
)


def named(error: str) -> re.Pattern[str]:
    """Match an error where it is used: as an attribute of a contract, or as a whole string."""
    return re.compile(rf'\.{error}\b|"{error}"')


@pytest.mark.parametrize("error", sorted(ERRORS.keys() - UNREACHABLE))
def test_error_is_provoked_by_a_test(error: str) -> None:
    assert any(named(error).search(text) for text in TESTS.values()), ERRORS[error]


@pytest.mark.parametrize("error", sorted(ERRORS.keys() - ELSEWHERE))
def test_error_has_a_place_in_the_twin(error: str) -> None:
    assert f'"{error}"' in TWIN, ERRORS[error]


@pytest.mark.parametrize("error", sorted(ELSEWHERE))
def test_error_that_the_twin_lacks_is_provoked_where_it_says(error: str) -> None:
    assert error in ERRORS
    found = re.findall(r"tests/\S+\.py", ELSEWHERE[error])
    assert bool(found) != (error in UNREACHABLE)
    assert all(named(error).search(TESTS[path]) for path in found)


def test_no_error_is_called_unreachable_that_no_contract_declares() -> None:
    assert set(UNREACHABLE) <= set(ERRORS)
