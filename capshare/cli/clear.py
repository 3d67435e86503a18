"""`capshare clear`: the two doors for measuring matching by itself, without a chain."""

import json
from typing import TYPE_CHECKING

import click

from capshare.cli.options import json_option
from capshare.cli.output import Column, Table, print_json, print_table
from capshare.cli.text import _
from capshare.errors import UsageError

if TYPE_CHECKING:
    from typing import TextIO

book_argument = click.argument("book_file", metavar="BOOK.json", type=click.File(encoding="utf-8"))


@click.group(
    epilog=_("Example: capshare clear solve book.json > best.json"),
    help=_(
        "Solve a book, or check an allocation, without a chain.\n\n"
        'A book is {"offers": […], "requests": […]}, an allocation {"fills": […]}; a file may be '
        "- for standard input. Both apply no bound: any size, window, mask and lot."
    ),
)
def clear() -> None:
    """Hold the two commands."""


@clear.command(
    epilog=_("Example: capshare clear solve book.json > best.json"),
    help=_(
        "Find the best allocation of a book and print it as JSON.\n\n"
        "Greatest surplus, then greatest volume, then earliest orders; what each order trades and "
        "the prices are unique. Books of more than 2,000 orders need OR-tools."
    ),
)
@book_argument
def solve(book_file: "TextIO") -> None:
    """Solve through `market.solver`."""
    from capshare.market.documents import allocation_to_json, book_from_json
    from capshare.market.solver import solve as find_best

    best = find_best(book_from_json(_read(book_file)))
    print_json("allocation", allocation_to_json(best))


@clear.command(
    epilog=_("Example: capshare clear check book.json best.json"),
    help=_(
        "Check that an allocation is the best one of a book, and print the prices.\n\n"
        "Prices follow from the allocation alone. Exit code 10 and the reason if it is refused."
    ),
)
@book_argument
@click.argument("allocation_file", metavar="ALLOCATION.json", type=click.File(encoding="utf-8"))
@json_option
def check(book_file: "TextIO", allocation_file: "TextIO", as_json: bool) -> None:
    """Check through `market.certificate`."""
    from capshare.market.certificate import AllocationRefused
    from capshare.market.certificate import check as prove
    from capshare.market.documents import (
        book_from_json,
        fills_from_json,
        listed_from_json,
        prices_to_json,
    )

    book, allocation = book_from_json(_read(book_file)), _read(allocation_file)
    try:
        proof = prove(book, fills_from_json(allocation), listed_from_json(allocation))
    except AllocationRefused as error:
        if as_json:
            print_json("check", {"accepted": False, "reason": error.reason, "detail": error.detail})
        raise
    groups = prices_to_json(proof.prices)
    if as_json:
        print_json("check", {"accepted": True, "groups": groups})
        return
    columns = (
        Column(key="slot", title=_("Slot"), right=True),
        Column(key="attributes", title=_("Attributes"), right=True),
        Column(key="credit", title=_("Credit"), right=True),
        Column(key="low", title=_("Low"), right=True),
        Column(key="high", title=_("High"), right=True),
        Column(key="price", title=_("Price"), right=True),
    )
    rows = [[group[column.key] for column in columns] for group in groups]
    print_table(
        Table(name="check", columns=columns, rows=rows, title=_("The allocation is the best one"))
    )


def _read(file: "TextIO") -> object:
    try:
        return json.load(file)
    except (ValueError, RecursionError) as error:  # also wrong UTF-8, and numbers without end
        raise UsageError(
            _("{file} is no JSON: {error}").format(file=file.name, error=error)
        ) from error
