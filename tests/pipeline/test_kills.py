"""``kill -9`` at every step of a storing run, then three quiet runs: nothing lost or unreadable."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from checkup.alerting.state import STATE_KEY, decode_state
from checkup.deadline import Deadline
from checkup.interfaces import LockState, Storage, StoredDocument
from checkup.model import RUNS_PREFIX, Status
from checkup.pipeline import RunContext, store_run
from checkup.times import SECOND
from tests import gofile
from tests.pipeline.doomed_run import CHECKERS, open_place, s3_client, seen, slack
from tests.servers.slack import FakeSlack

ROOT = Path(__file__).parents[2]
STEPS = 13
"""What the run that finds the outage takes; before the step after the last nothing dies."""

EVERY_STEP = pytest.mark.parametrize("step", range(STEPS + 1))


@pytest.fixture(name="fake_slack")
def _fake_slack() -> Iterator[FakeSlack]:
    with FakeSlack() as server:
        yield server


@pytest.fixture(name="s3", scope="module")
def _s3() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


class Later:
    """A storage whose clock is some time ahead, so that no test waits for a claim to end."""

    def __init__(self, storage: Storage, ahead: int) -> None:
        self._storage = storage
        self._ahead = ahead

    def get(self, key: str) -> StoredDocument | None:
        return self._storage.get(key)

    def create(self, key: str, body: bytes) -> str:
        return self._storage.create(key, body)

    def replace(self, key: str, body: bytes, version: str) -> str:
        return self._storage.replace(key, body, version)

    def list(self, prefix: str, after: str = "") -> Iterator[str]:
        return self._storage.list(prefix, after)

    def delete(self, key: str) -> None:
        self._storage.delete(key)

    def now_ns(self) -> int:
        return self._storage.now_ns() + self._ahead

    def lock(self, name: str) -> AbstractContextManager[LockState]:
        return self._storage.lock(name)


class Trial:
    """One place, in which a healthy run has been, and one channel."""

    def __init__(self, place: str, fake: FakeSlack, until: ExitStack) -> None:
        self._place = place
        self._slack = fake
        self._storage = open_place(place, until)
        self._start = time.time_ns() - 60 * SECOND
        self.happen(0, "hh")

    def happen(self, number: int, letters: str, *, ahead: int = 0) -> None:
        """Let an undisturbed run happen in this process."""
        monitor = RunContext(
            checkers=CHECKERS,
            storage=Later(self._storage, ahead),
            channels={"slack": slack(self._slack.webhook)},
        )
        store_run(monitor, seen(self._slot(number), letters), Deadline.after(5))

    def die(self, number: int, letters: str, step: int) -> int | None:
        """Let a run happen in a process that dies at a step; return the steps if it survived."""
        arguments = [self._place, self._slack.webhook, str(self._slot(number)), letters, str(step)]
        process = subprocess.run(
            [sys.executable, "-m", "tests.pipeline.doomed_run", *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert process.returncode in {0, -signal.SIGKILL}, process.stderr
        return int(process.stdout) if process.returncode == 0 else None

    def judge(self) -> None:
        """Nothing is lost, what is doubled says so, and everything that is stored can be read."""
        told: list[str] = []
        for message, ids in zip(self._slack.messages, self._slack.alerts, strict=True):
            assert "Possible duplicate" in message["text"] or not set(ids) & set(told)
            told += [alert for alert in ids if alert not in told]
        assert len(told) == 1
        assert "*A* is down" in self._slack.texts[0]
        assert len(self._slack.messages) <= 2

        stored = self._storage.get(STATE_KEY)
        assert stored is not None
        head = decode_state(stored.body)
        assert (head.outboxes, head.dead_letters) == ({}, ())
        assert {name: state.alerted_status for name, state in head.checkers.items()} == {
            "a": Status.DOWN,
            "b": Status.HEALTHY,
        }
        for key in self._storage.list(RUNS_PREFIX):
            run = self._storage.get(key)
            assert run is not None
            assert len(gofile.read(run.body)) == 2
        assert list(self._storage.list("quarantine/")) == []

    def _slot(self, number: int) -> int:
        return self._start + number * SECOND


def kill_at(step: int, place: str, fake: FakeSlack) -> None:
    """Kill the run that finds the outage at a step, and judge."""
    with ExitStack() as until:
        trial = Trial(place, fake, until)
        survived = trial.die(1, "dh", step)
        for number in (2, 3, 4):
            trial.happen(number, "dh", ahead=120 * SECOND)
        trial.judge()
    assert survived == (None if step < STEPS else STEPS)


@pytest.mark.row("D16", "I21")
@EVERY_STEP
def test_kill_at_a_step_of_a_run_in_a_folder(
    step: int, tmp_path: Path, fake_slack: FakeSlack
) -> None:
    kill_at(step, str(tmp_path / "check_files"), fake_slack)

    index = json.loads((tmp_path / "check_files" / "index.json").read_bytes())
    names = {path.name for path in (tmp_path / "check_files").glob("*-check.json")}
    assert set(index) == names


@pytest.mark.row("D16", "I21")
@EVERY_STEP
def test_kill_at_a_step_of_a_run_on_s3(step: int, s3: str, fake_slack: FakeSlack) -> None:
    bucket = f"step-{step}"
    client = s3_client(s3)
    client.create_bucket(Bucket=bucket)
    client.close()

    kill_at(step, f"{s3}/{bucket}", fake_slack)
