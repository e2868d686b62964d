"""One database: connections, short transactions, and another try after a lost connection."""

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
"""How long a statement may take, including the wait for others to finish theirs."""

DENIED: Final = (
    "permission denied; it takes SELECT, INSERT, UPDATE and DELETE on checks and documents"
)

FOREIGN_TABLE: Final = "a table of that name is another program's, with other columns"
MISSING_TABLE: Final = 'a table is missing: run `checkup provision`, or set "create": true'
UNANSWERED: Final = "the server did not answer"
_TRIES = 3
_WRITING = "checkup_writing"
_T = TypeVar("_T")


class DatabaseBackend(Protocol):
    """What is special about one kind of database.

    Attributes:
        name: as people know it, with nothing secret.
        dialect: SQLAlchemy's name of the dialect and the driver.
    """

    name: str
    dialect: str

    def connect(self) -> Any:
        """Return a new connection of the driver, with bounded waits."""
        ...

    def missing(self) -> ProvisionStep | None:
        """Return what has to be made before anybody can connect."""
        ...

    def begin(self, connection: Connection, *, writing: bool) -> None:
        """Begin a transaction, where the driver does not do so by itself."""
        ...

    def schema_lock(self, connection: Connection) -> AbstractContextManager[None]:
        """Keep all others from changing the tables until the block has committed."""
        ...

    def now(self, connection: Connection) -> int:
        """Return the database's time, in nanoseconds since the epoch."""
        ...

    def try_lock(self, engine: Engine, name: str) -> AbstractContextManager[LockState]:
        """Try once to take the right ``name`` and hold it while the block runs."""
        ...

    def is_serialization_failure(self, error: DBAPIError) -> bool:
        """Say whether a transaction was undone in favour of another, and may be tried again."""
        ...

    def describe_error(self, error: DBAPIError) -> str:
        """Return in a few words what went wrong; nothing of the library's text."""
        ...


class Database:
    """Runs pieces of work in transactions; safe for threads."""

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
        event.listen(self._engine, "begin", _beginner(backend))
        weakref.finalize(self, self._engine.dispose)

    def read(self, work: Callable[[Connection], _T]) -> _T:
        """Return what the work returns; it may be called more than once."""
        return self._run(self._engine, lambda connection, _: work(connection))

    def write(self, work: Callable[[Connection, bool], _T]) -> _T:
        """Do the work and commit it.

        Args:
            work: called again if the connection was lost, and then told that it may have been
                done already.
        """
        return self._run(self._writer, work)

    def migrate(self, work: Callable[[Connection], None]) -> None:
        """Change the tables while nobody else does."""
        with self._writer.connect() as connection, self._backend.schema_lock(connection):
            work(connection)
            connection.commit()

    def now(self) -> int:
        """Return the database's time, in nanoseconds since the epoch."""
        return self.read(self._backend.now)

    def hold(self, name: str) -> AbstractContextManager[LockState]:
        """Try once to take the right ``name`` and hold it while the block runs."""
        return self._backend.try_lock(self._engine, name)

    @contextmanager
    def translate_errors(self, action: str) -> Iterator[None]:
        """Turn what the library says into a StorageError of ours."""
        try:
            yield
        except SQLAlchemyError as error:
            reason = self._reason(error)
            raise StorageError(f"cannot {action} in {self._backend.name}: {reason}") from None

    def _reason(self, error: SQLAlchemyError) -> str:
        if isinstance(error, DBAPIError):
            return self._backend.describe_error(error)
        return f"it failed ({type(error).__name__})"

    def _run(self, engine: Engine, work: Callable[[Connection, bool], _T]) -> _T:
        lost = False
        for left in reversed(range(_TRIES)):
            try:
                with engine.begin() as connection:
                    return work(connection, lost)
            except DBAPIError as error:
                lost = lost or error.connection_invalidated
                if not left or not (
                    error.connection_invalidated or self._backend.is_serialization_failure(error)
                ):
                    raise
        raise AssertionError  # the last try has returned or raised


