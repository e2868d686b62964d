"""Old runs are deleted, at most once an hour."""

from __future__ import annotations

import time

import pytest
from msgspec.structs import replace

from checkup.alerting.state import STATE_KEY
from checkup.model import LATE_PREFIX, RUNS_PREFIX, run_key
from checkup.pipeline import read_state, store_run
from checkup.storage.memory import MemoryStorage
from checkup.times import SECOND
from tests.alerting.worlds import run, slot
from tests.pipeline.recording import HEALTHY, keys, monitor, soon
from tests.pipeline.worlds import World

HOUR = 3600 * SECOND


@pytest.mark.row("93", "C23")
def test_old_runs_are_deleted_and_nothing_else() -> None:
    storage, now = MemoryStorage(), time.time_ns()
    there = monitor(storage, retention=2 * HOUR)
    ages = [5, 3, 1]
    for age in ages:
        storage.create(run_key(replace(run(0, {}), slot=now - age * HOUR)), b"[]")
    storage.create(LATE_PREFIX + replace(run(0, {}), slot=now - 9 * HOUR).file_name, b"[]")
    others = ["quarantine/1.json", "history/2020.json", "incidents/1.md"]
    for other in others:
        storage.create(other, b"{}")

    store_run(there, replace(run(0, HEALTHY), slot=now), soon())

    kept = [replace(run(0, {}), slot=at) for at in (now - HOUR, now)]
    assert keys(storage, RUNS_PREFIX) == [run_key(each) for each in kept]
    assert keys(storage, LATE_PREFIX) == []
    assert all(storage.get(other) for other in [*others, STATE_KEY])


@pytest.mark.row("C23")
def test_expiry_happens_once_an_hour() -> None:
    storage, now = MemoryStorage(), time.time_ns()
    there = monitor(storage, retention=2 * HOUR)
    store_run(there, replace(run(0, HEALTHY), slot=now - 1), soon())
    old = run_key(replace(run(0, {}), slot=now - 5 * HOUR))
    storage.create(old, b"[]")

    store_run(there, replace(run(0, HEALTHY), slot=now), soon())

    assert old in keys(storage, RUNS_PREFIX)


@pytest.mark.parametrize(
    ("minutes", "is_due"), [(59, False), (60, True), (-59, False), (-60, True)]
)
def test_expiry_is_due_an_hour_after_the_last_one_by_any_clock(minutes: int, is_due: bool) -> None:
    world = World()
    there = replace(world.monitor(), retention=2 * HOUR)
    world.now = slot(600)
    store_run(there, run(600, HEALTHY), soon())
    world.now = slot(600 + minutes)

    store_run(there, run(601, HEALTHY), soon())

    assert (read_state(world.documents).last_retention == world.now) is is_due


def test_without_an_expiry_everything_stays() -> None:
    storage = MemoryStorage()
    storage.create(run_key(run(0, {})), b"[]")

    store_run(monitor(storage), replace(run(0, HEALTHY), slot=time.time_ns()), soon())

    assert len(keys(storage, RUNS_PREFIX)) == 2


@pytest.mark.row("105")
def test_wrong_clock_of_the_storage_deletes_nothing() -> None:
    world = World()
    there = replace(world.monitor(), retention=24 * HOUR)
    for number in range(3):
        world.now = slot(number)
        store_run(there, run(number, HEALTHY), soon())
    world.now = slot(0) + 10 * 365 * 24 * HOUR

    store_run(there, run(3, HEALTHY), soon())

    assert len(keys(world.documents, RUNS_PREFIX)) == 4


@pytest.mark.row("105")
def test_two_wrong_clocks_delete_nothing_either(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    there = replace(world.monitor(), retention=24 * HOUR)
    for number in range(3):
        world.now = slot(number)
        store_run(there, run(number, HEALTHY), soon())
    years = 10 * 365 * 24 * 60
    for number in (years, years + 61, years + 122):
        world.now = slot(number)
        store_run(there, run(number, HEALTHY), soon())

    assert len(keys(world.documents, RUNS_PREFIX)) == 6
    assert "20% of the stored runs and more are older than check_expiry" in caplog.text


def test_shorter_expiry_than_before_deletes_what_is_older() -> None:
    storage, now = MemoryStorage(), time.time_ns()
    for age in range(1, 40):
        storage.create(run_key(replace(run(0, {}), slot=now - age * HOUR)), b"[]")

    there = monitor(storage, retention=5 * HOUR)
    store_run(there, replace(run(0, HEALTHY), slot=now), soon())

    assert len(keys(storage, RUNS_PREFIX)) == 6


def test_pause_after_which_little_would_go_is_no_jump() -> None:
    storage, now = MemoryStorage(), time.time_ns()
    for age in (1, 2, 3, 4, 20):
        storage.create(run_key(replace(run(0, {}), slot=now - age * HOUR)), b"[]")

    there = monitor(storage, retention=5 * HOUR)
    store_run(there, replace(run(0, HEALTHY), slot=now), soon())

    assert len(keys(storage, RUNS_PREFIX)) == 5
