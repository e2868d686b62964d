"""The storage port over the tables of a database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from checkup.errors import DocumentChangedError, DocumentExistsError, StorageError
from checkup.ports import LockState, ProvisionStep, StoredDocument
from checkup.storage.keys import valid_key, valid_lock_name, valid_prefix
from checkup.storage.sql import schema
from checkup.storage.sql.database import Database, DatabaseBackend
from checkup.storage.sql.shelves import DocumentTable, table_for


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
        """Write a new document; see :meth:`checkup.ports.Storage.create`."""
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
        """Replace what was read; see :meth:`checkup.ports.Storage.replace`."""
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

    def clock(self) -> int:
        """Return the database's own time."""
        with self._database.told("read the time"):
            return self._database.now()

    @contextmanager
    def hold(self, name: str) -> Iterator[LockState]:
        """Take a lock that the database, or the kernel beside SQLite, takes back from the dead."""
        valid_lock_name(name)
        with ExitStack() as stack:
            with self._database.told(f"lock {name}"):
                hold = stack.enter_context(self._database.hold(name))
            yield hold

    def provision(self) -> None:
        """Make the tables, or bring them up to date.

        Raises:
            StorageError: the database refused, or a newer program has been here.
        """
        with self._database.told("make the tables"):
            self._database.alter(schema.upgrade_schema)

    def missing(self, check_expiry: int) -> Sequence[ProvisionStep]:  # noqa: ARG002 - needs no room for it
        """Return what :meth:`checkup.ports.Provisionable.missing` says: a file, and tables."""
        file = self._backend.missing()
        if file is not None:
            return [file, ProvisionStep("make the tables in it", self.provision)]
        with self._database.told("look at the tables"):
            needed = self._database.read(schema.pending_migration)
        return (
            [ProvisionStep(f"{needed} in {self._backend.name}", self.provision)] if needed else []
        )

    def _write(
        self, shelf: DocumentTable, key: str, new: str, change: Callable[[Connection], bool]
    ) -> bool:
        """Return what ``change`` returns, or True if it was done before the connection was lost."""

        def work(connection: Connection, lost: bool) -> bool:  # noqa: FBT001 - a callback's
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
        with self._database.told(action):
            if not self._ready:
                self._make_ready()
                self._ready = True
            yield

    def _make_ready(self) -> None:
        if self._create and self._database.read(schema.schema_version) < schema.VERSION:
            self._database.alter(schema.upgrade_schema)
        self._database.read(schema.check_schema)
