"""One day of a deployed stack: an outage, its end, a look by hand, an update, and the end.

Each part of the day happens once, in a fixture that keeps what it saw. The tests then hold that
against the promises, in any order.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from checkup import runfile
from checkup.alerting.document import HEAD, decode_head
from tests.emulators import ROOT, ministack
from tests.servers.slack import FakeSlack
from tests.stack.bridge import Bridge, Handled
from tests.stack.deployment import STACK, WEBHOOK, Deployment, Fetched, deploy, wait_for
from tests.stack.project import Project
from tests.stack.services import REACHABLE, Service

MINUTE = 60
DAMAGED = b'{"schema": 1, "che'


@pytest.fixture(scope="session")
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as server:
        yield server


@pytest.fixture(scope="session")
def stack(
    project: Project, slack: FakeSlack, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    """The stack as it is first deployed, with its schedules off."""
    folder = tmp_path_factory.mktemp("deployment")
    with ministack(folder / "aws", auth=True, tls=True) as emulator:
        bridge = Bridge(emulator, folder / "lambda", REACHABLE)
        try:
            emulator.client("ssm").put_parameter(
                Name=WEBHOOK, Value=slack.webhook, Type="SecureString"
            )
            yield deploy(project, emulator, bridge, Enabled="false")
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
def outage(stack: Deployment, slack: FakeSlack, users: Service) -> Outage:
    first = int(time.time()) // MINUTE * MINUTE - 5 * MINUTE
    summaries, told, pages = [], [], []

    def run(minute: int, *, well: bool) -> None:
        users.well = well
        summaries.append(stack.check(first + minute * MINUTE))
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


def page_that_says(stack: Deployment, *words: str) -> Fetched:
    """Wait for the page that the events of the state bucket bring about."""

    def told() -> Fetched | None:
        page = stack.fetch("/")
        text = page.body.lower()
        return page if page.status == 200 and all(word.lower() in text for word in words) else None

    page: Fetched = wait_for(told, f"a page that says {words}")
    return page


def test_each_run_says_what_it_saw(outage: Outage) -> None:
    statuses = [summary["statuses"] for summary in outage.summaries]
    well, ill = {"healthy": 2}, {"down": 1, "healthy": 1}
    assert statuses == [well, ill, ill, well, well]


def test_slack_is_told_once_of_an_outage_and_once_of_its_end(outage: Outage) -> None:
    assert outage.told == [0, 1, 1, 2, 2]
    assert "User Service" in outage.texts[0]
    assert "User Service" in outage.texts[1]
    assert not any("Website" in text for text in outage.texts)


def test_nothing_is_left_undelivered(outage: Outage) -> None:
    assert [summary["undelivered"] for summary in outage.summaries] == [0] * 5


def test_each_slot_has_its_run_in_the_bucket(outage: Outage) -> None:
    assert list(outage.runs) == [f"runs/{summary['run']}" for summary in outage.summaries]
    for body in outage.runs.values():
        assert [result.title for result in runfile.decode(body)] == ["Website", "User Service"]


def test_webhook_is_in_no_run_page_or_log_160(outage: Outage, slack: FakeSlack) -> None:
    secret = slack.webhook.rpartition("/")[2]
    everything = [*map(bytes.decode, outage.runs.values()), *(it.body for it in outage.pages)]
    assert not any(secret in text for text in [*everything, outage.log])


def test_write_of_state_starts_the_publisher(outage: Outage) -> None:
    assert outage.published
    for handled in outage.published:
        assert handled.answer.error == ""
        record = handled.event["Records"][0]
        assert record["eventName"].startswith("ObjectCreated:")
        assert record["s3"]["object"]["key"].startswith("state/")


def test_event_file_has_the_form_of_the_real_event(outage: Outage) -> None:
    file = json.loads((ROOT / "events" / "state-changed.json").read_text())
    assert form_of(outage.published[-1].event) == form_of(file)


def form_of(event: Any) -> Any:
    """Return an event without its values."""
    if isinstance(event, dict):
        return {key: form_of(value) for key, value in event.items()}
    return [form_of(item) for item in event] if isinstance(event, list) else type(event).__name__


def test_page_is_served_by_cloudfront(outage: Outage) -> None:
    for page in outage.pages:
        assert page.headers["content-type"].startswith("text/html")
        assert page.headers["x-cache"].endswith("cloudfront")
        assert "Status of the stack" in page.body


def test_missing_page_is_a_404(outage: Outage) -> None:
    assert outage.missing.status == 404


def test_log_entries_are_json_with_the_request_they_belong_to(outage: Outage) -> None:
    lines = [line for line in outage.log.splitlines() if line.startswith("{")]
    recorded = [it for it in map(json.loads, lines) if it.get("message") == "run recorded"]
    assert len(recorded) == 5
    assert all(entry["service"] == "checkup" for entry in recorded)
    assert [entry["statuses"] for entry in recorded][1] == {"down": 1, "healthy": 1}


@dataclass(frozen=True)
class ByHand:
    """What came of the SAM CLI's `remote invoke` of both functions.

    Attributes:
        results: of the check function.
        changed: by the publish function.
        before, after: all versions of all documents of the state bucket.
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
    """Return all versions of all documents in the state bucket."""
    listed = stack.emulator.client("s3").list_object_versions(
        Bucket=stack.outputs["StateBucketName"]
    )
    return [found["VersionId"] for found in listed["Versions"]]


def test_look_by_hand_returns_the_results(by_hand: ByHand) -> None:
    seen = {result["title"]: result for result in by_hand.results}
    assert seen["Website"]["healthy"]
    assert seen["User Service"]["down"]


