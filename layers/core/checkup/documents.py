"""Stored JSON documents: encode, decode, load, save, and change them by compare-and-set.

A document is replaced only if it is still the version that was read. One that a newer version of
the program wrote is never overwritten; bytes that cannot be decoded are kept below
``quarantine/`` before something else takes their place.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final, Generic, Literal, NamedTuple, TypeVar

import msgspec
from msgspec import Struct

from checkup.deadline import Deadline
from checkup.errors import (
    ConflictError,
    DocumentExistsError,
    NewerDocumentError,
    StorageError,
    UnreadableDocumentError,
)
from checkup.interfaces import Storage, StoredDocument

_log = logging.getLogger(__name__)

D = TypeVar("D")
T = TypeVar("T")

MAX_CONFLICTS: Final = 50
"""Attempts in which another writer may be faster; one of several competing ones succeeds."""

MAX_FAILURES: Final = 3
"""Attempts in which the storage may fail otherwise."""


class Loaded(NamedTuple, Generic[D]):
    """A document, and the stored bytes and version that it was decoded from; None without any."""

    document: D
    stored: StoredDocument | None


class _Schema(Struct):
    schema: int


def encode(document: object, *, order: Literal["sorted", "deterministic"]) -> bytes:
    """Return the canonical JSON of a document, or of a part of one.

    Args:
        document: equal ones always have the same bytes.
        order: of the fields: by name, or as they are declared. Mappings are sorted by key.
    """
    return msgspec.json.encode(document, order=order)


def decode(body: bytes, kind: type[D], *, schema: int = 1, max_bytes: int | None = None) -> D:
    """Decode a document, which has its ``schema`` version in itself.

    Raises:
        NewerDocumentError: its schema is above ``schema``.
        UnreadableDocumentError: anything else that is wrong with it.
    """
    if max_bytes is not None and len(body) > max_bytes:
        raise UnreadableDocumentError(f"invalid document: {len(body)} bytes are too many")
    try:
        found = msgspec.json.decode(body, type=_Schema).schema
        if found == schema:
            return msgspec.json.decode(body, type=kind)
    except (ValueError, RecursionError) as error:
        raise UnreadableDocumentError(f"invalid document: {error}") from None
    if found > schema:
        raise NewerDocumentError(
            f"a newer version of Checkup wrote it (schema {found}); update this one"
        )
    raise UnreadableDocumentError(f"invalid document: unknown schema {found}")


def decode_stored(key: str, stored: StoredDocument, kind: type[D]) -> D | None:
    """Decode a document that was read; None, and a warning, if it is unreadable.

    Raises:
        NewerDocumentError: a newer version of the program wrote it.
    """
    try:
        return decode(stored.body, kind)
    except NewerDocumentError as error:
        raise NewerDocumentError(f"{key}: {error}") from error
    except UnreadableDocumentError as error:
        _log.warning("%s: %s", key, error)
        return None


def load(storage: Storage, key: str, kind: type[D]) -> Loaded[D | None]:
    """Read a document; None if there is none, or an unreadable one.

    Raises:
        StorageError: the storage failed, or a newer version of the program wrote it.
    """
    stored = storage.get(key)
    return Loaded(None if stored is None else decode_stored(key, stored, kind), stored)


def save(storage: Storage, key: str, before: StoredDocument | None, body: bytes) -> StoredDocument:
    """Put a document in the place of the one that was read, unless the bytes are the same.

    Raises:
        ConflictError: another writer was faster.
        StorageError: it may or may not have been written.
    """
    if before is None:
        return StoredDocument(body, storage.create(key, body))
    if before.body == body:
        return before
    return StoredDocument(body, storage.replace(key, body, before.version))


def update(storage: Storage, key: str, kind: type[D], change: Callable[[D], D]) -> Loaded[D]:
    """Change a document by compare-and-set; without a readable one, change an empty one.

    It is encoded in the order of its fields.

    Raises:
        StorageError: the storage failed, or a newer version of the program wrote it.
    """

    def attempt() -> Loaded[D]:
        found, stored = load(storage, key, kind)
        if found is None and stored is not None:
            quarantine(storage, stored.body)
        document = change(kind() if found is None else found)
        return Loaded(document, save(storage, key, stored, encode(document, order="deterministic")))

    return compare_and_set(attempt, key)


def quarantine(storage: Storage, body: bytes) -> None:
    """Keep unreadable bytes below ``quarantine/``, before something else takes their place."""
    try:
        storage.create(f"quarantine/{storage.now_ns():019d}.json", body)
    except DocumentExistsError:
        return  # another process has kept it in the same nanosecond


def compare_and_set(attempt: Callable[[], T], what: str, *, deadline: Deadline | None = None) -> T:
    """Repeat an attempt to write until it succeeds.

    Args:
        attempt: reads, changes and writes. It is harmless where an earlier attempt was written
            and only the answer was lost.
        what: what is written, such as ``the silence``.
        deadline: no attempt begins after it, except the first.

    Raises:
        StorageError: another writer was faster 50 times, or the storage failed 3 times.
    """
    conflicts = failures = 0
    while True:
        try:
            return attempt()
        except ConflictError as error:
            conflicts += 1
            if conflicts == MAX_CONFLICTS or (deadline and deadline.remaining() <= 0):
                raise StorageError(
                    f"{what}: other writers were faster {conflicts} times; try again"
                ) from error
            _log.info("%s: another writer was faster", what)
        except NewerDocumentError:
            raise
        except StorageError as error:
            failures += 1
            if failures == MAX_FAILURES or (deadline and deadline.remaining() <= 0):
                raise
            _log.info("retrying %s: %s", what, error)
