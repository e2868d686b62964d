"""In-memory storage, for tests and for runs that are not stored."""

from __future__ import annotations

import hashlib
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from checkup.errors import DocumentChangedError, DocumentExistsError
from checkup.interfaces import LockState, StoredDocument
from checkup.storage.layout import valid_key, valid_lock_name, valid_prefix


class MemoryStorage:
    """Documents in a dictionary; thread-safe."""

    def __init__(self) -> None:
        self._documents: dict[str, bytes] = {}
        self._lock = Lock()
        self._named_locks: defaultdict[str, Lock] = defaultdict(Lock)

    def get(self, key: str) -> StoredDocument | None:
        """Return the document, or None if there is none."""
        body = self._documents.get(valid_key(key))
        return None if body is None else StoredDocument(body, _version(body))

    def create(self, key: str, body: bytes) -> str:
        """Write a new document; see :meth:`checkup.interfaces.Storage.create`."""
        with self._lock:
            if valid_key(key) in self._documents:
                raise DocumentExistsError(f"{key} already exists")
            self._documents[key] = body
        return _version(body)

    def replace(self, key: str, body: bytes, version: str) -> str:
        """Replace what was read; see :meth:`checkup.interfaces.Storage.replace`."""
        with self._lock:
            current = self.get(key)
            if current is None or current.version != version:
                raise DocumentChangedError(f"{key} has changed since it was read")
            self._documents[key] = body
        return _version(body)

    def list(self, prefix: str, after: str = "") -> Iterator[str]:
        """Yield the keys in order, from a snapshot taken at the first one."""
        valid_prefix(prefix)
        with self._lock:
            keys = sorted(self._documents)
        yield from (key for key in keys if key.startswith(prefix) and key > after)

    def delete(self, key: str) -> None:
        """Delete the document, if it exists."""
        with self._lock:
            self._documents.pop(valid_key(key), None)

    def now_ns(self) -> int:
        """Return the time of this machine."""
        return time.time_ns()

    @contextmanager
    def lock(self, name: str) -> Iterator[LockState]:
        """Try to take a lock among the threads of this process."""
        with self._lock:
            lock = self._named_locks[valid_lock_name(name)]
        acquired = lock.acquire(blocking=False)
        try:
            yield LockState.ACQUIRED if acquired else LockState.HELD_ELSEWHERE
        finally:
            if acquired:
                lock.release()


def _version(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
