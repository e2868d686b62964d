"""What no role may do, tried with its own credentials."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from checkup.alerting.state import STATE_KEY
from checkup.history.documents import HISTORY_KEY as HISTORY
from tests.emulators import REGION
from tests.stack.pair import CONFIG, OTHER, Stacks
from tests.stack.skeleton import Clients, Refused, make

DENIED = {"AccessDenied", "AccessDeniedException", "AuthorizationError"}
Deed = Callable[[Clients, Stacks], Any]
FORBIDDEN: dict[str, tuple[str, Deed]] = {
    "check deletes a run": (
        "HomePolicy",
        lambda aws, it: aws("s3").delete_object(Bucket=it.state, Key="runs/1-check.json"),
    ),
    "check deletes an old state": (
        "HomePolicy",
        lambda aws, it: aws("s3").delete_object(Bucket=it.state, Key=STATE_KEY, VersionId="1"),
    ),
    "check writes elsewhere in the state bucket": (
        "HomePolicy",
        lambda aws, it: aws("s3").put_object(Bucket=it.state, Key="x", Body=b""),
    ),
    "check writes history": (
        "HomePolicy",
        lambda aws, it: aws("s3").put_object(Bucket=it.state, Key=HISTORY, Body=b""),
    ),
    "check writes the page": (
        "HomePolicy",
        lambda aws, it: aws("s3").put_object(Bucket=it.page, Key="index.html", Body=b""),
    ),
    "check writes its own configuration": (
        "CheckPolicy",
        lambda aws, _: aws("s3").put_object(Bucket=CONFIG, Key="checkup.json", Body=b""),
    ),
    "check reads beside the configuration": (
        "CheckPolicy",
        lambda aws, _: aws("s3").get_object(Bucket=CONFIG, Key="other.json"),
    ),
    "check reads somebody's bucket": (
        "CheckPolicy",
        lambda aws, _: aws("s3").list_objects_v2(Bucket=OTHER),
    ),
    "check lists all buckets": ("CheckPolicy", lambda aws, _: aws("s3").list_buckets()),
    "check reads another parameter": (
        "CheckPolicy",
        lambda aws, _: aws("ssm").get_parameter(Name="/other/a", WithDecryption=True),
    ),
    "check reads all parameters": (
        "CheckPolicy",
        lambda aws, _: aws("ssm").get_parameters_by_path(Path="/checkup", Recursive=True),
    ),
    "check changes a secret": (
        "CheckPolicy",
        lambda aws, _: aws("secretsmanager").put_secret_value(
            SecretId="checkup/a", SecretString="x"
        ),
    ),
    "check invokes a function": (
        "CheckPolicy",
        lambda aws, it: aws("lambda").invoke(FunctionName=it.home.ids["CheckFunction"]),
    ),
    "check changes a function": (
        "CheckPolicy",
        lambda aws, it: aws("lambda").update_function_configuration(
            FunctionName=it.home.ids["CheckFunction"], MemorySize=3008
        ),
    ),
    "check gives itself rights": (
        "CheckPolicy",
        lambda aws, it: aws("iam").put_role_policy(
            RoleName=it.home.ids["CheckRole"], PolicyName="more", PolicyDocument="{}"
        ),
    ),
    "check opens the state bucket": (
        "HomePolicy",
        lambda aws, it: aws("s3").delete_bucket_policy(Bucket=it.state),
    ),
    "check rings the stack's own alarm": (
        "CheckPolicy",
        lambda aws, it: aws("sns").publish(TopicArn=it.home.ids["AlarmTopic"], Message="-"),
    ),
    "check stops its schedule": (
        "CheckPolicy",
        lambda aws, it: aws("scheduler").delete_schedule(
            Name=it.home.ids["CheckFunctionEverySlot"]
        ),
    ),
    "check clears its logs": (
        "CheckPolicy",
        lambda aws, it: aws("logs").delete_log_group(logGroupName=it.home.ids["CheckLogs"]),
    ),
    "check reads failed events": (
        "CheckPolicy",
        lambda aws, it: aws("sqs").receive_message(QueueUrl=it.home.ids["FailedEvents"]),
    ),
    "publish writes state": (
        "PagePolicy",
        lambda aws, it: aws("s3").put_object(Bucket=it.state, Key=STATE_KEY, Body=b""),
    ),
    "publish writes a run": (
        "PagePolicy",
        lambda aws, it: aws("s3").put_object(Bucket=it.state, Key="runs/1-check.json", Body=b""),
    ),
    "publish deletes a run": (
        "PagePolicy",
        lambda aws, it: aws("s3").delete_object(Bucket=it.state, Key="runs/1-check.json"),
    ),
    "publish reads a secret": (
        "PublishPolicy",
        lambda aws, _: aws("ssm").get_parameter(Name="/checkup/a", WithDecryption=True),
    ),
    "publish changes the distribution": (
        "PagePolicy",
        lambda aws, it: aws("cloudfront").delete_distribution(Id=it.home.ids["PageDistribution"]),
    ),
    "another region reads a run": (
        "VotePolicy",
        lambda aws, it: aws("s3", region_name=REGION).get_object(
            Bucket=it.state, Key="runs/1-check.json"
        ),
    ),
    "another region reads the state": (
        "VotePolicy",
        lambda aws, it: aws("s3", region_name=REGION).get_object(Bucket=it.state, Key=STATE_KEY),
    ),
    "another region writes the state": (
        "VotePolicy",
        lambda aws, it: aws("s3", region_name=REGION).put_object(
            Bucket=it.state, Key=STATE_KEY, Body=b""
        ),
    ),
    "another region lists runs": (
        "VotePolicy",
        lambda aws, it: aws("s3", region_name=REGION).list_objects_v2(Bucket=it.state),
    ),
}


@pytest.mark.row("166", "174", "S5.3", "S5.4")
@pytest.mark.parametrize("name", FORBIDDEN)
def test_role_is_denied(stacks: Stacks, name: str) -> None:
    policy, deed = FORBIDDEN[name]
    with pytest.raises(ClientError) as refusal:
        deed(stacks.clients(policy), stacks)
    assert refusal.value.response["Error"]["Code"] in DENIED


def test_stack_of_another_region_has_neither_storage_nor_page(stacks: Stacks) -> None:
    there = stacks.elsewhere.ids.keys()
    assert {"CheckFunction", "VotePolicy", "NoRunsAlarm"} <= there
    assert not there & {"StateBucket", "PageBucket", "PublishFunction", "HomePolicy"}


@pytest.mark.parametrize(
    "half",
    [
        {"DomainName": "status.example.com"},
        {"HomeBucket": "checkup-state-1"},
        {"HomeRegion": "eu-central-1"},
    ],
    ids="-".join,
)
def test_half_of_a_pair_of_parameters_is_refused(
    stacks: Stacks, translated: Path, half: dict[str, str]
) -> None:
    with pytest.raises(Refused, match="or neither"):
        make(stacks.home.emulator, translated, "half", **half)
