"""Write the measured figures into README.md, from benchmarks/*.json and nowhere else.

write_figures.py            rewrite the part between the markers
write_figures.py --check    fail if README shows anything else
"""

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
BEGIN, END = (
    "<!-- figures: written by scripts/write_figures.py from benchmarks/*.json -->",
    "<!-- /figures -->",
)

# Published or measured figures of peers, and where each stands: docs/peers.md.
PEERS = {
    "post": "Clober make 197k, EasyAuction 146k",
    "fill": "iExec PoCo 757k, Clober take 162k, CoW 117k a pair, MatchingMarket 84k",
    "whole": "CoW ≈ 100 orders, dFusion 30",
    "worst": "nobody states one",
    "life": "Boson ≈ 1.5M, iExec PoCo ≈ 1.4M",
}


def main() -> int:
    """Run the command line described at the top of this file."""
    text = README.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    written = f"{head}{BEGIN}\n{figures()}{END}{tail}"
    if "--check" in sys.argv:
        if written != text:
            print("README's figures are not those of benchmarks/: run scripts/write_figures.py")
            return 1
        return 0
    README.write_text(written, encoding="utf-8")
    return 0


def figures() -> str:
    """Return the two tables as Markdown."""
    gas, solver = _read("gas"), _read("solver")
    return "\n".join([*_gas_lines(gas), "", *_solver_lines(solver), ""])


def _gas_lines(gas: dict[str, Any]) -> list[str]:
    post, fill, total = (
        gas[key] for key in ("post_per_order_batch_50", "clear_per_fill", "clear_total")
    )
    size = gas["clear_calldata_bytes"]["7x3"]["2000"]
    posts = ", ".join(f"{_thousand(rows['1000'])} `{name}`" for name, rows in post.items())
    worst = max(gas["worst_book"].values())
    life = gas["trade_life"]
    return [
        "Gas of whole transactions (London rules, py-evm receipts, before refunds), every rule of "
        "the market included:",
        "",
        "| what | gas here | peers ([sources](docs/peers.md)) |",
        "|---|---|---|",
        f"| post an order, batches of 50, 1,000 orders (slots × masks × bands) | {posts} | "
        f"{PEERS['post']} |",
        f"| a fill, whole clearing, 1,000 orders | {_thousand(fill['7x3']['1000'])} `7x3`, "
        f"{_thousand(fill['30x5x3']['1000'])} `30x5x3` | {PEERS['fill']} |",
        f"| 2,000 standing orders (`7x3`) in one transaction | {_million(total['7x3']['2000'])}, "
        f"{size / 1024:.0f} KiB of calldata | {PEERS['whole']} |",
        f"| the worst book that the bounds allow | {_million(worst)} | {PEERS['worst']} |",
        f"| a trade's life, both posts to settled | {_thousand(life['batch_20'])} by twenty, "
        f"{_thousand(life['alone'])} alone, {_thousand(life['alone_first'])} alone and first | "
        f"{PEERS['life']} |",
    ]


def _solver_lines(solver: dict[str, Any]) -> list[str]:
    lines = [
        f"Exact solver, one process, median of {solver['runs']}, on {solver['hardware']['cpu']}, "
        f"{solver['hardware']['python']}:",
        "",
        "| orders | shape | seconds | surplus of greedy matching | of first-come matching |",
        "|---|---|---|---|---|",
    ]
    for shape, rows in solver["shapes"].items():
        for orders, row in rows.items():
            lines.append(
                f"| {int(orders):,} | `{shape}` | {row['seconds']:.2f} | "
                f"{row['greedy_ratio']:.1%} | {row['first_come_ratio']:.1%} |"
            )
    return lines


def _read(name: str) -> dict[str, Any]:
    path = ROOT / "benchmarks" / f"{name}.json"
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def _thousand(gas: int) -> str:
    return f"{gas / 1000:.1f}k"


def _million(gas: int) -> str:
    return f"{gas / 1_000_000:.1f}M"


if __name__ == "__main__":
    sys.exit(main())
