"""Settings of the databases."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, ClassVar
from urllib.parse import unquote

from msgspec import Meta
from msgspec.structs import asdict

from checkup.errors import UnavailableError, missing_extra
from checkup.interfaces import Clients, Storage, StorageSettings
from checkup.interfaces.kinds import Secret, SettingProblem, Settings
from checkup.storage.files import network_file_system

_Create = Annotated[bool, Meta(description="Create and migrate the tables automatically.")]


def sqlite_path(dsn: str) -> Path:
    """Return the path of a DSN: a path, or ``file:path?options`` as in Go's driver."""
    if not dsn.startswith("file:"):
        return Path(dsn.partition("?")[0])
    return Path(unquote(dsn.removeprefix("file:").partition("?")[0]).removeprefix("//"))


def _network_problems(field: str, dsn: str) -> Iterator[SettingProblem]:
    """Yield why an SQLite file cannot be on a network file system: https://www.sqlite.org/wal.html."""
    kind = network_file_system(sqlite_path(dsn)) if dsn else ""
    if kind:
        text = f"an SQLite file on a network file system ({kind}) can be damaged"
        yield SettingProblem(field, text, "use a local disk, or postgres, mysql or fs")


class SqliteSettings(StorageSettings, frozen=True, kw_only=True):
    """Results and state in a local SQLite file."""

    kind: ClassVar[str] = "sqlite3"
    needs_extra: ClassVar[str] = "sql"
    needs_fields: ClassVar[tuple[str, ...]] = ("dsn",)

    dsn: Annotated[str, Meta(description="Path of the database file, on a local disk.")] = ""
    create: _Create = False

    def find_errors(self) -> Iterator[SettingProblem]:
        """Yield why the file cannot be where it is."""
        yield from _network_problems("dsn", self.dsn)

    def open(self, clients: Clients) -> Storage:
        """Return the storage; it opens the file on first use."""
        if not self.dsn:
            raise UnavailableError('missing SQLite3 DSN (filename): set "dsn" to a path')
        return _sqlite(self.kind, self.dsn, create=self.create)


class PostgresSettings(StorageSettings, frozen=True, kw_only=True):
    """Results and state in a PostgreSQL database."""

    kind: ClassVar[str] = "postgres"
    needs_extra: ClassVar[str] = "sql"
    needs_fields: ClassVar[tuple[str, ...]] = ("dsn",)

    dsn: Annotated[
        Secret,
        Meta(description="postgres://user:password@host/database or host=… user=… dbname=…."),
    ] = ""
    create: _Create = False

    def open(self, clients: Clients) -> Storage:
        """Return the storage; it connects on first use."""
        if not self.dsn:
            raise UnavailableError('missing PostgreSQL DSN: set "dsn"')
        with _requires_extra(self.kind):
            from checkup.storage.sql.postgres import parse_postgres_dsn  # an extra
        return _postgres(
            self.kind, parse_postgres_dsn(clients.secret(self.dsn)), create=self.create
        )


class MySqlSettings(StorageSettings, frozen=True, kw_only=True):
    """Results and state in a MySQL or MariaDB database."""

    kind: ClassVar[str] = "mysql"
    needs_extra: ClassVar[str] = "sql"
    needs_fields: ClassVar[tuple[str, ...]] = ("dsn",)

    dsn: Annotated[
        Secret,
        Meta(description="user:password@tcp(host:port)/database or …@unix(/path)/database."),
    ] = ""
    create: _Create = False

    def open(self, clients: Clients) -> Storage:
        """Return the storage; it connects on first use."""
        if not self.dsn:
            raise UnavailableError('missing MySQL DSN: set "dsn"')
        with _requires_extra(self.kind):
            from checkup.storage.sql.mysql import MySqlBackend, parse_mysql_dsn
            from checkup.storage.sql.storage import SqlStorage  # an extra
        return SqlStorage(
            MySqlBackend(parse_mysql_dsn(clients.secret(self.dsn))), create=self.create
        )


class PostgresqlBlock(Settings, frozen=True, kw_only=True):
    """The ``postgresql`` section of the deprecated ``sql``."""

    host: Annotated[str, Meta(description="Host name; default: localhost.")] = ""
    port: Annotated[int, Meta(ge=0, le=65535, description="Port; 0 for the default of 5432.")] = 0
    user: Annotated[str, Meta(description="User name.")] = ""
    password: Annotated[Secret, Meta(description="Password.")] = ""
    dbname: Annotated[str, Meta(description="Database name.")] = ""
    sslmode: Annotated[
        str, Meta(description="disable, require (default), verify-ca or verify-full.")
    ] = ""

    def find_errors(self) -> Iterator[SettingProblem]:
        """Require the same as the Go program."""
        if not self.dbname:
            yield SettingProblem("", "missing PostgreSQL database name", 'add "dbname"')
        if not self.user:
            yield SettingProblem("", "missing PostgreSQL username", 'add "user"')


class SqlSettings(StorageSettings, frozen=True, kw_only=True):
    """Deprecated; use sqlite3 or postgres."""

    kind: ClassVar[str] = "sql"
    needs_extra: ClassVar[str] = "sql"

    sqlite_db_file: Annotated[str, Meta(description="Path of the SQLite file.")] = ""
    postgresql: Annotated[
        PostgresqlBlock | None, Meta(description="PostgreSQL server, in place of sqlite_db_file.")
    ] = None

    def find_errors(self) -> Iterator[SettingProblem]:
        """Require the same as the Go program, and a local disk."""
        yield from _network_problems("sqlite_db_file", self.sqlite_db_file)
        if self.sqlite_db_file and self.postgresql:
            fix = "remove sqlite_db_file or postgresql"
            yield SettingProblem("", "several SQL backends are configured", fix)
        if not self.sqlite_db_file and not self.postgresql:
            fix = "add sqlite_db_file or postgresql"
            yield SettingProblem("", "no configured database backend", fix)

    def open(self, clients: Clients) -> Storage:
        """Return the storage; it never creates its tables automatically."""
        if self.postgresql is None:
            return _sqlite(self.kind, self.sqlite_db_file, create=False)
        words = {name: str(value) for name, value in asdict(self.postgresql).items() if value}
        if self.postgresql.password:
            words["password"] = clients.secret(self.postgresql.password)
        return _postgres(self.kind, words, create=False)


def _sqlite(kind: str, path: str, *, create: bool) -> Storage:
    with _requires_extra(kind):
        from checkup.storage.sql.sqlite import SqliteBackend  # an extra
        from checkup.storage.sql.storage import SqlStorage  # an extra
    return SqlStorage(SqliteBackend(path, create=create), create=create)


def _postgres(kind: str, words: dict[str, str], *, create: bool) -> Storage:
    with _requires_extra(kind):
        from checkup.storage.sql.postgres import PostgresBackend  # an extra
        from checkup.storage.sql.storage import SqlStorage  # an extra
    return SqlStorage(PostgresBackend(words), create=create)


@contextmanager
def _requires_extra(kind: str) -> Iterator[None]:
    """Raise an UnavailableError that says what to install, if a library is missing."""
    try:
        yield
    except ImportError as error:
        raise UnavailableError(missing_extra(kind, "sql")) from error
