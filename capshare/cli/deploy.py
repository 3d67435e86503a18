"""`capshare deploy`: put the contracts on a chain, or compare a deployment with its book."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from capshare.cli.options import confirm, dry_run_option, json_option, rpc_option, yes_option
from capshare.cli.output import Column, Table, print_json, print_table, progress, say
from capshare.cli.text import _
from capshare.errors import Discrepancy, UsageError

if TYPE_CHECKING:
    from capshare.deploy import Plan
    from capshare.deployments import AddressBook
    from capshare.keys import Signer

DEVNET_FOUNDERS = 3

name_option = click.option(
    "--name", default="default", show_default=True, help=_("Name of the deployment.")
)


@click.group(
    invoke_without_command=True,
    epilog=_("Example: capshare deploy --devnet --yes"),
    help=_(
        "Deploy the contracts; run it again to finish or to verify.\n\nWithout a plan file use "
        "--devnet: a new test token, and the devnet's first accounts as founders."
    ),
)
@click.option(
    "--plan",
    "plan_file",
    type=click.Path(path_type=Path),
    help=_("TOML file with parameters, token, founders, validators."),
)
@click.option("--devnet", is_flag=True, help=_("Sample plan on a devnet started by capshare."))
@click.option(
    "--parameters",
    "set_name",
    default="pilot",
    show_default=True,
    help=_("With --devnet: the parameter set."),
)
@click.option(
    "--keystore", type=click.Path(path_type=Path), help=_("Keystore v3 file of the deployer.")
)
@click.option(
    "--password-file",
    type=click.Path(path_type=Path),
    help=_("File that holds the keystore's password; otherwise a hidden prompt."),
)
@click.option(
    "--dir", "directory", type=click.Path(path_type=Path), help=_("With --devnet: its directory.")
)
@name_option
@rpc_option
@dry_run_option
@yes_option
@json_option
@click.pass_context
def deploy(
    ctx: click.Context,
    plan_file: Path | None,
    devnet: bool,
    set_name: str,
    keystore: Path | None,
    password_file: Path | None,
    directory: Path | None,
    name: str,
    rpc: str,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Deploy a plan through `capshare.deploy`."""
    if ctx.invoked_subcommand is not None:
        return
    from capshare import deploy as library
    from capshare.chain import Chain
    from capshare.deployments import book_path, home

    signer, plan = (
        _devnet(name, set_name, directory)
        if devnet
        else _planned(name, plan_file, keystore, password_file)
    )
    chain = Chain(rpc)
    path = book_path(home(), chain.chain_id, chain.genesis_hash, name)
    book = library.prepare(chain, signer.address, plan)
    planned = library.steps(book, plan)
    if not path.exists():
        _preview(book, planned)
        if dry_run:
            say(_("Dry run: nothing was sent."))
            return
        confirm(_("Send {count} transactions?").format(count=len(planned)), yes=yes)
    elif dry_run:
        say(_("Dry run: the deployment at {path} would be finished or verified.").format(path=path))
        return
    with progress(_("Deploying"), len(planned)) as done:
        book = library.deploy(chain, signer, plan, path, lambda _step: done())
    _print_book(book, path, as_json=as_json)


@deploy.command(
    epilog=_("Example: capshare deploy verify --rpc http://127.0.0.1:8545"),
    help=_("Compare a deployment's code, immutables, parameters and founders with its book."),
)
@name_option
@rpc_option
@json_option
def verify(name: str, rpc: str, as_json: bool) -> None:
    """Verify a deployment; exit 10 if it differs."""
    from capshare import deploy as library
    from capshare.chain import Chain
    from capshare.deployments import book_path, home, load

    chain = Chain(rpc)
    book = load(book_path(home(), chain.chain_id, chain.genesis_hash, name))
    found = library.verify(chain, book)
    if as_json:
        print_json("deployment-check", {"name": name, "differences": found})
    if found:
        raise Discrepancy("; ".join(found), next_step=_("Do not use this deployment."))
    say(_("Deployment {name} is what its book says.").format(name=name))


def _devnet(name: str, set_name: str, directory: Path | None) -> "tuple[Signer, Plan]":
    from capshare.devnet import accounts_of
    from capshare.keys import LocalSigner
    from capshare.plans import devnet_plan

    accounts = accounts_of(directory)
    founders = [account.address for account in accounts[:DEVNET_FOUNDERS]]
    return LocalSigner(accounts[-1].key), devnet_plan(name, set_name, founders)


def _planned(
    name: str, plan_file: Path | None, keystore: Path | None, password_file: Path | None
) -> "tuple[Signer, Plan]":
    from capshare.keys import open_keystore, read_password
    from capshare.plans import read_plan

    if plan_file is None or keystore is None:
        raise UsageError(
            _("a deployment needs --plan and --keystore, or --devnet"),
            next_step=_("On a devnet: capshare deploy --devnet"),
        )
    plan = read_plan(plan_file, name)
    password = (
        read_password(password_file)
        if password_file
        else click.prompt(_("Password of the keystore"), hide_input=True, err=True)
    )
    return open_keystore(keystore, password), plan


def _preview(book: "AddressBook", planned: list) -> None:  # type: ignore[type-arg]
    say(
        _("Deployment {name} on chain {chain} by {deployer}, token {symbol} {token}:").format(
            name=book.name,
            chain=book.chain_id,
            deployer=book.deployer,
            symbol=book.token_symbol,
            token=book.token,
        )
    )
    for step in planned:
        say(f"  {step.nonce:>6}  {step.contract:<16} {step.address}")


def _print_book(book: "AddressBook", path: Path, *, as_json: bool) -> None:
    if as_json:
        from dataclasses import asdict

        print_json("deployment", {"path": str(path), **asdict(book)})
        return
    rows = [(name, address) for name, address in book.addresses.items()]
    print_table(
        Table(
            name="deployment",
            title=_("Deployment {name}").format(name=book.name),
            columns=[
                Column(key="contract", title=_("Contract")),
                Column(key="address", title=_("Address")),
            ],
            rows=[*rows, (book.token_symbol, book.token)],
        )
    )
    say(_("Address book: {path}").format(path=path))
