"""``checkup history``: stored results of one checker, as lines and as a line of blocks."""

from __future__ import annotations

import os
import pty
import subprocess
import time
from pathlib import Path

import pytest

from checkup.model import Attempt, Result, encode_results
from checkup.times import MINUTE
from tests.cli.program import SCRIPT, Program


def healthy(milliseconds: int) -> Result:
    return Result(title="Api", attempts=(Attempt(rtt=milliseconds * 1_000_000),), healthy=True)


DOWN = Result(
    title="Api",
    attempts=(Attempt(error="the connection was refused", failure="refused"),),
    down=True,
)


def store(folder: Path, *runs: tuple[int, list[Result]]) -> None:
    """Write runs that took place so many minutes ago."""
    folder.mkdir(exist_ok=True)
    for minutes, results in runs:
        slot = time.time_ns() - minutes * MINUTE
        (folder / f"{slot}-check.json").write_bytes(encode_results(results))


@pytest.fixture
def configured(checkup: Program) -> Program:
    checker = {"type": "tcp", "endpoint_name": "Api", "endpoint_url": "127.0.0.1:1"}
    checkup.write({"checkers": [checker], "storage": {"type": "fs", "dir": "checks"}})
    return checkup


def test_results_are_listed_oldest_first_without_anything_else(configured: Program) -> None:
    other = Result(title="Other", healthy=True)
    store(
        configured.folder / "checks",
        (2000, [healthy(1)]),
        (30, [DOWN, other]),
        (20, [healthy(12)]),
        (10, [other]),
    )
    ended = configured("history", "api")
    assert (ended.returncode, ended.stderr) == (0, "")
    first, second = ended.stdout.splitlines()
    assert first.split("Z  ")[1] == "down        0s  the connection was refused (refused)"
    assert second.split("Z  ")[1] == "healthy   12ms"
    assert len(configured("history", "API", "--since", "2d").stdout.splitlines()) == 3
    assert len(configured("--since", "25m", "history", "api").stdout.splitlines()) == 1


def test_results_with_an_id_go_by_it_when_the_title_has_changed(configured: Program) -> None:
    renamed = Result(title="Former name", id="api", healthy=True)
    namesake = Result(title="Api", id="another", healthy=True)
    store(configured.folder / "checks", (5, [renamed, namesake]))
    assert len(configured("history", "Api").stdout.splitlines()) == 1


def test_a_checker_that_is_no_longer_configured_can_be_named(configured: Program) -> None:
    store(configured.folder / "checks", (5, [Result(title="Gone", id="gone", healthy=True)]))
    assert len(configured("history", "gone").stdout.splitlines()) == 1


def test_nothing_found_is_an_error(configured: Program) -> None:
    ended = configured("history", "api", "--since", "2h")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert 'no result of "api" in the last 2 h' in ended.stderr


def test_a_run_that_cannot_be_read_is_left_out_and_counted(configured: Program) -> None:
    store(configured.folder / "checks", (5, [healthy(1)]), (4, []))
    (broken,) = sorted((configured.folder / "checks").iterdir())[1:]
    broken.write_text("{")
    ended = configured("history", "api")
    assert ended.returncode == 0
    assert len(ended.stdout.splitlines()) == 1
    assert "skipped 1 unreadable run" in ended.stderr


def test_a_database_has_a_history_too(checkup: Program) -> None:
    checker = {"type": "tcp", "endpoint_name": "Api", "endpoint_url": "127.0.0.1:1", "recheck": 0}
    storage = {"type": "sqlite3", "dsn": "checks.db", "create": True}
    checkup.write({"checkers": [checker], "storage": storage})
    checkup("--store")
    ended = checkup("history", "api")
    assert ended.returncode == 0
    assert "Z  down" in ended.stdout


def test_a_terminal_shows_the_plot(configured: Program) -> None:
    store(configured.folder / "checks", (3, [healthy(10)]), (2, [DOWN]), (1, [healthy(80)]))
    ours, theirs = pty.openpty()
    try:
        environment = {**configured.environment, "TERM": "xterm", "NO_COLOR": "1"}
        subprocess.run(
            [SCRIPT, "history", "api"],
            cwd=configured.folder,
            env=environment,
            stdout=theirs,
            stderr=theirs,
            stdin=subprocess.DEVNULL,
            check=True,
        )
        shown = os.read(ours, 65_536).decode()
    finally:
        os.close(ours)
        os.close(theirs)
    assert "▂x█" in shown
    assert "3 runs: 2 healthy, 1 down; median 45ms, longest 80ms" in shown
    assert "\x1b" not in shown
