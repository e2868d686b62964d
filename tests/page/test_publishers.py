"""The places where a page is put, each on the real thing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer
from msgspec.structs import replace

from checkup.errors import PublishError
from checkup.ports import PageFile, Publisher
from checkup.storage.memory import MemoryStorage
from checkup_page.publish import publish
from checkup_page.publishers.folder import FolderPublisher
from checkup_page.publishers.s3 import S3Publisher
from tests.page.worlds import NOW, config

PAGE = {
    "index.html": PageFile(body=b"one", content_type="text/html; charset=utf-8", max_age=30),
    "404.html": PageFile(body=b"lost", content_type="text/html; charset=utf-8", max_age=300),
    "api/v2/status.json": PageFile(body=b"{}", content_type="application/json", max_age=30),
}
CHANGED = {**PAGE, "index.html": PageFile(body=b"two", content_type="text/html", max_age=30)}


@pytest.fixture(scope="module")
def s3_url() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def client(s3_url: str) -> Iterator[Any]:
    session: Any = boto3.session.Session(
        aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1"
    )
    with closing(session.client("s3", endpoint_url=s3_url)) as client:
        yield client


@pytest.fixture
def bucket(client: Any) -> str:
    name = f"page-{uuid4().hex}"
    client.create_bucket(Bucket=name)
    return name


@pytest.fixture(params=["folder", "s3"])
def place(
    request: pytest.FixtureRequest, tmp_path: Path
) -> tuple[Publisher, Callable[[str], bytes | None]]:
    """A publisher, and a function that reads what it has written."""
    if request.param == "folder":
        return FolderPublisher(tmp_path / "site"), lambda path: _file(tmp_path / "site" / path)
    client, bucket = request.getfixturevalue("client"), request.getfixturevalue("bucket")
    return S3Publisher(client, bucket), lambda path: _object(client, bucket, path)


def _file(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def _object(client: Any, bucket: str, path: str) -> bytes | None:
    try:
        body: bytes = client.get_object(Bucket=bucket, Key=path)["Body"].read()
    except ClientError:
        return None
    return body


Place = tuple[Publisher, Callable[[str], bytes | None]]


def test_every_file_is_written(place: Place) -> None:
    publisher, read = place
    publisher.publish(PAGE)
    assert {path: read(path) for path in PAGE} == {path: file.body for path, file in PAGE.items()}


def test_the_index_is_written_last(place: Place) -> None:
    assert place[0].publish(PAGE) == ["404.html", "api/v2/status.json", "index.html"]


def test_only_what_changed_is_written(place: Place) -> None:
    publisher, read = place
    publisher.publish(PAGE)
    assert publisher.publish(PAGE) == []
    assert publisher.publish(CHANGED) == ["index.html"]
    assert read("index.html") == b"two"


def test_the_page_itself_can_be_published(place: Place) -> None:
    publisher, read = place
    written = publish(config(), MemoryStorage(), publisher, NOW)
    assert written[-1] == "index.html"
    assert b"Collecting first results" in (read("index.html") or b"")


def test_files_of_others_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "CNAME").write_text("status.acme.example")
    FolderPublisher(tmp_path).publish(PAGE)
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"CNAME", *PAGE}


def test_a_file_can_be_read_by_the_web_server(tmp_path: Path) -> None:
    FolderPublisher(tmp_path).publish(PAGE)
    (plain := tmp_path / "plain").touch()
    assert (tmp_path / "index.html").stat().st_mode == plain.stat().st_mode


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "site").write_text("a file")
    with pytest.raises(PublishError, match=r"site.*cannot be written"):
        FolderPublisher(tmp_path / "site").publish(PAGE)


def test_a_page_that_is_half_written_has_its_old_index_131(tmp_path: Path) -> None:
    FolderPublisher(tmp_path).publish(PAGE)
    status = tmp_path / "api/v2/status.json"
    status.unlink()
    (status / "in the way").mkdir(parents=True)
    changed = {path: replace(file, body=b"new") for path, file in PAGE.items()}
    with pytest.raises(PublishError, match=r"status\.json: cannot be written"):
        FolderPublisher(tmp_path).publish(changed)
    assert (tmp_path / "404.html").read_bytes() == b"new"
    assert (tmp_path / "index.html").read_bytes() == b"one"


def test_objects_say_what_they_are_and_how_long_they_are_good_136(client: Any, bucket: str) -> None:
    S3Publisher(client, bucket).publish(PAGE)
    head = client.head_object(Bucket=bucket, Key="index.html")
    assert head["ContentType"] == "text/html; charset=utf-8"
    assert head["CacheControl"] == "public, max-age=30, stale-if-error=86400"


def test_a_bucket_that_is_not_there_is_named(client: Any) -> None:
    with pytest.raises(PublishError, match=r"no-such-bucket-here/.*NoSuchBucket"):
        S3Publisher(client, "no-such-bucket-here").publish(PAGE)


def test_an_s3_that_does_not_answer_is_an_error_of_ours() -> None:
    session: Any = boto3.session.Session(
        aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1"
    )
    settings = Config(retries={"total_max_attempts": 1}, connect_timeout=2)
    with (
        closing(session.client("s3", endpoint_url="http://127.0.0.1:1", config=settings)) as client,
        pytest.raises(PublishError, match="no answer of S3"),
    ):
        S3Publisher(client, "bucket").publish(PAGE)
