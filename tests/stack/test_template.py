from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.emulators import REGION, ROOT, require
from tests.stack.project import SAM, Project

Resources = dict[str, Any]
RIGHTS = {
    "CheckPolicy": {
        *("s3:GetObject", "s3:PutObject", "s3:ListBucket"),
        *("ssm:GetParameter", "secretsmanager:GetSecretValue"),
        *("logs:CreateLogStream", "logs:PutLogEvents"),
    },
    "PublishPolicy": {
        *("s3:GetObject", "s3:PutObject", "s3:ListBucket"),
        *("logs:CreateLogStream", "logs:PutLogEvents"),
    },
    "SchedulePolicy": {"lambda:InvokeFunction"},
}


def of_type(resources: Resources, kind: str) -> Iterator[tuple[str, Any]]:
    return ((name, it["Properties"]) for name, it in resources.items() if it["Type"] == kind)


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def statements(policy: Any) -> list[Any]:
    found: list[Any] = policy["PolicyDocument"]["Statement"]
    return found


def by_sid(policy: Any) -> dict[str, Any]:
    """Return the statements by name; those behind a condition as if it were met."""
    chosen = [it["Fn::If"][1] if "Fn::If" in it else it for it in statements(policy)]
    return {statement["Sid"]: statement for statement in chosen}


def test_sam_finds_nothing_to_say() -> None:
    Project(ROOT).sam("validate", "--lint", environ={"AWS_DEFAULT_REGION": REGION})


def test_lint_finds_nothing_in_what_cloudformation_will_see(translated: Path) -> None:
    command = [str(require(SAM / "cfn-lint")), "--regions", REGION, "--", str(translated)]
    environ = {**os.environ, "AWS_DEFAULT_REGION": REGION}
    found = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert (found.stdout, found.returncode) == ("", 0)


def test_roles_have_exactly_the_rights_that_they_use_166(resources: Resources) -> None:
    rights = {
        name: {action for it in statements(policy) for action in listed(it["Action"])}
        for name, policy in of_type(resources, "AWS::IAM::Policy")
    }
    assert rights == RIGHTS


def test_no_right_is_for_everything_166(resources: Resources) -> None:
    for _, policy in of_type(resources, "AWS::IAM::Policy"):
        for statement in statements(policy):
            assert "*" not in listed(statement["Resource"])
            assert not [action for action in listed(statement["Action"]) if "*" in action]


def test_roles_have_no_rights_beside_their_policies(resources: Resources) -> None:
    for _, role in of_type(resources, "AWS::IAM::Role"):
        assert not role.keys() & {"Policies", "ManagedPolicyArns"}


def test_roles_are_assumed_by_the_services_that_they_are_for(resources: Resources) -> None:
    assumed = {
        name: role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"]
        for name, role in of_type(resources, "AWS::IAM::Role")
    }
    assert assumed == {
        "CheckRole": "lambda.amazonaws.com",
        "PublishRole": "lambda.amazonaws.com",
        "ScheduleRole": "scheduler.amazonaws.com",
    }


def test_every_role_can_be_bounded(resources: Resources) -> None:
    for _, role in of_type(resources, "AWS::IAM::Role"):
        assert role["PermissionsBoundary"]["Fn::If"][:2] == [
            "HasBoundary",
            {"Ref": "PermissionsBoundary"},
        ]


def test_buckets_are_private_and_encrypted_165(resources: Resources) -> None:
    buckets = dict(of_type(resources, "AWS::S3::Bucket"))
    assert set(buckets) == {"StateBucket", "PageBucket"}
    for bucket in buckets.values():
        assert list(bucket["PublicAccessBlockConfiguration"].values()) == [True] * 4
        assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
        assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]


