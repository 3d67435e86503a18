"""How each deal ends: as the shop-floor data say, and now and then as only people can.

The data know lateness, short deliveries, rejects and breakdowns. They know no silence, no dispute
and no agreement to part: every third deal takes its ending from a deck instead, so that a short
market day shows all of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from capshare.data import DeliveryRow

RATE_BASE: Final = 10_000
TOLERATED: Final = 200  # rejects up to this share are accepted [1/10,000]
CONCEDED: Final = 500  # rejects up to this share the provider concedes [1/10,000]


class Ending(StrEnum):
    """What a deal comes to. Each value is what people read."""

    ON_TIME = "delivered on time"
    LATE = "delivered late, within the deadline"
    PARTIAL = "delivered in part"
    SILENT = "consumer silent, settled as reported"
    CONCEDED = "contested, provider concedes"
    RULED = "disputed, ruled by its arbiter"
    RULED_BY_OTHER = "disputed, ruled by another arbiter"
    UNRULED = "disputed, nobody ruled"
    RELEASED = "given up before the gate"
    CANCELLED = "cancelled by both before delivery"
    CANCELLED_CONTESTED = "contested, then cancelled by both"
    DEFAULTED = "nothing delivered"


DECK: Final = (
    Ending.SILENT,
    Ending.RULED,
    Ending.CANCELLED,
    Ending.CONCEDED,
    Ending.RELEASED,
    Ending.UNRULED,
    Ending.DEFAULTED,
    Ending.RULED_BY_OTHER,
    Ending.PARTIAL,
    Ending.CANCELLED_CONTESTED,
    Ending.LATE,
)
_EVERY: Final = 3  # one deal in so many takes its ending from the deck


CONTESTED: Final = frozenset(
    {
        Ending.CONCEDED,
        Ending.RULED,
        Ending.RULED_BY_OTHER,
        Ending.UNRULED,
        Ending.CANCELLED_CONTESTED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What the parties of a deal will do. Shares are of the deal's quantity [1/10,000]."""

    ending: Ending
    delivered: int
    accepted: int

    def reported(self, quantity: int) -> int:
        """Return what the provider reports of a quantity; at least one unit."""
        return max(1, quantity * self.delivered // RATE_BASE)

    def good(self, quantity: int) -> int:
        """Return what the consumer accepts; less than reported if the deal is contested."""
        if self.ending not in CONTESTED:
            return self.reported(quantity)
        return min(self.reported(quantity) - 1, quantity * self.accepted // RATE_BASE)


def course(row: DeliveryRow, forced: Ending | None = None) -> Course:
    """Return what happens to a deal whose delivery the data describe.

    A breakdown is given up before the gate; two days late is too late; rejects above the tolerance
    are contested, and the provider concedes them if they are few or it reworked the parts anyway.
    `forced` overrides the ending.
    """
    ending = forced or _ending(row)
    delivered = min(RATE_BASE, row.delivered_ratio)
    accepted = delivered
    if ending == Ending.PARTIAL and delivered == RATE_BASE:
        delivered = accepted = RATE_BASE * 4 // 5
    if ending in CONTESTED:
        rejected = max(row.rejected, CONCEDED)  # a contest needs a difference of a unit at least
        accepted = max(0, delivered - rejected)
    return Course(ending=ending, delivered=delivered, accepted=accepted)


class Courses:
    """Hand out a course to each deal as it is made: a provider's n-th deal takes its n-th row.

    One cycle through all deals: the same deals in the same order get the same courses.
    """

    def __init__(self, rows: Iterable[DeliveryRow], deck: Sequence[Ending] = DECK) -> None:
        self._rows: dict[str, list[DeliveryRow]] = {}
        for row in rows:
            self._rows.setdefault(row.firm, []).append(row)
        self._dealt: dict[str, int] = {}
        self._deck = deck
        self._count = 0

    def next(self, provider: str) -> Course:
        """Return the course of the provider's next deal."""
        rows = self._rows[provider]
        number = self._dealt.get(provider, 0)
        self._dealt[provider] = number + 1
        self._count += 1
        turn, rest = divmod(self._count, _EVERY)
        forced = None if rest else self._deck[(turn - 1) % len(self._deck)]
        return course(rows[number % len(rows)], forced)


def _ending(row: DeliveryRow) -> Ending:
    if row.breakdown:
        return Ending.RELEASED
    if row.late_days >= 2 or not row.delivered_ratio:
        return Ending.DEFAULTED
    if row.rejected > TOLERATED:
        return Ending.CONCEDED if row.rework or row.rejected <= CONCEDED else Ending.RULED
    if row.delivered_ratio < RATE_BASE:
        return Ending.PARTIAL
    return Ending.LATE if row.late_days else Ending.ON_TIME
