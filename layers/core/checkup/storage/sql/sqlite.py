"""SQLite: one file, its journal beside it, and locks of the kernel for rights to hold."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from checkup.interfaces import LockState, ProvisionStep
from checkup.storage.files import translate_os_errors, try_file_lock
from checkup.storage.sql.database import ANSWER_SECONDS, FOREIGN_TABLE, MISSING_TABLE

_REASONS = {
    "SQLITE_BUSY": f"another process has been writing for {ANSWER_SECONDS} s",
    "SQLITE_CANTOPEN": 'the file cannot be opened: check the path, or set "create": true',
    "SQLITE_CORRUPT": "the file is damaged",
    "SQLITE_FULL": "no space is left on the device",
    "SQLITE_IOERR": "the device failed",
    "SQLITE_LOCKED": f"another process has been writing for {ANSWER_SECONDS} s",
    "SQLITE_NOTADB": "the file is not a database of SQLite",
    "SQLITE_PERM": "permission denied",
    "SQLITE_READONLY": "the file is read-only",
    "SQLITE_TOOBIG": "the document is too large",
}
# One code stands for everything that is wrong with a statement.
_WORDS = {
    "no such table": MISSING_TABLE,
    "no such column": FOREIGN_TABLE,
    "has no column": FOREIGN_TABLE,
}


class SqliteBackend:
    """A file of SQLite, safe for threads and processes of one machine.

    The write-ahead log with ``synchronous=FULL`` survives a kill and a loss of power with every
    transaction that was answered. Writing transactions begin as such (``IMMEDIATE``): one that
    read first could not become one without failing others.
    """

    dialect = "sqlite+pysqlite"

    def __init__(self, dsn: str, *, create: bool = False) -> None:
        self._path = Path(_path(dsn)).absolute()
        self._create = create
        self.name = f"SQLite's {self._path}"

    def connect(self) -> Any:
        """Open the file; it is made only where the tables may be made too."""
        mode = "rw"
        if self._create:
            mode = "rwc"
            with suppress(OSError):  # SQLite says that it cannot be opened
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
        """Return the making of the file."""
        return (
            None
            if self._path.exists()
            else ProvisionStep(f"make the file {self._path}", self._make)
        )

    def _make(self) -> None:
        with translate_os_errors("make", self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.touch()

    def begin(self, connection: Connection, *, writing: bool) -> None:
        """Begin what the driver, told to keep out of it, does not begin."""
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    @contextmanager
    def schema_lock(self, connection: Connection) -> Iterator[None]:
        """Do nothing more: only one connection writes at a time."""
        yield

    def now(self, connection: Connection) -> int:
        """Return the time of this machine, which all users of the file share."""
        return time.time_ns()

    @contextmanager
    def try_lock(self, engine: Engine, name: str) -> Iterator[LockState]:
        """Take a lock of the kernel beside the file, for SQLite's own would stop the writers."""
        path = self._path.with_name(f"{self._path.name}-{name}.lock")
        with ExitStack() as stack:
            with translate_os_errors("lock", path):
                hold = stack.enter_context(try_file_lock(path))
            yield hold

    def is_serialization_failure(self, error: DBAPIError) -> bool:
        """Say no: one who has begun to write can finish."""
        return False

    def describe_error(self, error: DBAPIError) -> str:
        """Return in a few words what went wrong."""
        said = str(error.orig)
        for words, reason in _WORDS.items():
            if words in said:
                return reason
        code = str(getattr(error.orig, "sqlite_errorname", "")) or type(error.orig).__name__
        family = "_".join(code.split("_")[:2])
        return _REASONS.get(family) or f"it failed ({code})"


def _prepare(connection: sqlite3.Connection) -> None:
    connection.text_factory = _text
    with suppress(sqlite3.OperationalError):  # others are at work; the old journal is as safe
        connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")


def _path(dsn: str) -> str:
    """Return the path in what Go's driver also takes as an address, ``file:path?options``."""
    if not dsn.startswith("file:"):
        return dsn.partition("?")[0]
    return unquote(dsn.removeprefix("file:").partition("?")[0]).removeprefix("//")


def _text(value: bytes) -> str:
    """Read text as Go does: one broken row must not be an error of the database."""
    return value.decode(errors="replace")
