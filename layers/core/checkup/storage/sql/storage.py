"""The storage interface over two tables: ``checks`` for runs, ``documents`` for the rest.

The version of a document is chosen before it is written, so after a lost connection the storage
can check whether its write was committed.
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
    """Access to the documents of one table, by their full keys."""

    def new_version(self, body: bytes) -> str:
        """Return the version for a write of ``body``."""
        ...

    def select(self, connection: Connection, key: str) -> StoredDocument | None:
        """Return the document, or None if there is none."""
        ...

    def insert(self, connection: Connection, key: str, body: bytes, version: str) -> None:
        """Insert a new document; the database rejects a duplicate key."""
        ...

    def update(self, connection: Connection, key: str, body: bytes, old: str, new: str) -> bool:
        """Replace the version ``old``; return False if it is not the current one."""
        ...

    def delete(self, connection: Connection, key: str) -> None:
        """Delete the document, if it exists."""
        ...

    def page(
        self, connection: Connection, prefix: str, after: str, last: str
    ) -> tuple[list[str], str]:
        """Return one page of the keys that start with ``prefix`` and sort after ``after``.

        Args:
            last: end of the previous page; empty for the first page.

        Returns:
            The keys in order, and the end of the page; empty if it was the last.
        """
        ...


def table_for(key: str) -> DocumentTable:
    """Return the table for a key or a prefix."""
    return _RUNS if key.startswith(RUNS_PREFIX) else _REST


class _Documents:
    """The table ``documents``; a version is a random id."""

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
        # No key contains a character above the tilde.
        span = (key >= prefix) & (key < prefix + "\x7f") & (key > max(after, last))
        keys = list(connection.scalars(select(key).where(span).order_by(key).limit(_PAGE)))
        return keys, keys[-1] if len(keys) == _PAGE else ""


class _Runs:
    """The table ``checks``, which has no version column: the version is the body's digest."""

    def new_version(self, body: bytes) -> str:
        return hashlib.sha256(body).hexdigest()

    def select(self, connection: Connection, key: str) -> StoredDocument | None:
        return self._read(connection, key, lock=False)

    def insert(self, connection: Connection, key: str, body: bytes, version: str) -> None:
        time_ns = key_time(key) or 0
        if time_ns > _LARGEST:
            raise StorageError(f"{key} cannot be stored: the timestamp is too large")
        row = {"name": _name(key), "timestamp": time_ns, "results": _text(key, body)}
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
        # Every collation sorts names of 19 digits by their bytes, so the index of the column can
        # be used; other names within the bounds are filtered out here.
        name = CHECKS.c.name
        start = name > last if last else name >= max(_low(prefix), _low(after))
        query = select(name).where(start, name <= _high(prefix)).order_by(name).limit(_PAGE)
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


def _low(key_start: str) -> str:
    """Return the lower bound of check file names for a prefix or start key."""
    return _digits(key_start).ljust(19, "0")


def _high(prefix: str) -> str:
    """Return the upper bound of check file names for a prefix."""
    return _digits(prefix).ljust(19, "9") + "-check.json"


def _digits(key_start: str) -> str:
    if not key_start.startswith(RUNS_PREFIX):
        return ""
    found = re.match("[0-9]{0,19}", _name(key_start))
    return found[0] if found else ""


