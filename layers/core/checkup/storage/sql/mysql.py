"""MySQL and MariaDB with PyMySQL.

A DSN has the form of Go's driver: ``user:password@tcp(host:port)/database?option=value&…``, or
``unix(/path)`` in place of ``tcp(…)``. Of the options, ``tls`` and session variables are used; the
others configure Go's driver and are ignored.

https://github.com/go-sql-driver/mysql#dsn-data-source-name
"""

from __future__ import annotations

import hashlib
import re
import ssl
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

import pymysql
from msgspec import Struct
from pymysql.constants import CLIENT
from sqlalchemy import Connection, Engine, text
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
    server_lock,
)

_PORT: Final = 3306
_SOCKET: Final = "/tmp/mysql.sock"  # noqa: S108 - the default of Go's driver
_TLS: Final = frozenset({"true", "false", "skip-verify", "preferred"})
_TLS_ALIASES: Final = {"1": "true", "TRUE": "true", "True": "true", "0": "false", "": "false"}

_HELP: Final = (
    "mysql: invalid dsn; use user:password@tcp(host:3306)/database"
    " or user:password@unix(/path)/database"
)


class MySqlDsn(Struct, frozen=True, kw_only=True):
    """A parsed DSN.

    Attributes:
        host, port: of the server, unless ``socket`` is the path of its socket.
        tls: ``true``, ``false``, ``skip-verify`` or ``preferred``.
        variables: of the session, as SQL expressions, such as ``{"time_zone": "'UTC'"}``.
    """

    user: str
    password: str
    host: str = ""
    port: int = _PORT
    socket: str = ""
    database: str
    tls: str = "false"
    variables: dict[str, str] = {}


def parse_mysql_dsn(dsn: str) -> MySqlDsn:
    """Parse a DSN.

    Raises:
        UnavailableError: it is invalid. The message contains no part of it.
    """
    front, slash, back = dsn.rpartition("/")
    if not slash:
        raise UnavailableError(_HELP)
    userinfo, _, server = front.rpartition("@")
    user, _, password = userinfo.partition(":")
    database, _, query = back.partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    host, port, socket = _address(server)
    return MySqlDsn(
        user=user,
        password=password,
        host=host,
        port=port,
        socket=socket,
        database=unquote(database),
        tls=_tls(options.get("tls", "")),
        variables={name: value for name, value in options.items() if _is_variable(name)},
    )


def _address(server: str) -> tuple[str, int, str]:
    """Return host, port and socket of ``net(address)``, with Go's defaults."""
    net, bracket, rest = server.partition("(")
    address = rest.removesuffix(")")
    if net not in {"", "tcp", "unix"} or (bracket and address == rest):
        raise UnavailableError(_HELP)
    if net == "unix":
        return "", _PORT, address or _SOCKET
    host, port = _host_and_port(address)
    return host or "127.0.0.1", port, ""


def _host_and_port(address: str) -> tuple[str, int]:
    found = re.fullmatch(r"(?:\[([^\]]*)\]|([^:]*))(?::([0-9]{1,5}))?", address)
    if found is None:
        raise UnavailableError(_HELP)
    return found[1] or found[2] or "", int(found[3] or _PORT)


def _tls(value: str) -> str:
    tls = _TLS_ALIASES.get(value, value.lower())
    if tls not in _TLS:
        raise UnavailableError(
            "mysql: invalid tls in the dsn; use true, false, skip-verify or preferred"
        )
    return tls


def _is_variable(name: str) -> bool:
    """Whether an option is a session variable; no option of the driver contains a ``_``."""
    return re.fullmatch(r"[a-z]+(?:_[a-z0-9]+)+", name) is not None


_LOGIN_FAILED = "wrong user or password"
_STOPPING = "the server is shutting down"
_FULL = "no space left on the server"

_TOO_LARGE = (
    "the run is too large for the column, which is limited to 64 KiB in a table created by Go:"
    " ALTER TABLE checks MODIFY results MEDIUMTEXT"
)


