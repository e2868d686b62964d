"""What both functions share: the active configuration and the fields of their log lines."""

from __future__ import annotations

import gc
import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from checkup import __version__
from checkup.app import Environment
from checkup.aws.deployed_config import ActiveConfig, DeployedConfigReader
from checkup.config import Config
from checkup.errors import CheckupError, ConfigError
from checkup.model import Run
from checkup.pipeline import RunContext, RunOutcome
from checkup.times import SECOND

_log = logging.getLogger(__name__)


# The fields of a function's log lines.


def origin_fields(config: Config, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the region, and the versions of the configuration and of the program."""
    region = Environment.of(environ).aws_region
    return {"region": region, "config": config.digest, "version": __version__}


def run_fields(context: RunContext, slot: int) -> dict[str, str]:
    """Return the name of this region's run of a slot, and the slot as a schedule writes it."""
    time = datetime.fromtimestamp(slot // SECOND, UTC)
    return {
        "run": Run(slot=slot, results=(), region_index=context.region_index).file_name,
        "slot": f"{time:%Y-%m-%dT%H:%M:%SZ}",
    }


@contextmanager
def log_fields(facts: Mapping[str, str]) -> Iterator[None]:
    """Add facts to each line that is logged meanwhile, by whatever thread or library."""
    plain = logging.getLogRecordFactory()

    def with_facts(*args: Any, **options: Any) -> logging.LogRecord:
        record = plain(*args, **options)
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


def outcome_fields(recorded: RunOutcome) -> dict[str, Any]:
    """Return the summary of a run with the delivery of its alerts; alarms read the log."""
    outcome = {
        **status_counts(recorded.run),
        "alerts": [alert.id for alert in recorded.alerts],
        "undelivered": recorded.undelivered,
        "late": recorded.late,
    }
    if recorded.excluded_regions:
        outcome["excluded_regions"] = list(recorded.excluded_regions)
    if recorded.failing_channels:
        outcome["failing_channels"] = sorted(recorded.failing_channels)
    if recorded.channel_problems:  # the alarm for an unreadable configuration counts these
        outcome["unreadable_config"] = len(recorded.channel_problems)
    if recorded.undelivered:
        outcome["oldest_alert_seconds"] = recorded.oldest_alert_ns // SECOND
    return outcome


class FunctionConfig:
    """The active configuration of a function, which handles many events.

    Attributes:
        initial: that of the function's start; None if it could not be read.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._deployed = DeployedConfigReader(environ)
        self._warned: ActiveConfig | None = None
        self.initial = self._read_ahead()

    def current(self) -> ActiveConfig:
        """Return the active configuration; log an error if the newest one cannot be used.

        It is logged for each event: the stack's alarm for an unreadable configuration counts these.

        Raises:
            ConfigError: there is none.
            StorageError: S3 could not be read.
        """
        try:
            active = self._deployed.current()
        except ConfigError as error:
            _log_problem(error, "nothing is checked")
            raise
        if active.error is not None:
            _log_problem(active.error, _instead(active))
        elif active is not self._warned:
            for warning in active.config.warnings:
                _log.warning(str(warning))
        self._warned = active
        return active

    def _read_ahead(self) -> ActiveConfig | None:
        """Do what takes processor time while the function starts, when it has most of it."""
        try:
            return self._deployed.current()
        except CheckupError:
            return None  # it is logged for each event


def _log_problem(problem: ConfigError, instead: str) -> None:
    extra = {"unreadable_config": 1, "problems": str(problem).splitlines(), "instead": instead}
    _log.error("the configuration cannot be used", extra=extra)


def _instead(active: ActiveConfig) -> str:
    if active.version:
        return f"its version {active.version} is used"
    return "the valid checkers are run, and the others are unknown"


# The start of the process.


@contextmanager
def frozen_gc() -> Iterator[None]:
    """Exempt the objects that are made in the block from garbage collection, for good.

    The many objects of AWS's client otherwise set off one collection after the other, which takes
    a fifth of a function's start and finds next to nothing.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
