"""A second region in the middle of the day: the same template, deployed there, votes."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.emulators import REGION
from tests.servers.slack import FakeSlack
from tests.stack.day import ELSEWHERE, minutes_ago, page_that_says
from tests.stack.deployment import SETTINGS, Deployment, Fetched, deploy
from tests.stack.services import Service
from tests.stack.trouble import Trouble


@dataclass(frozen=True)
class Regions:
    """An outage that first one region saw, and then both.

    Attributes:
        told: how many messages Slack had more after each step.
        runs: the names of the runs that the region elsewhere put.
        page: when one region had seen it.
        elsewhere: the outputs of the second stack.
    """

    told: list[int]
    runs: list[str]
    page: Fetched
    elsewhere: Deployment


@pytest.fixture(scope="session")
def regions(stack: Deployment, trouble: Trouble, slack: FakeSlack, users: Service) -> Regions:
    assert trouble
    before, told = len(slack.messages), []
    elsewhere = deploy(
        *(stack.project, stack.emulator, stack.bridge, "elsewhere", ELSEWHERE),
        Enabled="false",
        ConfigBucket=SETTINGS,
        HomeBucket=stack.outputs["StateBucketName"],
        HomeRegion=REGION,
    )
    alone = stack.project.configuration
    labels = {REGION: "Virginia", ELSEWHERE: "Ireland"}
    stack.configure(
        {
            **alone,
            "recheck": 0,
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

    # Both slots are younger than the time that a region is waited for.
    first, second = minutes_ago(1), minutes_ago(0)
    run(elsewhere, first, well=False)
    run(stack, first, well=True)
    page = page_that_says(stack, "Virginia", "Ireland")
    run(stack, second, well=False)
    run(elsewhere, second, well=False)
    run(stack, second, well=False)  # the same event again closes the slot
    users.well = True
    stack.configure(alone)
    return Regions(told, runs, page, elsewhere)
