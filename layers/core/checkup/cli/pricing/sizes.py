"""What of a configuration and of a stack's parameters costs money."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from checkup.cli.pricing.schedule import runs_per_hour
from checkup.cli.pricing.template import cloudwatch_counts, parameter_defaults
from checkup.cli.pricing.usage import HourlyUsage, StackSize
from checkup.config.settings import Config
from checkup.model import SECOND

_HOUR: Final = 3600 * SECOND
MIN_INTERVAL: Final = 60 * SECOND
"""EventBridge Scheduler starts nothing more often than once a minute."""

_SECRET: Final = re.compile(r'"secretsmanager:([^"#]+)')


def stack_size(config: Config, parameters: Mapping[str, str] | None) -> StackSize:
    """Return the sizes of a stack.

    Args:
        parameters: of a deployed stack; None for one that is as its template says, and runs as
            often as the configuration does.

    Raises:
        CheckupError: its schedule is not understood.
    """
    given = {**parameter_defaults(), **(parameters or {})}
    interval = _HOUR / runs_per_hour(given["Schedule"]) if parameters else config.interval
    return StackSize(
        memory=int(given["MemorySize"]),
        architecture=given["Architecture"],
        retention=int(given["RunRetentionDays"]),
        interval=max(round(interval), MIN_INTERVAL),
        deadline=float(given["RunDeadline"]),
        has_page=given["Page"] != "none",
        asks_for_configuration=bool(given["ConfigBucket"]),
    )


def hourly_usage(config: Config, sizes: StackSize) -> HourlyUsage:
    """Return what a configuration gives a stack to do; a checker may be looked at less often."""
    per_hour = [
        (_HOUR / max(sizes.interval, checker.interval), max(1, checker.attempts))
        for checker in config.checkers
    ]
    regions = max(1, len(config.regions))
    home = cloudwatch_counts(is_home=True, has_page=sizes.has_page)
    further = cloudwatch_counts(is_home=False, has_page=False)
    return HourlyUsage(
        components=len(config.checkers),
        attempts=sum(times * attempts for times, attempts in per_hour),
        results=sum(times for times, _ in per_hour),
        runs=_HOUR / sizes.interval,
        regions=regions,
        sizes=sizes,
        alarms=home.alarms + (regions - 1) * further.alarms,
        metrics=home.metrics + (regions - 1) * further.metrics,
        secrets=len(set(_SECRET.findall(msgspec.json.encode(config).decode()))),
    )
