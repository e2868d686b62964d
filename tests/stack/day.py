"""One day of a deployed stack: how it begins, and what each of its parts needs.

The parts have modules of their own: an outage, a look by hand, an update, and so on to the end.
Each happens once, in a fixture that keeps what it saw. Tests then hold that against the promises,
in any order.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from tests.emulators import ministack
from tests.servers.slack import FakeSlack
from tests.stack.bridge import Bridge
from tests.stack.deployment import SETTINGS, WEBHOOK, Deployment, Fetched, deploy, wait_for
from tests.stack.project import Project
from tests.stack.services import REACHABLE

MINUTE = 60


@pytest.fixture(scope="session")
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as server:
        yield server


@pytest.fixture(scope="session")
def stack(
    project: Project,
    other_project: Future[Project],
    slack: FakeSlack,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Deployment]:
    """The stack as it is first deployed: its configuration in S3, and its schedules off."""
    assert other_project  # it is built while the day waits for its schedule
    folder = tmp_path_factory.mktemp("deployment")
    with ministack(folder / "aws", auth=True, tls=True) as emulator:
        bridge = Bridge(emulator, folder / "lambda", REACHABLE)
        try:
            emulator.client("ssm").put_parameter(
                Name=WEBHOOK, Value=slack.webhook, Type="SecureString"
            )
            settings = {"Bucket": SETTINGS}
            emulator.client("s3").create_bucket(**settings)
            emulator.client("s3").put_bucket_versioning(
                **settings, VersioningConfiguration={"Status": "Enabled"}
            )
            stack = deploy(*(project, emulator, bridge), Enabled="false", ConfigBucket=SETTINGS)
            stack.configure(project.configuration)
            yield stack
        finally:
            bridge.stop()


def minutes_ago(minutes: int) -> int:
    """Return a full minute of the past, in seconds since the epoch."""
    return (int(time.time()) // MINUTE - minutes) * MINUTE


def page_that_says(stack: Deployment, *words: str, path: str = "/") -> Fetched:
    """Wait for the page that the events of the state bucket bring about."""

    def told() -> Fetched | None:
        page = stack.fetch(path)
        text = page.body.lower()
        return page if page.status == 200 and all(word.lower() in text for word in words) else None

    page: Fetched = wait_for(told, f"a page that says {words}")
    return page
