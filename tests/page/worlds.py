"""Small worlds to make pages of: checkers, and runs with results in them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence

from checkup.checkers.http import HttpChecker
from checkup.config.page import PageSettings
from checkup.config.settings import Config
from checkup.history.tally import Tally
from checkup.interfaces import Checker, PageFile
from checkup.model import Attempt, Result, Run, Status
from checkup.times import DAY, HOUR, SECOND, day_start
from checkup_page.build_view import PageData, build_view
from checkup_page.components.bars import closed_day_bars
from checkup_page.components.build import DailyHistory
from checkup_page.render import render_site

NOW = 1_785_751_362_000_000_000
"""3 August 2026, 10:02:42 UTC."""

MINUTE = 60 * SECOND
MILLISECOND = SECOND // 1000


def checker(title: str, **fields: object) -> HttpChecker:
    given = {"id": title.lower(), "endpoint_url": f"http://{title.lower()}.internal:8000/"}
    return HttpChecker(endpoint_name=title, **{**given, **fields})  # type: ignore[arg-type]


def config(checkers: Iterable[Checker] = (), page: PageSettings | None = None) -> Config:
    page = page or PageSettings(title="Acme Status", url="https://status.acme.example/")
    return Config(checkers=tuple(checkers), page=page)


def result(
    of: Checker, status: Status = Status.HEALTHY, rtt: int = 98 * MILLISECOND, **fields: object
) -> Result:
    failed = status is Status.DOWN
    attempt = Attempt(
        rtt=0 if failed else rtt,
        error="dial tcp 10.1.2.3:8000: connection refused" if failed else "",
        failure="connect_refused" if failed else "",
    )
    given = {"title": of.title, "endpoint": of.endpoint, "id": of.id, "attempts": (attempt,)}
    flags = {status.value: True} if status is not Status.UNKNOWN else {}
    return Result(**{**given, **flags, **fields})  # type: ignore[arg-type]


def runs(
    results: Sequence[Sequence[Result]], *, newest: int = NOW - 12 * SECOND, every: int = MINUTE
) -> tuple[Run, ...]:
    """One run per element, oldest first; the last one took place at ``newest``."""
    last = len(results) - 1
    return tuple(
        Run(slot=newest - (last - number) * every, results=tuple(group))
        for number, group in enumerate(results)
    )


def rendered(
    world: Config, seen: tuple[Run, ...] = (), at: int | None = None, *, days: bool = False
) -> dict[str, PageFile]:
    """The files of the page at a moment, or now; with days of every kind if wanted."""
    at = at or time.time_ns()
    daily = {it.id: every_kind_of_day(at) for it in world.checkers} if days else {}
    return render_site(build_view(world, PageData(runs=seen, daily=daily), at))


def every_kind_of_day(now: int) -> DailyHistory:
    """Ninety days that look in all the ways there are."""
    *closed, (_, today) = _days(now)
    return DailyHistory(since=0, closed=closed_day_bars(closed), today=today)


def _days(now: int) -> Iterator[tuple[int, Tally]]:
    """Ninety days, the last of them today, that look in all the ways there are."""
    kinds = (
        Tally(healthy=DAY),
        Tally(healthy=DAY - 12 * MINUTE, down=12 * MINUTE),
        Tally(healthy=DAY),
        Tally(healthy=DAY - 2 * HOUR, down=2 * HOUR),
        Tally(healthy=DAY - HOUR, degraded=HOUR),
        Tally(unknown=DAY),
        Tally(maintenance=DAY),
        Tally(),
    )
    for number in range(90):
        yield day_start(now) - (89 - number) * DAY, kinds[number % len(kinds)]
