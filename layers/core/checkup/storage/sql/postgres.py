"""PostgreSQL, by way of psycopg."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final

import psycopg
from psycopg.pq import Conninfo
from sqlalchemy import Connection, Engine, TextClause, text
from sqlalchemy.exc import DBAPIError

from checkup.ports import LockState
from checkup.storage.sql.database import (
    ANSWER_SECONDS,
    CONNECT_SECONDS,
    DENIED,
    FOREIGN_TABLE,
    MISSING_TABLE,
    UNANSWERED,
    server_lock,
)
from checkup.storage.sql.postgres_dsn import with_defaults

_REFUSED = "the user or the password was refused"
_NO_DATABASE = "there is no such database"
_BUSY = "the server has too many connections"
_STARTING = "the server is starting or stopping"

# https://www.postgresql.org/docs/current/errcodes-appendix.html
_REASONS: Final = {
    "08": UNANSWERED,
    "22021": "a character that its text cannot hold",
    "25006": "the server is read-only",
    "28": _REFUSED,
    "3D000": _NO_DATABASE,
    "42501": DENIED,
    "42703": FOREIGN_TABLE,
    "42P01": MISSING_TABLE,
    "53100": "no space is left on the server",
    "53300": _BUSY,
    "54": "the document is too large",
    "55P03": "others have held a lock for too long",
    "57014": f"it took longer than {ANSWER_SECONDS} s",
    "57P": _STARTING,
}
# A connection that was never made has no code, only the words of libpq and of the server.
_WORDS: Final = {
    "authentication failed": _REFUSED,
    "no password supplied": "the server wants a password; add password=… to the dsn",
    "no pg_hba.conf entry": "the server's pg_hba.conf does not let this user in",
    'role "': _REFUSED,
    'database "': _NO_DATABASE,
    "does not support SSL": "the server has no encryption; if it need not, add sslmode=disable",
    "root certificate file": "nothing to trust the server by: add sslrootcert=… to the dsn",
    "certificate": "the server's certificate cannot be trusted",
    "too many": _BUSY,
    "starting up": _STARTING,
    "shutting down": _STARTING,
    "Connection refused": "nothing listens there",
    "No such file": "nothing listens there",
    "could not translate host name": "the server's name is not known",
    "failed to resolve host": "the server's name is not known",
}
_DEADLOCK, _NOT_SERIALIZABLE = "40P01", "40001"


class PostgresBackend:
    """A database of PostgreSQL."""

    dialect = "postgresql+psycopg"
    name = "PostgreSQL"

    def __init__(self, words: Mapping[str, str], environ: Mapping[str, str] = os.environ) -> None:
        """Take the words of a DSN, as :mod:`checkup.storage.sql.postgres_dsn` reads them."""
        known = {option.keyword.decode() for option in Conninfo.get_defaults()}
        given = with_defaults(words, environ)
        self._server = {name: value for name, value in given.items() if name in known}
        self._session = {name: value for name, value in given.items() if name not in known}

    def connect(self) -> Any:  # noqa: ANN401 - as in the protocol
        """Connect, and bound the waits of the session."""
        waits = {
            "connect_timeout": CONNECT_SECONDS,
            "tcp_user_timeout": ANSWER_SECONDS * 1000,
            "fallback_application_name": "checkup",
        }
        connection = psycopg.connect(**{**self._server, **waits}, autocommit=True)  # type: ignore[arg-type]
        try:
            session = {**self._session, "statement_timeout": f"{ANSWER_SECONDS}s"}
            for name, value in session.items():
                connection.execute("SELECT set_config(%s, %s, false)", (name, value))
            connection.autocommit = False
        except psycopg.Error:
            connection.close()
            raise
        return connection

    def missing(self) -> None:
        """Say that a server's database is made by whoever runs the server."""

    def begin(self, connection: Connection, *, writing: bool) -> None:
        """Do nothing: the driver begins."""

    @contextmanager
    def alone(self, connection: Connection) -> Iterator[None]:
        """Take a lock that ends with the transaction."""
        connection.execute(_locking("pg_advisory_xact_lock", "schema"))
        yield

    def now(self, connection: Connection) -> int:
        """Return the server's time."""
        query = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)"
        return int(connection.scalar(text(query))) * 1000

    def hold(self, engine: Engine, name: str) -> AbstractContextManager[LockState]:
        """Take an advisory lock of the database, which ends with its connection."""
        take = _locking("pg_try_advisory_lock", f"hold {name}")
        release = _locking("pg_advisory_unlock", f"hold {name}")
        return server_lock(engine, take, release)

    def collided(self, error: DBAPIError) -> bool:
        """Say whether the server ended a deadlock at our cost."""
        return getattr(error.orig, "sqlstate", None) in {_DEADLOCK, _NOT_SERIALIZABLE}

    def reason(self, error: DBAPIError) -> str:
        """Return in a few words what went wrong."""
        code = getattr(error.orig, "sqlstate", None) or ""
        for length in (5, 3, 2):
            if len(code) >= length and code[:length] in _REASONS:
                return _REASONS[code[:length]]
        if code:
            return f"it failed ({code})"
        said = str(error.orig)
        return next((reason for words, reason in _WORDS.items() if words in said), UNANSWERED)


def _locking(function: str, purpose: str) -> TextClause:
    """Return the query that calls a function of locks with the number of a purpose.

    Locks belong to the whole database, so the number is made of the schema too.
    """
    number = (
        "hashtextextended(concat('checkup ', current_schema(), ' ', CAST(:purpose AS text)), 0)"
    )
    return text(f"SELECT {function}({number})").bindparams(purpose=purpose)
