"""`capshare demo`: what people, pipes and programs read, and how it says that all is well."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from capshare.cli import main
from capshare.demo.outcomes import Ending
from capshare.demo.play import Played, play
from capshare.demo.scenario import SMALL, choose
from capshare.demo.source import EmbeddedSource
from capshare.errors import Discrepancy
from capshare.replay import Finding, Replay, replay

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def played() -> Played:
    return play(choose(1, SMALL))


@pytest.fixture(scope="module")
def audit(played: Played) -> Replay:
    return replay(EmbeddedSource(played.stage.chain), played.stage.book)


@pytest.fixture
def staged(played: Played, audit: Replay, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the command take a play and an audit that were made already."""
    monkeypatch.setattr("capshare.demo.play.play", lambda scenario, progress: played)
    monkeypatch.setattr("capshare.replay.replay", lambda source, book, progress: audit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What the command left."""

    exit_code: object
    stdout: str
    stderr: str


Run = Callable[..., Result]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command and keep what it printed."""

    def call(*arguments: str) -> Result:
        with pytest.raises(SystemExit) as left:
            main(["demo", *arguments])
        printed = capsys.readouterr()
        return Result(exit_code=left.value.code, stdout=printed.out, stderr=printed.err)

    return call


def test_demo_plays_audits_and_reports_as_json(run: Run, played: Played) -> None:
    result = run("--small", "--json")
    assert result.exit_code == 0, result.stdout
    document = json.loads(result.stdout)
    assert document["schema"] == "capshare.demo/1"
    assert document["good"] is True
    assert document["audit"]["findings"] == []
    assert document["money"]["conserved"] is True
    assert document["state_root"] == "0x" + played.stage.chain.head.header.state_root.hex()
    assert {row["ending"] for row in document["outcomes"]} == {str(e) for e in Ending}
    assert "Days traded and delivered" in result.stderr


@pytest.mark.usefixtures("staged")
def test_demo_prints_every_table_with_a_title(run: Run, played: Played) -> None:
    result = run("--small")
    assert result.exit_code == 0, result.stdout
    blocks = result.stdout.strip().split("\n# ")
    assert len(blocks) == 8
    assert "verdict\tgood" in blocks[-1]
    assert "differences\t0" in blocks[-1]
    for player in played.traders:
        assert player.firm.name in result.stdout
    for ending in Ending:
        assert ending.value in result.stdout
    assert "█" in result.stdout


@pytest.mark.usefixtures("staged")
def test_demo_pipes_rows_of_equal_width(run: Run) -> None:
    for block in run("--small").stdout.strip().split("\n# "):
        header, *rows = block.strip().splitlines()[1:]
        assert rows
        assert {row.count("\t") for row in rows} == {header.count("\t")}


@pytest.mark.usefixtures("staged")
def test_demo_keeps_talk_out_of_stdout(run: Run) -> None:
    result = run("--small")
    assert "seed 1" in result.stderr
    assert "seed 1" not in result.stdout


@pytest.mark.usefixtures("staged")
def test_demo_exits_10_and_shows_what_differs(
    run: Run, audit: Replay, monkeypatch: pytest.MonkeyPatch
) -> None:
    finding = Finding(rule="view", where="Vault.held()", expected="0", found="7")
    bad = replace(audit, findings=(finding,))
    monkeypatch.setattr("capshare.replay.replay", lambda source, book, progress: bad)
    result = run("--small")
    assert result.exit_code == Discrepancy.exit_code == 10
    assert "view\tVault.held()\t0\t7" in result.stdout
    assert "verdict\tNOT GOOD" in result.stdout
    assert "found: 1" in result.stderr


def test_demo_refuses_a_negative_seed(run: Run) -> None:
    result = run("--seed", "-1")
    assert result.exit_code == 2


def test_demo_explains_itself_without_playing(run: Run) -> None:
    result = run("--help")
    assert result.exit_code == 0
    assert "--seed" in result.stdout
