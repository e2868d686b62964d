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


# What a function's log tells of a run, and what each line of it tells besides.


def origin_fields(config: Config, environ: Mapping[str, str]) -> dict[str, str]:
    """Return where something was made, with which configuration and version of the program."""
    region = Environment.of(environ).aws_region
    return {"region": region, "config": config.digest, "version": __version__}


def run_fields(context: RunContext, slot: int) -> dict[str, str]:
    """Return the name of this region's run of a slot, and the slot as a schedule writes it."""
    moment = datetime.fromtimestamp(slot // SECOND, UTC)
    return {
        "run": Run(slot=slot, results=(), region_index=context.region_index).file_name,
        "slot": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
    }


@contextmanager
def log_fields(facts: Mapping[str, str]) -> Iterator[None]:
    """Add facts to each line that is logged meanwhile, by whatever thread or library."""
    plain = logging.getLogRecordFactory()

    def with_facts(*words: Any, **more: Any) -> logging.LogRecord:
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


def outcome_fields(recorded: RunOutcome) -> dict[str, Any]:
    """Return the summary of a run with what became of its news; alarms read the log."""
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
    """What counts at the moment, for functions that serve event after event.

    Attributes:
        initial: what counted when the function started; None if that could not be found out.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._deployed = DeployedConfigReader(environ)
        self._warned: ActiveConfig | None = None
        self.initial = self._read_ahead()

    def current(self) -> ActiveConfig:
        """Return what counts; complain with each event for which that is not what it should be.

        The stack's alarm for an unreadable configuration counts these complaints.

        Raises:
            ConfigError: nothing counts.
            StorageError: S3 could not be asked.
        """
        try:
            counted = self._deployed.current()
        except ConfigError as error:
            _complain(error, "nothing is checked")
            raise
        if counted.error is not None:
            _complain(counted.error, _instead(counted))
        elif counted is not self._warned:
            for warning in counted.config.warnings:
                _log.warning(str(warning))
        self._warned = counted
        return counted

    def _read_ahead(self) -> ActiveConfig | None:
        """Do what takes processor time while the function starts, when it has most of it."""
        try:
            return self._deployed.current()
        except CheckupError:
            return None  # said with each event


def _complain(problem: ConfigError, instead: str) -> None:
    extra = {"unreadable_config": 1, "problems": str(problem).splitlines(), "instead": instead}
    _log.error("the configuration cannot be used", extra=extra)


def _instead(counted: ActiveConfig) -> str:
    if counted.version:
        return f"its version {counted.version} counts"
    return "the checkers that are right are run, and the others are unknown"


# Making what lasts as long as the process.


@contextmanager
def frozen_gc() -> Iterator[None]:
    """Look for garbage neither while something is made that stays, nor in it ever again.

    The many objects of AWS's client otherwise set off one collection after the other, which takes
    a fifth of a function's start and finds next to nothing.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
