"""How results are printed: tables for people, tab-separated for pipes, JSON only when asked.

Data goes to stdout, talk and progress to stderr. Piped tables have a header of column keys, no
colour, nothing cut. JSON names its schema as `capshare.<name>/<version>`; a version changes when a
key goes or changes its meaning, never when one is added.
"""

import json
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import click


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column: `key` for machines (JSON key, piped header), `title` for people."""

    key: str
    title: str
    right: bool = False  # numbers stand to the right


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows under columns. `name` and `version` are the JSON schema's."""

    name: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[object]]
    title: str = ""
    version: int = 1


def print_table(table: Table, *, as_json: bool = False) -> None:
    """Print to stdout: JSON if asked, aligned for a terminal, tab-separated otherwise."""
    if as_json:
        keys = [column.key for column in table.columns]
        rows = [dict(zip(keys, row, strict=True)) for row in table.rows]
        print_json(table.name, {"rows": rows}, version=table.version)
    elif sys.stdout.isatty():
        _print_aligned(table)
    else:
        click.echo("\t".join(column.key for column in table.columns))
        for row in table.rows:
            click.echo("\t".join(printable(_cell(value)) for value in row))


def print_json(name: str, content: Mapping[str, object], *, version: int = 1) -> None:
    """Print one JSON document that names its schema; bytes become 0x-hexadecimal."""
    document = {"schema": f"capshare.{name}/{version}", **content}
    click.echo(json.dumps(document, ensure_ascii=False, indent=2, default=_plain))


def print_json_lines(name: str, rows: Iterable[Mapping[str, object]], *, version: int = 1) -> None:
    """Print one JSON object a line, each naming its schema, as they come."""
    for row in rows:
        document = {"schema": f"capshare.{name}/{version}", **row}
        click.echo(json.dumps(document, ensure_ascii=False, default=_plain))


def say(text: str) -> None:
    """Tell a person something; goes to stderr, so that a pipe's reader never meets it."""
    click.echo(text, err=True)


@contextmanager
def progress(text: str, total: int) -> Iterator[Callable[[], None]]:
    """Show a bar on stderr while `total` steps run, and give the function that ends a step.

    Nothing is shown where stderr is no terminal.
    """
    if not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(text, total=total)
        yield lambda: bars.advance(task)


def printable(text: str) -> str:
    r"""Escape what could break a line or command a terminal: tab as \t, ESC as \x1b.

    Names come from the chain, so anybody may have written them.
    """
    return "".join(
        character.encode("unicode_escape").decode("ascii")
        if unicodedata.category(character) in _COMMANDING
        else character
        for character in text
    )


_COMMANDING = frozenset(
    {"Cc", "Cf", "Cs", "Zl", "Zp"}
)  # control, format, surrogate, line, paragraph


def _print_aligned(table: Table) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table as Aligned
    from rich.text import Text

    aligned = Aligned(title=Text(printable(table.title)) if table.title else None, box=SIMPLE_HEAD)
    for column in table.columns:
        aligned.add_column(
            Text(column.title), justify="right" if column.right else "left", overflow="fold"
        )
    for row in table.rows:
        # Text, not str: a name like "[red]" must not be read as markup.
        aligned.add_row(*(Text(printable(_cell(value))) for value in row))
    Console(file=sys.stdout).print(aligned)


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case bytes():
            return "0x" + value.hex()
        case _:
            return str(value)


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    raise TypeError(f"{type(value).__name__} has no JSON form")
