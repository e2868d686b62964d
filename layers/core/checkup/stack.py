"""The door of the deployed stack: what its check function does for an event."""

from __future__ import annotations

import json
import logging
from collections import Counter
from typing import Any

from checkup.deadline import Deadline
from checkup.engine import look
from checkup.errors import EventError
from checkup.protocol import TAIL_SECONDS, Monitor, check_and_record
from checkup.runfile import encode
from checkup.selection import choose

_log = logging.getLogger(__name__)


def deadline_of(run_deadline: float, remaining_milliseconds: int) -> Deadline:
    """Return when to stop looking: early enough to store and tell before the platform ends it.

    Args:
        run_deadline: seconds that a run may look at most.
        remaining_milliseconds: the life that is left to the invocation.
    """
    return Deadline.after(run_deadline).within(remaining_milliseconds / 1000 - TAIL_SECONDS)


def look_now(monitor: Monitor, names: tuple[str, ...], deadline: Deadline) -> list[dict[str, Any]]:
    """Look at the named checkers, or at all, and leave no trace: no state, no message.

    Returns:
        The array that a run file would hold.

    Raises:
        EventError: no checker has one of the names.
    """
    try:
        chosen = choose(monitor.checkers, names)
    except LookupError as error:
        raise EventError(str(error)) from None
    results = look(
        chosen,
        deadline=deadline,
        concurrency=monitor.concurrency,
        mask=monitor.mask,
        secret=monitor.secret,
        region=monitor.region,
    )
    array: list[dict[str, Any]] = json.loads(encode(results))
    return array


def run_slot(monitor: Monitor, slot: int, deadline: Deadline) -> dict[str, Any]:
    """Check everything, store the run and tell of changes; return a summary, and log it."""
    recorded = check_and_record(monitor, slot, deadline)
    statuses = Counter(result.status.value for result in recorded.run.results)
    summary = {
        "run": recorded.run.name,
        "statuses": dict(sorted(statuses.items())),
        "alerts": [alert.id for alert in recorded.alerts],
        "undelivered": recorded.undelivered,
        "late": recorded.late,
    }
    _log.info("run recorded", extra=summary)
    return summary
