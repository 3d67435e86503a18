"""Chain and ledger in lock-step: the same commands, the same events, errors, words and views.

In the test run 5,000 commands are played; `CAPSHARE_COMMANDS=1000000` plays that many.
"""

import os
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from capshare.events import EVENTS
from capshare.ledger import calldata
from capshare.ledger.commands import Intrude
from capshare.ledger.deals import DealState
from tests.evm.lock_step.drive import (
    Tally,
    crowd_out,
    history,
    rich_markets,
    vetoed_move,
    wanted_errors,
)
from tests.evm.lock_step.play import Play
from tests.evm.machines import PyEvm

COMMANDS = int(os.environ.get("CAPSHARE_COMMANDS", "5000"))
HISTORY = 500  # commands of one deployment
COUNCILS_OWN = {"RulesSet"}  # of the constructor: compared by Pair's founding events


@pytest.mark.slow
def test_chain_and_ledger_stay_in_lock_step(capsys):
    tally = Tally()
    seed = 0
    while tally.commands < COMMANDS:
        seed += 1
        history(Play(seed), min(HISTORY, COMMANDS - tally.commands), tally)
    last = Play(seed + 1)
    rich_markets(last, 6)
    vetoed_move(last)
    crowd_out(last)
    tally.add(last, 0, 0)
    report(tally, capsys)
    assert tally.unreached_errors() == set()
    kinds = {c.__name__ for c in calldata.COMMANDS.values()} | {Intrude.__name__}
    assert kinds - set(tally.accepted) - {Intrude.__name__} == set()
    assert {state for state, count in tally.deal_states.items() if count} >= set(DealState) - {0}
    assert set(EVENTS) - set(tally.events) - COUNCILS_OWN == set()
    share = sum(tally.accepted_share[:-1]) / len(tally.accepted_share[:-1])
    assert share >= 0.4


@pytest.mark.slow
def test_lock_step_on_py_evm():
    tally = Tally()
    play = Play(7, exact=True)
    history(play, 150, tally)
    machine = play.pair.world.machine
    assert isinstance(machine, PyEvm)
    play.pair.compare_roots(machine)


@settings(
    max_examples=int(os.environ.get("CAPSHARE_EXAMPLES", "10")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(st.randoms(use_true_random=False))
def test_short_histories_of_any_kind_stay_in_lock_step(chance: random.Random):
    play = Play(0)
    play.random = chance
    history(play, 40, Tally())


def report(tally: Tally, capsys) -> None:
    with capsys.disabled():
        print(f"\n{tally.commands} commands, accepted by kind {dict(tally.accepted)}")
        print(f"errors {dict(tally.refused)}; unreached {tally.unreached_errors()}")
        print(f"deals by state {dict(tally.deal_states)}; wanted errors {len(wanted_errors())}")
