"""What the Go program does with a database, stated strictly and on its own.

Nothing here is shared with the program under test: one table, three statements, a new connection
for each, results as bytes, and the reader of :mod:`tests.gofile` for what they hold.
"""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pymysql

from tests import gofile
from tests.databases import PASSWORD, MariaDb, Postgres


class GoDatabase(ABC):
    """The Go program's storage, with the moments that it reads from the clock as arguments."""

    schema: str
    mark = "%s"

    @abstractmethod
    def connect(self) -> Any:
        """Return a connection of the driver."""

    def create(self) -> None:
        """Do what ``"create": true`` does on every connection."""
        for statement in self.schema.split(";"):
            self.do(statement)

    def store(self, now: int, later: int, results: bytes | None) -> str:
        """Store what was marshalled; the row's moment is read a little after the name's."""
        name = f"{now}-check.json"
        marks = ", ".join([self.mark] * 3)
        bound = None if results is None else self.bind(results)
        self.do(
            f"INSERT INTO checks (name, timestamp, results) VALUES ({marks})", name, later, bound
        )
        return name

    def bind(self, results: bytes) -> str | bytes:
        """Return what the driver makes of bytes: the server is told that they are text."""
        return results.decode()

    def index(self) -> dict[str, int]:
        rows = self.do("SELECT name, timestamp FROM checks")
        for name, moment in rows:
            assert isinstance(name, str)
            assert type(moment) is int
        return dict(rows)

    def fetch(self, name: str) -> list[gofile.Result]:
        return gofile.read(self.body(name))

    def body(self, name: str) -> bytes:
        """Return the bytes that the results are unmarshalled from."""
        rows = self.do(f"SELECT results FROM checks WHERE name = {self.mark} LIMIT 1", name)
        if not rows:
            raise gofile.GoError("sql: no rows in result set")
        found = rows[0][0]
        return found.encode() if isinstance(found, str) else bytes(found or b"")

    def maintain(self, before: int) -> None:
        self.do(f"DELETE FROM checks WHERE timestamp < {self.mark}", before)

    def do(self, statement: str, *values: Any) -> list[Any]:
        with closing(self.connect()) as connection:
            cursor = connection.cursor()
            cursor.execute(statement, values)
            rows = list(cursor.fetchall()) if cursor.description else []
            connection.commit()
            return rows


class GoSqlite(GoDatabase):
    """Here there is no server to tell, so the column keeps a blob."""

    schema = (
        "CREATE TABLE IF NOT EXISTS checks"
        " (name TEXT NOT NULL PRIMARY KEY, timestamp INT8 NOT NULL, results TEXT);"
        "CREATE UNIQUE INDEX IF NOT EXISTS idx_checks_timestamp ON checks(timestamp)"
    )
    mark = "?"

    def __init__(self, path: Path) -> None:
        self._path = path

    def bind(self, results: bytes) -> str | bytes:
        return results

    def connect(self) -> Any:
        return sqlite3.connect(self._path)


class GoPostgres(GoDatabase):
    """PostgreSQL has the table of SQLite."""

    schema = GoSqlite.schema

    def __init__(self, server: Postgres, schema: str) -> None:
        self._port = server.port
        self._schema = schema

    def connect(self) -> Any:
        return psycopg.connect(
            host="127.0.0.1",
            port=self._port,
            dbname="postgres",
            user="checkup",
            password=PASSWORD,
            sslmode="require",
            options=f"-c search_path={self._schema}",
        )


class GoMySql(GoDatabase):
    """MySQL's table holds 64 KiB of results."""

    schema = (
        "CREATE TABLE IF NOT EXISTS `checks` (`name` VARCHAR(512) NOT NULL,"
        " `timestamp` BIGINT NOT NULL, `results` TEXT NULL,"
        " PRIMARY KEY (`name`), UNIQUE (`timestamp`)) ENGINE = InnoDB"
    )

    def __init__(self, server: MariaDb, database: str) -> None:
        self._port = server.port
        self._database = database

    def connect(self) -> Any:
        return pymysql.connect(
            host="127.0.0.1",
            port=self._port,
            user="checkup",
            password=PASSWORD,
            database=self._database,
        )
