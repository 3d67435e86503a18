"""Measure the solver by itself: seconds at 1k, 10k and 100k orders, and what baselines leave.

Random books of three shapes (slots × attribute masks × credit bands, widest window). Times are the
medians of three runs of the whole `solve`: network, fills, proof and prices; it uses one core, so
on a busy machine the CPU seconds are the fairer figure. Ratios are the surplus of greedy and of
first-come matching over the best surplus of the same book.
"""

import argparse
import json
import platform
import random
import statistics
import sys
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from capshare.market import baselines, solver
from capshare.market.book import Book, StandingOffer, StandingRequest
from capshare.market.listing import list_book

RUNS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How varied a book's orders are."""

    slots: int
    masks: tuple[int, ...]
    bands: int
    window: int  # widest [slots]


SHAPES = {
    "1slot": Shape(slots=1, masks=(0,), bands=1, window=1),
    "7x3": Shape(slots=7, masks=(0, 1, 3), bands=1, window=3),
    "30x5x3": Shape(slots=30, masks=(0, 1, 3, 7, 15), bands=3, window=7),
}
SIZES = (1_000, 10_000, 100_000)


def random_book(shape: Shape, orders: int, seed: int = 1) -> Book:
    """Make a book of half offers, half requests, of which about half can trade."""
    rng = random.Random(seed)
    ids = list(range(64, 64 + orders))
    rng.shuffle(ids)
    offers = tuple(
        StandingOffer(
            id=ids[n],
            member=rng.randint(1, 50),
            asset=n + 1,
            slot=1000 + rng.randrange(shape.slots),
            quantity=rng.randint(1, 480),
            price=1000 + rng.randrange(600),
            attributes=rng.choice(shape.masks),
            credit=rng.randrange(shape.bands),
        )
        for n in range(orders // 2)
    )
    requests = []
    for n in range(orders // 2, orders):
        first = 1000 + rng.randrange(shape.slots)
        last = min(999 + shape.slots, first + rng.randrange(shape.window))
        requests.append(
            StandingRequest(
                id=ids[n],
                member=rng.randint(1, 50),
                first_slot=first,
                last_slot=last,
                quantity=rng.randint(1, 480),
                price=1010 + rng.randrange(600),
                needs=rng.choice(shape.masks) & rng.choice(shape.masks),
                min_credit=rng.randrange(rng.randint(1, shape.bands)),
            )
        )
    return Book(offers=offers, requests=tuple(requests))


def measure(shape: Shape, orders: int) -> dict[str, float]:
    """Solve one book several times and compare it with the baselines."""
    book = random_book(shape, orders)
    wall, cpu = [], []
    for _ in range(RUNS):
        start, start_cpu = time.perf_counter(), time.process_time()
        best = solver.solve(book)
        wall.append(time.perf_counter() - start)
        cpu.append(time.process_time() - start_cpu)
    listing = list_book(book)
    return {
        "orders": orders,
        "groups": len(listing.groups),
        "kinds": len(listing.kinds),
        "fills": len(best.fills),
        "seconds": round(statistics.median(wall), 3),
        "cpu_seconds": round(statistics.median(cpu), 3),
        "volume_share": round(best.volume / sum(r.quantity for r in book.requests), 4),
        "greedy_ratio": round(baselines.surplus(book, baselines.greedy(book)) / best.surplus, 4),
        "first_come_ratio": round(
            baselines.surplus(book, baselines.first_come(book)) / best.surplus, 4
        ),
    }


def hardware() -> dict[str, str]:
    """Name what it ran on."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [
            line.partition(":")[2].strip()
            for line in info.read_text().splitlines()
            if line.startswith("model name")
        ]
        cpu = f"{len(names)} × {names[0]}" if names else cpu
    return {
        "cpu": cpu,
        "system": f"{platform.system()} {platform.machine()}",
        "python": f"Python {platform.python_version()}",
        "ortools": f"OR-tools {version('ortools')}",
    }


def main() -> None:
    """Measure, print, and write benchmarks/solver.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=list(SIZES))
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "solver.json")
    arguments = parser.parse_args()
    solver.solve(random_book(SHAPES["1slot"], 100))  # imports OR-tools
    machine = hardware()
    print(", ".join(machine.values()))
    results: dict[str, dict[str, dict[str, float]]] = {}
    for name, shape in SHAPES.items():
        for orders in arguments.sizes:
            row = measure(shape, orders)
            results.setdefault(name, {})[str(orders)] = row
            print(
                f"{name:8} {orders:7} orders {row['groups']:4} groups {row['kinds']:5} kinds "
                f"{row['fills']:6} fills {row['seconds']:7.3f} s "
                f"(CPU {row['cpu_seconds']:.3f} s)  greedy {row['greedy_ratio']:.4f} "
                f"first-come {row['first_come_ratio']:.4f}",
                flush=True,
            )
    arguments.out.parent.mkdir(exist_ok=True)
    arguments.out.write_text(
        json.dumps({"hardware": machine, "runs": RUNS, "shapes": results}, indent=2) + "\n"
    )


if __name__ == "__main__":
    main()
