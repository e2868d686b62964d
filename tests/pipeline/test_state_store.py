"""A head that is gone, broken or too new."""

from __future__ import annotations

import time

import pytest
from msgspec.structs import replace

from checkup.alerting.state import STATE_KEY
from checkup.errors import StorageError
from checkup.model import Status
from checkup.pipeline import confirmed_statuses, read_state, store_run
from checkup.run_store import RunNotStoredError
from checkup.storage.memory import MemoryStorage
from checkup.times import SECOND
from tests.alerting.worlds import run
from tests.pipeline.recording import DOWN, HEALTHY, Ear, keys, monitor, soon
from tests.pipeline.worlds import World, letters


@pytest.mark.row("97")
def test_lost_head_is_rebuilt_with_one_notice() -> None:
    storage, ear = MemoryStorage(), Ear()
    there = monitor(storage, channels={"ear": ear})
    now = time.time_ns()
    for number, row in enumerate(letters("hh dh dh")):
        store_run(there, replace(run(0, row), slot=now - (9 - number) * SECOND), soon())
    before = read_state(storage)
    storage.delete(STATE_KEY)
    ear.heard.clear()

    store_run(there, replace(run(0, DOWN), slot=now), soon())

    assert ear.heard == [f"/rebuilt:unknown/0/{now - 7 * SECOND}"]
    assert read_state(storage).checkers["a"].opened == before.checkers["a"].opened
    store_run(there, replace(run(0, HEALTHY), slot=now + 1), soon())
    assert ear.heard[1:] == [f"a/resolve:healthy/1/{now + 1}"]


def test_notice_of_a_rebuilt_head_says_what_fails_now() -> None:
    storage, ear = MemoryStorage(), Ear()

    there = monitor(storage, channels={"ear": ear})
    now = time.time_ns()
    store_run(there, replace(run(0, {"a": "d", "b": "h"}), slot=now - SECOND), soon())
    storage.delete(STATE_KEY)
    store_run(there, replace(run(0, {"a": "d", "b": "h"}), slot=now), soon())

    (notice,) = ear.notifications[-1].alerts
    assert notice.reason == ("the state was lost and rebuilt from the last run; failing now: A")


@pytest.mark.row("94", "I22")
@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"schema":1', b"\xff" * 99, b"[" * 99_999], ids=range(5)
)
def test_unreadable_head_is_kept_in_quarantine_and_rebuilt(body: bytes) -> None:
    storage, ear = MemoryStorage(), Ear()
    there = monitor(storage, channels={"ear": ear})
    now = time.time_ns()
    store_run(there, replace(run(0, DOWN), slot=now - SECOND), soon())
    stored = storage.get(STATE_KEY)
    assert stored is not None
    storage.replace(STATE_KEY, body, stored.version)

    store_run(there, replace(run(0, DOWN), slot=now), soon())

    assert ear.heard == [
        f"a/open:down/1/{now - SECOND}",
        f"/rebuilt:unknown/0/{now - SECOND}",
    ]
    (key,) = keys(storage, "quarantine/")
    kept = storage.get(key)
    assert kept is not None
    assert kept.body == body
    assert confirmed_statuses(read_state(storage))["a"] is Status.DOWN


@pytest.mark.row("96")
def test_head_of_a_newer_version_is_not_touched() -> None:
    storage = MemoryStorage()
    storage.create(STATE_KEY, b'{"schema":99}')

    with pytest.raises(RunNotStoredError, match=r"newer version of Checkup wrote it \(schema 99\)"):
        store_run(monitor(storage), run(0, DOWN), soon())

    left = storage.get(STATE_KEY)
    assert left is not None
    assert left.body == b'{"schema":99}'
    with pytest.raises(StorageError, match="newer version"):
        read_state(storage)


def test_storage_that_is_new_has_a_new_head() -> None:
    assert read_state(MemoryStorage()).checkers == {}


@pytest.mark.row("91")
def test_failing_storage_leaves_the_run_with_the_caller() -> None:
    world = World()
    world.faults = dict.fromkeys(range(99), "not-applied")

    with pytest.raises(RunNotStoredError, match="the storage did not answer") as caught:
        store_run(world.monitor(), run(0, DOWN), soon())

    assert caught.value.run == run(0, DOWN)
