"""Measure gas: posting, clearing, the worst books, a trade's whole life, deployment.

Gas is a whole transaction's under London rules, from py-evm's receipts, before refunds: what the
limits of blocks and transactions count. Each call is a transaction of its own. Every rule of the
market is in it. `--profile NAME` shows where the gas of a clearing goes instead, by contract and by
opcode: NAME is a worst book, or a shape and a number of orders, such as 7x3:1000.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from capshare import artifacts
from capshare.deployments import CONTRACTS
from capshare.orders import Offer, Request
from scripts.bench_solver import hardware
from tests.evm import worst_books
from tests.evm.books import AHEAD, Exchange, open_exchange, terms
from tests.evm.gas_profile import Profile
from tests.evm.machines import PyEvm
from tests.evm.shapes import BATCH, REFERENCE, SHAPES, Posted, clear, post_shape, traders_for
from tests.evm.trade_life import live
from tests.evm.world import pyevm_world, revm_world

SIZES = {"7x3": (100, 1_000, 2_000), "30x5x3": (100, 1_000), "1slot": (100, 1_000, 2_000)}
REPEATS = 3  # after which nothing is done for the first time

Figures = dict[str, Any]


def measure_shapes(show: Callable[[str], None]) -> Figures:
    """Post and clear each shape at each size, among members who do it for the first time."""
    figures: dict[str, dict[str, Any]] = {}
    for name, sizes in SIZES.items():
        for orders in sizes:
            exchange = open_exchange(pyevm_world, traders_for(orders))
            posted = post_shape(exchange, 1, SHAPES[name], orders // 2)
            exchange.to_round(exchange.round + 1)
            done = clear(exchange, 1, posted.numbers)
            offer, request = _per_order(posted)
            row = {
                "post_per_order_batch_50": round((offer + request) / 2),
                "post_per_offer_batch_50": round(offer),
                "post_per_request_batch_50": round(request),
                "clear_per_fill": round(done.outcome.gas / done.fills),
                "clear_total": done.outcome.gas,
                "clear_calldata_bytes": done.calldata,
                "clear_fills": done.fills,
                "clear_groups": done.groups,
                "clear_kinds": done.kinds,
            }
            show(f"{name}, {orders} orders: " + ", ".join(f"{k} {v:,}" for k, v in row.items()))
            for what, value in row.items():
                figures.setdefault(what, {}).setdefault(name, {})[str(orders)] = value
    return figures


def measure_worst_books(show: Callable[[str], None]) -> Figures:
    """Clear the worst books that the bounds allow."""
    gas = {}
    for name, make in worst_books.BOOKS.items():
        book = make()
        exchange = worst_books.exchange_for(book)
        done = worst_books.measure(exchange, book)
        gas[name] = done.outcome.gas
        show(
            f"worst book, {name}: {done.outcome.gas:,} gas, {len(book.orders)} orders, "
            f"{done.groups} groups, {done.kinds} kinds, {done.fills} fills, {done.dead} dead"
        )
    return {"worst_book": gas}


def measure_lives(show: Callable[[str], None]) -> Figures:
    """Take trades from post to settled, by twenty and one by one, the first and a later time."""
    lives = {}
    for trades in (20, 1):
        exchange = open_exchange(pyevm_world, 2)
        exchange.list_class(terms(1, reference=REFERENCE))
        assets = [exchange.add_asset(exchange.traders[0], 1, 0) for _ in range(3)]
        lives[trades] = [live(exchange, 1, trades, assets) for _ in range(REPEATS)]
    figures = {
        "batch_20": lives[20][-1],
        "batch_20_first": lives[20][0],
        "alone": lives[1][-1],
        "alone_first": lives[1][0],
    }
    for name, life in figures.items():
        parts = ("offers", "requests", "clearing", "delivering", "accepting")
        shares = ", ".join(f"{part} {getattr(life, part) / life.trades:,.0f}" for part in parts)
        show(f"trade life, {name}: {life.total:,.0f} gas ({shares})")
    return {"trade_life": {name: round(life.total) for name, life in figures.items()}}


def measure_posts_alone(show: Callable[[str], None]) -> Figures:
    """Post single orders: a member's first in a market, and a later one."""
    exchange = open_exchange(pyevm_world, 2)
    exchange.list_class(terms(1, reference=REFERENCE))
    provider, consumer = exchange.traders
    asset = exchange.add_asset(provider, 1, 1)
    slot = exchange.round + AHEAD + 1
    offer = Offer(asset=asset, slot=slot, quantity=10, price=4_000, attributes=1, credit=2)
    request = Request(first_slot=slot, last_slot=slot + 2, quantity=10, price=4_000, needs=1)
    gas = {}
    for name in ("first", ""):
        for side, member, order in (("offer", provider, offer), ("request", consumer, request)):
            _, outcome = exchange.post(member, 1, [order])
            gas["_".join(filter(None, (side, name)))] = outcome.gas
    show("post alone: " + ", ".join(f"{name} {value:,}" for name, value in gas.items()))
    return {"post_alone": gas}


