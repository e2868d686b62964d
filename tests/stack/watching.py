"""What CloudWatch makes of logs and metrics, as far as the emulator does not.

It neither reads numbers out of logs nor takes missing ones for a sign, and it mixes the numbers of
one function with those of another. Metric filters and alarms are those of the deployed stack, as
the emulator keeps them; so are the numbers that Lambda counts.
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
    """A value of a metric at a time in seconds since the epoch.

    Attributes:
        of: the name of the function or the queue, if AWS counts it for each.
    """

    namespace: str
    metric: str
    at: float
    value: float
    of: str = ""


def points(log: str, filters: Iterable[Mapping[str, Any]]) -> list[Point]:
    """Return what metric filters find in a log whose lines are JSON.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntaxForMetricFilters.html
    """
    entries = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    return [
        _point(entry, one["metricTransformations"][0])
        for one in filters
        for entry in entries
        if _matches(entry, one["filterPattern"])
    ]


def _point(entry: Mapping[str, Any], transformation: Mapping[str, str]) -> Point:
    value = transformation["metricValue"]
    return Point(
        transformation["metricNamespace"],
        transformation["metricName"],
        datetime.fromisoformat(entry["timestamp"]).timestamp(),
        float(entry[value[2:]] if value.startswith("$.") else value),
    )


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


def subject(alarm: Mapping[str, Any]) -> str:
    """Return the name of the one function or queue that an alarm looks at; empty if of neither."""
    return "".join(dimension["Value"] for dimension in alarm.get("Dimensions", ()))


def rings(alarm: Mapping[str, Any], found: Iterable[Point], now: float) -> bool:
    """Say whether an alarm is in alarm at a moment, once all of the last periods are over.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
    """
    period, end = alarm["Period"], now // alarm["Period"] * alarm["Period"]
    metric = alarm["Namespace"], alarm["MetricName"], subject(alarm)
    mine = [point for point in found if (point.namespace, point.metric, point.of) == metric]
    return all(
        _is_breaching(alarm, [it.value for it in mine if start <= it.at < start + period])
        for start in (end - (n + 1) * period for n in range(alarm["EvaluationPeriods"]))
    )


def has_rung(alarm: Mapping[str, Any], found: Iterable[Point]) -> bool:
    """Say whether an alarm was in alarm at the end of any period in which something was found."""
    known = list(found)
    return any(rings(alarm, known, point.at + alarm["Period"]) for point in known)


def _is_breaching(alarm: Mapping[str, Any], values: list[float]) -> bool:
    if not values:
        return bool(alarm["TreatMissingData"] == "breaching")
    value = _STATISTICS[alarm["Statistic"]](values)
    return bool(_COMPARISONS[alarm["ComparisonOperator"]](value, alarm["Threshold"]))
