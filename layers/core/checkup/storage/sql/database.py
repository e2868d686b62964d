"""Database connections, short transactions with retries, and the schema of the two tables.

``checks`` is the Go program's table of runs; ``documents`` contains everything else, and the
version of the schema under a key that is not a valid document key. A released migration step never
changes; a schema change is a new step.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final, Protocol, TypeVar

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    LargeBinary,
    MetaData,
    QueuePool,
    String,
    Table,
    Text,
    TextClause,
    UniqueConstraint,
    create_engine,
    event,
    inspect,
    select,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from checkup.errors import StorageError
from checkup.interfaces import LockState, ProvisionStep

CONNECT_SECONDS: Final = 5

ANSWER_SECONDS: Final = 10
"""Time limit of a statement, including its wait for locks."""

DENIED: Final = (
    "permission denied; required: SELECT, INSERT, UPDATE and DELETE on checks and documents"
)

FOREIGN_TABLE: Final = "a table of that name has other columns; it belongs to another program"
MISSING_TABLE: Final = 'a table is missing: run `checkup provision`, or set "create": true'
UNANSWERED: Final = "no response from the server"
_TRIES = 3
_WRITING = "checkup_writing"
_T = TypeVar("_T")


class DatabaseBackend(Protocol):
    """The differences between databases.

    Attributes:
        name: for messages, without secrets.
        dialect: SQLAlchemy's name of the dialect and the driver.
    """

    name: str
    dialect: str

    def connect(self) -> Any:
        """Return a new driver connection with timeouts."""
        ...

    def missing(self) -> ProvisionStep | None:
        """Return the step that is required before connecting, if any."""
        ...

    def begin(self, connection: Connection, *, writing: bool) -> None:
        """Begin a transaction, where the driver does not do so by itself."""
        ...

    def schema_lock(self, connection: Connection) -> AbstractContextManager[None]:
        """Lock the schema until the block has committed."""
        ...

    def now(self, connection: Connection) -> int:
        """Return the database's time, in nanoseconds since the epoch."""
        ...

    def try_lock(self, engine: Engine, name: str) -> AbstractContextManager[LockState]:
        """Try once to take the lock ``name``, and hold it during the block."""
        ...

    def is_serialization_failure(self, error: DBAPIError) -> bool:
        """Whether a transaction was rolled back because of another, and can be retried."""
        ...

    def describe_error(self, error: DBAPIError) -> str:
        """Return a short message without the library's text, which may contain secrets."""
        ...


class Database:
    """Runs functions in transactions; thread-safe."""

    def __init__(self, backend: DatabaseBackend) -> None:
        self._backend = backend
        self._engine = create_engine(
            f"{backend.dialect}://",
            creator=backend.connect,
            hide_parameters=True,
            poolclass=QueuePool,
            pool_timeout=ANSWER_SECONDS,
        )
        self._writer = self._engine.execution_options(**{_WRITING: True})
        event.listen(self._engine, "begin", _begin_listener(backend))
        weakref.finalize(self, self._engine.dispose)

    def read(self, work: Callable[[Connection], _T]) -> _T:
        """Return the result of ``work``, which may be called more than once."""
        return self._run(self._engine, lambda connection, _: work(connection))

    def write(self, work: Callable[[Connection, bool], _T]) -> _T:
        """Run ``work``, commit and return its result.

        Args:
            work: called again with True if the connection was lost, as the first call may have
                been committed.
        """
        return self._run(self._writer, work)

    def migrate(self, work: Callable[[Connection], None]) -> None:
        """Change the tables under the schema lock."""
        with self._writer.connect() as connection, self._backend.schema_lock(connection):
            work(connection)
            connection.commit()

    def now(self) -> int:
        """Return the database's time, in nanoseconds since the epoch."""
        return self.read(self._backend.now)

    def hold(self, name: str) -> AbstractContextManager[LockState]:
        """Try once to take the lock ``name``, and hold it during the block."""
        return self._backend.try_lock(self._engine, name)

    @contextmanager
    def translate_errors(self, action: str) -> Iterator[None]:
        """Raise SQLAlchemy's errors as StorageError."""
        try:
            yield
        except SQLAlchemyError as error:
            reason = self._reason(error)
            raise StorageError(f"cannot {action} in {self._backend.name}: {reason}") from None

    def _reason(self, error: SQLAlchemyError) -> str:
        if isinstance(error, DBAPIError):
            return self._backend.describe_error(error)
        return f"the request failed ({type(error).__name__})"

    def _run(self, engine: Engine, work: Callable[[Connection, bool], _T]) -> _T:
        lost = False
        for tries_left in reversed(range(_TRIES)):
            try:
                with engine.begin() as connection:
                    return work(connection, lost)
            except DBAPIError as error:
                lost = lost or error.connection_invalidated
                if not tries_left or not (
                    error.connection_invalidated or self._backend.is_serialization_failure(error)
                ):
                    raise
        raise AssertionError  # the last attempt has returned or raised


