"""What a stack has to do in an hour, and how often it asks S3 for that. Pure.

How often S3 is asked is held to what an emulator counts in an hour in which nothing happens
(bench/bench_requests.py). How long a run takes can only be guessed before one did.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from msgspec import Struct

from checkup.archive.keeping import MAX_LAG as HISTORY_LAG
from checkup.protocol.folding import MAX_LAG

PAGES: Final = 12
"""Of an hour by their schedule; each change of the state makes one more."""

WHOLE_PROCESSOR: Final = 1769
"""Megabytes of memory with which Lambda gives a whole processor."""

WAITS: Final = 0.5
"""Seconds of a run in which it waits: for the slowest service, and for S3."""

_CPU: Final = 0.0025
"""Seconds of a whole processor that an attempt over HTTPS takes (bench/bench_https.py)."""

RESULT_BYTES: Final = 260
ATTEMPT_BYTES: Final = 110
"""Of a stored run, for each of them."""


class StackSize(Struct, frozen=True, kw_only=True):
    """How large a stack is, and how often it runs.

    Attributes:
        memory: megabytes of each function.
        architecture: of the functions' processor, by Lambda's name for it.
        retention: days for which runs are kept.
        interval: nanoseconds from run to run.
        deadline: seconds that a run looks at most.
        seconds: that a run takes; None for a guess.
        has_page: whether the stack publishes one.
        asks_for_configuration: whether it lies in S3, where every event looks for a newer one.
    """

    memory: int
    architecture: str
    retention: int
    interval: int
    deadline: float
    has_page: bool
    asks_for_configuration: bool
    seconds: float | None = None


class HourlyUsage(Struct, frozen=True, kw_only=True):
    """What there is to do.

    Attributes:
        components: how many checkers there are.
        attempts: of all checkers, in an hour and in one region.
        results: the same for results.
        runs: in an hour and in one region.
        regions: in which there is a stack.
        sizes: of each of these stacks.
        alarms: of all regions.
        metrics: the same for metrics.
        secrets: that lie in Secrets Manager.
    """

    components: int
    attempts: float
    results: float
    runs: float
    regions: int
    sizes: StackSize
    alarms: int = 0
    metrics: int = 0
    secrets: int = 0

    @property
    def run_seconds(self) -> float:
        """How long a run takes."""
        if self.sizes.seconds is not None:
            return self.sizes.seconds
        looks = self.attempts / self.runs * _CPU * WHOLE_PROCESSOR / self.sizes.memory
        return WAITS + min(looks, self.sizes.deadline)

    @property
    def slots_behind(self) -> int:
        """After how many slots in which nothing happens the state is written."""
        return math.ceil(MAX_LAG / self.regions)

    @property
    def changes(self) -> float:
        """How often the state is written in an hour."""
        return self.runs / self.slots_behind

    @property
    def pages(self) -> float:
        """How many pages are made in an hour."""
        return PAGES + self.changes if self.sizes.has_page else 0

    @property
    def bytes_of_runs(self) -> float:
        """What the runs of an hour and of one region hold."""
        return self.results * RESULT_BYTES + self.attempts * ATTEMPT_BYTES


class S3Requests(NamedTuple):
    """Requests to S3 in an hour, by what they cost."""

    puts: float
    gets: float


def s3_requests(usage: HourlyUsage) -> S3Requests:
    """Return the requests of an hour in which nothing happens."""
    # A run is put. The home reads the state each time and writes it now and then; a home of several
    # regions lists the runs each time, and reads those of the others until the state is written.
    puts = usage.runs * usage.regions + usage.changes
    puts += usage.runs if usage.regions > 1 else usage.changes
    gets = usage.runs * (1 + (usage.regions - 1) * (usage.slots_behind + 1) / 2)
    if usage.sizes.has_page:
        # A page lists the new runs and puts five files; each component has a page an hour. The
        # history, and badges.
        counted = max(1, usage.runs * usage.regions / HISTORY_LAG) + 1
        puts += PAGES * 6 + usage.components + counted + usage.components / 8
        # Each run is read once more. State and announcements; the history's head and this month's
        # days, and once in an hour its other files.
        gets += usage.runs * usage.regions + usage.pages * 2 + PAGES * 2 + 7
    if usage.sizes.asks_for_configuration:
        gets += usage.runs * usage.regions + usage.pages
    return S3Requests(puts, gets)
