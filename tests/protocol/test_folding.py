"""What is stored is folded, in order, whatever else lies there."""

from __future__ import annotations

import time
from collections.abc import Iterable

import pytest
from msgspec.structs import replace

from checkup.model import SECOND, Run, Status
from checkup.protocol import known, read_head, record
from checkup.protocol.folding import LAG
from checkup.protocol.runs import BATCH
from checkup.runfile import RUNS, encode, run_key
from checkup.storage.memory import MemoryStorage
from tests.alerting.worlds import run, slot
from tests.protocol.recording import DOWN, HEALTHY, Ear, monitor, soon
from tests.protocol.worlds import World

HOUR = 3600 * SECOND
REGIONS = ("eu", "us", "ap")


def store(storage: MemoryStorage, runs: Iterable[Run]) -> None:
    """Store runs that nobody has applied yet."""
    for each in runs:
        storage.create(run_key(each), encode(each.results))


def test_95_unreadable_run_is_left_out_and_kept(caplog: pytest.LogCaptureFixture) -> None:
    storage, ear = MemoryStorage(), Ear()
    there = monitor(storage, channels={"ear": ear})
    record(there, run(0, HEALTHY), soon())
    poison = run_key(run(1, {}))
    storage.create(poison, b'[{"id":"a","title":')

    record(there, run(2, DOWN), soon())

    assert ear.heard == [f"a/open:down/1/{slot(2)}"]
    assert storage.get(poison) is not None
    assert f"{poison} is left out: not a check file" in caplog.text


def test_unreadable_run_of_the_same_slot_is_left_out() -> None:
    storage, ear = MemoryStorage(), Ear()
    storage.create(run_key(run(1, {})), b"nonsense")

    record(monitor(storage, channels={"ear": ear}), run(1, DOWN), soon())

    assert ear.heard == []


def test_16_run_in_the_future_does_not_close_the_present() -> None:
    storage, ear = MemoryStorage(), Ear()
    there = monitor(storage, channels={"ear": ear})
    record(there, replace(run(0, HEALTHY), slot=time.time_ns() + 24 * HOUR), soon())

    recorded = record(there, run(1, DOWN), soon())

    assert not recorded.late
    assert ear.heard == [f"a/open:down/1/{slot(1)}"]


def test_16_clock_that_was_a_year_ahead_leaves_nobody_blind(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world, year = World(), 365 * 24 * 60
    there = replace(world.monitor(), check_expiry=24 * HOUR)
    for number in (0, 1, year, year + 1):
        world.now = slot(number)
        record(there, run(number, HEALTHY), soon())
    world.now = slot(200)

    recorded = [record(there, run(number, DOWN), soon()) for number in (200, 201)]

    assert [done.late for done in recorded] == [False, False]
    told = [alert for ids, _ in world.received["slack"] for alert in ids]
    assert told == [f"a/open:down/1/{slot(200)}"]
    assert caplog.text.count("a clock was ahead") == 1
    assert read_head(world.documents).cursor == run_key(run(201, DOWN))
    assert read_head(world.documents).expired_at == slot(200)


def test_16_runs_before_the_clock_was_wrong_are_not_folded_again() -> None:
    world, year = World(), 365 * 24 * 60
    for number, seen in ((0, DOWN), (1, HEALTHY), (year, HEALTHY)):
        world.now = slot(number)
        record(world.monitor(), run(number, seen), soon())
    before = world.folded.copy()
    world.now = slot(2)

    record(world.monitor(), run(2, DOWN), soon())

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
        record(monitor(storage), run(number, HEALTHY), soon())
    settled = read_head(storage)

    lags = []
    for number in range(4, 4 + 3 * LAG):
        record(monitor(storage), run(number, HEALTHY), soon())
        lags.append(len(list(storage.list(RUNS, read_head(storage).cursor))))

    assert max(lags) == LAG - 1
    assert read_head(storage).seq == settled.seq + 3
    assert read_head(storage).checkers == settled.checkers


def test_known_is_the_confirmed_status_of_each_checker() -> None:
    storage = MemoryStorage()
    record(monitor(storage), run(0, {"a": "d", "b": "h"}), soon())

    assert known(read_head(storage)) == {"a": Status.DOWN, "b": Status.HEALTHY}


@pytest.mark.parametrize("hours", [1, 48, 20_000])
def test_go_runs_before_the_first_of_ours_are_no_news(hours: int) -> None:
    storage, ear, now = MemoryStorage(), Ear(), time.time_ns()
    go = run_key(replace(run(0, {}), slot=now - hours * HOUR))
    storage.create(go, b'[{"title":"A","times":[{"rtt":1}],"down":true}]')

    record(monitor(storage, channels={"ear": ear}), replace(run(0, DOWN), slot=now), soon())

    assert ear.heard == [f"a/open:down/1/{now}"]


@pytest.mark.parametrize("unreadable", [0, 1, BATCH + 1])
def test_7_slot_at_the_end_of_a_batch_keeps_all_of_its_regions(unreadable: int) -> None:
    storage, ear = MemoryStorage(), Ear()
    there = monitor(storage, channels={"ear": ear}, region="eu", regions=REGIONS)
    record(there, run(0, HEALTHY, "eu"), soon())
    cut = 1 + BATCH // len(REGIONS)
    assert BATCH % len(REGIONS)
    for number in range(unreadable):
        storage.create(f"{RUNS}{slot(0.1) + number:019d}-check.json", b"nonsense")
    for number in range(1, cut + 40):
        for position, region in enumerate(REGIONS):
            is_down = number == cut and region != "us"
            letters = DOWN if is_down else HEALTHY
            store(storage, [run(number, letters, region, position)])

    record(there, run(cut + 40, HEALTHY, "eu"), soon())

    assert ear.heard == [f"a/open:down/1/{slot(cut)}", f"a/resolve:healthy/1/{slot(cut + 1)}"]
