"""Looking and recording in one go."""

from __future__ import annotations

import json

import pytest

from checkup.alerting.state import STATE_KEY
from checkup.deadline import Deadline
from checkup.errors import CheckUnknownError
from checkup.model import Attempt, Status, decode_results, run_key
from checkup.pipeline import confirmed_statuses, read_state, run_and_store
from checkup.run_store import RunNotStoredError
from checkup.storage.memory import MemoryStorage
from tests.alerting.worlds import Toy, run, slot
from tests.pipeline.recording import Ear, monitor, soon
from tests.pipeline.worlds import World


def test_what_was_seen_is_stored_and_known() -> None:
    storage = MemoryStorage()

    recorded = run_and_store(monitor(storage), slot(0), soon())

    assert [result.id for result in recorded.run.results] == ["a", "b"]
    assert confirmed_statuses(read_state(storage)) == dict.fromkeys("ab", Status.HEALTHY)


@pytest.mark.row("D15")
def test_message_is_stored_with_its_checker_and_sent_to_nobody() -> None:
    storage, ear = MemoryStorage(), Ear()

    run_and_store(
        monitor(storage, channels={"ear": ear}), slot(0), soon(), message=("b", "We know.")
    )

    stored = storage.get(run_key(run(0, {})))
    assert stored is not None
    assert [result.message for result in decode_results(stored.body)] == ["", "We know."]
    assert ear.heard == []


@pytest.mark.row("10")
@pytest.mark.parametrize("left", [0, -1])
def test_no_time_left_is_a_limit(left: int) -> None:
    storage = MemoryStorage()

    recorded = run_and_store(monitor(storage), slot(0), Deadline.after(left))

    assert [result.status for result in recorded.run.results] == [Status.UNKNOWN] * 2
    assert {result.failure for result in recorded.run.results} == {"run_deadline"}


@pytest.mark.row("D10")
def test_checker_that_cannot_look_does_not_silence_the_others() -> None:
    storage, ear = MemoryStorage(), Ear()
    checkers = (Unable(id="a", endpoint_name="A"), Broken(id="b", failure_threshold=1))
    there = monitor(storage, checkers=checkers, channels={"ear": ear})

    recorded = run_and_store(there, slot(0), soon())

    statuses = [result.status for result in recorded.run.results]
    assert statuses == [Status.UNKNOWN, Status.DOWN]
    assert ear.heard == [f"b/open:down/1/{slot(0)}"]


def test_outage_that_was_known_is_looked_at_once() -> None:
    storage = MemoryStorage()
    there = monitor(storage, checkers=(Broken(id="a", endpoint_name="A", recheck=1),))

    first = run_and_store(there, slot(0), soon())
    second = run_and_store(there, slot(1), soon())

    assert [result.rechecks for result in first.run.results] == [1]
    assert [result.rechecks for result in second.run.results] == [0]


def test_failing_storage_leaves_the_results_with_the_caller() -> None:
    world = World()
    world.faults = dict.fromkeys(range(99), "not-applied")

    with pytest.raises(RunNotStoredError) as caught:
        run_and_store(world.monitor(), slot(0), soon())

    assert [result.status for result in caught.value.run.results] == [Status.HEALTHY] * 2


def test_head_is_valid_json() -> None:
    storage = MemoryStorage()
    run_and_store(monitor(storage), slot(0), soon())

    stored = storage.get(STATE_KEY)
    assert stored is not None
    assert set(json.loads(stored.body)) == {
        "announcing",
        "channels",
        "checkers",
        "config_version",
        "cursor",
        "dead",
        "expired_at",
        "inconclusive",
        "maintenance",
        "schema",
        "seq",
        "silences",
        "used",
    }


class Broken(Toy, frozen=True, kw_only=True):
    """A checker that always fails."""

    def attempt(self, deadline: Deadline) -> Attempt:
        return Attempt(
            error=f"broken, with time left: {deadline.remaining() > 0}", failure="broken"
        )


class Unable(Toy, frozen=True, kw_only=True):
    """A checker that cannot look at its target."""

    def attempt(self, deadline: Deadline) -> Attempt:
        del deadline
        raise CheckUnknownError("config", "nowhere to look")
