from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, Thread
from typing import Any

import boto3
import msgspec
import pytest
from botocore.config import Config
from moto.server import ThreadedMotoServer

from checkup.checkers.heartbeat import (
    KEY_PREFIX,
    Heartbeat,
    HeartbeatChecker,
    file_times_ns,
    store_heartbeat,
)
from checkup.errors import StorageError, UnavailableError
from checkup.interfaces import CheckerContext, Storage, StoredDocument
from checkup.model import Result, Status
from checkup.storage.folder import FolderStorage
from checkup.storage.memory import MemoryStorage
from checkup.times import SECOND
from tests.checkers.results import result_of

MINUTE = 60 * SECOND
KEY = KEY_PREFIX + "backup"


def backup(storage: Storage | None = None, **settings: Any) -> HeartbeatChecker:
    checker = HeartbeatChecker(id="backup", endpoint_name="Backup", **settings)
    placed = checker.with_context(CheckerContext(storage=lambda: storage, s3=no_client))
    assert isinstance(placed, HeartbeatChecker)
    return placed


def no_client() -> None:
    raise UnavailableError("s3: needs the extra for AWS")


def check(storage: Storage, **settings: Any) -> Result:
    return result_of(backup(storage, period=10 * MINUTE, grace=5 * MINUTE, **settings))


def reported(minutes_ago: float, *, failed: bool = False) -> MemoryStorage:
    storage = MemoryStorage()
    at = time.time_ns() - int(minutes_ago * MINUTE)
    storage.create(KEY, msgspec.json.encode(Heartbeat(at, failed)))
    return storage


@pytest.mark.parametrize(
    ("minutes_ago", "status"),
    [
        pytest.param(0, Status.HEALTHY, id="just-now"),
        pytest.param(9, Status.HEALTHY, id="within-the-period"),
        pytest.param(14.5, Status.HEALTHY, id="within-the-grace"),
        pytest.param(15.5, Status.DOWN, id="late"),
        pytest.param(-3, Status.HEALTHY, id="by-a-clock-that-is-fast"),
    ],
)
def test_job_has_to_report_within_its_period_and_grace(minutes_ago: float, status: Status) -> None:
    result = check(reported(minutes_ago))

    assert result.status is status
    if status is Status.DOWN:
        assert result.failure == "heartbeat_late"
        assert result.error.startswith("no heartbeat for 15m3")
        assert result.error.endswith("s, expected every 10m")


def test_report_of_a_failure_is_down() -> None:
    result = check(reported(0, failed=True))

    assert (result.status, result.failure) == (Status.DOWN, "heartbeat_failed")
    assert result.error == "the job reported a failure"


def test_job_that_never_reported_is_unknown() -> None:
    result = check(MemoryStorage())

    assert (result.status, result.failure) == (Status.UNKNOWN, "heartbeat_none")


def test_what_is_waited_for_is_its_address() -> None:
    assert check(reported(0)).endpoint == "every 10m0s"
    assert backup(path="/var/backup.tar").endpoint == "/var/backup.tar"


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"at":"now"}', b"\xff"])
def test_damaged_report_is_unknown(body: bytes) -> None:
    storage = MemoryStorage()
    storage.create(KEY, body)

    result = check(storage)

    assert (result.status, result.failure) == (Status.UNKNOWN, "storage")


class BrokenStorage(MemoryStorage):
    def get(self, key: str) -> StoredDocument | None:
        raise StorageError(f"{key} cannot be read")


def test_storage_that_fails_is_unknown() -> None:
    result = check(BrokenStorage())

    assert (result.status, result.failure) == (Status.UNKNOWN, "storage")


def test_without_a_storage_it_is_unknown() -> None:
    checkers = [backup(), HeartbeatChecker(id="backup")]

    results = [result_of(checker) for checker in checkers]

    assert [result.status for result in results] == [Status.UNKNOWN] * 2
    assert [result.failure for result in results] == ["config"] * 2


@pytest.mark.parametrize("settings", [{"period": 0}, {"period": -1}, {"grace": -1}])
def test_impossible_period_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"must be (more than|at least) 0"):
        backup(**settings)


