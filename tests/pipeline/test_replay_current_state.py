"""The current state counts every stored run, whether or not it has been applied."""

from __future__ import annotations

from checkup.model import Status, encode_results, run_key
from checkup.pipeline import read_state, store_run
from checkup.pipeline.replay import current_state
from checkup.run_store import BATCH
from checkup.storage.memory import MemoryStorage
from tests.alerting.worlds import run
from tests.pipeline.recording import DOWN, HEALTHY, monitor, soon


def test_a_backlog_of_several_batches_counts() -> None:
    storage = MemoryStorage()
    store_run(monitor(storage), run(0, HEALTHY), soon())
    last = 2 * BATCH + 1
    for number in range(1, last + 1):
        seen = run(number, DOWN if number == last else HEALTHY)
        storage.create(run_key(seen), encode_results(seen.results))
    stored = read_state(storage)

    state = current_state(monitor(storage))

    assert state.checkers["a"].status is Status.DOWN
    assert state.cursor == run_key(run(last, {}))
    assert state.outboxes == {}
    assert read_state(storage) == stored
