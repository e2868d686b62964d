"""What a function's log tells of a run, and what each line of it tells besides."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from checkup import __version__
from checkup.config import Config
from checkup.model import SECOND, Run
from checkup.protocol import RunContext, RunOutcome, read_state


def origin_fields(config: Config, environ: Mapping[str, str]) -> dict[str, str]:
    """Return where something was made, with which configuration and version of the program."""
    region = environ.get("AWS_REGION", "")
    return {"region": region, "config": config.digest, "version": __version__}


def run_fields(monitor: RunContext, slot: int) -> dict[str, str]:
    """Return the name of this region's run of a slot, and the slot as a schedule writes it."""
    moment = datetime.fromtimestamp(slot // SECOND, UTC)
    return {
        "run": Run(slot=slot, results=(), position=monitor.position).name,
        "slot": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
    }


@contextmanager
def log_fields(facts: Mapping[str, str]) -> Iterator[None]:
    """Add facts to each line that is logged meanwhile, by whatever thread or library."""
    plain = logging.getLogRecordFactory()

    def with_facts(*words: Any, **more: Any) -> logging.LogRecord:  # noqa: ANN401 - of any record
        record = plain(*words, **more)
        record.__dict__.update(facts)
        return record

    logging.setLogRecordFactory(with_facts)
    try:
        yield
    finally:
        logging.setLogRecordFactory(plain)


def status_counts(run: Run) -> dict[str, Any]:
    """Return how many results of a run have which status."""
    statuses = Counter(result.status.value for result in run.results)
    return {"statuses": dict(sorted(statuses.items()))}


def outcome_fields(monitor: RunContext, recorded: RunOutcome) -> dict[str, Any]:
    """Return the summary of a run with what became of its news; alarms read the log."""
    outcome = {
        **status_counts(recorded.run),
        "alerts": [alert.id for alert in recorded.alerts],
        "undelivered": recorded.undelivered,
        "late": recorded.late,
    }
    if recorded.excluded:
        outcome["excluded_regions"] = list(recorded.excluded)
    if recorded.undelivered:
        outcome["oldest_alert_seconds"] = _oldest_alert(monitor, recorded.run.slot)
    return outcome


def _oldest_alert(monitor: RunContext, now: int) -> int:
    """Return for how many seconds the alert has waited that waits longest."""
    waiting = read_state(monitor.storage).channels.values()
    slots = (entry.alert.slot for entries in waiting for entry in entries)
    return (now - min(slots, default=now)) // SECOND
