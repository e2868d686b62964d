"""The status page and the stored runs, rendered from any storage when they are asked for.

Besides the page there are the Go program's two routes for data: ``/index.json``, a map of run
files to their times, and the run files themselves.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final, Generic, TypeVar

from checkup import runfile
from checkup.cli.serving.reply import PageResponse
from checkup.ports import PageFile, Storage

CACHE_SECONDS: Final = 3.0
"""How long an answer is given again as it was, so that a crowd renders the page once."""

_JSON: Final = "application/json"

Value = TypeVar("Value")

Build = Callable[[], Mapping[str, PageFile]]


class TimedCache(Generic[Value]):
    """A value that is made when it is asked for, and again when it is some seconds old.

    Whoever asks while it is being made waits for it.
    """

    def __init__(self, make: Callable[[], Value]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._made: tuple[Value, float] | None = None

    def get(self) -> Value:
        """Return the value."""
        with self._lock:
            if self._made is None or time.monotonic() - self._made[1] > CACHE_SECONDS:
                self._made = (self._make(), time.monotonic())
            return self._made[0]


class SiteRoutes:
    """Everything that can be asked for.

    Args:
        build: renders the whole page.
        storage: where the runs are.
    """

    def __init__(self, build: Build, storage: Storage) -> None:
        self._page = TimedCache(build)
        self._index = TimedCache(self._make_index)
        self._storage = storage

    def reply(self, path: str) -> PageResponse:
        """Answer a request for a path, which has neither a leading slash nor a query.

        A path is a name in a table and never one in a file system.

        Raises:
            StorageError: the storage cannot be read.
        """
        index = "index.html" if not path or path.endswith("/") else ""
        file = self._data(path) or self._page.get().get(path + index)
        if file is not None:
            return PageResponse(status=200, file=file)
        return PageResponse(status=404, file=self._page.get().get("404.html") or _not_found(path))

    def _data(self, path: str) -> PageFile | None:
        if path == "index.json":
            return self._index.get()
        if runfile.key_time(path) is None or "/" in path:
            return None
        stored = self._storage.get(runfile.RUNS_PREFIX + path)
        return _json(stored.body) if stored else None

    def _make_index(self) -> PageFile:
        slots = {
            key.removeprefix(runfile.RUNS_PREFIX): slot
            for key in self._storage.list(runfile.RUNS_PREFIX)
            if (slot := runfile.key_time(key)) is not None
        }
        return _json(json.dumps(slots, separators=(",", ":")).encode() + b"\n")


def _json(body: bytes) -> PageFile:
    return PageFile(body=body, content_type=_JSON, max_age=0)


def _not_found(path: str) -> PageFile:
    error = {"Error": {"Message": f"file not found: {path}"}}
    return _json(json.dumps(error).encode() + b"\n")
