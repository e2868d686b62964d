"""What a month of a deployed stack costs, line by line. Pure.

How often S3 is asked is held to what an emulator counts in an hour in which nothing happens
(bench/bench_requests.py). How long a run takes can only be guessed before one did.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final, NamedTuple

from msgspec import Struct

from checkup.cli import prices
from checkup.cli.prices import Price
from checkup.protocol.folding import LAG

HOURS: Final = 730
"""Of a month."""

GIGABYTE: Final = 1e9

PAGES: Final = 12
"""Of an hour by their schedule; each change of the state makes one more."""

_CPU: Final = 0.0025
"""Seconds of a whole processor that an attempt over HTTPS takes (bench/bench_https.py)."""

_WHOLE_PROCESSOR: Final = 1769
"""Megabytes of memory with which Lambda gives a whole processor."""

_WAITS: Final = 0.5
"""Seconds of a run in which it waits: for the slowest service, and for S3."""

_PAGE_CPU: Final = 0.1
_RESULT_BYTES, _ATTEMPT_BYTES = 260, 110
_LOG_BYTES: Final = 900
_SENT_BYTES: Final = 1_500
"""Of one attempt over HTTPS, its handshake and the headers of its packets included."""


class Sizes(Struct, frozen=True, kw_only=True):
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


class Usage(Struct, frozen=True, kw_only=True):
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
    sizes: Sizes
    alarms: int = 0
    metrics: int = 0
    secrets: int = 0

    @property
    def run_seconds(self) -> float:
        """How long a run takes."""
        if self.sizes.seconds is not None:
            return self.sizes.seconds
        looks = self.attempts / self.runs * _CPU * _WHOLE_PROCESSOR / self.sizes.memory
        return _WAITS + min(looks, self.sizes.deadline)

    @property
    def slots_behind(self) -> int:
        """After how many slots in which nothing happens the state is written."""
        return math.ceil(LAG / self.regions)

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
        return self.results * _RESULT_BYTES + self.attempts * _ATTEMPT_BYTES


class Asked(NamedTuple):
    """Requests to S3 in an hour, by what they cost."""

    puts: float
    gets: float


class Line(NamedTuple):
    """One line of the bill.

    Attributes:
        quantity: of the price's unit.
        note: what else there is to know of the quantity.
    """

    what: str
    quantity: float
    price: Price
    note: str = ""

    @property
    def listed(self) -> float:
        """Dollars at list price."""
        return self.price.listed(self.quantity)

    @property
    def paid(self) -> float:
        """Dollars after what AWS gives away for ever."""
        return self.price.paid(self.quantity)


def asked_of_s3(usage: Usage) -> Asked:
    """Return the requests of an hour in which nothing happens."""
    # A run is put. The home reads the state each time and writes it now and then; a home of several
    # regions lists the runs each time, and reads those of the others until the state is written.
    puts = usage.runs * usage.regions + usage.changes
    puts += usage.runs if usage.regions > 1 else usage.changes
    gets = usage.runs * (1 + (usage.regions - 1) * (usage.slots_behind + 1) / 2)
    if usage.sizes.has_page:
        # A page lists the new runs and puts five files; each component has a page an hour. The
        # history, and badges.
        puts += PAGES * 6 + usage.components + usage.changes + 1 + usage.components / 8
        # Each run is read once more. State and announcements; the history's head, and its files
        # once in an hour.
        gets += usage.runs * usage.regions + usage.pages * 2 + PAGES + 8
    if usage.sizes.asks_for_configuration:
        gets += usage.runs * usage.regions + usage.pages
    return Asked(puts, gets)


def bill(usage: Usage) -> Iterator[Line]:
    """Yield the lines of a month, but for what CloudFront sends to readers."""
    yield from _storage(usage)
    yield from _functions(usage)
    yield from _watch(usage)
    yield from _data(usage)


def _storage(usage: Usage) -> Iterator[Line]:
    asked = asked_of_s3(usage)
    yield Line("S3 requests", asked.puts * HOURS, prices.PUT)
    yield Line("S3 requests", asked.gets * HOURS, prices.GET)
    stored = usage.bytes_of_runs * usage.regions * usage.sizes.retention * 24 / GIGABYTE
    yield Line("S3 storage", stored, prices.STORED, f"runs of {usage.sizes.retention} days")


def _functions(usage: Usage) -> Iterator[Line]:
    runs, pages = usage.runs * HOURS * usage.regions, usage.pages * HOURS
    page_seconds = _WAITS + _PAGE_CPU * _WHOLE_PROCESSOR / usage.sizes.memory
    compute = (runs * usage.run_seconds + pages * page_seconds) * usage.sizes.memory / 1024
    note = f"{usage.run_seconds:.1f} s a run" + ("" if usage.sizes.seconds else ", a guess")
    yield Line("Lambda compute", compute, prices.COMPUTE[usage.sizes.architecture], note)
    yield Line("Lambda requests", runs + pages, prices.INVOKED)
    scheduled = runs + (PAGES * HOURS if usage.sizes.has_page else 0)
    yield Line("EventBridge Scheduler", scheduled, prices.SCHEDULED)


def _watch(usage: Usage) -> Iterator[Line]:
    events = (usage.runs * usage.regions + usage.pages) * HOURS
    yield Line("CloudWatch logs", events * _LOG_BYTES / GIGABYTE, prices.LOGGED)
    yield Line("CloudWatch metrics", usage.metrics, prices.METRIC)
    yield Line("CloudWatch alarms", usage.alarms, prices.ALARM)


def _data(usage: Usage) -> Iterator[Line]:
    sent = usage.attempts * usage.regions * HOURS * _SENT_BYTES / GIGABYTE
    yield Line("Data sent by checks", sent, prices.SENT)
    if usage.regions > 1:
        brought = usage.bytes_of_runs * (usage.regions - 1) * HOURS / GIGABYTE
        yield Line("Data between regions", brought, prices.BETWEEN_REGIONS)
    if usage.secrets:
        yield Line("Secrets Manager", usage.secrets, prices.SECRET)
