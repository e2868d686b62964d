"""``--stack NAME``: the commands on a deployed stack, with the rights of whoever asks."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from checkup.alerting.state import STATE_KEY, AlertState, CheckerState, decode_state, encode_state
from checkup.model import Attempt, Result, Run, Status, encode_results, run_key
from checkup.times import SECOND
from tests.cli.program import Program
from tests.emulators import ADMINISTRATOR, REGION, Emulator, free_port, ministack

pytestmark = pytest.mark.xdist_group("stack-commands")

BUCKET = "runs-of-the-stack"
SINCE = int(time.time()) // 60 * 60 * SECOND - 3600 * SECOND
SIZES = {"MemorySize": "1024", "RunRetentionDays": "7", "Schedule": "rate(5 minutes)"}
TEMPLATE = {
    "Parameters": {
        "Enabled": {"Type": "String", "Default": "true"},
        "Other": {"Type": "String"},
        **{name: {"Type": "String", "Default": value} for name, value in SIZES.items()},
    },
    "Resources": {
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}},
        },
        "Runs": {
            "Type": "AWS::S3::Bucket",
            "Properties": {
                "BucketName": BUCKET,
                "VersioningConfiguration": {"Status": "Enabled"},
                "Tags": [{"Key": "enabled", "Value": {"Ref": "Enabled"}}],
            },
        },
        "Check": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Runtime": "python3.13",
                "Handler": "check.handler",
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Code": {"S3Bucket": "packages", "S3Key": "check.zip"},
                "Environment": {"Variables": {"STATE_BUCKET": BUCKET, "CONFIG_BUCKET": ""}},
            },
        },
    },
    "Outputs": {
        "StateBucketName": {"Value": {"Ref": "Runs"}},
        "CheckFunctionName": {"Value": {"Ref": "Check"}},
        "PageUrl": {"Value": "https://status.example.test"},
        "PublishFunctionName": {"Value": "deleted-by-hand"},
    },
}


def configuration(**more: Any) -> dict[str, Any]:
    checker = {"type": "http", "endpoint_name": "Shop", "endpoint_url": "http://127.0.0.1:1/"}
    return {"checkers": [{**checker, "timeout": "1s"}], **more}


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with ministack(tmp_path_factory.mktemp("aws"), auth=True) as emulator:
        emulator.client("s3").create_bucket(Bucket="packages")
        emulator.client("s3").put_object(Bucket="packages", Key="check.zip", Body=package())
        cloudformation = emulator.client("cloudformation")
        for name, template in (("prod", TEMPLATE), ("other", OTHER)):
            cloudformation.create_stack(
                StackName=name,
                TemplateBody=json.dumps(template),
                Parameters=[{"ParameterKey": "Other", "ParameterValue": "kept"}],
                Capabilities=["CAPABILITY_IAM"],
            )
            cloudformation.get_waiter("stack_create_complete").wait(
                StackName=name, WaiterConfig={"Delay": 1}
            )
        remember(emulator)
        yield emulator


OTHER = {
    "Parameters": {"Other": {"Type": "String"}},
    "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
}


def package() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as content:
        content.writestr("check.py", "")
        content.writestr("checkup.json", json.dumps(configuration()))
    return file.getvalue()


def remember(aws: Emulator) -> None:
    """Put a run and the state after it where the stack's functions would."""
    times = (Attempt(rtt=7_000_000, error="status 503", failure="status_503"),)
    result = Result(title="Shop", id="shop", kind="http", attempts=times, down=True)
    now = int(time.time()) // 60 * 60 * SECOND
    run = Run(slot=now, results=(result,))
    state = CheckerState(status=Status.DOWN, since=SINCE, alerted_status=Status.DOWN, title="Shop")
    head = AlertState(
        revision=1, cursor=run_key(run), applied_runs=(run.file_name,), checkers={"shop": state}
    )
    s3 = aws.client("s3")
    s3.put_object(Bucket=BUCKET, Key=run_key(run), Body=encode_results(run.results))
    s3.put_object(Bucket=BUCKET, Key=STATE_KEY, Body=encode_state(head))


