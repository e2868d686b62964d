"""Stopping when asked to, with SIGINT (Ctrl-C) or SIGTERM."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

STOP_GRACE_SECONDS: Final = 2.0
"""Seconds that the work at hand is given to end by itself."""

SIGNAL_POLL_SECONDS: Final = 1.0
"""Seconds after which a wait is interrupted: a signal that comes just before it, or to another
thread, does not end it, and would be noticed when it is over."""


class StopRequestedError(BaseException):
    """The program was asked to stop; like KeyboardInterrupt, nothing but a door catches it."""


class StopHandler:
    """Turns the signals into the end of a block.

    Outside of :meth:`at_work` a signal ends the block at once. Inside, the work may end by
    itself; after two seconds or a second signal it is abandoned, which the run protocol
    allows at every step.
    """

    def __init__(self) -> None:
        self.asked = False
        self._working = False

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Hold a signal back for what must not be abandoned lightly."""
        self._working = True
        try:
            yield
        finally:
            self._working = False

    def on_signal(self, _number: int, _frame: FrameType | None) -> None:
        """Note the wish, and end the work now or in a while."""
        if self.asked or not self._working:
            raise StopRequestedError
        self.asked = True
        signal.setitimer(signal.ITIMER_REAL, STOP_GRACE_SECONDS)


@contextmanager
def run_until_stopped() -> Iterator[StopHandler]:
    """Run a block that a signal ends; the block is left without an error."""
    stopping = StopHandler()
    before = {
        number: signal.signal(number, stopping.on_signal)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
    }
    try:
        yield stopping
    except StopRequestedError:
        pass
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


def interruptible_sleep(seconds: float) -> None:
    """Wait, and notice every signal."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(left, SIGNAL_POLL_SECONDS))
