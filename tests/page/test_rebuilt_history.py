"""A process that shows the page for a long time, while somebody else counts the history again."""

from __future__ import annotations

import pytest

from checkup.config.settings import Config, evaluation_rules
from checkup.deadline import Deadline
from checkup.history.documents import HistoryState, OpenCounters
from checkup.history.store import HistoryStore
from checkup.history.tally import Tally
from checkup.model import Run, Status, encode_results, run_key
from checkup.storage.memory import MemoryStorage
from checkup_page.build import PageCache, build_page
from checkup_page.load import HistoryFingerprint
from tests.page.worlds import MINUTE, NOW, checker, config, result

API = checker("API")
CONFIG = config([API])
HOUR, DAY = 60 * MINUTE, 24 * 60 * MINUTE


def put(storage: MemoryStorage, slot: int, status: Status = Status.HEALTHY) -> str:
    run = Run(slot=slot, results=(result(API, status),))
    storage.create(run_key(run), encode_results(run.results))
    return run_key(run)


def rebuild(storage: MemoryStorage, end: str, world: Config = CONFIG) -> None:
    keeper = HistoryStore(storage=storage, rules=evaluation_rules(world), end=end)
    assert keeper.rebuild(Deadline.after(60))


@pytest.mark.parametrize("ago", [3 * HOUR, 30 * HOUR], ids=["today", "yesterday"])
def test_a_page_that_is_made_again_and_again_follows_a_rebuild_at_once(ago: int) -> None:
    storage, memory = MemoryStorage(), PageCache()
    slots = range(NOW - 2 * DAY, NOW, 10 * MINUTE)
    end = [put(storage, slot) for slot in slots][-1]
    before = build_page(CONFIG, storage, NOW, cache=memory)
    (path,) = (path for path in before if path.startswith("components/"))
    put(storage, slots[-1] - ago + MINUTE, Status.DOWN)
    rebuild(storage, end)
    after = build_page(CONFIG, storage, NOW, cache=memory)
    assert after == build_page(CONFIG, storage, NOW)
    assert after[path].body != before[path].body


def told(*, day: int, hour: int, first: int = 1, since: int = 0) -> HistoryFingerprint:
    account = OpenCounters(
        first=first,
        last=1,
        status=Status.HEALTHY,
        counted_until=1,
        valid_until=1,
        hour=Tally(healthy=hour),
        day=Tally(healthy=day),
    )
    return HistoryFingerprint.of(HistoryState(hour=since, checkers={"api": account}))


def test_an_hour_that_goes_on_and_a_new_one_are_no_recount() -> None:
    before = told(day=100, hour=10)
    assert not told(day=120, hour=30).differs_from(before)
    assert not told(day=150, hour=0, since=HOUR).differs_from(before)
    assert not before.differs_from(HistoryFingerprint())


def test_other_hours_another_beginning_and_a_checker_that_is_gone_are_a_recount() -> None:
    before = told(day=100, hour=10)
    assert told(day=99, hour=10).differs_from(before)
    assert told(day=100, hour=10, first=2).differs_from(before)
    assert HistoryFingerprint.of(HistoryState()).differs_from(before)
