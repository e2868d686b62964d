"""Many runs are read at once where a storage is far away, and in order."""

from __future__ import annotations

from threading import Barrier

from checkup.interfaces import StoredDocument
from checkup.model import encode_results, run_key
from checkup.run_store import RunStore
from checkup.storage.memory import MemoryStorage
from checkup.times import SECOND
from tests.alerting.worlds import EPOCH, MINUTE, run

RUNS = 24


class FarAway(MemoryStorage):
    """A storage that answers nobody before as many ask as may ask at once."""

    max_concurrent_reads = 4

    def __init__(self) -> None:
        super().__init__()
        self._all_here = Barrier(self.max_concurrent_reads)

    def get(self, key: str) -> StoredDocument | None:
        self._all_here.wait(30)
        return super().get(key)


def test_runs_are_read_many_at_once_and_come_in_order() -> None:
    storage = FarAway()
    for number in range(RUNS):
        seen = run(number, {"a": "h"})
        storage.create(run_key(seen), encode_results(seen.results))

    found = list(RunStore(storage).since(EPOCH - SECOND))

    assert [each.slot for each in found] == [EPOCH + number * MINUTE for number in range(RUNS)]
