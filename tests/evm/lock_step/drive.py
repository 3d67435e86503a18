"""A history of commands: mostly as the rules want them, the rest wrong on purpose."""

from collections import Counter
from dataclasses import dataclass, field, replace

from capshare import abi
from capshare.ledger import Refusal
from capshare.ledger.commands import (
    Command,
    ListClass,
    RegisterAsset,
    RetireClass,
    StartMove,
    VetoMove,
)
from tests.evm.lock_step.faults import (
    ELSEWHERE,
    FAULTS,
    council_faults,
    crowds,
    perturbed_clearing,
    post_in_a_retired_class,
)
from tests.evm.lock_step.moves import (
    MOVES,
    attest,
    clear,
    post_offers,
    post_requests,
    register_asset,
)
from tests.evm.lock_step.play import NEWCOMERS, Play, R
from tests.evm.world import ACCOUNTS

GOOD_SHARE = 0.6
CLEARING_SHARE = 0.1  # perturbed clearings; the other commands are other faults
TRIES = 12  # choices before time passes
DECREES_EVERY = 400  # commands between two proposals that fail inside the council's calls
VIEWS_EVERY = 100
RETIRED = 1 << 20  # code of a class that is listed only to be retired


@dataclass
class Tally:
    """What histories have reached."""

    commands: int = 0
    accepted: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    deal_states: Counter[int] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)
    accepted_share: list[float] = field(default_factory=list)

    def add(self, play: Play, done: int, accepted: int) -> None:
        self.commands += done
        self.accepted += play.pair.accepted
        self.refused += play.pair.refused
        self.deal_states += play.pair.deal_states
        self.events += play.pair.events
        self.accepted_share.append(accepted / max(done, 1))

    def unreached_errors(self) -> set[str]:
        return set(wanted_errors()) - set(self.refused)


def wanted_errors() -> frozenset[str]:
    """Return the errors of the eight contracts that commands can bring about."""
    tokens = {name for name in abi.error_names() if name.startswith(("ERC20", "Ownable"))}
    return abi.error_names() - tokens - set(ELSEWHERE)


def history(play: Play, commands: int, tally: Tally) -> None:
    """Play that many commands, compare storage and views on the way, count what came of it."""
    done = accepted = 0
    while done < commands:
        play.tick()
        command = _next(play)
        if command is None:
            continue
        accepted += not isinstance(play.run(command), Refusal)
        done += 1
        if done % VIEWS_EVERY == 0:
            play.pair.compare_storage()
            play.pair.compare_views()
        if done % DECREES_EVERY == DECREES_EVERY // 2:
            decrees(play)
    play.pair.compare_storage()
    play.pair.compare_views()
    tally.add(play, done, accepted)


def decrees(play: Play) -> None:
    """Let the council try each call that fails."""
    for error, calls in council_faults(play):
        refusal = play.decree(calls)
        assert isinstance(refusal, Refusal), error
        assert refusal.name == "CallFailed", (error, refusal)


def rich_markets(play: Play, rounds: int) -> int:
    """Fill books and try many wrong clearings on each before the right one; return how many."""
    done = 0
    for _ in range(rounds):
        play.warp((play.round + 1) * R)
        for move in [register_asset, attest, post_offers, post_requests] * 12:
            command = move(play)
            if command is not None:
                play.run(command)
        play.warp((play.round + 1) * R)
        for _ in range(60):
            command = perturbed_clearing(play)
            if command is not None:
                play.run(command)
                done += 1
        while (command := clear(play)) is not None:
            play.run(command)
    return done


def vetoed_move(play: Play) -> None:
    """Start a move of an account and let its holder stop it: in random histories that is rare."""
    play.council(StartMove, member=4, account=ACCOUNTS[max(NEWCOMERS)].raw)
    play.do(VetoMove, play.account(4), member=4)


def crowd_out(play: Play) -> None:
    """Reach the errors that only numbers, or a class of its own, bring about."""
    play.council(ListClass, class_=replace(play.state.classes[1], code=RETIRED), name="", unit="")
    play.council(RetireClass, code=RETIRED)
    command = post_in_a_retired_class(play)
    assert command is not None
    play.run(command)
    for error, calls in crowds(play):
        refusal = play.decree(calls)
        assert isinstance(refusal, Refusal), error
    for number in range(1_025 - play.state.assets_of[4]):
        play.run(
            play.command(
                RegisterAsset,
                play.account(4),
                member=4,
                code=play.state.classes[1].code,
                capacity=1,
                identity=(1 << 200 | number).to_bytes(32, "big"),
            )
        )


def _next(play: Play) -> Command | None:
    """Choose what is done next: mostly a move, else a fault, those reached least most often."""
    for _ in range(TRIES):
        throw = play.random.random()
        if throw < GOOD_SHARE:
            command = play.random.choices(list(MOVES), list(MOVES.values()))[0](play)
        elif throw < GOOD_SHARE + CLEARING_SHARE:
            command = perturbed_clearing(play)
        else:
            command = play.random.choice(FAULTS[_rare_error(play)])(play)
        if command is not None:
            return command
    return None


def _rare_error(play: Play) -> str:
    if play.random.random() < 0.5:
        return play.random.choice(list(FAULTS))
    rare = [error for error in FAULTS if not play.pair.refused[error]]
    return play.random.choice(rare or list(FAULTS))
