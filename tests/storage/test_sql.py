"""A database that the Go program knows too; each test runs on SQLite, PostgreSQL and MariaDB."""

from __future__ import annotations

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from checkup import model
from checkup.errors import DocumentChangedError, DocumentExistsError, StorageError
from checkup.interfaces import LockState, Storage
from checkup.model import Attempt, Result, Run
from tests import gofile
from tests.storage.homes import HOMES, Home
from tests.storage.sql_writer import LOG

ROOT = Path(__file__).resolve().parents[2]
HEAD = "state/head.json"
NOW = 1_501_523_631_505_010_894
LATER = NOW + 212_345
SEEN = (
    Result(title="Testing", attempts=(Attempt(rtt=1),), healthy=True, id="testing", kind="http"),
)


@pytest.fixture(params=list(HOMES.values()), ids=list(HOMES))
def home(request: pytest.FixtureRequest) -> Home:
    made: Home = request.param(request)
    return made


def body_of(storage: Storage, key: str) -> bytes:
    stored = storage.get(key)
    assert stored is not None
    return stored.body


# What the Go program has written


@pytest.mark.row("C28")
def test_runs_of_go_are_read_as_they_were_written(home: Home) -> None:
    home.go.create()
    written = gofile.write([gofile.Result(title="Größe \u2028 <b>", down=True)])
    for number in range(3):
        home.go.store(NOW + number * 10**9, LATER + number * 10**9, written)
    storage = home.open()
    keys = list(storage.list("runs/"))
    assert keys == [f"runs/{NOW + number * 10**9}-check.json" for number in range(3)]
    assert [body_of(storage, key) for key in keys] == [written] * 3
    assert list(storage.list("runs/", keys[0])) == keys[1:]


def test_the_table_of_go_is_left_as_it_is(home: Home) -> None:
    home.go.create()
    name = home.go.store(NOW, LATER, b"[]")
    storage = home.open()
    storage.create(HEAD, b"{}")
    home.go.create()
    assert home.go.index() == {name: LATER}
    assert body_of(storage, HEAD) == b"{}"


def test_a_row_without_results_is_an_empty_document(home: Home) -> None:
    home.go.create()
    key = "runs/" + home.go.store(NOW, LATER, None)
    body = body_of(home.open(), key)
    with pytest.raises(ValueError, match="not a check file"):
        model.decode_results(body)


def test_rows_of_other_names_belong_to_somebody_else(home: Home) -> None:
    home.go.create()
    for number, name in enumerate(("1-check.json", "x", f"{NOW}-check.json.old", f"{NOW}", "")):
        home.do(f"INSERT INTO checks VALUES ('{name}', {number}, '[]')")
    storage = home.open()
    storage.create(f"runs/{NOW}-check.json", b"[]")
    assert list(storage.list("runs/")) == [f"runs/{NOW}-check.json"]
    assert len(home.go.index()) == 6


# What Go makes of what we write


@pytest.mark.row("C01", "C28")
def test_go_reads_our_runs(home: Home) -> None:
    run = Run(slot=NOW, results=SEEN)
    home.open().create(model.run_key(run), model.encode_results(SEEN))
    assert home.go.index() == {run.file_name: NOW}
    assert home.go.fetch(run.file_name) == [
        gofile.Result(title="Testing", times=[gofile.Attempt(rtt=1)], healthy=True)
    ]


@pytest.mark.row("C01")
def test_results_are_the_bytes_of_go_without_a_newline(home: Home) -> None:
    home.open().create(f"runs/{NOW}-check.json", model.encode_results([Result(title="Testing")]))
    assert home.go.body(f"{NOW}-check.json") == b'[{"title":"Testing"}]'


def test_go_stores_and_expires_beside_us(home: Home) -> None:
    storage = home.open()
    storage.create(f"runs/{NOW}-check.json", b"[]")
    storage.create(HEAD, b"{}")
    name = home.go.store(NOW + 10**9, LATER + 10**9, b"[]")
    home.go.maintain(NOW + 1)
    assert list(storage.list("runs/")) == [f"runs/{name}"]
    assert body_of(storage, HEAD) == b"{}"


def test_documents_are_not_among_the_checks_of_go(home: Home) -> None:
    storage = home.open()
    for key in (HEAD, f"late/{NOW}-check.json", "quarantine/x"):
        storage.create(key, b"{}")
    assert home.go.index() == {}


# Limits of the table


def test_a_run_may_be_large(home: Home) -> None:
    results = [Result(title=f"Number {n} \u00e9", healthy=True) for n in range(60_000)]
    body = model.encode_results(results)
    assert len(body) > 2_500_000
    home.open().create(f"runs/{NOW}-check.json", body)
    assert body_of(home.open(), f"runs/{NOW}-check.json") == body


