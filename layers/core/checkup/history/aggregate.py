"""Apply runs to the history: count time by checker, close hours and days that are over. Pure.

The same state and the same runs give the same bytes, in one go or in many. Runs count in the order
of their keys; one that comes after its turn never counts.

A result is valid until the next one, but not for ever: without new results nothing is known. The
usual time between results, measured from the results themselves, decides how long.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from statistics import median_low
from typing import Final, NamedTuple

from checkup.evaluation import EvaluationRules, ResultMatcher, evaluate_slot
from checkup.history.documents import ClosedPeriods, DayStart, HistoryState, OpenCounters
from checkup.history.latency import LatencyHistogram, add_phases, bucket_of
from checkup.history.tally import MAX_DISRUPTIONS, DayDisruption, PeriodAggregate, Tally
from checkup.model import Result, Run, Status, rtt_stats, run_key
from checkup.times import DAY, HOUR, MINUTE, day_start, hour_start

INTERVALS: Final = 3
"""Usual intervals for which a result is valid; after as many the page calls it stale."""

GRACE: Final = MINUTE
"""A scheduler is up to a minute late."""

FIRST_LIFETIME: Final = HOUR
"""How long the very first result is valid at most, when no interval is usual yet."""

MAX_LIFETIME: Final = 8 * DAY
"""How long a result is valid at most: weekly checks leave no gaps."""

INTERVALS_KEPT: Final = 5
"""Intervals that decide what is usual; a few odd ones among them change nothing."""

COUNTERS_KEPT: Final = 400 * DAY
"""How long counters without results are kept: longer than the page looks back."""


class AggregatedRuns(NamedTuple):
    """The state after some runs, and what they have closed."""

    head: HistoryState
    closed: ClosedPeriods


def apply_runs(head: HistoryState, runs: Iterable[Run], rules: EvaluationRules) -> AggregatedRuns:
    """Apply the runs after the state's cursor; all of a slot must be there, or none."""
    by_key = {run_key(run): run for run in runs}
    in_order = [by_key[key] for key in sorted(by_key) if key > head.cursor]
    history, cursor = HistoryAggregator(head), head.cursor
    matcher, groups = ResultMatcher(rules.checkers), rules.groups
    for slot, sharing in groupby(in_order, key=lambda run: run.slot):
        together = [*sharing]
        votes = {run.region: run for run in together if run.region in rules.voting_regions}
        cursor = run_key(Run(slot=slot, results=(), region_index=len(rules.voting_regions) - 1))
        history.begin_run(slot, together[0].region_index)
        windows = [window for window in rules.windows if window.end_at(slot)]
        found = evaluate_slot(votes.values(), rules, matcher, history.inconclusive)
        history.inconclusive = found.streaks
        for checker, agreed in found.agreed.items():
            counter = history.counts.get(checker)
            if counter is None:
                counter = history.counts[checker] = CheckerCounter(slot)
            group = groups.get(checker, "")
            in_maintenance = any(window.covers(checker, group) for window in windows)
            counter.add_result(slot, agreed.status, agreed.result, in_maintenance=in_maintenance)
    return AggregatedRuns(history.head(cursor), history.closed)


def open_days(head: HistoryState, at: int) -> Mapping[int, Mapping[str, PeriodAggregate]]:
    """Return the days that are not closed in the state, as they are at a time; by beginning.

    There are several if no run was applied since the day before.
    """
    history = HistoryAggregator(head)
    history.count_until(at)
    day, counted = history.open_day()
    return {**history.closed.days, day: counted} if head.hour else {}


def closed_before(head: HistoryState, at: int) -> ClosedPeriods:
    """Return the hours and days that are over at a time and not closed in the state."""
    history = HistoryAggregator(head)
    history.close_before(at)
    return history.closed


