"""Documents of the history in a storage: read with care, replaced by compare-and-set."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

import msgspec
from msgspec import Struct

from checkup.errors import DocumentChangedError, DocumentExistsError, StorageError
from checkup.history.documents import NewerHistoryError, UnreadableHistoryError, decode, encode
from checkup.ports import Storage, StoredDocument
from checkup.storage.quarantine import quarantine

_log = logging.getLogger(__name__)

TRIES: Final = 8
"""Attempts to replace a document; one of several competing writers always succeeds."""

Document = TypeVar("Document", bound=Struct)
Part = TypeVar("Part", bound=Struct)


def load(storage: Storage, key: str, kind: type[Document]) -> Document | None:
    """Return a document; None if there is none that can be read.

    Raises:
        StorageError: the storage failed, or a newer version of the program wrote it.
    """
    stored = storage.get(key)
    return None if stored is None else decoded(key, stored, kind)


def decode_part(
    key: str, slices: Mapping[str, msgspec.Raw], name: str, kind: type[Part]
) -> Mapping[str, Part]:
    """Return one part of a document, by checker; nothing if there is none that can be read."""
    if name not in slices:
        return {}
    try:
        return msgspec.json.decode(slices[name], type=dict[str, kind])  # type: ignore[valid-type]
    except ValueError as error:
        _log.warning("%s: %s cannot be read: %s", key, name, error)
        return {}


def update(
    storage: Storage, key: str, kind: type[Document], change: Callable[[Document], Document]
) -> None:
    """Replace a document by what a function makes of it, unless that is the same.

    One that is not there yet is made of an empty one; so is one that cannot be read, whose
    bytes are kept below ``quarantine/``.

    Raises:
        StorageError: the storage failed, or a newer version of the program wrote it.
    """
    for _ in range(TRIES):
        stored = storage.get(key)
        old = None if stored is None else decoded(key, stored, kind)
        if stored is not None and old is None:
            quarantine(storage, stored.body)
        body = encode(change(kind() if old is None else old))
        try:
            save(storage, key, stored, body)
        except (DocumentChangedError, DocumentExistsError):
            _log.info("%s: somebody else was faster", key)
        else:
            return
    raise StorageError(f"{key}: others were faster {TRIES} times; the next run goes on")


def save(storage: Storage, key: str, before: StoredDocument | None, body: bytes) -> StoredDocument:
    """Put a document in the place of the one that was read, if it differs, and return it.

    Raises:
        DocumentChangedError, DocumentExistsError: somebody else was faster.
        StorageError: it may or may not have been written.
    """
    if before is None:
        return StoredDocument(body, storage.create(key, body))
    if before.body == body:
        return before
    return StoredDocument(body, storage.replace(key, body, before.version))


def decoded(key: str, stored: StoredDocument, kind: type[Document]) -> Document | None:
    """Return the document; None if it cannot be read.

    Raises:
        StorageError: a newer version of the program wrote it.
    """
    try:
        return decode(stored.body, kind)
    except NewerHistoryError as error:
        raise StorageError(f"{key}: {error}") from error
    except UnreadableHistoryError as error:
        _log.warning("%s: %s", key, error)
        return None