@pytest.mark.parametrize("place", ["before", "after"])
def test_status_is_that_of_the_stack(checkup: Program, aws: Emulator, place: str) -> None:
    stack = ["--stack", "prod"]
    words = [*stack, "status"] if place == "before" else ["status", *stack]
    ended = checkup(*words, **aws.environ)
    assert ended.stderr == ""
    assert ended.stdout.startswith("Shop  down  ")
    assert "status 503 (status_503)" in ended.stdout
    assert ended.returncode == 1


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["explain", "shop"], "Shop (shop): down since"),
        (["replay"], "1 run from"),
        (["silence"], "no silences"),
        (["incident"], "Outage of Shop  (automatic, not on the page)"),
        (["maintenance"], "no maintenance"),
    ],
)
def test_other_commands_work_on_the_stack_too(
    checkup: Program, aws: Emulator, command: list[str], words: str
) -> None:
    ended = checkup("--stack", "prod", *command, **aws.environ)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert words in ended.stdout


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ([], "1 checker every 5 min: 1024 MB, arm64, runs kept for 7 days"),
        (["--memory", "512"], "1 checker every 5 min: 512 MB, arm64, runs kept for 7 days"),
    ],
)
def test_bill_is_that_of_the_stack_as_it_is_deployed(
    checkup: Program, aws: Emulator, flags: list[str], words: str
) -> None:
    ended = checkup("--stack", "prod", "cost", *flags, **aws.environ)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert words in ended.stdout


def test_local_file_in_place_of_the_stacks_is_named(checkup: Program, aws: Emulator) -> None:
    checkup.write(configuration(interval="5m"), "mine.json")
    ended = checkup("--stack", "prod", "-c", "mine.json", "explain", "shop", **aws.environ)
    assert "using mine.json instead of the configuration of the stack prod" in ended.stderr
    assert "down since" in ended.stdout


def test_run_by_hand_is_kept_and_has_no_vote(checkup: Program, aws: Emulator) -> None:
    s3 = aws.client("s3")
    before = s3.get_object(Bucket=BUCKET, Key=STATE_KEY)["Body"].read()
    known = checkup("--stack", "prod", "status", **aws.environ).stdout.split(" UTC, ")[0]
    ended = checkup("--stack", "prod", "message", "Soon back", **aws.environ)
    assert (ended.returncode, ended.stdout) == (0, "Message posted\n")
    assert (
        "the page will be updated within five minutes: its function does not exist" in ended.stderr
    )
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET, Prefix="runs/")["Contents"]]
    (result,) = json.loads(s3.get_object(Bucket=BUCKET, Key=keys[-1])["Body"].read())
    assert (result["message"], result["region"]) == ("Soon back", "by-hand")
    assert checkup("--stack", "prod", "status", **aws.environ).stdout.startswith(known)
    assert s3.get_object(Bucket=BUCKET, Key=STATE_KEY)["Body"].read() == before
    s3.delete_object(Bucket=BUCKET, Key=keys[-1])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nowhere", f"no stack nowhere in {REGION}; choose another region with --region"),
        ("other", "the stack other stores no runs"),
    ],
)
def test_stack_that_is_not_there_is_named(
    checkup: Program, aws: Emulator, name: str, words: str
) -> None:
    ended = checkup("--stack", name, "status", **aws.environ)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert words in ended.stderr


@pytest.mark.parametrize(
    ("allowed", "missing"),
    [
        ([], "cloudformation:DescribeStacks is required"),
        (["cloudformation:DescribeStacks"], "lambda:GetFunction is required"),
        (["cloudformation:DescribeStacks", "lambda:GetFunction"], "s3:ListBucket on the bucket"),
    ],
)
def test_right_that_is_missing_is_named(
    checkup: Program, aws: Emulator, allowed: list[str], missing: str
) -> None:
    ended = checkup("--stack", "prod", "status", **(aws.environ | user_who_may(aws, allowed)))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert missing in ended.stderr
    assert "000000000000" not in ended.stderr  # an account's number


def user_who_may(aws: Emulator, actions: list[str]) -> dict[str, str]:
    iam = aws.client("iam")
    name = f"user-{len(actions)}"
    iam.create_user(UserName=name)
    statements = [{"Effect": "Allow", "Action": actions, "Resource": "*"}] if actions else []
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    if actions:
        iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }


