"""Times and numbers that can be read but hardly be meant: what takes longer than there is time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from checkup.config.identity import Entry
from checkup.config.reading import Reading
from checkup.config.settings import Config
from checkup.config.tree import Member
from checkup.duration import short_duration
from checkup.ports import Checker


def check_budget(
    reading: Reading, config: Config, entries: Iterable[Entry], members: Mapping[str, Member]
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


def _check(reading: Reading, config: Config, entry: Entry) -> None:
    checker = entry.checker
    if 0 < checker.interval < config.interval and "interval" in entry.members:
        text = f"shorter than the interval of the runs ({short_duration(config.interval)})"
        at, key = entry.members["interval"].at, f"{entry.key}.interval"
        reading.report.warn(at, key, text, "remove it: each run looks at it")
    worst = _worst_case(checker)
    if worst >= config.run_deadline:
        limit = short_duration(config.run_deadline)
        text = f"may take {short_duration(worst)}, and a run has {limit}; then it is unknown"
        fix = "fewer attempts, a shorter timeout, or a longer run_deadline"
        reading.report.warn(entry.at, entry.key, text, fix)


def _worst_case(checker: Checker) -> int:
    """Return how long all attempts take if each of them fails as late as it can."""
    configured = checker.timeout or 0
    limit = configured if configured > 0 else checker.default_timeout
    return checker.attempts * limit + (checker.attempts - 1) * max(0, checker.attempt_spacing)