def test_a_moment_that_a_row_has_already_is_not_a_key_that_exists(home: Home) -> None:
    home.go.create()
    home.go.store(NOW, LATER, b"[]")
    storage = home.open()
    with pytest.raises(
        StorageError, match="another row of checks has the same timestamp"
    ) as caught:
        storage.create(f"runs/{LATER}-check.json", b"[]")
    assert not isinstance(caught.value, DocumentExistsError)


def test_a_moment_after_the_year_2262_is_refused(home: Home) -> None:
    with pytest.raises(StorageError, match="the timestamp is too large"):
        home.open().create("runs/9999999999999999999-check.json", b"[]")


def test_a_replaced_run_is_one_row(home: Home) -> None:
    storage = home.open()
    key = f"runs/{NOW}-check.json"
    version = storage.replace(key, b"[2]", storage.create(key, b"[1]"))
    with pytest.raises(DocumentChangedError):
        storage.replace(key, b"[3]", "another")
    assert storage.replace(key, b"[4]", version)
    assert home.go.index() == {f"{NOW}-check.json": NOW}
    assert home.go.body(f"{NOW}-check.json") == b"[4]"


def test_a_version_never_comes_again(home: Home) -> None:
    storage = home.open()
    version = storage.create(HEAD, b"{}")
    storage.delete(HEAD)
    storage.create(HEAD, b"{}")
    with pytest.raises(DocumentChangedError):
        storage.replace(HEAD, b"x", version)


# Tables


@pytest.mark.parametrize("there", ["nothing", "checks"])
def test_without_create_a_missing_table_says_what_to_do(home: Home, there: str) -> None:
    home.go.do("SELECT 1")  # so that SQLite has a file
    if there == "checks":
        home.go.create()
    with pytest.raises(StorageError, match=r'run `checkup provision`, or set "create": true'):
        home.open(create=False).get(HEAD)


def test_without_create_the_tables_of_another_time_are_used(home: Home) -> None:
    home.open().create(HEAD, b"{}")
    assert body_of(home.open(create=False), HEAD) == b"{}"


@pytest.mark.parametrize("table", ["checks", "documents"])
def test_a_table_that_disappears_says_what_to_do(home: Home, table: str) -> None:
    storage = home.open()
    storage.create(HEAD, b"{}")
    home.do(f"DROP TABLE {table}")
    with pytest.raises(StorageError, match=r"table is missing: run `checkup provision`"):
        storage.get(HEAD if table == "documents" else f"runs/{NOW}-check.json")


def test_many_make_the_tables_at_once(home: Home) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: home.open().create(f"state/{n}", b"{}"), range(8)))
    assert list(home.open().list("state/")) == [f"state/{n}" for n in range(8)]


@pytest.mark.row("96", "103")
def test_the_tables_of_a_newer_program_are_left_alone(home: Home) -> None:
    home.open().create(HEAD, b"{}")
    home.do("UPDATE documents SET body = '99' WHERE version = ''")
    for create in (True, False):
        storage = home.open(create=create)
        with pytest.raises(StorageError, match="version 99, from a newer Checkup"):
            storage.create("state/other", b"{}")
    home.do("UPDATE documents SET body = '1' WHERE version = ''")
    assert list(home.open().list("state/")) == [HEAD]


@pytest.mark.row("103")
def test_tables_that_were_half_made_are_completed(home: Home) -> None:
    home.open().create(HEAD, b"{}")
    home.do("DELETE FROM documents WHERE version = ''")
    home.do("DROP TABLE checks")
    with pytest.raises(StorageError, match="missing"):
        home.open(create=False).get(HEAD)
    assert body_of(home.open(), HEAD) == b"{}"
    assert home.go.index() == {}


# Processes


def writer(*words: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.storage.sql_writer", *map(str, words)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True)


@pytest.mark.row("88", "101")
def test_writers_in_several_processes_lose_nothing(home: Home) -> None:
    home.open().create("state/other", b"")
    with ExitStack() as stack:
        writers = [
            stack.enter_context(writer("append", home.kind, home.dsn, name, 10)) for name in "abcd"
        ]
        for one in writers:
            assert one.stdin is not None
            one.stdin.write("\n")
            one.stdin.flush()
        for one in writers:
            one.communicate(timeout=100)
        assert [one.returncode for one in writers] == [0] * 4
    lines = body_of(home.open(), LOG).decode().split()
    assert sorted(lines) == sorted(f"{name}-{number}" for name in "abcd" for number in range(10))


def test_nobody_waits_for_a_killed_owner_of_a_right(home: Home) -> None:
    storage = home.open()
    storage.get(HEAD)
    with writer("hold", home.kind, home.dsn) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "mine\n"
        with storage.lock("deliver") as held, storage.lock("expire") as other:
            assert (held, other) == (LockState.HELD_ELSEWHERE, LockState.ACQUIRED)
        owner.kill()
        assert owner.wait() == -signal.SIGKILL
    with storage.lock("deliver") as held:
        assert held is LockState.ACQUIRED
