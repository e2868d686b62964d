"""Spaces the starts of checks, so that a busy CPU does not look like a slow website.

Fifty TLS handshakes that begin together queue for the processor, and each measures the
others. Started a little further apart than the CPU time that one of them takes, each has the
processor for itself, and the run hardly lasts longer.
"""

from __future__ import annotations

import time

_SLACK = 1.6
_FIRST_GUESS = 0.002
_LONGEST_GAP = 0.05
_LATE = 0.008
"""Seconds; longer than Python's threads make each other wait (sys.getswitchinterval)."""


class Pace:
    """Tells when the next check may start, from the CPU seconds that the last ones took."""

    def __init__(self) -> None:
        self.next_start = time.monotonic()
        self._cost = _FIRST_GUESS
        self._strain = 1.0
        self._cpu = time.process_time()

    def started(self) -> None:
        """Note that a check starts now."""
        now = time.monotonic()
        self.next_start = now + min(_SLACK * self._strain * self._cost, _LONGEST_GAP)

    def woken(self, *, late_by: float) -> None:
        """Note by how many seconds a start is late: late means too little CPU.

        It happens where the process may use only a share of a processor, as in a small
        Lambda function, or where others use it; CPU time alone does not tell.
        """
        late = late_by > _LATE
        self._strain = min(self._strain * 1.5, 8.0) if late else max(self._strain * 0.95, 1.0)

    def finished(self) -> None:
        """Note that a check is over: a moving mean over the last ones is its cost."""
        cpu = time.process_time()
        self._cost += (cpu - self._cpu - self._cost) / 8
        self._cpu = cpu
