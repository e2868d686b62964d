"""``checkup provision``: says what it will do, does it when it is agreed, and publishes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.cli.program import Program
from tests.servers.github import NAME, OWNER, TOKEN, fake_github

KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}


@pytest.fixture
def s3_url() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def test_nothing_is_done_unasked(checkup: Program) -> None:
    checkup.write({"storage": {"type": "fs", "dir": "checks"}})
    ended = checkup("provision")
    assert ended.returncode == 1
    assert ended.stdout == f"steps:\n  create the folder {checkup.folder}/checks\n"
    assert "nothing was changed; confirm with --yes" in ended.stderr
    assert not (checkup.folder / "checks").exists()


@pytest.mark.row("E22")
def test_it_is_done_and_said_when_agreed(checkup: Program) -> None:
    checkup.write({"storage": {"type": "fs", "dir": "checks"}})
    ended = checkup("provision", "--yes")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "One sec..." in ended.stdout
    assert ended.stdout.endswith("Provision successful\n")
    assert (checkup.folder / "checks").is_dir()

    again = checkup("provision")
    assert (again.returncode, again.stdout) == (0, "nothing to do: everything exists\n")


def test_a_database_is_made_and_then_works(checkup: Program) -> None:
    checkup.write({"checkers": [], "storage": {"type": "sqlite3", "dsn": "checks.db"}})
    assert checkup("--store").returncode == 1
    assert checkup("provision", "--yes").returncode == 0
    assert checkup("--store").returncode == 0


def test_a_branch_is_made_and_then_works(checkup: Program) -> None:
    with fake_github() as github:
        storage = {
            "type": "github",
            "access_token": "env:GITHUB_TOKEN",
            "repository_owner": OWNER,
            "repository_name": NAME,
            "branch": "status",
            "api_url": github.url,
        }
        checkup.write({"checkers": [], "storage": storage})
        made = checkup("provision", "--yes", GITHUB_TOKEN=TOKEN)
        stored = checkup("--store", GITHUB_TOKEN=TOKEN)
        assert (made.returncode, stored.returncode) == (0, 0), made.stderr + stored.stderr
        assert any(path.endswith("-check.json") for path in github.git.files("status"))
    assert TOKEN not in made.stdout + made.stderr + stored.stderr


@pytest.mark.row("E21")
@pytest.mark.parametrize("word", ["s3", pytest.param("S3", id="case")])
def test_s3_is_made_of_the_environment_without_a_configuration(
    checkup: Program, s3_url: str, word: str
) -> None:
    bucket = f"checks-{uuid4().hex}"  # all servers of one process share their buckets
    here = {**KEYS, "AWS_ENDPOINT_URL_S3": s3_url, "AWS_BUCKET_NAME": bucket}
    ended = checkup("provision", word, "--yes", **here)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert f"create the bucket s3://{bucket}/ in us-east-1" in ended.stdout
    assert ended.stdout.endswith("Provision successful\n")
    assert "testing" not in ended.stdout
    s3 = boto3.client(
        "s3",
        endpoint_url=s3_url,
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    block = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert all(block.values())
    iam = boto3.client(
        "iam",
        endpoint_url=s3_url,
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    assert iam.list_users()["Users"] == []


@pytest.mark.row("E21")
def test_without_a_bucket_s_name_the_help_is_shown(checkup: Program) -> None:
    ended = checkup("provision", "s3", **KEYS)
    assert ended.returncode == 1
    assert "Usage: checkup provision" in ended.stdout
    assert "AWS_BUCKET_NAME" in ended.stderr


@pytest.mark.row("E21")
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param(["gcs"], "unknown storage provider 'gcs'"),
        pytest.param([], "no storage configuration found", id="no-storage"),
    ],
)
def test_what_cannot_be_provisioned_is_told(
    checkup: Program, arguments: list[str], sentence: str
) -> None:
    checkup.write({"checkers": []})
    ended = checkup("provision", *arguments)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.rstrip().endswith(sentence)


def test_more_than_one_argument_shows_the_help(checkup: Program) -> None:
    ended = checkup("provision", "s3", "s3")
    assert ended.returncode == 1
    assert "Usage: checkup provision" in ended.stdout
