"""One day of a deployed stack: an outage, its end, a look by hand, an update, and the end.

Each part of the day happens once, in a fixture that keeps what it saw. Tests then hold that
against the promises, in any order.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from checkup.alerting.document import HEAD
from tests.emulators import ROOT, ministack
from tests.servers.slack import FakeSlack
from tests.stack.bridge import Bridge, Handled
from tests.stack.deployment import SETTINGS, STACK, WEBHOOK, Deployment, Fetched, deploy, wait_for
from tests.stack.project import Project
from tests.stack.services import REACHABLE, Service

if TYPE_CHECKING:
    from tests.stack.freezing import Freeze
    from tests.stack.killing import Torn
    from tests.stack.operating import Commanded, Consulted
    from tests.stack.sight import Sight

MINUTE = 60
ELSEWHERE = "eu-west-1"
DAMAGED = b'{"schema": 1, "che'


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


@dataclass(frozen=True)
class ByHand:
    """What came of the SAM CLI's `remote invoke` of both functions.

    Attributes:
        results: of the check function.
        changed: by the publish function.
        before, after: all versions of all documents of the state bucket but the publisher's.
        told: how many messages Slack got.
    """

    results: Any
    changed: Any
    before: list[str]
    after: list[str]
    told: int


@pytest.fixture(scope="session")
def by_hand(stack: Deployment, outage: Outage, slack: FakeSlack, users: Service) -> ByHand:
    before = versions(stack)
    users.well = False
    try:
        results = remote_invoke(stack, "CheckFunction", "events/adhoc.json")
    finally:
        users.well = True
    changed = remote_invoke(stack, "PublishFunction", "events/state-changed.json")
    told = len(slack.messages) - outage.told[-1]
    return ByHand(results, changed, before, versions(stack), told)


def remote_invoke(stack: Deployment, function: str, event_file: str) -> Any:
    printed = stack.project.sam(
        *("remote", "invoke", function, "--stack-name", STACK),
        *("--event-file", event_file, "--output", "text"),
        environ=stack.emulator.environ,
    )
    return json.loads(printed)


def versions(stack: Deployment) -> list[str]:
    """Return all versions of all documents in the state bucket but the publisher's."""
    listed = stack.emulator.client("s3").list_object_versions(
        Bucket=stack.outputs["StateBucketName"]
    )
    return [it["VersionId"] for it in listed["Versions"] if not it["Key"].startswith("history/")]


@dataclass(frozen=True)
class SwitchedOn:
    """The stack after an update that turned its schedules on.

    Attributes:
        outputs: what the stack says of itself.
        seen: how many events the check function had been given before.
    """

    outputs: dict[str, str]
    seen: int


@pytest.fixture(scope="session")
def switched_on(stack: Deployment, torn: Torn) -> SwitchedOn:
    assert torn
    seen = len(stack.handled("CheckFunctionName"))
    updated = deploy(
        *(stack.project, stack.emulator, stack.bridge), Enabled="true", RunDeadline="20"
    )
    return SwitchedOn(dict(updated.outputs), seen)


@dataclass(frozen=True)
class Update:
    """The stack some time after that.

    Attributes:
        handled: the first event that a schedule sent by itself.
        runs: all runs by then.
        variables: the environment of the check function by then.
        outputs: what the stack says of itself.
    """

    handled: Handled
    runs: list[str]
    variables: dict[str, str]
    outputs: dict[str, str]


@pytest.fixture(scope="session")
def update(
    stack: Deployment, switched_on: SwitchedOn, consulted: Consulted, sight: Sight
) -> Update:
    assert consulted and sight  # noqa: PT018 - they come first
    handled = wait_for(
        lambda: stack.handled("CheckFunctionName")[switched_on.seen :], "a schedule of one minute"
    )[0]
    function = stack.emulator.client("lambda").get_function_configuration(
        FunctionName=stack.outputs["CheckFunctionName"]
    )
    variables = function["Environment"]["Variables"]
    return Update(handled, stack.keys("runs/"), variables, switched_on.outputs)


@dataclass(frozen=True)
class Mended:
    """What became of a state that somebody damaged.

    Attributes:
        aside: the damaged bytes, as they were kept.
        head: the state after the next run.
        history: the keys of what the publisher has counted by then.
    """

    aside: list[bytes]
    head: bytes
    history: list[str]


@pytest.fixture(scope="session")
def mended(stack: Deployment, repeated: list[str]) -> Mended:
    assert repeated
    bucket = stack.outputs["StateBucketName"]
    stack.emulator.client("s3").put_object(Bucket=bucket, Key=HEAD, Body=DAMAGED)
    stack.check(int(time.time()) // MINUTE * MINUTE)
    aside = [stack.read(key) for key in stack.keys("quarantine/")]
    return Mended(aside, stack.read(HEAD), stack.keys("history/"))


@dataclass(frozen=True)
class Gone:
    """What is left after the stack was deleted."""

    functions: list[str]
    schedules: list[str]
    buckets: list[str]


@pytest.fixture(scope="session")
def gone(stack: Deployment, commanded: Commanded) -> Gone:
    assert commanded
    stack.project.run([ROOT / "scripts" / "destroy-stack", STACK], stack.emulator.environ)
    client = stack.emulator.client
    return Gone(
        [it["FunctionName"] for it in client("lambda").list_functions()["Functions"]],
        [it["Name"] for it in client("scheduler").list_schedules()["Schedules"]],
        [it["Name"] for it in client("s3").list_buckets()["Buckets"]],
    )
