"""Publishing to a bucket: crashes between any two requests, and several publishers at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from typing import Any

import pytest
from msgspec.structs import replace

from checkup.deadline import Deadline
from checkup.errors import NewerPageError, PublishError, UnfinishedPageError
from checkup.interfaces import PageFile, PageVersion
from checkup.times import HOUR, MINUTE
from checkup_page.publishers import s3
from checkup_page.publishers.manifest import Manifest, PublishPlan
from checkup_page.publishers.s3 import LEASE_SECONDS, S3Publisher
from tests.page.pages import edition, file, page
from tests.servers.s3_faults import DENIED, ERROR_AFTER, SLOW_DOWN, Fault, FaultyS3, faulty_s3
from tests.storage.places import s3_client

THROUGH = Fault(forward=True, headers={"X-Nothing": "happened"})


class Killed(BaseException):
    """The process is no more."""


class Mortal:
    """A client whose process is killed before one of its requests.

    Attributes:
        calls: how many requests it has made.
    """

    def __init__(self, url: str, fatal: int) -> None:
        self.client = s3_client(url)
        self.calls = 0
        self._fatal = fatal
        self._lock = threading.Lock()
        self.client.meta.events.register("before-send.s3", self._before)

    def _before(self, **_: Any) -> None:
        with self._lock:
            self.calls += 1
            if self.calls >= self._fatal:
                raise Killed


def objects(client: Any, bucket: str) -> dict[str, bytes]:
    listed = client.list_objects_v2(Bucket=bucket).get("Contents", [])
    names = [item["Key"] for item in listed if item["Key"] != "manifest.json"]
    return {name: client.get_object(Bucket=bucket, Key=name)["Body"].read() for name in names}


def bodies(files: Mapping[str, PageFile]) -> dict[str, bytes]:
    return {path: it.body for path, it in files.items()}


def with_links(text: str, **others: str | None) -> dict[str, PageFile]:
    """A page whose index leads to what it consists of."""
    files = page(index=text, **others)
    listed = " ".join(sorted(files))
    return {**files, "index.html": file(f"{text}: {listed}")}


@pytest.mark.row("131")
@pytest.mark.parametrize("again", ["the-same-page", "a-page-as-before"])
def test_a_crash_before_any_request_heals_at_the_next_run(
    s3_url: str, client: Any, monkeypatch: pytest.MonkeyPatch, again: str
) -> None:
    monkeypatch.setattr(s3, "LEASE_SECONDS", 0)
    before = with_links("before")
    crashed = {**with_links("crashed", api=None, lost="gone"), "new.html": file("new")}
    newest = crashed if again == "the-same-page" else before
    for fatal in range(1, 50):
        bucket = f"crash-{again}-{fatal}"
        client.create_bucket(Bucket=bucket)
        S3Publisher(client, bucket).publish(before, edition())
        mortal = Mortal(s3_url, fatal)
        with closing(mortal.client):
            try:
                S3Publisher(mortal.client, bucket).publish(crashed, edition())
            except Killed:
                is_dead = True
            else:
                is_dead = False
        left = objects(client, bucket)
        assert left["index.html"] in {before["index.html"].body, crashed["index.html"].body}
        if left["index.html"] == crashed["index.html"].body:
            assert left == bodies(crashed)
        S3Publisher(client, bucket).publish(newest, edition())
        assert objects(client, bucket) == bodies(newest)
        if not is_dead:
            assert fatal > 7, "the requests were not seen"
            return
    pytest.fail("it makes more requests than expected")


@pytest.mark.row("130")
def test_of_many_publishers_at_once_the_newest_wins(s3_url: str, bucket: str) -> None:
    """Eight of them, each with a client of its own, the newest neither first nor last."""
    editions = [edition() for _ in range(8)]
    order = [3, 7, 0, 5, 1, 6, 2, 4]
    start = threading.Barrier(len(order))

    def work(number: int) -> str:
        with closing(s3_client(s3_url)) as client:
            files = with_links(f"edition {number}", status=f"{number}", api=f"{number % 2}")
            publisher = S3Publisher(client, bucket)
            start.wait()
            try:
                publisher.publish(files, editions[number])
            except NewerPageError:
                return "overtaken"
            return "published"

    with ThreadPoolExecutor(len(order)) as pool:
        outcomes = dict(zip(order, pool.map(work, order), strict=True))

    with closing(s3_client(s3_url)) as client:
        newest = with_links("edition 7", status="7", api="1")
        assert objects(client, bucket) == bodies(newest)
    assert outcomes[7] == "published"
    assert set(outcomes.values()) <= {"published", "overtaken"}


@contextmanager
def paused(url: str, fatal: int) -> Iterator[tuple[Any, threading.Event, threading.Event]]:
    """A client that stands still before one of its requests, and the events around that."""
    reached, go_on = threading.Event(), threading.Event()
    calls = 0

    def before(**_: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == fatal:
            reached.set()
            go_on.wait(60)

    with closing(s3_client(url)) as client:
        client.meta.events.register("before-send.s3", before)
        yield client, reached, go_on


@pytest.mark.row("130")
@pytest.mark.parametrize("fatal", [3, 4, 7])
def test_a_publisher_that_stood_still_says_that_it_was_overtaken(
    s3_url: str, client: Any, bucket: str, monkeypatch: pytest.MonkeyPatch, fatal: int
) -> None:
    """Before its manifest, before its first file, and before its index."""
    monkeypatch.setattr(s3, "LEASE_SECONDS", 0)
    S3Publisher(client, bucket).publish(with_links("before"), edition())
    older, newer = edition(), edition()
    changed = with_links("older", status="[]", api="older", lost="older")
    with paused(s3_url, fatal) as (slow, reached, go_on), ThreadPoolExecutor(1) as pool:
        ending = pool.submit(S3Publisher(slow, bucket).publish, changed, older)
        assert reached.wait(60)
        S3Publisher(client, bucket).publish(with_links("newer"), newer)
        go_on.set()
        with pytest.raises(NewerPageError):
            ending.result()
    assert objects(client, bucket)["index.html"] == with_links("newer")["index.html"].body


@pytest.mark.row("130")
def test_a_newer_page_waits_for_a_publisher_at_work(s3_url: str, client: Any, bucket: str) -> None:
    older, newer = edition(), edition()
    with paused(s3_url, 4) as (slow, reached, go_on), ThreadPoolExecutor(2) as pool:
        first = pool.submit(S3Publisher(slow, bucket).publish, with_links("older"), older)
        assert reached.wait(60)
        second = pool.submit(S3Publisher(client, bucket).publish, with_links("newer"), newer)
        with pytest.raises(TimeoutError):
            second.result(0.5)
        go_on.set()
        first.result(60)
        assert "index.html" in second.result(60)
    assert objects(client, bucket) == bodies(with_links("newer"))


@pytest.mark.row("130")
def test_an_older_page_does_not_wait_for_a_newer_one(s3_url: str, client: Any, bucket: str) -> None:
    older, newer = edition(), edition()
    with paused(s3_url, 4) as (slow, reached, go_on), ThreadPoolExecutor(1) as pool:
        first = pool.submit(S3Publisher(slow, bucket).publish, with_links("newer"), newer)
        assert reached.wait(60)
        with pytest.raises(NewerPageError):
            S3Publisher(client, bucket).publish(with_links("older"), older)
        go_on.set()
        first.result(60)


def test_who_waits_in_vain_says_so(
    s3_url: str, client: Any, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "_WAIT_SECONDS", 0.1)
    mortal = Mortal(s3_url, 4)
    with closing(mortal.client), pytest.raises(Killed):
        S3Publisher(mortal.client, bucket).publish(page(), edition())
    with pytest.raises(PublishError, match=f"s3://{bucket}/: another publisher is still running"):
        S3Publisher(client, bucket).publish(page(), edition())


def test_when_time_is_up_the_next_publisher_continues_at_once(
    faulty: FaultyS3, client: Any, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even the publisher of another process waits for the lease or writes a file again."""
    monkeypatch.setattr(s3, "_CONCURRENCY", 1)
    files = {**page(), **{f"components/{number}.html": file(f"{number}") for number in range(40)}}
    version = edition()
    with closing(s3_client(faulty.url)) as through:
        with pytest.raises(UnfinishedPageError, match=r"time is up and \d+ files are left"):
            S3Publisher(through, bucket).publish(files, version, Deadline.after(0.1))
        put = [seen for seen in faulty.seen if seen.startswith("PUT ")]
        assert 2 < len(put) < 30
        assert "index.html" not in objects(client, bucket)
        began = time.monotonic()
        S3Publisher(through, bucket).publish(files, edition())
        assert time.monotonic() - began < LEASE_SECONDS / 2
    assert objects(client, bucket) == bodies(files)
    put = [seen for seen in faulty.seen if seen.startswith("PUT ") and "manifest" not in seen]
    assert sorted(put) == sorted({*put})


