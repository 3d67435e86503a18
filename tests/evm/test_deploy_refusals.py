"""Constructors refuse what no deployment could work with, and take the values just beside it."""

from dataclasses import replace

import pytest

from capshare import abi, parameters
from capshare.deployments import CONTRACTS
from capshare.devnet.accounts import dev_accounts
from capshare.devnet.embedded import EmbeddedChain
from tests.evm.world import ARBITER, COUNCIL, DEPLOYER, TRADER, account_of, founder

PILOT = parameters.load("pilot", 3).parameters
ZERO = "0x" + "00" * 20
ADDRESSES = tuple(account_of(100 + n) for n, _ in enumerate((*CONTRACTS, "token")))
VALIDATORS = (account_of(1), account_of(2))
RATES = PILOT.bond_rates


@pytest.fixture(scope="module")
def chain():
    return EmbeddedChain(accounts=dev_accounts(count=1), genesis_time=1_800_000_000)


@pytest.fixture
def create(chain):
    """Create a contract; return its error, or None if it was created."""

    def run(contract, given=PILOT, *more):
        data = abi.encode_creation(contract, (ADDRESSES, given.to_abi(), *more))
        receipt = chain.send(bytes.fromhex(DEPLOYER[2:]), None, data, gas=100_000_000)
        return None if receipt.succeeded else abi.decode_error(receipt.outcome.output)

    return run


@pytest.fixture
def found(create):
    """Create the member registry with founders and validators."""

    def run(founders, validators=VALIDATORS):
        return create("MemberRegistry", PILOT, [_admission(f) for f in founders], validators)

    return run


def _admission(f):
    key = (f.encryption_key, f.key_valid_until)
    return (f.account, f.identity, *key, f.group, f.roles, f.name, f.region, f.industry)


def refused(name, **values):
    return abi.ContractError(name=name, values=values)


def band(number, rate):
    return {"bond_rates": (*RATES[:number], rate, *RATES[number + 1 :])}


# -- parameters ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"round": 0, "lock": 0}, "round"),
        ({"lock": PILOT.round}, "lock"),
        ({"lock": 2**32 - 1}, "lock"),
        ({"good_half_life": 0}, "goodHalfLife"),
        ({"bad_half_life": 0}, "badHalfLife"),
        ({"dispute_rate": 10_001}, "disputeRate"),
        ({"dispute_rate": 2**16 - 1}, "disputeRate"),
        *((band(number, 10_001), "bondRates") for number in range(8)),
        ({"round": 0, "lock": 0, "good_half_life": 0, "dispute_rate": 10_001}, "round"),
    ],
)
def test_book_is_not_created_with_parameters_that_cannot_work(create, changes, field):
    expected = refused("BadParameter", field=field.encode().ljust(32, b"\0"))
    assert create("CapacityBook", replace(PILOT, **changes)) == expected


@pytest.mark.parametrize(
    "changes",
    [
        {"round": 1, "lock": 0},
        {"lock": PILOT.round - 1},
        {"good_half_life": 1, "bad_half_life": 1},
        {"dispute_rate": 10_000, "bond_rates": (10_000,) * 8},
        {"dispute_rate": 0, "bond_rates": (0,) * 8},
        {"horizon": 0, "move_delay": 0, "counterparty_cap": 0, "newcomer_cap": 0},
        {"thresholds": (2**112 - 1,) * 8, "ratios": (2**16 - 1,) * 8},
    ],
)
def test_book_is_created_with_parameters_at_the_edge(create, changes):
    assert create("CapacityBook", replace(PILOT, **changes)) is None


@pytest.mark.parametrize("contract", [c for c in CONTRACTS if c != "MemberRegistry"])
def test_every_contract_is_created_with_the_pilots_parameters(create, contract):
    assert create(contract) is None


# -- founders and validators ---------------------------------------------------------------------


def test_members_are_founded_with_one_council_seat_and_one_validator(found):
    assert found([founder(1, COUNCIL)], VALIDATORS[:1]) is None


@pytest.mark.parametrize("founders", [[], [founder(1, TRADER), founder(2, 63 - COUNCIL)]])
def test_members_are_not_founded_without_a_council(found, founders):
    assert found(founders) == refused("LastCouncilMember", member=0)


def test_members_are_not_founded_without_validators_or_with_bad_ones(found):
    founders = [founder(1, COUNCIL)]
    assert found(founders, ()) == refused("EmptyValidators")
    assert found(founders, (VALIDATORS[0], ZERO)) == refused("ZeroValidator", position=1)
    twice = (*VALIDATORS, VALIDATORS[0])
    expected = refused("DuplicateValidator", validator=VALIDATORS[0].lower())
    assert found(founders, twice) == expected


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"account": ZERO}, refused("ZeroAccount")),
        (
            {"account": account_of(1)},
            refused("AddressTaken", account=account_of(1).lower(), member=1),
        ),
        ({"identity": bytes(32)}, refused("ZeroIdentity")),
        (
            {"identity": (1).to_bytes(32, "big")},
            refused("IdentityTaken", identity=(1).to_bytes(32, "big"), member=1),
        ),
        ({"group": 3}, refused("UnknownGroup", group=3)),
        ({"roles": 64}, refused("UnknownRoles", roles=64)),
    ],
)
def test_founder_that_could_not_be_admitted_is_refused(found, changes, error):
    first, second = founder(1, COUNCIL), founder(2, TRADER)
    assert found([first, replace(second, **changes)]) == error
    assert found([first, replace(second, group=2)]) is None


@pytest.mark.parametrize(
    ("role", "name"), [(COUNCIL, "TooManyCouncilMembers"), (ARBITER, "TooManyArbiters")]
)
def test_members_are_founded_with_up_to_64_of_a_role(found, role, name):
    founders = [founder(number, COUNCIL | ARBITER) for number in range(1, 65)]
    assert found(founders) is None
    assert found([*founders, founder(65, role)]) == refused(name, most=64)
