"""MySQL and MariaDB, by way of PyMySQL."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final

import pymysql
from pymysql.constants import CLIENT
from sqlalchemy import Connection, Engine, text
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
from checkup.storage.sql.mysql_dsn import MySqlDsn

_REFUSED = "the user or the password was refused"
_STOPPING = "the server is stopping"
_FULL = "no space is left on the server"
_TOO_LARGE = (
    "the run is too large for the column, which holds 64 KiB in a table made by Go:"
    " ALTER TABLE checks MODIFY results MEDIUMTEXT"
)

# https://mariadb.com/kb/en/mariadb-error-code-reference/
_REASONS: Final = {
    1021: _FULL,
    1040: "the server has too many connections",
    1044: "the user has no right to that database",
    1045: _REFUSED,
    1049: "there is no such database",
    1053: _STOPPING,
    1054: FOREIGN_TABLE,
    1114: _FULL,
    1142: DENIED,
    1146: MISSING_TABLE,
    1153: "the document is larger than the server's max_allowed_packet",
    1205: "others have held a lock for too long",
    1290: "the server is read-only",
    1366: "a character that the column's character set does not have; it should be utf8mb4",
    1406: _TOO_LARGE,
    1698: _REFUSED,
    1836: "the server is read-only",
    1927: UNANSWERED,
    2003: "the server cannot be reached",
    2006: UNANSWERED,
    2013: UNANSWERED,
    2026: "the server has no encryption, or none that can be trusted; see tls in the dsn",
    3159: "the server wants encryption; add tls=true to the dsn",
}
_DEADLOCK = 1213

_RELEASE: Final = text("SELECT RELEASE_LOCK(:name)")


class MySqlBackend:
    """A database of MySQL or MariaDB."""

    dialect = "mysql+pymysql"
    name = "MySQL"

    def __init__(self, server: MySqlDsn) -> None:
        self._server = server

    def connect(self) -> Any:  # noqa: ANN401 - as in the protocol
        """Connect, bound the waits of the session, and have no value cut to fit."""
        server = self._server
        # The last of two settings counts, so these cannot be changed by the dsn.
        session = {
            **server.variables,
            "sql_mode": "'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'",
            "innodb_lock_wait_timeout": f"{ANSWER_SECONDS // 2}",
        }
        return pymysql.connect(
            user=server.user or None,
            password=server.password.encode(),
            host=server.host or None,
            port=server.port,
            unix_socket=server.socket or None,
            database=server.database or None,
            charset="utf8mb4",
            client_flag=CLIENT.FOUND_ROWS,  # SQLAlchemy counts rows that were found
            connect_timeout=CONNECT_SECONDS,
            read_timeout=ANSWER_SECONDS,
            write_timeout=ANSWER_SECONDS,
            init_command="SET " + ", ".join(f"{name}={value}" for name, value in session.items()),
            ssl=_trust(server.tls),
            ssl_disabled=server.tls == "false",
        )

    def missing(self) -> None:
        """Say that a server's database is made by whoever runs the server."""

    def begin(self, connection: Connection, *, writing: bool) -> None:
        """Do nothing: the driver begins."""

    @contextmanager
    def alone(self, connection: Connection) -> Iterator[None]:
        """Take a lock of the server's, for here tables are made outside of transactions."""
        lock = self._lock("schema")
        take = text("SELECT GET_LOCK(:name, :seconds)")
        connection.execute(take, {"name": lock, "seconds": ANSWER_SECONDS // 2})
        yield
        connection.execute(_RELEASE, {"name": lock})

    def now(self, connection: Connection) -> int:
        """Return the server's time."""
        query = text("SELECT CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED)")
        return int(connection.scalar(query)) * 1000

    def hold(self, engine: Engine, name: str) -> AbstractContextManager[LockState]:
        """Take a lock of the server's by name, which ends with its connection."""
        lock = self._lock(f"hold {name}")
        take = text("SELECT GET_LOCK(:name, 0)").bindparams(name=lock)
        return server_lock(engine, take, _RELEASE.bindparams(name=lock))

    def collided(self, error: DBAPIError) -> bool:
        """Say whether the server ended a deadlock at our cost."""
        return _code(error) == _DEADLOCK

    def reason(self, error: DBAPIError) -> str:
        """Return in a few words what went wrong."""
        code = _code(error)
        return _REASONS.get(code) or (f"it failed ({code})" if code else UNANSWERED)

    def _lock(self, purpose: str) -> str:
        """Return a lock's name, for locks belong to the server and not to one database."""
        whole = f"{self._server.database}/{purpose}"
        return "checkup-" + hashlib.sha256(whole.encode()).hexdigest()[:32]


def _code(error: DBAPIError) -> int:
    arguments = getattr(error.orig, "args", ())
    return arguments[0] if arguments and isinstance(arguments[0], int) else 0


def _trust(tls: str) -> ssl.SSLContext | None:
    """Return how to encrypt; None leaves it to the driver and the server."""
    if tls == "true":
        return ssl.create_default_context()
    if tls == "skip-verify":
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    return None