def _beginner(backend: DatabaseBackend) -> Callable[[Connection], None]:
    def begin(connection: Connection) -> None:
        backend.begin(connection, writing=_WRITING in connection.get_execution_options())

    return begin


@contextmanager
def server_lock(engine: Engine, take: TextClause, release: TextClause) -> Iterator[LockState]:
    """Hold a right that the server gives to one connection, and takes back when it ends.

    Args:
        take: answers with a true value if the right is ours.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        mine = bool(connection.scalar(take))
        try:
            yield LockState.ACQUIRED if mine else LockState.HELD_ELSEWHERE
        finally:
            if mine:
                _release(connection, release)


def _release(connection: Connection, release: TextClause) -> None:
    try:
        connection.execute(release)
    except DBAPIError:
        connection.invalidate()  # and with it goes the right


# The two tables: the Go program's for runs, and one beside it for everything else.


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
        "key",  # in the order of its bytes, whatever language the database speaks
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
    """Return what a column holds: SQLite gives it back as it was written, and Go writes bytes."""
    return value.encode() if isinstance(value, str) else bytes(value or b"")


# How the tables are made, and brought from one version to the next.
#
# The version stands in ``documents`` under a key that no document can have. A step is never
# changed once it was released; what changes is one more step.


_KEY = "schema_version"


def check_schema(connection: Connection) -> None:
    """Make sure that the tables are there and are those that this program knows.

    Raises:
        StorageError: they are not; the sentence says what to do.
    """
    found = schema_version(connection)
    if found == 0:
        raise StorageError(
            'the tables of Checkup are missing: run `checkup provision`, or set "create": true'
        )
    if found < VERSION:
        raise StorageError(
            f"the tables are of version {found} and this program needs {VERSION}:"
            ' run `checkup provision`, or set "create": true'
        )
    _refuse_newer(found)


def upgrade_schema(connection: Connection) -> None:
    """Take the steps that are missing; the Go program's table stays as it is.

    Raises:
        StorageError: a newer program has been here.
    """
    found = schema_version(connection)
    _refuse_newer(found)
    for step in _STEPS[found:]:
        step(connection)
    if found < VERSION:
        _write(connection)


def pending_migration(connection: Connection) -> str:
    """Say what :func:`upgrade_schema` would do; empty if nothing.

    Raises:
        StorageError: a newer program has been here.
    """
    found = schema_version(connection)
    _refuse_newer(found)
    if found == VERSION:
        return ""
    if found:
        return f"bring the tables from version {found} to {VERSION}"
    return f"make the tables {CHECKS.name} and {DOCUMENTS.name}, where they are not there yet"


def schema_version(connection: Connection) -> int:
    """Return the version of the tables; 0 if there are none, or none but the Go program's."""
    if not inspect(connection).has_table(DOCUMENTS.name):
        return 0
    body = connection.scalar(select(DOCUMENTS.c.body).where(DOCUMENTS.c.key == _KEY))
    try:
        return int(as_bytes(body) or b"0")
    except ValueError:
        raise StorageError(f"the {_KEY} in the table documents is no number") from None


def _write(connection: Connection) -> None:
    connection.execute(DOCUMENTS.delete().where(DOCUMENTS.c.key == _KEY))
    body = str(VERSION).encode()
    connection.execute(DOCUMENTS.insert().values(key=_KEY, body=body, version=""))


def _refuse_newer(found: int) -> None:
    if found > VERSION:
        raise StorageError(
            f"the tables are of version {found}, made by a newer Checkup; this one knows {VERSION}"
        )


def _first_tables(connection: Connection) -> None:
    CHECKS.create(connection, checkfirst=True)
    DOCUMENTS.create(connection, checkfirst=True)


_STEPS: Final[tuple[Callable[[Connection], None], ...]] = (_first_tables,)
VERSION: Final = len(_STEPS)
