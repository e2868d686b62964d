"""Spaces the starts of checks, so that a busy CPU does not look like a slow website.

Fifty TLS handshakes that begin together queue for the processor, and each measures the
others. Started a little further apart than the CPU time that one of them takes, each has the
processor for itself, and the run hardly lasts longer.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Mapping, Sequence
from math import inf
from queue import Empty, SimpleQueue
from threading import Thread
from traceback import extract_tb

from msgspec import Struct
from msgspec.structs import replace

from checkup.deadline import Deadline
from checkup.errors import CheckUnknownError, CheckupError
from checkup.interfaces import Checker
from checkup.interfaces.checker import Assessment
from checkup.model import Attempt, Result, Status
from checkup.secrets import CheckerSecrets
from checkup.times import SECOND

_SLACK = 1.6
_FIRST_GUESS = 0.002

_MEMORY = 0.99
"""What the last hundred checks took counts; checks end in bursts, so fewer would mislead."""

_LONGEST_GAP = 0.05

_LATE = 0.008
"""Seconds; longer than Python's threads make each other wait (sys.getswitchinterval)."""


class StartPacer:
    """Tells when the next check may start, from the CPU seconds that the last ones took.

    One that is under way has taken about half of what it will.
    """

    def __init__(self) -> None:
        self.next_start = time.monotonic()
        self._spent = 4 * _FIRST_GUESS
        self._checks = 4.0
        self._strain = 1.0
        self._cpu = time.process_time()

    def started(self) -> None:
        """Note that a check starts now."""
        cost = self._spent / self._checks
        self._checks += 0.5
        self.next_start = time.monotonic() + min(_SLACK * self._strain * cost, _LONGEST_GAP)

    def resume(self) -> None:
        """Note that a place is free again: until now nothing could have started."""
        self.next_start = max(self.next_start, time.monotonic())

    def started_late(self, *, late_by: float) -> None:
        """Note by how many seconds a start is late: late means too little CPU.

        It happens where the process may use only a share of a processor, as in a small
        Lambda function, or where others use it; CPU time alone does not tell.
        """
        late = late_by > _LATE
        self._strain = min(self._strain * 1.5, 8.0) if late else max(self._strain * 0.95, 1.0)

    def finished(self) -> None:
        """Note that a check is over, and what the process has spent since the one before."""
        cpu = time.process_time()
        self._spent = self._spent * _MEMORY + cpu - self._cpu
        self._checks = self._checks * _MEMORY + 0.5
        self._cpu = cpu


# When a bad result is looked at again before it counts.


_FIRST_PAUSE, _LATER_PAUSE = 1.0, 3.0

_PASSING = "resource"
"""The one reason for an unknown result that may be gone a second later."""


class Rechecks(Struct, frozen=True):
    """Attributes: known: the last known statuses by id; None in a run that is not stored."""

    known: Mapping[str, Status] | None

    def pause_after(self, checker: Checker, result: Result) -> float | None:
        """Return the seconds until another look is due, or None if the result stands.

        A single lost packet is not an outage: a checker that was healthy is looked at again
        1 s and 3 s later. One that is already known to be ill gets its one round.
        """
        if self.known is None or result.rechecks >= checker.recheck:
            return None
        before = self.known.get(checker.id, Status.UNKNOWN)
        ill = result.status in {Status.DOWN, Status.DEGRADED} or result.failure == _PASSING
        if not ill or before not in {Status.HEALTHY, Status.UNKNOWN}:
            return None
        return _LATER_PAUSE if result.rechecks else _FIRST_PAUSE


# One look at one checker: all its attempts, one after the other, in a thread of its own.


RUN_DEADLINE = "run_deadline"
NOT_FINISHED = "not finished when the run had to end"

_GRACE = 1.0
"""Seconds that a checker may outlast its limit before it is given up."""


class CheckTask:
    """The attempts of one checker, as far as they have come.

    Attributes:
        number: the checker's place in the configuration.
        timestamp: when it started, in nanoseconds since the epoch.
        attempts: those that are over.
        unknown_reason: once the round has ended, why not all were made; None if they were.
        deadline: by when it has to be over, even if its checker ignores every limit.
    """

    def __init__(
        self, number: int, checker: Checker, deadline: Deadline, secrets: CheckerSecrets
    ) -> None:
        self.number = number
        self.checker = checker
        self.timestamp = time.time_ns()
        self.attempts: list[Attempt] = []
        self.unknown_reason: CheckUnknownError | None = None
        count, spacing = max(1, checker.attempts), max(0, checker.attempt_spacing)
        self._deadline = deadline
        self._secrets = secrets
        self._count = count
        self._limit = attempt_timeout(checker)
        self.deadline = Deadline.after(count * (self._limit + spacing / SECOND) + _GRACE)

    def start(self, ended: SimpleQueue[CheckTask]) -> None:
        """Begin, and put this into ``ended`` at the end.

        The thread does not keep the process from exiting.
        """

        def run() -> None:
            self.unknown_reason = _outcome(self._attempt_all)
            ended.put(self)

        try:
            Thread(target=run, name=f"checkup-{self.checker.id}", daemon=True).start()
        except RuntimeError:
            self.unknown_reason = CheckUnknownError("resource", "this machine has no free thread")
            ended.put(self)

    def _attempt_all(self) -> None:
        checker = self._secrets.resolve(self.checker)
        for left in reversed(range(self._count)):
            attempt = checker.attempt(self._deadline.within(self._limit))
            if attempt.error and self._deadline.remaining() <= 0:
                raise CheckUnknownError(RUN_DEADLINE, NOT_FINISHED)
            self.attempts.append(attempt)
            if left:
                self._pause(checker.pause_after(attempt) / SECOND)

    def _pause(self, seconds: float) -> None:
        if seconds >= self._deadline.remaining():
            raise CheckUnknownError(RUN_DEADLINE, NOT_FINISHED)
        time.sleep(max(0.0, seconds))