@pytest.mark.row("131")
@pytest.mark.parametrize("files_each", [3, 7])
def test_a_large_page_that_is_killed_again_and_again_becomes_complete(
    faulty: FaultyS3, client: Any, bucket: str, monkeypatch: pytest.MonkeyPatch, files_each: int
) -> None:
    """Each time, at most the files of one part are written once more."""
    monkeypatch.setattr(s3, "LEASE_SECONDS", 0)
    monkeypatch.setattr(s3, "_PART_FILES", files_each)
    many = {f"components/{number:02}.html": file(f"{number}") for number in range(30)}
    files = {**page(), **many}
    kills = 0
    for _ in range(20):
        mortal = Mortal(faulty.url, 3 * files_each)
        with closing(mortal.client):
            try:
                S3Publisher(mortal.client, bucket).publish(files, edition())
            except Killed:
                kills += 1
                assert "index.html" not in objects(client, bucket)
            else:
                break
    assert kills >= 2
    assert objects(client, bucket) == bodies(files)
    put = [seen for seen in faulty.seen if seen.startswith("PUT ") and "manifest" not in seen]
    assert len(put) <= len(files) + kills * files_each


def test_a_large_page_is_written_in_parts_each_file_once(
    faulty: FaultyS3, client: Any, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "_PART_FILES", 10)
    files = {**page(), **{f"components/{number}.html": file(f"{number}") for number in range(35)}}
    with closing(s3_client(faulty.url)) as through:
        publisher = S3Publisher(through, bucket)
        written = publisher.publish(files, edition())
        assert (sorted(written), written[-1]) == (sorted(files), "index.html")
        put = [seen for seen in faulty.seen if seen.startswith("PUT ")]
        assert sum("manifest" in seen for seen in put) == 4
        assert len(put) == len(files) + 4
        faulty.seen.clear()
        assert publisher.publish(files, edition()) == []
        assert faulty.seen == []
    assert objects(client, bucket) == bodies(files)


