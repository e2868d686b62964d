"""S3 on a bad day, its layouts, and how its settings become a client."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import boto3
import pytest
from botocore.config import Config

from checkup.errors import DocumentChangedError, DocumentExistsError, StorageError
from checkup.model import Result, encode_results
from checkup.storage.s3 import S3Settings, S3Storage, s3_client_config
from tests.servers.s3_faults import (
    CONFLICT,
    CUT,
    DENIED,
    DROP_AFTER,
    DROP_BEFORE,
    ERROR_AFTER,
    HANG,
    INTERNAL,
    SLOW_DOWN,
    UNAVAILABLE,
    Fault,
    FaultyS3,
    faulty_s3,
)
from tests.storage.places import FakeClients, S3Server, s3_client

NAME = "1501523631505010894-check.json"
KEY = f"runs/{NAME}"
HEAD = "state/head.json"


@pytest.fixture
def bucket(moto: S3Server) -> str:
    return moto.new_bucket()


@pytest.fixture
def direct(moto: S3Server, bucket: str) -> S3Storage:
    """The same bucket without the proxy."""
    return S3Storage(moto.client, bucket)


@pytest.fixture
def s3(moto: S3Server) -> Iterator[FaultyS3]:
    with faulty_s3(moto.url) as proxy:
        yield proxy


@pytest.fixture
def storage(s3: FaultyS3, bucket: str) -> Iterator[S3Storage]:
    with closing(s3_client(s3.url)) as client:
        yield S3Storage(client, bucket)


# Lost answers: the client sends again and meets its own first try


@pytest.mark.parametrize("fault", [DROP_AFTER, ERROR_AFTER], ids=["86-dropped", "86-500"])
def test_a_create_whose_answer_was_lost_is_ours(
    s3: FaultyS3, storage: S3Storage, fault: Fault
) -> None:
    s3.faults = [fault]
    version = storage.create(KEY, b"[]")
    stored = storage.get(KEY)
    assert stored is not None
    assert (stored.body, stored.version) == (b"[]", version)


@pytest.mark.parametrize("fault", [DROP_AFTER, ERROR_AFTER], ids=["86-dropped", "86-500"])
def test_a_replace_whose_answer_was_lost_is_ours(
    s3: FaultyS3, storage: S3Storage, fault: Fault
) -> None:
    version = storage.create(HEAD, b"1")
    s3.faults = [fault]
    second = storage.replace(HEAD, b"2", version)
    assert storage.replace(HEAD, b"3", second)


@pytest.mark.row("86")
def test_a_retried_create_that_lost_a_race_is_not_ours(
    s3: FaultyS3, storage: S3Storage, direct: S3Storage
) -> None:
    direct.create(KEY, b"[1]")
    s3.faults = [DROP_BEFORE]
    with pytest.raises(DocumentExistsError):
        storage.create(KEY, b"[2]")


@pytest.mark.row("86")
def test_a_retried_replace_that_lost_a_race_is_not_ours(
    s3: FaultyS3, storage: S3Storage, direct: S3Storage
) -> None:
    version = direct.create(HEAD, b"1")
    direct.replace(HEAD, b"2", version)
    s3.faults = [INTERNAL]
    with pytest.raises(DocumentChangedError):
        storage.replace(HEAD, b"3", version)


@pytest.mark.row("88")
def test_an_ordinary_race_costs_no_read(s3: FaultyS3, storage: S3Storage) -> None:
    storage.create(KEY, b"[]")
    s3.seen.clear()
    with pytest.raises(DocumentExistsError):
        storage.create(KEY, b"[]")
    assert [request.split()[0] for request in s3.seen] == ["PUT"]


# Refusals that pass


@pytest.mark.row("84", "85", "87")
@pytest.mark.parametrize(
    "fault",
    [CONFLICT, INTERNAL, SLOW_DOWN, UNAVAILABLE, DROP_BEFORE],
    ids=[
        "conflict",
        "500",
        "slow-down",
        "503",
        "dropped",
    ],
)
def test_a_refusal_that_passes_is_not_seen(s3: FaultyS3, storage: S3Storage, fault: Fault) -> None:
    s3.faults = [fault]
    version = storage.create(HEAD, b"1")
    s3.faults = [fault]
    storage.replace(HEAD, b"2", version)


@pytest.mark.row("84", "85")
@pytest.mark.parametrize("fault", [SLOW_DOWN, DROP_BEFORE], ids=["slow-down", "dropped"])
def test_reading_listing_and_deleting_are_tried_again(
    s3: FaultyS3, storage: S3Storage, fault: Fault
) -> None:
    storage.create(KEY, b"[]")
    s3.faults = [fault]
    assert storage.get(KEY)
    s3.faults = [fault]
    assert list(storage.list("runs/")) == [KEY]
    s3.faults = [fault]
    storage.delete(KEY)
    assert storage.get(KEY) is None


@pytest.mark.row("87")
def test_a_conflict_proves_nothing(s3: FaultyS3, storage: S3Storage, direct: S3Storage) -> None:
    s3.faults = [CONFLICT] * 2
    storage.create(KEY, b"[]")
    direct.create(HEAD, b"theirs")
    s3.faults = [CONFLICT] * 2
    with pytest.raises(DocumentExistsError):
        storage.create(HEAD, b"mine")


@pytest.mark.row("87")
def test_a_conflict_after_a_lost_answer_is_sorted_out_by_reading(
    s3: FaultyS3, storage: S3Storage
) -> None:
    s3.faults = [DROP_AFTER, CONFLICT]
    storage.create(KEY, b"[]")


@pytest.mark.row("87")
def test_a_conflict_without_end_is_an_error_not_a_lost_race(
    s3: FaultyS3, storage: S3Storage
) -> None:
    s3.faults = [CONFLICT] * 50
    with pytest.raises(StorageError, match="S3 answered 409") as caught:
        storage.create(KEY, b"[]")
    assert not isinstance(caught.value, DocumentExistsError | DocumentChangedError)
    assert len(s3.seen) == 5


def test_a_body_that_breaks_off_is_read_again(s3: FaultyS3, storage: S3Storage) -> None:
    storage.create(KEY, b"[1,2,3]")
    s3.faults = [CUT, CUT]
    stored = storage.get(KEY)
    assert stored is not None
    assert stored.body == b"[1,2,3]"


# Refusals that stay

LASTING = {
    "500": (INTERNAL, "S3 answered 500 (InternalError)"),
    "slow-down": (SLOW_DOWN, "S3 is overloaded"),
    "no-answer": (DROP_BEFORE, "no response from S3"),
    "denied": (DENIED, "access denied; required: s3:GetObject"),
    "expired": (
        Fault(status=400, code="ExpiredToken"),
        "the AWS credentials have expired",
    ),
    "invalid": (Fault(status=403, code="InvalidAccessKeyId"), "credentials are invalid"),
    "key-disabled": (
        Fault(status=400, code="KMS.DisabledException"),
        "S3 answered 400 (KMS.",
    ),
    "no-bucket": (Fault(status=404, code="NoSuchBucket"), "the bucket does not exist"),
    "wrong-clock": (
        Fault(status=403, code="RequestTimeTooSkewed"),
        "clock of this machine",
    ),
    "strange-code": (Fault(status=418, code="key=hunter2"), "S3 answered 418"),
}


@pytest.mark.row("84", "85", "91")
@pytest.mark.parametrize(("fault", "reason"), LASTING.values(), ids=LASTING.keys())
def test_a_refusal_that_stays_is_an_error_without_secrets(
    s3: FaultyS3, storage: S3Storage, fault: Fault, reason: str
) -> None:
    s3.faults = [fault] * 3
    with pytest.raises(StorageError) as caught:
        storage.create(HEAD, b"{}")
    said = str(caught.value)
    assert said.startswith("cannot write s3://checkup-")
    assert reason in said
    assert not isinstance(caught.value, DocumentExistsError | DocumentChangedError)
    assert caught.value.__suppress_context__, "the library's text would be printed"
    assert not any(secret in said for secret in ("123456789012", "AKIA", "hunter2", "arn:"))


@pytest.mark.parametrize("verb", ["get", "replace", "delete", "list"])
def test_every_verb_says_what_it_could_not_do(s3: FaultyS3, storage: S3Storage, verb: str) -> None:
    s3.faults = [DENIED]
    arguments = {"replace": (b"", '"x"')}.get(verb, ())
    with pytest.raises(StorageError, match=r"s3://checkup-\w+/state/.*: access denied"):
        list(getattr(storage, verb)("state/" if verb == "list" else HEAD, *arguments) or ())


@pytest.mark.row("91")
def test_a_bucket_that_is_not_there_is_no_missing_document(moto: S3Server) -> None:
    storage = S3Storage(moto.client, "no-such-bucket-at-all")
    for verb in (
        lambda: storage.get(HEAD),
        lambda: storage.create(HEAD, b""),
        lambda: storage.replace(HEAD, b"", '"x"'),
        lambda: list(storage.list("runs/")),
    ):
        with pytest.raises(StorageError, match="the bucket does not exist"):
            verb()


def test_a_name_that_no_bucket_has_is_told(moto: S3Server) -> None:
    with pytest.raises(StorageError, match="invalid bucket name"):
        S3Storage(moto.client, "not a bucket!").get(HEAD)


@pytest.mark.row("91")
def test_no_credentials_are_told(moto: S3Server, bucket: str) -> None:
    session: Any = boto3.session.Session(region_name="us-east-1")
    with (
        closing(session.client("s3", endpoint_url=moto.url, config=s3_client_config())) as client,
        pytest.raises(StorageError, match="no AWS credentials in the configuration"),
    ):
        S3Storage(client, bucket).get(HEAD)


@pytest.mark.row("85")
def test_nobody_there_is_told(bucket: str) -> None:
    with (
        closing(s3_client("http://127.0.0.1:1")) as client,
        pytest.raises(StorageError, match="no response from S3"),
    ):
        S3Storage(client, bucket).get(HEAD)


@pytest.mark.row("85")
def test_a_server_that_hangs_is_left(s3: FaultyS3, bucket: str) -> None:
    quick = s3_client_config().merge(Config(read_timeout=0.2, retries={"total_max_attempts": 2}))
    s3.faults = [HANG, HANG]
    with (
        closing(s3_client(s3.url, config=quick)) as client,
        pytest.raises(StorageError, match="no response from S3"),
    ):
        S3Storage(client, bucket).create(KEY, b"[]")


@pytest.mark.row("85")
def test_no_call_can_take_the_run_s_time() -> None:
    config = s3_client_config()
    assert config.connect_timeout + config.read_timeout <= 8
    assert config.retries == {"mode": "standard", "total_max_attempts": 3}


def test_a_body_that_always_breaks_off_is_an_error(s3: FaultyS3, storage: S3Storage) -> None:
    storage.create(KEY, b"[1,2,3]")
    s3.faults = [CUT] * 3
    with pytest.raises(
        StorageError, match=rf"cannot read s3://.*{NAME}: incomplete response from S3"
    ):
        storage.get(KEY)


# Time


def test_the_clock_is_that_of_the_last_answer(s3: FaultyS3, storage: S3Storage) -> None:
    s3.faults = [Fault(forward=True, headers={"Date": "Tue, 01 Jan 2030 00:00:05 GMT"})]
    storage.get(HEAD)
    s3.seen.clear()
    assert storage.now_ns() == 1_893_456_005_000_000_000
    assert s3.seen == []
    storage.get(HEAD)
    assert storage.now_ns() < 1_893_456_005_000_000_000


def test_a_refusal_tells_the_time_too(s3: FaultyS3, storage: S3Storage) -> None:
    s3.faults = [DENIED]
    with pytest.raises(StorageError):
        storage.get(HEAD)
    s3.seen.clear()
    assert storage.now_ns() > 1_600_000_000_000_000_000
    assert s3.seen == []


# Layout


def names(moto: S3Server, bucket: str) -> list[str]:
    listing = moto.client.list_objects_v2(Bucket=bucket)
    return [entry["Key"] for entry in listing.get("Contents", ())]


@pytest.mark.row("C10")
@pytest.mark.parametrize(
    ("layout", "run", "head"),
    [
        pytest.param({}, NAME, HEAD, id="as-go"),
        pytest.param({"runs_prefix": "runs/"}, KEY, HEAD, id="as-in-the-stack"),
        pytest.param({"prefix": "a/b/"}, f"a/b/{NAME}", f"a/b/{HEAD}", id="in-a-prefix"),
    ],
)
def test_objects_lie_where_the_layout_says(
    moto: S3Server, bucket: str, layout: dict[str, Any], run: str, head: str
) -> None:
    storage = S3Storage(moto.client, bucket, **layout)
    storage.create(KEY, encode_results([Result(title="Testing")]))
    storage.create(HEAD, b"{}")
    assert names(moto, bucket) == [run, head]
    stored = moto.client.get_object(Bucket=bucket, Key=run)["Body"].read()
    assert stored == b'[{"title":"Testing"}]', "C01: without a newline"


@pytest.mark.row("C11")
def test_a_put_is_json_under_a_condition_without_an_acl(
    s3: FaultyS3, storage: S3Storage, moto: S3Server, bucket: str
) -> None:
    version = storage.create(KEY, b"[]")
    storage.replace(KEY, b"[1]", version)
    create, replace = s3.headers
    assert create["if-none-match"] == "*"
    assert replace["if-match"] == version
    assert not any(name.startswith("x-amz-acl") for name in create)
    assert moto.client.head_object(Bucket=bucket, Key=NAME)["ContentType"] == "application/json"


@pytest.mark.row("C12")
@pytest.mark.parametrize("runs_prefix", ["", "runs/"])
def test_other_objects_are_not_taken_for_runs(
    moto: S3Server, bucket: str, runs_prefix: str
) -> None:
    foreign = ["latest.json", f"{NAME}.bak", f"deeper/{NAME}", "15-check.json"]
    for name in foreign:
        moto.client.put_object(Bucket=bucket, Key=runs_prefix + name, Body=b"{}")
    storage = S3Storage(moto.client, bucket, runs_prefix=runs_prefix)
    storage.create(KEY, b"[]")
    storage.create(HEAD, b"{}")
    storage.create(f"late/{NAME}", b"[]")
    assert list(storage.list("runs/")) == [KEY]
    assert f"{runs_prefix}index.json" not in names(moto, bucket), "Go's page lists the bucket"


@pytest.mark.row("C06", "C12")
def test_runs_of_go_are_listed_without_an_index(moto: S3Server, bucket: str) -> None:
    moto.client.put_object(Bucket=bucket, Key=NAME, Body=b'[{"title":"a"}]')
    storage = S3Storage(moto.client, bucket)
    assert list(storage.list("runs/")) == [KEY]
    stored = storage.get(KEY)
    assert stored is not None
    assert stored.body == b'[{"title":"a"}]'


def test_listing_begins_at_the_key_and_does_not_read_the_past(
    s3: FaultyS3, storage: S3Storage
) -> None:
    for number in range(3):
        storage.create(f"runs/{15 * 10**17 + number}-check.json", b"[]")
    s3.seen.clear()
    assert list(storage.list("runs/", f"runs/{15 * 10**17 + 2}-check.json")) == []
    assert len(s3.seen) == 1


# Settings


def opened(settings: S3Settings, **secrets: str) -> dict[str, Any]:
    """Return the options with which the client was asked for."""
    clients = FakeClients(secrets=secrets)
    settings.open(clients)
    return clients.asked


@pytest.mark.row("C24")
def test_a_key_pair_is_used() -> None:
    settings = S3Settings(access_key_id="env:ID", secret_access_key="env:KEY", bucket="b")
    asked = opened(settings, **{"env:ID": "AKIA", "env:KEY": "hunter2"})
    assert (asked["aws_access_key_id"], asked["aws_secret_access_key"]) == ("AKIA", "hunter2")


@pytest.mark.row("C24")
@pytest.mark.parametrize(
    "half",
    [{}, {"access_key_id": "AKIA"}, {"secret_access_key": "hunter2"}],
    ids=["none", "id-only", "secret-only"],
)
def test_half_a_key_pair_is_left_to_the_environment(half: dict[str, Any]) -> None:
    asked = opened(S3Settings(bucket="b", **half))
    assert not any(name.startswith("aws_") for name in asked)


@pytest.mark.row("C25")
@pytest.mark.parametrize(("region", "used"), [("", "eu-west-3"), ("eu-north-1", "eu-north-1")])
def test_an_empty_region_is_that_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, region: str, used: str
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-3")
    session: Any = boto3.session.Session()
    with closing(session.client("s3", **opened(S3Settings(region=region)))) as client:
        assert client.meta.region_name == used


def test_an_endpoint_and_a_prefix_are_used(moto: S3Server, bucket: str) -> None:
    settings = S3Settings(bucket=bucket, prefix="/team/status/", endpoint_url=moto.url)
    clients = FakeClients(moto.client)
    settings.open(clients).create(KEY, b"[]")
    assert clients.asked["endpoint_url"] == moto.url
    assert names(moto, bucket) == [
        f"team/status/{NAME}",
        "team/status/state/conditions-test",
    ]


@pytest.mark.row("C22")
def test_runs_are_kept_for_ever_by_default() -> None:
    assert S3Settings().check_expiry == 0


class TestConditions:
    """Services with S3's protocol that take conditions and ignore them."""

    @staticmethod
    def opened(server: FaultyS3, client: Any, bucket: str, prefix: str = "") -> S3Storage:
        settings = S3Settings(bucket=bucket, prefix=prefix, endpoint_url=server.url)
        return settings.open(FakeClients(client))

    @pytest.mark.row("90")
    @pytest.mark.parametrize("header", ["if-none-match", "if-match"])
    def test_service_that_ignores_conditions_is_refused(
        self, s3: FaultyS3, bucket: str, header: str
    ) -> None:
        s3.ignored = {header}
        with closing(s3_client(s3.url)) as client:
            storage = self.opened(s3, client, bucket)
            for _ in range(2):
                with pytest.raises(StorageError, match=f"(?i)the service ignores {header}"):
                    storage.create(KEY, b"[]")
            with pytest.raises(StorageError, match="the service ignores If-"):
                storage.replace(HEAD, b"{}", '"abc"')
            assert storage.get(KEY) is None

    @pytest.mark.row("90")
    def test_service_that_keeps_to_conditions_is_tested_once_and_nothing_is_written_again(
        self, s3: FaultyS3, bucket: str
    ) -> None:
        with closing(s3_client(s3.url)) as client:
            self.opened(s3, client, bucket, "team").create(HEAD, b"{}")
            s3.seen.clear()
            storage = self.opened(s3, client, bucket, "team")
            storage.create(KEY, b"[]")
            storage.create("late/x.json", b"[]")

        tests = [seen for seen in s3.seen if "conditions-test" in seen]
        assert tests == [f"PUT /{bucket}/team/state/conditions-test"] * 2
        assert len(s3.seen) == 4

    def test_service_without_conditions_is_named_so(self, s3: FaultyS3, bucket: str) -> None:
        s3.faults = [Fault(status=501, code="NotImplemented")] * 9
        refused = pytest.raises(StorageError, match="the service does not support If-None-Match")
        with closing(s3_client(s3.url)) as client, refused:
            self.opened(s3, client, bucket).create(KEY, b"[]")

    @pytest.mark.parametrize("is_aws", [True, False])
    def test_only_s3_itself_is_sent_and_asked_for_checksums(
        self, s3: FaultyS3, bucket: str, *, is_aws: bool
    ) -> None:
        client = boto3.client(
            "s3",
            region_name="us-east-1",
            endpoint_url=s3.url,
            config=s3_client_config(is_aws=is_aws),
            aws_access_key_id="a",
            aws_secret_access_key="b",
        )
        with closing(client):
            storage = self.opened(s3, client, bucket)
            storage.replace(HEAD, b"2", storage.create(HEAD, b"1"))
            storage.get(HEAD)
            list(storage.list("state/"))
            storage.delete(HEAD)

        sent = [name for headers in s3.headers for name in headers if "checksum" in name]
        assert bool(sent) is is_aws

    def test_reading_tests_nothing(self, s3: FaultyS3, bucket: str) -> None:
        with closing(s3_client(s3.url)) as client:
            assert self.opened(s3, client, bucket).get(KEY) is None

        assert len(s3.seen) == 1
