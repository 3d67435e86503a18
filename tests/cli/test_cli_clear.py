"""`capshare clear`: both doors, their JSON, their refusals."""

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from capshare.cli import main

BOOK: dict[str, Any] = {
    "offers": [
        {"id": 1, "member": 1, "slot": 5, "quantity": 3, "price": 10, "attributes": 1, "credit": 2},
        {"id": 2, "member": 1, "slot": 6, "quantity": 3, "price": 11, "attributes": 0, "credit": 0},
    ],
    "requests": [
        {
            "id": 3,
            "member": 2,
            "from": 5,
            "to": 6,
            "quantity": 5,
            "price": 20,
            "needs": 0,
            "min_credit": 0,
        },
    ],
}
BEST = [
    {"offer": 1, "request": 3, "quantity": 3},
    {"offer": 2, "request": 3, "quantity": 2},
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a command left behind."""

    exit_code: int
    stdout: str
    stderr: str


@pytest.fixture
def invoke(capsys: pytest.CaptureFixture[str]) -> Any:
    """Run `capshare clear` with arguments."""

    def call(*arguments: str) -> Result:
        with pytest.raises(SystemExit) as caught:
            main(["clear", *arguments])
        captured = capsys.readouterr()
        return Result(
            exit_code=int(caught.value.code or 0), stdout=captured.out, stderr=captured.err
        )

    return call


@pytest.fixture
def run(invoke: Any, tmp_path: Path) -> Any:
    """Run a door on documents, which are written to files."""

    def call(door: str, *documents: Any, options: tuple[str, ...] = ()) -> Result:
        paths = []
        for number, document in enumerate(documents):
            path = tmp_path / f"{number}.json"
            text = document if isinstance(document, str) else json.dumps(document)
            path.write_text(text, encoding="utf-8")
            paths.append(str(path))
        result: Result = invoke(door, *paths, *options)
        return result

    return call


def test_solve_prints_the_best_allocation(run: Any) -> None:
    result = run("solve", BOOK)
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert found.pop("schema") == "capshare.allocation/1"
    prices = {group["slot"]: group["price"] for group in found["groups"]}
    assert found["surplus"] == 3 * 10 + 2 * 9
    assert found["volume"] == 5
    assert found["sold"] == {"1": 3, "2": 2}
    assert found["bought"] == {"3": 5}
    assert found["fills"] == BEST
    assert prices == {5: 11, 6: 11}
    low = {group["low"] for group in found["groups"]}
    assert low == {str(11 * 2**40 + 2)}
    assert set(found["groups"][0]) == {"slot", "attributes", "credit", "low", "high", "price"}


def test_check_prints_the_prices_for_pipes(run: Any) -> None:
    result = run("check", BOOK, {"fills": BEST})
    assert result.exit_code == 0
    header, *rows = result.stdout.splitlines()
    assert header == "slot\tattributes\tcredit\tlow\thigh\tprice"
    assert [row.split("\t")[0] for row in rows] == ["5", "6"]
    assert {row.split("\t")[-1] for row in rows} == {"11"}


def test_check_prints_json_when_asked(run: Any) -> None:
    result = run("check", BOOK, {"fills": BEST}, options=("--json",))
    found = json.loads(result.stdout)
    assert (found["schema"], found["accepted"]) == ("capshare.check/1", True)
    assert [group["price"] for group in found["groups"]] == [11, 11]


def test_solution_can_be_checked_as_it_is(run: Any) -> None:
    solution = json.loads(run("solve", BOOK).stdout)
    assert run("check", BOOK, solution).exit_code == 0


def test_fills_may_be_lists(run: Any) -> None:
    assert run("check", BOOK, {"fills": [[1, 3, 3], [2, 3, 2]]}).exit_code == 0


def test_check_refuses_with_the_reason(run: Any) -> None:
    result = run("check", BOOK, {"fills": BEST[:1]})
    assert result.exit_code == 10
    assert result.stdout == ""
    assert result.stderr.startswith("Error: suboptimal: ")


def test_check_refuses_in_json_when_asked(run: Any) -> None:
    wrong = {"fills": [{"offer": 1, "request": 3, "quantity": 4}]}
    result = run("check", BOOK, wrong, options=("--json",))
    assert result.exit_code == 10
    found = json.loads(result.stdout)
    assert (found["accepted"], found["reason"]) == (False, "overfill")
    assert found["detail"] == "order 1 is given 1 units too many"


@pytest.mark.parametrize(
    ("listed", "reason"),
    [
        ({"offers": [1], "requests": [3]}, "missing order"),
        ({"offers": [2, 1], "requests": [3]}, "unsorted"),
        ({"offers": [1, 2], "requests": [3]}, None),
    ],
)
def test_check_heeds_the_listed_orders(
    run: Any, listed: dict[str, list[int]], reason: str | None
) -> None:
    result = run("check", BOOK, {"fills": BEST, **listed})
    assert result.exit_code == (10 if reason else 0)
    assert reason is None or f"Error: {reason}: " in result.stderr


def _changed(side: str, row: int, **changes: Any) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(BOOK))
    for key, value in changes.items():
        name = key.rstrip("_")
        if value is None:
            del copy[side][row][name]
        else:
            copy[side][row][name] = value
    return copy


@pytest.mark.parametrize(
    ("book", "message"),
    [
        ("{", "is no JSON"),
        ([], "is no JSON object with 'offers'"),
        ({"offers": []}, "requests is no list"),
        ({"offers": [7], "requests": []}, "offers, row 1: 7 is no order"),
        (_changed("offers", 1, price=None), "offers, row 2: price is missing"),
        (_changed("offers", 1, price="11"), "offers, row 2: price is '11'"),
        (_changed("offers", 1, price=-1), "offers, row 2: price is -1"),
        (_changed("offers", 1, price=2**72), "offers, row 2: price 4722366482869645213696"),
        (_changed("offers", 1, id=2**38), "offers, row 2: id 274877906944"),
        (_changed("offers", 1, id=1), "offers, row 2: id 1 stands in an earlier row"),
        (_changed("offers", 0, quantity=0), "offers, row 1: quantity is 0"),
        (_changed("offers", 0, quantity=1.5), "offers, row 1: quantity is 1.5"),
        (_changed("requests", 0, from_=7), "requests, row 1: to 6 is before from 7"),
        (_changed("requests", 0, needs=None), "requests, row 1: needs is missing"),
    ],
)
def test_malformed_book_is_refused_with_its_row(run: Any, book: Any, message: str) -> None:
    result = run("solve", book)
    assert result.exit_code == 2
    assert message in result.stderr


@pytest.mark.parametrize(
    ("allocation", "message"),
    [
        ("nonsense", "is no JSON"),
        ({}, "fills is no list"),
        ({"fills": ["x"]}, "fill 1: 'x' is no fill"),
        ({"fills": [BEST[0], {"offer": 1, "request": 3}]}, "fill 2: quantity is missing"),
        ({"fills": [[1, 3, "3"]]}, "fill 1: quantity is '3'"),
        ({"fills": [], "offers": [1, None], "requests": []}, "offers, row 2: id is missing"),
        ({"fills": [], "offers": [1]}, "requests is no list"),
    ],
)
def test_malformed_allocation_is_refused_with_its_row(
    run: Any, allocation: Any, message: str
) -> None:
    result = run("check", BOOK, allocation)
    assert result.exit_code == 2
    assert message in result.stderr


def test_missing_file_is_a_wrong_use(invoke: Any) -> None:
    result = invoke("solve", "no-such-book.json")
    assert result.exit_code == 2
    assert "no-such-book.json" in result.stderr


def test_book_may_come_from_standard_input(invoke: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(json.dumps(BOOK).encode()), encoding="utf-8")
    monkeypatch.setattr("sys.stdin", stream)
    assert json.loads(invoke("solve", "-").stdout)["volume"] == 5


def test_help_shows_both_doors(invoke: Any) -> None:
    result = invoke("--help")
    assert result.exit_code == 0
    assert "solve" in result.stdout
    assert "check" in result.stdout
