"""What time the next block gets."""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockReading:
    """A clock's settings, for a snapshot to come back to."""

    offset: int
    next_time: int | None


class Clock:
    """Give each block a timestamp later than its parent's.

    Running, it follows `now` plus an offset, so a devnet keeps pace with people. Virtual, it moves
    one second a block and otherwise only when told, so the same commands give the same chain.
    """

    def __init__(self, *, virtual: bool, now: Callable[[], float] = time.time) -> None:
        self.virtual = virtual
        self._now = now
        self._offset = 0  # [s] ahead of `now`; for a virtual clock, ahead of the next block
        self._next: int | None = None

    @property
    def flows(self) -> bool:
        """Whether time goes on by itself, and nobody has named the next block's."""
        return not self.virtual and self._next is None

    def time_after(self, parent: int) -> int:
        """Return the timestamp [unix s] that a block on top of `parent`'s gets now."""
        if self._next is not None:
            return self._next
        flowing = parent + 1 if self.virtual else int(self._now())
        return max(parent + 1, flowing + self._offset)

    def advance(self, seconds: int, parent: int) -> int:
        """Move time forward from where it stands on top of `parent`'s.

        Returns the seconds by which it is ahead in all.
        """
        if not self.virtual:  # many blocks in a second may have left the wall behind
            now = int(self._now())
            self._offset = max(parent - now, self._offset)
        self._offset += seconds
        if self._next is not None:
            self._next += seconds
        return self._offset

    def set_next(self, timestamp: int) -> None:
        """Make `timestamp` the next block's, and go on from there."""
        self._next = timestamp

    def sealed(self, timestamp: int) -> None:
        """Tell the clock that a block got `timestamp`."""
        if self.virtual:
            self._offset = 0
        elif self._next is not None:
            self._offset = timestamp - int(self._now())
        self._next = None

    def reading(self) -> ClockReading:
        """Return the settings as they are."""
        return ClockReading(offset=self._offset, next_time=self._next)

    def restore(self, reading: ClockReading) -> None:
        """Go back to earlier settings."""
        self._offset, self._next = reading.offset, reading.next_time
