"""One database: connections, short transactions, and another try after a lost connection."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final, Protocol, TypeVar

from sqlalchemy import Connection, Engine, QueuePool, TextClause, create_engine, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from checkup.errors import StorageError
from checkup.ports import LockState, ProvisionStep

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

    def connect(self) -> Any:  # noqa: ANN401 - every driver has a class of its own
        """Return a new connection of the driver, with bounded waits."""
        ...

    def missing(self) -> ProvisionStep | None:
        """Return what has to be made before anybody can connect."""
        ...

    def begin(self, connection: Connection, *, writing: bool) -> None:
        """Begin a transaction, where the driver does not do so by itself."""
        ...

    def alone(self, connection: Connection) -> AbstractContextManager[None]:
        """Keep all others from changing the tables until the block has committed."""
        ...

    def now(self, connection: Connection) -> int:
        """Return the database's time, in nanoseconds since the epoch."""
        ...

    def hold(self, engine: Engine, name: str) -> AbstractContextManager[LockState]:
        """Try once to take the right ``name`` and hold it while the block runs."""
        ...

    def collided(self, error: DBAPIError) -> bool:
        """Say whether a transaction was undone in favour of another, and may be tried again."""
        ...

    def reason(self, error: DBAPIError) -> str:
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

    def alter(self, work: Callable[[Connection], None]) -> None:
        """Change the tables while nobody else does."""
        with self._writer.connect() as connection, self._backend.alone(connection):
            work(connection)
            connection.commit()

    def now(self) -> int:
        """Return the database's time, in nanoseconds since the epoch."""
        return self.read(self._backend.now)

    def hold(self, name: str) -> AbstractContextManager[LockState]:
        """Try once to take the right ``name`` and hold it while the block runs."""
        return self._backend.hold(self._engine, name)

    @contextmanager
    def told(self, action: str) -> Iterator[None]:
        """Turn what the library says into a StorageError of ours."""
        try:
            yield
        except SQLAlchemyError as error:
            reason = self._reason(error)
            raise StorageError(f"cannot {action} in {self._backend.name}: {reason}") from None

    def _reason(self, error: SQLAlchemyError) -> str:
        if isinstance(error, DBAPIError):
            return self._backend.reason(error)
        return f"it failed ({type(error).__name__})"

    def _run(self, engine: Engine, work: Callable[[Connection, bool], _T]) -> _T:
        lost = False
        for left in reversed(range(_TRIES)):
            try:
                with engine.begin() as connection:
                    return work(connection, lost)
            except DBAPIError as error:
                lost = lost or error.connection_invalidated
                if not left or not (error.connection_invalidated or self._backend.collided(error)):
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
            yield LockState.MINE if mine else LockState.ELSEWHERE
        finally:
            if mine:
                _release(connection, release)


def _release(connection: Connection, release: TextClause) -> None:
    try:
        connection.execute(release)
    except DBAPIError:
        connection.invalidate()  # and with it goes the right
