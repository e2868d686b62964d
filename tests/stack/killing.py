"""Runs whose function is killed between two of its writes, and the runs after them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from signal import SIGKILL
from typing import TYPE_CHECKING

import pytest

from checkup.alerting.state import STATE_KEY
from tests.servers.s3_faults import faulty_s3
from tests.servers.slack import FakeSlack
from tests.stack.day import MINUTE, minutes_ago
from tests.stack.deployment import Deployment, due, wait_for
from tests.stack.doubling import Doubled
from tests.stack.services import Service
from tests.stack.updating import Update

if TYPE_CHECKING:
    from tests.stack.regions import Regions
    from tests.stack.silence import Silence


@dataclass(frozen=True)
class Killed:
    """An outage and its end, each of which a function saw that was killed after a write.

    Attributes:
        ends: what the runtime said of the two runs that were killed.
        runs: the names of the runs that are stored of those four minutes.
        told: the first lines that Slack had got after each of the four runs.
    """

    ends: list[str]
    runs: list[str]
    told: list[list[str]]


@pytest.fixture(scope="session")
def killed(stack: Deployment, doubled: Doubled, slack: FakeSlack, users: Service) -> Killed:
    """Kill one run when it is stored, and one when its news is in the state."""
    assert doubled
    begin = minutes_ago(12)
    stack.check(begin - MINUTE)
    before = len(slack.texts)
    name, bucket = stack.outputs["CheckFunctionName"], stack.outputs["StateBucketName"]
    ends, told = [], []
    with (
        faulty_s3(stack.emulator.url, stack.emulator.authority) as s3,
        stack.bridge.through(name, {"AWS_ENDPOINT_URL_S3": s3.url}),
    ):
        s3.kill = lambda: kill(stack)
        for minute, well, written in ((0, False, "runs/"), (2, True, STATE_KEY)):
            users.well = well
            s3.deadly = f"PUT /{bucket}/{written}"
            ends.append(ended(stack, begin + minute * MINUTE))
            told.append(slack.texts[before:])
            stack.check(begin + (minute + 1) * MINUTE)
            told.append(slack.texts[before:])
    runs = [f"{(begin + n * MINUTE) * 10**9}-check.json" for n in range(4)]
    stored = [key.removeprefix("runs/") for key in stack.keys("runs/")]
    return Killed(ends, [run for run in runs if run in stored], told)


def kill(stack: Deployment) -> None:
    """End the check function that was last given an event, as when its memory runs out."""
    stack.bridge.at_work(stack.outputs["CheckFunctionName"])[-1].signal(SIGKILL)


def ended(stack: Deployment, slot: int) -> str:
    """Deliver the event of a slot to a function that is killed; return what its runtime says."""
    stack.client("lambda").invoke(
        FunctionName=stack.outputs["CheckFunctionName"], Payload=json.dumps(due(slot))
    )
    return str(stack.handled("CheckFunctionName")[-1].answer.payload["errorMessage"])


@dataclass(frozen=True)
class Torn:
    """A run that was killed when Slack had taken its message and before it could write that down.

    Attributes:
        before: how many messages there were before.
        end: what the runtime said of it.
    """

    before: int
    end: str


@pytest.fixture(scope="session")
def torn(stack: Deployment, regions: Regions, slack: FakeSlack, users: Service) -> Torn:
    """Kill a run in the one moment of which nobody can know."""
    before = len(slack.texts)
    slack.kill = lambda: kill(stack)
    slack.behave("killed-after", "ok")
    users.well = True  # which it was not in the last slot
    end = ended(stack, regions.until + MINUTE)
    return Torn(before, end)


@pytest.fixture(scope="session")
def repeated(
    torn: Torn, update: Update, silence: Silence, stack: Deployment, slack: FakeSlack
) -> list[str]:
    """What Slack got of it in the end; the claim of who was killed expires first."""
    assert silence
    slot = int(update.handled.answer.payload["run"].partition("-")[0]) // 10**9

    def told() -> list[str]:
        stack.check(slot)
        return [text for text in slack.texts[torn.before :] if "test message" not in text]

    wait_for(lambda: len(told()) > 1, "what the run that was killed had begun to tell")
    return told()
