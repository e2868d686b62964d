"""What is left of a stack that was destroyed."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.emulators import ADMINISTRATOR, REGION, ROOT, Emulator, free_port, ministack
from tests.stack.pair import ELSEWHERE
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


def destroy(emulator: Emulator, region: str, *options: str) -> None:
    """Remove the stack as `make destroy` does, in a region that only the newer variable names."""
    script: list[str | Path] = [ROOT / "scripts" / "destroy-stack", "checkup", *options]
    Project(ROOT).run(script, {**emulator.environ, "AWS_REGION": region})


def test_destroyed_stack_leaves_nothing_if_its_runs_are_to_go_too(
    emulator: Emulator, translated: Path
) -> None:
    before = left(emulator)
    stack = make(emulator, translated, "checkup")
    state, page = stack.ids["StateBucket"], stack.ids["PageBucket"]
    for bucket in (state, page, state):  # the last leaves an older version
        emulator.client("s3").put_object(Bucket=bucket, Key="state/head.json", Body=b"")
    destroy(emulator, REGION, "--with-runs")
    assert left(emulator) == before


def test_stack_is_destroyed_where_it_is_even_if_parts_of_it_are_gone(
    emulator: Emulator, translated: Path
) -> None:
    stack = make(emulator, translated, "checkup", ELSEWHERE)
    emulator.client("lambda", region_name=ELSEWHERE).delete_function(
        FunctionName=stack.ids["PublishFunction"]
    )
    emulator.client("s3").delete_bucket(Bucket=stack.ids["PageBucket"])
    destroy(emulator, ELSEWHERE)
    client = emulator.client("cloudformation", region_name=ELSEWHERE)
    with pytest.raises(ClientError, match="does not exist"):
        client.describe_stacks(StackName="checkup")


@pytest.mark.parametrize(
    ("environ", "why"),
    [
        ({}, "You must specify a region."),
        ({"AWS_REGION": ELSEWHERE}, "Unable to locate credentials"),
        ({**ADMINISTRATOR, "AWS_REGION": ELSEWHERE}, "Could not connect to the endpoint URL"),
    ],
    ids=["no region", "no credentials", "no network"],
)
def test_what_is_missing_is_said_in_a_sentence(environ: dict[str, str], why: str) -> None:
    nowhere = {
        "PATH": os.environ["PATH"],
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}",
    }
    done = subprocess.run(
        [ROOT / "scripts" / "destroy-stack", "checkup"],
        env={**nowhere, **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert re.fullmatch(f"stack checkup was not deleted: {why}.*\n", done.stderr)
