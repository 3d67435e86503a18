"""`capshare demo`: a market day on a chain in this process, and tables of what came of it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from capshare.cli.options import json_option
from capshare.cli.output import Column, Table, print_json, print_table, progress, say
from capshare.cli.text import _
from capshare.errors import Discrepancy

if TYPE_CHECKING:
    from capshare.demo.report import Report

_SHOWN_FINDINGS = 20
# How much of what an asset offered on a day is in deals.
_NOTHING_OFFERED, _UNSOLD, _SOME, _MOST, _ALL = "·░▒▓█"


@click.command(
    help=_(
        "Run a full market day on an in-process chain: real contracts, orders of a shipped book, "
        "clearings proven on chain, deliveries, disputes, credit, and an audit of every word."
    )
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    help=_("Another seed, another market; the same seed, the same one."),
)
@click.option("--small", is_flag=True, help=_("Play a part of it, in a few seconds."))
@json_option
def demo(seed: int, small: bool, as_json: bool) -> None:
    """Choose, play, audit, report."""
    from capshare.demo.play import play
    from capshare.demo.report import report
    from capshare.demo.scenario import FULL, SMALL, choose
    from capshare.demo.source import EmbeddedSource
    from capshare.replay import replay

    started = time.monotonic()
    scenario = choose(seed, SMALL if small else FULL)
    say(
        _("{firms} firms, {orders} orders, {classes} classes, seed {seed}").format(
            firms=len(scenario.firms),
            orders=scenario.orders,
            classes=len(scenario.classes),
            seed=seed,
        )
    )
    played = play(scenario, _told)
    audit = replay(EmbeddedSource(played.stage.chain), played.stage.book, _told)
    figures = report(played, audit)
    if as_json:
        print_json("demo", figures.to_dict())
    else:
        for table in _tables(figures):
            _print(table)
    say(_("Done in {seconds:.0f} s.").format(seconds=time.monotonic() - started))
    if not figures.good:
        raise Discrepancy(
            _("differences that the audit found: {count}").format(count=len(audit.findings)),
            next_step=_("Read the findings above; with --json they are complete."),
        )


def _told(text: str, total: int) -> AbstractContextManager[Callable[[], None]]:
    """Show a bar where there is a terminal, and a line everywhere."""
    say(f"· {_(text)} …")
    return progress(_(text), total)


def _print(table: Table) -> None:
    if not sys.stdout.isatty():
        click.echo(f"\n# {table.title}")
    print_table(table)


def _tables(figures: Report) -> Iterable[Table]:
    yield _markets(figures)
    yield _prices(figures)
    yield _calendar(figures)
    yield _outcomes(figures)
    yield _accounts(figures)
    yield _money(figures)
    yield _gas(figures)
    if figures.audit.findings:
        yield _findings(figures)
    yield _verdict(figures)


def _markets(figures: Report) -> Table:
    rows = (*figures.markets, figures.total(_("all")))
    return Table(
        name="demo.markets",
        title=_("Surplus of the clearings, and of naive matching on the same books"),
        columns=(
            Column(key="class", title=_("class")),
            Column(key="clearings", title=_("clearings"), right=True),
            Column(key="orders", title=_("orders"), right=True),
            Column(key="requested_h", title=_("requested, h"), right=True),
            Column(key="cleared_h", title=_("cleared, h"), right=True),
            Column(key="surplus_eur", title=_("surplus, EUR"), right=True),
            Column(key="greedy", title=_("greedy gets"), right=True),
            Column(key="first_come", title=_("first come gets"), right=True),
        ),
        rows=[
            (
                row.name,
                row.clearings,
                row.orders,
                _hours(row.requested),
                _hours(row.volume),
                _euros(row.surplus),
                _percent(row.greedy, row.surplus),
                _percent(row.first_come, row.surplus),
            )
            for row in rows
        ],
    )


def _prices(figures: Report) -> Table:
    cells: dict[int, dict[int, str]] = {}
    for row in figures.prices:
        text = f"{_euros(row.hourly)} ({_hours(row.quantity)} h)"
        cells.setdefault(row.slot, {})[row.class_code] = text
    return Table(
        name="demo.prices",
        title=_("Mean price in EUR/h of each day's capacity, and how much was sold"),
        columns=(
            Column(key="day", title=_("day")),
            *(
                Column(key=f"class_{row.class_code:08x}", title=row.name, right=True)
                for row in figures.markets
            ),
        ),
        rows=[
            (_date(slot), *(by_class.get(row.class_code, "") for row in figures.markets))
            for slot, by_class in sorted(cells.items())
        ],
    )


def _calendar(figures: Report) -> Table:
    names = {row.class_code: row.name for row in figures.markets}
    return Table(
        name="demo.calendar",
        title=_(
            "Use of each asset, a character a day: · nothing offered, ░ unsold, ▒ under half sold, "
            "▓ more, █ all"
        ),
        columns=(
            Column(key="asset", title=_("asset")),
            Column(key="firm", title=_("firm")),
            Column(key="class", title=_("class")),
            Column(key="days", title=_("days from the opening")),
            Column(key="used", title=_("sold"), right=True),
        ),
        rows=[
            (
                row.asset,
                row.firm,
                names[row.class_code],
                "".join(map(_shade, row.offered, row.sold)),
                _percent(row.used, 10_000),
            )
            for row in figures.calendar
        ],
    )


def _shade(offered: int, sold: int) -> str:
    if not offered:
        return _NOTHING_OFFERED
    if not sold:
        return _UNSOLD
    if sold >= offered:
        return _ALL
    return _MOST if 2 * sold >= offered else _SOME


def _outcomes(figures: Report) -> Table:
    return Table(
        name="demo.outcomes",
        title=_("How the deals ended"),
        columns=(
            Column(key="ending", title=_("deal")),
            Column(key="deals", title=_("deals"), right=True),
            Column(key="agreed_h", title=_("agreed, h"), right=True),
            Column(key="settled_h", title=_("settled, h"), right=True),
            Column(key="paid_eur", title=_("paid, EUR"), right=True),
        ),
        rows=[
            (
                _(row.ending.value),
                row.deals,
                _hours(row.quantity),
                _hours(row.settled),
                _euros(row.paid),
            )
            for row in figures.outcomes
        ],
    )


def _accounts(figures: Report) -> Table:
    sides = (_("provides"), _("consumes"))
    return Table(
        name="demo.accounts",
        title=_("Firms: money and credit; everybody began in band 0"),
        columns=(
            Column(key="firm", title=_("firm")),
            Column(key="side", title=_("side")),
            Column(key="deals", title=_("deals"), right=True),
            Column(key="in_eur", title=_("paid in, EUR"), right=True),
            Column(key="out_eur", title=_("taken home, EUR"), right=True),
            Column(key="good_eur", title=_("good, EUR"), right=True),
            Column(key="bad_eur", title=_("bad, EUR"), right=True),
            Column(key="highest", title=_("best band"), right=True),
            Column(key="band", title=_("last band"), right=True),
        ),
        rows=[
            (
                row.name,
                sides[row.side],
                row.deals,
                _euros(row.deposited),
                _euros(row.withdrawn),
                _euros(row.good),
                _euros(row.bad),
                row.highest,
                row.band,
            )
            for row in figures.accounts
        ],
    )


def _money(figures: Report) -> Table:
    money = figures.money
    return Table(
        name="demo.money",
        title=_("Money in equals money out"),
        columns=(
            Column(key="what", title=_("money")),
            Column(key="eur", title="EUR", right=True),
        ),
        rows=[
            (_("paid in by all firms"), _euros(money.deposited)),
            (_("went from consumers to providers for capacity"), _euros(money.paid)),
            (_("went from one firm to another as forfeited bonds"), _euros(money.forfeited)),
            (_("taken home by all firms"), _euros(money.withdrawn)),
            (_("still owed by the vault"), _euros(money.held)),
            (_("left in the vault"), _euros(money.balance)),
            (_("made or lost on the way"), _euros(money.gained)),
        ],
    )


def _gas(figures: Report) -> Table:
    return Table(
        name="demo.gas",
        title=_("Gas of whole transactions, before refunds"),
        columns=(
            Column(key="function", title=_("function")),
            Column(key="transactions", title=_("transactions"), right=True),
            Column(key="mean", title=_("mean gas"), right=True),
            Column(key="most", title=_("most"), right=True),
            Column(key="total", title=_("total"), right=True),
        ),
        rows=[
            (
                row.function,
                row.transactions,
                f"{row.gas // row.transactions:,}",
                f"{row.most:,}",
                f"{row.gas:,}",
            )
            for row in figures.functions
        ],
    )


def _findings(figures: Report) -> Table:
    return Table(
        name="demo.findings",
        title=_("What the audit found"),
        columns=(
            Column(key="rule", title=_("rule")),
            Column(key="where", title=_("where")),
            Column(key="expected", title=_("by the log")),
            Column(key="found", title=_("on the chain")),
        ),
        rows=[
            (finding.rule, finding.where, finding.expected, finding.found)
            for finding in figures.audit.findings[:_SHOWN_FINDINGS]
        ],
    )


def _verdict(figures: Report) -> Table:
    audit = figures.audit
    return Table(
        name="demo.verdict",
        title=_("Verdict"),
        columns=(
            Column(key="what", title=_("what")),
            Column(key="figure", title=_("figure"), right=True),
        ),
        rows=[
            (_("firms"), figures.firms),
            (_("orders posted"), f"{figures.orders:,}"),
            (_("of them signed, and carried by another"), figures.relayed),
            (_("orders cancelled, lowered, expired by a revocation"), _changes(figures)),
            (_("markets cleared, each proven optimal on chain"), figures.clearings),
            (_("deals made and settled"), figures.deals),
            (_("days from the opening to the last settlement"), figures.days),
            (_("transactions"), f"{figures.transactions:,}"),
            (_("logs replayed"), f"{audit.logs:,}"),
            (_("transactions that the rules decide alike"), f"{audit.commands:,}"),
            (_("views compared with the chain"), f"{audit.views:,}"),
            (_("storage words compared"), f"{audit.words:,}"),
            (_("contracts whose whole storage has the root that the log implies"), audit.roots),
            (_("batches whose code is what was posted"), audit.codes),
            (_("differences"), len(audit.findings)),
            (_("money made or lost"), _("none") if figures.money.conserved else _("some")),
            (_("state root"), figures.state_root),
            (_("verdict"), _("good") if figures.good else _("NOT GOOD")),
        ],
    )


def _changes(figures: Report) -> str:
    return f"{figures.cancelled}, {figures.reduced}, {figures.revoked}"


def _euros(amount: int) -> str:
    """Write 1/1000 EUR with two decimals, rounded half up."""
    cents = (abs(amount) + 5) // 10
    return f"{'-' if amount < 0 else ''}{cents // 100:,}.{cents % 100:02d}"


def _hours(minutes: int) -> str:
    """Write minutes as hours with one decimal, rounded half up."""
    tenths = (minutes + 3) // 6
    return f"{tenths // 10:,}.{tenths % 10}"


def _percent(part: int, whole: int) -> str:
    """Write a share with one decimal, rounded down: 100.0 % is all of it."""
    tenths = part * 1_000 // whole if whole else 0
    return f"{tenths // 10}.{tenths % 10} %"


def _date(slot: int) -> str:
    return datetime.fromtimestamp(slot * 86_400, UTC).strftime("%Y-%m-%d")