# https://mariadb.com/kb/en/mariadb-error-code-reference/
_REASONS: Final = {
    1021: _FULL,
    1040: "the server has too many connections",
    1044: "the user has no access to the database",
    1045: _LOGIN_FAILED,
    1049: "the database does not exist",
    1053: _STOPPING,
    1054: FOREIGN_TABLE,
    1114: _FULL,
    1142: DENIED,
    1146: MISSING_TABLE,
    1153: "the document is larger than the server's max_allowed_packet",
    1205: "timed out waiting for a lock",
    1290: "the server is read-only",
    1366: "the column's character set does not support a character; use utf8mb4",
    1406: _TOO_LARGE,
    1698: _LOGIN_FAILED,
    1836: "the server is read-only",
    1927: UNANSWERED,
    2003: "cannot connect to the server",
    2006: UNANSWERED,
    2013: UNANSWERED,
    2026: "TLS is not available or not trusted; see tls in the dsn",
    3159: "the server requires TLS; add tls=true to the dsn",
}

_DEADLOCK = 1213
_MARIADB_ONLY: Final = f" /*M!100300 , idle_write_transaction_timeout={ANSWER_SECONDS // 2} */"
"""Ends a transaction whose client was paused or cut off; MySQL has no such variable."""

_RELEASE: Final = text("SELECT RELEASE_LOCK(:name)")


class MySqlBackend:
    """A MySQL or MariaDB database."""

    dialect = "mysql+pymysql"
    name = "MySQL"

    def __init__(self, server: MySqlDsn) -> None:
        self._server = server

    def connect(self) -> Any:
        """Connect with timeouts, in strict mode, in which no value is truncated."""
        server = self._server
        # The last one wins, so the DSN cannot override these.
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
            client_flag=CLIENT.FOUND_ROWS,  # SQLAlchemy expects the number of matched rows
            connect_timeout=CONNECT_SECONDS,
            read_timeout=ANSWER_SECONDS,
            write_timeout=ANSWER_SECONDS,
            init_command="SET "
            + ", ".join(f"{name}={value}" for name, value in session.items())
            + _MARIADB_ONLY,
            ssl=_tls_context(server.tls),
            ssl_disabled=server.tls == "false",
        )

    def missing(self) -> None:
        """Return None: the database is created by the server's administrator."""

    def begin(self, connection: Connection, *, writing: bool) -> None:
        """Do nothing: the driver begins transactions."""

    @contextmanager
    def schema_lock(self, connection: Connection) -> Iterator[None]:
        """Take a server lock, because tables are not created in transactions here."""
        lock = self._lock("schema")
        take = text("SELECT GET_LOCK(:name, :seconds)")
        connection.execute(take, {"name": lock, "seconds": ANSWER_SECONDS // 2})
        yield
        connection.execute(_RELEASE, {"name": lock})

    def now(self, connection: Connection) -> int:
        """Return the server's time."""
        query = text("SELECT CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED)")
        return int(connection.scalar(query)) * 1000

    def try_lock(self, engine: Engine, name: str) -> AbstractContextManager[LockState]:
        """Try to take a named server lock, which is released when its connection ends."""
        lock = self._lock(f"hold {name}")
        take = text("SELECT GET_LOCK(:name, 0)").bindparams(name=lock)
        return server_lock(engine, take, _RELEASE.bindparams(name=lock))

    def is_serialization_failure(self, error: DBAPIError) -> bool:
        """Whether the transaction was rolled back because of a deadlock."""
        return _code(error) == _DEADLOCK

    def describe_error(self, error: DBAPIError) -> str:
        """Return a short message for an error code."""
        code = _code(error)
        return _REASONS.get(code) or (f"the request failed ({code})" if code else UNANSWERED)

    def _lock(self, purpose: str) -> str:
        """Return the name of a lock; it contains the database, because locks are server-wide."""
        whole = f"{self._server.database}/{purpose}"
        return "checkup-" + hashlib.sha256(whole.encode()).hexdigest()[:32]


def _code(error: DBAPIError) -> int:
    arguments = getattr(error.orig, "args", ())
    return arguments[0] if arguments and isinstance(arguments[0], int) else 0


def _tls_context(tls: str) -> ssl.SSLContext | None:
    """Return the TLS context; None for the default of driver and server."""
    if tls == "true":
        return ssl.create_default_context()
    if tls == "skip-verify":
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    return None
