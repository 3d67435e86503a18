"""`capshare devnet`: start, stop and steer a development chain on this machine."""

from collections.abc import Callable
from pathlib import Path

import click

from capshare.cli.options import json_option, zone_option
from capshare.cli.output import Column, Table, print_json, print_table, say
from capshare.cli.text import _
from capshare.errors import UsageError

directory_option: Callable[[Callable[..., None]], Callable[..., None]] = click.option(
    "--dir",
    "directory",
    envvar="CAPSHARE_DEVNET_DIR",
    show_envvar=True,
    type=click.Path(file_okay=False, path_type=Path),
    help=_("Directory of the devnet.  [default: devnet below CAPSHARE_HOME or the user's data]"),
)


@click.group(
    help=_(
        "Start, stop and steer a development chain on this machine.\n\nFor trying out only: it is "
        "one process, reachable from this machine, and anybody here may sign for its accounts."
    ),
    epilog=_("Example: capshare devnet up, then capshare deploy --devnet"),
)
def devnet() -> None:
    """Hold the commands."""


@devnet.command(
    epilog=_("Example: capshare devnet up --engine anvil --port 8600"),
    help=_(
        "Start a devnet, in the background unless --foreground.\n\nUnder London rules, without "
        "fees, each transaction in a block at once. `embedded` needs Python alone and loses its "
        "chain when it ends; `anvil` needs npm's @foundry-rs/anvil and goes on from its directory."
    ),
)
@click.option(
    "--engine",
    "engine_name",
    type=click.Choice(["embedded", "anvil"]),
    default="embedded",
    show_default=True,
    help=_("Program that runs the chain."),
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help=_("Port to listen on; 0 takes any free one.  [default: 8545 or any free one]"),
)
@directory_option
@click.option(
    "--chain-id", type=click.IntRange(1), default=31337, show_default=True, help=_("Chain id.")
)
@click.option(
    "--gas-limit",
    type=click.IntRange(1),
    default=200_000_000,
    show_default=True,
    help=_("Gas limit of a block."),
)
@click.option(
    "--block-time",
    type=click.IntRange(0),
    default=5,
    show_default=True,
    metavar="SECONDS",
    help=_("An idle chain shows an empty block after this long; 0 never."),
)
@click.option(
    "--seed",
    default="capshare devnet",
    show_default=True,
    help=_("Text that the funded accounts come from; the same seed gives the same accounts."),
)
@click.option("--foreground", is_flag=True, help=_("Stay until Ctrl-C."))
@json_option
def up(
    engine_name: str,
    port: int | None,
    directory: Path | None,
    chain_id: int,
    gas_limit: int,
    block_time: int,
    seed: str,
    foreground: bool,
    as_json: bool,
) -> None:
    """Start a devnet through `capshare.devnet`."""
    from capshare.devnet.engine import Plan
    from capshare.devnet.engines import engine_named

    engine = engine_named(engine_name)
    plan = Plan(
        directory=_directory(directory),
        chain_id=chain_id,
        port=port,
        gas_limit=gas_limit,
        block_time=block_time,
        seed=seed,
    )

    def show() -> None:
        _print_status(plan.directory, "UTC", as_json=as_json)

    if foreground:
        say(_("Ctrl-C ends it."))
        engine.run(plan, show)
        return
    engine.up(plan)
    show()
    if not engine.keeps_state:
        say(_("Its chain lives in the process: `capshare devnet down` loses it."))


@devnet.command(
    epilog=_("Example: capshare devnet status --json"),
    help=_("Say which devnet runs and where its chain stands."),
)
@directory_option
@zone_option
@json_option
def status(directory: Path | None, zone: str, as_json: bool) -> None:
    """Show the running devnet."""
    _print_status(_directory(directory), zone, as_json=as_json)


@devnet.command(
    epilog=_("Example: capshare devnet down"),
    help=_("End the devnet; no process of it is left."),
)
@directory_option
def down(directory: Path | None) -> None:
    """End the running devnet."""
    from capshare.devnet.engine import down as end
    from capshare.devnet.engines import engine_named

    ended = end(_directory(directory))
    say(_("Ended {engine} at {url}.").format(engine=ended.engine, url=ended.url))
    if engine_named(ended.engine).keeps_state:
        say(_("Its chain is kept; `capshare devnet up --engine anvil` goes on with it."))
    else:
        say(_("Its chain and everything on it are lost."))


@devnet.command(
    epilog=_("Example: capshare devnet warp 2h, or capshare devnet warp --to 2026-12-01T08:00"),
    help=_("Move the chain's time forward by DURATION, or to a time, and make a block there."),
)
@click.argument("duration", required=False)
@click.option("--to", "to_time", metavar="TIME", help=_("Time to move to, in ISO 8601."))
@directory_option
@zone_option
@json_option
def warp(
    duration: str | None, to_time: str | None, directory: Path | None, zone: str, as_json: bool
) -> None:
    """Move time forward."""
    from capshare.devnet.engine import warp as move
    from capshare.units import format_time, parse_duration, parse_time, zone_of

    if (duration is None) == (to_time is None):
        raise UsageError(
            _("name either a duration or a time with --to"),
            next_step=_("Write such as: capshare devnet warp 2h"),
        )
    place = zone_of(zone)
    head = move(
        _directory(directory),
        seconds=parse_duration(duration) if duration is not None else 0,
        to=parse_time(to_time, place) if to_time is not None else None,
    )
    content: dict[str, object] = {
        "head": head.number,
        "time": format_time(head.time, place),
        "timestamp": head.time,
    }
    _print("devnet-time", content, as_json=as_json)


def _directory(directory: Path | None) -> Path:
    from capshare.devnet.state import default_directory

    return (directory or default_directory()).absolute()


def _print_status(directory: Path, zone: str, *, as_json: bool) -> None:
    from capshare.devnet.engine import status as status_of
    from capshare.devnet.state import ACCOUNTS_FILE, LOG_FILE
    from capshare.units import format_time, zone_of

    found = status_of(directory)
    running, head = found.running, found.head
    content: dict[str, object] = {
        "engine": running.engine,
        "version": running.version,
        "rpc": running.url,
        "chain_id": running.chain_id,
        "head": head.number,
        "genesis": running.genesis_hash,
        "time": format_time(head.time, zone_of(zone)),
        "timestamp": head.time,
        "pid": running.pid,
        "accounts": str(directory / ACCOUNTS_FILE),
        "log": str(directory / LOG_FILE),
    }
    _print("devnet", content, as_json=as_json)


def _print(name: str, content: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        print_json(name, content)
        return
    columns = [Column(key="name", title=_("Name")), Column(key="value", title=_("Value"))]
    print_table(Table(name=name, columns=columns, rows=list(content.items())))