def test_page_can_be_published_by_hand(by_hand: ByHand) -> None:
    assert list(by_hand.changed) == ["changed"]


def test_14_look_by_hand_touches_no_state_and_tells_nobody(by_hand: ByHand) -> None:
    assert by_hand.before == by_hand.after
    assert by_hand.told == 0


@pytest.fixture(scope="session")
def denials(stack: Deployment, outage: Outage) -> dict[str, str]:
    """What AWS answers to what the functions' roles were not allowed."""
    assert outage
    check = stack.bridge.client(stack.outputs["CheckFunctionName"])
    publish = stack.bridge.client(stack.outputs["PublishFunctionName"])
    state, page = stack.outputs["StateBucketName"], stack.outputs["PageBucketName"]
    run = stack.keys("runs/")[0]
    tries = {
        "check deletes a run": lambda: check("s3").delete_object(Bucket=state, Key=run),
        "check writes elsewhere": lambda: check("s3").put_object(Bucket=state, Key="x", Body=b""),
        "check writes the page": lambda: check("s3").put_object(
            Bucket=page, Key="index.html", Body=b""
        ),
        "check reads another secret": lambda: check("ssm").get_parameter(Name="/other/secret"),
        "check invokes": lambda: check("lambda").invoke(
            FunctionName=stack.outputs["CheckFunctionName"]
        ),
        "publish writes state": lambda: publish("s3").put_object(
            Bucket=state, Key="state/head.json", Body=b""
        ),
        "publish reads a secret": lambda: publish("ssm").get_parameter(Name=WEBHOOK),
        "publish deletes a page": lambda: publish("s3").delete_object(
            Bucket=page, Key="index.html"
        ),
    }
    return {name: code_of(attempt) for name, attempt in tries.items()}


def code_of(attempt: Any) -> str:
    try:
        attempt()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "allowed"


def test_roles_are_denied_what_they_do_not_need_166_174(denials: dict[str, str]) -> None:
    allowed = {name: code for name, code in denials.items() if not code.startswith("AccessDenied")}
    assert allowed == {}


@dataclass(frozen=True)
class Update:
    """The stack after an update that turned its schedules on.

    Attributes:
        handled: the first event that a schedule sent by itself.
        runs: all runs then.
        variables: the environment of the check function by then.
        outputs: what the stack says of itself.
    """

    handled: Handled
    runs: list[str]
    variables: dict[str, str]
    outputs: dict[str, str]


@pytest.fixture(scope="session")
def update(stack: Deployment, outage: Outage, by_hand: ByHand, denials: dict[str, str]) -> Update:
    assert outage and by_hand and denials  # noqa: PT018 - they come first
    seen = len(stack.handled("CheckFunctionName"))
    updated = deploy(
        *(stack.project, stack.emulator, stack.bridge), Enabled="true", RunDeadline="20"
    )
    handled = wait_for(
        lambda: stack.handled("CheckFunctionName")[seen:], "a schedule of one minute"
    )[0]
    function = stack.emulator.client("lambda").get_function_configuration(
        FunctionName=stack.outputs["CheckFunctionName"]
    )
    variables = function["Environment"]["Variables"]
    return Update(handled, stack.keys("runs/"), variables, dict(updated.outputs))


def test_schedule_of_one_minute_checks_by_itself(update: Update, outage: Outage) -> None:
    assert update.handled.answer.error == ""
    run = update.handled.answer.payload["run"]
    assert update.runs == [*outage.runs, f"runs/{run}"]
    assert int(run.partition("-")[0]) % (MINUTE * 1_000_000_000) == 0


def test_update_changes_what_it_was_told_to_and_replaces_nothing(
    update: Update, stack: Deployment
) -> None:
    assert update.variables["RUN_DEADLINE"] == "20"
    assert update.outputs == stack.outputs


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
def mended(stack: Deployment, update: Update) -> Mended:
    assert update
    bucket = stack.outputs["StateBucketName"]
    stack.emulator.client("s3").put_object(Bucket=bucket, Key=HEAD, Body=DAMAGED)
    stack.check(int(time.time()) // MINUTE * MINUTE)
    aside = [stack.read(key) for key in stack.keys("quarantine/")]
    return Mended(aside, stack.read(HEAD), stack.keys("history/"))


def test_94_damaged_state_is_set_aside_and_made_anew(mended: Mended) -> None:
    assert mended.aside == [DAMAGED]
    assert set(decode_head(mended.head).checkers) == {"website", "user-service"}


def test_publisher_counts_the_days(mended: Mended) -> None:
    assert "history/head.json" in mended.history


@dataclass(frozen=True)
class Gone:
    """What is left after the stack was deleted."""

    functions: list[str]
    schedules: list[str]
    buckets: list[str]


@pytest.fixture(scope="session")
def gone(stack: Deployment, mended: Mended) -> Gone:
    assert mended
    stack.project.run([ROOT / "scripts" / "destroy-stack", STACK], stack.emulator.environ)
    client = stack.emulator.client
    return Gone(
        [it["FunctionName"] for it in client("lambda").list_functions()["Functions"]],
        [it["Name"] for it in client("scheduler").list_schedules()["Schedules"]],
        [it["Name"] for it in client("s3").list_buckets()["Buckets"]],
    )


def test_deleted_stack_leaves_nothing_that_runs(gone: Gone) -> None:
    assert (gone.functions, gone.schedules) == ([], [])


def test_deleted_stack_leaves_what_it_has_recorded(gone: Gone, stack: Deployment) -> None:
    assert stack.outputs["StateBucketName"] in gone.buckets
    assert stack.outputs["PageBucketName"] not in gone.buckets
