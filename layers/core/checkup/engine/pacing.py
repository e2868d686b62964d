"""Spaces the starts of checks, so that a busy CPU does not look like a slow website.

Fifty TLS handshakes that begin together queue for the processor, and each measures the
others. Started a little further apart than the CPU time that one of them takes, each has the
processor for itself, and the run hardly lasts longer.
"""

from __future__ import annotations

import time

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

    def woken(self, *, late_by: float) -> None:
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
