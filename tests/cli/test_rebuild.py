"""Counting the history again, as its users do."""

from __future__ import annotations

from pathlib import Path

from checkup.model import Status, encode_results, run_key
from checkup.storage.folder import FolderStorage
from tests.cli.program import Program
from tests.history.worlds import START, every

HOUR = 3600 * 1_000_000_000
CHECKER = {"type": "tcp", "endpoint_name": "API", "endpoint_url": "127.0.0.1:80"}
CONFIG = {"checkers": [CHECKER], "storage": {"type": "fs", "dir": "checks"}}


def store(folder: Path, count: int) -> None:
    storage = FolderStorage(folder / "checks")
    for run in every(HOUR, [Status.HEALTHY] * count, start=START - 365 * 24 * HOUR):
        storage.create(run_key(run), encode_results(run.results))


def history(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in (folder / "checks/history").rglob("*.json")}


def test_days_are_counted_again_from_the_stored_runs(checkup: Program, tmp_path: Path) -> None:
    store(tmp_path, 100)
    checkup.write(CONFIG)
    checkup("page", "public")
    before = history(tmp_path)
    for path in (tmp_path / "checks/history/days").iterdir():
        path.unlink()

    ended = checkup("rebuild")

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "100 runs counted\n", "")
    assert history(tmp_path) == before


def test_days_whose_runs_are_gone_stay(checkup: Program, tmp_path: Path) -> None:
    store(tmp_path, 20)
    checkup.write(CONFIG)
    checkup("page", "public")
    before = history(tmp_path)
    checkup.runs()[0].unlink()

    ended = checkup("rebuild")

    assert ended.returncode != 0
    assert "do not cover a whole day; nothing was changed" in ended.stderr
    assert history(tmp_path) == before
