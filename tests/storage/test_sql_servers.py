"""Servers of databases that restart, refuse, hang or lose an answer."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from threading import Event, Thread

import psycopg
import pytest
from sqlalchemy import Connection

from checkup.errors import DocumentChangedError, DocumentExistsError, StorageError
from checkup.interfaces import LockState, Storage
from checkup.storage.sql import mysql, postgres
from checkup.storage.sql.database import Database
from checkup.storage.sql.mysql import parse_mysql_dsn
from checkup.storage.sql.postgres import PostgresBackend, parse_postgres_dsn
from checkup.times import SECOND
from tests import databases
from tests.databases import PASSWORD, Server
from tests.servers.partition import partition
from tests.servers.wire_faults import Lost, Wire, wire
from tests.storage.sql_writer import LOG, append_line, open_storage

HEAD = "state/head.json"
RUN = "runs/1501523631505010894-check.json"
KINDS = {"postgresql": "postgres", "mariadb": "mysql"}
PLAIN: dict[str, dict[str, str]] = {"postgresql": {"sslmode": "disable"}, "mariadb": {}}


@dataclass(frozen=True)
class There:
    """A server, and a database on it that is empty at the start of a test."""

    name: str
    server: Server
    database: str

    def open(self, *, create: bool = True) -> Storage:
        return open_storage(KINDS[self.name], self.server.dsn(self.database), create=create)

    def open_by(self, line: Wire) -> Storage:
        dsn = self.server.dsn(self.database, line.port, **PLAIN[self.name])
        return open_storage(KINDS[self.name], dsn)

    def ask(self, statement: str) -> list[tuple[object, ...]]:
        return self.server.ask(statement, self.database)


@pytest.fixture(params=["postgresql", "mariadb"])
def there(request: pytest.FixtureRequest) -> There:
    fixture = {"postgresql": "postgres", "mariadb": "mariadb"}[request.param]
    server: Server = request.getfixturevalue(fixture)
    return There(request.param, server, server.new_database())


def body_of(storage: Storage, key: str) -> bytes:
    stored = storage.get(key)
    assert stored is not None
    return stored.body


def refused(act: Callable[[], object], why: str) -> None:
    """Check the sentence, and that nothing of the password is in any part of the error."""
    with pytest.raises(StorageError, match=why) as caught:
        act()
    whole = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert "horse" not in whole
    assert "staple" not in whole


# Restarts


def test_a_restarted_server_is_found_again(there: There) -> None:
    storage = there.open()
    version = storage.create(HEAD, b"1")
    there.server.crash()
    there.server.start()
    assert body_of(storage, HEAD) == b"1"
    there.server.crash()
    there.server.start()
    storage.replace(HEAD, b"2", version)
    assert body_of(storage, HEAD) == b"2"


def test_a_server_that_is_gone_is_a_storage_error_and_comes_back(there: There) -> None:
    storage = there.open()
    storage.create(HEAD, b"1")
    there.server.crash()
    try:
        refused(
            lambda: storage.get(HEAD),
            r"cannot read state/head\.json in .*: (conn|no resp|the se|cannot conn)",
        )
        refused(lambda: there.open().create(HEAD, b""), "cannot write")
        refused(storage.now_ns, "cannot read the time")
        refused(lambda: storage.lock("x").__enter__(), "cannot lock x")
    finally:
        there.server.start()
    assert body_of(storage, HEAD) == b"1"


class Writer(Thread):
    """Adds lines to the log, each until it is answered or seen.

    Attributes:
        answered: the lines so far.
    """

    def __init__(self, there: There, name: str, over: Event) -> None:
        super().__init__()
        self.answered: list[str] = []
        self._storage = there.open()
        self._lines = (f"{name}-{number}\n" for number in count())
        self._over = over

    def run(self) -> None:
        for line in self._lines:
            while not self._stored(line):
                if self._over.is_set():
                    return
            self.answered.append(line)

    def _stored(self, line: str) -> bool:
        try:
            if line.encode() not in body_of(self._storage, LOG):
                append_line(self._storage, line.encode())
        except StorageError:
            return False
        return not self._over.is_set()


@pytest.mark.row("91")
def test_a_crash_in_the_middle_loses_nothing_that_was_answered(there: There) -> None:
    there.open().create(LOG, b"")
    over = Event()
    writers = [Writer(there, name, over) for name in "ab"]
    for writer in writers:
        writer.start()
    for restart in range(3):
        goal = len(writers[0].answered) + 15
        wait_for(lambda goal=goal: len(writers[0].answered) > goal)  # type: ignore[misc]
        if restart < 2:
            there.server.crash()
            there.server.start()
    over.set()
    for writer in writers:
        writer.join(60)
    lines = body_of(there.open(), LOG).decode().splitlines(keepends=True)
    assert len(lines) == len(set(lines))
    assert {line for writer in writers for line in writer.answered} <= set(lines)


def wait_for(done: Callable[[], bool]) -> None:
    for _ in range(6000):
        if done():
            return
        Event().wait(0.01)
    pytest.fail("it does not come to pass")


def test_an_idle_connection_that_was_ended_is_replaced(there: There) -> None:
    storage = there.open()
    storage.create(HEAD, b"1")
    if there.name == "postgresql":
        there.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename='checkup'")
    else:
        ids = there.ask("SELECT id FROM information_schema.processlist WHERE user='checkup'")
        for (number,) in ids:
            there.ask(f"KILL {number}")
    assert body_of(storage, HEAD) == b"1"


# Lost questions and answers


@pytest.mark.row("90")
@pytest.mark.parametrize("lost", list(Lost), ids=str)
@pytest.mark.parametrize("key", [HEAD, RUN], ids=["document", "run"])
def test_a_create_whose_commit_is_lost_happens_once(there: There, key: str, lost: Lost) -> None:
    with wire(there.server.port) as line:
        storage = there.open_by(line)
        storage.get(key)
        line.lose = lost
        version = storage.create(key, b"[]")
        assert line.broken == 1
        stored = storage.get(key)
        assert stored is not None
        assert (stored.body, stored.version) == (b"[]", version)
        with pytest.raises(DocumentExistsError):
            storage.create(key, b"[]")


@pytest.mark.row("90")
@pytest.mark.parametrize("lost", list(Lost), ids=str)
@pytest.mark.parametrize("key", [HEAD, RUN], ids=["document", "run"])
def test_a_replace_whose_commit_is_lost_happens_once(there: There, key: str, lost: Lost) -> None:
    with wire(there.server.port) as line:
        storage = there.open_by(line)
        first = storage.create(key, b"[1]")
        line.lose = lost
        second = storage.replace(key, b"[2]", first)
        assert line.broken == 1
        with pytest.raises(DocumentChangedError):
            storage.replace(key, b"[3]", first)
        assert storage.replace(key, b"[4]", second)


def test_a_create_whose_answer_is_lost_is_not_mistaken_for_anothers(there: There) -> None:
    with wire(there.server.port) as line:
        storage = there.open_by(line)
        there.open().create(HEAD, b"theirs")
        storage.get(RUN)
        line.lose = Lost.ANSWER
        with pytest.raises(DocumentExistsError):
            storage.create(HEAD, b"mine")


# Refusals


def test_a_wrong_password_is_named_and_not_shown(there: There) -> None:
    dsn = there.server.dsn(there.database).replace("horse", "horse-of-another")
    storage = open_storage(KINDS[there.name], dsn)
    refused(lambda: storage.get(HEAD), "wrong user or password")


def test_a_database_that_is_not_there_is_named_so(there: There) -> None:
    name = "postgres" if there.name == "postgresql" else there.database
    dsn = there.server.dsn(there.database).replace(f"/{name}?", "/nowhere?")
    why = (
        "the database does not exist" if there.name == "postgresql" else "no access to the database"
    )
    refused(lambda: open_storage(KINDS[there.name], dsn).get(HEAD), why)


def test_a_user_who_may_only_read_is_told_what_it_takes(there: There) -> None:
    there.open().create(HEAD, b"1")
    if there.name == "postgresql":
        there.ask("REVOKE INSERT, UPDATE ON checks, documents FROM checkup")
    else:
        there.ask(f"REVOKE ALL ON {there.database}.* FROM checkup@'%'")
        there.ask(f"GRANT SELECT ON {there.database}.* TO checkup@'%'")
    storage = there.open(create=False)
    assert body_of(storage, HEAD) == b"1"
    refused(lambda: storage.create(RUN, b"[]"), "required: SELECT, INSERT, UPDATE and DELETE")


def test_a_table_that_somebody_locked_is_not_waited_for_forever(
    there: There, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (mysql, postgres):
        monkeypatch.setattr(module, "ANSWER_SECONDS", 2)
    storage = there.open()
    version = storage.create(HEAD, b"1")
    with closing(there.server.connect(there.database)) as other:
        other.cursor().execute("SELECT 1 FROM documents FOR UPDATE")
        refused(lambda: storage.replace(HEAD, b"2", version), "timed out")
    storage.replace(HEAD, b"2", version)


def test_a_document_of_many_megabytes_is_stored_or_refused(there: There) -> None:
    storage = there.open()
    body = b"x" * 17_000_000
    if there.name == "postgresql":
        storage.create("state/large", body)
        assert body_of(storage, "state/large") == body
    else:
        refused(lambda: storage.create("state/large", body), "max_allowed_packet|no response")
    storage.create(HEAD, b"1")


def test_rights_of_different_databases_are_different(there: There) -> None:
    other = There(there.name, there.server, there.server.new_database())
    with there.open().lock("deliver") as mine, other.open().lock("deliver") as theirs:
        assert mine is theirs is LockState.ACQUIRED


def test_a_right_is_free_again_after_its_connection_broke(there: There) -> None:
    storage = there.open()
    with storage.lock("deliver") as held:
        assert held is LockState.ACQUIRED
        there.server.crash()
        there.server.start()
    with storage.lock("deliver") as held:
        assert held is LockState.ACQUIRED


def test_a_network_that_drops_everything_is_a_storage_error_and_heals(
    there: There, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (mysql, postgres):
        monkeypatch.setattr(module, "ANSWER_SECONDS", 2)
        monkeypatch.setattr(module, "CONNECT_SECONDS", 1)
    with partition(there.server.port) as line:
        dsn = there.server.dsn(there.database, line.port, **PLAIN[there.name])
        storage = open_storage(KINDS[there.name], dsn)
        version = storage.create(HEAD, b"1")
        line.open.clear()
        began = time.monotonic()

        refused(lambda: storage.replace(HEAD, b"2", version), "no response|cannot connect")
        assert time.monotonic() - began < 30
        line.open.set()
        assert body_of(storage, HEAD) == b"1"


# PostgreSQL alone


def test_a_lock_behind_a_pooler_is_held_for_its_block_and_free_afterwards(
    postgres: databases.Postgres, pgbouncer: int
) -> None:
    dsn = postgres.dsn(postgres.new_database(), pgbouncer, sslmode="disable")
    one, other = open_storage("postgres", dsn), open_storage("postgres", dsn)
    version = one.create(HEAD, b"0")
    for number in range(20):
        with one.lock("deliver") as mine:
            version = other.replace(HEAD, b"%d" % number, version)
            with other.lock("deliver") as theirs:
                assert (mine, theirs) == (LockState.ACQUIRED, LockState.HELD_ELSEWHERE)


def test_nothing_is_left_in_a_session_that_a_pooler_gives_to_others(
    postgres: databases.Postgres, pgbouncer: int
) -> None:
    name = postgres.new_database()
    storage = open_storage("postgres", postgres.dsn(name, pgbouncer, sslmode="disable"))
    version = storage.create(HEAD, b"0")
    for number in range(20):  # psycopg prepares what it is asked five times
        version = storage.replace(HEAD, b"%d" % number, version)

    plain = f"host=127.0.0.1 port={pgbouncer} user=checkup dbname=postgres sslmode=disable"
    with closing(psycopg.connect(plain, password=PASSWORD)) as session:
        for setting in ("statement_timeout", "search_path"):
            value = session.execute(f"SHOW {setting}".encode()).fetchone()
            assert value is not None
            assert value[0] in {"0", '"$user", public'}
            session.rollback()


def test_a_transaction_whose_client_is_paused_does_not_hold_up_others(
    postgres: databases.Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("checkup.storage.sql.postgres.ANSWER_SECONDS", 4)
    name = postgres.new_database()
    paused = PostgresBackend(parse_postgres_dsn(postgres.dsn(name)))
    storage = open_storage("postgres", postgres.dsn(name))
    version = storage.create(HEAD, b"0")
    replaced: list[str] = []

    def write(connection: Connection, lost: bool) -> None:
        connection.exec_driver_sql("UPDATE documents SET body = body")
        if not lost:
            replaced.append(storage.replace(HEAD, b"1", version))

    Database(paused).write(write)

    assert len(replaced) == 1
    assert body_of(storage, HEAD) == b"1"


def test_postgresql_is_asked_for_encryption_unless_told_otherwise(
    postgres: databases.Postgres,
) -> None:
    asked = "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)"
    for word, encrypted in (("", True), ("&sslmode=disable", False)):
        name = postgres.new_database()
        storage = open_storage("postgres", postgres.dsn(name, application_name=name) + word)
        storage.create(HEAD, b"1")
        assert postgres.ask(f"{asked} WHERE application_name = '{name}'") == [(encrypted,)]


def test_postgresql_without_encryption_says_how_to_do_without(
    postgres: databases.Postgres,
) -> None:
    storage = open_storage("postgres", postgres.dsn(postgres.new_database()))
    postgres.ask("ALTER SYSTEM SET ssl = off")
    postgres.ask("SELECT pg_reload_conf()")
    try:
        wait_for(lambda: postgres.ask("SHOW ssl") == [("off",)])
        refused(
            lambda: storage.get(HEAD), "does not support TLS; to go without, add sslmode=disable"
        )
    finally:
        postgres.ask("ALTER SYSTEM RESET ssl")
        postgres.ask("SELECT pg_reload_conf()")
        wait_for(lambda: postgres.ask("SHOW ssl") == [("on",)])


def test_postgresql_is_trusted_by_the_authority_that_is_named(
    postgres: databases.Postgres,
) -> None:
    database = postgres.new_database()
    trusted = str(postgres.folder / "authority.pem")
    good = postgres.dsn(database, sslmode="verify-full", sslrootcert=trusted)
    open_storage("postgres", good).create(HEAD, b"1")
    other = str(postgres.folder / "server.pem")
    bad = postgres.dsn(database, sslmode="verify-full", sslrootcert=other)
    refused(lambda: open_storage("postgres", bad).get(HEAD), "certificate is not trusted")
    absent = postgres.dsn(database, sslmode="verify-full", sslrootcert="/nowhere.pem")
    refused(lambda: open_storage("postgres", absent).get(HEAD), r"add sslrootcert=…")


def test_postgresql_that_is_read_only_is_named_so(postgres: databases.Postgres) -> None:
    database = postgres.new_database()
    open_storage("postgres", postgres.dsn(database)).create(HEAD, b"1")
    dsn = postgres.dsn(database, default_transaction_read_only="on")
    storage = open_storage("postgres", dsn)
    assert body_of(storage, HEAD) == b"1"
    refused(lambda: storage.create(RUN, b"[]"), "the server is read-only")


def test_postgresql_takes_the_words_of_a_dsn_too(postgres: databases.Postgres) -> None:
    password = PASSWORD.replace("'", r"\'")
    words = (
        f"host=localhost port={postgres.port} user=checkup password='{password}' dbname=postgres"
    )
    dsn = f"{words} search_path={postgres.new_database()} sslmode=require binary_parameters=yes"
    storage = open_storage("postgres", dsn)
    assert body_of(storage, storage.create(HEAD, b"1") and HEAD) == b"1"


# MySQL alone


def test_a_run_that_the_table_of_go_cannot_hold_says_how_to_widen_it(
    mariadb: databases.MariaDb,
) -> None:
    database = mariadb.new_database()
    table = (
        "(name VARCHAR(512) NOT NULL PRIMARY KEY, timestamp BIGINT NOT NULL UNIQUE, results TEXT)"
    )
    mariadb.ask(f"CREATE TABLE checks {table}", database)
    storage = open_storage("mysql", mariadb.dsn(database))
    storage.create(RUN, b"x" * 65_535)
    too_large = RUN.replace("runs/1", "runs/2")
    refused(lambda: storage.create(too_large, b"x" * 65_536), "MODIFY results MEDIUMTEXT")
    assert storage.get(too_large) is None
    mariadb.ask("ALTER TABLE checks MODIFY results MEDIUMTEXT", database)
    storage.create(too_large, b"x" * 65_536)


def test_a_character_that_the_table_of_go_cannot_hold_is_refused(
    mariadb: databases.MariaDb,
) -> None:
    database = mariadb.new_database()
    table = "(name VARCHAR(512) PRIMARY KEY, timestamp BIGINT UNIQUE, results TEXT) CHARSET latin1"
    mariadb.ask(f"CREATE TABLE checks {table}", database)
    storage = open_storage("mysql", mariadb.dsn(database, sql_mode="''"))
    refused(lambda: storage.create(RUN, "\U0001f600".encode()), "use utf8mb4")
    storage.create(RUN, "\u00e9".encode())
    assert body_of(storage, RUN) == "\u00e9".encode()


def test_mysql_is_reached_by_its_socket(mariadb: databases.MariaDb) -> None:
    dsn = f"checkup:{PASSWORD}@unix({mariadb.socket})/{mariadb.new_database()}?parseTime=true"
    storage = open_storage("mysql", dsn)
    storage.create(HEAD, b"1")
    assert body_of(storage, HEAD) == b"1"


def test_variables_of_the_session_are_set_as_go_sets_them(mariadb: databases.MariaDb) -> None:
    dsn = mariadb.dsn(mariadb.new_database(), time_zone="'+05:00'")
    with (
        closing(mysql.MySqlBackend(parse_mysql_dsn(dsn)).connect()) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT @@time_zone, @@innodb_lock_wait_timeout")
        assert cursor.fetchall() == (("+05:00", 5),)
    elsewhere = open_storage("mysql", mariadb.dsn(mariadb.new_database()))
    assert abs(open_storage("mysql", dsn).now_ns() - elsewhere.now_ns()) < 60 * SECOND


def test_mysql_without_encryption_is_refused_where_it_is_wanted(mariadb: databases.MariaDb) -> None:
    dsn = mariadb.dsn(mariadb.new_database(), tls="skip-verify")
    refused(lambda: open_storage("mysql", dsn).get(HEAD), "TLS is not available or not trusted")
