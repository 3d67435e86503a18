"""`capshare demo`: a market day on a chain in this process, and tables of what came of it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from capshare.cli.options import json_option
from capshare.cli.output import print_json, print_table, progress, say
from capshare.cli.text import _

if TYPE_CHECKING:
    from capshare.demo.report import Report


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
@click.option("--small", is_flag=True, help=_("Play a quarter of it, in a few seconds."))
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
        _("{firms} firms, {orders} orders, {days} trading days; seed {seed}").format(
            firms=len(scenario.firms),
            orders=scenario.orders,
            days=len(scenario.days),
            seed=seed,
        )
    )
    played = play(scenario, _told)
    audit = replay(EmbeddedSource(played.stage.chain), played.stage.book, _told)
    figures = report(played, audit)
    if as_json:
        print_json("demo", figures.to_dict())
    else:
        _print(figures, time.monotonic() - started)
    if not figures.good:
        _refuse(figures)
