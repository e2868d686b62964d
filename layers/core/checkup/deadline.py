"""The moment by which something has to be over."""

from __future__ import annotations

import time

from msgspec import Struct


class Deadline(Struct, frozen=True):
    """An absolute moment on the monotonic clock, in seconds.

    One is set per attempt and per run, and everything inside is given what is left of it.
    """

    at: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """Return the deadline that many seconds from now."""
        return cls(time.monotonic() + seconds)

    def left(self) -> float:
        """Seconds until the deadline; negative once it has passed."""
        return self.at - time.monotonic()

    def within(self, seconds: float) -> Deadline:
        """Return the earlier of this deadline and the one that many seconds from now."""
        return Deadline(min(self.at, time.monotonic() + seconds))
