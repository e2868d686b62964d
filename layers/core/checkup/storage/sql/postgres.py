"""PostgreSQL with psycopg.

A DSN has a form of Go's driver: a URL (``postgres://user:password@host/database?sslmode=…``) or
keywords (``host=… user=… dbname=…``), as in libpq. Where Go's driver differs from libpq, its rules
apply: the defaults are localhost with encryption, and an unknown keyword is a session setting,
such as ``search_path``.

https://pkg.go.dev/github.com/lib/pq#hdr-Connection_String_Parameters
https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

import psycopg
from psycopg.pq import Conninfo
from sqlalchemy import Connection, Engine, TextClause, text
from sqlalchemy.exc import DBAPIError

from checkup.errors import UnavailableError
from checkup.interfaces import LockState
from checkup.storage.sql.database import (
    ANSWER_SECONDS,
    CONNECT_SECONDS,
    DENIED,
    FOREIGN_TABLE,
    MISSING_TABLE,
    UNANSWERED,
)

_OF_TRANSACTION: Final = {"default_transaction_read_only": "transaction_read_only"}
"""Settings of a session that would only hold for its later transactions."""

LOCK_SECONDS: Final = 120
"""How long a lock may be held: longer than any delivery takes."""

_WORD = re.compile(
    r"\s*([A-Za-z_.]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)*))(?=\s|$)\s*", re.DOTALL
)

_SCHEMES = ("postgres://", "postgresql://")
_GO_ONLY = frozenset({"binary_parameters", "disable_prepared_binary_result", "sslinline"})


def parse_postgres_dsn(dsn: str) -> dict[str, str]:
    """Return the keywords of a DSN.

    Raises:
        UnavailableError: it is invalid. The message contains no part of it.
    """
    try:
        words = dict(_url_keywords(dsn) if dsn.startswith(_SCHEMES) else _keyword_list(dsn))
    except ValueError:
        raise UnavailableError(
            "postgres: invalid dsn; use postgres://user:password@host:port/database"
            " (@ and similar characters as %40), or host=… user=… password='…' dbname=…"
        ) from None
    return {name: value for name, value in words.items() if name not in _GO_ONLY}


def with_defaults(words: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the keywords with the defaults of Go's driver."""
    defaults = {}
    if "service" not in words and "PGSERVICE" not in environ:
        defaults["host"] = environ.get("PGHOST", "localhost")
        defaults["sslmode"] = environ.get("PGSSLMODE", "require")
    return {**defaults, **words}


def _url_keywords(dsn: str) -> Iterator[tuple[str, str]]:
    address = urlsplit(dsn)
    userinfo, _, hosts = address.netloc.rpartition("@")
    user, colon, password = userinfo.partition(":")
    pairs = [_split_port(host) for host in hosts.split(",")]
    yield from _given("host", ",".join(unquote(host) for host, _ in pairs))
    yield from _given("port", ",".join(port for _, port in pairs))
    yield from _given("user", unquote(user))
    if colon:
        yield "password", unquote(password)
    yield from _given("dbname", unquote(address.path.removeprefix("/")))
    yield from parse_qsl(address.query, keep_blank_values=True, strict_parsing=bool(address.query))


def _split_port(host: str) -> tuple[str, str]:
    if host.startswith("["):
        inner, _, rest = host[1:].partition("]")
        return inner, rest.removeprefix(":")
    name, _, port = host.partition(":")
    return name, port


def _given(name: str, value: str) -> Iterator[tuple[str, str]]:
    if value.strip(","):
        yield name, value


def _keyword_list(dsn: str) -> Iterator[tuple[str, str]]:
    position = 0
    while position < len(dsn):
        word = _WORD.match(dsn, position)
        if word is None:
            raise ValueError
        name, quoted, bare = word.groups()
        yield name, re.sub(r"\\(.)", r"\1", quoted if quoted is not None else bare)
        position = word.end()


_LOGIN_FAILED = "wrong user or password"
_NO_DATABASE = "the database does not exist"
_BUSY = "the server has too many connections"
_STARTING = "the server is starting or shutting down"


# https://www.postgresql.org/docs/current/errcodes-appendix.html
_REASONS: Final = {
    "08": UNANSWERED,
    "22021": "the text contains a character that the database does not support",
    "25006": "the server is read-only",
    "28": _LOGIN_FAILED,
    "3D000": _NO_DATABASE,
    "42501": DENIED,
    "42703": FOREIGN_TABLE,
    "42P01": MISSING_TABLE,
    "53100": "no space left on the server",
    "53300": _BUSY,
    "54": "the document is too large",
    "55P03": "timed out waiting for a lock",
    "57014": f"timed out after {ANSWER_SECONDS} s",
    "57P": _STARTING,
}


# A failed connection has no code, only a message from libpq or the server.
_REASONS_BY_TEXT: Final = {
    "authentication failed": _LOGIN_FAILED,
    "no password supplied": "the server requires a password; add password=… to the dsn",
    "no pg_hba.conf entry": "the server's pg_hba.conf does not allow this user",
    'role "': _LOGIN_FAILED,
    'database "': _NO_DATABASE,
    "does not support SSL": "the server does not support TLS; to go without, add sslmode=disable",
    "root certificate file": "no root certificate; add sslrootcert=… to the dsn",
    "certificate": "the server's certificate is not trusted",
    "too many": _BUSY,
    "starting up": _STARTING,
    "shutting down": _STARTING,
    "Connection refused": "connection refused",
    "No such file": "connection refused",
    "could not translate host name": "unknown host name",
    "failed to resolve host": "unknown host name",
}