class HistoryAggregator:
    """Counts in the order of time; what is closed is collected and does not change any more.

    Attributes:
        counts: by checker.
        inconclusive: as in the state.
    """

    def __init__(self, head: HistoryState) -> None:
        self.counts = {name: CheckerCounter(0, open_) for name, open_ in head.checkers.items()}
        self.inconclusive = dict(head.inconclusive)
        self._hour = head.hour
        self._hours: dict[int, Mapping[str, PeriodAggregate]] = {}
        self._days: dict[int, Mapping[str, PeriodAggregate]] = {}
        self._openings: dict[int, DayStart] = {}
        self._begun_days: dict[int, DayStart] = {}  # which still have no run

    @property
    def closed(self) -> ClosedPeriods:
        """Everything that has been closed so far."""
        return ClosedPeriods(hours=self._hours, days=self._days, openings=self._openings)

    def head(self, cursor: str) -> HistoryState:
        """Return the state after the run under this key."""
        return HistoryState(
            cursor=cursor,
            hour=self._hour,
            checkers=self._open_counters(),
            inconclusive=self.inconclusive,
        )

    def open_day(self) -> tuple[int, Mapping[str, PeriodAggregate]]:
        """Return when the open day began, and what has been counted of it."""
        return day_start(self._hour), self._day()

    def begin_run(self, slot: int, position: int) -> None:
        """Close what is over at a slot whose runs are about to be counted.

        Args:
            slot: of the runs.
            position: the region index of the first of them that there is.
        """
        if not self._hour:
            self._begun_days[day_start(slot)] = self._day_start()
        self.close_before(slot)
        # Counted again, these days begin with what was known when they began.
        for day, start in self._begun_days.items():
            self._openings[day] = DayStart(
                first_run=slot + position, checkers=start.checkers, inconclusive=start.inconclusive
            )
        self._begun_days.clear()

    def close_before(self, at: int) -> None:
        """Close every hour and every day that is over at a time."""
        now = hour_start(at)
        while 0 < self._hour < now:
            self._close_hour()
            if all(counter.valid_until <= self._hour for counter in self.counts.values()):
                # No result is valid from here on.
                day = day_start(now)
                if self._hour < day:
                    self._close_day(day)
                self._hour = now
        self._hour = max(self._hour, now)

    def count_until(self, at: int) -> None:
        """Count what is valid up to a time, as if there had been a run."""
        self.close_before(at)
        for counter in self.counts.values():
            counter.count_until(at)

    def _close_hour(self) -> None:
        end = self._hour + HOUR
        hour: dict[str, PeriodAggregate] = {}
        for name, counter in self.counts.items():
            counter.count_until(end)
            tally = counter.hour.tally()
            if tally != _EMPTY:
                hour[name] = PeriodAggregate(tally=tally, latency=counter.hour.latency())
                counter.hour = PeriodCounter()
        if hour:
            self._hours[self._hour] = hour
        if day_start(end) == end:
            self._close_day(end)
        self._hour = end

    def _close_day(self, next_day: int) -> None:
        day = self._day()
        if day:
            self._days[day_start(self._hour)] = day
        for name, counter in list(self.counts.items()):
            counter.day = PeriodCounter()
            if next_day - counter.last > COUNTERS_KEPT:
                del self.counts[name]
        self._begun_days[next_day] = self._day_start()

    def _day(self) -> Mapping[str, PeriodAggregate]:
        rows = {
            name: PeriodAggregate(tally=counter.day.tally(), latency=counter.day.latency())
            for name, counter in self.counts.items()
        }
        return {name: row for name, row in rows.items() if row.tally != _EMPTY}

    def _day_start(self) -> DayStart:
        return DayStart(
            first_run=0, checkers=self._open_counters(), inconclusive=dict(self.inconclusive)
        )

    def _open_counters(self) -> Mapping[str, OpenCounters]:
        return {name: counter.open_counters() for name, counter in self.counts.items()}