def hourly(hour: int, urgent: str = "") -> dict[str, PageFile]:
    """A page of 30 components whose pages change each hour, and one that may be urgent."""
    pages = {
        f"components/{number:02}.html": file(f"{number} at {hour}", min_interval=3600)
        for number in range(30)
    }
    news = file(f"down {urgent}", min_interval=3600, urgent_content=urgent)
    return {**page(index=f"{hour}{urgent}"), **pages, "components/99.html": news}


def test_what_is_urgent_is_seen_before_all_that_can_wait(
    faulty: FaultyS3, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "_PART_FILES", 10)
    first = edition()
    later = PageVersion(position=1, made=first.made + HOUR)
    with closing(s3_client(faulty.url)) as through:
        publisher = S3Publisher(through, bucket)
        publisher.publish(hourly(0), first)
        faulty.seen.clear()
        publisher.publish(hourly(1, "news"), later)
    put = [seen.rpartition("/")[2] for seen in faulty.seen if seen.startswith("PUT ")]
    index = put.index("index.html")
    assert "99.html" in put[:index]
    assert index <= 11
    assert len([name for name in put if name not in {"index.html", "manifest.json"}]) == 31


@pytest.mark.row("130")
def test_an_outage_is_published_while_a_large_version_is_being_written(
    s3_url: str, client: Any, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "_PART_FILES", 10)
    first = edition()
    S3Publisher(client, bucket).publish(hourly(0), first)
    older = PageVersion(position=1, made=first.made + HOUR)
    newer = PageVersion(position=2, made=first.made + HOUR + MINUTE)
    with paused(s3_url, 17) as (slow, reached, go_on), ThreadPoolExecutor(2) as pool:
        writing = pool.submit(S3Publisher(slow, bucket).publish, hourly(1), older)
        assert reached.wait(60)  # in its second part
        outage = pool.submit(S3Publisher(client, bucket).publish, hourly(1, "news"), newer)
        go_on.set()
        assert "components/99.html" in outage.result(60)
        with suppress(NewerPageError):
            writing.result(60)
    there = objects(client, bucket)
    assert there["index.html"] == b"1news"
    S3Publisher(client, bucket).publish(hourly(1, "news"), replace(newer, made=newer.made + MINUTE))
    assert objects(client, bucket) == bodies(hourly(1, "news"))


