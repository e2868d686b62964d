"""What is read from and written to the two tables.

Both are shelves: they take a document by its key, under a version that is chosen before it is
written, so that a lost answer can be asked for again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Final, Protocol
from uuid import uuid4

from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from checkup.errors import DocumentChangedError, DocumentExistsError, StorageError
from checkup.interfaces import LockState, ProvisionStep, StoredDocument
from checkup.model import RUNS_PREFIX, key_time
from checkup.storage.layout import is_run_file, valid_key, valid_lock_name, valid_prefix
from checkup.storage.sql import database
from checkup.storage.sql.database import CHECKS, DOCUMENTS, Database, DatabaseBackend, as_bytes

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

    def new_version(self, body: bytes) -> str:
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

    def insert(self, connection: Connection, key: str, body: bytes, version: str) -> None:
        moment = key_time(key) or 0
        if moment > _LARGEST:
            raise StorageError(f"{key} cannot be stored: no moment is that late")
        row = {"name": _name(key), "timestamp": moment, "results": _text(key, body)}
        connection.execute(CHECKS.insert().values(row))

    def update(self, connection: Connection, key: str, body: bytes, old: str, new: str) -> bool:
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


# The storage port over the tables of a database.


class SqlStorage:
    """Documents as rows; safe for threads, processes and machines.

    Every write is one short transaction that the database decides: a second INSERT of a key
    is refused, and an UPDATE names the version that it replaces. A version is chosen before it is
    written, so after a lost connection a look tells whether the write had been done.
    """

    def __init__(self, backend: DatabaseBackend, *, create: bool = False) -> None:
        self._backend = backend
        self._database = Database(backend)
        self._create = create
        self._ready = False

    def get(self, key: str) -> StoredDocument | None:
        """Return the document, or None if there is none."""
        shelf = table_for(valid_key(key))
        with self._told(f"read {key}"):
            return self._database.read(lambda connection: shelf.select(connection, key))

    def create(self, key: str, body: bytes) -> str:
        """Write a new document; see :meth:`checkup.interfaces.Storage.create`."""
        shelf = table_for(valid_key(key))
        version = shelf.new_version(body)

        def insert(connection: Connection) -> bool:
            shelf.insert(connection, key, body, version)
            return True

        with self._told(f"write {key}"):
            try:
                self._write(shelf, key, version, insert)
            except IntegrityError:
                self._explain_refusal(shelf, key)
        return version

    def replace(self, key: str, body: bytes, version: str) -> str:
        """Replace what was read; see :meth:`checkup.interfaces.Storage.replace`."""
        shelf = table_for(valid_key(key))
        new = shelf.new_version(body)

        def update(connection: Connection) -> bool:
            return shelf.update(connection, key, body, version, new)

        with self._told(f"write {key}"):
            if not self._write(shelf, key, new, update):
                raise DocumentChangedError(f"{key} is not the version that was read")
        return new

    def list(self, prefix: str, after: str = "") -> Iterator[str]:
        """Yield the keys in order, page by page; no transaction lasts from one to the next."""
        shelf, last = table_for(valid_prefix(prefix)), ""
        while True:
            turn = partial(shelf.page, prefix=prefix, after=after, last=last)
            with self._told(f"list {prefix}"):
                keys, last = self._database.read(turn)
            yield from keys
            if not last:
                return

    def delete(self, key: str) -> None:
        """Remove the document; it is no error if there is none."""
        shelf = table_for(valid_key(key))
        with self._told(f"delete {key}"):
            self._database.write(lambda connection, _: shelf.delete(connection, key))

    def now_ns(self) -> int:
        """Return the database's own time."""
        with self._database.translate_errors("read the time"):
            return self._database.now()

    @contextmanager
    def lock(self, name: str) -> Iterator[LockState]:
        """Take a lock that the database, or the kernel beside SQLite, takes back from the dead."""
        valid_lock_name(name)
        with ExitStack() as stack:
            with self._database.translate_errors(f"lock {name}"):
                hold = stack.enter_context(self._database.hold(name))
            yield hold

    def provision(self) -> None:
        """Make the tables, or bring them up to date.

        Raises:
            StorageError: the database refused, or a newer program has been here.
        """
        with self._database.translate_errors("make the tables"):
            self._database.migrate(database.upgrade_schema)

    def provision_steps(self, check_expiry: int) -> Sequence[ProvisionStep]:
        """Return what :meth:`checkup.interfaces.Provisionable.missing` says: a file, and tables."""
        file = self._backend.missing()
        if file is not None:
            return [file, ProvisionStep("make the tables in it", self.provision)]
        with self._database.translate_errors("look at the tables"):
            needed = self._database.read(database.pending_migration)
        return (
            [ProvisionStep(f"{needed} in {self._backend.name}", self.provision)] if needed else []
        )

    def _write(
        self, shelf: DocumentTable, key: str, new: str, change: Callable[[Connection], bool]
    ) -> bool:
        """Return what ``change`` returns, or True if it was done before the connection was lost."""

        def work(connection: Connection, lost: bool) -> bool:
            if lost:
                current = shelf.select(connection, key)
                if current is not None and current.version == new:
                    return True
            return change(connection)

        return self._database.write(work)

    def _explain_refusal(self, shelf: DocumentTable, key: str) -> None:
        """Raise what it means that the database would not have a second row.

        Raises:
            DocumentExistsError: the key is there.
            StorageError: it is not, so another run has its moment.
        """
        if self._database.read(lambda connection: shelf.select(connection, key)) is None:
            raise StorageError(f"cannot write {key}: another row of checks has its timestamp")
        raise DocumentExistsError(f"{key} is there already")

    @contextmanager
    def _told(self, action: str) -> Iterator[None]:
        """Tell of failures in our words, and of tables that are not ready before the first use."""
        with self._database.translate_errors(action):
            if not self._ready:
                self._make_ready()
                self._ready = True
            yield

    def _make_ready(self) -> None:
        if self._create and self._database.read(database.schema_version) < database.VERSION:
            self._database.migrate(database.upgrade_schema)
        self._database.read(database.check_schema)
