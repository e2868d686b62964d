"""The sign of life after each complete run."""

from __future__ import annotations

import json
import logging
import time
from pathlib import Path
from typing import Any

import pytest

from checkup import app, pipeline
from checkup.checkers.tcp import TcpChecker
from checkup.deadline import Deadline
from checkup.errors import StorageError
from checkup.run_store import RunNotStoredError
from checkup.storage.memory import MemoryStorage
from tests.servers.web import WebServer

TOKEN = "9a1e7f0c"


class Broken(MemoryStorage):
    """A storage that takes nothing."""

    def create(self, key: str, body: bytes) -> str:
        del key, body
        raise StorageError("the disk is full")


def look_once(
    tmp_path: Path,
    url: str,
    storage: MemoryStorage,
    environ: dict[str, str] | None = None,
    **more: Any,
) -> None:
    file = tmp_path / "checkup.json"
    file.write_text(json.dumps({"checkers": [], "heartbeat_url": url}))
    environ = environ or {}
    config = app.read_config(str(file), environ)
    monitor = app.run_context(config, environ, storage=storage)
    pipeline.run_and_store(monitor, time.time_ns(), Deadline.after(5), **more)


def asked(web: WebServer) -> list[str]:
    return [head.splitlines()[0].removesuffix(" HTTP/1.1") for head in web.requests]


def test_begin_and_end_of_a_run_are_told(tmp_path: Path) -> None:
    with WebServer() as web:
        look_once(tmp_path, web.url(f"/status/200/{TOKEN}"), MemoryStorage())
        assert sorted(asked(web)) == [
            f"GET /status/200/{TOKEN}",
            f"GET /status/200/{TOKEN}/start",
        ]


def test_run_that_is_not_stored_is_told_as_a_failure(tmp_path: Path) -> None:
    with WebServer() as web:
        with pytest.raises(RunNotStoredError):
            look_once(tmp_path, web.url("/status/200"), Broken())
        assert sorted(asked(web)) == ["GET /status/200/fail", "GET /status/200/start"]


def test_query_of_the_address_stays_where_it_is(tmp_path: Path) -> None:
    with WebServer() as web:
        look_once(tmp_path, web.url("/status/200?rid=7"), MemoryStorage())
        assert sorted(asked(web)) == ["GET /status/200/start?rid=7", "GET /status/200?rid=7"]


def test_address_can_be_a_reference(tmp_path: Path) -> None:
    with WebServer() as web:
        secret = tmp_path / "address"
        secret.write_text(web.url("/status/200"))
        look_once(tmp_path, f"file:{secret}", MemoryStorage())
        assert len(web.requests) == 2


def test_run_of_some_checkers_is_not_complete(tmp_path: Path) -> None:
    checker = TcpChecker(id="a", endpoint_url="127.0.0.1:1", recheck=0)
    with WebServer() as web:
        look_once(tmp_path, web.url("/status/200"), MemoryStorage(), only=[checker])
        assert web.requests == []


@pytest.mark.parametrize("path", [f"/status/500/{TOKEN}", "/silent", f"/nowhere/{TOKEN}"])
def test_service_that_fails_harms_no_run_and_its_address_is_not_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    storage = MemoryStorage()
    with WebServer() as web, caplog.at_level(logging.DEBUG, "checkup"):
        began = time.monotonic()
        look_once(tmp_path, web.url(path), storage)
        assert time.monotonic() - began < 20  # it would wait for ever
    assert list(storage.list("runs/"))
    assert "heartbeat_url" in caplog.text
    assert TOKEN not in caplog.text


def test_reference_that_leads_nowhere_harms_no_run(tmp_path: Path) -> None:
    storage = MemoryStorage()
    look_once(tmp_path, "env:NOBODY_SET_THIS", storage)
    assert list(storage.list("runs/"))


def test_who_has_no_vote_gives_no_sign(tmp_path: Path) -> None:
    with WebServer() as web:
        look_once(tmp_path, web.url("/status/200"), MemoryStorage(), {"STATE_BUCKET": "state"})
        assert web.requests == []
