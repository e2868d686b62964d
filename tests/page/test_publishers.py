"""The places where a page is put, each on the real thing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from msgspec.structs import replace

from checkup.errors import NewerPageError, PublishError
from checkup.interfaces import PageVersion, Publisher
from checkup.storage.memory import MemoryStorage
from checkup_page.publish import publish_once
from checkup_page.publishers.folder import FolderPublisher
from checkup_page.publishers.github import GitHubPublisherSettings
from checkup_page.publishers.s3 import S3Publisher
from tests.page.pages import edition, page
from tests.page.worlds import NOW, config
from tests.servers.github import NAME, OWNER, TOKEN, FakeGitHub, fake_github
from tests.storage.places import FakeClients


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with fake_github() as server:
        yield server


@pytest.fixture(params=["folder", "s3", "github"])
def place(
    request: pytest.FixtureRequest, tmp_path: Path
) -> tuple[Publisher, Callable[[str], bytes | None]]:
    """A publisher, and a function that reads what it has written."""
    if request.param == "folder":
        return FolderPublisher(tmp_path / "site"), lambda path: _file(tmp_path / "site" / path)
    if request.param == "github":
        server: FakeGitHub = request.getfixturevalue("github")
        return pages(server), lambda path: server.git.files("gh-pages").get(path)
    client, bucket = request.getfixturevalue("client"), request.getfixturevalue("bucket")
    return S3Publisher(client, bucket), lambda path: _object(client, bucket, path)


def pages(server: FakeGitHub, **more: str) -> Publisher:
    """A publisher to the server's repository, as it is configured."""
    about = {"repository_owner": OWNER, "repository_name": NAME, "access_token": TOKEN}
    settings = GitHubPublisherSettings(**{"api_url": server.url, **about, **more})
    return settings.open(FakeClients(secrets={TOKEN: TOKEN}))


def _file(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def _object(client: Any, bucket: str, path: str) -> bytes | None:
    try:
        body: bytes = client.get_object(Bucket=bucket, Key=path)["Body"].read()
    except ClientError:
        return None
    return body


def put_by_hand(request: pytest.FixtureRequest, path: str, body: bytes) -> None:
    """Put a file where the place of this test is, as somebody else would."""
    kind = request.node.callspec.params["place"]
    if kind == "folder":
        target = request.getfixturevalue("tmp_path") / "site" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(body)
    elif kind == "github":
        request.getfixturevalue("github").git.put("gh-pages", {path: body})
    else:
        client, bucket = request.getfixturevalue("client"), request.getfixturevalue("bucket")
        client.put_object(Bucket=bucket, Key=path, Body=body)


Place = tuple[Publisher, Callable[[str], bytes | None]]


def test_every_file_is_written(place: Place) -> None:
    publisher, read = place
    files = page()
    publisher.publish(files, edition())
    assert {path: read(path) for path in files} == {path: it.body for path, it in files.items()}


def test_the_index_is_written_last(place: Place) -> None:
    written = list(place[0].publish(page(), edition()))
    assert written == [
        *("404.html", "api/v2/status.json", "components/api.html"),
        "index.html",
    ]


def test_only_what_changed_is_written(place: Place) -> None:
    publisher, read = place
    publisher.publish(page(), edition())
    assert list(publisher.publish(page(), edition())) == []
    assert list(publisher.publish(page(index="two"), edition())) == ["index.html"]
    assert read("index.html") == b"two"


def test_a_page_of_what_was_removed_is_removed(place: Place) -> None:
    publisher, read = place
    publisher.publish(page(), edition())
    publisher.publish(page(api=None), edition())
    assert read("components/api.html") is None
    assert read("404.html") == b"lost"


def test_a_page_that_comes_back_is_there_again(place: Place) -> None:
    publisher, read = place
    for api in ("here", None, "again"):
        publisher.publish(page(api=api), edition())
    assert read("components/api.html") == b"again"


@pytest.mark.row("130", "I18")
def test_an_older_page_never_takes_the_place_of_a_newer_one(place: Place) -> None:
    publisher, read = place
    older, newer = edition(), edition()
    publisher.publish(page(index="newer"), newer)
    with pytest.raises(NewerPageError, match="a newer page is already published"):
        publisher.publish(page(index="older", status="older", api=None), older)
    assert read("index.html") == b"newer"
    assert read("api/v2/status.json") == b"{}"
    assert read("components/api.html") == b"API is well"


@pytest.mark.row("130")
def test_a_page_with_later_runs_is_newer_whatever_the_clocks_say(place: Place) -> None:
    publisher, read = place
    publisher.publish(page(index="run 2"), PageVersion(position=2, made=NOW))
    with pytest.raises(NewerPageError):
        publisher.publish(page(index="run 1"), PageVersion(position=1, made=NOW + 1))
    assert read("index.html") == b"run 2"


def test_a_manifest_that_was_damaged_costs_nothing_but_a_whole_page(
    place: Place, request: pytest.FixtureRequest
) -> None:
    publisher, read = place
    publisher.publish(page(), edition())
    put_by_hand(request, "manifest.json", b"\x00")
    put_by_hand(request, "404.html", b"damaged")
    anew(publisher, request).publish(page(index="two"), edition())
    assert read("index.html") == b"two"
    assert read("404.html") == b"lost"


@pytest.mark.parametrize(
    "manifest",
    [b"", b'{"name": "Cats", "icons": []}', b"<html>", b'{"schema": 1, "files": {"../x": {}}}'],
    ids=["none", "of-an-app", "no-json", "of-nothing-here"],
)
def test_the_site_of_somebody_else_stays_as_it_is(
    place: Place, request: pytest.FixtureRequest, manifest: bytes
) -> None:
    publisher, read = place
    put_by_hand(request, "index.html", b"My cat")
    if manifest:
        put_by_hand(request, "manifest.json", manifest)
    for _ in range(2):
        with pytest.raises(
            PublishError,
            match=r"/index\.html belongs to another site: remove it or publish elsewhere",
        ):
            publisher.publish(page(), edition())
    assert (read("index.html"), read("manifest.json") or b"") == (b"My cat", manifest)
    assert [read(path) for path in page() if path != "index.html"] == [None] * 3


@pytest.mark.parametrize("place", ["folder", "github"], indirect=True)
@pytest.mark.parametrize(
    "path", ["404.html", "api/v2/status.json", "manifest.json"], ids=["lost", "api", "of-an-app"]
)
def test_nor_is_a_site_overwritten_that_begins_with_another_file(
    place: Place, request: pytest.FixtureRequest, path: str
) -> None:
    publisher, read = place
    put_by_hand(request, "index.php", b"My cat")
    put_by_hand(request, path, b'{"name": "Cats"}')
    with pytest.raises(PublishError, match=f"/{path} belongs to another site: remove it or"):
        publisher.publish(page(), edition())
    assert read(path) == b'{"name": "Cats"}'
    assert read("index.html") is None


def anew(publisher: Publisher, request: pytest.FixtureRequest) -> Publisher:
    """Return a publisher to the same place that remembers nothing."""
    if isinstance(publisher, S3Publisher):
        return S3Publisher(request.getfixturevalue("client"), request.getfixturevalue("bucket"))
    return publisher


def test_the_page_itself_can_be_published(place: Place) -> None:
    publisher, read = place
    written = publish_once(config(), MemoryStorage(), publisher, NOW)
    assert written[-1] == "index.html"
    assert b"Collecting first results" in (read("index.html") or b"")


def test_files_of_others_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "CNAME").write_text("status.acme.example")
    for api in ("here", None):
        FolderPublisher(tmp_path).publish(page(api=api), edition())
    found = {it.relative_to(tmp_path).as_posix() for it in tmp_path.rglob("*") if it.is_file()}
    assert found == {"CNAME", "manifest.json", ".checkup/lock", *page(api=None)}


