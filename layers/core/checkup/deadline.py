"""Deadlines on the monotonic clock, and a stopwatch for the phases of an attempt."""

from __future__ import annotations

import time
from collections.abc import Callable

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

    def phase(self, name: str) -> _Phase:
        """Add the time of the block to a phase of :class:`~checkup.model.Phases`."""
        return _Phase(self, name)

    def add(self, name: str, since_ns: int) -> None:
        """Add the time since ``since_ns``, as :meth:`elapsed_ns` gave it, to a phase."""
        self._phases[name] = self._phases.get(name, 0) + self.elapsed_ns() - since_ns

    def phases(self) -> Phases:
        """Return the phases so far."""
        return Phases(**self._phases)

    def __str__(self) -> str:
        """The elapsed time, to the tenth of a second, or to the millisecond below that."""
        elapsed = self.elapsed_ns()
        unit = _TENTH if elapsed >= _TENTH else _TENTH // 100
        return format_duration(elapsed // unit * unit)


class _Phase:
    """A block of which a stopwatch measures the time; much cheaper than a generator."""

    def __init__(self, watch: Stopwatch, name: str) -> None:
        self._watch = watch
        self._name = name

    def __enter__(self) -> None:
        self._since_ns = self._watch.elapsed_ns()

    def __exit__(self, *_: object) -> None:
        self._watch.add(self._name, self._since_ns)


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
