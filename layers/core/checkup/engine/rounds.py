"""One look at one checker: all its attempts, one after the other, in a thread of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from traceback import extract_tb

from checkup.deadline import Deadline
from checkup.engine.secrets import CheckerSecrets
from checkup.errors import CheckUnknownError
from checkup.model import SECOND, Attempt
from checkup.ports import Checker

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
        given_up: once the round has ended, why not all were made; None if they were.
        overdue: by when it has to be over, even if its checker ignores every limit.
    """

    def __init__(
        self, number: int, checker: Checker, deadline: Deadline, secrets: CheckerSecrets
    ) -> None:
        self.number = number
        self.checker = checker
        self.timestamp = time.time_ns()
        self.attempts: list[Attempt] = []
        self.given_up: CheckUnknownError | None = None
        count, spacing = max(1, checker.attempts), max(0, checker.attempt_spacing)
        self._deadline = deadline
        self._secrets = secrets
        self._count = count
        self._limit = attempt_timeout(checker)
        self.overdue = Deadline.after(count * (self._limit + spacing / SECOND) + _GRACE)

    def start(self, ended: SimpleQueue[CheckTask]) -> None:
        """Begin, and put this into ``ended`` at the end.

        The thread does not keep the process from exiting.
        """

        def run() -> None:
            self.given_up = _outcome(self._attempt_all)
            ended.put(self)

        try:
            Thread(target=run, name=f"checkup-{self.checker.id}", daemon=True).start()
        except RuntimeError:
            self.given_up = CheckUnknownError("resource", "this machine has no free thread")
            ended.put(self)

    def _attempt_all(self) -> None:
        checker = self._secrets.reveal(self.checker)
        for left in reversed(range(self._count)):
            attempt = checker.attempt(self._deadline.within(self._limit))
            if attempt.error and self._deadline.left() <= 0:
                raise CheckUnknownError(RUN_DEADLINE, NOT_FINISHED)
            self.attempts.append(attempt)
            if left:
                self._pause(checker.spacing_after(attempt) / SECOND)

    def _pause(self, seconds: float) -> None:
        if seconds >= self._deadline.left():
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
