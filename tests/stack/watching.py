"""What CloudWatch makes of logs and metrics, as far as the emulator does not.

It neither reads numbers out of logs nor takes missing ones for a sign. Metric filters and alarms
are those of the deployed stack, as the emulator keeps them.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

_PATTERN = re.compile(r'\{ \$\.(\w+) ([=>]) ("[^"]*"|\d+) \}')
_COMPARISONS = {
    "LessThanThreshold": operator.lt,
    "GreaterThanThreshold": operator.gt,
}
_STATISTICS: Mapping[str, Callable[[list[float]], float]] = {"Sum": sum, "Maximum": max}


@dataclass(frozen=True)
class Point:
    """A value of a metric at a time in seconds since the epoch."""

    metric: str
    at: float
    value: float


def points(log: str, filters: Iterable[Mapping[str, Any]]) -> list[Point]:
    """Return what metric filters find in a log whose lines are JSON.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntaxForMetricFilters.html
    """
    entries = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    found = []
    for one in filters:
        transformation = one["metricTransformations"][0]
        for entry in entries:
            if _matches(entry, one["filterPattern"]):
                value = transformation["metricValue"]
                number = entry[value[2:]] if value.startswith("$.") else value
                at = datetime.strptime(entry["timestamp"], "%Y-%m-%d %H:%M:%S,%f%z").timestamp()
                found.append(Point(transformation["metricName"], at, float(number)))
    return found


def _matches(entry: Mapping[str, Any], pattern: str) -> bool:
    parts = _PATTERN.fullmatch(pattern)
    assert parts, pattern
    name, comparison, wanted = parts.groups()
    if name not in entry:
        return False
    expected = json.loads(wanted)
    if comparison == "=":
        return bool(entry[name] == expected)
    return isinstance(entry[name], int | float) and entry[name] > expected


def rings(alarm: Mapping[str, Any], found: Iterable[Point], now: float) -> bool:
    """Say whether an alarm is in alarm at a moment, once all of the last periods are over.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
    """
    period, end = alarm["Period"], now // alarm["Period"] * alarm["Period"]
    mine = [point for point in found if point.metric == alarm["MetricName"]]
    return all(
        _is_breaching(alarm, [it.value for it in mine if start <= it.at < start + period])
        for start in (end - (n + 1) * period for n in range(alarm["EvaluationPeriods"]))
    )


def _is_breaching(alarm: Mapping[str, Any], values: list[float]) -> bool:
    if not values:
        return bool(alarm["TreatMissingData"] == "breaching")
    value = _STATISTICS[alarm["Statistic"]](values)
    return bool(_COMPARISONS[alarm["ComparisonOperator"]](value, alarm["Threshold"]))
