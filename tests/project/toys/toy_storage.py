"""A storage in one file: documents in a dictionary, for as long as the process lives."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from itertools import count
from time import time_ns
from typing import Annotated, ClassVar

from msgspec import Meta

from checkup.errors import DocumentChangedError, DocumentExistsError
from checkup.interfaces import Clients, LockState, Storage, StorageSettings, StoredDocument

SHELVES: dict[str, ToyStorage] = {}


class ToyStorageSettings(StorageSettings, frozen=True, kw_only=True):
    kind: ClassVar[str] = "toy"

    shelf: Annotated[str, Meta(description="Which dictionary to use.")] = ""

    def open(self, clients: Clients) -> Storage:
        return SHELVES.setdefault(self.shelf, ToyStorage())


class ToyStorage:
    def __init__(self) -> None:
        self._documents: dict[str, StoredDocument] = {}
        self._versions = count()

    def get(self, key: str) -> StoredDocument | None:
        return self._documents.get(key)

    def create(self, key: str, body: bytes) -> str:
        if key in self._documents:
            raise DocumentExistsError(key)
        return self._keep(key, body)

    def replace(self, key: str, body: bytes, version: str) -> str:
        stored = self._documents.get(key)
        if stored is None or stored.version != version:
            raise DocumentChangedError(key)
        return self._keep(key, body)

    def list(self, prefix: str, after: str = "") -> Iterator[str]:
        return iter(sorted(k for k in self._documents if k.startswith(prefix) and k > after))

    def delete(self, key: str) -> None:
        self._documents.pop(key, None)

    def now_ns(self) -> int:
        return time_ns()

    def lock(self, name: str) -> AbstractContextManager[LockState]:
        return nullcontext(LockState.UNSUPPORTED)

    def _keep(self, key: str, body: bytes) -> str:
        self._documents[key] = StoredDocument(body, str(next(self._versions)))
        return self._documents[key].version
