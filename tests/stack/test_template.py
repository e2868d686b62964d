"""What the template says beside its policies and alarms: limits, names, headers, parameters."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.emulators import REGION, ROOT, require
from tests.stack.policies import Resources, of_type
from tests.stack.project import SAM


@pytest.fixture(scope="session")
def template(translated: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(translated.read_text())
    return found


@pytest.mark.row("S6.1")
def test_lint_finds_nothing_in_the_template_nor_in_what_cloudformation_will_see(
    translated: Path,
) -> None:
    files = [str(ROOT / "template.yaml"), str(translated)]
    command = [str(require(SAM / "cfn-lint")), "--regions", REGION, "--", *files]
    environ = {**os.environ, "AWS_DEFAULT_REGION": REGION}
    found = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert (found.stdout, found.returncode) == ("", 0)


def test_every_parameter_is_described_bounded_and_in_one_group(template: dict[str, Any]) -> None:
    parameters = template["Parameters"]
    bounds = {"AllowedValues", "AllowedPattern", "MinValue"}
    for name, parameter in parameters.items():
        assert parameter["Description"], name
        assert parameter.keys() & bounds, name
        assert "Default" in parameter, name
        assert ("AllowedPattern" in parameter) == ("ConstraintDescription" in parameter), name
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [name for group in groups for name in group["Parameters"]]
    assert sorted(grouped) == sorted(parameters)


def test_defaults_are_allowed(template: dict[str, Any]) -> None:
    for name, parameter in template["Parameters"].items():
        default = parameter["Default"]
        if "AllowedPattern" in parameter:
            assert re.fullmatch(parameter["AllowedPattern"], default), name
        if "AllowedValues" in parameter:
            assert default in parameter["AllowedValues"], name


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("Schedule", "rate(5 minutes)", "every minute"),
        ("AllowAddresses", "127.0.0.0/8,fe80::/10", "localhost"),
        ("DomainName", "status.example.com", "https://status.example.com/"),
        (
            "CertificateArn",
            "arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-3333-4444-555555555555",
            "arn:aws:acm:eu-central-1:123456789012:certificate/1",
        ),
        ("NotifyTopics", "arn:aws:sns:eu-central-1:123456789012:on-call", "on-call"),
        ("HeartbeatBuckets", "arn:aws:s3:::backups", "s3://backups/*"),
        ("AlarmEmail", "ops@example.com", "ops@example.com,boss@example.com"),
        ("HomeRegion", "eu-central-1", "Frankfurt"),
        ("SecretsPrefix", "team/checkup", "/checkup/"),
        ("ConfigKey", "monitoring/checkup.yaml", "/checkup.json"),
        ("PermissionsBoundary", "arn:aws:iam::123456789012:policy/limits", "limits"),
    ],
)
def test_parameter_takes_what_it_is_for_and_nothing_else(
    template: dict[str, Any], name: str, good: str, bad: str
) -> None:
    pattern = template["Parameters"][name]["AllowedPattern"]
    assert re.fullmatch(pattern, good)
    assert not re.fullmatch(pattern, bad)


@pytest.mark.row("159", "S3.1")
def test_no_parameter_is_a_secret(template: dict[str, Any]) -> None:
    secretive = re.compile(r"webhook|token|password|secret(?!sprefix)", re.IGNORECASE)
    assert not [name for name in template["Parameters"] if secretive.search(name)]


@pytest.mark.row("S6.4")
def test_what_opens_anything_is_off_by_default(template: dict[str, Any]) -> None:
    opening = ("AllowAddresses", "NotifyTopics", "HeartbeatBuckets", "ConfigBucket", "HomeBucket")
    assert {template["Parameters"][name]["Default"] for name in opening} == {""}


def test_parameters_that_belong_together_are_given_together(template: dict[str, Any]) -> None:
    assert set(template["Rules"]) == {"DomainHasCertificate", "HomeHasBucketAndRegion"}


@pytest.mark.row("165", "S3.5", "S5.1")
def test_buckets_are_private_and_encrypted(resources: Resources) -> None:
    buckets = dict(of_type(resources, "AWS::S3::Bucket"))
    assert set(buckets) == {"StateBucket", "PageBucket"}
    for bucket in buckets.values():
        assert list(bucket["PublicAccessBlockConfiguration"].values()) == [True] * 4
        assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
        assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert not bucket.keys() & {"WebsiteConfiguration", "AccessControl"}


@pytest.mark.row("S5.5")
def test_conditional_writes_are_required_unless_declined(template: dict[str, Any]) -> None:
    assert template["Parameters"]["ConditionalWrites"]["Default"] == "required"


@pytest.mark.row("X7")
def test_old_state_is_kept_and_old_runs_are_not(resources: Resources) -> None:
    bucket = resources["StateBucket"]["Properties"]
    rules = {rule.get("Prefix"): rule for rule in bucket["LifecycleConfiguration"]["Rules"]}
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert rules["runs/"]["ExpirationInDays"] == {"Ref": "RunRetentionDays"}
    assert rules["late/"]["ExpirationInDays"] == {"Ref": "RunRetentionDays"}
    assert "ExpirationInDays" not in rules[None]
    assert rules[None]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}


def test_only_recorded_runs_stay_when_the_stack_goes(resources: Resources) -> None:
    stays = {
        name for name, it in resources.items() if it.get("DeletionPolicy", "Delete") != "Delete"
    }
    assert stays == {"StateBucket"}
    assert resources["StateBucket"]["DeletionPolicy"] == "RetainExceptOnCreate"


def test_slot_comes_from_the_schedule(resources: Resources) -> None:
    schedule = resources["CheckFunctionEverySlot"]["Properties"]
    assert schedule["Target"]["Input"] == '{"slot": "<aws.scheduler.scheduled-time>"}'
    assert schedule["ScheduleExpression"] == {"Ref": "Schedule"}
    assert schedule["ScheduleExpressionTimezone"] == "UTC"
    assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}


@pytest.mark.row("167", "S6.3")
def test_late_events_are_dropped_on_both_sides_and_kept_as_evidence(
    resources: Resources,
) -> None:
    kept = {"Fn::GetAtt": ["FailedEvents", "Arn"]}
    for _, schedule in of_type(resources, "AWS::Scheduler::Schedule"):
        retry = schedule["Target"]["RetryPolicy"]
        assert retry["MaximumRetryAttempts"] <= 2
        assert retry["MaximumEventAgeInSeconds"] <= 60
        assert schedule["Target"]["DeadLetterConfig"] == {"Arn": kept}
    queued = dict(of_type(resources, "AWS::Lambda::EventInvokeConfig"))
    assert len(queued) == 2
    for limits in queued.values():
        assert limits["MaximumRetryAttempts"] <= 2
        assert limits["MaximumEventAgeInSeconds"] <= 300
        assert limits["DestinationConfig"]["OnFailure"] == {"Destination": kept}


@pytest.mark.row("167", "S6.3", "X5")
def test_functions_are_limited_in_time_memory_and_number(resources: Resources) -> None:
    for _, function in of_type(resources, "AWS::Lambda::Function"):
        limits = (function["MemorySize"], function["Timeout"])
        if function["Handler"] == "publish.handler":
            size = ["HasPublishMemorySize", {"Ref": "PublishMemorySize"}, {"Ref": "MemorySize"}]
            assert limits == ({"Fn::If": size}, {"Ref": "PublishTimeout"})
        else:
            assert limits == ({"Ref": "MemorySize"}, 60)
        reserved = function["ReservedConcurrentExecutions"]["Fn::If"]
        assert reserved[:2] == ["ReservesConcurrency", {"Ref": "ReservedConcurrency"}]
        assert "TracingConfig" not in function


@pytest.mark.row("167", "S6.3")
def test_every_function_logs_to_a_group_that_forgets(resources: Resources) -> None:
    groups = dict(of_type(resources, "AWS::Logs::LogGroup"))
    functions = dict(of_type(resources, "AWS::Lambda::Function"))
    assert {it["LoggingConfig"]["LogGroup"]["Ref"] for it in functions.values()} == set(groups)
    for function in functions.values():
        assert function["LoggingConfig"]["LogFormat"] == "JSON"
        assert function["LoggingConfig"]["ApplicationLogLevel"] == "INFO"  # as "run recorded"
    for group in groups.values():
        assert group["RetentionInDays"] == {"Ref": "LogRetentionDays"}


@pytest.mark.row("S3.4")
def test_viewers_have_to_speak_tls_1_2_at_a_name_of_ones_own(resources: Resources) -> None:
    config = resources["PageDistribution"]["Properties"]["DistributionConfig"]
    condition, own, _ = config["ViewerCertificate"]["Fn::If"]
    assert (condition, own["MinimumProtocolVersion"]) == ("HasDomain", "TLSv1.2_2021")
    assert config["DefaultCacheBehavior"]["ViewerProtocolPolicy"] == "redirect-to-https"


@pytest.mark.row("164", "S6.2")
def test_page_is_sent_with_headers_that_protect_it(resources: Resources) -> None:
    config = resources["PageHeaders"]["Properties"]["ResponseHeadersPolicyConfig"]
    security = config["SecurityHeadersConfig"]
    assert security["StrictTransportSecurity"]["AccessControlMaxAgeSec"] >= 31_536_000
    assert "frame-ancestors 'none'" in (
        security["ContentSecurityPolicy"]["ContentSecurityPolicy"].split("; ")
    )
    assert config["CorsConfig"]["AccessControlAllowMethods"]["Items"] == ["GET", "HEAD"]
    assert config["CorsConfig"]["AccessControlAllowCredentials"] is False


def test_old_layers_are_deleted(resources: Resources) -> None:
    layers = [it for it in resources.values() if it["Type"] == "AWS::Lambda::LayerVersion"]
    assert [layer["DeletionPolicy"] for layer in layers] == ["Delete", "Delete"]


def test_layers_of_two_stacks_are_told_apart(resources: Resources) -> None:
    layers = of_type(resources, "AWS::Lambda::LayerVersion")
    names = {layer["LayerName"]["Fn::Sub"] for _, layer in layers}
    assert names == {"${AWS::StackName}-core", "${AWS::StackName}-page"}


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
    assert page >= {"PageHeaders", "PageAccess", "PublishRole", "StalePageAlarm"}
