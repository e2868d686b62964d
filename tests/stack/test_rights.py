"""Each right of each role is needed by something that the program does; others are denied."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from botocore.exceptions import ClientError

from checkup import app, secrets
from checkup.alerting.state import STATE_KEY
from checkup.aws.check import run_adhoc
from checkup.aws.events import AdHocCheck
from checkup.checkers.heartbeat import HeartbeatChecker, store_heartbeat
from checkup.deadline import Deadline
from checkup.errors import CheckupError, PublishError
from checkup.evaluation import EvaluationRules
from checkup.history.documents import HISTORY_KEY as HISTORY
from checkup.history.store import HistoryStore
from checkup.interfaces import CheckerContext, PageFile, PageVersion
from checkup.model import Run
from checkup.notifiers.sns import SnsSettings
from checkup.pipeline import RunContext, run_in_region, store_run
from checkup.storage.s3 import S3Storage
from checkup.storage.s3_bucket import S3Object
from checkup.times import SECOND
from checkup_page.publish import publish_once
from checkup_page.publishers.s3 import S3Publisher
from tests.emulators import REGION, ROOT
from tests.notifiers.stories import DOWN, notification
from tests.stack.pair import BACKUPS, CONFIG, ROLES, Stacks
from tests.stack.policies import GOLDEN, listed, statements
from tests.stack.skeleton import Clients

DAMAGED = b'{"schema": 1, "che'

AWS = "https://docs.aws.amazon.com"
DOCUMENTED = {
    "logs:CreateLogStream": f"{AWS}/lambda/latest/dg/monitoring-cloudwatchlogs.html",
    "logs:PutLogEvents": f"{AWS}/lambda/latest/dg/monitoring-cloudwatchlogs.html",
    "sqs:SendMessage": f"{AWS}/lambda/latest/dg/invocation-async-retain-records.html",
    "lambda:InvokeFunction": f"{AWS}/scheduler/latest/UserGuide/setting-up.html",
}
"""What AWS itself does in the name of a role, and the page that asks for the right to."""

Right = tuple[str, str, str]
RIGHTS: list[Right] = [
    (policy, statement["Sid"], action)
    for policy, document in json.loads(GOLDEN.read_text()).items()
    if policy in ROLES
    for statement in statements(document)
    for action in listed(statement["Action"])
]


@dataclass(frozen=True)
class Live:
    """The port of clients, with the rights of a role."""

    clients: Clients

    def aws(self, service: str, **options: Any) -> Any:
        return self.clients(service, **options)


def storage(stacks: Stacks, clients: Clients) -> S3Storage:
    return S3Storage(clients("s3", region_name=REGION), stacks.state, runs_prefix="runs/")


def monitor(stacks: Stacks, clients: Clients) -> RunContext:
    return RunContext(checkers=(), storage=storage(stacks, clients), channels={})


def store_a_run(stacks: Stacks, clients: Clients) -> None:
    run = Run(slot=next(stacks.slots) * SECOND, results=())
    store_run(monitor(stacks, clients), run, Deadline.after(30))


def mend_the_state(stacks: Stacks, clients: Clients) -> None:
    stacks.put(STATE_KEY, DAMAGED)
    store_a_run(stacks, clients)


def await_a_job(stacks: Stacks, clients: Clients, path: str = "") -> None:
    """Look whether a job has reported in, or has written what it should."""
    store_heartbeat(storage(stacks, stacks.home.emulator.client), "job")
    checker = HeartbeatChecker(id="job", endpoint_name="Job", path=path)
    surroundings = CheckerContext(
        storage=lambda: storage(stacks, clients), s3=lambda: clients("s3", region_name=REGION)
    )
    assert checker.with_context(surroundings).attempt(Deadline.after(10)).error == ""


def store_a_manual_run(stacks: Stacks, clients: Clients) -> None:
    run_adhoc(monitor(stacks, clients), AdHocCheck((), record=True), Deadline.after(10))


def put_a_vote(stacks: Stacks, clients: Clients) -> None:
    run_in_region(monitor(stacks, clients), next(stacks.slots) * SECOND, Deadline.after(10))


def publish_to_a_topic(stacks: Stacks, clients: Clients) -> None:
    SnsSettings(topic_arn=stacks.topic).open(Live(clients)).send(notification(DOWN))  # type: ignore[arg-type]


def read_the_configuration(stacks: Stacks, clients: Clients) -> None:
    source = S3Object(clients("s3"), CONFIG, "checkup.json")
    assert source.get_if_changed("")
    assert source.get_version(stacks.version).body == b"{}"


def keeper(stacks: Stacks, clients: Clients) -> HistoryStore:
    stacks.put(f"runs/{next(stacks.slots) * SECOND}-check.json", b"[]")
    end = f"runs/{next(stacks.slots) * SECOND}-check.json"
    return HistoryStore(storage=storage(stacks, clients), rules=EvaluationRules(), end=end, lag=0)


def keep_history(stacks: Stacks, clients: Clients) -> None:
    keeper(stacks, clients).rebuild(Deadline.after(10))


def mend_the_history(stacks: Stacks, clients: Clients) -> None:
    stacks.put(HISTORY, DAMAGED)
    keeper(stacks, clients).catch_up(Deadline.after(10))


class Nowhere:
    """A publisher that has no place for a page, so that all that counts is how it is made."""

    throttles_writes: ClassVar[bool] = False

    def publish(
        self, files: Mapping[str, PageFile], version: PageVersion, deadline: Deadline | None = None
    ) -> Sequence[str]:
        del files, version, deadline
        return ()


def build_a_page(stacks: Stacks, clients: Clients) -> None:
    config = app.read_config(str(ROOT / "functions" / "checkup.json"), {})
    stacks.put(f"runs/{next(stacks.slots) * SECOND}-check.json", b"[]")
    publish_once(config, storage(stacks, clients), Nowhere(), time.time_ns())


def publish_a_page(stacks: Stacks, clients: Clients) -> None:
    for _ in range(2):  # the second has to see what the first has left
        publisher = S3Publisher(clients("s3"), stacks.page)
        number = next(stacks.slots)
        page = PageFile(body=str(number).encode(), content_type="text/html", max_age=0)
        edition = PageVersion(position=number * SECOND, made=number * SECOND)
        assert publisher.publish({"index.html": page, "404.html": page}, edition)


def remove_a_page(stacks: Stacks, clients: Clients) -> None:
    publisher = S3Publisher(clients("s3"), stacks.page)
    file = PageFile(body=b"x", content_type="text/html", max_age=0)
    whole = {"index.html": file, "404.html": file, "components/a.html": file}
    for paths in (whole.keys(), whole.keys() - {"components/a.html"}):
        number = next(stacks.slots) * SECOND
        edition = PageVersion(position=number, made=number)
        publisher.publish({path: whole[path] for path in paths}, edition)
    if "components/a.html" in stacks.pages():
        raise PublishError("it is still there")


def resolve(reference: str) -> Callable[[Stacks, Clients], None]:
    return lambda _, clients: assert_secret(secrets.resolve_secret(reference, {}, clients))


def assert_secret(value: str) -> None:
    assert value == "b"


FLOWS: dict[tuple[str, str], Callable[[Stacks, Clients], None]] = {
    ("ReadSecrets", "ssm:GetParameter"): resolve("ssm:/checkup/a"),
    ("ReadSecrets", "secretsmanager:GetSecretValue"): resolve("secretsmanager:checkup/a"),
    ("ReadConfiguration", "s3:GetObject"): read_the_configuration,
    ("ReadConfiguration", "s3:GetObjectVersion"): read_the_configuration,
    ("ReadHeartbeatObjects", "s3:GetObject"): lambda stacks, clients: await_a_job(
        stacks, clients, f"s3://{BACKUPS}/db/1"
    ),
    ("ListHeartbeatObjects", "s3:ListBucket"): lambda stacks, clients: await_a_job(
        stacks, clients, f"s3://{BACKUPS}/db/*"
    ),
    ("ReadAndWriteRunsAndState", "s3:GetObject"): store_a_run,
    ("ReadAndWriteRunsAndState", "s3:PutObject"): store_a_run,
    ("SetUnreadableStateAside", "s3:PutObject"): mend_the_state,
    ("ReadHeartbeatsAndIncidents", "s3:GetObject"): await_a_job,
    ("StoreManualRuns", "s3:PutObject"): store_a_manual_run,
    ("NotifyTopics", "sns:Publish"): publish_to_a_topic,
    ("PutRuns", "s3:PutObject"): put_a_vote,
    ("ReadHeartbeats", "s3:GetObject"): await_a_job,
    ("ReadRunsAndState", "s3:GetObject"): build_a_page,
    ("KeepHistoryAndIncidents", "s3:GetObject"): keep_history,
    ("KeepHistoryAndIncidents", "s3:PutObject"): keep_history,
    ("SetUnreadableHistoryAside", "s3:PutObject"): mend_the_history,
    ("WritePage", "s3:GetObject"): publish_a_page,
    ("WritePage", "s3:PutObject"): publish_a_page,
    ("WritePage", "s3:DeleteObject"): remove_a_page,
}
LISTS = {"HomePolicy": mend_the_state, "PagePolicy": keep_history}


def flow_of(right: Right) -> Callable[[Stacks, Clients], None]:
    policy, sid, action = right
    return LISTS[policy] if sid == "ListRunsAndState" else FLOWS[sid, action]


@pytest.mark.row("166", "S5.3", "S5.4")
@pytest.mark.parametrize(
    "right",
    [right for right in RIGHTS if right[2] not in DOCUMENTED],
    ids="-".join,
)
def test_right_is_needed_by_what_the_program_does(stacks: Stacks, right: Right) -> None:
    policy, sid, action = right
    flow, clients = flow_of(right), stacks.clients(policy)
    with stacks.stack(policy).without(*ROLES[policy], sid, action):  # noqa: SIM117
        with pytest.raises((CheckupError, ClientError)):
            flow(stacks, clients)
    flow(stacks, clients)


def test_every_right_is_tried_or_asked_for_by_a_page_of_aws() -> None:
    flows = {(sid, action) for _, sid, action in RIGHTS if action not in DOCUMENTED}
    assert flows == {*FLOWS, ("ListRunsAndState", "s3:ListBucket")}
    assert {action for _, _, action in RIGHTS} >= DOCUMENTED.keys()
