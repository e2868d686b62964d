"""The schedules of the deployed stack are stopped by somebody: what its alarms make of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from tests.stack.alarms import SIGNS_OF_LIFE, alarms_of, announce, heard, measured
from tests.stack.day import MINUTE
from tests.stack.deployment import STACK, Deployment, wait_for
from tests.stack.freezing import Freeze
from tests.stack.trouble import Trouble
from tests.stack.updating import Update
from tests.stack.watching import Point, rings

_SETTINGS = (
    *("Name", "ScheduleExpression", "ScheduleExpressionTimezone"),
    *("FlexibleTimeWindow", "Target", "Description"),
)
"""What a schedule has to be told again when it is changed."""


@dataclass(frozen=True)
class Silence:
    """A stack of which nobody hears anything any more.

    Attributes:
        found: all that there was to measure.
        thawed: what the run that was frozen answered.
        rung: after how many minutes each alarm for a silence was in alarm.
        told: the alarms of which the subscriber has heard, all day.
    """

    found: list[Point]
    thawed: Any
    rung: Mapping[str, int]
    told: set[str]


@pytest.fixture(scope="session")
def silence(stack: Deployment, update: Update, trouble: Trouble, freeze: Freeze) -> Silence:
    assert update
    thawed = freeze.summary.result()
    for schedule in schedules(stack):
        stop(stack, schedule)
    found, alarms = measured(stack), alarms_of(stack)
    announce(stack, found)
    rung = {name: minutes_to_ring(alarms[name], found) for name in SIGNS_OF_LIFE}
    for name in rung:  # as CloudWatch will, in so many minutes
        stack.client("cloudwatch").set_alarm_state(
            AlarmName=alarms[name]["AlarmName"], StateValue="ALARM", StateReason="no datapoints"
        )
    told: set[str] = set()

    def all_are_told() -> bool:
        told.update(heard(stack, trouble.mailbox))
        return told == alarms.keys()

    wait_for(all_are_told, "news of each alarm")
    return Silence(found, thawed, rung, told)


def schedules(stack: Deployment) -> list[Any]:
    """Return the schedules of the stack as they are."""
    client = stack.client("scheduler")
    return [
        client.get_schedule(Name=it["Name"])
        for it in client.list_schedules()["Schedules"]
        if it["Name"].startswith(f"{STACK}-")
    ]


def stop(stack: Deployment, schedule: Mapping[str, Any]) -> None:
    """Stop a schedule by hand, past the stack, which goes on to believe that it runs."""
    settings = {name: schedule[name] for name in _SETTINGS}
    stack.client("scheduler").update_schedule(**settings, State="DISABLED")


def minutes_to_ring(alarm: Mapping[str, Any], found: Iterable[Point]) -> int:
    """Return how many minutes after the last of its points an alarm is in alarm.

    Until the period of that point is over, it may ring for the silence before the first.
    """
    known, period = list(found), alarm["Period"]
    latest = max(point.at for point in known if point.metric == alarm["MetricName"])
    minute, over = (latest // span * span + span for span in (MINUTE, period))
    rung = next(now for now in count(over, MINUTE) if rings(alarm, known, now))
    return int(rung - minute) // MINUTE