def test_credentials_that_are_missing_are_asked_for(checkup: Program, tmp_path: Path) -> None:
    ended = checkup(
        *("--region", "eu-central-1", "--stack", "prod", "status"),
        AWS_EC2_METADATA_DISABLED="true",
        AWS_CONFIG_FILE=str(tmp_path / "none"),
        AWS_SHARED_CREDENTIALS_FILE=str(tmp_path / "none"),
    )
    assert ended.returncode == 1
    assert ended.stderr.rstrip().endswith("no AWS credentials; log in, or use --profile")


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ([], "no region of AWS is known"),
        (["--region", "eu central"], "there is no such region of AWS; see AWS_REGION, or --region"),
        (["--profile", "nobody"], "there is no such profile in your AWS configuration"),
    ],
)
def test_region_and_profile_that_are_not_known_are_named(
    checkup: Program, flags: list[str], words: str
) -> None:
    ended = checkup(*flags, "--stack", "prod", "status", AWS_EC2_METADATA_DISABLED="true")
    assert ended.returncode == 1
    assert words in ended.stderr


def test_stack_without_a_name_is_not_the_files_of_this_machine(checkup: Program) -> None:
    checkup.write(configuration())
    ended = checkup("--stack", "", "status")
    assert ended.returncode == 1
    assert "the stack name is empty" in ended.stderr


def test_network_and_region_are_what_may_be_wrong_where_aws_is_not_reached(
    checkup: Program,
) -> None:
    ended = checkup(
        *("--region", "eu-central-9", "--stack", "prod", "status"),
        **ADMINISTRATOR,
        AWS_ENDPOINT_URL=f"http://127.0.0.1:{free_port()}",
        AWS_MAX_ATTEMPTS="1",
    )
    assert ended.returncode == 1
    assert "cannot reach AWS; check the network and the region" in ended.stderr


@pytest.mark.row("174")
def test_state_is_restored_from_an_earlier_version(checkup: Program, aws: Emulator) -> None:
    s3 = aws.client("s3")
    listed = checkup("--stack", "prod", "restore", **aws.environ)
    assert listed.returncode == 0
    (*_, version) = [line.split()[3] for line in listed.stdout.splitlines()]
    good = s3.get_object(Bucket=BUCKET, Key=STATE_KEY, VersionId=version)["Body"].read()
    s3.put_object(Bucket=BUCKET, Key=STATE_KEY, Body=b'{"schema": 1, "che')

    ended = checkup("--stack", "prod", "restore", version, **aws.environ)

    assert (ended.returncode, ended.stdout) == (0, "restored: 1 checker\n")
    before = decode_state(good)
    after = decode_state(s3.get_object(Bucket=BUCKET, Key=STATE_KEY)["Body"].read())
    assert after.checkers == before.checkers
    assert after.revision > before.revision


def test_version_that_is_not_there_is_named(checkup: Program, aws: Emulator) -> None:
    ended = checkup("--stack", "prod", "restore", "nothing", **aws.environ)
    assert ended.returncode == 1
    assert "nothing" in ended.stderr


def test_stack_is_paused_by_its_own_parameter(checkup: Program, aws: Emulator) -> None:
    seen = []
    for command in ("pause", "pause", "resume"):
        ended = checkup("--stack", "prod", command, **aws.environ)
        assert (ended.returncode, ended.stderr) == (0, "")
        seen.append(parameters(aws))
    assert [it.pop("Enabled") for it in seen] == ["false", "false", "true"]
    assert seen == [{"Other": "kept", **SIZES}] * 3


def parameters(aws: Emulator) -> dict[str, str]:
    stack = aws.client("cloudformation").describe_stacks(StackName="prod")["Stacks"][0]
    return {it["ParameterKey"]: it["ParameterValue"] for it in stack["Parameters"]}


@pytest.mark.parametrize("command", ["pause", "resume", "restore"])
def test_what_only_stacks_have_needs_the_name_of_one(checkup: Program, command: str) -> None:
    checkup.write(configuration())
    ended = checkup(command)
    assert ended.returncode == 1
    assert "give the stack with --stack" in ended.stderr
