"""A run is stored once."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from checkup.alerting.state import STATE_KEY
from checkup.model import (
    LATE_PREFIX,
    RUNS_PREFIX,
    Attempt,
    Phases,
    Result,
    Run,
    Status,
    encode_results,
    run_key,
)
from checkup.pipeline import read_state, store_run
from checkup.run_store import RunStore
from checkup.storage.memory import MemoryStorage
from checkup.times import SECOND
from tests.alerting.worlds import run, slot
from tests.pipeline.recording import DOWN, HEALTHY, Ear, keys, monitor, soon
from tests.pipeline.worlds import World


def test_run_is_stored_under_its_slot() -> None:
    storage = MemoryStorage()

    recorded = store_run(monitor(storage), run(1, DOWN), soon())

    assert keys(storage, RUNS_PREFIX) == [run_key(run(1, DOWN))]
    assert recorded.run == run(1, DOWN)


@pytest.mark.row("1")
def test_run_that_was_there_first_counts() -> None:
    storage, ear = MemoryStorage(), Ear()
    storage.create(run_key(run(1, {})), b'[{"id":"a","title":"A","times":[],"healthy":true}]')

    recorded = store_run(monitor(storage, channels={"ear": ear}), run(1, DOWN), soon())

    assert [result.status for result in recorded.run.results] == [Status.HEALTHY]
    assert ear.heard == []


@pytest.mark.row("3")
def test_event_that_comes_again_changes_nothing() -> None:
    storage = MemoryStorage()
    store_run(monitor(storage), run(1, DOWN), soon())
    before = storage.get(STATE_KEY)

    store_run(monitor(storage), run(1, HEALTHY), soon())

    assert storage.get(STATE_KEY) == before
    assert keys(storage, LATE_PREFIX) == []


@pytest.mark.row("6")
def test_run_of_a_closed_slot_is_kept_as_evidence_and_never_folded() -> None:
    storage, ear = MemoryStorage(), Ear()
    store_run(monitor(storage), run(5, HEALTHY), soon())
    before = storage.get(STATE_KEY)

    recorded = store_run(monitor(storage, channels={"ear": ear}), run(1, DOWN), soon())

    assert recorded.late
    assert keys(storage, LATE_PREFIX) == [LATE_PREFIX + run(1, {}).file_name]
    assert (storage.get(STATE_KEY), ear.heard) == (before, [])


@pytest.mark.row("7")
def test_run_whose_slot_was_closed_while_it_was_being_stored_is_late() -> None:
    plain = World()
    plain.happen(0, HEALTHY)
    plain.happen(1, HEALTHY)
    number = plain.steps.index("create runs", plain.steps.index("create runs") + 1)
    world = World()
    world.happen(0, HEALTHY)
    world.faults = {number: lambda: world.happen(2, DOWN)}

    recorded = world.happen(1, {"a": "h", "b": "d"})

    assert recorded is not None
    assert recorded.late
    told = [alert for ids, _ in world.received["slack"] for alert in ids]
    assert told == [f"a/open:down/1/{slot(2)}"]


@pytest.mark.row("3")
def test_run_that_was_folded_is_not_late_when_its_event_comes_again() -> None:
    storage = MemoryStorage()
    store_run(monitor(storage), run(1, DOWN), soon())

    assert not store_run(monitor(storage), run(1, HEALTHY), soon()).late


def test_run_of_an_unknown_region_is_stored_and_never_votes() -> None:
    storage, ear = MemoryStorage(), Ear()
    laptop = monitor(storage, region="laptop", regions=("eu",), channels={"ear": ear})

    store_run(laptop, run(1, DOWN, "laptop"), soon())

    assert len(keys(storage, RUNS_PREFIX)) == 1
    assert (read_state(storage).checkers, ear.heard) == ({}, [])


def test_regions_share_a_slot_and_agree() -> None:
    storage, ear, regions = MemoryStorage(), Ear(), ("eu", "us", "ap")
    at = time.time_ns() - 10 * SECOND  # within the grace of the others
    for position, (region, letter) in enumerate(zip(regions, "dhd", strict=True)):
        there = monitor(storage, region=region, regions=regions, channels={"ear": ear})
        seen = replace(run(0, {"a": letter}, region, position), slot=at)
        store_run(there, seen, soon())
        assert bool(ear.heard) == (position == 2)

    assert ear.heard == [f"a/open:down/1/{at}"]


TEXTS = st.text('aé<"\\\u2028\ud83d\ude00', max_size=4) | st.just(r"\ufffd")
ATTEMPTS = st.builds(
    Attempt,
    rtt=st.integers(0, 10**12),
    error=TEXTS,
    failure=TEXTS,
    phases=st.none() | st.builds(Phases, resolve=st.integers(0, 9)),
    certificate_expiry=st.integers(0, 2**62),
)
RESULTS = st.builds(
    Result,
    title=TEXTS,
    endpoint=TEXTS,
    timestamp=st.integers(0, 2**62),
    attempts=st.lists(ATTEMPTS, max_size=2).map(tuple),
    healthy=st.booleans(),
    notice=TEXTS,
    id=TEXTS,
    region=st.sampled_from(["", "eu", "us", "by-hand"]),
    rechecks=st.integers(0, 5),
    target_digest=TEXTS,
)
RUNS = st.builds(
    Run,
    slot=st.integers(0, 2**60),
    results=st.lists(RESULTS, max_size=3).map(tuple),
    region=st.sampled_from(["", "eu", "us", "by-hand"]),
    region_index=st.integers(0, 1),
)


@given(RUNS, st.sampled_from([(), ("eu", "us")]), st.booleans())
def test_run_that_was_written_is_the_one_that_is_read(
    seen: Run, regions: tuple[str, ...], was_there: bool
) -> None:
    storage = MemoryStorage()
    if was_there:
        storage.create(run_key(seen), encode_results(seen.results))
    store = RunStore(storage, regions)

    written = store.write(seen, "").run

    assert written == RunStore(storage, regions).get(run_key(seen))
    assert store.cache.get(run_key(seen)) == written


def test_evidence_is_not_taken_for_a_stored_run() -> None:
    store = RunStore(MemoryStorage())

    assert store.write(run(1, DOWN), run_key(run(5, {}))).late
    assert store.get(run_key(run(1, DOWN))) is None
