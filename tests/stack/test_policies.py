"""Who may do what: held to a golden file, and to rules that no change of that file may break."""

from __future__ import annotations

import json

import pytest

from tests.stack.policies import (
    GOLDEN,
    Resources,
    by_sid,
    listed,
    met,
    of_type,
    policies_of,
    statements,
)

BUCKETS = ("StateBucketPolicy", "PageBucketPolicy")


@pytest.mark.row("166", "S5.3", "S5.4")
def test_policies_are_those_that_somebody_has_read(resources: Resources) -> None:
    assert policies_of(resources) == json.loads(GOLDEN.read_text())


@pytest.mark.row("166", "S5.3", "S5.4")
def test_no_right_is_for_everything(resources: Resources) -> None:
    for _, policy in of_type(resources, "AWS::IAM::Policy"):
        for statement in statements(policy["PolicyDocument"]):
            assert statement["Effect"] == "Allow"
            assert "*" not in listed(statement["Resource"])
            assert not [action for action in listed(statement["Action"]) if "*" in action]


def test_roles_have_no_rights_beside_their_policies(resources: Resources) -> None:
    for _, role in of_type(resources, "AWS::IAM::Role"):
        assert not role.keys() & {"Policies", "ManagedPolicyArns"}


@pytest.mark.row("S2.2")
def test_roles_are_assumed_by_their_service_for_this_account_only(
    resources: Resources,
) -> None:
    trusted = {
        name: [
            (it["Principal"], it["Condition"])
            for it in role["AssumeRolePolicyDocument"]["Statement"]
        ]
        for name, role in of_type(resources, "AWS::IAM::Role")
    }
    ours = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    assert trusted == {
        "CheckRole": [({"Service": "lambda.amazonaws.com"}, ours)],
        "PublishRole": [({"Service": "lambda.amazonaws.com"}, ours)],
        "ScheduleRole": [({"Service": "scheduler.amazonaws.com"}, ours)],
    }


def test_every_role_can_be_bounded(resources: Resources) -> None:
    for _, role in of_type(resources, "AWS::IAM::Role"):
        assert role["PermissionsBoundary"]["Fn::If"][:2] == [
            "HasBoundary",
            {"Ref": "PermissionsBoundary"},
        ]


@pytest.mark.row("S2.1")
def test_nobody_is_allowed_what_everybody_is(resources: Resources) -> None:
    for document in policies_of(resources).values():
        for statement in statements(document):
            assert statement["Effect"] == "Deny" or statement.get("Principal") != "*"


@pytest.mark.row("167", "S2.1", "X5")
def test_functions_are_invoked_by_schedules_and_by_the_state_bucket_only(
    resources: Resources,
) -> None:
    permissions = dict(of_type(resources, "AWS::Lambda::Permission"))
    assert [it["Principal"] for it in permissions.values()] == ["s3.amazonaws.com"]
    assert all(it["SourceAccount"] == {"Ref": "AWS::AccountId"} for it in permissions.values())
    assert not list(of_type(resources, "AWS::Lambda::Url"))
    may_invoke = {
        name
        for name, policy in of_type(resources, "AWS::IAM::Policy")
        for statement in statements(policy["PolicyDocument"])
        if "lambda:InvokeFunction" in listed(statement["Action"])
    }
    assert may_invoke == {"SchedulePolicy"}


@pytest.mark.row("S5.3", "S5.4")
def test_no_role_deletes_or_changes_what_guards_the_stack(resources: Resources) -> None:
    for _, policy in of_type(resources, "AWS::IAM::Policy"):
        for statement in statements(policy["PolicyDocument"]):
            verbs = [action.partition(":")[2] for action in listed(statement["Action"])]
            # Of the page nothing is lost that is not made again.
            page = {"DeleteObject"} if statement["Sid"] == "WritePage" else set()
            guarded = [verb for verb in verbs if verb.startswith(("Delete", "PutBucket", "Create"))]
            assert not {*guarded} - {"CreateLogStream", *page}


