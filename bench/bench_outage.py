"""Budget 15: how long it takes to evaluate a run in which half of all endpoints go down at once.

It is the processor time of storing the run, evaluating it and delivering its alerts to a channel
that accepts them all. The storage is in memory, so that nothing but the program is measured.
"""

from __future__ import annotations

import statistics
import time

from budgets import Table
from s3_hour import MINUTE, configuration

from checkup.deadline import Deadline
from checkup.interfaces import Notification
from checkup.model import Attempt, Result, Run
from checkup.pipeline import RunContext, store_run
from checkup.storage.memory import MemoryStorage

NOW = 1_785_751_380_000_000_000
ALL, TENTH = 10_000, 1_000
ROUNDS = 3


class Channel:
    """Accepts all notifications."""

    def send(self, notification: Notification) -> None:
        """Accept one."""


def main() -> None:
    """Measure and judge."""
    table = Table()
    tenth = statistics.median(outage(TENTH) for _ in range(ROUNDS))
    whole = outage(ALL)
    table.row("outage", whole)
    table.row("outage-growth", whole / tenth)
    table.note("1,000 endpoints", tenth, "s")
    table.end()


def outage(endpoints: int) -> float:
    """Return the processor time of the run in which half of the endpoints go down."""
    config = configuration(endpoints)
    monitor = RunContext(
        checkers=config.checkers,
        channels={"channel": Channel()},
        storage=MemoryStorage(),
        interval=MINUTE,
        scheduled=True,
    )
    for minute in range(3):
        store_run(monitor, run(monitor, NOW + minute * MINUTE, failing=0), Deadline.after(900))
    failing = run(monitor, NOW + 3 * MINUTE, failing=endpoints // 2)
    began = time.process_time()
    recorded = store_run(monitor, failing, Deadline.after(900))
    took = time.process_time() - began
    if len(recorded.alerts) != endpoints // 2 or recorded.undelivered:
        raise RuntimeError(f"{len(recorded.alerts)} alerts, {recorded.undelivered} undelivered")
    return took


def run(monitor: RunContext, slot: int, failing: int) -> Run:
    """Return a run in which the first endpoints are down."""
    return Run(
        slot=slot,
        results=tuple(
            Result(
                id=checker.id,
                title=checker.title,
                timestamp=slot,
                attempts=(Attempt(rtt=90_000_000, error="refused" if number < failing else ""),),
                healthy=number >= failing,
                down=number < failing,
            )
            for number, checker in enumerate(monitor.checkers)
        ),
    )


if __name__ == "__main__":
    main()
