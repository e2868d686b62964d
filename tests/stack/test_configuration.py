"""What the functions go by: their file, an object in S3, or what is left when somebody broke it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from checkup.alerting.state import STATE_KEY, decode_state
from checkup.aws.check import CheckFunction
from checkup.aws.events import AdHocCheck, ScheduledRun
from checkup.errors import ConfigError
from checkup.times import SECOND
from tests.servers.s3_faults import FaultyS3, faulty_s3

NOON = 1_769_860_800 * SECOND
LIFE = 60_000
STACK = {
    "STATE_BUCKET": "state",
    "CONFIG_BUCKET": "settings",
    "CONFIG_KEY": "checkup.json",
    "AWS_REGION": "us-east-1",
    "AWS_LAMBDA_FUNCTION_NAME": "check",
    "ALLOW_ADDRESSES": "127.0.0.0/8",
}


def content(*names: str, **more: Any) -> bytes:
    checkers = [{"type": "tcp", "endpoint_name": n, "endpoint_url": "127.0.0.1:1"} for n in names]
    return json.dumps({"checkers": checkers, "recheck": 0, **more}).encode()


BROKEN = content("Shop").replace(b'"tcp"', b'"tpc"')
NO_JSON = b'{"checkers": ['


class Bucket:
    """The bucket with the configuration, and the one with the runs."""

    def __init__(self, s3: Any) -> None:
        self._s3 = s3

    def put(self, body: bytes) -> str:
        answer = self._s3.put_object(Bucket="settings", Key="checkup.json", Body=body)
        return str(answer["VersionId"])

    def delete(self) -> None:
        self._s3.delete_object(Bucket="settings", Key="checkup.json")

    @property
    def remembered(self) -> str:
        return decode_state(
            self._s3.get_object(Bucket="state", Key=STATE_KEY)["Body"].read()
        ).config_version


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@pytest.fixture
def asked(moto: str) -> Iterator[FaultyS3]:
    with faulty_s3(moto) as proxy:
        yield proxy


@pytest.fixture
def bucket(asked: FaultyS3, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_ENDPOINT_URL", asked.url)
    s3 = boto3.client("s3", region_name="us-east-1")
    for name in ("settings", "state"):
        s3.create_bucket(Bucket=name)
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        for kind in ("Versions", "DeleteMarkers"):
            for old in s3.list_object_versions(Bucket=name).get(kind, []):  # type: ignore[attr-defined]
                s3.delete_object(Bucket=name, Key=old["Key"], VersionId=old["VersionId"])
    return Bucket(s3)


def run(service: CheckFunction, minute: int = 0) -> Any:
    return service.handle(ScheduledRun(NOON + minute * 60 * SECOND), LIFE)


def titles(service: CheckFunction) -> list[str]:
    return [result["title"] for result in service.handle(AdHocCheck(()), LIFE)]


def test_object_counts_and_its_version_is_remembered(bucket: Bucket) -> None:
    first = bucket.put(content("Shop"))
    service = CheckFunction(STACK)
    assert run(service)["statuses"] == {"down": 1}
    assert bucket.remembered == first


def test_change_counts_from_the_next_run_on(bucket: Bucket) -> None:
    bucket.put(content("Shop"))
    service = CheckFunction(STACK)
    assert titles(service) == ["Shop"]
    second = bucket.put(content("Shop", "Blog"))
    assert titles(service) == ["Shop", "Blog"]
    run(service)
    assert bucket.remembered == second


def test_what_has_not_changed_is_not_read_again(bucket: Bucket, asked: FaultyS3) -> None:
    bucket.put(content("Shop"))
    service = CheckFunction(STACK)
    titles(service)
    before = len(asked.seen)
    titles(service)
    assert asked.seen[before:] == ["GET /settings/checkup.json"]
    assert "if-none-match" in asked.headers[-1]


@pytest.mark.row("153")
@pytest.mark.parametrize("warm", [True, False])
@pytest.mark.parametrize("wrong", [BROKEN, NO_JSON, None])
def test_version_that_was_good_last_stands_in(
    bucket: Bucket, caplog: pytest.LogCaptureFixture, wrong: bytes | None, *, warm: bool
) -> None:
    good = bucket.put(content("Shop"))
    service = CheckFunction(STACK)
    run(service)
    if wrong is None:
        bucket.delete()
    else:
        bucket.put(wrong)
    service = service if warm else CheckFunction(STACK)

    with caplog.at_level(logging.ERROR, "checkup"):
        summary = run(service, 1)

    assert summary["statuses"] == {"down": 1}
    assert bucket.remembered == good
    complaints = [record for record in caplog.records if hasattr(record, "unreadable_config")]
    assert [record.unreadable_config for record in complaints] == [1]
    assert f"its version {good} is used" in str(complaints[0].__dict__["instead"])


def test_repaired_object_counts_again(bucket: Bucket) -> None:
    bucket.put(content("Shop"))
    service = CheckFunction(STACK)
    run(service)
    bucket.put(NO_JSON)
    run(service, 1)
    good = bucket.put(content("Shop", "Blog"))
    assert run(service, 2)["statuses"] == {"down": 2}
    assert bucket.remembered == good


@pytest.mark.row("153")
def test_without_an_earlier_version_the_good_checkers_run(bucket: Bucket) -> None:
    bad = {"type": "tpc", "endpoint_name": "Blog", "endpoint_url": "127.0.0.1:1"}
    good = json.loads(content("Shop"))["checkers"]
    bucket.put(json.dumps({"checkers": [bad, *good], "recheck": 0}).encode())
    service = CheckFunction(STACK)
    results = service.handle(AdHocCheck(()), LIFE)
    assert [(result["title"], result.get("down", False)) for result in results] == [
        ("Blog", False),
        ("Shop", True),
    ]
    assert results[0]["times"][0]["failure"] == "config"
    assert run(service)["statuses"] == {"down": 1, "unknown": 1}
    assert bucket.remembered == ""


@pytest.mark.row("13")
def test_without_anything_that_is_of_use_nothing_is_written(bucket: Bucket) -> None:
    bucket.put(NO_JSON)
    with pytest.raises(ConfigError, match=r"s3://settings/checkup\.json"):
        run(CheckFunction(STACK))


@pytest.mark.row("13")
def test_of_a_bundled_file_with_errors_the_good_checkers_run(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del bucket
    monkeypatch.chdir(tmp_path)
    (tmp_path / "checkup.json").write_bytes(content("Shop", page={"timeframe": "?"}))
    service = CheckFunction({**STACK, "CONFIG_BUCKET": ""})
    assert titles(service) == ["Shop"]


@pytest.mark.row("166")
def test_region_that_votes_asks_for_nothing_but_to_put_its_run(
    bucket: Bucket, asked: FaultyS3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del bucket
    monkeypatch.chdir(tmp_path)
    (tmp_path / "checkup.json").write_bytes(content("Shop", regions=["us-east-1", "eu-west-1"]))
    voting = {**STACK, "CONFIG_BUCKET": "", "HOME_REGION": "us-east-1", "AWS_REGION": "eu-west-1"}
    service = CheckFunction(voting)
    before = len(asked.seen)

    summary, again = run(service), run(service)

    assert summary == again
    assert (summary["run"], summary["statuses"]) == (f"{NOON + 1}-check.json", {"down": 1})
    assert (summary["slot"], summary["region"]) == ("2026-01-31T12:00:00Z", "eu-west-1")
    key = f"/state/runs/{NOON + 1}-check.json"
    assert asked.seen[before:] == [f"PUT {key}", f"PUT {key}"]


@pytest.mark.row("14")
def test_look_by_hand_is_kept_apart_if_wanted(bucket: Bucket, asked: FaultyS3) -> None:
    bucket.put(content("Shop"))
    service = CheckFunction(STACK)
    titles(service)
    before = len(asked.seen)
    service.handle(AdHocCheck((), record=True), LIFE)
    written = [line for line in asked.seen[before:] if line.startswith("PUT")]
    assert len(written) == 1
    assert written[0].startswith("PUT /state/by-hand/")


@pytest.mark.row("152")
def test_home_names_regions_that_look_at_something_else(
    bucket: Bucket, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "checkup")
    regions = {"regions": ["us-east-1", "eu-west-1"]}
    bucket.put(content("Shop", "Blog", **regions))
    home = CheckFunction(STACK)
    elsewhere = CheckFunction({**STACK, "AWS_REGION": "eu-west-1", "HOME_REGION": "us-east-1"})
    run(home)
    there = run(elsewhere, 1)
    bucket.put(content("Shop", "Blog", **regions).replace(b"127.0.0.1:1", b"127.0.0.1:2", 1))
    here = run(home, 1)
    assert here["excluded_regions"] == ["us-east-1"]  # of two the first by its name counts
    assert here["config"] != there["config"]
    assert "excluded_regions" not in there
    line = next(it for it in reversed(caplog.records) if it.message == "run recorded").__dict__
    facts = ("run", "slot", "region", "config", "version", "excluded_regions")
    assert {fact: line[fact] for fact in facts} == {fact: here[fact] for fact in facts}
    again = run(elsewhere, 2)
    assert again["config"] == here["config"]
    assert "excluded_regions" not in run(home, 2)
