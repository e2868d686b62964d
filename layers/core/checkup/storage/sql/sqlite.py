"""SQLite: one database file with its journal, and kernel locks in files beside it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from checkup.interfaces import LockState, ProvisionStep
from checkup.storage.files import is_disk_full, translate_os_errors, try_file_lock
from checkup.storage.sql.database import ANSWER_SECONDS, FOREIGN_TABLE, MISSING_TABLE
from checkup.storage.sql.settings import sqlite_path

_REASONS = {
    "SQLITE_BUSY": f"another process has been writing for {ANSWER_SECONDS} s",
    "SQLITE_CANTOPEN": 'cannot open the file: check the path, or set "create": true',
    "SQLITE_CORRUPT": "the file is damaged",
    "SQLITE_FULL": "no space left on device",
    "SQLITE_IOERR": "I/O error",
    "SQLITE_LOCKED": f"another process has been writing for {ANSWER_SECONDS} s",
    "SQLITE_NOTADB": "the file is not an SQLite database",
    "SQLITE_PERM": "permission denied",
    "SQLITE_READONLY": "the file is read-only",
    "SQLITE_TOOBIG": "the document is too large",
}
_PERHAPS_FULL = {"SQLITE_IOERR", "SQLITE_CANTOPEN"}
"""What SQLite says on a full disk when it needs space for its write-ahead log, even to read."""

# SQLite has one code for all errors in a statement.
_REASONS_BY_TEXT = {
    "no such table": MISSING_TABLE,
    "no such column": FOREIGN_TABLE,
    "has no column": FOREIGN_TABLE,
}


class SqliteBackend:
    """A SQLite file, safe for threads and processes on one machine.

    The write-ahead log with ``synchronous=FULL`` keeps every committed transaction after a kill or
    a power loss. Write transactions begin as ``IMMEDIATE``, because upgrading a read transaction
    can fail.
    """

    dialect = "sqlite+pysqlite"

    def __init__(self, dsn: str, *, create: bool = False) -> None:
        self._path = sqlite_path(dsn).absolute()
        self._create = create
        self.name = f"SQLite file {self._path}"

    def connect(self) -> Any:
        """Open the file; it is created only with ``create``."""
        mode = "rw"
        if self._create:
            mode = "rwc"
            with suppress(OSError):  # SQLite reports the error
                self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(
            f"{self._path.as_uri()}?mode={mode}",
            uri=True,
            timeout=ANSWER_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            _prepare(connection)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def missing(self) -> ProvisionStep | None:
        """Return the step that creates the file, if it does not exist."""
        return (
            None
            if self._path.exists()
            else ProvisionStep(f"create the file {self._path}", self._create_file)
        )

    def _create_file(self) -> None:
        with translate_os_errors("create", self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.touch()

    def begin(self, connection: Connection, *, writing: bool) -> None:
        """Begin the transaction: the driver is set not to."""
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    @contextmanager
    def schema_lock(self, connection: Connection) -> Iterator[None]:
        """Do nothing: SQLite has one writer at a time."""
        yield

    def now(self, connection: Connection) -> int:
        """Return the time of this machine, which all users of the file share."""
        return time.time_ns()

    @contextmanager
    def try_lock(self, engine: Engine, name: str) -> Iterator[LockState]:
        """Try to take a kernel lock beside the file; SQLite's locks would block writers."""
        path = self._path.with_name(f"{self._path.name}-{name}.lock")
        with ExitStack() as stack:
            with translate_os_errors("lock", path):
                state = stack.enter_context(try_file_lock(path))
            yield state

    def is_serialization_failure(self, error: DBAPIError) -> bool:
        """Return False: a write transaction that has begun can finish."""
        return False

    def describe_error(self, error: DBAPIError) -> str:
        """Return a short message for an error code."""
        message = str(error.orig)
        for part, reason in _REASONS_BY_TEXT.items():
            if part in message:
                return reason
        code = str(getattr(error.orig, "sqlite_errorname", "")) or type(error.orig).__name__
        family = "_".join(code.split("_")[:2])
        if family in _PERHAPS_FULL and is_disk_full(self._path.parent):
            return _REASONS["SQLITE_FULL"]
        return _REASONS.get(family) or f"the request failed ({code})"


def _prepare(connection: sqlite3.Connection) -> None:
    connection.text_factory = _text
    with suppress(
        sqlite3.OperationalError
    ):  # the database is in use; the old journal mode is as safe
        connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")


def _text(value: bytes) -> str:
    """Decode text as Go does, so that one invalid row is not a database error."""
    return value.decode(errors="replace")
