"""What is left of a stack that was destroyed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.emulators import ROOT, Emulator, ministack
from tests.stack.project import Project
from tests.stack.skeleton import make


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    with ministack(tmp_path / "aws", tls=True) as running:
        yield running


def left(emulator: Emulator) -> set[str]:
    """Return what the account has of the kinds that a stack has."""
    client = emulator.client
    distributions = client("cloudfront").list_distributions()["DistributionList"]
    return {
        *(it["FunctionName"] for it in client("lambda").list_functions()["Functions"]),
        *(it["RoleName"] for it in client("iam").list_roles()["Roles"]),
        *(it["AlarmName"] for it in client("cloudwatch").describe_alarms()["MetricAlarms"]),
        *(it["logGroupName"] for it in client("logs").describe_log_groups()["logGroups"]),
        *(it["TopicArn"] for it in client("sns").list_topics()["Topics"]),
        *client("sqs").list_queues().get("QueueUrls", []),
        *(it["Name"] for it in client("scheduler").list_schedules()["Schedules"]),
        *(it["Id"] for it in distributions.get("Items", [])),
        *(it["Name"] for it in client("s3").list_buckets()["Buckets"]),
    }


def test_destroyed_stack_leaves_nothing_if_its_runs_are_to_go_too(
    emulator: Emulator, translated: Path
) -> None:
    before = left(emulator)
    stack = make(emulator, translated, "checkup")
    state, page = stack.ids["StateBucket"], stack.ids["PageBucket"]
    for bucket in (state, page, state):  # the last leaves an older version
        emulator.client("s3").put_object(Bucket=bucket, Key="state/head.json", Body=b"")
    destroy: list[str | Path] = [ROOT / "scripts" / "destroy-stack", "checkup", "--with-runs"]
    Project(ROOT).run(destroy, emulator.environ)
    assert left(emulator) == before
