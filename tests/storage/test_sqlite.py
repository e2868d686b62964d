"""The file of SQLite: killed writers, a full disk, damage, others at work in it."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest

from checkup.errors import StorageError
from checkup.interfaces import Storage
from checkup.storage.sql import sqlite
from checkup.storage.sql.sqlite import SqliteBackend
from tests.storage.sql_writer import LOG, open_storage

ROOT = Path(__file__).resolve().parents[2]
HEAD = "state/head.json"
RUN = "runs/1501523631505010894-check.json"
KILLS = int(os.environ.get("CHECKUP_TEST_KILLS", "150"))

FILL = """
import resource, signal, sys
from checkup.errors import StorageError
from tests.storage.sql_writer import open_storage
storage = open_storage("sqlite3", sys.argv[1])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
try:
    for number in range(10_000):
        storage.create(f"late/{number}", b"x" * 5_000)
        print(number, flush=True)
except StorageError as error:
    print(error, file=sys.stderr)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "checks.db"


@pytest.fixture
def storage(path: Path) -> Storage:
    return open_storage("sqlite3", str(path))


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=True
    )


def body_of(storage: Storage, key: str) -> bytes:
    stored = storage.get(key)
    assert stored is not None
    return stored.body


def pragma(path: Path, name: str) -> object:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"PRAGMA {name}").fetchone()[0]


# Durability


@pytest.mark.row("103", "104")
def test_every_transaction_is_on_the_disk_before_it_is_answered(path: Path) -> None:
    with closing(SqliteBackend(str(path), create=True).connect()) as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert pragma(path, "journal_mode") == "wal"


@pytest.mark.row("103")
def test_killed_writers_lose_nothing_that_they_reported(storage: Storage, path: Path) -> None:
    words = ("-m", "tests.storage.sql_writer", "killed", "sqlite3", str(path), str(KILLS), "7")
    reported = run(*words).stdout.splitlines()
    runs = {line for line in reported if line.startswith("runs/")}
    lines = body_of(storage, LOG).decode().splitlines()
    assert len(runs) > KILLS // 3, "they were killed too early"
    assert len(lines) == len(set(lines)), "one write was done twice"
    assert set(reported) - runs <= set(lines), "a reported write is gone"
    assert len(lines) - len(set(reported) - runs) <= KILLS, "more was written than tried"
    stored = list(storage.list("runs/"))
    assert runs <= set(stored)
    assert len(stored) - len(runs) <= KILLS
    for key in stored:
        assert body_of(storage, key) == b'[{"title":"%s"}]' % key[5:24].encode()
    assert pragma(path, "integrity_check") == "ok"


@pytest.mark.row("100", "103")
def test_a_full_disk_is_named_and_does_no_harm(storage: Storage, path: Path) -> None:
    filled = run("-c", FILL, str(path))
    assert "cannot write late/" in filled.stderr
    assert "no space left" in filled.stderr or "I/O error" in filled.stderr
    reported = [f"late/{number}" for number in filled.stdout.split()]
    assert reported
    assert set(storage.list("late/")) == set(reported)
    storage.create(HEAD, b"1")
    assert pragma(path, "integrity_check") == "ok"


def test_a_file_system_without_space_is_named_even_to_a_reader(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can mount a file system")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "none", tmp_path], check=True)
    try:
        path = tmp_path / "checks.db"
        open_storage("sqlite3", str(path)).create(HEAD, b"1")
        (tmp_path / "fill").write_bytes(b"")
        with suppress(OSError), (tmp_path / "fill").open("wb", buffering=0) as fill:
            while fill.write(b"x" * 1024):
                pass
        storage = open_storage("sqlite3", str(path))

        with pytest.raises(StorageError, match=r"checks\.db: no space left on device"):
            storage.get(HEAD)
        with pytest.raises(StorageError, match=r"checks\.db: no space left on device"):
            storage.create(RUN, b"[]")
        (tmp_path / "fill").unlink()
        assert body_of(storage, HEAD) == b"1"
    finally:
        subprocess.run(["umount", "-l", tmp_path], check=True)


# Others at work


def test_readers_do_not_wait_for_a_writer(storage: Storage, path: Path) -> None:
    storage.create(HEAD, b"1")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("UPDATE documents SET body = x'32'")
        began = time.monotonic()
        assert body_of(storage, HEAD) == b"1"
        assert list(storage.list("state/")) == [HEAD]
        assert time.monotonic() - began < 5
        other.execute("ROLLBACK")


@pytest.mark.row("103")
def test_a_writer_that_never_ends_is_not_waited_for_forever(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "ANSWER_SECONDS", 0.3)
    storage = open_storage("sqlite3", str(path))
    version = storage.create(HEAD, b"1")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageError, match="another process has been writing for"):
            storage.replace(HEAD, b"2", version)
        other.execute("ROLLBACK")
    storage.replace(HEAD, b"2", version)


