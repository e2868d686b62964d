"""Where documents that nobody can read are kept."""

from __future__ import annotations

from checkup.errors import DocumentExistsError
from checkup.ports import Storage


def quarantine(storage: Storage, body: bytes) -> None:
    """Keep bytes that nobody can read, before something else takes their place."""
    try:
        storage.create(f"quarantine/{storage.clock():019d}.json", body)
    except DocumentExistsError:
        return  # somebody else has seen it in the same nanosecond
