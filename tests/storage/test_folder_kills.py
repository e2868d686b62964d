"""The folder under kill -9 and many writers: nothing is lost, nothing is unreadable."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from checkup.interfaces import LockState
from checkup.storage.folder import FolderStorage
from tests import gofile
from tests.storage.folder_writer import HEAD, LOG, NEW, OLD, RUN

ROOT = Path(__file__).resolve().parents[2]
KILLED = -signal.SIGKILL


def start(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.storage.folder_writer", *map(str, arguments)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True)


def let_go(writers: list[subprocess.Popen[str]]) -> None:
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("\n")
        writer.stdin.flush()


def killed_at_every_call(command: str, folder: Path) -> Iterator[FolderStorage]:
    """Yield the folder after a kill before the first call, the second … until none is left."""
    for fatal in range(1, 100):
        with start(command, folder, fatal) as process:
            process.wait(60)
        yield FolderStorage(folder)
        if process.returncode == 0:
            assert fatal > 10, "the calls were not seen"
            return
        assert process.returncode == KILLED
    pytest.fail("it makes more calls than expected")


@pytest.mark.row("99")
def test_a_kill_at_any_call_leaves_a_whole_run_or_none(tmp_path: Path) -> None:
    for storage in killed_at_every_call("create", tmp_path):
        stored = storage.get(RUN)
        assert stored is None or stored.body == NEW
        assert list(storage.list("runs/")) == ([RUN] if stored else [])
        storage.delete(RUN)
        later = "runs/1700000000000000001-check.json"
        storage.create(later, b"[]")
        index = gofile.read_index((tmp_path / "index.json").read_bytes())
        assert list(index) == [later.removeprefix("runs/")]
        storage.delete(later)


@pytest.mark.row("99")
def test_a_kill_at_any_call_leaves_the_old_document_or_the_new(tmp_path: Path) -> None:
    FolderStorage(tmp_path).create(HEAD, OLD)
    for storage in killed_at_every_call("replace", tmp_path):
        stored = storage.get(HEAD)
        assert stored is not None
        assert stored.body in {OLD, NEW}
        assert list(storage.list("state/")) == [HEAD]
        storage.replace(HEAD, OLD, stored.version)


@pytest.mark.row("99", "101")
def test_writers_that_are_killed_lose_nothing_that_they_reported(tmp_path: Path) -> None:
    chance = random.Random(7)
    reported: list[str] = []
    kills = 0
    for number in range(8):
        with ExitStack() as stack:
            writers = [
                stack.enter_context(start("append", tmp_path, f"{number}-{writer}", 10_000))
                for writer in range(3)
            ]
            let_go(writers)
            for writer in writers:
                assert writer.stdout is not None
                reported.append(writer.stdout.readline())
            time.sleep(chance.uniform(0, 0.05))
            for writer in writers:
                writer.kill()
                kills += 1
            for writer in writers:
                assert writer.stdout is not None
                reported.extend(line for line in writer.stdout if line.endswith("\n"))
    stored = FolderStorage(tmp_path).get(LOG)
    assert stored is not None
    lines = stored.body.decode().splitlines(keepends=True)
    assert len(lines) == len(set(lines)), "one write was done twice"
    assert set(reported) <= set(lines), "a reported write is gone"
    assert len(lines) - len(reported) <= kills, "more was written than tried"


@pytest.mark.row("101", "C16")
def test_forty_writers_lose_nothing(tmp_path: Path) -> None:
    with ExitStack() as stack:
        writers = [stack.enter_context(start("append", tmp_path, n, 1)) for n in range(40)]
        let_go(writers)
        assert [writer.wait(100) for writer in writers] == [0] * 40
    stored = FolderStorage(tmp_path).get(LOG)
    assert stored is not None
    assert sorted(stored.body.decode().split()) == sorted(f"{n}-0" for n in range(40))


@pytest.mark.row("C16")
def test_the_index_misses_none_of_forty_runs(tmp_path: Path) -> None:
    names = [f"{1_700_000_000_000_000_000 + n}-check.json" for n in range(40)]
    with ThreadPoolExecutor(40) as pool:
        list(pool.map(lambda name: FolderStorage(tmp_path).create(f"runs/{name}", b"[]"), names))
    assert list(gofile.read_index((tmp_path / "index.json").read_bytes())) == names


def test_nobody_waits_for_a_killed_owner_of_a_right(tmp_path: Path) -> None:
    script = (
        "import sys, time; from checkup.storage.folder import FolderStorage\n"
        "with FolderStorage(sys.argv[1]).lock('deliver') as hold:\n"
        "    print(hold.value, flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    storage = FolderStorage(tmp_path)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "mine\n"
        with storage.lock("deliver") as hold:
            assert hold is LockState.HELD_ELSEWHERE
        owner.kill()
        owner.wait()
    with storage.lock("deliver") as hold:
        assert hold is LockState.ACQUIRED


@pytest.mark.row("99")
def test_a_kill_leaves_no_temporary_file_for_ever(tmp_path: Path) -> None:
    left = tmp_path / ".checkup" / "0123456789abcdef.tmp"
    left.parent.mkdir()
    left.write_bytes(b"half")
    storage = FolderStorage(tmp_path)
    storage.create("state/a", b"{}")
    assert left.exists(), "somebody may still be writing it"
    two_hours_ago = time.time() - 7200
    os.utime(left, (two_hours_ago, two_hours_ago))
    storage.create("state/b", b"{}")
    assert sorted(path.name for path in left.parent.glob("*.tmp")) == []
    assert list(storage.list("state/")) == ["state/a", "state/b"]
