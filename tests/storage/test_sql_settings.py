"""What checkup.json says of databases: DSNs as Go's drivers take them, and what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from checkup import app, config
from checkup.app import registered_kinds
from checkup.errors import ConfigError, UnavailableError
from checkup.interfaces import StorageSettings
from checkup.storage.sql import MySqlSettings, PostgresSettings, SqliteSettings, SqlSettings
from checkup.storage.sql.mysql import MySqlDsn
from checkup.storage.sql.mysql import parse_mysql_dsn as mysql
from checkup.storage.sql.postgres import parse_postgres_dsn as postgres
from checkup.storage.sql.postgres import with_defaults
from checkup.storage.sql.settings import PostgresqlBlock
from tests import gofile
from tests.godatabase import GoSqlite
from tests.storage.places import FakeClients

ROOT = Path(__file__).resolve().parents[2]


def read(tmp_path: Path, storage: dict[str, object], **environ: str) -> StorageSettings | None:
    path = tmp_path / "checkup.json"
    path.write_text(json.dumps({"checkers": [], "storage": storage}))
    return config.load(str(path), registered_kinds(), environ).storage


# DSNs of PostgreSQL


@pytest.mark.parametrize(
    ("dsn", "words"),
    [
        (
            "postgres://me:p%40ss%2F@db.example:6432/status?sslmode=disable",
            {
                "host": "db.example",
                "port": "6432",
                "user": "me",
                "password": "p@ss/",
                "dbname": "status",
                "sslmode": "disable",
            },
        ),
        (
            "postgresql://me@[::1]:5433/a%2Fb",
            {"host": "::1", "port": "5433", "user": "me", "dbname": "a/b"},
        ),
        ("postgres://db/status", {"host": "db", "dbname": "status"}),
        ("postgres://me:@/status", {"user": "me", "password": "", "dbname": "status"}),
        ("postgres://a:1,b:2/x", {"host": "a,b", "port": "1,2", "dbname": "x"}),
        (
            "postgres:///x?host=/run/postgresql&user=me",
            {"dbname": "x", "host": "/run/postgresql", "user": "me"},
        ),
        (
            "host=db port=5432 user=me password='it''s' dbname=x",
            None,
        ),
        (
            r" host=db  user = me password='it\'s a \\ secret' dbname=x sslmode=verify-full ",
            {
                "host": "db",
                "user": "me",
                "password": r"it's a \ secret",
                "dbname": "x",
                "sslmode": "verify-full",
            },
        ),
        (r"user=a\ b password=''", {"user": "a b", "password": ""}),
        ("user=me binary_parameters=yes search_path=a,b", {"user": "me", "search_path": "a,b"}),
        ("host", None),
        ("user=me password='open", None),
        ("mysql://me@db/x", None),
        ("postgres://me:secret@db:5432/x?sslmode", None),
    ],
)
def test_dsns_of_postgresql(dsn: str, words: dict[str, str] | None) -> None:
    if words is not None:
        assert postgres(dsn) == words
        return
    with pytest.raises(UnavailableError, match="invalid dsn; use postgres://") as caught:
        postgres(dsn)
    assert "secret" not in str(caught.value)


def test_the_defaults_of_gos_driver_are_a_local_server_and_encryption() -> None:
    assert with_defaults({"user": "me"}, {}) == {
        "host": "localhost",
        "sslmode": "require",
        "user": "me",
    }
    environ = {"PGHOST": "db", "PGSSLMODE": "disable"}
    assert with_defaults({}, environ) == {"host": "db", "sslmode": "disable"}
    assert with_defaults({"host": "x", "sslmode": "allow"}, environ) == {
        "host": "x",
        "sslmode": "allow",
    }
    assert with_defaults({"service": "status"}, {}) == {"service": "status"}
    assert with_defaults({}, {"PGSERVICE": "status"}) == {}


# DSNs of MySQL


@pytest.mark.parametrize(
    ("dsn", "server"),
    [
        (
            "me:p@ss:wo/rd@tcp(db.example:3307)/status?charset=utf8&parseTime=true",
            MySqlDsn(
                user="me", password="p@ss:wo/rd", host="db.example", port=3307, database="status"
            ),
        ),
        (
            "me@unix(/run/mysqld/mysqld.sock)/status",
            MySqlDsn(user="me", password="", socket="/run/mysqld/mysqld.sock", database="status"),
        ),
        (
            "me:pw@tcp([::1]:80)/a%2Fb?tls=skip-verify&loc=US%2FPacific",
            MySqlDsn(
                user="me", password="pw", host="::1", port=80, database="a/b", tls="skip-verify"
            ),
        ),
        ("me:pw@tcp(db)/x", MySqlDsn(user="me", password="pw", host="db", database="x")),
        ("me:pw@/x", MySqlDsn(user="me", password="pw", host="127.0.0.1", database="x")),
        ("/", MySqlDsn(user="", password="", host="127.0.0.1", database="")),
        ("me@unix/x", MySqlDsn(user="me", password="", socket="/tmp/mysql.sock", database="x")),
        (
            "me@tcp/x?tls=1&time_zone=%27UTC%27&timeout=5s&sql_mode=ANSI",
            MySqlDsn(
                user="me",
                password="",
                host="127.0.0.1",
                database="x",
                tls="true",
                variables={"time_zone": "'UTC'", "sql_mode": "ANSI"},
            ),
        ),
        ("me:secret@tcp(db:3306)", None),
        ("me:secret@tcp(db:3306/x", None),
        ("me:secret@udp(db:3306)/x", None),
        ("me:secret@tcp(db:port)/x", None),
        ("mysql://me:secret@db/x", None),
        ("me:secret@tcp(db)/x?tls=custom", None),
    ],
)
def test_dsns_of_mysql(dsn: str, server: MySqlDsn | None) -> None:
    if server is not None:
        assert mysql(dsn) == server
        return
    with pytest.raises(UnavailableError, match="dsn; use") as caught:
        mysql(dsn)
    assert "secret" not in str(caught.value)


# Settings


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (SqliteSettings(), "missing SQLite3 DSN (filename)"),
        (PostgresSettings(), "missing PostgreSQL DSN"),
        (MySqlSettings(), "missing MySQL DSN"),
    ],
    ids=["sqlite3", "postgres", "mysql"],
)
def test_an_empty_dsn_is_gos_error_at_the_first_use(
    settings: StorageSettings, sentence: str
) -> None:
    with pytest.raises(UnavailableError) as caught:
        settings.open(FakeClients())
    assert str(caught.value).startswith(sentence)


def test_settings_of_go_are_read(tmp_path: Path) -> None:
    dsn = "me:${PASSWORD}@tcp(db)/x"
    found = read(tmp_path, {"type": "mysql", "dsn": dsn, "create": True}, PASSWORD="pw")
    assert found == MySqlSettings(dsn="me:pw@tcp(db)/x", create=True)
    words = {"type": "postgres", "dsn": "env:DSN", "check_expiry": 86400000000000}
    assert read(tmp_path, words) == PostgresSettings(dsn="env:DSN", check_expiry=86400 * 10**9)
    words = {"provider": "sqlite3", "dsn": "checks.db"}
    assert read(tmp_path, words) == SqliteSettings(dsn="checks.db")


def test_the_deprecated_block_has_its_six_fields(tmp_path: Path) -> None:
    block: dict[str, object] = {
        "host": "db",
        "port": 5432,
        "user": "me",
        "password": "env:PASSWORD",
        "dbname": "status",
        "sslmode": "disable",
    }
    found = read(tmp_path, {"provider": "sql", "postgresql": block})
    assert found == SqlSettings(
        postgresql=PostgresqlBlock(
            host="db",
            user="me",
            password="env:PASSWORD",
            dbname="status",
            sslmode="disable",
            port=5432,
        )
    )


@pytest.mark.parametrize(
    ("storage", "sentence"),
    [
        ({}, "no configured database backend"),
        (
            {"sqlite_db_file": "x", "postgresql": {"dbname": "x", "user": "y"}},
            "several SQL backends",
        ),
        ({"postgresql": {"user": "y"}}, "missing PostgreSQL database name"),
        ({"postgresql": {"dbname": "x"}}, "missing PostgreSQL username"),
    ],
    ids=["none", "both", "no database", "no user"],
)
def test_the_errors_of_the_deprecated_block_are_gos(
    tmp_path: Path, storage: dict[str, object], sentence: str
) -> None:
    with pytest.raises(ConfigError, match=sentence) as caught:
        read(tmp_path, {"type": "sql", **storage})
    assert caught.value.problems[0].line == 1
    assert caught.value.problems[0].key.startswith("storage")


def test_the_deprecated_block_uses_tables_and_makes_none(tmp_path: Path) -> None:
    path = tmp_path / "checks.db"
    SqliteSettings(dsn=str(path), create=True).open(FakeClients()).create("state/x", b"1")
    storage = SqlSettings(sqlite_db_file=str(path)).open(FakeClients())
    stored = storage.get("state/x")
    assert stored is not None
    assert stored.body == b"1"


# The extra


def test_without_the_extra_it_says_what_to_install() -> None:
    script = """
