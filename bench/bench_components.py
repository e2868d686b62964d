"""A thousand components and a year of days: the time and the memory of all their pages.

Days and hours are written by the code that closes them, with as many buckets of response times as
a run a minute leaves; what is open is folded from hourly runs. Each page is built by a
process of its own, from a folder. The first page of a day goes on with the year of the day before;
all later ones read that. The others of an hour make no page of a component again.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from budgets import Table
from msgspec.structs import replace

from checkup.checkers.http import HttpChecker
from checkup.config.page import PageSettings
from checkup.config.settings import Config, evaluation_rules
from checkup.deadline import Deadline
from checkup.documents import decode, encode
from checkup.history.documents import HISTORY_KEY, ClosedPeriods, HistoryState
from checkup.history.latency import LatencyHistogram, bucket_of
from checkup.history.reader import load_year
from checkup.history.store import HistoryStore, save_closed
from checkup.history.tally import PeriodAggregate, Tally
from checkup.model import Attempt, Phases, Result, Run, run_key
from checkup.model import encode_results as encode_run
from checkup.storage.folder import FolderStorage
from checkup.storage.memory import MemoryStorage
from checkup.times import DAY, HOUR, SECOND, day_start
from checkup_page.build import PageCache, build_page

COMPONENTS = 1000
NOW = 1_785_751_362_000_000_000
RECENT = 8
DAYS = 365
KINDS = 60
"""Different days; each is that of many components, or this would be a benchmark of dice."""


def main() -> None:
    """Measure and judge; with a folder, be the process that is measured."""
    if len(sys.argv) > 1:
        print(json.dumps(measured(Path(sys.argv[1]))))
        return
    table = Table()
    with tempfile.TemporaryDirectory() as folder:
        storage = FolderStorage(folder)
        fill(storage)
        anew = sum_up(storage, day_start(NOW) - DAY)
        first, usual = child(folder), child(folder)
    table.row("components-cpu", usual["render"])
    table.row("components-memory", usual["memory"])
    table.note("files", usual["files"])
    table.note("reading what they are made of, once in an hour, CPU", usual["read"], "s")
    table.note("one more page of the same hour, CPU", usual["again"], "s")
    table.note("one more day of the year, once in a day, CPU", first["read"] - usual["read"], "s")
    table.row("components-day-memory", first["memory"])
    table.note("making the year anew, as after some days without a page, CPU", anew, "s")
    table.end()


def sum_up(storage: FolderStorage, end: int) -> float:
    """Keep the year that ended some day; return the processor time."""
    start = time.process_time()
    load_year(storage, HistoryState(hour=end), end, {})
    return time.process_time() - start


def child(folder: str) -> Mapping[str, float]:
    """Return what another process measures."""
    output = subprocess.check_output([sys.executable, __file__, folder])
    found: Mapping[str, float] = json.loads(output)
    return found


def measured(folder: Path) -> Mapping[str, float]:
    """Return the CPU of what a process does in its first hour, and the most memory that it had."""
    storage, settings, memory = FolderStorage(folder), config(), PageCache()
    whole = cpu(settings, storage, memory)
    most = peak()
    again = cpu(settings, storage, memory)
    memory = PageCache(recent_runs=memory.recent_runs, history=memory.history)
    render = cpu(settings, storage, memory)
    files = len(build_page(settings, storage, NOW, memory=memory))
    return {
        "render": render,
        "read": whole - render,
        "again": again,
        "memory": most,
        "files": files,
    }


def cpu(settings: Config, storage: FolderStorage, memory: PageCache) -> float:
    """Return the processor time of one page."""
    start = time.process_time()
    build_page(settings, storage, NOW, memory=memory)
    return time.process_time() - start


def peak() -> float:
    """Return the most memory that this process has had; `getrusage` counts its parent's too."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def config() -> Config:
    """Return the checkers."""
    return Config(
        checkers=tuple(
            HttpChecker(
                id=f"s{number}", endpoint_name=f"Service {number}", endpoint_url="http://x/"
            )
            for number in range(COMPONENTS)
        ),
        page=PageSettings(title="Status"),
        interval=HOUR,
    )


def fill(target: FolderStorage) -> None:
    """Write a year of history, and the last runs."""
    storage, settings = MemoryStorage(), config()
    runs = [run(NOW - 12 * SECOND - back * HOUR) for back in range(24 * RECENT, -1, -1)]
    for it in runs:
        storage.create(run_key(it), encode_run(it.results))
    keeper = HistoryStore(
        storage=storage, rules=evaluation_rules(settings), end=run_key(runs[-1]), lag=0
    )
    head = keeper.catch_up(Deadline.after(600)).head
    first = day_start(NOW) - DAYS * DAY
    accounts = {name: replace(it, first=first) for name, it in head.checkers.items()}
    stored = storage.get(HISTORY_KEY)
    if stored is not None:
        aged = replace(decode(stored.body, HistoryState), checkers=accounts)
        storage.replace(HISTORY_KEY, encode(aged, order="deterministic"), stored.version)
    kinds, hours = list(periods(1440)), list(periods(60))
    closed = range(runs[0].slot // HOUR * HOUR, head.hour, HOUR)
    save_closed(storage, ClosedPeriods(hours={hour: whole(hour, hours) for hour in closed}))
    for month in range(first, day_start(runs[0].slot) + DAY, 30 * DAY):
        days = range(month, min(month + 30 * DAY, day_start(runs[0].slot) + DAY), DAY)
        save_closed(storage, ClosedPeriods(days={day: whole(day, kinds) for day in days}))
    for folder in ("history/", "runs/"):
        for key in storage.list(folder):
            document = storage.get(key)
            if document is not None:
                target.create(key, document.body)


def whole(start: int, kinds: list[PeriodAggregate]) -> Mapping[str, PeriodAggregate]:
    """Return one hour or day of all components."""
    at = start // HOUR * 7
    return {f"s{number}": kinds[(at + number) % KINDS] for number in range(COMPONENTS)}


def periods(runs: int) -> Iterator[PeriodAggregate]:
    """Yield some different hours or days, each of so many runs, a minute apart."""
    length = runs * 60 * SECOND
    chance = random.Random(1)
    for number in range(KINDS):
        times = [round(chance.lognormvariate(0, 0.2) * 98_000_000) for _ in range(runs)]
        buckets: dict[int, int] = {}
        for it in times:
            buckets[bucket_of(it)] = buckets.get(bucket_of(it), 0) + 1
        failures = runs // 60 if number % 30 == 7 else 0
        down = failures * 60 * SECOND
        yield PeriodAggregate(
            tally=Tally(healthy=length - down, down=down, runs=runs, failures=failures),
            latency=LatencyHistogram(
                count=runs,
                total=sum(times),
                buckets=tuple(sorted(buckets.items())),
                phase_count=runs,
                phases=Phases(resolve=sum(times) // 20, wait=sum(times) // 2),
            ),
        )


def run(slot: int) -> Run:
    """Return one run in which all is well."""
    return Run(
        slot=slot,
        results=tuple(
            Result(
                id=f"s{number}",
                title=f"Service {number}",
                attempts=(Attempt(rtt=90_000_000 + 7919 * (number * 31 + slot) % 40_000_000),),
                healthy=True,
            )
            for number in range(COMPONENTS)
        ),
    )


if __name__ == "__main__":
    main()
