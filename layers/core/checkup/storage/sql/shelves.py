"""What is read from and written to the two tables.

Both are shelves: they take a document by its key, under a version that is chosen before it is
written, so that a lost answer can be asked for again.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final, Protocol
from uuid import uuid4

from sqlalchemy import Connection, select

from checkup.errors import StorageError
from checkup.ports import StoredDocument
from checkup.runfile import RUNS_PREFIX, key_time
from checkup.storage.keys import is_run_file
from checkup.storage.sql.tables import CHECKS, DOCUMENTS, as_bytes

_PAGE = 500
_LARGEST = 2**63 - 1


class DocumentTable(Protocol):
    """What one table does for the storage. Keys are whole; the shelf knows what it keeps."""

    def new_version(self, body: bytes) -> str:
        """Return the version under which ``body`` is going to be written."""
        ...

    def select(self, connection: Connection, key: str) -> StoredDocument | None:
        """Return the document, or None if there is none."""
        ...

    def insert(self, connection: Connection, key: str, body: bytes, version: str) -> None:
        """Write a new document; the database refuses a second one."""
        ...

    def update(self, connection: Connection, key: str, body: bytes, old: str, new: str) -> bool:
        """Replace the version ``old`` and return True, or False if it is not there."""
        ...

    def delete(self, connection: Connection, key: str) -> None:
        """Remove the document if it is there."""
        ...

    def page(
        self, connection: Connection, prefix: str, after: str, last: str
    ) -> tuple[list[str], str]:
        """Return some of the keys that begin with ``prefix`` and sort after ``after``.

        Args:
            last: where the page before ended; empty for the first page.

        Returns:
            The keys in order, and where the page ended; empty if it was the last.
        """
        ...


def table_for(key: str) -> DocumentTable:
    """Return the shelf that keeps the key, or all keys with this prefix."""
    return _RUNS if key.startswith(RUNS_PREFIX) else _REST


class _Documents:
    """The table ``documents``; a version is a word that is never used again."""

    def new_version(self, body: bytes) -> str:  # noqa: ARG002 - a version is no digest here
        return uuid4().hex

    def select(self, connection: Connection, key: str) -> StoredDocument | None:
        columns = DOCUMENTS.c
        query = select(columns.body, columns.version).where(columns.key == key)
        row = connection.execute(query).first()
        return None if row is None else StoredDocument(as_bytes(row.body), row.version)

    def insert(self, connection: Connection, key: str, body: bytes, version: str) -> None:
        connection.execute(DOCUMENTS.insert().values(key=key, body=body, version=version))

    def update(self, connection: Connection, key: str, body: bytes, old: str, new: str) -> bool:
        found = (DOCUMENTS.c.key == key) & (DOCUMENTS.c.version == old)
        change = DOCUMENTS.update().where(found).values(body=body, version=new)
        return connection.execute(change).rowcount == 1

    def delete(self, connection: Connection, key: str) -> None:
        connection.execute(DOCUMENTS.delete().where(DOCUMENTS.c.key == key))

    def page(
        self, connection: Connection, prefix: str, after: str, last: str
    ) -> tuple[list[str], str]:
        key = DOCUMENTS.c.key
        # No key has a character above the tilde.
        span = (key >= prefix) & (key < prefix + "\x7f") & (key > max(after, last))
        keys = list(connection.scalars(select(key).where(span).order_by(key).limit(_PAGE)))
        return keys, keys[-1] if len(keys) == _PAGE else ""


class _Runs:
    """The table ``checks``, which has no column for a version: it is the body's digest."""

    def new_version(self, body: bytes) -> str:
        return hashlib.sha256(body).hexdigest()

    def select(self, connection: Connection, key: str) -> StoredDocument | None:
        return self._read(connection, key, lock=False)

    def insert(self, connection: Connection, key: str, body: bytes, version: str) -> None:  # noqa: ARG002
        moment = key_time(key) or 0
        if moment > _LARGEST:
            raise StorageError(f"{key} cannot be stored: no moment is that late")
        row = {"name": _name(key), "timestamp": moment, "results": _text(key, body)}
        connection.execute(CHECKS.insert().values(row))

    def update(self, connection: Connection, key: str, body: bytes, old: str, new: str) -> bool:  # noqa: ARG002
        current = self._read(connection, key, lock=True)
        if current is None or current.version != old:
            return False
        change = CHECKS.update().where(CHECKS.c.name == _name(key))
        connection.execute(change.values(results=_text(key, body)))
        return True

    def delete(self, connection: Connection, key: str) -> None:
        connection.execute(CHECKS.delete().where(CHECKS.c.name == _name(key)))

    def page(
        self, connection: Connection, prefix: str, after: str, last: str
    ) -> tuple[list[str], str]:
        # Between two names of 19 digits every collation agrees with the order of their bytes,
        # so the column's index serves; what the bounds let through besides is left out here.
        name = CHECKS.c.name
        begin = name > last if last else name >= max(_low(prefix), _low(after))
        query = select(name).where(begin, name <= _high(prefix)).order_by(name).limit(_PAGE)
        rows = list(connection.scalars(query))
        keys = (RUNS_PREFIX + row for row in rows if is_run_file(row))
        found = [key for key in keys if key.startswith(prefix) and key > after]
        return found, rows[-1] if len(rows) == _PAGE else ""

    def _read(self, connection: Connection, key: str, *, lock: bool) -> StoredDocument | None:
        query = select(CHECKS.c.results).where(CHECKS.c.name == _name(key))
        row = connection.execute(query.with_for_update() if lock else query).first()
        if row is None:
            return None
        body = as_bytes(row.results)
        return StoredDocument(body, self.new_version(body))


_REST: Final[DocumentTable] = _Documents()
_RUNS: Final[DocumentTable] = _Runs()


def _name(key: str) -> str:
    return key.removeprefix(RUNS_PREFIX)


def _low(beginning: str) -> str:
    """Return what no check file is below whose key begins so, or sorts after that."""
    return _digits(beginning).ljust(19, "0")


def _high(prefix: str) -> str:
    """Return the last name that a check file can have whose key begins with ``prefix``."""
    return _digits(prefix).ljust(19, "9") + "-check.json"


def _digits(beginning: str) -> str:
    if not beginning.startswith(RUNS_PREFIX):
        return ""
    found = re.match("[0-9]{0,19}", _name(beginning))
    return found[0] if found else ""


def _text(key: str, body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise StorageError(f"{key} cannot be stored: it is not text") from None
