"""Deadlines on the monotonic clock, and a stopwatch for the phases of an attempt."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from msgspec import Struct

from checkup.model import Phases
from checkup.times import SECOND, format_duration

_TENTH = SECOND // 10


class Stopwatch:
    """Measures time since its creation, and the total of each phase, failed ones included.

    Args:
        clock: nanoseconds that only ever grow.
    """

    def __init__(self, clock: Callable[[], int] = time.perf_counter_ns) -> None:
        self._clock = clock
        self._started = clock()
        self._phases: dict[str, int] = {}

    def elapsed_ns(self) -> int:
        """Nanoseconds since the start."""
        return self._clock() - self._started

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Add the time of the block to a phase of :class:`~checkup.model.Phases`."""
        started = self._clock()
        try:
            yield
        finally:
            spent = self._clock() - started
            self._phases[name] = self._phases.get(name, 0) + spent

    def phases(self) -> Phases:
        """Return the phases so far."""
        return Phases(**self._phases)

    def __str__(self) -> str:
        """The elapsed time, to the tenth of a second, or to the millisecond below that."""
        elapsed = self.elapsed_ns()
        unit = _TENTH if elapsed >= _TENTH else _TENTH // 100
        return format_duration(elapsed // unit * unit)


class Deadline(Struct, frozen=True):
    """An absolute time on the monotonic clock, in seconds.

    Attempts and runs have one each; every step inside gets the remaining time.
    """

    at: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """Return the deadline that many seconds from now."""
        return cls(time.monotonic() + seconds)

    def remaining(self) -> float:
        """Seconds until the deadline; negative once it has passed."""
        return self.at - time.monotonic()

    def within(self, seconds: float) -> Deadline:
        """Return the earlier of this deadline and the one that many seconds from now."""
        return Deadline(min(self.at, time.monotonic() + seconds))
