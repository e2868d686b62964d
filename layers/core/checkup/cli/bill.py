"""What a month of a deployed stack costs, line by line. Pure.

Prices are those of AWS's list for us-east-1, as known in November 2026; other regions cost up to
half as much again. How often S3 is asked is held to what an emulator counts in an hour in which
nothing happens (bench/bench_requests.py). How long a run takes can only be guessed before one did.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from msgspec import Struct

HOURS: Final = 730
"""Of a month."""

GIGABYTE: Final = 1e9
MILLION: Final = 1e6
PAGES: Final = 12
"""Pages of an hour by their schedule, and how many more the changes of the state bring about."""
PAGES_ON_CHANGE: Final = 6

PUT: Final = 5 / MILLION  # PUT, COPY, POST, LIST
GET: Final = 0.4 / MILLION
STORED: Final = 0.023  # a gigabyte for a month
COMPUTE: Final = {"arm64": 13.3334 / MILLION, "x86_64": 16.6667 / MILLION}  # a gigabyte-second
INVOCATION: Final = 0.20 / MILLION
SCHEDULED: Final = 1.00 / MILLION
LOGGED: Final = 0.50  # a gigabyte taken in
METRIC, ALARM = 0.30, 0.10
SENT: Final = 0.09  # a gigabyte out to the internet

FREE_COMPUTE, FREE_INVOCATIONS = 400_000.0, 1 * MILLION
FREE_SCHEDULED, FREE_LOGGED, FREE_SENT = 14 * MILLION, 5.0, 100.0
FREE_METRICS, FREE_ALARMS = 10, 10

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

METRICS, ALARMS = 5, 10
"""Of the template."""


class Usage(Struct, frozen=True, kw_only=True):
    """What there is to do.

    Attributes:
        components: how many checkers there are.
        attempts: of all checkers, in an hour and in one region.
        results: the same for results.
        runs: in an hour.
        regions: in which there is a stack.
        memory: megabytes of each function.
        retention: days for which runs are kept.
        seconds: that a run takes; None for a guess.
    """

    components: int
    attempts: float
    results: float
    runs: float
    regions: int = 1
    memory: int = 256
    architecture: str = "arm64"
    retention: int = 90
    seconds: float | None = None

    @property
    def run_seconds(self) -> float:
        """How long a run takes."""
        if self.seconds is not None:
            return self.seconds
        return _WAITS + self.attempts / self.runs * _CPU * _WHOLE_PROCESSOR / self.memory


class Asked(NamedTuple):
    """Requests to S3 in an hour, by what they cost."""

    puts: float
    gets: float


class Line(NamedTuple):
    """One line of the bill.

    Attributes:
        what: with its quantity.
        listed: dollars at list price.
        paid: dollars after what AWS gives away for ever.
    """

    what: str
    listed: float
    paid: float


def asked_of_s3(usage: Usage) -> Asked:
    """Return the requests of an hour in which nothing happens."""
    pages = PAGES + PAGES_ON_CHANGE
    return Asked(
        # A run is put; each tenth lists those before it and writes the state.
        puts=usage.runs * (usage.regions + 0.2)
        # A page lists the new runs and puts five files; each component has a page an hour.
        + PAGES * 6
        + usage.components
        # The history, and badges.
        + 7
        + usage.components / 8,
        # A run reads the state, and its page the run; other regions' runs are read once more.
        gets=usage.runs * (1 + usage.regions + (usage.regions - 1)) + pages * 3 + PAGES + 1,
    )


def bill(usage: Usage) -> Iterator[Line]:
    """Yield the lines of a month, without what is sent out."""
    asked = asked_of_s3(usage)
    puts, gets = asked.puts * HOURS, asked.gets * HOURS
    yield Line(f"S3: {puts:,.0f} PUT and LIST", *2 * [puts * PUT])
    yield Line(f"S3: {gets:,.0f} GET", *2 * [gets * GET])
    kept = usage.retention * 24 * usage.regions
    stored = kept * (usage.results * _RESULT_BYTES + usage.attempts * _ATTEMPT_BYTES) / GIGABYTE
    yield Line(f"S3: {stored:.2f} GB of runs of {usage.retention} days", *2 * [stored * STORED])
    runs, pages = usage.runs * HOURS * usage.regions, (PAGES + PAGES_ON_CHANGE) * HOURS
    page_seconds = _WAITS + _PAGE_CPU * _WHOLE_PROCESSOR / usage.memory
    compute = (runs * usage.run_seconds + pages * page_seconds) * usage.memory / 1024
    price = COMPUTE[usage.architecture]
    yield Line(
        f"Lambda: {compute:,.0f} GB-seconds, {usage.run_seconds:.1f} s a run",
        compute * price,
        max(0, compute - FREE_COMPUTE) * price,
    )
    invoked = runs + pages
    yield Line(
        f"Lambda: {invoked:,.0f} invocations",
        invoked * INVOCATION,
        max(0, invoked - FREE_INVOCATIONS) * INVOCATION,
    )
    scheduled = runs + PAGES * HOURS
    yield Line(
        f"Scheduler: {scheduled:,.0f} invocations",
        scheduled * SCHEDULED,
        max(0, scheduled - FREE_SCHEDULED) * SCHEDULED,
    )
    logged = invoked * _LOG_BYTES / GIGABYTE
    yield Line(
        f"CloudWatch: {logged:.2f} GB of logs",
        logged * LOGGED,
        max(0, logged - FREE_LOGGED) * LOGGED,
    )
    yield Line(
        f"CloudWatch: {METRICS} metrics and {ALARMS} alarms",
        METRICS * METRIC + ALARMS * ALARM,
        max(0, METRICS - FREE_METRICS) * METRIC + max(0, ALARMS - FREE_ALARMS) * ALARM,
    )


def sent_out(usage: Usage) -> Line:
    """Return what the checks themselves send; the page is sent by CloudFront, 1 TB of it free."""
    sent = usage.attempts * HOURS * usage.regions * _SENT_BYTES / GIGABYTE
    return Line(f"Data: {sent:.1f} GB sent by checks", sent * SENT, max(0, sent - FREE_SENT) * SENT)
