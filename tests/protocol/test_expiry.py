"""Old runs are deleted, at most once an hour."""

from __future__ import annotations

import time

import pytest
from msgspec.structs import replace

from checkup.alerting.document import HEAD
from checkup.model import SECOND
from checkup.protocol import record
from checkup.runfile import LATE, RUNS, run_key
from checkup.storage.memory import MemoryStorage
from tests.alerting.worlds import run, slot
from tests.protocol.recording import HEALTHY, keys, monitor, soon
from tests.protocol.worlds import World

HOUR = 3600 * SECOND


def test_93_old_runs_are_deleted_and_nothing_else_c23() -> None:
    storage, now = MemoryStorage(), time.time_ns()
    there = monitor(storage, check_expiry=2 * HOUR)
    ages = [5, 3, 1]
    for age in ages:
        storage.create(run_key(replace(run(0, {}), slot=now - age * HOUR)), b"[]")
    storage.create(LATE + replace(run(0, {}), slot=now - 9 * HOUR).name, b"[]")
    others = ["quarantine/1.json", "history/2020.json", "incidents/1.md"]
    for other in others:
        storage.create(other, b"{}")

    record(there, replace(run(0, HEALTHY), slot=now), soon())

    kept = [replace(run(0, {}), slot=at) for at in (now - HOUR, now)]
    assert keys(storage, RUNS) == [run_key(each) for each in kept]
    assert keys(storage, LATE) == []
    assert all(storage.get(other) for other in [*others, HEAD])


def test_expiry_happens_once_an_hour_c23() -> None:
    storage, now = MemoryStorage(), time.time_ns()
    there = monitor(storage, check_expiry=2 * HOUR)
    record(there, replace(run(0, HEALTHY), slot=now - 1), soon())
    old = run_key(replace(run(0, {}), slot=now - 5 * HOUR))
    storage.create(old, b"[]")

    record(there, replace(run(0, HEALTHY), slot=now), soon())

    assert old in keys(storage, RUNS)


def test_without_an_expiry_everything_stays() -> None:
    storage = MemoryStorage()
    storage.create(run_key(run(0, {})), b"[]")

    record(monitor(storage), replace(run(0, HEALTHY), slot=time.time_ns()), soon())

    assert len(keys(storage, RUNS)) == 2


def test_105_wrong_clock_of_the_storage_deletes_nothing() -> None:
    world = World()
    there = replace(world.monitor(), check_expiry=24 * HOUR)
    for number in range(3):
        world.now = slot(number)
        record(there, run(number, HEALTHY), soon())
    world.now = slot(0) + 10 * 365 * 24 * HOUR

    record(there, run(3, HEALTHY), soon())

    assert len(keys(world.documents, RUNS)) == 4


def test_105_two_wrong_clocks_delete_nothing_either(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    there = replace(world.monitor(), check_expiry=24 * HOUR)
    for number in range(3):
        world.now = slot(number)
        record(there, run(number, HEALTHY), soon())
    years = 10 * 365 * 24 * 60
    for number in (years, years + 61, years + 122):
        world.now = slot(number)
        record(there, run(number, HEALTHY), soon())

    assert len(keys(world.documents, RUNS)) == 6
    assert "20% of the stored runs and more are older than check_expiry" in caplog.text


def test_shorter_expiry_than_before_deletes_what_is_older() -> None:
    storage, now = MemoryStorage(), time.time_ns()
    for age in range(1, 40):
        storage.create(run_key(replace(run(0, {}), slot=now - age * HOUR)), b"[]")

    there = monitor(storage, check_expiry=5 * HOUR)
    record(there, replace(run(0, HEALTHY), slot=now), soon())

    assert len(keys(storage, RUNS)) == 6


def test_pause_after_which_little_would_go_is_no_jump() -> None:
    storage, now = MemoryStorage(), time.time_ns()
    for age in (1, 2, 3, 4, 20):
        storage.create(run_key(replace(run(0, {}), slot=now - age * HOUR)), b"[]")

    there = monitor(storage, check_expiry=5 * HOUR)
    record(there, replace(run(0, HEALTHY), slot=now), soon())

    assert len(keys(storage, RUNS)) == 5
