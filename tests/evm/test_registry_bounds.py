"""The most assets a member may have and the most classes there may be, on the real contracts."""

from dataclasses import replace

import pytest

from capshare import abi
from tests.evm.books import open_exchange, terms
from tests.evm.world import error_of, revm_world

MOST_ASSETS = 1_024  # a member
MOST_CLASSES = 4_095
PART = 585  # classes of one proposal; seven of them are all


@pytest.fixture
def exchange():
    return open_exchange(revm_world, traders=2, money=0)


def test_member_registers_1024_assets_and_no_more(exchange):
    exchange.list_class(terms(1))
    first, second = exchange.traders
    for _ in range(MOST_ASSETS):
        exchange.add_asset(first, 1, 0)
    assert exchange.world.view("AssetRegistry", "assetsOf", (first,)) == MOST_ASSETS
    arguments = (first, 1, 1, b"\xff" * 32)
    outcome = exchange.world.send(
        exchange.account(first), "AssetRegistry", "registerAsset", arguments
    )
    values = {"member": first, "most": MOST_ASSETS}
    assert error_of(outcome) == abi.ContractError(name="TooManyAssets", values=values)
    exchange.add_asset(second, 1, 0)


def test_council_lists_4095_classes_and_no_more(exchange):
    def listing(code):
        given = replace(terms(1), code=code)
        row = tuple(getattr(given, name) for name in type(given).__slots__)
        return ("AssetRegistry", "listClass", (row, "", ""))

    for start in range(1, MOST_CLASSES, PART):
        exchange.council(*(listing(code) for code in range(start, start + PART)))
    world = exchange.world
    assert world.view("AssetRegistry", "classCount") == MOST_CLASSES
    assert world.view("AssetRegistry", "indexOf", (MOST_CLASSES,)) == MOST_CLASSES

    contract, function, arguments = listing(MOST_CLASSES + 1)
    call = (world.addresses[contract], abi.encode_call(contract, function, arguments))
    sender = exchange.account(1)
    world.do(sender, "Council", "propose", ([call], ""))
    number = world.view("Council", "proposalCount")
    error = error_of(world.send(sender, "Council", "execute", (number, [call])))
    assert isinstance(error, abi.ContractError)
    assert (error.name, error.values["index"]) == ("CallFailed", 0)
    reason = error.values["reason"]
    assert isinstance(reason, bytes)
    values = {"most": MOST_CLASSES}
    assert abi.decode_error(reason) == abi.ContractError(name="TooManyClasses", values=values)
