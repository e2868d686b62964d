"""``checkup ping``: a job reports in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.cli.program import Program


@pytest.fixture
def jobs(checkup: Program) -> Program:
    checkers: list[dict[str, Any]] = [
        {"type": "heartbeat", "endpoint_name": "Nightly backup", "period": "24h", "recheck": 0},
        {"type": "heartbeat", "endpoint_name": "Export", "path": "export.csv"},
        {"type": "exec", "name": "Web", "command": "true"},
    ]
    checkup.write({"checkers": checkers, "storage": {"type": "fs", "dir": "checks"}})
    return checkup


def statuses(jobs: Program) -> list[str]:
    results = json.loads(jobs("--json", "nightly-backup").stdout)
    return [status for result in results for status in result if result[status] is True]


@pytest.mark.parametrize("name", ["nightly-backup", "Nightly Backup"])
def test_job_that_reported_is_healthy(jobs: Program, name: str) -> None:
    before = statuses(jobs)

    ended = jobs("ping", name)

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert (before, statuses(jobs)) == ([], ["healthy"])
    assert (jobs.folder / "checks/heartbeats/nightly-backup").exists()


def test_job_that_reported_a_failure_is_down_until_it_succeeds(jobs: Program) -> None:
    jobs("ping", "nightly-backup", "--failed")
    failed = statuses(jobs)
    jobs("ping", "nightly-backup")

    assert (failed, statuses(jobs)) == (["down"], ["healthy"])


def test_storing_run_reads_the_reports(jobs: Program) -> None:
    jobs("ping", "nightly-backup")

    ended = jobs("--store")

    assert ended.returncode == 0
    (run,) = jobs.runs()
    assert json.loads(run.read_bytes())[0]["healthy"] is True


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (
            ("ping", "nobody"),
            "no heartbeat checker has the title or id 'nobody'; known: nightly-backup, export",
        ),
        (
            ("ping", "web"),
            "no heartbeat checker has the title or id 'web'; known: nightly-backup, export",
        ),
        (("ping", "export"), "'Export' watches export.csv and accepts no heartbeats"),
        (("ping",), "Missing argument 'NAME'."),
    ],
)
def test_wrong_name_is_told(jobs: Program, arguments: tuple[str, ...], error: str) -> None:
    ended = jobs(*arguments)

    assert ended.returncode != 0
    assert error in ended.stderr
    assert not (jobs.folder / "checks/heartbeats").exists()


def test_without_a_storage_nobody_can_report(checkup: Program) -> None:
    checkup.write({"checkers": [{"type": "heartbeat", "endpoint_name": "Backup"}]})

    ended, looked = checkup("ping", "backup"), checkup("backup")

    assert ended.returncode == 1
    assert "no storage configured" in ended.stderr
    assert "no storage configured, so jobs cannot send heartbeats" in looked.stdout


@pytest.fixture
def bucket() -> Iterator[str]:
    """The address of a service that has the bucket of a stack."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    client = boto3.client(
        "s3",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    client.create_bucket(Bucket="stack")
    client.close()
    yield url
    server.stop()


def test_check_function_of_a_stack_reads_what_a_machine_reports(
    checkup: Program, bucket: str
) -> None:
    aws = {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": bucket,
    }
    in_the_stack = {**aws, "STATE_BUCKET": "stack", "AWS_LAMBDA_FUNCTION_NAME": "check"}
    job = {"type": "heartbeat", "endpoint_name": "Backup"}
    storage = {"type": "s3", "bucket": "stack", "region": "us-east-1"}
    checkup.write({"checkers": [job], "storage": storage})

    before = checkup("--json", **in_the_stack)
    pinged = checkup("ping", "backup", **aws)
    after = checkup("--json", **in_the_stack)

    assert (pinged.returncode, pinged.stderr) == (0, "")
    assert json.loads(before.stdout)[0]["times"][0]["failure"] == "heartbeat_none"
    assert json.loads(after.stdout)[0]["healthy"] is True
