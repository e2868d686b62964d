"""What travels in clear is refused, whoever sends it; and who is not AWS is told nothing.

AWS knows of each request whether it came over TLS. The emulator speaks nothing else, so a door
before it takes requests in clear, and tells it so with the header that load balancers use.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
from botocore.exceptions import ClientError

from tests.cli.program import Program
from tests.emulators import Emulator
from tests.servers.s3_faults import faulty_s3
from tests.stack.deployment import due
from tests.stack.lambdas import Answer, Function, running
from tests.stack.pair import OTHER, Stacks
from tests.stack.project import Project
from tests.stack.roles import as_variables, assumed

KEY = "by-hand/of-the-test"
DEEDS: dict[str, Callable[[Any, str], Any]] = {
    "read": lambda s3, bucket: s3.get_object(Bucket=bucket, Key=KEY),
    "write": lambda s3, bucket: s3.put_object(Bucket=bucket, Key=KEY, Body=b"{}"),
    "list": lambda s3, bucket: s3.list_objects_v2(Bucket=bucket),
    "delete": lambda s3, bucket: s3.delete_object(Bucket=bucket, Key=KEY),
    "open": lambda s3, bucket: s3.get_bucket_policy(Bucket=bucket),
}

MESSAGES: dict[str, tuple[str, Callable[[Any, str], Any]]] = {
    "AlarmTopic": ("sns", lambda sns, arn: sns.publish(TopicArn=arn, Message="-")),
    "FailedEvents": ("sqs", lambda sqs, url: sqs.send_message(QueueUrl=url, MessageBody="-")),
}


@pytest.fixture(scope="module")
def in_clear(stacks: Stacks) -> Iterator[Emulator]:
    """The same AWS, as somebody sees it who speaks plain HTTP."""
    emulator = stacks.home.emulator
    with faulty_s3(emulator.url, emulator.authority) as door:
        door.added["x-forwarded-proto"] = "http"
        yield replace(emulator, url=door.url, authority=None)


@pytest.fixture(scope="module")
def owner(stacks: Stacks) -> dict[str, str]:
    """The keys of somebody who may do everything, but is not the root, whom it asks nothing."""
    iam = stacks.home.emulator.client("iam")
    iam.create_user(UserName="owner")
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="owner", PolicyName="own", PolicyDocument=document)
    key = iam.create_access_key(UserName="owner")["AccessKey"]
    return {
        "aws_access_key_id": key["AccessKeyId"],
        "aws_secret_access_key": key["SecretAccessKey"],
    }


@pytest.mark.row("165", "S3.4")
@pytest.mark.parametrize("bucket", ["StateBucket", "PageBucket"])
@pytest.mark.parametrize("deed", DEEDS)
def test_bucket_refuses_even_its_owner_in_clear(
    stacks: Stacks, in_clear: Emulator, owner: dict[str, str], deed: str, bucket: str
) -> None:
    s3, name = stacks.home.emulator.client("s3", **owner), stacks.home.ids[bucket]
    s3.put_object(Bucket=name, Key=KEY, Body=b"{}")
    with pytest.raises(ClientError) as refusal:
        DEEDS[deed](in_clear.client("s3", **owner), name)
    assert refusal.value.response["Error"]["Code"] == "AccessDenied"
    DEEDS[deed](s3, name)


@pytest.mark.parametrize("deed", ["write", "read", "list", "delete"])
def test_bucket_of_somebody_else_does_not_mind(
    in_clear: Emulator, owner: dict[str, str], deed: str
) -> None:
    s3 = in_clear.client("s3", **owner)
    s3.put_object(Bucket=OTHER, Key=KEY, Body=b"{}")
    DEEDS[deed](s3, OTHER)


@pytest.mark.row("S3.4")
@pytest.mark.parametrize("place", MESSAGES)
def test_topic_and_queue_take_no_message_in_clear(
    stacks: Stacks, in_clear: Emulator, owner: dict[str, str], place: str
) -> None:
    service, send = MESSAGES[place]
    with pytest.raises(ClientError) as refusal:
        send(in_clear.client(service, **owner), stacks.home.ids[place])
    assert "explicit deny in a resource-based policy" in refusal.value.response["Error"]["Message"]
    send(stacks.home.emulator.client(service, **owner), stacks.home.ids[place])


def test_emulator_itself_does_not_speak_in_clear(stacks: Stacks) -> None:
    plain = stacks.home.emulator.url.replace("https:", "http:")
    with pytest.raises((HTTPException, OSError)):
        urlopen(f"{plain}/_ministack/health", timeout=30).close()


@pytest.mark.row("S3.4")
def test_viewer_who_asks_in_clear_is_sent_to_tls(stacks: Stacks, in_clear: Emulator) -> None:
    host = in_clear.client("cloudfront").get_distribution(Id=stacks.home.ids["PageDistribution"])[
        "Distribution"
    ]["DomainName"]
    viewer = HTTPConnection(urlsplit(in_clear.url).netloc, timeout=30)
    try:
        viewer.request("GET", "/index.html", headers={"Host": host})
        answer = viewer.getresponse()
        assert answer.status in {301, 308}
        assert answer.getheader("location") == f"https://{host}/index.html"
    finally:
        viewer.close()


def test_command_line_in_clear_is_told_that_it_may_not(
    in_clear: Emulator, owner: dict[str, str], tmp_path: Path
) -> None:
    environ = in_clear.environ | as_variables(owner)
    ended = Program(tmp_path)("--stack", "checkup", "status", **environ)
    assert ended.returncode == 1, ended
    assert "s3:ListBucket" in ended.stderr


def run_of(project: Project, stacks: Stacks, emulator: Emulator, folder: Path) -> Answer:
    """Let the built check function make a run, with an AWS that it reaches in some way."""
    function = Function(
        name="check",
        handler="check.handler",
        task=project.built / "CheckFunction",
        layers=project.built / "CoreLayer",
        environ={
            **emulator.environ,
            **as_variables(assumed(stacks.home.emulator, stacks.home.ids["CheckRole"])),
            "STATE_BUCKET": stacks.state,
        },
        authority=emulator.authority,
    )
    with running(function, folder / "environment") as environment:
        return environment.invoke(due(next(stacks.slots)))


def test_function_records_over_tls(project: Project, stacks: Stacks, tmp_path: Path) -> None:
    answer = run_of(project, stacks, stacks.home.emulator, tmp_path)
    assert answer.error == ""
    stored = stacks.home.emulator.client("s3").list_objects_v2(Bucket=stacks.state)["Contents"]
    assert f"runs/{answer.payload['run']}" in {it["Key"] for it in stored}


def test_function_records_nothing_in_clear(
    project: Project, stacks: Stacks, in_clear: Emulator, tmp_path: Path
) -> None:
    assert run_of(project, stacks, in_clear, tmp_path).error == "RunNotStoredError"


def test_function_records_nothing_with_somebody_it_does_not_know(
    project: Project, stacks: Stacks, tmp_path: Path
) -> None:
    stranger = replace(stacks.home.emulator, authority=None)
    assert run_of(project, stacks, stranger, tmp_path).error == "RunNotStoredError"
