"""Documents of the history in a storage: read with care, replaced by compare-and-set."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final, TypeVar

from msgspec import Struct

from checkup.errors import DocumentChangedError, DocumentExistsError, StorageError
from checkup.history.documents import NewerHistoryError, UnreadableHistoryError, decode, encode
from checkup.interfaces import Storage, StoredDocument

_log = logging.getLogger(__name__)


# Where documents that nobody can read are kept.


def quarantine(storage: Storage, body: bytes) -> None:
    """Keep bytes that nobody can read, before something else takes their place."""
    try:
        storage.create(f"quarantine/{storage.now_ns():019d}.json", body)
    except DocumentExistsError:
        return  # somebody else has seen it in the same nanosecond


TRIES: Final = 8
"""Attempts to replace a document; one of several competing writers always succeeds."""

Document = TypeVar("Document", bound=Struct)


def load(storage: Storage, key: str, kind: type[Document]) -> Document | None:
    """Return a document; None if there is none that can be read.

    Raises:
        StorageError: the storage failed, or a newer version of the program wrote it.
    """
    stored = storage.get(key)
    return None if stored is None else decoded(key, stored, kind)


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


# Writes by compare-and-set that do not give up at once.


MAX_TRIES: Final = 50
"""Attempts to write; one of several competing writers always succeeds."""

FAILURES: Final = 3
"""Attempts in which the storage may fail before that is reported."""

Written = TypeVar("Written")


def compare_and_set(write: Callable[[], Written], what: str) -> Written:
    """Return what a write returns, which reads first and may be tried several times.

    Args:
        write: harmless where an earlier try was done and only its answer was lost.
        what: what is written, such as ``the silence``.

    Raises:
        StorageError: it could not be written down.
    """
    failures = 0
    for _ in range(MAX_TRIES):
        try:
            return write()
        except (DocumentChangedError, DocumentExistsError):
            _log.info("%s: somebody else was faster", what)
        except StorageError as error:
            failures += 1
            if failures == FAILURES:
                raise
            _log.info("writing %s again: %s", what, error)
    raise StorageError(f"{what}: others were faster {MAX_TRIES} times; try again")