def test_another_region_may_only_put_its_runs(resources: Resources) -> None:
    policy = by_sid(resources["VotePolicy"])
    assert {sid: it["Action"] for sid, it in policy.items()} == {
        "PutRuns": "s3:PutObject",
        "ReadHeartbeats": "s3:GetObject",
    }
    assert [place["Fn::Sub"].partition("/")[2] for place in policy["PutRuns"]["Resource"]] == [
        "runs/*",
        "late/*",
    ]


@pytest.mark.row("165", "S3.4")
@pytest.mark.parametrize("name", BUCKETS)
def test_buckets_refuse_what_does_not_come_over_tls(resources: Resources, name: str) -> None:
    denied = by_sid(resources[name])
    for sid in ("TlsOnly", "ModernTlsOnly"):
        assert denied[sid]["Effect"] == "Deny"
        assert (denied[sid]["Principal"], denied[sid]["Action"]) == ("*", "s3:*")
        assert len(denied[sid]["Resource"]) == 2
    assert denied["TlsOnly"]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert denied["ModernTlsOnly"]["Condition"] == {"NumericLessThan": {"s3:TlsVersion": "1.2"}}


@pytest.mark.parametrize("name", ["AlarmTopicPolicy", "FailedEventsPolicy"])
def test_topic_and_queue_refuse_what_does_not_come_over_tls(
    resources: Resources, name: str
) -> None:
    denied = by_sid(resources[name])["TlsOnly"]
    assert (denied["Effect"], denied["Principal"]) == ("Deny", "*")
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


@pytest.mark.row("174", "S5.5")
def test_runs_and_state_cannot_be_overwritten_unseen(resources: Resources) -> None:
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html
    denied = by_sid(resources["StateBucketPolicy"])
    runs, state = denied["RunsAreWrittenOnce"], denied["StateIsComparedAndSet"]
    assert {runs["Effect"], state["Effect"]} == {"Deny"}
    assert {runs["Action"], state["Action"]} == {"s3:PutObject"}
    assert [place["Fn::Sub"] for place in runs["Resource"]] == [
        "${StateBucket.Arn}/runs/*",
        "${StateBucket.Arn}/late/*",
        "${StateBucket.Arn}/by-hand/*",
    ]
    assert [place["Fn::Sub"] for place in state["Resource"]] == [
        "${StateBucket.Arn}/state/*",
        "${StateBucket.Arn}/history/*",
        "${StateBucket.Arn}/incidents/*",
    ]
    assert runs["Condition"] == {"Null": {"s3:if-none-match": "true"}}
    assert state["Condition"] == {"Null": {"s3:if-match": "true", "s3:if-none-match": "true"}}


def written_by_the_publisher(resources: Resources) -> set[str]:
    """Return the prefixes of the state bucket that the publish function may write."""
    return {
        place["Fn::Sub"].removeprefix("${StateBucket.Arn}/").removesuffix("*")
        for sid, statement in by_sid(resources["PagePolicy"]).items()
        for place in listed(statement["Resource"])
        if "s3:PutObject" in listed(statement["Action"]) and sid != "WritePage"
    }


@pytest.mark.row("174", "S5.4")
def test_publisher_writes_no_run_and_no_state(resources: Resources) -> None:
    assert written_by_the_publisher(resources) == {"history/", "incidents/", "quarantine/"}


@pytest.mark.row("167", "X5")
def test_publisher_is_not_started_by_what_it_writes(resources: Resources) -> None:
    bucket = resources["StateBucket"]["Properties"]
    started = {
        rule["Value"]
        for it in bucket["NotificationConfiguration"]["LambdaConfigurations"]
        for rule in met(it)["Filter"]["S3Key"]["Rules"]
    }
    assert started == {"state/"}
    assert started.isdisjoint(written_by_the_publisher(resources))


@pytest.mark.row("165", "S5.2")
def test_page_is_read_by_its_own_distribution_only(resources: Resources) -> None:
    policy = by_sid(resources["PageBucketPolicy"])
    allowed = [statement for statement in policy.values() if statement["Effect"] == "Allow"]
    assert [statement["Action"] for statement in allowed] == ["s3:GetObject"]
    assert allowed[0]["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    source = allowed[0]["Condition"]["StringEquals"]["AWS:SourceArn"]["Fn::Sub"]
    assert source.endswith(":distribution/${PageDistribution}")
