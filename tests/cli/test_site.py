"""What `serve` answers with, without the network."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from checkup.cli import server as site_module
from checkup.cli.server import SiteRoutes, TimedCache
from checkup.errors import StorageError
from checkup.interfaces import PageFile
from checkup.storage.memory import MemoryStorage

HTML = PageFile(body=b"<p>fine", content_type="text/html", max_age=60)


def test_crowd_renders_the_page_once() -> None:
    builds: list[int] = []

    def build() -> dict[str, PageFile]:
        builds.append(1)
        return {"index.html": HTML}

    site = SiteRoutes(build, MemoryStorage())
    with ThreadPoolExecutor(8) as crowd:
        replies = list(crowd.map(site.respond, [""] * 40))

    assert {reply.file.body for reply in replies} == {b"<p>fine"}
    assert len(builds) == 1


def test_value_is_made_again_when_it_is_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site_module, "CACHE_SECONDS", -1.0)
    values = iter([1, 2])

    fresh = TimedCache(lambda: next(values))

    assert (fresh.get(), fresh.get()) == (1, 2)


def test_value_that_could_not_be_made_is_tried_again() -> None:
    outcomes: Iterator[StorageError | str] = iter([StorageError("busy"), "page"])

    def make() -> str:
        outcome = next(outcomes)
        if isinstance(outcome, StorageError):
            raise outcome
        return outcome

    fresh = TimedCache(make)

    with pytest.raises(StorageError):
        fresh.get()
    assert fresh.get() == "page"


def test_page_without_an_error_page_answers_as_go_did() -> None:
    reply = SiteRoutes(dict, MemoryStorage()).respond("nothing")

    assert reply.status == 404
    assert reply.file.body == b'{"Error": {"Message": "file not found: nothing"}}\n'


def test_run_file_that_is_no_run_is_not_looked_for() -> None:
    storage = MemoryStorage()
    storage.create("state/0000000000000000001-check.json", b"[]")

    assert SiteRoutes(dict, storage).respond("state/0000000000000000001-check.json").status == 404