def _begin_listener(backend: DatabaseBackend) -> Callable[[Connection], None]:
    def begin(connection: Connection) -> None:
        backend.begin(connection, writing=_WRITING in connection.get_execution_options())

    return begin


@contextmanager
def server_lock(engine: Engine, take: TextClause, release: TextClause) -> Iterator[LockState]:
    """Hold a server lock, which belongs to a connection and is released when it ends.

    Args:
        take: query that returns true if the lock was acquired.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        acquired = bool(connection.scalar(take))
        try:
            yield LockState.ACQUIRED if acquired else LockState.HELD_ELSEWHERE
        finally:
            if acquired:
                _release(connection, release)


def _release(connection: Connection, release: TextClause) -> None:
    try:
        connection.execute(release)
    except DBAPIError:
        connection.invalidate()  # which also releases the lock


METADATA: Final = MetaData()

_INNODB: Final[dict[str, Any]] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
}

CHECKS: Final = Table(
    "checks",
    METADATA,
    Column("name", Text().with_variant(String(512), "mysql"), primary_key=True),
    Column("timestamp", BigInteger, nullable=False),
    Column("results", Text().with_variant(mysql.MEDIUMTEXT(), "mysql")),
    UniqueConstraint("timestamp", name="idx_checks_timestamp"),
    **_INNODB,
)

DOCUMENTS: Final = Table(
    "documents",
    METADATA,
    Column(
        "key",  # sorted by bytes, regardless of the database's locale
        String(1000)
        .with_variant(Text(collation="C"), "postgresql")
        .with_variant(mysql.VARCHAR(1000, charset="ascii", collation="ascii_bin"), "mysql"),
        primary_key=True,
    ),
    Column("body", LargeBinary().with_variant(mysql.LONGBLOB(), "mysql"), nullable=False),
    Column("version", String(32), nullable=False),
    **_INNODB,
)


def as_bytes(value: str | bytes | None) -> bytes:
    """Return the bytes of a column; SQLite returns what was written, and Go writes bytes."""
    return value.encode() if isinstance(value, str) else bytes(value or b"")


_KEY = "schema_version"


def check_schema(connection: Connection) -> None:
    """Check that the tables exist in this version.

    Raises:
        StorageError: they do not; the message says what to do.
    """
    version = schema_version(connection)
    if version == 0:
        raise StorageError('the tables are missing: run `checkup provision`, or set "create": true')
    if version < VERSION:
        raise StorageError(
            f"the tables have schema version {version}, but version {VERSION} is required:"
            ' run `checkup provision`, or set "create": true'
        )
    _raise_if_newer(version)


def upgrade_schema(connection: Connection) -> None:
    """Run the pending migration steps; an existing table ``checks`` is not changed.

    Raises:
        StorageError: the schema is newer than this program.
    """
    version = schema_version(connection)
    _raise_if_newer(version)
    for step in _STEPS[version:]:
        step(connection)
    if version < VERSION:
        _write_version(connection)


def pending_migration(connection: Connection) -> str:
    """Return what :func:`upgrade_schema` would do; empty if nothing.

    Raises:
        StorageError: the schema is newer than this program.
    """
    version = schema_version(connection)
    _raise_if_newer(version)
    if version == VERSION:
        return ""
    if version:
        return f"migrate the tables from version {version} to {VERSION}"
    return f"create the tables {CHECKS.name} and {DOCUMENTS.name}, if missing"


def schema_version(connection: Connection) -> int:
    """Return the schema version; 0 if the table ``documents`` does not exist."""
    if not inspect(connection).has_table(DOCUMENTS.name):
        return 0
    body = connection.scalar(select(DOCUMENTS.c.body).where(DOCUMENTS.c.key == _KEY))
    try:
        return int(as_bytes(body) or b"0")
    except ValueError:
        raise StorageError(f"the {_KEY} in the table documents is not a number") from None


def _write_version(connection: Connection) -> None:
    connection.execute(DOCUMENTS.delete().where(DOCUMENTS.c.key == _KEY))
    body = str(VERSION).encode()
    connection.execute(DOCUMENTS.insert().values(key=_KEY, body=body, version=""))


def _raise_if_newer(version: int) -> None:
    if version > VERSION:
        raise StorageError(
            f"the tables have schema version {version}, from a newer Checkup;"
            f" this one supports {VERSION}"
        )


def _create_tables(connection: Connection) -> None:
    METADATA.create_all(connection)


_STEPS: Final[tuple[Callable[[Connection], None], ...]] = (_create_tables,)
VERSION: Final = len(_STEPS)