def attempt_timeout(checker: Checker) -> float:
    """Return the seconds that one attempt may take."""
    configured = checker.timeout or 0
    return (configured if configured > 0 else checker.default_timeout) / SECOND


def _outcome(work: Callable[[], None]) -> CheckUnknownError | None:
    """Run a checker's code, which may do anything, and say why it was not finished."""
    try:
        work()
    except CheckUnknownError as reason:
        return reason
    except BaseException as error:  # noqa: BLE001 - one bad checker must not harm the others
        return CheckUnknownError(
            "internal", f"the checker failed: {type(error).__name__}{_at(error)}"
        )
    return None


def _at(error: BaseException) -> str:
    """Return where the error came from: its text may hold secrets, its place does not."""
    frames = extract_tb(error.__traceback__)
    return f" at {frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else ""


# From what was seen of one checker to its result.


class ResultBuilder(Struct, frozen=True, kw_only=True):
    """Writes the results of one run.

    Attributes:
        mask: makes an address or a sentence fit to be stored.
        secrets: those that the checkers used.
        region: where the run takes place.
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
        given_up: CheckUnknownError | None,
    ) -> Result:
        """Return the verdict on the attempts that were made.

        A failed attempt decides, whatever the ones that were not made would have shown.

        Args:
            given_up: why not all attempts were made; None if they were.
        """
        if given_up and not any(attempt.error for attempt in attempts):
            unseen = Attempt(error=str(given_up), failure=given_up.failure)
            return self._result(checker, timestamp, [unseen], Assessment(Status.UNKNOWN))
        try:
            assessment = checker.evaluate(attempts)
        except Exception as error:  # noqa: BLE001 - one bad checker must not harm the others
            reason = CheckUnknownError("internal", f"the checker failed: {type(error).__name__}")
            return self.build(checker, timestamp, [], reason)
        return self._result(checker, timestamp, attempts, assessment)

    def _result(
        self,
        checker: Checker,
        timestamp: int,
        attempts: Sequence[Attempt],
        assessment: Assessment,
    ) -> Result:
        return Result(
            title=checker.title,
            endpoint=self._hide(checker.endpoint),
            timestamp=self.timestamp or timestamp,
            attempts=tuple(
                replace(attempt, error=self._hide(attempt.error)) for attempt in attempts
            ),
            threshold=checker.threshold_rtt,
            healthy=assessment.status is Status.HEALTHY,
            degraded=assessment.status is Status.DEGRADED,
            down=assessment.status is Status.DOWN,
            notice=self._hide(assessment.notice),
            id=checker.id,
            kind=checker.kind,
            region=self.region,
        )

    def _hide(self, text: str) -> str:
        return self.mask(self.secrets.mask(text))


# One run: starts the rounds, bounded and paced, and has a verdict for each by the deadline.


_OVERDUE = CheckUnknownError("overdue", "the checker did not keep to its time limit")
_NOT_FINISHED = CheckUnknownError(RUN_DEADLINE, NOT_FINISHED)
_NOT_BEGUN = CheckUnknownError(RUN_DEADLINE, "not begun when the run had to end")

_REFUSALS = {"status_401", "status_403", "status_404", "status_407"}
"""Failures that a secret can have which was valid yesterday."""

_LOOK_UP = 1.0
"""Seconds after which a wait is interrupted: a signal that comes just before it, or to another
thread, does not end it, and would be noticed when it is over."""


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
    """Look at every checker and return the results in the order of the checkers.

    There is a result for each, whatever happens; what could not be seen is unknown.

    Args:
        deadline: when to return; what is still running then is abandoned.
        concurrency: how many checkers may be in flight.
        previous_statuses: the last known statuses by id, in a run that is going to be stored: a
            checker
            that was healthy, or is not known, is looked at again before anything bad is said
            of it. None for a look that leaves no trace.
        mask: makes an address or a sentence fit to be stored.
        secret: returns what a secret, or a reference to one, stands for.
        forget_secrets: called when somebody refused a secret; the next look is with new ones.
        region: where the run takes place.
        timestamp: nanoseconds that every result carries instead of its own start; 0 for none.
        progress: called with each result as soon as it is final.

    Raises:
        CheckupError: the concurrency is less than 1.
    """
    if concurrency < 1:
        raise CheckupError(f"invalid value for ConcurrentChecks: {concurrency} (must be set > 0)")
    verdicts = ResultBuilder(
        mask=mask,
        secrets=CheckerSecrets(secret, forget_secrets),
        region=region,
        timestamp=timestamp,
    )
    run = _Run(checkers, deadline, verdicts, Rechecks(previous_statuses), progress)
    return run.to_the_end(concurrency)


class _Run:
    """The state of one run; only the thread that called :func:`look` touches it."""

    def __init__(
        self,
        checkers: Sequence[Checker],
        deadline: Deadline,
        verdicts: ResultBuilder,
        rechecks: Rechecks,
        progress: Callable[[Result], None] | None,
    ) -> None:
        self._checkers = checkers
        self._deadline = deadline
        self._verdicts = verdicts
        self._rechecks = rechecks
        self._progress = progress
        self._pace = StartPacer()
        self._due = [(0.0, number) for number in range(len(checkers))]  # a heap
        self._flying: dict[int, CheckTask] = {}
        self._ended: SimpleQueue[CheckTask] = SimpleQueue()
        self._so_far: dict[int, Result] = {}
        self._final: dict[int, Result] = {}

    def to_the_end(self, concurrency: int) -> tuple[Result, ...]:
        """Return a result for each checker, at the latest at the deadline."""
        while len(self._final) < len(self._checkers) and self._deadline.remaining() > 0:
            self._wait(may_start=len(self._flying) < concurrency)
        self._give_up_the_rest()
        return tuple(self._final[number] for number in range(len(self._checkers)))

    def _wait(self, *, may_start: bool) -> None:
        """Wait for the next thing to happen, and do what it asks for."""
        start = max(self._due[0][0], self._pace.next_start) if may_start and self._due else inf
        overdue = min((ongoing.deadline.at for ongoing in self._flying.values()), default=inf)
        next_event = min(start, overdue, self._deadline.at)
        pause = max(0.0, min(next_event - time.monotonic(), _LOOK_UP))
        try:
            ended = self._ended.get(timeout=pause)
        except Empty:
            if time.monotonic() < next_event:
                return
            if next_event == start:
                self._pace.started_late(late_by=time.monotonic() - start)
                self._start()
            elif next_event == overdue:
                self._abandon_overdue()
        else:
            self._pace.finished()
            self._end(ended, ended.unknown_reason)
        if not may_start:
            self._pace.resume()

    def _start(self) -> None:
        _, number = heapq.heappop(self._due)
        checker = self._checkers[number]
        self._flying[number] = CheckTask(number, checker, self._deadline, self._verdicts.secrets)
        self._pace.started()  # first, for a thread that is slow to begin is a sign of strain
        self._flying[number].start(self._ended)

    def _abandon_overdue(self) -> None:
        for ongoing in list(self._flying.values()):
            if ongoing.deadline.remaining() <= 0:
                self._end(ongoing, _OVERDUE)

    def _end(self, ended: CheckTask, given_up: CheckUnknownError | None) -> None:
        """Judge a round that is over; one that was abandoned earlier is judged already."""
        number = ended.number
        if self._flying.get(number) is not ended:
            return
        del self._flying[number]
        result = self._judge(ended, given_up)
        if result.failure in _REFUSALS:
            self._verdicts.secrets.invalidate(ended.checker)
        pause = self._rechecks.pause_after(self._checkers[number], result)
        if pause is None or pause >= self._deadline.remaining():
            self._conclude(number, result)
        else:
            self._so_far[number] = result
            heapq.heappush(self._due, (time.monotonic() + pause, number))

    def _judge(self, ended: CheckTask, given_up: CheckUnknownError | None) -> Result:
        attempts = tuple(ended.attempts)
        result = self._verdicts.build(ended.checker, ended.timestamp, attempts, given_up)
        before = self._so_far.get(ended.number)
        if not before:
            return result
        if result.failure == RUN_DEADLINE:
            return before
        return replace(result, rechecks=before.rechecks + 1)

    def _give_up_the_rest(self) -> None:
        for ongoing in list(self._flying.values()):
            self._conclude(ongoing.number, self._judge(ongoing, _NOT_FINISHED))
        for number, checker in enumerate(self._checkers):
            if number not in self._final:
                unseen = self._verdicts.build(checker, time.time_ns(), (), _NOT_BEGUN)
                self._conclude(number, self._so_far.get(number, unseen))

    def _conclude(self, number: int, result: Result) -> None:
        self._final[number] = result
        if self._progress:
            self._progress(result)