def test_writers_take_turns_with_the_go_program(storage: Storage, path: Path) -> None:
    version = storage.create(HEAD, b"0")
    for number in range(20):
        with closing(sqlite3.connect(path)) as other:
            row = (f"{number:019d}-check.json", number, b"[]")
            other.execute("INSERT INTO checks (name, timestamp, results) VALUES (?, ?, ?)", row)
            other.commit()
        version = storage.replace(HEAD, b"%d" % number, version)
    assert len(list(storage.list("runs/"))) == 20


# Files


def test_without_create_no_file_is_made(path: Path) -> None:
    storage = open_storage("sqlite3", str(path), create=False)
    with pytest.raises(
        StorageError, match=r'cannot open the file: check the path, or set "create"'
    ):
        storage.get(HEAD)
    assert not path.exists()


def test_create_makes_the_folders_above(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "name with #?% in it.db"
    open_storage("sqlite3", f"file:{tmp_path}/a/b/name%20with.db?cache=shared").create(HEAD, b"1")
    assert (tmp_path / "a" / "b" / "name with.db").exists()
    open_storage("sqlite3", str(path.with_name("odd #% name.db"))).create(HEAD, b"1")
    assert (tmp_path / "a" / "b" / "odd #% name.db").exists()


def test_a_relative_path_stays_where_the_program_began(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    storage = open_storage("sqlite3", "checks.db")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    storage.create(HEAD, b"1")
    assert (tmp_path / "checks.db").exists()


@pytest.mark.row("103")
def test_a_file_of_another_kind_is_named_so(path: Path) -> None:
    path.write_bytes(b"not a database at all" * 1000)
    with pytest.raises(StorageError, match="is not an SQLite database"):
        open_storage("sqlite3", str(path)).get(HEAD)


def test_a_folder_in_its_place_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot open the file"):
        open_storage("sqlite3", str(tmp_path)).get(HEAD)


@pytest.mark.row("103")
def test_a_damaged_page_is_named_and_harms_no_other_table(path: Path) -> None:
    first = open_storage("sqlite3", str(path))
    first.create(HEAD, b"1")
    for number in range(50):
        first.create(f"runs/{number:019d}-check.json", b"[]" + b" " * 2000)
    with closing(sqlite3.connect(path)) as connection:
        (page,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'checks'"
        ).fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    second = open_storage("sqlite3", str(path))
    with pytest.raises(StorageError, match="the file is damaged"):
        list(map(second.get, [RUN, "runs/0000000000000000001-check.json"]))
    assert body_of(second, HEAD) == b"1"


def test_a_broken_row_is_read_as_go_reads_it(storage: Storage, path: Path) -> None:
    storage.create(HEAD, b"1")
    with closing(sqlite3.connect(path)) as other:
        other.execute(
            "INSERT INTO checks VALUES (?, 1, CAST(x'5bff5d' AS TEXT))",
            (RUN.removeprefix("runs/"),),
        )
        other.commit()
    assert body_of(storage, RUN) == "[\ufffd]".encode()


def test_rights_lie_beside_the_file(storage: Storage, path: Path) -> None:
    storage.create(HEAD, b"1")
    with storage.lock("deliver"):
        storage.create("state/other", b"1")
    assert (path.parent / "checks.db-deliver.lock").exists()