import sys
from checkup.errors import UnavailableError
from checkup.storage import STORAGES
from tests.storage.places import FakeClients
sys.modules.update(dict.fromkeys(["sqlalchemy", "psycopg", "pymysql"]))
for kind, dsn in {"sqlite3": "x", "postgres": "postgres://x", "mysql": "/x"}.items():
    try:
        STORAGES[kind](dsn=dsn).open(FakeClients(secrets={dsn: dsn}))
    except UnavailableError as error:
        print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    hint = "needs the extra 'sql'; add it to the way you installed Checkup"
    assert done.stdout.splitlines() == [
        f"{kind}: {hint}" for kind in ("sqlite3", "postgres", "mysql")
    ]


def test_nobody_else_pays_for_the_libraries() -> None:
    script = """
import sys
import checkup.app, checkup.storage.sql
list(checkup.app.registered_kinds().storages.values())
print([name for name in ("sqlalchemy", "psycopg", "pymysql", "sqlite3") if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


# From end to end


class Fine(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep the output clean."""


def test_runs_are_stored_in_sqlite_and_shown_on_the_page(tmp_path: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Fine) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        checker = {"type": "http", "endpoint_name": "Website"}
        checker["endpoint_url"] = f"http://127.0.0.1:{server.server_port}"
        storage = {"type": "sqlite3", "dsn": "checks.db", "create": True}
        content = json.dumps({"checkers": [checker], "storage": storage})
        (tmp_path / "checkup.json").write_text(content)
        for words in (["--store"], ["--store"], ["page", "out"]):
            done = subprocess.run(
                [sys.executable, "-m", "checkup.cli", *words],
                cwd=tmp_path,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stderr
        server.shutdown()
    go = GoSqlite(tmp_path / "checks.db")
    index = go.index()
    assert len(index) == 2
    for name, moment in index.items():
        assert name == f"{moment}-check.json"
        (result,) = go.fetch(name)
        assert isinstance(result, gofile.Result)
        assert (result.title, result.healthy) == ("Website", True)
    assert "Website" in (tmp_path / "out" / "index.html").read_text()


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"type": "sqlite3", "dsn": "file:/srv/checks.db?mode=rw"}, "storage.dsn"),
        ({"type": "sql", "sqlite_db_file": "/srv/checks.db"}, "storage.sqlite_db_file"),
    ],
)
def test_sqlite_on_a_network_file_system_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], field: str
) -> None:
    def found(path: Path) -> str:
        return "nfs4" if path == Path("/srv/checks.db") else ""

    monkeypatch.setattr("checkup.storage.sql.settings.network_file_system", found)
    path = tmp_path / "checkup.json"
    path.write_text(json.dumps({"checkers": [], "storage": settings}))

    with pytest.raises(ConfigError) as caught:
        app.read_config(str(path), {})

    text = "an SQLite file on a network file system (nfs4) can be damaged; use a local disk"
    assert f"{field}: {text}" in str(caught.value)
