"""When a bad result is looked at again before it counts."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from checkup.model import Result, Status
from checkup.ports import Checker

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
