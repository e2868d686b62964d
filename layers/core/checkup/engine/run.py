"""One run: starts the rounds, bounded and paced, and has a verdict for each by the deadline."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Mapping, Sequence
from math import inf
from queue import Empty, SimpleQueue

from msgspec.structs import replace

from checkup.deadline import Deadline
from checkup.engine.pacing import StartPacer
from checkup.engine.rechecks import Rechecks
from checkup.engine.rounds import NOT_FINISHED, RUN_DEADLINE, CheckTask
from checkup.engine.secrets import CheckerSecrets
from checkup.engine.verdict import ResultBuilder
from checkup.errors import CheckUnknownError, CheckupError
from checkup.model import Result, Status
from checkup.ports import Checker

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
    known: Mapping[str, Status] | None = None,
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
        known: the last known statuses by id, in a run that is going to be stored: a checker
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
    run = _Run(checkers, deadline, verdicts, Rechecks(known), progress)
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
        while len(self._final) < len(self._checkers) and self._deadline.left() > 0:
            self._wait(may_start=len(self._flying) < concurrency)
        self._give_up_the_rest()
        return tuple(self._final[number] for number in range(len(self._checkers)))

    def _wait(self, *, may_start: bool) -> None:
        """Wait for the next thing to happen, and do what it asks for."""
        start = max(self._due[0][0], self._pace.next_start) if may_start and self._due else inf
        overdue = min((ongoing.overdue.at for ongoing in self._flying.values()), default=inf)
        next_event = min(start, overdue, self._deadline.at)
        pause = max(0.0, min(next_event - time.monotonic(), _LOOK_UP))
        try:
            ended = self._ended.get(timeout=pause)
        except Empty:
            if time.monotonic() < next_event:
                return
            if next_event == start:
                self._pace.woken(late_by=time.monotonic() - start)
                self._start()
            elif next_event == overdue:
                self._abandon_overdue()
        else:
            self._pace.finished()
            self._end(ended, ended.given_up)
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
            if ongoing.overdue.left() <= 0:
                self._end(ongoing, _OVERDUE)

    def _end(self, ended: CheckTask, given_up: CheckUnknownError | None) -> None:
        """Judge a round that is over; one that was abandoned earlier is judged already."""
        number = ended.number
        if self._flying.get(number) is not ended:
            return
        del self._flying[number]
        result = self._judge(ended, given_up)
        if result.failure in _REFUSALS:
            self._verdicts.secrets.doubt(ended.checker)
        pause = self._rechecks.pause_after(self._checkers[number], result)
        if pause is None or pause >= self._deadline.left():
            self._conclude(number, result)
        else:
            self._so_far[number] = result
            heapq.heappush(self._due, (time.monotonic() + pause, number))

    def _judge(self, ended: CheckTask, given_up: CheckUnknownError | None) -> Result:
        attempts = tuple(ended.attempts)
        result = self._verdicts.of(ended.checker, ended.timestamp, attempts, given_up)
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
                unseen = self._verdicts.of(checker, time.time_ns(), (), _NOT_BEGUN)
                self._conclude(number, self._so_far.get(number, unseen))

    def _conclude(self, number: int, result: Result) -> None:
        self._final[number] = result
        if self._progress:
            self._progress(result)
