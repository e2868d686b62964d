"""A second region in the middle of the day: the same template, deployed there, votes."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.emulators import REGION
from tests.servers.slack import FakeSlack
from tests.stack.day import MINUTE, minutes_ago, page_that_says
from tests.stack.deployment import SETTINGS, Deployment, Fetched, deploy
from tests.stack.freezing import Freeze
from tests.stack.operating import Restored
from tests.stack.pair import ELSEWHERE
from tests.stack.services import Service


@dataclass(frozen=True)
class Regions:
    """An outage that first one region saw, and then both.

    Attributes:
        told: how many messages Slack had more after each step.
        runs: the names of the runs that the region elsewhere put.
        page: when one region had seen it.
        elsewhere: the second stack.
        until: the last slot.
    """

    told: list[int]
    runs: list[str]
    page: Fetched
    elsewhere: Deployment
    until: int


@pytest.fixture(scope="session")
def regions(
    stack: Deployment, restored: Restored, freeze: Freeze, slack: FakeSlack, users: Service
) -> Regions:
    assert restored
    before, told = len(slack.messages), []
    elsewhere = deploy(
        *(stack.project, stack.emulator, stack.bridge, "elsewhere", ELSEWHERE),
        Enabled="false",
        ConfigBucket=SETTINGS,
        HomeBucket=stack.outputs["StateBucketName"],
        HomeRegion=REGION,
    )
    freeze.summary.result()  # which knows of no regions
    # Where regions vote, a slot without a run holds back those after it until its time is over.
    # From here on there is none, and both are younger than the time that a region is waited for.
    second = minutes_ago(0)
    first = second - MINUTE
    stack.check(first - MINUTE)
    alone = stack.project.configuration
    labels = {REGION: "Virginia", ELSEWHERE: "Ireland"}
    stack.configure(
        {
            **alone,
            "regions": [REGION, ELSEWHERE],
            "page": {**alone["page"], "regions": labels},
        }
    )
    runs = []

    def run(where: Deployment, slot: int, *, well: bool) -> None:
        users.well = well
        summary = where.check(slot)
        told.append(len(slack.messages) - before)
        if where is elsewhere:
            runs.append(summary["run"])

    run(elsewhere, first, well=False)
    run(stack, first, well=True)
    # No state changes while one region alone sees it: the page's own schedule shows that.
    stack.invoke("PublishFunctionName", {"task": "publish"})
    page = page_that_says(stack, "Virginia", "Ireland")
    run(stack, second, well=False)
    run(elsewhere, second, well=False)
    run(stack, second, well=False)  # the same event again closes the slot
    users.well = True
    stack.configure(alone)
    return Regions(told, runs, page, elsewhere, second)
