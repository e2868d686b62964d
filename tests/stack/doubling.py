"""Events that come twice, late, or several at once, to the deployed check function."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from checkup.alerting.state import STATE_KEY
from tests.servers.slack import FakeSlack
from tests.stack.day import MINUTE, minutes_ago
from tests.stack.deployment import Deployment
from tests.stack.rebuilding import Rebuilt
from tests.stack.services import Service

TIMES = 4
TOGETHER = 3


@dataclass(frozen=True)
class Doubled:
    """What came of events that the schedule would send once, in order and in time.

    Attributes:
        told: how many messages there were more after each event that two functions got at once,
            each of which was news.
        again: the state before and after the last of them came once more.
        late: the summary of a run whose slot was two hours old.
        unmoved: the state after it.
        together: the names of runs that took place at once, all during the same outage.
        told_together: how many messages there were more after those.
        stored, kept_apart: the names of all runs in the end, and of those that came too late.
    """

    told: list[int]
    again: tuple[bytes, bytes]
    late: Any
    unmoved: bytes
    together: set[str]
    told_together: int
    stored: set[str]
    kept_apart: set[str]


@pytest.fixture(scope="session")
def doubled(stack: Deployment, rebuilt: Rebuilt, slack: FakeSlack, users: Service) -> Doubled:
    assert rebuilt
    slots = [minutes_ago(22) + n * MINUTE for n in range(TIMES + TOGETHER)]
    told = []
    for number, slot in enumerate(slots[:TIMES]):
        users.well = bool(number % 2)
        told.append(told_of(stack, slack, [slot, slot]))
    head = stack.read(STATE_KEY)
    stack.check(slots[TIMES - 1])
    again = head, stack.read(STATE_KEY)
    users.well = False
    late = stack.check(slots[0] - 120 * MINUTE)
    unmoved = stack.read(STATE_KEY)
    told_together = told_of(stack, slack, slots[TIMES:])
    users.well = True
    return Doubled(
        told,
        again,
        late,
        unmoved,
        {f"{slot * 10**9}-check.json" for slot in slots[TIMES:]},
        told_together,
        {key.removeprefix("runs/") for key in stack.keys("runs/")},
        {key.removeprefix("late/") for key in stack.keys("late/")},
    )


def told_of(stack: Deployment, slack: FakeSlack, slots: Sequence[int]) -> int:
    """Deliver events at once, so that each has a function of its own; count what is told."""
    before = len(slack.messages)
    with ThreadPoolExecutor(len(slots)) as pool:
        list(pool.map(stack.check, slots))
    return len(slack.messages) - before
