"""A process that stores a run for each slot of a schedule need not list what it stored."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from checkup.deadline import Deadline
from checkup.interfaces import StoredDocument
from checkup.model import RUNS_PREFIX, encode_results, run_key
from checkup.pipeline import RunContext, RunOutcome, read_state, store_run
from checkup.pipeline.run import MAX_LAG
from checkup.run_store import RunCache
from checkup.storage.memory import MemoryStorage
from checkup.times import SECOND
from tests.alerting.worlds import MINUTE, run, slot, toy

WELL, DOWN = {"a": "h"}, {"a": "d"}


class Counting(MemoryStorage):
    """A storage that counts how often runs are listed and read."""

    def __init__(self) -> None:
        super().__init__()
        self.listed = 0
        self.read = 0

    def list(self, prefix: str, after: str = "") -> Iterator[str]:
        self.listed += 1
        return super().list(prefix, after)

    def get(self, key: str) -> StoredDocument | None:
        self.read += key.startswith(RUNS_PREFIX)
        return super().get(key)

    def now_ns(self) -> int:
        return slot(1000)


@pytest.fixture
def storage() -> Counting:
    return Counting()


def monitor(storage: Counting, **more: object) -> RunContext:
    """A process that a schedule starts each minute."""
    given = {"checkers": (toy("a"),), "storage": storage, "interval": MINUTE, "scheduled": True}
    return RunContext(**{**given, **more})  # type: ignore[arg-type]


def happen(process: RunContext, number: float, letters: dict[str, str] = WELL) -> RunOutcome:
    return store_run(process, run(number, letters), Deadline.after(30))


def settled(storage: Counting, process: RunContext) -> int:
    """Let runs happen until the cursor stands at the last one; return the number of the next."""
    for number in range(100):
        happen(process, number)
        if number > MAX_LAG and read_state(storage).cursor == run_key(run(number, WELL)):
            storage.listed = storage.read = 0
            return number + 1
    raise AssertionError


def test_quiet_runs_are_listed_only_when_the_cursor_moves(storage: Counting) -> None:
    process = monitor(storage)
    start = settled(storage, process)
    for number in range(start, start + 3 * MAX_LAG):
        happen(process, number)
    assert (storage.listed, storage.read) == (3, 0)
    assert read_state(storage).cursor == run_key(run(start + 3 * MAX_LAG - 1, WELL))


def test_what_happens_is_told_at_once(storage: Counting) -> None:
    process = monitor(storage)
    start = settled(storage, process)
    happen(process, start)
    assert [alert.status.value for alert in happen(process, start + 1, DOWN).alerts] == ["down"]
    assert storage.listed == 1


def test_a_run_that_another_process_left_is_found_by_its_gap(storage: Counting) -> None:
    process = monitor(storage)
    start = settled(storage, process)
    storage.create(run_key(run(start, DOWN)), encode_results(run(start, DOWN).results))
    told = happen(process, start + 1).alerts
    assert [alert.status.value for alert in told] == ["down", "healthy"]


def test_a_run_off_the_schedule_is_found_when_the_cursor_moves(storage: Counting) -> None:
    process = monitor(storage)
    start = settled(storage, process)
    storage.create(run_key(run(start + 0.5, DOWN)), encode_results(run(start + 0.5, DOWN).results))
    told = [alert for number in range(MAX_LAG) for alert in happen(process, start + number).alerts]
    assert [alert.status.value for alert in told] == ["down", "healthy"]


@pytest.mark.parametrize("more", [{"scheduled": False}, {"interval": 0}, {"interval": MINUTE // 2}])
def test_without_a_schedule_that_is_kept_every_run_is_listed(
    storage: Counting, more: dict[str, object]
) -> None:
    process = monitor(storage, **more)
    start = settled(storage, process)
    for number in range(start, start + MAX_LAG):
        happen(process, number)
    assert storage.listed == MAX_LAG


def test_a_new_process_lists_once_and_reads_what_it_does_not_remember(storage: Counting) -> None:
    start = settled(storage, monitor(storage))
    happen(monitor(storage), start)
    fresh = monitor(storage)
    happen(fresh, start + 1)
    happen(fresh, start + 2)
    assert (storage.listed, storage.read) == (2, 2)


def test_only_the_last_runs_are_remembered() -> None:
    remembered = RunCache()
    for number in range(200):
        remembered.add(run(number, WELL))
    assert remembered.get(run_key(run(100, WELL))) is None
    last = run(199, WELL)
    assert remembered.get(run_key(last)) == last
    assert remembered.consecutive(run_key(run(190, WELL)), last, 60 * SECOND) == [
        run(number, WELL) for number in range(191, 200)
    ]
    assert remembered.consecutive(run_key(run(100, WELL)), last, 60 * SECOND) is None
