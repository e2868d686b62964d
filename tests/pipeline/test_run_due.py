"""What a run looks at is decided by what is stored, not by what a process remembers."""

from __future__ import annotations

from checkup.deadline import Deadline
from checkup.errors import StorageError
from checkup.interfaces import StoredDocument
from checkup.model import RUNS_PREFIX, AlertKind, Attempt, Status, decode_results
from checkup.pipeline import (
    RunContext,
    confirmed_statuses,
    read_state,
    run_and_store,
    run_in_region,
)
from checkup.storage.memory import MemoryStorage
from tests.alerting.worlds import MINUTE, Toy, slot, toy

EACH, SELDOM = toy("each"), toy("seldom", interval=5 * MINUTE)


class Faint(MemoryStorage):
    """A storage that fails to read for a while.

    Attributes:
        deaf: how many more times.
    """

    deaf = 0

    def get(self, key: str) -> StoredDocument | None:
        if self.deaf:
            self.deaf -= 1
            raise StorageError("no answer")
        return super().get(key)


class Ill(Toy, frozen=True, kw_only=True):
    """A checker whose target is always down."""

    def attempt(self, deadline: Deadline) -> Attempt:
        del deadline
        return Attempt(error="it broke", failure="oops")


def happen(storage: MemoryStorage, moment: int, **more: object) -> list[str]:
    """Let a run of a new process happen, and return the ids that it looked at."""
    monitor = RunContext(checkers=(EACH, SELDOM), storage=storage)
    recorded = run_and_store(monitor, moment, Deadline.after(20), **more)  # type: ignore[arg-type]
    return [result.id for result in recorded.run.results]


def test_checker_that_is_not_due_is_left_out_and_keeps_its_state() -> None:
    storage = MemoryStorage()

    looked = [happen(storage, number * MINUTE) for number in range(4, 12)]

    assert [len(ids) for ids in looked] == [2, 2, 1, 1, 1, 1, 2, 1]
    assert confirmed_statuses(read_state(storage)) == {
        "each": Status.HEALTHY,
        "seldom": Status.HEALTHY,
    }
    stored = [
        decode_results(found.body)
        for key in storage.list(RUNS_PREFIX)
        if (found := storage.get(key))
    ]
    assert [len(results) for results in stored] == [2, 2, 1, 1, 1, 1, 2, 1]


def test_checker_that_is_named_or_written_about_is_looked_at_all_the_same() -> None:
    storage = MemoryStorage()
    happen(storage, 5 * MINUTE)

    assert happen(storage, 6 * MINUTE, only=(SELDOM,)) == ["seldom"]
    assert happen(storage, 7 * MINUTE) == ["each"]
    assert happen(storage, 8 * MINUTE, message=("seldom", "words")) == ["each", "seldom"]


def test_everything_is_looked_at_if_the_storage_cannot_say_what_is_due() -> None:
    storage = Faint()
    happen(storage, 5 * MINUTE)
    assert happen(storage, 6 * MINUTE) == ["each"]

    storage.deaf = 3
    assert happen(storage, 7 * MINUTE) == ["each", "seldom"]


def test_regions_look_at_the_same_in_each_slot() -> None:
    storage, regions = MemoryStorage(), ("east", "west")
    looked: dict[str, list[list[str]]] = {region: [] for region in regions}
    for number in range(10, 22):
        for region in regions:
            monitor = RunContext(
                checkers=(EACH, SELDOM),
                storage=storage,
                region=region,
                regions=regions,
                interval=MINUTE,
                grace=2**62,
            )
            recorded = run_and_store(monitor, number * MINUTE, Deadline.after(20))
            looked[region].append([result.id for result in recorded.run.results])

    assert looked["east"] == looked["west"]
    assert [len(ids) for ids in looked["east"]] == [2, 1, 1, 1, 1, 2, 1, 1, 1, 1, 2, 1]
    assert confirmed_statuses(read_state(storage))["seldom"] is Status.HEALTHY


def test_outage_of_a_checker_that_waits_is_told_once() -> None:
    storage = MemoryStorage()
    ill = Ill(id="ill", endpoint_name="Ill", interval=5 * MINUTE, recheck=0)
    monitor = RunContext(checkers=(EACH, ill), storage=storage)
    kinds = [
        alert.kind
        for number in range(5, 17)
        for alert in run_and_store(monitor, number * MINUTE, Deadline.after(20)).alerts
    ]

    assert kinds == [AlertKind.OPEN]


def test_region_that_only_votes_goes_by_the_slot_alone() -> None:
    storage = MemoryStorage()
    there = RunContext(
        checkers=(EACH, SELDOM),
        storage=storage,
        channels={},
        region="there",
        regions=("home", "there"),
        interval=MINUTE,
    )
    runs = [run_in_region(there, slot(number), Deadline.after(5)) for number in range(10)]
    looked = [{result.id for result in run.results} for run in runs]
    assert all("each" in ids for ids in looked)
    turns = [number for number, ids in enumerate(looked) if "seldom" in ids]
    assert turns == [turns[0], turns[0] + 5]
