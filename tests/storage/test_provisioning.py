"""What a storage lacks is said first, then made; and a second time nothing is left to do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from checkup.errors import StorageError
from checkup.interfaces import Provisionable, ProvisionStep, Storage
from checkup.storage import s3_provision
from checkup.storage.folder import FolderStorage
from checkup.storage.s3 import S3Storage
from checkup.storage.s3_bucket import S3Bucket
from checkup.storage.sql import MySqlSettings, PostgresSettings, SqliteSettings
from checkup.times import SECOND
from tests import databases
from tests.servers.github import TOKEN, FakeGitHub, fake_github
from tests.servers.s3_faults import Fault, faulty_s3
from tests.storage.places import FakeClients, S3Server, github_settings, s3_client

DAY = 86_400 * SECOND
BLOCKED = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")


def missing(storage: Storage, retention: int = 0) -> Sequence[ProvisionStep]:
    return cast("Provisionable", storage).provision_steps(retention)


def words(steps: Sequence[ProvisionStep]) -> list[str]:
    return [step.description for step in steps]


def take(steps: Sequence[ProvisionStep]) -> None:
    for step in steps:
        step.apply()


def assert_usable(storage: Storage) -> None:
    storage.create("state/head.json", b"{}")
    storage.create("runs/1501523631505010894-check.json", b"[]")


# Folder


def test_a_folder_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "checks"
    steps = missing(FolderStorage(folder))
    assert words(steps) == [f"create the folder {folder}"]
    assert not folder.exists()
    take(steps)
    take(steps)
    assert folder.is_dir()
    assert missing(FolderStorage(folder)) == []


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    with pytest.raises(StorageError, match="a file exists where a folder is expected"):
        take(missing(FolderStorage(tmp_path / "a" / "checks")))


# Databases


def test_a_file_of_sqlite_and_its_tables_are_made(tmp_path: Path) -> None:
    path = tmp_path / "a" / "checks.db"
    storage = SqliteSettings(dsn=str(path)).open(FakeClients())
    steps = missing(storage)
    assert words(steps) == [f"create the file {path}", "create the tables in it"]
    assert not path.exists()
    take(steps)
    take(steps)
    assert missing(storage) == []
    assert_usable(storage)


@pytest.mark.parametrize("kind", ["postgres", "mariadb"])
def test_tables_of_a_server_are_made(kind: str, request: pytest.FixtureRequest) -> None:
    server: databases.Postgres | databases.MariaDb = request.getfixturevalue(kind)
    dsn = server.dsn(server.new_database())
    settings = (PostgresSettings if kind == "postgres" else MySqlSettings)(dsn=dsn)
    storage = settings.open(FakeClients(secrets={dsn: dsn}))
    steps = missing(storage)
    (sentence,) = words(steps)
    assert "create the tables checks and documents" in sentence
    assert missing(storage), "looking makes nothing"
    take(steps)
    take(steps)
    assert missing(storage) == []
    assert_usable(storage)


# GitHub


def test_a_folder_of_a_branch_gets_an_index(github: FakeGitHub) -> None:
    storage = github_settings(github, dir="status/checks").open(FakeClients(secrets={TOKEN: TOKEN}))
    steps = missing(storage)
    place = "github.com/octocat/kit/status/checks/index.json"
    assert words(steps) == [f"add an empty {place} to the branch main"]
    assert "status/checks/index.json" not in github.main
    take(steps)
    take(steps)
    assert github.main["status/checks/index.json"] == b"{}"
    assert github.main["README.md"]
    assert len(github.git.messages("main")) == 2
    assert missing(storage) == []
    assert_usable(storage)


def test_a_branch_is_made_with_nothing_else_on_it(github: FakeGitHub) -> None:
    settings = github_settings(github, dir="checks", branch="status/data")
    storage = settings.open(FakeClients(secrets={TOKEN: TOKEN}))
    (step,) = missing(storage)
    assert "create the branch status/data" in step.description
    assert "status/data" not in github.git.refs
    step.apply()
    assert github.git.files("status/data") == {"checks/index.json": b"{}"}
    assert missing(storage) == []
    assert_usable(storage)


@pytest.mark.parametrize("branch", ["main", "data"])
def test_an_empty_repository_gets_its_first_commit(branch: str) -> None:
    with fake_github(empty=True) as github:
        settings = github_settings(github, dir="checks", branch=branch)
        storage = settings.open(FakeClients(secrets={TOKEN: TOKEN}))
        take(missing(storage))
        assert github.git.files(branch) == {"checks/index.json": b"{}"}
        assert missing(storage) == []
        assert_usable(storage)


def test_a_repository_is_its_owner_s_to_make(github: FakeGitHub) -> None:
    settings = github_settings(github, repository_name="other")
    storage = settings.open(FakeClients(secrets={TOKEN: TOKEN}))
    with pytest.raises(StorageError, match="not found, or the access_token has no access"):
        missing(storage)


# S3


@pytest.fixture
def bucket(moto: S3Server) -> str:
    """The name of a bucket that is not there."""
    name = moto.new_bucket()
    moto.client.delete_bucket(Bucket=name)
    return name


class OverTls(S3Bucket):
    """A bucket of a server that speaks no TLS, with what one that does would be given."""

    is_over_tls = True


def lifecycle(moto: S3Server, bucket: str) -> dict[str, Any]:
    rules = moto.client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    return {rule["ID"]: rule for rule in rules}


@pytest.mark.row("165")
def test_a_bucket_is_made_private_encrypted_and_tls_only(moto: S3Server, bucket: str) -> None:
    """S5.1: four public access blocks, owner enforced, no website, no ACL."""
    there, expiry = OverTls(moto.client, bucket), 36 * 3600 * SECOND
    steps = s3_provision.pending_steps(there, "", expiry)
    assert words(steps)[0] == f"create the bucket s3://{bucket}/ in us-east-1"
    assert words(steps)[-1] == "delete old versions after 30 days, and runs after 2 days"
    assert bucket not in {one["Name"] for one in moto.client.list_buckets()["Buckets"]}

    take(steps)

    about = {"Bucket": bucket}
    block = moto.client.get_public_access_block(**about)["PublicAccessBlockConfiguration"]
    assert block == dict.fromkeys(BLOCKED, True)
    (owner,) = moto.client.get_bucket_ownership_controls(**about)["OwnershipControls"]["Rules"]
    assert owner["ObjectOwnership"] == "BucketOwnerEnforced"
    encryption = moto.client.get_bucket_encryption(**about)["ServerSideEncryptionConfiguration"]
    assert "AES256" in json.dumps(encryption)
    assert moto.client.get_bucket_versioning(**about)["Status"] == "Enabled"
    (statement,) = json.loads(moto.client.get_bucket_policy(**about)["Policy"])["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    rules = lifecycle(moto, bucket)
    assert rules["checkup-runs"]["Expiration"]["Days"] == 2
    assert rules["checkup-runs"]["Filter"] == {"Prefix": "1"}
    assert rules["checkup-late-runs"]["Filter"] == {"Prefix": "late/"}
    assert rules["checkup-old-versions"]["NoncurrentVersionExpiration"]["NoncurrentDays"] == 30
    assert s3_provision.pending_steps(there, "", expiry) == []
    with pytest.raises(StorageError, match="access denied"):
        S3Storage(moto.client, bucket).create("state/head.json", b"over plain HTTP")


def test_a_service_without_tls_does_not_shut_its_owner_out(moto: S3Server, bucket: str) -> None:
    storage = S3Storage(moto.client, bucket)
    take(missing(storage, DAY))
    assert missing(storage, DAY) == []
    assert_usable(storage)


def test_another_region_is_named(moto: S3Server, bucket: str) -> None:
    client = s3_client(moto.url, region_name="eu-central-1")
    try:
        steps = missing(S3Storage(client, bucket))
        assert words(steps)[0].endswith("in eu-central-1")
        take(steps[:1])
    finally:
        client.close()
    where = moto.client.get_bucket_location(Bucket=bucket)["LocationConstraint"]
    assert where == "eu-central-1"


def test_only_what_is_missing_is_done_and_what_others_set_stays(
    moto: S3Server, bucket: str
) -> None:
    moto.client.create_bucket(Bucket=bucket)
    theirs = {
        "Sid": "Theirs",
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    policy = {"Version": "2012-10-17", "Statement": [theirs]}
    moto.client.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    rule = {"ID": "logs", "Filter": {"Prefix": "logs/"}, "Status": "Enabled"}
    rules = [{**rule, "Expiration": {"Days": 9}}]
    moto.client.put_bucket_lifecycle_configuration(
        Bucket=bucket, LifecycleConfiguration={"Rules": rules}
    )
    moto.client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    there = OverTls(moto.client, bucket)

    steps = s3_provision.pending_steps(there, "", 0)
    assert not [
        text for text in words(steps) if "create the bucket" in text or "versioning" in text
    ]
    take(steps)

    kept = json.loads(moto.client.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]
    assert [statement["Sid"] for statement in kept] == ["Theirs", "TlsOnly"]
    assert set(lifecycle(moto, bucket)) == {"logs", "checkup-old-versions"}
    assert lifecycle(moto, bucket)["logs"]["Expiration"]["Days"] == 9
    assert s3_provision.pending_steps(there, "", 0) == []


def test_another_expiry_is_another_rule(moto: S3Server, bucket: str) -> None:
    storage = S3Storage(moto.client, bucket, prefix="team/")
    take(missing(storage, 7 * DAY))
    assert lifecycle(moto, bucket)["checkup-runs"]["Filter"] == {"Prefix": "team/1"}
    (step,) = missing(storage, 30 * DAY)
    step.apply()
    assert lifecycle(moto, bucket)["checkup-runs"]["Expiration"]["Days"] == 30
    take(missing(storage, 0))
    assert set(lifecycle(moto, bucket)) == {"checkup-old-versions"}


@pytest.mark.row("93", "C20")
def test_no_rule_deletes_what_is_not_a_run(moto: S3Server, bucket: str) -> None:
    moto.client.create_bucket(Bucket=bucket)
    moto.client.put_object(Bucket=bucket, Key="1-invoice.pdf", Body=b"")
    take(missing(S3Storage(moto.client, bucket), 7 * DAY))
    assert set(lifecycle(moto, bucket)) == {"checkup-old-versions"}


def test_a_service_without_a_setting_does_not_need_it(moto: S3Server, bucket: str) -> None:
    moto.client.create_bucket(Bucket=bucket)
    with faulty_s3(moto.url) as s3:
        client = s3_client(s3.url)
        try:
            storage = S3Storage(client, bucket)
            every = words(missing(storage))
            pass_it_on = Fault(forward=True, headers={"X-Any": "1"}, cut=0)
            s3.faults = [pass_it_on, Fault(status=501, code="NotImplemented")]
            fewer = words(missing(storage))
            steps = missing(storage)
            s3.faults = [Fault(status=501, code="NotImplemented")]
            with pytest.raises(StorageError, match="run it again for the rest"):
                steps[0].apply()
        finally:
            client.close()
    assert [text for text in every if text not in fewer] == ["block public access"]


@pytest.mark.row("91")
def test_a_bucket_of_somebody_else_is_told(moto: S3Server, bucket: str) -> None:
    with faulty_s3(moto.url) as s3:
        client = s3_client(s3.url)
        try:
            s3.faults = [Fault(status=403, code="AccessDenied")]
            with pytest.raises(StorageError, match="the bucket has another owner"):
                missing(S3Storage(client, bucket))
            steps = missing(S3Storage(client, bucket))
            s3.faults = [Fault(status=403, code="AccessDenied")]
            with pytest.raises(StorageError, match="required: s3:CreateBucket"):
                steps[0].apply()
        finally:
            client.close()
