"""The interface of checkers: configuration, one attempt, and the status of a result."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Final, Protocol, TypeVar

from msgspec import Meta, Struct

from checkup.deadline import Deadline
from checkup.errors import CheckUnknownError
from checkup.interfaces.backends import Storage
from checkup.interfaces.kinds import Duration, SettingProblem, Settings, Strings
from checkup.model import Attempt, Status, rtt_stats
from checkup.text import did_you_mean
from checkup.times import HOUR, MINUTE, SECOND, format_duration, short_duration

MIN_REMINDER_INTERVAL: Final = 5 * MINUTE
"""Reminders are sent no more often than this, whatever is configured."""


class Assessment(Struct, frozen=True):
    """The status of one result and, if it is degraded, why."""

    status: Status
    notice: str = ""


def assess(attempts: Sequence[Attempt], threshold_rtt: int = 0) -> Assessment:
    """Evaluate the attempts of one result by the Go program's rules.

    Any failed attempt means down. Otherwise a median round trip time strictly above the
    threshold means degraded; a threshold of zero or less switches that rule off.
    """
    if any(attempt.error for attempt in attempts):
        return Assessment(Status.DOWN)
    if 0 < threshold_rtt < rtt_stats(attempts).median:
        limit = format_duration(threshold_rtt)
        return Assessment(Status.DEGRADED, f"median round trip time exceeded threshold ({limit})")
    return Assessment(Status.HEALTHY)


class Checker(Settings, frozen=True, kw_only=True):
    """A configured probe: its fields are its configuration.

    Class attributes:
        kind: the ``type`` in the configuration.
        default_timeout: the limit of one attempt when ``timeout`` is not configured.
        needs_address: no attempt can be made without an ``endpoint``.
    """

    kind: ClassVar[str]
    default_timeout: ClassVar[int] = 10 * SECOND
    needs_address: ClassVar[bool] = False

    endpoint_name: Annotated[str, Meta(description="The title in alerts and on the page.")] = ""
    endpoint_url: Annotated[str, Meta(description="What to check.")] = ""
    threshold_rtt: Annotated[
        Duration,
        Meta(description="Degraded if the median round trip time is above this; 0 to disable."),
    ] = 0
    attempts: Annotated[
        int, Meta(description="Attempts per run; one failed attempt means down.")
    ] = 1
    attempt_spacing: Annotated[Duration, Meta(description="Pause between attempts.")] = 0
    timeout: Annotated[
        Duration | None, Meta(description="Timeout of one attempt, from DNS lookup to last byte.")
    ] = None

    id: Annotated[
        str, Meta(description="Stable name in files and links; by default a slug of the title.")
    ] = ""
    group: Annotated[str, Meta(description="Group on the page.")] = ""
    tags: Annotated[
        Strings, Meta(description="Labels to select checkers and to route alerts.")
    ] = ()
    description: Annotated[str, Meta(description="One line below the name on the page.")] = ""
    link: Annotated[str, Meta(description="Public URL that the name links to.")] = ""
    hidden: Annotated[bool, Meta(description="Do not show it on the page.")] = False
    public_name: Annotated[str, Meta(description="Name on the page, if not the title.")] = ""
    interval: Annotated[
        Duration, Meta(description="Check less often than every run; 0 for every run.")
    ] = 0
    recheck: Annotated[
        int, Meta(ge=0, le=5, description="Rechecks before a failed result counts.")
    ] = 2
    failure_threshold: Annotated[
        int, Meta(ge=1, description="Consecutive runs that are down before an alert.")
    ] = 1
    success_threshold: Annotated[
        int, Meta(ge=1, description="Consecutive healthy runs that end an outage.")
    ] = 1
    degraded_threshold: Annotated[
        int,
        Meta(
            ge=1, description="Consecutive runs that are not healthy before an alert as degraded."
        ),
    ] = 3
    flapping: Annotated[
        bool, Meta(description="Send one alert for flapping, not one for each change.")
    ] = True
    remind_every: Annotated[
        Duration,
        Meta(
            description="Interval of reminders during an outage; 0 for none.",
            extra={"floor": MIN_REMINDER_INTERVAL},
        ),
    ] = 4 * HOUR
    depends_on: Annotated[
        Strings, Meta(description="Ids of checkers whose outage suppresses alerts of this one.")
    ] = ()

    def find_warnings(self) -> Iterator[SettingProblem]:
        """See :meth:`checkup.interfaces.kinds.Settings.find_warnings`."""
        if not self.endpoint:
            text = "address is empty: nothing to check"
            fix = 'add "endpoint_url"' if self.needs_address else ""
            yield SettingProblem("", text, fix, is_fatal=self.needs_address)
        if self.timeout and 0 < self.timeout <= self.threshold_rtt:
            fix = f"use less than the timeout ({short_duration(self.timeout)})"
            yield SettingProblem("threshold_rtt", "no attempt can be degraded by it", fix)
        if self.link and not self.link.startswith(("http://", "https://", "mailto:", "/")):
            yield SettingProblem("link", "not a link", "write it like https://www.example.com/")

    @property
    def title(self) -> str:
        """The name that results carry."""
        return self.endpoint_name

    @property
    def endpoint(self) -> str:
        """The address that results carry, not yet masked."""
        return self.endpoint_url

    @property
    def max_duration_ns(self) -> int:
        """How long all attempts take if each fails as late as it can, in nanoseconds."""
        configured = self.timeout or 0
        limit = configured if configured > 0 else self.default_timeout
        attempts = max(1, self.attempts)
        return attempts * limit + (attempts - 1) * max(0, self.attempt_spacing)

    @abstractmethod
    def attempt(self, deadline: Deadline) -> Attempt:
        """Check the target once.

        A target that is down is an attempt with an error, never an exception. The attempt
        must be over by ``deadline``.

        Raises:
            CheckUnknownError: the checker could not run.
        """

    def require_workable(self) -> None:
        """Refuse to run with settings of which no attempt could succeed.

        Raises:
            CheckUnknownError: with the first of these settings.
        """
        for problem in self.find_warnings():
            if problem.is_fatal:
                field = f"{problem.field}: " if problem.field else ""
                raise CheckUnknownError("config", f"{field}{problem.text}")

    def with_context(self, surroundings: CheckerContext) -> Checker:
        """Return this checker for the environment in which it runs.

        Most kinds do not depend on it. Nothing may be opened yet.
        """
        del surroundings  # for kinds that need more than a network
        return self

    def pause_after(self, attempt: Attempt) -> int:
        """Return the pause between an attempt and the next one, in nanoseconds."""
        del attempt  # for kinds whose pause depends on it
        return self.attempt_spacing

    def evaluate(self, attempts: Sequence[Attempt]) -> Assessment:
        """Evaluate the attempts; the default is the rule that all kinds share."""
        return assess(attempts, self.threshold_rtt)


class NetworkChecker(Checker, frozen=True, kw_only=True):
    """A checker that waits for sockets and not in them: hundreds of them share one thread."""

    @abstractmethod
    async def attempt_async(self, net: Network, deadline: Deadline) -> Attempt:
        """Check the target once, as :meth:`Checker.attempt` does, without blocking the thread.

        What takes longer than a few milliseconds goes to ``net.in_thread``. A task that is overdue
        is cancelled where it waits: what it has opened is closed in a ``finally`` or ``with`` block
        that does not await.
        """

    async def prepare(self, net: Network) -> None:
        """Do what the first attempt would otherwise do, such as reading files.

        It is called before the first check of a run starts, so that it does not disturb what is
        measured. An error is one of the attempt's: nobody hears of it here.
        """


class Descriptor(Protocol):
    """A socket, or anything else that can be waited for."""

    def fileno(self) -> int:
        """The number of the file descriptor."""


T = TypeVar("T")
D = TypeVar("D", bound=Descriptor)


class Network(Protocol):
    """What a :class:`NetworkChecker` can wait for."""

    async def ready(self, interest: Mapping[D, int], deadline: Deadline) -> list[D]:
        """Wait until a socket can be read or written, and return those that can.

        Args:
            interest: ``selectors.EVENT_READ`` or ``EVENT_WRITE`` by socket.

        Raises:
            TimeoutError: none could by the deadline.
        """

    async def sleep(self, seconds: float) -> None:
        """Wait for some seconds."""

    async def turn(self) -> None:
        """Let the others go on first."""

    async def in_thread(
        self, work: Callable[[], T], deadline: Deadline, *, share: Hashable = None
    ) -> T:
        """Call ``work`` in a thread and return its result, or raise what it raises.

        Args:
            share: names the work: calls with the same name within a second share one result.

        Raises:
            TimeoutError: it has not ended by the deadline; the thread is abandoned.
            CheckUnknownError: this machine has no thread for it.
        """

    def clock_ns(self) -> int:
        """Nanoseconds on a clock that stands still while this task waits for the others."""


class CheckerContext(Struct, frozen=True, kw_only=True):
    """What a checker can use of the environment in which it runs; opened on first use.

    Attributes:
        storage: returns the storage of the runs, or None if none is configured; raises
            UnavailableError or StorageError if it cannot be used.
        s3: returns a client of S3; raises UnavailableError if there is none.
        allows_exec: whether programs can be run here.
    """

    storage: Callable[[], Storage | None]
    s3: Callable[[], Any]
    allows_exec: bool = True


def select_checkers(checkers: Sequence[Checker], names: Sequence[str]) -> tuple[Checker, ...]:
    """Return the checkers with these titles or ids, in the order of the configuration.

    Case does not count; a title selects every checker that has it; no names select all.

    Raises:
        LookupError: with a sentence about the first name that no checker has.
    """
    if not names:
        return tuple(checkers)
    known = {name.casefold(): name for checker in checkers for name in _names(checker)}
    for name in names:
        if name.casefold() not in known:
            quoted = json.dumps(name, ensure_ascii=False)  # a line break must not forge a log line
            raise LookupError(
                "; ".join(
                    filter(None, [f"no checker {quoted}", did_you_mean(name, known.values())])
                )
            )
    wanted = {name.casefold() for name in names}
    return tuple(
        checker
        for checker in checkers
        if any(name.casefold() in wanted for name in _names(checker))
    )


def _names(checker: Checker) -> Iterator[str]:
    yield checker.id
    yield checker.title