def _text(key: str, body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise StorageError(f"{key} cannot be stored: not valid UTF-8") from None


class SqlStorage:
    """Documents as rows; safe for threads, processes and machines.

    Every write is one short transaction, and the database resolves races: a second INSERT of a key
    fails, and an UPDATE names the version that it replaces.
    """

    def __init__(self, backend: DatabaseBackend, *, create: bool = False) -> None:
        self._backend = backend
        self._database = Database(backend)
        self._create = create
        self._ready = False

    def get(self, key: str) -> StoredDocument | None:
        """Return the document, or None if there is none."""
        table = table_for(valid_key(key))
        with self._ready_tables(f"read {key}"):
            return self._database.read(lambda connection: table.select(connection, key))

    def create(self, key: str, body: bytes) -> str:
        """Write a new document; see :meth:`checkup.interfaces.Storage.create`."""
        table = table_for(valid_key(key))
        version = table.new_version(body)

        def insert(connection: Connection) -> bool:
            table.insert(connection, key, body, version)
            return True

        with self._ready_tables(f"write {key}"):
            try:
                self._write(table, key, version, insert)
            except IntegrityError:
                self._raise_duplicate(table, key)
        return version

    def replace(self, key: str, body: bytes, version: str) -> str:
        """Replace what was read; see :meth:`checkup.interfaces.Storage.replace`."""
        table = table_for(valid_key(key))
        new = table.new_version(body)

        def update(connection: Connection) -> bool:
            return table.update(connection, key, body, version, new)

        with self._ready_tables(f"write {key}"):
            if not self._write(table, key, new, update):
                raise DocumentChangedError(f"{key} has changed since it was read")
        return new

    def list(self, prefix: str, after: str = "") -> Iterator[str]:
        """Yield the keys in order, page by page, each page in a separate transaction."""
        table, last = table_for(valid_prefix(prefix)), ""
        while True:
            read_page = partial(table.page, prefix=prefix, after=after, last=last)
            with self._ready_tables(f"list {prefix}"):
                keys, last = self._database.read(read_page)
            yield from keys
            if not last:
                return

    def delete(self, key: str) -> None:
        """Delete the document, if it exists."""
        table = table_for(valid_key(key))
        with self._ready_tables(f"delete {key}"):
            self._database.write(lambda connection, _: table.delete(connection, key))

    def now_ns(self) -> int:
        """Return the database's time."""
        with self._database.translate_errors("read the time"):
            return self._database.now()

    @contextmanager
    def lock(self, name: str) -> Iterator[LockState]:
        """Try to take a lock, which is released when its owner exits."""
        valid_lock_name(name)
        with ExitStack() as stack:
            with self._database.translate_errors(f"lock {name}"):
                state = stack.enter_context(self._database.hold(name))
            yield state

    def provision(self) -> None:
        """Create or migrate the tables.

        Raises:
            StorageError: it failed, or the schema is newer than this program.
        """
        with self._database.translate_errors("create the tables"):
            self._database.migrate(database.upgrade_schema)

    def provision_steps(self, retention: int) -> Sequence[ProvisionStep]:
        """Return the steps that create the file (SQLite) and create or migrate the tables."""
        file = self._backend.missing()
        if file is not None:
            return [file, ProvisionStep("create the tables in it", self.provision)]
        with self._database.translate_errors("read the tables"):
            migration = self._database.read(database.pending_migration)
        return (
            [ProvisionStep(f"{migration} in {self._backend.name}", self.provision)]
            if migration
            else []
        )

    def _write(
        self, table: DocumentTable, key: str, new: str, change: Callable[[Connection], bool]
    ) -> bool:
        """Return the result of ``change``, or True if a lost connection had committed it."""

        def work(connection: Connection, lost: bool) -> bool:
            if lost:
                current = table.select(connection, key)
                if current is not None and current.version == new:
                    return True
            return change(connection)

        return self._database.write(work)

    def _raise_duplicate(self, table: DocumentTable, key: str) -> None:
        """Raise the error for a rejected INSERT.

        Raises:
            DocumentExistsError: the key exists.
            StorageError: another run has the same timestamp.
        """
        if self._database.read(lambda connection: table.select(connection, key)) is None:
            raise StorageError(f"cannot write {key}: another row of checks has the same timestamp")
        raise DocumentExistsError(f"{key} already exists")

    @contextmanager
    def _ready_tables(self, action: str) -> Iterator[None]:
        """Translate errors; before first use, check the tables or create them."""
        with self._database.translate_errors(action):
            if not self._ready:
                self._prepare_tables()
                self._ready = True
            yield

    def _prepare_tables(self) -> None:
        if self._create and self._database.read(database.schema_version) < database.VERSION:
            self._database.migrate(database.upgrade_schema)
        self._database.read(database.check_schema)
