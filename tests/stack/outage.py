"""An outage of a service that the deployed stack checks, and its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.servers.slack import FakeSlack
from tests.stack.bridge import Handled
from tests.stack.day import MINUTE, page_that_says
from tests.stack.deployment import Deployment, Fetched
from tests.stack.services import Service

if TYPE_CHECKING:
    from tests.stack.freezing import Freeze


@dataclass(frozen=True)
class Outage:
    """An outage of the user service, and what people and storage had of it.

    Attributes:
        summaries: what each run answered.
        told: how many messages Slack had accepted after each run.
        texts: their first lines.
        runs: the stored runs, in order.
        pages: the page behind CloudFront: while the service was down, and after.
        missing: what CloudFront says of a page that there is not.
        published: the events that started the publish function.
        log: what the functions printed.
    """

    summaries: list[Any]
    told: list[int]
    texts: list[str]
    runs: dict[str, bytes]
    pages: list[Fetched]
    missing: Fetched
    published: list[Handled]
    log: str


@pytest.fixture(scope="session")
def outage(stack: Deployment, freeze: Freeze, slack: FakeSlack, users: Service) -> Outage:
    summaries, told, pages = [], [], []

    def run(minute: int, *, well: bool) -> None:
        users.well = well
        summaries.append(stack.check(freeze.slot + minute * MINUTE))
        told.append(len(slack.messages))

    run(0, well=True)
    run(1, well=False)
    run(2, well=False)
    pages.append(page_that_says(stack, "User Service", "down"))
    run(3, well=True)
    run(4, well=True)
    pages.append(page_that_says(stack, "User Service", "operational"))
    return Outage(
        summaries,
        told,
        slack.texts,
        {key: stack.read(key) for key in stack.keys("runs/")},
        pages,
        stack.fetch("/nowhere.html"),
        stack.handled("PublishFunctionName"),
        stack.bridge.logs(),
    )
