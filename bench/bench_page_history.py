"""Budgets 10 and 11: the page after 365 days of history and after 7, and how large it is.

Fifty endpoints, each in trouble about once a month. The history is folded from runs, as the
page itself does it, an hour apart so that a year takes seconds; what a page reads does not depend
on how many runs made it. Both sides are measured in turn.
What changes with the length of the history is read once by each process.
"""

from __future__ import annotations

import gzip
import statistics
import time
from collections.abc import Sequence

from budgets import Table

from checkup.checkers.http import HttpChecker
from checkup.config.page import PageSettings
from checkup.config.settings import Config, evaluation_rules
from checkup.deadline import Deadline
from checkup.history.store import HistoryStore
from checkup.model import Attempt, Result, Run, encode_results, run_key
from checkup.storage.memory import MemoryStorage
from checkup.times import SECOND
from checkup_page.build import PageCache, build_page

ENDPOINTS = 50
HOUR = 3600 * SECOND
DAY = 24 * HOUR
NOW = 1_785_751_362_000_000_000
ROUNDS = 45


def main() -> None:
    """Measure and judge."""
    config = Config(
        checkers=tuple(
            HttpChecker(
                id=f"s{number}", endpoint_name=f"Service {number}", endpoint_url="http://x/"
            )
            for number in range(ENDPOINTS)
        ),
        page=PageSettings(title="Status"),
    )
    year, week = world(config, 365), world(config, 7)
    cold = ratio(
        [(cpu(config, year, PageCache()), cpu(config, week, PageCache())) for _ in range(ROUNDS)]
    )
    of_year, of_week = PageCache(), PageCache()
    build_page(config, year, NOW, memory=of_year)
    build_page(config, week, NOW, memory=of_week)
    warm = ratio([(cpu(config, year, of_year), cpu(config, week, of_week)) for _ in range(ROUNDS)])
    body = build_page(config, year, NOW)["index.html"].body
    table = Table()
    table.row("page-year", warm)
    table.note("the first page of a process, which reads 90 days and not 7", cold)
    table.row("index", len(body) / 1024)
    table.row("index-gzipped", len(gzip.compress(body)) / 1024)
    table.end()


def ratio(pairs: Sequence[tuple[float, float]]) -> float:
    """Return the ratio of the medians, of what was measured in turn."""
    longer, shorter = zip(*pairs, strict=True)
    return statistics.median(longer) / statistics.median(shorter)


def world(config: Config, days: int) -> MemoryStorage:
    """Return a storage in which there were runs for so many days; the last ones are kept."""
    storage = MemoryStorage()
    keys = []
    for number in range(days * 24):
        slot = NOW - 12 * SECOND - (days * 24 - 1 - number) * HOUR
        results = tuple(result(config.checkers[at].id, number, at) for at in range(ENDPOINTS))
        run = Run(slot=slot, results=results)
        keys.append(run_key(run))
        storage.create(keys[-1], encode_results(results))
    keeper = HistoryStore(storage=storage, rules=evaluation_rules(config), end=keys[-1], lag=0)
    keeper.catch_up(Deadline.after(600))
    for key in keys[:-90]:
        storage.delete(key)
    return storage


def result(of: str, hour: int, number: int) -> Result:
    """Return what one endpoint looks like in one hour."""
    down = (hour * 7919 + number * 104_729) % 719 == 0
    rtt = 90_000_000 + 7919 * (number * 31 + hour * 17) % 40_000_000
    times = (Attempt(rtt=rtt, error="refused" if down else ""),)
    return Result(id=of, title=of, attempts=times, healthy=not down, down=down)


def cpu(config: Config, storage: MemoryStorage, memory: PageCache) -> float:
    """Return the processor time of one page."""
    start = time.process_time()
    build_page(config, storage, NOW, memory=memory)
    return time.process_time() - start


if __name__ == "__main__":
    main()
