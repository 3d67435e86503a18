"""The command line: one module a noun, imported only when its command runs.

A command parses, calls the library once and prints. Data goes to stdout, talk to stderr. Errors of
the library become exit codes here and nowhere else.
"""

from dataclasses import dataclass
from importlib import import_module

import click

from capshare import RULES_VERSION, __version__
from capshare.cli.text import _
from capshare.errors import INTERRUPTED, CapshareError, UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Where a command lives and what the listing says of it without importing it."""

    target: str  # module:attribute
    summary: str


COMMANDS: dict[str, Entry] = {
    "clear": Entry(
        target="capshare.cli.clear:clear",
        summary=_("Solve a book, or check an allocation, without a chain."),
    ),
    "demo": Entry(
        target="capshare.cli.demo:demo",
        summary=_("Run a full market day on an in-process chain."),
    ),
    "deploy": Entry(
        target="capshare.cli.deploy:deploy",
        summary=_("Deploy the contracts, or verify a deployment."),
    ),
    "devnet": Entry(
        target="capshare.cli.devnet:devnet",
        summary=_("Start, stop and steer a development chain."),
    ),
}


class Refusal(click.ClickException):
    """Show an error of the library: what is wrong, then the next step."""

    def __init__(self, error: CapshareError) -> None:
        super().__init__(error.message)
        self.exit_code = error.exit_code
        self.next_step = error.next_step

    def show(self, file: object = None) -> None:
        """Print to stderr, never to stdout: a pipe's reader gets data only."""
        click.echo(_("Error: {message}").format(message=self.message), err=True)
        if self.next_step:
            click.echo(_("Next: {step}").format(step=self.next_step), err=True)


class LazyGroup(click.Group):
    """Know the commands by name and import one only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands in alphabetical order."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the command, or None if there is none of that name."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module, attribute = entry.target.split(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from their summaries; click's own way would import them all."""
        with formatter.section(_("Commands")):
            formatter.write_dl([(name, COMMANDS[name].summary) for name in self.list_commands(ctx)])

    def invoke(self, ctx: click.Context) -> object:
        """Run the command and turn errors of the library and Ctrl-C into exit codes."""
        try:
            return super().invoke(ctx)
        except CapshareError as error:
            raise Refusal(error) from error
        except ModuleNotFoundError as error:
            package = (error.name or "").partition(".")[0]
            if package in ("", "capshare"):
                raise
            raise Refusal(_missing(package)) from error
        except (KeyboardInterrupt, click.Abort):
            click.echo(_("Interrupted."), err=True)
            ctx.exit(INTERRUPTED)


def _missing(package: str) -> UsageError:
    """Explain a package that the lean base install leaves out."""
    return UsageError(
        _("this command needs the Python package {package}").format(package=package),
        next_step=_("Install capshare[demo], or capshare[solver] to clear without a chain."),
    )


def _print_version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if not value or ctx.resilient_parsing:
        return
    click.echo(
        _("capshare {version}, rules {rules}").format(version=__version__, rules=RULES_VERSION)
    )
    ctx.exit()


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help=_(
        "Share manufacturing capacity on a consortium chain: post, clear, deliver, settle, audit."
    ),
    epilog=_(
        "Exit codes: 0 ok, 1 unexpected, 2 usage, 3 network, 4 key, 5 refused by the rules, "
        "6 not found, 7 declined, 10 discrepancy proven, 11 could not verify, "
        "12 chain integrity broken, 130 interrupted."
    ),
)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_print_version,
    help=_("Print the version and exit."),
)
def main() -> None:
    """Hold the commands; each does its work itself."""
