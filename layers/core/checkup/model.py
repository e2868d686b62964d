"""The values that everything else is made of.

All of them are immutable and know nothing of clocks, files or networks. Times are integer
nanoseconds since the Unix epoch and lengths of time are integer nanoseconds, because that is
what checkup.json and the stored files hold.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

SECOND = 1_000_000_000

Nanoseconds = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
"""A moment or a length of time; what is read from a file has to fit Go's int64."""


class Status(StrEnum):
    """What is known of one checker, from best to worst; unknown stands outside that order."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    DOWN = "down"
    UNKNOWN = "unknown"

    @classmethod
    def worst(cls, statuses: Iterable[Status]) -> Status:
        """Return the most severe known status, or unknown when nothing is known."""
        seen = set(statuses)
        for status in (cls.DOWN, cls.DEGRADED, cls.HEALTHY):
            if status in seen:
                return status
        return cls.UNKNOWN


# A page holds a hundred thousand of the next three. They refer to nothing that could refer to them,
# so the garbage collector, which would look through all of them again and again, need not know.


class Phases(Struct, frozen=True, kw_only=True, gc=False):
    """Where the time of one attempt went, in nanoseconds; 0 where a phase did not happen."""

    resolve: Nanoseconds = 0
    connect: Nanoseconds = 0
    tls: Nanoseconds = 0
    wait: Nanoseconds = 0
    transfer: Nanoseconds = 0


class Attempt(Struct, frozen=True, kw_only=True, gc=False):
    """One try of a checker.

    Attributes:
        rtt: round trip time in nanoseconds, as the checker defines it; 0 if there was none.
        error: a short, safe, human sentence; empty when the attempt succeeded.
        failure: the machine-readable class of the error, such as ``connect_refused``.
        phases: where the time went, if the checker can tell.
        certificate_expiry: when the first certificate of the server's chain ends; 0 if there
            was none.
    """

    rtt: Nanoseconds = 0
    error: str = ""
    failure: str = ""
    phases: Phases | None = None
    certificate_expiry: Nanoseconds = 0


class Result(Struct, frozen=True, kw_only=True, gc=False):
    """What one checker saw in one run: the element of a stored check file.

    The first ten fields are those of the Go program; a reader of its files finds them under
    the same names. At most one of the three booleans is true; none means unknown.

    Attributes:
        title: the checker's name as configured.
        endpoint: what was checked, with secrets masked.
        timestamp: when the checker started.
        times: the attempts, in order.
        threshold: the round trip time above which the checker is degraded; 0 for none.
        notice: why the result is degraded.
        message: a person's words about this checker at this moment.
        id: the checker's id; empty in files of the Go program.
        kind: the checker's type, such as ``http``.
        region: where the run took place; empty on a single machine.
        rechecks: how often a bad result was checked again within the run.
        definition: digest of what the checker looks at, where several regions do; of two that
            differ the results are not about the same thing.
        config, version: digest of the run's configuration, and the program's version; in the
            first result of a run only.
    """

    title: str = ""
    endpoint: str = ""
    timestamp: Nanoseconds = 0
    times: tuple[Attempt, ...] = ()
    threshold: Nanoseconds = 0
    healthy: bool = False
    degraded: bool = False
    down: bool = False
    notice: str = ""
    message: str = ""
    id: str = ""
    kind: str = ""
    region: str = ""
    rechecks: int = 0
    definition: str = ""
    config: str = ""
    version: str = ""

    @property
    def status(self) -> Status:
        """The most severe of the flags that are set."""
        if self.down:
            return Status.DOWN
        if self.degraded:
            return Status.DEGRADED
        if self.healthy:
            return Status.HEALTHY
        return Status.UNKNOWN

    @property
    def error(self) -> str:
        """The first failed attempt's sentence, or an empty string."""
        return next((attempt.error for attempt in self.times if attempt.error), "")

    @property
    def failure(self) -> str:
        """The first failed attempt's class, or an empty string."""
        return next((attempt.failure for attempt in self.times if attempt.error), "")


class Run(Struct, frozen=True, kw_only=True):
    """All results of one slot from one region: the content of one check file.

    Attributes:
        slot: the moment that the run stands for.
        region: where it took place; empty on a single machine.
        position: the region's number in the configured ``regions``; keeps names unique.
    """

    slot: int
    results: tuple[Result, ...]
    region: str = ""
    position: int = 0

    @property
    def name(self) -> str:
        """The check file's name: 19 digits, so that names sort by time until the year 2286."""
        return f"{self.slot + self.position:019d}-check.json"


class AlertKind(StrEnum):
    """What an alert says.

    The first four tell the story of an incident. The next four speak of what a checker is worth
    listening to: it changes too often, or cannot look. The last four are about the monitor
    itself and name no checker.
    """

    OPEN = "open"
    CHANGE = "change"
    REMIND = "remind"
    RESOLVE = "resolve"
    FLAPPING = "flapping"
    SETTLED = "settled"
    BLIND = "blind"
    SIGHTED = "sighted"
    INCONCLUSIVE = "inconclusive"
    GAP = "gap"
    REBUILT = "rebuilt"
    TEST = "test"


class Alert(Struct, frozen=True, kw_only=True):
    """One announcement about one checker, fixed by the state that produced it.

    Attributes:
        id: ``checker/kind:status/incident/slot``; the same state and slot give the same id.
        checker: the checker's id; empty if the alert is about the monitor itself.
        title, endpoint: the checker's name and masked address, as people know it.
        kind: whether an incident opens, changes, lasts or ends, or what else there is to say.
        status: the status that is announced.
        before: the status that the channel heard last.
        slot: the run in which the change was confirmed.
        since: when the announced status began.
        opened: when the incident began; a resolve alert derives the outage's length from it.
        reason: the failed attempt's sentence or the notice; empty for a recovery.
        failure: the failure's class; empty for a recovery.
        region: where it was seen; empty on a single machine.
        holds_back: titles of failing checkers that depend on this one and are not announced.
    """

    id: str
    checker: str
    title: str
    kind: AlertKind
    status: Status
    before: Status
    slot: int
    since: int
    opened: int
    endpoint: str = ""
    reason: str = ""
    failure: str = ""
    region: str = ""
    holds_back: tuple[str, ...] = ()