_DEADLOCK, _NOT_SERIALIZABLE = "40P01", "40001"


class _TimedConnection(psycopg.Connection[Any]):
    """A connection that does not wait forever for an answer.

    The server ends a statement in time, but if the network is cut off after it has received one,
    libpq would wait for two hours.
    """

    def wait(self, gen: Any, *args: Any, **options: Any) -> Any:
        """Wait for an answer; psycopg calls this whenever it has to."""
        try:
            return super().wait(_within(gen, ANSWER_SECONDS + 2), *args, **options)
        except _NoAnswerError:
            self.pgconn.finish()  # whatever still arrives would be taken for another answer
            raise


class _NoAnswerError(psycopg.OperationalError):
    """The server did not answer in time."""


def _within(wanted: Any, seconds: float) -> Any:
    """Pass on what a generator of psycopg asks for; psycopg resumes it every tenth of a second.

    Raises:
        _NoAnswerError: it takes longer.
    """
    end = time.monotonic() + seconds
    try:
        state = next(wanted)
        while True:
            ready = yield state
            state = wanted.send(ready)
            if time.monotonic() > end:
                raise _NoAnswerError("no response from the server")
    except StopIteration as done:
        return done.value


class PostgresBackend:
    """A PostgreSQL database."""

    dialect = "postgresql+psycopg"
    name = "PostgreSQL"

    def __init__(self, words: Mapping[str, str], environ: Mapping[str, str] = os.environ) -> None:
        """Take the keywords of a DSN, from :func:`parse_postgres_dsn`."""
        known = {option.keyword.decode() for option in Conninfo.get_defaults()}
        given = with_defaults(words, environ)
        self._server = {name: value for name, value in given.items() if name in known}
        self._session = {
            _OF_TRANSACTION.get(name, name): value
            for name, value in given.items()
            if name not in known
        }

    def connect(self) -> Any:
        """Connect with timeouts.

        Nothing is left behind in the session: a pooler such as pgbouncer gives each transaction
        another one. So there are no prepared statements, and settings are those of a transaction.
        """
        waits = {
            "connect_timeout": CONNECT_SECONDS,
            "tcp_user_timeout": ANSWER_SECONDS * 1000,
            "fallback_application_name": "checkup",
        }
        return _TimedConnection.connect(**{**self._server, **waits}, prepare_threshold=None)  # type: ignore[arg-type]

    def missing(self) -> None:
        """Return None: the database is created by the server's administrator."""

    def begin(self, connection: Connection, *, writing: bool) -> None:
        """Set what holds for this transaction: the time limits, and the settings of the DSN.

        A transaction whose client was paused or cut off ends before others give up waiting.
        """
        self._configure(connection, idle_seconds=ANSWER_SECONDS // 2)

    def _configure(self, connection: Connection, *, idle_seconds: int) -> None:
        settings = {
            **self._session,
            "statement_timeout": f"{ANSWER_SECONDS}s",
            "idle_in_transaction_session_timeout": f"{idle_seconds}s",
        }
        calls = ", ".join("set_config(%s, %s, true)" for _ in settings)
        values = tuple(part for setting in settings.items() for part in setting)
        connection.exec_driver_sql(f"SELECT {calls}", values)

    @contextmanager
    def schema_lock(self, connection: Connection) -> Iterator[None]:
        """Take an advisory lock, which is released with the transaction."""
        connection.execute(_lock_query("pg_advisory_xact_lock", "schema"))
        yield

    def now(self, connection: Connection) -> int:
        """Return the server's time."""
        query = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)"
        return int(connection.scalar(text(query))) * 1000

    @contextmanager
    def try_lock(self, engine: Engine, name: str) -> Iterator[LockState]:
        """Try to take an advisory lock, which is released when its connection ends.

        It is that of a transaction, not of a session, which behind a pooler would be another's.
        """
        with engine.connect() as connection:
            query = _lock_query("pg_try_advisory_xact_lock", f"hold {name}")
            acquired = bool(connection.scalar(query))
            self._configure(connection, idle_seconds=LOCK_SECONDS)
            try:
                yield LockState.ACQUIRED if acquired else LockState.HELD_ELSEWHERE
            finally:
                try:
                    connection.rollback()
                except DBAPIError:
                    connection.invalidate()  # which also releases the lock

    def is_serialization_failure(self, error: DBAPIError) -> bool:
        """Whether the transaction was rolled back because of a deadlock or a conflict."""
        return getattr(error.orig, "sqlstate", None) in {_DEADLOCK, _NOT_SERIALIZABLE}

    def describe_error(self, error: DBAPIError) -> str:
        """Return a short message for an error code or a failed connection."""
        code = getattr(error.orig, "sqlstate", None) or ""
        for length in (5, 3, 2):
            if len(code) >= length and code[:length] in _REASONS:
                return _REASONS[code[:length]]
        if code:
            return f"the request failed ({code})"
        message = str(error.orig)
        return next(
            (reason for part, reason in _REASONS_BY_TEXT.items() if part in message), UNANSWERED
        )


def _lock_query(function: str, purpose: str) -> TextClause:
    """Return the query that calls a lock function with a number for ``purpose``.

    Locks are database-wide, so the number also depends on the schema.
    """
    number = (
        "hashtextextended(concat('checkup ', current_schema(), ' ', CAST(:purpose AS text)), 0)"
    )
    return text(f"SELECT {function}({number})").bindparams(purpose=purpose)