def test_a_file_can_be_read_by_the_web_server(tmp_path: Path) -> None:
    FolderPublisher(tmp_path).publish(page(), edition())
    (plain := tmp_path / "plain").touch()
    assert (tmp_path / "index.html").stat().st_mode == plain.stat().st_mode


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "site").write_text("a file")
    with pytest.raises(PublishError, match=r"cannot write .*site: a file exists where"):
        FolderPublisher(tmp_path / "site").publish(page(), edition())


@pytest.mark.row("131")
def test_a_page_that_is_half_written_has_its_old_index(tmp_path: Path) -> None:
    FolderPublisher(tmp_path).publish(page(), edition())
    status = tmp_path / "api/v2/status.json"
    status.unlink()
    (status / "in the way").mkdir(parents=True)
    changed = {path: replace(it, body=b"new") for path, it in page().items()}
    with pytest.raises(PublishError, match=r"cannot write .*status\.json: a folder exists"):
        FolderPublisher(tmp_path).publish(changed, edition())
    assert (tmp_path / "404.html").read_bytes() == b"new"
    assert (tmp_path / "index.html").read_bytes() == b"one"


@pytest.mark.row("136")
def test_objects_say_what_they_are_and_how_long_they_are_good(client: Any, bucket: str) -> None:
    S3Publisher(client, bucket).publish(page(), edition())
    head = client.head_object(Bucket=bucket, Key="index.html")
    assert head["ContentType"] == "text/html; charset=utf-8"
    assert head["CacheControl"] == (
        "public, max-age=30, stale-while-revalidate=30, stale-if-error=86400"
    )
    assert client.head_object(Bucket=bucket, Key="manifest.json")["CacheControl"] == "no-cache"


def test_a_page_can_share_a_bucket(client: Any, bucket: str) -> None:
    publisher = S3Publisher(client, bucket, "status/")
    for api in ("here", None):
        publisher.publish(page(api=api), edition())
    listed = client.list_objects_v2(Bucket=bucket)["Contents"]
    names = {*page(api=None), "manifest.json"}
    assert {item["Key"] for item in listed} == {f"status/{name}" for name in names}


def test_a_bucket_that_is_not_there_is_named(client: Any) -> None:
    with pytest.raises(PublishError, match=r"no-such-bucket-here/.*the bucket does not exist"):
        S3Publisher(client, "no-such-bucket-here").publish(page(), edition())


def test_an_s3_that_does_not_answer_is_an_error_of_ours() -> None:
    session: Any = boto3.session.Session(
        aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1"
    )
    settings = Config(retries={"total_max_attempts": 1}, connect_timeout=2)
    with (
        closing(session.client("s3", endpoint_url="http://127.0.0.1:1", config=settings)) as client,
        pytest.raises(PublishError, match="no response from S3"),
    ):
        S3Publisher(client, "bucket").publish(page(), edition())