class CheckerCounter:
    """The open counters of one checker while results are added; the attributes are theirs."""

    def __init__(self, slot: int, counters: OpenCounters | None = None) -> None:
        """Go on with counters, or begin with the first result, which is still to come."""
        counters = counters or OpenCounters(
            first=slot, last=slot, status=Status.UNKNOWN, counted_until=slot, valid_until=slot
        )
        self.first, self.last = counters.first, counters.last
        self.status, self.in_maintenance = counters.status, counters.in_maintenance
        self.counted_until, self.valid_until = counters.counted_until, counters.valid_until
        self.intervals = counters.intervals
        self.hour = PeriodCounter(counters.hour, counters.hour_latency)
        self.day = PeriodCounter(counters.day, counters.day_latency)

    def open_counters(self) -> OpenCounters:
        """Return the counters as they are now."""
        return OpenCounters(
            first=self.first,
            last=self.last,
            status=self.status,
            in_maintenance=self.in_maintenance,
            counted_until=self.counted_until,
            valid_until=self.valid_until,
            intervals=self.intervals,
            hour=self.hour.tally(),
            hour_latency=self.hour.latency(),
            day=self.day.tally(),
            day_latency=self.day.latency(),
        )

    def count_until(self, at: int) -> None:
        """Count the time up to ``at``, which is in the open hour, as far as the status is valid."""
        end = min(at, self.valid_until)
        length = end - self.counted_until
        if length <= 0:
            return
        state = "maintenance" if self.in_maintenance else self.status.value
        self.hour.add_time(state, length)
        self.day.add_time(state, length)
        if self.status is not Status.HEALTHY and not self.in_maintenance:
            start = self.counted_until - day_start(self.counted_until)
            self.day.add_disruption(start, length, self.status)
        self.counted_until = end

    def add_result(
        self, slot: int, status: Status, result: Result, *, in_maintenance: bool
    ) -> None:
        """Add a result, after counting up to its slot."""
        self.count_until(slot)
        if slot > self.last:
            self.intervals = (*self.intervals, slot - self.last)[-INTERVALS_KEPT:]
        self.last = self.counted_until = slot
        self.status, self.in_maintenance = status, in_maintenance
        self.valid_until = slot + result_lifetime(self.intervals)
        for period in (self.hour, self.day):
            period.add_result(status, result)


def result_lifetime(intervals: tuple[int, ...]) -> int:
    """Return how long a result is valid that comes after these intervals."""
    if not intervals:
        return FIRST_LIFETIME
    return min(INTERVALS * median_low(intervals) + GRACE, MAX_LIFETIME)


_EMPTY: Final = Tally()
_NO_LATENCY: Final = LatencyHistogram()


class PeriodCounter:
    """What has been counted of one period."""

    def __init__(self, tally: Tally = _EMPTY, latency: LatencyHistogram = _NO_LATENCY) -> None:
        self._states = {
            "healthy": tally.healthy,
            "degraded": tally.degraded,
            "down": tally.down,
            "unknown": tally.unknown,
            "maintenance": tally.maintenance,
        }
        self._runs, self._failures = tally.runs, tally.failures
        self._disruptions = list(tally.disruptions)
        self._count, self._total = latency.count, latency.total
        self._buckets = dict(latency.buckets)
        self._phase_count, self._phases = latency.phase_count, latency.phases

    def add_time(self, state: str, length: int) -> None:
        """Add time in a state."""
        self._states[state] += length

    def add_disruption(self, start: int, length: int, status: Status) -> None:
        """Add a disruption; it may continue the last one.

        Unknown time only continues one. If there are too many, the shortest goes.
        """
        last = self._disruptions[-1] if self._disruptions else None
        follows = last is not None and last.start + last.length == start
        if last is not None and follows and last.status is status:
            self._disruptions[-1] = DayDisruption(last.start, last.length + length, status)
        elif follows or status is not Status.UNKNOWN:
            if len(self._disruptions) == MAX_DISRUPTIONS:
                self._disruptions.remove(min(self._disruptions, key=lambda it: it.length))
            self._disruptions.append(DayDisruption(start, length, status))

    def add_result(self, status: Status, result: Result) -> None:
        """Count a result, and its response time unless it is down or unknown."""
        self._runs += 1
        self._failures += status is Status.DOWN
        if result.status not in {Status.HEALTHY, Status.DEGRADED}:
            return
        time = rtt_stats(result.attempts).median
        if time <= 0:
            return
        self._count += 1
        self._total += time
        bucket = bucket_of(time)
        self._buckets[bucket] = self._buckets.get(bucket, 0) + 1
        for attempt in result.attempts:
            if attempt.phases is not None:
                self._phase_count += 1
                self._phases = add_phases(self._phases, attempt.phases)

    def tally(self) -> Tally:
        """Return the time by state."""
        return Tally(
            **self._states,
            runs=self._runs,
            failures=self._failures,
            disruptions=tuple(self._disruptions),
        )

    def latency(self) -> LatencyHistogram:
        """Return the response times."""
        return LatencyHistogram(
            count=self._count,
            total=self._total,
            buckets=tuple(sorted(self._buckets.items())),
            phase_count=self._phase_count,
            phases=self._phases,
        )
