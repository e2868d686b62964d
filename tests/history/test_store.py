"""The history in a storage: kept, built again, and killed at every step of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkup.deadline import Deadline
from checkup.documents import decode, encode
from checkup.errors import StorageError
from checkup.evaluation import EvaluationRules
from checkup.history.documents import (
    HISTORY_KEY,
    DaysOfMonth,
    HistoryState,
    HoursOfDay,
)
from checkup.history.reader import MonthCache, read_days
from checkup.history.store import HistoryStore, HistoryUpdate
from checkup.history.tally import Tally
from checkup.interfaces import StoredDocument
from checkup.model import Result, Run, Status, run_key
from checkup.model import encode_results as encode_run
from checkup.run_store import settled_key
from checkup.storage.memory import MemoryStorage
from checkup.times import DAY, HOUR
from tests.history.worlds import MINUTE, SETTING, START, every, folded, histories, run

HEALTHY, DOWN = Status.HEALTHY, Status.DOWN
LONG = 60.0
TWO_DAYS = every(20 * MINUTE, [HEALTHY, HEALTHY, DOWN] * 50)


class Killed(BaseException):
    """The process is gone: nothing in it may catch this."""


class World(MemoryStorage):
    """A storage in which something may happen at a write.

    Attributes:
        wrote: the key of each document that was written.
        at: what happens before or after a write, by the number of the write.
    """

    def __init__(self, runs: Iterable[Run] = ()) -> None:
        super().__init__()
        self.wrote: list[str] = []
        self.got: list[str] = []
        self.at: dict[tuple[int, str], Callable[[], object]] = {}
        self.store(runs)

    def store(self, runs: Iterable[Run]) -> None:
        for it in runs:
            super().create(run_key(it), encode_run(it.results))

    def get(self, key: str) -> StoredDocument | None:
        self.got.append(key)
        return super().get(key)

    def create(self, key: str, body: bytes) -> str:
        return self._write(key, lambda: MemoryStorage.create(self, key, body))

    def replace(self, key: str, body: bytes, version: str) -> str:
        return self._write(key, lambda: MemoryStorage.replace(self, key, body, version))

    def _write(self, key: str, write: Callable[[], str]) -> str:
        self.wrote.append(key)
        number = len(self.wrote)
        self.at.get((number, "before"), int)()
        version = write()
        self.at.get((number, "after"), int)()
        return version

    def keep_aside(self) -> None:
        """Let another process keep the history, which meets no faults of its own."""
        faults, self.at = self.at, {}
        keep(self)
        self.at = faults

    def history(self) -> dict[str, bytes]:
        found = {}
        for key in self.list("history/"):
            stored = super().get(key)
            assert stored
            found[key] = stored.body
        return found


def keeper(world: World, setting: EvaluationRules = SETTING, lag: int = 0) -> HistoryStore:
    end = max(world.list("runs/"), default="")
    return HistoryStore(storage=world, rules=setting, end=end, lag=lag)


def keep(world: World, setting: EvaluationRules = SETTING, lag: int = 0) -> HistoryUpdate:
    return keeper(world, setting, lag).catch_up(Deadline.after(LONG))


def rebuild(world: World, setting: EvaluationRules = SETTING) -> HistoryUpdate | None:
    return keeper(world, setting).rebuild(Deadline.after(LONG))


def kept(runs: Sequence[Run], cuts: Iterable[int] = ()) -> World:
    """A world in which the runs came and were folded in several goes."""
    world, done = World(), 0
    for cut in [*sorted(cuts), len(runs)]:
        world.store(runs[done:cut])
        keep(world)
        done = cut
    return world


def test_hours_and_days_are_found_under_their_dates() -> None:
    world = kept(TWO_DAYS)
    assert list(world.history()) == [
        "history/days/2026-08.json",
        "history/head.json",
        "history/hours/2026-08-03.json",
        "history/hours/2026-08-04.json",
        "history/hours/2026-08-05.json",
        "history/times/2026-08.json",
    ]
    _, closed = folded(TWO_DAYS)
    days = decode(world.history()["history/days/2026-08.json"], DaysOfMonth).days
    assert days["2026-08-03"]["api"] == closed.days[START]["api"].tally
    hours = decode(world.history()["history/hours/2026-08-04.json"], HoursOfDay).hours
    assert hours["07"]["api"] == closed.hours[START + DAY + 7 * HOUR]["api"]


@given(histories(), st.data())
def test_what_is_kept_does_not_depend_on_when_it_was_folded(
    runs: list[Run], data: st.DataObject
) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(runs)), max_size=5))
    assert kept(runs, cuts).history() == kept(runs).history()


@given(histories(), st.data())
def test_rebuilt_is_what_was_kept(runs: list[Run], data: st.DataObject) -> None:
    """Whatever runs are still there: what can be counted again is the same, the rest stays."""
    world = kept(runs)
    before = world.history()
    for gone in runs[: data.draw(st.integers(0, len(runs)))]:
        world.delete(run_key(gone))
    rebuild(world)
    assert world.history() == before


@pytest.mark.parametrize("gone", [1, 40, 72, 73, 100, 144, 145, 149])
def test_rebuilt_from_the_runs_of_the_last_days_is_what_was_kept(gone: int) -> None:
    world = kept(TWO_DAYS)
    before = world.history()
    for old in TWO_DAYS[:gone]:
        world.delete(run_key(old))
    world.wrote.clear()
    done = rebuild(world)
    assert world.history() == before
    days = {0: 0, 1: 72, 40: 72, 72: 72, 73: 144, 100: 144, 144: 144}
    assert (done.runs if done else None) == (150 - days[gone] if gone in days else None)


def test_rebuilding_mends_what_was_damaged() -> None:
    world = kept(TWO_DAYS)
    before = world.history()
    for key in ("history/days/2026-08.json", "history/times/2026-08.json", HISTORY_KEY):
        world.delete(key)
    world.delete("history/hours/2026-08-03.json")
    world.create("history/hours/2026-08-03.json", b"garbage")
    world.create("history/days/2026-08.json", b'{"schema":1,"days":7}')
    # The first day's opening is damaged too, so it begins with the second.
    assert rebuild(world)
    after = world.history()
    assert after[HISTORY_KEY] == before[HISTORY_KEY]
    assert after["history/hours/2026-08-04.json"] == before["history/hours/2026-08-04.json"]
    assert len(list(world.list("quarantine/"))) == 1


def test_a_head_that_is_lost_is_found_again() -> None:
    world = kept(TWO_DAYS)
    before = world.history()
    world.delete(HISTORY_KEY)
    keep(world)
    assert world.history() == before


def test_a_head_that_cannot_be_read_is_kept_apart_and_made_again() -> None:
    world = kept(TWO_DAYS)
    before = world.history()
    world.delete(HISTORY_KEY)
    world.create(HISTORY_KEY, b"\x00garbage")
    keep(world)
    assert world.history() == before
    assert len(list(world.list("quarantine/"))) == 1


def test_what_a_newer_version_wrote_is_left_alone() -> None:
    world = World(TWO_DAYS)
    world.create(HISTORY_KEY, b'{"schema":2,"something":"else"}')
    with pytest.raises(StorageError, match="newer version"):
        keep(world)
    assert world.history() == {HISTORY_KEY: b'{"schema":2,"something":"else"}'}


def writes() -> int:
    world = World(TWO_DAYS)
    keep(world)
    return len(world.wrote)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_at_any_step_the_next_one_goes_on(moment: str) -> None:
    def die() -> None:
        raise Killed

    expected = kept(TWO_DAYS).history()
    for number in range(1, writes() + 1):
        world = World(TWO_DAYS)
        world.at[number, moment] = die
        with pytest.raises(Killed):
            keep(world)
        keep(world)
        assert world.history() == expected


@pytest.mark.row("130")
@pytest.mark.parametrize("moment", ["before", "after"])
def test_another_publisher_at_any_step_does_no_harm(moment: str) -> None:
    expected = kept(TWO_DAYS).history()
    for number in range(1, writes() + 1):
        world = World(TWO_DAYS[:100])
        keep(world)
        world.store(TWO_DAYS[100:])
        world.wrote.clear()
        world.at[number, moment] = world.keep_aside
        keep(world)
        assert world.history() == expected


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_rebuild_that_is_killed_is_ended_by_whoever_comes_next(moment: str) -> None:
    def die() -> None:
        raise Killed

    expected = kept(TWO_DAYS).history()
    for number in (1, 2):
        world = kept(TWO_DAYS)
        world.wrote.clear()
        world.at[number, moment] = die
        with pytest.raises(Killed):
            rebuild(world)
        keep(world)
        assert world.history() == expected


def test_a_storage_that_cannot_be_written_leaves_the_history_where_it_was() -> None:
    def fail() -> None:
        raise StorageError("no space left")

    world = kept(TWO_DAYS[:70])
    before = world.history()
    world.store(TWO_DAYS[70:])
    world.wrote.clear()
    world.at = {(number, "before"): fail for number in range(1, 100)}
    done = keep(world)
    assert encode(done.head, order="deterministic") == before[HISTORY_KEY]
    assert world.history() == before


def test_little_news_is_not_written() -> None:
    world = World(every(MINUTE, [HEALTHY] * 5))
    done = keep(world, lag=10)
    assert (done.runs, world.wrote) == (5, ["history/hours/2026-08-03.json", HISTORY_KEY])
    world.store(every(MINUTE, [HEALTHY] * 5, start=START + 5 * MINUTE))
    again = keep(world, lag=10)
    assert again.runs == 5
    assert len(world.wrote) == 2
    assert again.head.checkers["api"].last == START + 9 * MINUTE


def test_time_that_is_up_ends_the_fold_and_the_next_one_goes_on() -> None:
    runs = every(MINUTE, [HEALTHY] * 1200)
    world = World(runs)
    counts: list[HistoryUpdate] = []
    while not counts or counts[-1].behind:
        counts.append(keeper(world).catch_up(Deadline.after(-1)))
    assert [it.runs for it in counts] == [500, 500, 200]
    assert world.history() == kept(runs).history()


def test_a_run_that_is_known_is_not_read() -> None:
    world = World(TWO_DAYS)
    known: dict[str, tuple[Result, ...] | None] = {run_key(it): it.results for it in TWO_DAYS}
    end = run_key(TWO_DAYS[-1])
    HistoryStore(storage=world, rules=SETTING, end=end, known=known).catch_up(Deadline.after(LONG))
    assert not [key for key in world.got if key.startswith("runs/")]


@pytest.mark.row("132")
@pytest.mark.parametrize("body", [b"", b"{}", b"\xff", b'[{"title": 5}]'])
def test_a_run_that_cannot_be_read_is_passed_over(body: bytes) -> None:
    good = every(MINUTE, [HEALTHY] * 20)
    world = World([*good[:7], *good[8:]])
    world.create(run_key(good[7]), body)
    assert keep(world).runs == 19
    assert world.history() == kept([*good[:7], *good[8:]]).history()


def test_a_run_that_comes_after_its_turn_is_never_folded() -> None:
    runs = every(MINUTE, [HEALTHY] * 20)
    world = kept([*runs[:7], *runs[8:]])
    before = world.history()
    world.store([run(runs[7].slot, api=DOWN)])
    keep(world)
    assert world.history() == before


def test_slots_of_several_regions_are_not_torn_apart() -> None:
    setting = EvaluationRules(regions=("east", "west"))
    runs = [
        Run(slot=it.slot, results=it.results, region=region, region_index=number)
        for it in every(MINUTE, [HEALTHY] * 600)
        for number, region in enumerate(setting.regions)
    ]
    named = [
        Run(
            slot=it.slot,
            region_index=it.region_index,
            region=it.region,
            results=tuple(_in(result, it.region) for result in it.results),
        )
        for it in runs
    ]
    world = World(named)
    done = keep(world, setting)
    assert (done.runs, done.head.checkers["api"].day.runs) == (1200, 600)


def _in(result: Result, region: str) -> Result:
    return Result(id=result.id, healthy=result.healthy, attempts=result.attempts, region=region)


def test_only_settled_runs_are_folded() -> None:
    assert settled_key("", START) == f"runs/{START - 15 * MINUTE:019d}"
    cursor = run_key(run(START - MINUTE))
    assert settled_key(cursor, START) == cursor


def test_days_are_read_from_the_files_of_their_months() -> None:
    world = kept(every(HOUR, [HEALTHY] * 24 * 100))
    world.got.clear()
    now = START + 100 * DAY - MINUTE
    head = keep(world).head
    world.got.clear()
    months = MonthCache()
    days, today = read_days(world, head, now, 90, months)
    assert [start for start, rows in days.items() if rows["api"].healthy != DAY] == []
    assert list(days) == [START + number * DAY for number in range(10, 99)]
    assert today["api"].healthy == DAY - MINUTE
    assert world.got == [f"history/days/2026-{month}.json" for month in ("08", "09", "10", "11")]
    world.got.clear()
    again, _ = read_days(world, head, now + 1, 90, months)
    assert world.got == ["history/days/2026-11.json"]
    assert again is days


def test_days_that_were_counted_again_are_read_again() -> None:
    world = kept(every(HOUR, [HEALTHY] * 24 * 5))
    now, months = START + 5 * DAY - MINUTE, MonthCache()
    head = keep(world).head
    before, _ = read_days(world, head, now, 5, months)
    key = "history/days/2026-08.json"
    world.delete(key)
    world.create(key, b'{"schema":1,"days":{"2026-08-04":{"api":{"down":7}}}}')
    after, _ = read_days(world, head, now, 5, months)
    assert before[START + DAY]["api"] != Tally(down=7)
    assert after[START + DAY]["api"] == Tally(down=7)


def test_days_since_the_last_run_are_days_too() -> None:
    world = kept(every(DAY, [HEALTHY] * 5))
    head = keep(world).head
    days, today = read_days(world, head, START + 6 * DAY + HOUR, 7, MonthCache())
    assert [rows["api"].healthy for rows in days.values()] == [HOUR, *[DAY] * 5]
    assert today["api"].healthy == HOUR


def test_days_without_anything_are_empty() -> None:
    days, today = read_days(World(), HistoryState(), START, 3, MonthCache())
    assert (days, today) == ({START - 2 * DAY: {}, START - DAY: {}}, {})
