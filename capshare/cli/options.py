"""Options that several commands share, defined once so that they mean the same everywhere.

Some may come from `CAPSHARE_*` variables. `--yes`, `--dry-run` and secrets never do: consent and
previews are given on the command line, keys by a keystore file and a prompt.
"""

import click

from capshare.cli.text import _
from capshare.errors import Declined

json_option = click.option(
    "--json", "as_json", is_flag=True, help=_("Print JSON with a versioned schema, no table.")
)

rpc_option = click.option(
    "--rpc",
    envvar="CAPSHARE_RPC",
    show_envvar=True,
    default="http://127.0.0.1:8545",
    show_default=True,
    metavar="URL",
    help=_("Node to talk to."),
)

zone_option = click.option(
    "--zone",
    envvar="CAPSHARE_ZONE",
    show_envvar=True,
    default="UTC",
    show_default=True,
    metavar="ZONE",
    help=_("Time zone of what is read and printed, such as Europe/Berlin."),
)

dry_run_option = click.option(
    "--dry-run", is_flag=True, help=_("Say what would be sent, and send nothing.")
)

yes_option = click.option("--yes", "-y", is_flag=True, help=_("Do not ask before sending."))


def confirm(question: str, *, yes: bool) -> None:
    """Ask on stderr and go on only after a yes.

    Raise `Declined` on a no, and where nobody can answer.
    """
    if yes:
        return
    if not click.get_text_stream("stdin").isatty():
        raise Declined(
            _("nobody can answer: {question}").format(question=question),
            next_step=_("Add --yes to go on without a question."),
        )
    if not click.confirm(question, err=True):
        raise Declined(_("you answered no: {question}").format(question=question))
