"""Runs of small worlds, and a second opinion on how they count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from statistics import median_low

from hypothesis import strategies as st

from checkup.documents import encode
from checkup.evaluation import EvaluationRules
from checkup.history.aggregate import apply_runs
from checkup.history.documents import ClosedPeriods, DayStart, HistoryState, HoursOfDay
from checkup.history.tally import PeriodAggregate
from checkup.model import Attempt, Result, Run, Status
from checkup.times import DAY, HOUR, SECOND

MINUTE = 60 * SECOND
MILLISECOND = SECOND // 1000
START = 1_785_715_200_000_000_000
"""3 August 2026, 00:00 UTC."""

SETTING = EvaluationRules()
STATES = ("healthy", "degraded", "down", "unknown", "maintenance")


def result(of: str, status: Status = Status.HEALTHY, rtt: int = 98 * MILLISECOND) -> Result:
    error = "refused" if status is Status.DOWN else ""
    return Result(
        id=of,
        title=of,
        attempts=(Attempt(rtt=rtt, error=error),),
        healthy=status is Status.HEALTHY,
        degraded=status is Status.DEGRADED,
        down=status is Status.DOWN,
    )


def run(slot: int, **statuses: Status) -> Run:
    results = tuple(result(of, status) for of, status in statuses.items())
    return Run(slot=slot, results=results)


def every(step: int, statuses: Iterable[Status], of: str = "api", start: int = START) -> list[Run]:
    """One run per status, so much time apart."""
    return [run(start + number * step, **{of: it}) for number, it in enumerate(statuses)]


def folded(
    runs: Sequence[Run], setting: EvaluationRules = SETTING, cuts: Iterable[int] = ()
) -> tuple[HistoryState, ClosedPeriods]:
    """Fold runs, in one go or cut into several."""
    head = HistoryState()
    hours: dict[int, Mapping[str, PeriodAggregate]] = {}
    days: dict[int, Mapping[str, PeriodAggregate]] = {}
    openings: dict[int, DayStart] = {}
    for start, end in pairwise([0, *sorted(cuts), len(runs)]):
        head, closed = apply_runs(head, runs[start:end], setting)
        hours |= closed.hours
        days |= closed.days
        openings |= closed.openings
    return head, ClosedPeriods(hours=hours, days=days, openings=openings)


def as_bytes(head: HistoryState, closed: ClosedPeriods) -> bytes:
    return (
        encode(head, order="deterministic")
        + b"".join(
            b"%d%s" % (at, encode(HoursOfDay(hours={"00": rows}), order="deterministic"))
            for periods in (closed.hours, closed.days)
            for at, rows in sorted(periods.items())
        )
        + b"".join(
            encode(opening, order="deterministic") for _, opening in sorted(closed.openings.items())
        )
    )


@st.composite
def histories(draw: st.DrawFn) -> list[Run]:
    """Runs of two checkers over some days: regular, with gaps, with each in only some of them."""
    gaps = draw(
        st.lists(
            st.one_of(
                st.just(MINUTE),
                st.just(5 * MINUTE),
                st.integers(1, 3 * HOUR),
                st.integers(1, 20 * DAY),
            ),
            max_size=40,
        )
    )
    runs, slot = [], START + draw(st.integers(0, DAY))
    seen = st.one_of(st.none(), st.sampled_from(Status))
    for gap in gaps:
        pairs = ((of, draw(seen)) for of in ("api", "shop"))
        runs.append(run(slot, **{of: status for of, status in pairs if status is not None}))
        slot += gap
    return runs


def integrated(runs: Sequence[Run], of: str, end: int) -> Mapping[str, int]:
    """The time by state of one checker until ``end``, by the rule as people would apply it.

    It knows nothing of hours, of days or of going on from where one was.
    """
    seen = [(it.slot, result.status) for it in runs for result in it.results if result.id == of]
    sums = dict.fromkeys(STATES, 0)
    gaps: list[int] = []
    nexts = [*(slot for slot, _ in seen[1:]), end]
    for (at, status), later in zip(seen, nexts, strict=False):
        longest = min(3 * median_low(gaps[-5:]) + MINUTE, 8 * DAY) if gaps else HOUR
        sums[status.value] += max(0, min(later - at, longest, end - at))
        gaps.append(later - at)
    return sums