def test_reports_replace_each_other(tmp_path: Path) -> None:
    storage = FolderStorage(tmp_path)

    store_heartbeat(storage, "backup")
    first = storage.get(KEY)
    store_heartbeat(storage, "backup", failed=True)
    second = storage.get(KEY)

    assert first
    assert second
    assert check(storage).failure == "heartbeat_failed"
    assert list(storage.list(KEY_PREFIX)) == [KEY]
    assert first.body != second.body


def test_many_may_report_at_once(tmp_path: Path) -> None:
    storage = FolderStorage(tmp_path)

    with ThreadPoolExecutor(4) as threads:
        done = list(threads.map(lambda _: store_heartbeat(storage, "backup"), range(4)))

    assert done == [None] * 4
    assert check(storage).healthy


@pytest.mark.parametrize(
    ("minutes_ago", "status"), [(1, Status.HEALTHY), (14, Status.HEALTHY), (16, Status.DOWN)]
)
def test_file_has_to_be_recent(tmp_path: Path, minutes_ago: int, status: Status) -> None:
    write(tmp_path / "backup.tar", minutes_ago)

    result = check(MemoryStorage(), path=str(tmp_path / "backup.tar"))

    assert result.status is status
    assert result.endpoint == str(tmp_path / "backup.tar")


def write(path: Path, minutes_ago: int) -> None:
    path.touch()
    written = time.time_ns() - minutes_ago * MINUTE
    os.utime(path, ns=(written, written))


def test_newest_of_several_files_counts(tmp_path: Path) -> None:
    write(tmp_path / "backup-1.tar", 99)
    write(tmp_path / "backup-2.tar", 1)
    write(tmp_path / "other", 0)

    young, old = (
        check(MemoryStorage(), path=str(tmp_path / pattern))
        for pattern in ("backup-*.tar", "backup-1*")
    )

    assert (young.status, old.status) == (Status.HEALTHY, Status.DOWN)


@pytest.mark.parametrize(
    "pattern", ["export [2026].csv", "export [2026]*", "e* [2026].csv", "*2026*.csv", "export ?20*"]
)
def test_brackets_may_belong_to_a_name(tmp_path: Path, pattern: str) -> None:
    write(tmp_path / "export [2026].csv", 1)

    assert check(MemoryStorage(), path=f"{tmp_path}/{pattern}").healthy


def test_links_that_lead_nowhere_do_not_hide_a_file(tmp_path: Path) -> None:
    write(tmp_path / "today.tar", 1)
    (tmp_path / "latest.tar").symlink_to(tmp_path / "pruned.tar")
    (tmp_path / "a.tar").symlink_to(tmp_path / "b.tar")
    (tmp_path / "b.tar").symlink_to(tmp_path / "a.tar")

    found = check(MemoryStorage(), path=f"{tmp_path}/*.tar")
    dangling = check(MemoryStorage(), path=f"{tmp_path}/l*.tar")

    assert found.healthy
    assert dangling.failure == "heartbeat_missing"


def test_files_may_vanish_while_they_are_checked(tmp_path: Path) -> None:
    write(tmp_path / "keep.csv", 1)
    is_over = Event()

    def rotate() -> None:
        while not is_over.is_set():
            (tmp_path / "new.csv").touch()
            (tmp_path / "new.csv").unlink()

    thread = Thread(target=rotate)
    thread.start()
    try:
        for _ in range(2000):
            assert file_times_ns(f"{tmp_path}/*.csv")
    finally:
        is_over.set()
        thread.join()


@pytest.mark.parametrize(
    ("minutes_ago", "status", "failure"),
    [
        pytest.param([-10], Status.HEALTHY, "", id="clock-that-is-ahead"),
        pytest.param([-60], Status.UNKNOWN, "heartbeat_future", id="future"),
        pytest.param([-60, 99], Status.UNKNOWN, "heartbeat_future", id="future-and-late"),
        pytest.param([-60, 1], Status.HEALTHY, "", id="future-and-in-time"),
    ],
)
def test_file_from_the_future_says_nothing(
    tmp_path: Path, minutes_ago: list[int], status: Status, failure: str
) -> None:
    for number, minutes in enumerate(minutes_ago):
        write(tmp_path / f"{number}.csv", minutes)

    result = check(MemoryStorage(), path=f"{tmp_path}/*.csv")

    assert (result.status, result.failure) == (status, failure)


