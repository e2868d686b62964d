"""Runs as they really come: late, twice, out of order, from regions and from the Go program."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

from checkup.checkers.http import HttpChecker
from checkup.deadline import Deadline
from checkup.evaluation import EvaluationRules
from checkup.history.store import HistoryStore
from checkup.interfaces import Storage
from checkup.maintenance import MaintenanceWindow
from checkup.model import Result, Run, Status, run_key
from checkup.run_store import RunStore
from checkup.times import DAY, HOUR
from tests.history.worlds import MINUTE, START, result

CHECKERS: Final = tuple(
    HttpChecker(endpoint_name=name, id=name, endpoint_url=f"http://{name}/", group="All")
    for name in ("api", "shop")
)
REGIONS: Final = ("east", "west", "north")


class Story(Struct, frozen=True, kw_only=True):
    """What happens to one storage.

    Attributes:
        events: runs as they arrive; None where somebody keeps the history.
    """

    events: tuple[Run | None, ...]
    setting: EvaluationRules


def tell(story: Story, storage: Storage) -> None:
    """Let it happen, and then keep the history to the end.

    A slot is closed as soon as somebody keeps the history; what comes for it afterwards is late.
    """
    newest, closed = -1, ""
    for event in (*story.events, None):
        if event is not None:
            RunStore(storage, story.setting.regions).write(event, closed)
            newest = max(newest, event.slot)
        elif newest >= 0:
            closed = keep(storage, story.setting, newest)


def keep(storage: Storage, setting: EvaluationRules, slot: int) -> str:
    """Keep the history of all slots up to one, and return the key that closes it."""
    end = run_key(Run(slot=slot, results=(), region_index=max(0, len(setting.regions) - 1)))
    HistoryStore(storage=storage, rules=setting, end=end, lag=0).catch_up(Deadline.after(60))
    return end


def rebuild(storage: Storage, setting: EvaluationRules) -> None:
    end = max(storage.list("runs/"))
    HistoryStore(storage=storage, rules=setting, end=end, lag=0).rebuild(Deadline.after(60))


def documents(storage: Storage, prefix: str = "history/") -> dict[str, bytes]:
    """The documents below a prefix, by key."""
    found = {key: storage.get(key) for key in storage.list(prefix)}
    return {key: stored.body for key, stored in found.items() if stored is not None}


def seen(slot: int, region: str, statuses: Sequence[Status], *, by_go: bool = False) -> Run:
    """One run; the Go program knows neither ids nor regions."""
    results = tuple(_result(of, status) for of, status in zip(CHECKERS, statuses, strict=True))
    if by_go:
        return Run(slot=slot, results=tuple(replace(it, id="") for it in results))
    position = REGIONS.index(region) if region else 0
    own = tuple(replace(it, region=region) for it in results)
    return Run(slot=slot, results=own, region=region, region_index=position)


def _result(of: HttpChecker, status: Status) -> Result:
    return replace(result(of.id, status), endpoint=of.endpoint_url)


@st.composite
def stories(draw: st.DrawFn) -> Story:
    regions = draw(st.sampled_from([(), REGIONS]))
    gaps = st.sampled_from([MINUTE, MINUTE, 5 * MINUTE, 50 * MINUTE, 7 * HOUR, 2 * DAY])
    statuses = st.tuples(*(st.sampled_from(Status) for _ in CHECKERS))
    runs: list[Run] = []
    slot = START + draw(st.integers(0, DAY // MINUTE)) * MINUTE
    for gap in draw(st.lists(gaps, min_size=1, max_size=14)):
        for region in regions or ("",):
            if draw(st.integers(0, 4)):
                by_go = not regions and draw(st.booleans())
                runs.append(seen(slot, region, draw(statuses), by_go=by_go))
        slot += gap
    windows = draw(st.lists(_windows(slot), max_size=2))
    setting = EvaluationRules(checkers=CHECKERS, regions=regions, windows=windows)
    return Story(events=tuple(draw(_arrivals(runs))), setting=setting)


@st.composite
def _windows(draw: st.DrawFn, last: int) -> MaintenanceWindow:
    whom = draw(st.sampled_from([frozenset({"api"}), frozenset()]))
    start = draw(st.integers(START, last))
    return MaintenanceWindow(start=start, duration=draw(st.integers(1, 9 * HOUR)), checkers=whom)


@st.composite
def _arrivals(draw: st.DrawFn, runs: Sequence[Run]) -> Iterator[Run | None]:
    """Some come later than others, some twice and with other results; sometimes it is counted."""
    arrivals: list[tuple[int, Run | None]] = []
    for number, run in enumerate(runs):
        delays = draw(st.lists(st.sampled_from([0, 0, 0, 1, 2, 6]), min_size=1, max_size=2))
        for again, delay in enumerate(delays):
            other = replace(run, results=tuple(map(_worse, run.results))) if again else run
            arrivals.append((number + delay, other))
    kept = draw(st.lists(st.integers(0, len(runs) + 6), max_size=6))
    arrivals += [(number, None) for number in kept]
    return iter([event for _, event in sorted(arrivals, key=lambda pair: pair[0])])


def _worse(of: Result) -> Result:
    return replace(of, healthy=False, degraded=False, down=True)