def measure_deployment(show: Callable[[str], None]) -> Figures:
    """Create the contracts with one founder."""
    world = open_exchange(pyevm_world, 0).world
    assert isinstance(world.machine, PyEvm)
    rows = {
        name: {
            "gas": world.machine.creations[world.addresses[name]],
            "runtime_bytes": artifacts.load(name).runtime_size,
        }
        for name in CONTRACTS
    }
    for name, row in rows.items():
        show(f"deployment, {name}: {row['gas']:,} gas, {row['runtime_bytes']:,} bytes")
    return {"deployment": rows}


PARTS = {
    "shapes": measure_shapes,
    "worst": measure_worst_books,
    "lives": measure_lives,
    "alone": measure_posts_alone,
    "deployment": measure_deployment,
}


def profile(name: str) -> None:
    """Print where the gas of a clearing goes."""
    exchange, machine = _profiled(name)
    names = exchange.world.names
    print(f"{name}: {sum(machine.by_contract.values()):,} gas without the transaction's own")
    for address, gas in machine.by_contract.most_common():
        print(f"{gas:>14,}  {names.get(address, address)}")
    for opcode, gas in machine.by_opcode.most_common(30):
        print(f"{gas:>14,}  {opcode} × {machine.times[opcode]:,}")


def _profiled(name: str) -> tuple[Exchange, Profile]:
    if name in worst_books.BOOKS:
        book = worst_books.BOOKS[name]()
        exchange = worst_books.exchange_for(book)
        machine = Profile(chain_id=exchange.world.machine.chain_id)
        worst_books.measure(exchange, book, machine)
        return exchange, machine
    shape, _, orders = name.partition(":")
    exchange = open_exchange(revm_world, traders_for(int(orders)))
    machine = Profile(chain_id=exchange.world.machine.chain_id)
    posted = post_shape(exchange, 1, SHAPES[shape], int(orders) // 2)
    exchange.to_round(exchange.round + 1)
    clear(exchange, 1, posted.numbers, machine)
    return exchange, machine


def _per_order(posted: Posted) -> Iterator[float]:
    """Average the full batches' gas an order: of offers, of requests."""
    for side in (posted.offers, posted.requests):
        full = [gas for orders, gas in side if orders == BATCH]
        yield sum(full) / (BATCH * len(full))


def main() -> None:
    """Measure, print, and write benchmarks/gas.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=PARTS, nargs="*", default=list(PARTS))
    parser.add_argument("--profile", metavar="NAME")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "gas.json")
    arguments = parser.parse_args()
    if arguments.profile:
        profile(arguments.profile)
        return
    machine = hardware()
    print(", ".join(machine.values()))
    begun = time.perf_counter()
    known = json.loads(arguments.out.read_text()) if arguments.out.exists() else {}
    figures = {**known, "hardware": machine, "rules": "London; py-evm receipts, before refunds"}
    for name in arguments.only:
        figures |= PARTS[name](lambda line: print(line, flush=True))
    print(f"{time.perf_counter() - begun:,.0f} s")
    arguments.out.parent.mkdir(exist_ok=True)
    arguments.out.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
