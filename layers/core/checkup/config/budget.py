"""Times and numbers that can be read but hardly be meant: what takes longer than there is time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from checkup.config.identity import CheckerEntry
from checkup.config.reading import SettingsReader
from checkup.config.settings import Config
from checkup.config.tree import Member
from checkup.duration import short_duration


def check_run_deadline(
    reading: SettingsReader,
    config: Config,
    entries: Iterable[CheckerEntry],
    members: Mapping[str, Member],
) -> None:
    """Warn of checkers that a run has no time for, and of runs that have none for each other.

    Args:
        members: those of the file itself.
    """
    if config.run_deadline > config.interval and {"run_deadline", "interval"} <= set(members):
        text = f"longer than the interval of the runs ({short_duration(config.interval)})"
        fix = "runs that fall into another are left out"
        reading.report.warn(members["run_deadline"].at, "run_deadline", text, fix)
    for entry in entries:
        _check(reading, config, entry)


def _check(reading: SettingsReader, config: Config, entry: CheckerEntry) -> None:
    checker = entry.checker
    if 0 < checker.interval < config.interval and "interval" in entry.members:
        text = f"shorter than the interval of the runs ({short_duration(config.interval)})"
        at, key = entry.members["interval"].at, f"{entry.key}.interval"
        reading.report.warn(at, key, text, "remove it: each run looks at it")
    if checker.longest >= config.run_deadline:
        longest, limit = short_duration(checker.longest), short_duration(config.run_deadline)
        text = f"may take {longest}, and a run has {limit}; then it is unknown"
        fix = "fewer attempts, a shorter timeout, or a longer run_deadline"
        reading.report.warn(entry.at, entry.key, text, fix)
