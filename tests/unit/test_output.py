"""Tables, JSON and talk: what goes where, and in which form."""

import io
import json
import struct
import sys
from pathlib import Path

import click
import pytest

from capshare.cli.options import confirm
from capshare.cli.output import (
    Column,
    Table,
    print_json,
    print_json_lines,
    print_table,
    printable,
    progress,
    say,
)
from capshare.cli.text import catalogue
from capshare.errors import Declined

LONG = "Feinmechanische Werkstätten " * 20
TABLE = Table(
    name="firms",
    title="Firms",
    columns=[
        Column(key="name", title="Name"),
        Column(key="orders", title="Orders", right=True),
        Column(key="live", title="Live"),
        Column(key="hash", title="Hash"),
    ],
    rows=[(LONG, 2**70, True, b"\x01\xff"), ("[red]A\tB\x1b[31m\n", 3, False, None)],
)


class Terminal(io.StringIO):
    """A stream that claims to be a terminal."""

    def isatty(self) -> bool:
        """Say yes."""
        return True


def test_piped_table_is_tab_separated_uncut_and_escaped(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_table(TABLE)
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "name\torders\tlive\thash",
        f"{LONG}\t{2**70}\tyes\t0x01ff",
        r"[red]A\tB\x1b[31m\n" + "\t3\tno\t",
    ]
    assert err == ""


def test_terminal_table_is_aligned_and_reads_no_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm-256color")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    print_table(TABLE)
    shown = terminal.getvalue()
    assert "Firms" in shown
    assert "Orders" in shown
    assert "[red]A" in shown
    assert "\x1b[31m" not in shown
    assert shown.count("Werkstätten") == LONG.count("Werkstätten")
    assert "\t" not in shown


def test_json_table_names_its_schema_and_keeps_types(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(TABLE, as_json=True)
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "capshare.firms/1"
    assert document["rows"][0] == {
        "name": LONG,
        "orders": 2**70,
        "live": True,
        "hash": "0x01ff",
    }
    assert document["rows"][1]["hash"] is None


def test_table_with_a_row_of_another_length_is_a_mistake() -> None:
    uneven = Table(name="x", columns=TABLE.columns, rows=[(1, 2)])
    with pytest.raises(ValueError, match="zip"):
        print_table(uneven, as_json=True)


def test_json_document_keeps_letters_of_any_script(capsys: pytest.CaptureFixture[str]) -> None:
    print_json("verdict", {"firm": "深圳市"}, version=2)
    out = capsys.readouterr().out
    assert "深圳市" in out
    assert json.loads(out) == {"schema": "capshare.verdict/2", "firm": "深圳市"}


def test_json_of_what_has_no_form_is_a_mistake() -> None:
    with pytest.raises(TypeError, match="object has no JSON form"):
        print_json("x", {"value": object()})


def test_json_lines_each_name_their_schema(capsys: pytest.CaptureFixture[str]) -> None:
    print_json_lines("offer", ({"id": number} for number in (1, 2)))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines == [{"schema": "capshare.offer/1", "id": number} for number in (1, 2)]


def test_talk_goes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    say("working")
    assert capsys.readouterr() == ("", "working\n")


def test_progress_is_silent_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("Posting", 2) as step:
        step()
        step()
    assert capsys.readouterr() == ("", "")


def test_progress_is_shown_on_a_terminals_stderr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with progress("Posting", 2) as step:
        step()
        step()
    assert "Posting" in terminal.getvalue()
    assert "100%" in terminal.getvalue()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Müller & Söhne 深圳市", "Müller & Söhne 深圳市"),
        ("a\tb\nc", r"a\tb\nc"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("a\u202eb", r"a\u202eb"),
        ("\x9b31m", r"\x9b31m"),
    ],
)
def test_text_that_could_command_a_terminal_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_confirm_with_yes_does_not_ask(capsys: pytest.CaptureFixture[str]) -> None:
    confirm("Send?", yes=True)
    assert capsys.readouterr() == ("", "")


def test_confirm_declines_where_nobody_can_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(click, "get_text_stream", lambda name: io.StringIO("y\n"))
    with pytest.raises(Declined, match="nobody can answer") as caught:
        confirm("Send?", yes=False)
    assert "--yes" in caught.value.next_step


@pytest.mark.parametrize("answer", [True, False])
def test_confirm_goes_on_only_after_a_yes(monkeypatch: pytest.MonkeyPatch, answer: bool) -> None:
    monkeypatch.setattr(click, "get_text_stream", lambda name: Terminal())
    monkeypatch.setattr(click, "confirm", lambda question, err: answer)
    if answer:
        confirm("Send?", yes=False)
    else:
        with pytest.raises(Declined, match="you answered no"):
            confirm("Send?", yes=False)


def test_texts_come_from_a_catalogue_where_there_is_one(tmp_path: Path) -> None:
    folder = tmp_path / "xx" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "capshare.mo").write_bytes(
        compiled({"": "Content-Type: text/plain; charset=UTF-8\n", "Node to talk to.": "Knoten"})
    )
    assert catalogue(["xx"], tmp_path).gettext("Node to talk to.") == "Knoten"
    assert catalogue(["yy"], tmp_path).gettext("Node to talk to.") == "Node to talk to."


def compiled(texts: dict[str, str]) -> bytes:
    """Build a GNU .mo file: a header of seven words, two tables of (length, offset), the texts."""
    pairs = sorted((key.encode(), value.encode()) for key, value in texts.items())
    keys, values = zip(*pairs, strict=True)
    start = 28 + 16 * len(pairs)
    tables, blob = b"", b""
    for strings in (keys, values):
        for text in strings:
            tables += struct.pack("<II", len(text), start + len(blob))
            blob += text + b"\0"
    header = struct.pack("<7I", 0x950412DE, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, 0)
    return header + tables + blob
