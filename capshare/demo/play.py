"""Play a scenario on a chain in this process, through the real contracts.

Time is virtual: a second a block, warped to the next moment of the day. The same scenario gives the
same chain, to the last hash.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Final

from capshare.codec import keccak
from capshare.data import OfferRow, deliveries
from capshare.demo import joining
from capshare.demo.cast import Cast, Player, cast
from capshare.demo.delivering import Deliveries, Moment
from capshare.demo.firms import COUNCIL, TRADER
from capshare.demo.outcomes import Courses
from capshare.demo.scenario import DAY, START, Scenario
from capshare.demo.stage import Stage, set_up
from capshare.demo.trading import Floor
from capshare.deployments import CONTRACTS
from capshare.ledger.commands import Withdraw
from capshare.ledger.credit import band_of, credit_of

#: Shows a bar of that many steps while its block runs; gives the function that ends a step.
Progress = Callable[[str, int], AbstractContextManager[Callable[[], None]]]

GENESIS: Final = START - DAY  # the day before the opening: time to join
POSTING: Final = 28_800  # 08:00, seconds after midnight UTC
SECOND_THOUGHTS: Final = 37_200  # 10:20, past the lock of the round
CLEARING: Final = 39_600  # 11:00, the start of a round
_VALIDATORS: Final = 4


@dataclass(slots=True)
class Played:
    """What is on stage when the curtain falls."""

    scenario: Scenario
    stage: Stage
    cast: Cast
    floor: Floor
    deliveries: Deliveries
    days: int = 0  # from the opening to the last deal's end
    bands: dict[int, list[int]] = field(default_factory=dict)  # by member: each evening's
    credit: dict[int, tuple[int, int]] = field(default_factory=dict)  # good and bad at the end
    withdrawn: dict[int, int] = field(default_factory=dict)  # by member [token base units]

    @property
    def traders(self) -> list[Player]:
        """List the members that trade, by number."""
        return [p for p in self.cast.players.values() if p.firm.roles & TRADER]


def silent(text: str, total: int) -> AbstractContextManager[Callable[[], None]]:
    """Show no progress."""
    return nullcontext(lambda: None)


def play(scenario: Scenario, progress: Progress = silent) -> Played:
    """Play a scenario to its end: every deal final, every member's money withdrawn."""
    players = cast(
        scenario.seed, scenario.firms, frozenset(asset.firm for asset in scenario.assets)
    )
    stage = _open(scenario, players, progress)
    played = Played(
        scenario=scenario,
        stage=stage,
        cast=players,
        floor=Floor(scenario=scenario, stage=stage, cast=players),
        deliveries=Deliveries(
            scenario=scenario, stage=stage, cast=players, courses=Courses(deliveries())
        ),
    )
    stage.on_event = played.deliveries.see
    _join(played, progress)
    _trade(played, progress)
    _leave(played, progress)
    return played


def _open(scenario: Scenario, players: Cast, progress: Progress) -> Stage:
    council = [p for p in players.players.values() if p.firm.roles & COUNCIL]
    with progress("Contracts deployed and verified", 1 + len(CONTRACTS)) as step:
        return set_up(
            genesis_time=GENESIS,
            accounts=players.accounts,
            parameters=scenario.parameters,
            founders=tuple(joining.founder(player) for player in council),
            validators=tuple(
                "0x" + keccak(f"validator {number}".encode())[-20:].hex()
                for number in range(_VALIDATORS)
            ),
            on_step=lambda _: step(),
        )


def _join(played: Played, progress: Progress) -> None:
    scenario, stage, players = played.scenario, played.stage, played.cast
    proposals = joining.proposals(scenario, stage, players)
    with progress("Classes and firms voted in", len(proposals)) as step:
        for reason, calls in proposals:
            joining.resolve(stage, players, reason, calls)
            step()
    with progress("Keys named, money paid in", 2 * len(scenario.deposits)) as step:
        joining.set_keys(scenario, stage, players, step)
        joining.pay_in(scenario, stage, players, step)
    with progress("Assets registered and attested", len(scenario.assets)) as step:
        joining.register(scenario, stage, players, step)


def _trade(played: Played, progress: Progress) -> None:
    """Run the days until the last deal is final."""
    deals = played.deliveries
    with progress("Days traded and delivered", _last_day(played.scenario)) as step:
        while played.days < len(played.scenario.days) or deals.unfinished:
            _day(played, played.days)
            played.days += 1
            step()


def _day(played: Played, day: int) -> None:
    floor, deals = played.floor, played.deliveries
    _wait(played, day, Moment.KEEPING)
    deals.settle()
    for moment in (Moment.DAWN, Moment.MORNING):
        _wait(played, day, moment)
        deals.act(day, moment)
    if day < len(played.scenario.days):
        trading = played.scenario.days[day]
        _wait(played, day, POSTING)
        floor.post(trading.postings)
        _wait(played, day, SECOND_THOUGHTS)
        floor.withdraw(trading.withdrawals)
        if day == played.scenario.revocation.day:
            floor.revoke()
        _wait(played, day, CLEARING)
        deals.add(floor.clear(day))
    for moment in (Moment.NOON, Moment.AFTERNOON, Moment.NIGHT):
        _wait(played, day, moment)
        deals.act(day, moment)
    for player in played.traders:
        band = band_of(played.stage.state, player.member, played.stage.now)
        played.bands.setdefault(player.member, []).append(band)


def _leave(played: Played, progress: Progress) -> None:
    """Remove what still stands and can no longer trade, and let everybody take its money home."""
    stage = played.stage
    _wait(played, max(played.days, _last_day(played.scenario)), Moment.KEEPING)
    played.floor.expire(played.floor.dead())
    with progress("Money withdrawn", len(played.traders)) as step:
        for player in played.traders:
            played.credit[player.member] = credit_of(stage.state, player.member, stage.now)
            amount = stage.state.free[player.member]
            if amount:
                command = Withdraw(
                    sender=player.account.raw,
                    now=stage.now,
                    member=player.member,
                    amount=amount,
                )
                stage.do(player.account, command)
            played.withdrawn[player.member] = amount
            step()


def _wait(played: Played, day: int, second: int) -> None:
    played.stage.wait_until(START + day * DAY + second)


def _last_day(scenario: Scenario) -> int:
    """Return a day, counted from the opening, by which all windows are over and deals final."""
    rules = scenario.parameters
    last = max(
        scenario.slot(row.slot if isinstance(row, OfferRow) else row.last_slot)
        for day in scenario.days
        for posting in day.postings
        for row in posting.rows
    )
    longest = rules.deliver_within + rules.accept_within + rules.answer_within + rules.rule_within
    return last - scenario.first_slot + 2 + longest // DAY