def test_report_from_the_future_is_unknown() -> None:
    result = check(reported(-365 * 24 * 60))

    assert (result.status, result.failure) == (Status.UNKNOWN, "heartbeat_future")
    assert result.error.endswith(", in the future")
    assert check(reported(-365 * 24 * 60, failed=True)).status is Status.UNKNOWN


@pytest.mark.parametrize("name", ["missing", "missing-*", "file/inside", "a\0b"])
def test_file_that_is_not_there_is_down(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()

    result = check(MemoryStorage(), path=f"{tmp_path}/{name}")

    assert (result.status, result.failure) == (Status.DOWN, "heartbeat_missing")
    assert result.error == "the file that the job writes does not exist"


def test_file_that_cannot_be_read_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")

    result = check(MemoryStorage(), path=str(tmp_path / "loop"))

    assert (result.status, result.failure) == (Status.UNKNOWN, "config")


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    client = boto3.client(
        "s3",
        endpoint_url=f"http://{host}:{port}",
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    client.create_bucket(Bucket="backups")
    client.put_object(Bucket="backups", Key="shop/2026-01-01.tar", Body=b"")
    client.put_object(Bucket="backups", Key="[x]/a.tar", Body=b"")
    client.put_object(Bucket="backups", Key="empty/", Body=b"")
    yield client
    client.close()
    server.stop()


@pytest.mark.parametrize(
    ("place", "age", "status", "failure"),
    [
        ("backups/shop/2026-01-01.tar", MINUTE, Status.HEALTHY, ""),
        ("backups/shop/*", MINUTE, Status.HEALTHY, ""),
        ("backups/shop/2026*", MINUTE, Status.HEALTHY, ""),
        ("backups/shop/*-01.tar", MINUTE, Status.HEALTHY, ""),
        ("backups/shop/2026-*-01.*", MINUTE, Status.HEALTHY, ""),
        ("backups/s*", MINUTE, Status.HEALTHY, ""),
        ("backups/shop/*.zip", MINUTE, Status.DOWN, "heartbeat_missing"),
        ("backups/s*.tar", MINUTE, Status.DOWN, "heartbeat_missing"),
        ("backups/empty/*", MINUTE, Status.DOWN, "heartbeat_missing"),
        ("backups/[x]/a.tar", MINUTE, Status.HEALTHY, ""),
        ("backups/[x]/*.tar", MINUTE, Status.HEALTHY, ""),
        ("backups/shop/2026-01-01.tar", 1, Status.DOWN, "heartbeat_late"),
        ("backups/shop/missing.tar", MINUTE, Status.DOWN, "heartbeat_missing"),
        ("backups/other/*", MINUTE, Status.DOWN, "heartbeat_missing"),
        ("nobodys/shop/*", MINUTE, Status.UNKNOWN, "storage"),
        ("/", MINUTE, Status.UNKNOWN, "config"),
    ],
)
def test_object_has_to_be_recent(
    s3: Any, place: str, age: int, status: Status, failure: str
) -> None:
    if status is Status.DOWN and age == 1:
        time.sleep(2.1)  # S3 counts whole seconds
    checker = HeartbeatChecker(id="backup", path=f"s3://{place}", period=age, grace=0)

    result = result_of(checker.with_context(CheckerContext(storage=MemoryStorage, s3=lambda: s3)))

    assert (result.status, result.failure) == (status, failure)


def test_without_the_extra_an_object_is_unknown() -> None:
    result = check(MemoryStorage(), path="s3://backups/shop.tar")

    assert (result.status, result.failure) == (Status.UNKNOWN, "config")
    assert result.error == "s3: needs the extra for AWS"


def test_store_that_is_not_there_makes_it_unknown() -> None:
    client = boto3.client(
        "s3",
        endpoint_url="http://127.0.0.1:1",
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=Config(retries={"total_max_attempts": 1}),
    )
    checker = HeartbeatChecker(id="backup", path="s3://backups/shop.tar")

    result = result_of(
        checker.with_context(CheckerContext(storage=MemoryStorage, s3=lambda: client))
    )

    assert (result.status, result.failure) == (Status.UNKNOWN, "storage")
