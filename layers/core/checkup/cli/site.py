"""The status page and the stored runs, rendered from any storage when they are asked for.

Besides the page there are the Go program's two routes for data: ``/index.json``, a map of run
files to their times, and the run files themselves.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from checkup import runfile
from checkup.ports import PageFile, Storage

FRESH_SECONDS: Final = 3.0
"""How long the page is shown as it was rendered last, so that a crowd renders it once."""

_JSON: Final = "application/json"

Build = Callable[[], Mapping[str, PageFile]]


class Reply(Struct, frozen=True, kw_only=True):
    """One answer: a file and what the protocol needs to know of it."""

    status: int
    file: PageFile

    @property
    def etag(self) -> str:
        """A mark that changes with the content."""
        return f'"{hashlib.sha256(self.file.body).hexdigest()[:20]}"'


class Site:
    """Everything that can be asked for.

    Args:
        build: renders the whole page.
        storage: where the runs are.
    """

    def __init__(self, build: Build, storage: Storage) -> None:
        self._build = build
        self._storage = storage
        self._lock = threading.Lock()
        self._files: Mapping[str, PageFile] = {}
        self._built_at = float("-inf")

    def reply(self, path: str) -> Reply:
        """Answer a request for a path, which has neither a leading slash nor a query.

        Raises:
            StorageError: the storage cannot be read.
        """
        file = self._data(path) or self.files().get(path or "index.html")
        if file is not None:
            return Reply(status=200, file=file)
        return Reply(status=404, file=self.files().get("404.html") or _not_found(path))

    def files(self) -> Mapping[str, PageFile]:
        """Return the rendered page; whoever comes while it is being rendered waits for it."""
        with self._lock:
            if time.monotonic() - self._built_at > FRESH_SECONDS:
                self._files = self._build()
                self._built_at = time.monotonic()
            return self._files

    def _data(self, path: str) -> PageFile | None:
        if path == "index.json":
            slots = {key.removeprefix(runfile.RUNS): runfile.slot_of(key) for key in self._runs()}
            return _json(json.dumps(slots, separators=(",", ":")).encode() + b"\n")
        if runfile.slot_of(path) is None or "/" in path:
            return None
        stored = self._storage.get(runfile.RUNS + path)
        return _json(stored.body) if stored else None

    def _runs(self) -> list[str]:
        return [key for key in self._storage.list(runfile.RUNS) if runfile.slot_of(key)]


def _json(body: bytes) -> PageFile:
    return PageFile(body=body, content_type=_JSON, max_age=0)


def _not_found(path: str) -> PageFile:
    error = {"Error": {"Message": f"file not found: {path}"}}
    return _json(json.dumps(error).encode() + b"\n")