@pytest.mark.parametrize("name", ["StateBucketPolicy", "PageBucketPolicy"])
def test_buckets_refuse_what_does_not_come_over_tls_165(resources: Resources, name: str) -> None:
    tls_only = by_sid(resources[name]["Properties"])["TlsOnly"]
    assert tls_only["Effect"] == "Deny"
    assert (tls_only["Principal"], tls_only["Action"]) == ("*", "s3:*")
    assert len(tls_only["Resource"]) == 2
    assert tls_only["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_runs_and_state_cannot_be_overwritten_unseen_174(resources: Resources) -> None:
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html
    denied = by_sid(resources["StateBucketPolicy"]["Properties"])
    runs, state = denied["RunsAreWrittenOnce"], denied["StateIsComparedAndSet"]
    assert {runs["Effect"], state["Effect"]} == {"Deny"}
    assert {runs["Action"], state["Action"]} == {"s3:PutObject"}
    assert [place["Fn::Sub"] for place in runs["Resource"]] == [
        "${StateBucket.Arn}/runs/*",
        "${StateBucket.Arn}/late/*",
    ]
    assert [place["Fn::Sub"] for place in state["Resource"]] == [
        "${StateBucket.Arn}/state/*",
        "${StateBucket.Arn}/history/*",
    ]
    assert runs["Condition"] == {"Null": {"s3:if-none-match": "true"}}
    assert state["Condition"] == {"Null": {"s3:if-match": "true", "s3:if-none-match": "true"}}


def test_publisher_writes_history_and_nothing_else_of_the_state_174(resources: Resources) -> None:
    policy = by_sid(resources["PublishPolicy"]["Properties"])
    written = {
        place["Fn::Sub"]
        for statement in policy.values()
        for place in listed(statement["Resource"])
        if "s3:PutObject" in listed(statement["Action"]) and statement["Sid"] != "WritePage"
    }
    assert written == {"${StateBucket.Arn}/history/*", "${StateBucket.Arn}/quarantine/*"}


def test_conditional_writes_are_required_unless_declined(translated: Path) -> None:
    assert '"Default": "required"' in translated.read_text()


def test_old_state_is_kept_and_old_runs_are_not(resources: Resources) -> None:
    bucket = resources["StateBucket"]["Properties"]
    rules = {rule.get("Prefix"): rule for rule in bucket["LifecycleConfiguration"]["Rules"]}
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert rules["runs/"]["ExpirationInDays"] == {"Ref": "RunRetentionDays"}
    assert rules["late/"]["ExpirationInDays"] == {"Ref": "RunRetentionDays"}
    assert "ExpirationInDays" not in rules[None]
    assert rules[None]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}


def test_page_is_read_by_its_own_distribution_only_165(resources: Resources) -> None:
    policy = by_sid(resources["PageBucketPolicy"]["Properties"])
    allowed = [statement for statement in policy.values() if statement["Effect"] == "Allow"]
    assert [statement["Action"] for statement in allowed] == ["s3:GetObject"]
    assert allowed[0]["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    source = allowed[0]["Condition"]["StringEquals"]["AWS:SourceArn"]["Fn::Sub"]
    assert source.endswith(":distribution/${PageDistribution}")


def test_slot_comes_from_the_schedule(resources: Resources) -> None:
    schedule = resources["CheckFunctionEverySlot"]["Properties"]
    assert schedule["Target"]["Input"] == '{"slot": "<aws.scheduler.scheduled-time>"}'
    assert schedule["ScheduleExpression"] == {"Ref": "Schedule"}
    assert schedule["ScheduleExpressionTimezone"] == "UTC"
    assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}


def test_late_events_are_dropped_on_both_sides_167(resources: Resources) -> None:
    for _, schedule in of_type(resources, "AWS::Scheduler::Schedule"):
        retry = schedule["Target"]["RetryPolicy"]
        assert retry["MaximumRetryAttempts"] <= 2
        assert retry["MaximumEventAgeInSeconds"] <= 60
    queued = dict(of_type(resources, "AWS::Lambda::EventInvokeConfig"))
    assert len(queued) == 2
    for limits in queued.values():
        assert limits["MaximumRetryAttempts"] <= 2
        assert limits["MaximumEventAgeInSeconds"] <= 300


def test_every_function_logs_to_a_group_that_forgets_167(resources: Resources) -> None:
    groups = dict(of_type(resources, "AWS::Logs::LogGroup"))
    functions = dict(of_type(resources, "AWS::Lambda::Function"))
    assert {it["LoggingConfig"]["LogGroup"]["Ref"] for it in functions.values()} == set(groups)
    for group in groups.values():
        assert group["RetentionInDays"] == {"Ref": "LogRetentionDays"}


def test_old_layers_are_deleted(resources: Resources) -> None:
    layers = [it for it in resources.values() if it["Type"] == "AWS::Lambda::LayerVersion"]
    assert [layer["DeletionPolicy"] for layer in layers] == ["Delete", "Delete"]


def test_only_the_bucket_that_the_publisher_is_told_of_has_a_name(resources: Resources) -> None:
    named = [
        name for name, bucket in of_type(resources, "AWS::S3::Bucket") if "BucketName" in bucket
    ]
    told = resources["PublishFunction"]["Properties"]["Environment"]["Variables"]["STATE_BUCKET"]
    assert named == ["StateBucket"]
    assert told == resources["StateBucket"]["Properties"]["BucketName"]


def test_stack_without_a_page_has_nothing_of_it(resources: Resources) -> None:
    page = {name for name, it in resources.items() if it.get("Condition") == "HasPage"}
    assert page >= {"PublishFunction", "PageBucket", "PageBucketPolicy", "PageDistribution"}