def test_a_version_that_0_1_0_left_unfinished_is_written_again(
    client: Any, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its manifest says from the start that everything is there."""
    monkeypatch.setattr(s3, "LEASE_SECONDS", 0)
    plan = PublishPlan.of(page(), edition(), Manifest(), throttled=True)
    client.put_object(Bucket=bucket, Key="manifest.json", Body=plan.manifest.encode())
    S3Publisher(client, bucket).publish(page(), edition())
    assert objects(client, bucket) == bodies(page())


def test_s3_that_asks_to_slow_down_gets_the_whole_page_all_the_same(
    faulty: FaultyS3, client: Any, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "_SLOW_DOWN_SECONDS", 0.1)
    files = {**page(), **{f"components/{number}.html": file(f"{number}") for number in range(20)}}
    with closing(s3_client(faulty.url)) as through:
        publisher = S3Publisher(through, bucket)
        publisher.publish(page(), edition())
        faulty.faults = [THROUGH, *[SLOW_DOWN] * 40]
        publisher.publish(files, edition())
    assert faulty.faults == []
    assert objects(client, bucket) == bodies(files)


def test_s3_that_refuses_everything_is_an_error(faulty: FaultyS3, bucket: str) -> None:
    with closing(s3_client(faulty.url)) as through:
        publisher = S3Publisher(through, bucket)
        publisher.publish(page(), edition())
        faulty.faults = [THROUGH, *[DENIED] * 20]
        with pytest.raises(PublishError, match="access denied"):
            publisher.publish(page(status="[]", api="two"), edition())


@pytest.fixture
def faulty(s3_url: str) -> Iterator[FaultyS3]:
    with faulty_s3(s3_url) as proxy:
        yield proxy


def test_a_lost_answer_to_the_manifest_or_the_index_is_no_other_publisher(
    faulty: FaultyS3, client: Any, bucket: str
) -> None:
    with closing(s3_client(faulty.url)) as through:
        publisher = S3Publisher(through, bucket)
        publisher.publish(page(), edition())
        faulty.faults = [ERROR_AFTER]
        publisher.publish(page(index="two"), edition())
        faulty.faults = [THROUGH, ERROR_AFTER]
        publisher.publish(page(index="three"), edition())
    assert objects(client, bucket)["index.html"] == b"three"


def test_a_publisher_that_may_not_delete_leaves_the_page_for_what_is_not_there(
    faulty: FaultyS3, client: Any, bucket: str
) -> None:
    S3Publisher(client, bucket).publish(page(), edition())
    with closing(s3_client(faulty.url)) as through:
        publisher = S3Publisher(through, bucket)
        faulty.faults = [THROUGH, THROUGH, THROUGH, DENIED]
        publisher.publish(page(api=None), edition())
    assert faulty.seen[3] == f"DELETE /{bucket}/components/api.html"
    assert objects(client, bucket)["components/api.html"] == b"lost"


def test_what_is_uneventful_takes_no_request_and_what_is_due_no_look(
    faulty: FaultyS3, bucket: str
) -> None:
    with closing(s3_client(faulty.url)) as through:
        publisher = S3Publisher(through, bucket)
        publisher.publish(page(), edition())
        faulty.seen.clear()
        publisher.publish(page(), edition())
        assert faulty.seen == []
        publisher.publish(page(status="[]"), edition())
    assert faulty.seen == [
        f"PUT /{bucket}/manifest.json",
        f"PUT /{bucket}/api/v2/status.json",
        f"PUT /{bucket}/index.html",
    ]


def test_files_are_put_in_any_order_but_the_index_comes_last(faulty: FaultyS3, bucket: str) -> None:
    many = {f"components/{number}.html": file(f"{number}") for number in range(40)}
    with closing(s3_client(faulty.url)) as through:
        S3Publisher(through, bucket).publish({**page(), **many}, edition())
    puts = [seen for seen in faulty.seen if seen.startswith("PUT ")]
    assert puts[0] == f"PUT /{bucket}/manifest.json"
    assert puts[-1] == f"PUT /{bucket}/index.html"
    assert len(puts) == len(many) + 5
