"""What is stored is folded, in order, whatever else lies there."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from itertools import chain, cycle, repeat

import pytest
from msgspec.structs import replace

from checkup.deadline import Deadline
from checkup.documents import MAX_CONFLICTS
from checkup.errors import DocumentChangedError
from checkup.model import RUNS_PREFIX, Run, Status, encode_results, key_time, run_key
from checkup.pipeline import confirmed_statuses, read_state, store_run
from checkup.pipeline.context import FINISH_SECONDS, MIN_DELIVERY_SECONDS
from checkup.pipeline.run import MAX_LAG
from checkup.run_store import BATCH, RunNotStoredError
from checkup.storage.memory import MemoryStorage
from checkup.times import SECOND
from tests.alerting.worlds import MINUTE, run, slot
from tests.pipeline.recording import DOWN, HEALTHY, Ear, monitor, soon
from tests.pipeline.worlds import World

HOUR = 3600 * SECOND
REGIONS = ("eu", "us", "ap")


def store(storage: MemoryStorage, runs: Iterable[Run]) -> None:
    """Store runs that nobody has applied yet."""
    for each in runs:
        storage.create(run_key(each), encode_results(each.results))


@pytest.mark.row("95")
def test_unreadable_run_is_left_out_and_kept(caplog: pytest.LogCaptureFixture) -> None:
    storage, ear = MemoryStorage(), Ear()
    there = monitor(storage, channels={"ear": ear})
    store_run(there, run(0, HEALTHY), soon())
    poison = run_key(run(1, {}))
    storage.create(poison, b'[{"id":"a","title":')

    store_run(there, run(2, DOWN), soon())

    assert ear.heard == [f"a/open:down/1/{slot(2)}"]
    assert storage.get(poison) is not None
    assert f"{poison} is left out: not a check file" in caplog.text


def test_unreadable_run_of_the_same_slot_is_left_out() -> None:
    storage, ear = MemoryStorage(), Ear()
    storage.create(run_key(run(1, {})), b"nonsense")

    store_run(monitor(storage, channels={"ear": ear}), run(1, DOWN), soon())

    assert ear.heard == []


@pytest.mark.row("16")
def test_run_in_the_future_does_not_close_the_present() -> None:
    storage, ear = MemoryStorage(), Ear()
    there = monitor(storage, channels={"ear": ear})
    store_run(there, replace(run(0, HEALTHY), slot=time.time_ns() + 24 * HOUR), soon())

    recorded = store_run(there, run(1, DOWN), soon())

    assert not recorded.late
    assert ear.heard == [f"a/open:down/1/{slot(1)}"]


@pytest.mark.row("16")
def test_clock_that_was_a_year_ahead_leaves_nobody_blind(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world, year = World(), 365 * 24 * 60
    there = replace(world.monitor(), retention=24 * HOUR)
    for number in (0, 1, year, year + 1):
        world.now = slot(number)
        store_run(there, run(number, HEALTHY), soon())
    world.now = slot(200)

    recorded = [store_run(there, run(number, DOWN), soon()) for number in (200, 201)]

    assert [done.late for done in recorded] == [False, False]
    told = [alert for ids, _ in world.received["slack"] for alert in ids]
    assert told == [f"a/open:down/1/{slot(200)}"]
    assert caplog.text.count("a clock was ahead") == 1
    assert read_state(world.documents).cursor == run_key(run(201, DOWN))
    assert read_state(world.documents).last_retention == slot(200)


@pytest.mark.row("16")
def test_runs_before_the_clock_was_wrong_are_not_folded_again() -> None:
    world, year = World(), 365 * 24 * 60
    for number, seen in ((0, DOWN), (1, HEALTHY), (year, HEALTHY)):
        world.now = slot(number)
        store_run(world.monitor(), run(number, seen), soon())
    before = world.folded.copy()
    world.now = slot(2)

    store_run(world.monitor(), run(2, DOWN), soon())

    assert world.folded[len(before) :] == [run_key(run(2, DOWN))]
    told = [alert for ids, _ in world.received["slack"] for alert in ids]
    assert told == [
        f"a/open:down/1/{slot(0)}",
        f"a/resolve:healthy/1/{slot(1)}",
        f"a/open:down/2/{slot(2)}",
    ]


def test_quiet_runs_leave_the_head_alone_but_not_for_ever() -> None:
    storage = MemoryStorage()
    for number in range(4):
        store_run(monitor(storage), run(number, HEALTHY), soon())
    settled = read_state(storage)

    lags = []
    for number in range(4, 4 + 3 * MAX_LAG):
        store_run(monitor(storage), run(number, HEALTHY), soon())
        lags.append(len(list(storage.list(RUNS_PREFIX, read_state(storage).cursor))))

    assert max(lags) == MAX_LAG - 1
    assert read_state(storage).revision == settled.revision + 3
    assert read_state(storage).checkers == settled.checkers


def test_known_is_the_confirmed_status_of_each_checker() -> None:
    storage = MemoryStorage()
    store_run(monitor(storage), run(0, {"a": "d", "b": "h"}), soon())

    assert confirmed_statuses(read_state(storage)) == {"a": Status.DOWN, "b": Status.HEALTHY}


@pytest.mark.parametrize("hours", [1, 48, 20_000])
def test_go_runs_before_the_first_of_ours_are_no_news(hours: int) -> None:
    storage, ear, now = MemoryStorage(), Ear(), time.time_ns()
    go = run_key(replace(run(0, {}), slot=now - hours * HOUR))
    storage.create(go, b'[{"title":"A","times":[{"rtt":1}],"down":true}]')

    store_run(monitor(storage, channels={"ear": ear}), replace(run(0, DOWN), slot=now), soon())

    assert ear.heard == [f"a/open:down/1/{now}"]


@pytest.mark.parametrize("unreadable", [0, 1, BATCH + 1])
def test_slot_at_the_end_of_a_batch_keeps_all_of_its_regions(unreadable: int) -> None:
    storage, ear = MemoryStorage(), Ear()
    there = monitor(storage, channels={"ear": ear}, region="eu", regions=REGIONS)
    store_run(there, run(0, HEALTHY, "eu"), soon())
    cut = 1 + BATCH // len(REGIONS)
    assert BATCH % len(REGIONS)
    for number in range(unreadable):
        storage.create(f"{RUNS_PREFIX}{slot(0.1) + number:019d}-check.json", b"nonsense")
    for number in range(1, cut + 40):
        for position, region in enumerate(REGIONS):
            is_down = number == cut and region != "us"
            letters = DOWN if is_down else HEALTHY
            store(storage, [run(number, letters, region, position)])

    store_run(there, run(cut + 40, HEALTHY, "eu"), soon())

    assert ear.heard == [f"a/open:down/1/{slot(cut)}", f"a/resolve:healthy/1/{slot(cut + 1)}"]


class Busy(MemoryStorage):
    """A storage in which somebody else is sometimes faster to replace a document.

    Attributes:
        faster: whether somebody is, the next time and the times after it.
        delay: how long a listing takes, in seconds.
    """

    faster: Iterator[bool] = iter(())
    delay = 0.0

    def list(self, prefix: str, after: str = "") -> Iterator[str]:
        time.sleep(self.delay)
        return super().list(prefix, after)

    def replace(self, key: str, body: bytes, version: str) -> str:
        if next(self.faster, False):
            raise DocumentChangedError("it is not the version that was read")
        return super().replace(key, body, version)


class TestBacklog:
    """Runs that nobody has applied: down from the first to the last but one, which is healthy."""

    RUNS = 9 * BATCH
    HEARD = (f"a/open:down/1/{slot(1)}", f"a/resolve:healthy/1/{slot(RUNS)}")

    @pytest.fixture
    def storage(self) -> Busy:
        storage = Busy()
        store_run(monitor(storage), run(0, HEALTHY), soon())
        store(storage, (run(number, DOWN) for number in range(1, self.RUNS)))
        return storage

    def applied(self, storage: MemoryStorage) -> int:
        """Return the number of the last run that is applied."""
        return ((key_time(read_state(storage).cursor) or 0) - slot(0)) // MINUTE

    def test_it_is_applied_in_one_go_while_there_is_time(self, storage: Busy) -> None:
        ear = Ear()

        there = monitor(storage, channels={"ear": ear})
        recorded = store_run(there, run(self.RUNS, HEALTHY), Deadline.after(60))

        assert tuple(ear.heard) == tuple(alert.id for alert in recorded.alerts) == self.HEARD
        assert self.applied(storage) == self.RUNS

    @pytest.mark.parametrize("left", [-100, -3])
    def test_each_run_without_time_applies_a_part_of_it(
        self, storage: Busy, left: float, caplog: pytest.LogCaptureFixture
    ) -> None:
        ear = Ear()
        found: list[str] = []
        applied: list[int] = []
        there = monitor(storage, channels={"ear": ear})

        while not applied or applied[-1] < self.RUNS:
            mine = run(self.RUNS + len(applied), HEALTHY)
            recorded = store_run(
                there, mine, Deadline.after(left - FINISH_SECONDS + MIN_DELIVERY_SECONDS)
            )
            assert (recorded.run, recorded.late) == (mine, False)
            found += [alert.id for alert in recorded.alerts]
            applied.append(self.applied(storage))

        assert applied == [*range(BATCH, self.RUNS + 1, BATCH)]
        assert tuple(found) == self.HEARD
        assert caplog.text.count("later runs apply the rest") == len(applied)
        assert ear.heard == []
        store_run(there, run(self.RUNS + len(applied), HEALTHY), soon())
        assert tuple(ear.heard) == self.HEARD

    def test_time_is_left_to_deliver_what_is_known_by_then(self, storage: Busy) -> None:
        ear, storage.delay = Ear(), 0.6

        there = monitor(storage, channels={"ear": ear})
        life = Deadline.after(MIN_DELIVERY_SECONDS + 1.6)
        store_run(there, run(self.RUNS, HEALTHY), Deadline(life.at - FINISH_SECONDS))

        assert tuple(ear.heard) == self.HEARD[:1]

    def test_conflicts_of_one_batch_are_not_those_of_another(self, storage: Busy) -> None:
        storage.faster = cycle([*[True] * 9, False])

        recorded = store_run(monitor(storage), run(self.RUNS, HEALTHY), Deadline.after(60))

        assert tuple(alert.id for alert in recorded.alerts) == self.HEARD

    def test_what_was_committed_before_a_conflict_without_end_counts(self, storage: Busy) -> None:
        storage.faster = chain([False], repeat(True))  # noqa: FBT003 - one time it is not
        there = monitor(storage, channels={"ear": Ear()})

        recorded = store_run(there, run(self.RUNS, HEALTHY), Deadline.after(60))

        assert tuple(alert.id for alert in recorded.alerts) == self.HEARD[:1]
        assert (self.applied(storage), recorded.undelivered) == (BATCH, 1)

    def test_conflict_without_end_is_not_recorded(self, storage: Busy) -> None:
        storage.faster = repeat(True)  # noqa: FBT003 - every time it is

        with pytest.raises(
            RunNotStoredError, match=f"the runs: other writers were faster {MAX_CONFLICTS} times"
        ):
            store_run(monitor(storage), run(self.RUNS, HEALTHY), Deadline.after(60))
