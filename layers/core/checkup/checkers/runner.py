"""Runs all checkers once, and bad results again: limited in number, pace and time.

One thread runs an event loop and does everything else, too. The attempts of one checker are a
coroutine (:class:`CheckTask`): those of a :class:`NetworkChecker` wait in the loop, those of other
kinds have a thread each. Starts are paced by measured CPU time (:class:`StartPacer`). A checker
that ignores its time limit is cancelled or, in a thread, abandoned: there is a result for every
checker when the deadline comes.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from math import inf
from traceback import extract_tb
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from checkup.checkers.event_loop import EventLoop, Task
from checkup.deadline import Deadline
from checkup.errors import CheckUnknownError, CheckupError
from checkup.interfaces import Checker, NetworkChecker
from checkup.interfaces.checker import Assessment
from checkup.model import Attempt, Result, Status
from checkup.secrets import CheckerSecrets
from checkup.times import SECOND

# Failure class and message of results that are unknown because of the runner's own limits.
_NOT_STARTED: Final = ("run_deadline", "not started before the run deadline")
_NOT_FINISHED: Final = ("run_deadline", "not finished before the run deadline")
_OVERDUE: Final = ("overdue", "the checker exceeded its time limit")

_SECRET_REJECTED: Final = {"status_401", "status_403", "status_404", "status_407"}
"""Failures that a rotated secret can cause."""

_NEVER: Final = Deadline(inf)

_MAX_PREPARATION: Final = 2.0
"""Seconds after which checks start although preparations for them are not finished."""


def run_checks(  # noqa: PLR0913 - all but the checkers by name
    checkers: Sequence[Checker],
    *,
    deadline: Deadline,
    concurrency: int,
    previous_statuses: Mapping[str, Status] | None = None,
    mask: Callable[[str], str] = str,
    secret: Callable[[str], str] = str,
    forget_secrets: Callable[[], None] | None = None,
    region: str = "",
    timestamp: int = 0,
    progress: Callable[[Result], None] | None = None,
) -> tuple[Result, ...]:
    """Run every checker and return the results in the order of the checkers.

    There is a result for each, whatever happens; what could not be checked is unknown.

    Args:
        deadline: when to return; what is still running then is abandoned.
        concurrency: how many checkers may run at the same time.
        previous_statuses: the confirmed statuses by checker id, in a run that is stored; see
            :func:`recheck_delay`. None for a run that is not stored: nothing is rechecked.
        mask: removes secrets from an address or a message before it is stored.
        secret: resolves a secret or a reference to one.
        forget_secrets: called when a server rejects a secret, so that the next attempt gets the
            current one.
        region: the region of this run.
        timestamp: nanoseconds that every result carries instead of its own start; 0 for none.
        progress: called with each result as soon as it is final.

    Raises:
        CheckupError: the concurrency is less than 1.
    """
    if concurrency < 1:
        raise CheckupError(f"invalid value for ConcurrentChecks: {concurrency} (must be set > 0)")
    builder = ResultBuilder(
        mask=mask,
        secrets=CheckerSecrets(secret, forget_secrets),
        region=region,
        timestamp=timestamp,
    )
    return _Run(checkers, deadline, builder, previous_statuses, progress).run(concurrency)


def recheck_delay(
    checker: Checker, result: Result, previous_statuses: Mapping[str, Status] | None
) -> float | None:
    """Return the seconds until a checker is checked again, or None if its result is final.

    A single lost packet is not an outage: a checker that was healthy, or has no status yet, is
    rechecked after 1 s and then after 3 s. One that was down or degraded already is not.
    """
    if previous_statuses is None or result.rechecks >= checker.recheck:
        return None
    if previous_statuses.get(checker.id, Status.UNKNOWN) not in {Status.HEALTHY, Status.UNKNOWN}:
        return None
    # "resource" is the one reason for an unknown result that may be gone a second later.
    if result.status not in {Status.DOWN, Status.DEGRADED} and result.failure != "resource":
        return None
    return 3.0 if result.rechecks else 1.0


class _Run:
    """The state of one run; only the thread that called :func:`run_checks` touches it.

    Checkers are known by their place in the configuration: ids need not be unique here.
    """

    def __init__(
        self,
        checkers: Sequence[Checker],
        deadline: Deadline,
        builder: ResultBuilder,
        previous_statuses: Mapping[str, Status] | None,
        progress: Callable[[Result], None] | None,
    ) -> None:
        self._checkers = checkers
        self._deadline = deadline
        self._builder = builder
        self._previous_statuses = previous_statuses
        self._progress = progress
        self._pacer = StartPacer()
        self._waiting = [(0.0, number) for number in range(len(checkers))]  # a heap
        self._running: dict[int, CheckTask] = {}
        self._overdue: list[tuple[float, int, CheckTask]] = []  # a heap; ended tasks are left in it
        self._to_recheck: dict[int, Result] = {}
        self._results: dict[int, Result] = {}

    def run(self, concurrency: int) -> tuple[Result, ...]:
        with EventLoop() as loop:
            self._prepare(loop)
            self._pacer.resume()
            while len(self._results) < len(self._checkers) and self._deadline.remaining() > 0:
                self._handle_next_event(loop, may_start=len(self._running) < concurrency)
        for task in list(self._running.values()):
            self._finish(task.number, self._build(task, CheckUnknownError(*_NOT_FINISHED)))
        for number, checker in enumerate(self._checkers):
            if number not in self._results:
                not_started = CheckUnknownError(*_NOT_STARTED)
                unknown = self._builder.build(checker, time.time_ns(), (), not_started)
                self._finish(number, self._to_recheck.get(number, unknown))
        return tuple(self._results[number] for number in range(len(self._checkers)))

    def _prepare(self, loop: EventLoop) -> None:
        """Do what would otherwise delay the first checks, such as loading root certificates."""

        async def prepare_all() -> None:
            for checker in self._checkers:
                if isinstance(checker, NetworkChecker):
                    with suppress(Exception):  # its attempt will fail in the same way
                        await checker.prepare(loop)

        limit = self._deadline.within(_MAX_PREPARATION)
        preparation = loop.spawn(prepare_all())
        while not preparation.is_done and limit.remaining() > 0:
            loop.run_once(limit.at)
        loop.cancel(preparation)

    def _handle_next_event(self, loop: EventLoop, *, may_start: bool) -> None:
        """Start a check or give up an overdue one if it is time; else run the loop."""
        start = inf
        if may_start and self._waiting:
            start = max(self._waiting[0][0], self._pacer.next_start)
        overdue = self._next_overdue()
        now = time.monotonic()
        if overdue <= now:
            task = self._overdue[0][2]
            loop.cancel(task.coroutine)
            self._end(task, CheckUnknownError(*_OVERDUE))
        elif start <= now:
            self._pacer.started_late(late_by=now - start)
            self._start(loop)
        else:
            loop.run(min(start, overdue, self._deadline.at))
        if not may_start:
            self._pacer.resume()

    def _next_overdue(self) -> float:
        """When the first of the running tasks is overdue."""
        while self._overdue and self._overdue[0][2].coroutine.is_done:
            heapq.heappop(self._overdue)
        return self._overdue[0][0] if self._overdue else inf

    def _start(self, loop: EventLoop) -> None:
        _, number = heapq.heappop(self._waiting)
        task = CheckTask(number, self._checkers[number], self._deadline, self._builder.secrets)
        self._running[number] = task
        self._pacer.started()  # first, for a thread that is slow to begin is a sign of strain
        task.coroutine = loop.spawn(task.make_attempts(loop), lambda _: self._ended(task))
        heapq.heappush(self._overdue, (task.deadline.at, number, task))

    def _ended(self, task: CheckTask) -> None:
        self._pacer.finished()
        unknown_reason = None
        try:
            task.coroutine.result()
        except CheckUnknownError as error:
            unknown_reason = error
        except Exception as error:  # noqa: BLE001 - one bad checker must not harm the others
            unknown_reason = _internal_error(error)
        self._end(task, unknown_reason)

    def _end(self, task: CheckTask, unknown_reason: CheckUnknownError | None) -> None:
        number = task.number
        del self._running[number]
        result = self._build(task, unknown_reason)
        if result.failure in _SECRET_REJECTED:
            self._builder.secrets.invalidate(task.checker)
        delay = recheck_delay(task.checker, result, self._previous_statuses)
        if delay is None or delay >= self._deadline.remaining():
            self._finish(number, result)
        else:
            self._to_recheck[number] = result
            heapq.heappush(self._waiting, (time.monotonic() + delay, number))

    def _build(self, task: CheckTask, unknown_reason: CheckUnknownError | None) -> Result:
        attempts = tuple(task.attempts)
        result = self._builder.build(task.checker, task.timestamp, attempts, unknown_reason)
        previous = self._to_recheck.get(task.number)
        if not previous:
            return result
        if result.failure == _NOT_FINISHED[0]:
            return previous  # the recheck was cut off
        return replace(result, rechecks=previous.rechecks + 1)

    def _finish(self, number: int, result: Result) -> None:
        self._results[number] = result
        if self._progress:
            self._progress(result)


class CheckTask:
    """The attempts of one checker, one after the other in a coroutine.

    Attributes:
        number: the checker's place in the configuration.
        timestamp: when it started, in nanoseconds since the epoch.
        attempts: those that have ended.
        deadline: when the task is overdue; its checker may ignore every limit.
        coroutine: what the event loop runs.
    """

    _GRACE: Final = 1.0
    """Seconds by which a checker may exceed its limits before it is overdue."""

    coroutine: Task[None]

    def __init__(
        self, number: int, checker: Checker, run_deadline: Deadline, secrets: CheckerSecrets
    ) -> None:
        self.number = number
        self.checker = checker
        self.timestamp = time.time_ns()
        self.attempts: list[Attempt] = []
        self._run_deadline = run_deadline
        self._secrets = secrets
        self._count = max(1, checker.attempts)
        configured = checker.timeout or 0
        self._limit = (configured if configured > 0 else checker.default_timeout) / SECOND
        spacing = max(0, checker.attempt_spacing) / SECOND
        self.deadline = Deadline.after(self._count * (self._limit + spacing) + self._GRACE)

    async def make_attempts(self, loop: EventLoop) -> None:
        """Make the attempts.

        Raises:
            CheckUnknownError: not all could be made.
        """
        self.checker.require_workable()
        checker = self.checker
        if self._secrets.must_look_up(checker):
            # This may take long and has no deadline of its own: this task may become overdue.
            checker = await loop.in_thread(lambda: self._secrets.resolve(checker), _NEVER)
        else:
            checker = self._secrets.resolve(checker)
        for left in reversed(range(self._count)):
            deadline = self._run_deadline.within(self._limit)
            if isinstance(checker, NetworkChecker):
                attempt = await checker.attempt_async(loop, deadline)
            else:
                attempt = await loop.in_thread(partial(_attempt, checker, deadline), _NEVER)
            if attempt.error and self._run_deadline.remaining() <= 0:
                raise CheckUnknownError(*_NOT_FINISHED)
            self.attempts.append(attempt)
            if left:
                pause = checker.pause_after(attempt) / SECOND
                if pause >= self._run_deadline.remaining():
                    raise CheckUnknownError(*_NOT_FINISHED)
                await loop.sleep(max(0.0, pause))


def _attempt(checker: Checker, deadline: Deadline) -> Attempt:
    """Make an attempt in a thread, where an exception is never a signal that ends the run.

    Raises:
        CheckUnknownError: the checker could not run, or failed.
    """
    try:
        return checker.attempt(deadline)
    except CheckUnknownError:
        raise
    except BaseException as error:
        raise _internal_error(error) from error


def _internal_error(error: BaseException) -> CheckUnknownError:
    """Describe an exception: its text may contain secrets, its type and place do not."""
    frames = extract_tb(error.__traceback__)
    place = ""
    if frames:
        place = f" at {frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}"
    return CheckUnknownError("internal", f"the checker failed: {type(error).__name__}{place}")


class ResultBuilder(Struct, frozen=True, kw_only=True):
    """Builds the results of one run.

    Attributes:
        mask: removes secrets of the configuration from an address or a message.
        secrets: the resolved secrets of the checkers.
        region: the region of the run.
        timestamp: nanoseconds that every result carries instead of its own; 0 for none.
    """

    mask: Callable[[str], str]
    secrets: CheckerSecrets
    region: str
    timestamp: int

    def build(
        self,
        checker: Checker,
        timestamp: int,
        attempts: Sequence[Attempt],
        unknown_reason: CheckUnknownError | None,
    ) -> Result:
        """Evaluate the attempts; a failed one decides, whatever further ones would have shown.

        Args:
            unknown_reason: why not all attempts were made; None if they were.
        """
        if unknown_reason and not any(attempt.error for attempt in attempts):
            attempts = [Attempt(error=str(unknown_reason), failure=unknown_reason.failure)]
            assessment = Assessment(Status.UNKNOWN)
        else:
            try:
                assessment = checker.evaluate(attempts)
            except Exception as error:  # noqa: BLE001 - one bad checker must not harm the others
                message = f"the checker failed: {type(error).__name__}"
                return self.build(checker, timestamp, [], CheckUnknownError("internal", message))
        return Result(
            title=checker.title,
            endpoint=self._masked(checker.endpoint),
            timestamp=self.timestamp or timestamp,
            attempts=tuple(
                replace(attempt, error=self._masked(attempt.error)) for attempt in attempts
            ),
            threshold=checker.threshold_rtt,
            healthy=assessment.status is Status.HEALTHY,
            degraded=assessment.status is Status.DEGRADED,
            down=assessment.status is Status.DOWN,
            notice=self._masked(assessment.notice),
            id=checker.id,
            kind=checker.kind,
            region=self.region,
        )

    def _masked(self, text: str) -> str:
        return self.mask(self.secrets.mask(text))


class StartPacer:
    """Decides when the next check may start, by the CPU seconds that the last ones took.

    Fifty TLS handshakes that begin together queue for the processor, and each measures the
    others: a busy CPU looks like a slow website. Started a little further apart than the CPU time
    that one of them takes, each has the processor for itself, and the run hardly lasts longer.

    A check that is still running counts as half done.

    Attributes:
        next_start: when, on the monotonic clock.
    """

    _SLACK: Final = 1.6
    _FIRST_GUESS: Final = 0.002
    _MAX_GAP: Final = 0.05

    _MEMORY: Final = 0.99
    """About the last hundred checks count; checks end in bursts, so fewer would mislead."""

    _LATE: Final = 0.008
    """Seconds; longer than Python's threads make each other wait (sys.getswitchinterval)."""

    def __init__(self) -> None:
        self.next_start = time.monotonic()
        self._spent = 4 * self._FIRST_GUESS
        self._checks = 4.0
        self._strain = 1.0
        self._cpu = time.process_time()

    def started(self) -> None:
        """Record that a check starts now."""
        cost = self._spent / self._checks
        self._checks += 0.5
        gap = min(self._SLACK * self._strain * cost, self._MAX_GAP)
        self.next_start = time.monotonic() + gap

    def started_late(self, *, late_by: float) -> None:
        """Record by how many seconds a start was late, which is a sign of too little CPU.

        It happens where the process may use only a share of a processor, as in a small Lambda
        function, or where others use it. The CPU time of this process does not show that.
        """
        is_late = late_by > self._LATE
        self._strain = min(self._strain * 1.5, 8.0) if is_late else max(self._strain * 0.95, 1.0)

    def finished(self) -> None:
        """Record that a check has ended, and the CPU time since the one before."""
        cpu = time.process_time()
        self._spent = self._spent * self._MEMORY + cpu - self._cpu
        self._checks = self._checks * self._MEMORY + 0.5
        self._cpu = cpu

    def resume(self) -> None:
        """Record that no check could have started until now, because too many were running."""
        self.next_start = max(self.next_start, time.monotonic())
