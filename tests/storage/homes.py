"""Databases that the Go program and this one share, for tests of what they make of each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from checkup.interfaces import Storage
from tests import databases
from tests.godatabase import GoDatabase, GoMySql, GoPostgres, GoSqlite
from tests.storage.sql_writer import open_storage


@dataclass(frozen=True)
class Home:
    """A database, empty at the start of a test.

    Attributes:
        kind, dsn: as in the configuration.
        go: the Go program at work in it.
    """

    kind: str
    dsn: str
    go: GoDatabase

    def open(self, *, create: bool = True) -> Storage:
        return open_storage(self.kind, self.dsn, create=create)

    def do(self, statement: str) -> None:
        """Change something behind everybody's back."""
        self.go.do(statement)


def sqlite(request: pytest.FixtureRequest) -> Home:
    path: Path = request.getfixturevalue("tmp_path") / "checks.db"
    return Home("sqlite3", str(path), GoSqlite(path))


def postgresql(request: pytest.FixtureRequest) -> Home:
    server: databases.Postgres = request.getfixturevalue("postgres")
    schema = server.new_database()
    return Home("postgres", server.dsn(schema), GoPostgres(server, schema))


def pooled(request: pytest.FixtureRequest) -> Home:
    """PostgreSQL behind a pooler, which gives each transaction another session."""
    server: databases.Postgres = request.getfixturevalue("postgres")
    port: int = request.getfixturevalue("pgbouncer")
    schema = server.new_database()
    return Home("postgres", server.dsn(schema, port, sslmode="disable"), GoPostgres(server, schema))


def mariadb(request: pytest.FixtureRequest) -> Home:
    server: databases.MariaDb = request.getfixturevalue("mariadb")
    database = server.new_database()
    return Home("mysql", server.dsn(database), GoMySql(server, database))


HOMES: dict[str, Callable[[pytest.FixtureRequest], Home]] = {
    "sqlite": sqlite,
    "postgresql": postgresql,
    "pgbouncer": pooled,
    "mariadb": mariadb,
}
