"""How long a result stands. Pure.

A result stands until the next one, but not for ever: when nobody looks any more, nothing is
known. The usual time between results decides, measured from the results themselves, so that it
need not be configured and the same results always count the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from statistics import median_low
from typing import Final, NamedTuple

from checkup.evaluation import (
    EvaluationRules,
    ResultMatcher,
    apply_quorum,
    discount_network_failures,
)
from checkup.history.documents import ClosedPeriods, DayStart, HistoryState, OpenCounters
from checkup.history.latency import LatencyHistogram, add_phases, bucket_of
from checkup.history.tally import MAX_DISRUPTIONS, DayDisruption, PeriodAggregate, Tally
from checkup.model import Result, Run, Status, rtt_stats, run_key
from checkup.times import DAY, HOUR, SECOND, day_start, hour_start

INTERVALS: Final = 3
"""Usual intervals for which a result stands; the page stops believing it after as many."""

GRACE: Final = 60 * SECOND
"""A scheduler is up to a minute late."""

FIRST_LIFETIME: Final = HOUR
"""How long the very first result stands at most, when nothing is usual yet."""

MAX_LIFETIME: Final = 8 * DAY
"""How long a result stands at most: who looks once a week has no gaps."""

INTERVALS_KEPT: Final = 5
"""Intervals that tell what is usual; a few odd ones among them change nothing."""


def result_lifetime(gaps: tuple[int, ...]) -> int:
    """Return how long a result stands that comes after these intervals."""
    if not gaps:
        return FIRST_LIFETIME
    return min(INTERVALS * median_low(gaps) + GRACE, MAX_LIFETIME)


# One checker's account while it is being added to.


_WELL: Final = frozenset({Status.HEALTHY, Status.DEGRADED})


class CheckerCounter:
    """An account that can be added to; :meth:`account` gives it as it is by then."""

    def __init__(self, slot: int, account: OpenCounters | None = None) -> None:
        """Go on with an account, or begin one with the first result, which is still to come."""
        account = account or OpenCounters(
            first=slot, last=slot, status=Status.UNKNOWN, counted_until=slot, valid_until=slot
        )
        self.first, self.last = account.first, account.last
        self.status, self.planned = account.status, account.in_maintenance
        self.counted, self.until = account.counted_until, account.valid_until
        self.gaps = account.intervals
        self.hour = PeriodCounter(account.hour, account.hour_latency)
        self.day = PeriodCounter(account.day, account.day_latency)

    def account(self) -> OpenCounters:
        """Return the account, which does not change any more."""
        hour, day = self.hour, self.day
        return OpenCounters(
            first=self.first,
            last=self.last,
            status=self.status,
            in_maintenance=self.planned,
            counted_until=self.counted,
            valid_until=self.until,
            intervals=self.gaps,
            hour=hour.tally(),
            hour_latency=hour.times(),
            day=day.tally(),
            day_latency=day.times(),
        )

    def count_until(self, moment: int) -> None:
        """Count what stands up to a moment in the open hour."""
        end = min(moment, self.until)
        length = end - self.counted
        if length <= 0:
            return
        state = "maintenance" if self.planned else self.status.value
        self.hour.add(state, length)
        self.day.add(state, length)
        if self.status is not Status.HEALTHY and not self.planned:
            self.day.add_trouble(self.counted - day_start(self.counted), length, self.status)
        self.counted = end

    def see(self, slot: int, status: Status, result: Result, *, planned: bool) -> None:
        """Take a result, after counting up to its slot."""
        self.count_until(slot)
        if slot > self.last:
            self.gaps = (*self.gaps, slot - self.last)[-INTERVALS_KEPT:]
        self.last = self.counted = slot
        self.status, self.planned = status, planned
        self.until = slot + result_lifetime(self.gaps)
        for period in (self.hour, self.day):
            period.see(status, result)


class PeriodCounter:
    """What has been counted of one period."""

    def __init__(self, tally: Tally, times: LatencyHistogram) -> None:
        self._states = {
            "healthy": tally.healthy,
            "degraded": tally.degraded,
            "down": tally.down,
            "unknown": tally.unknown,
            "maintenance": tally.maintenance,
        }
        self._runs, self._failures = tally.runs, tally.failures
        self._troubles = list(tally.disruptions)
        self._count, self._total = times.count, times.total
        self._buckets = dict(times.buckets)
        self._phased, self._phases = times.phase_count, times.phases

    def add(self, state: str, length: int) -> None:
        """Add time in a state."""
        self._states[state] += length

    def add_trouble(self, start: int, length: int, status: Status) -> None:
        """Add a stretch of trouble; it may go on where the last one ended.

        What is unknown is no trouble of its own. If there are too many, the shortest goes.
        """
        last = self._troubles[-1] if self._troubles else None
        follows = last is not None and last.start + last.length == start
        if last is not None and follows and last.status is status:
            self._troubles[-1] = DayDisruption(last.start, last.length + length, status)
        elif follows or status is not Status.UNKNOWN:
            if len(self._troubles) == MAX_DISRUPTIONS:
                self._troubles.remove(min(self._troubles, key=lambda trouble: trouble.length))
            self._troubles.append(DayDisruption(start, length, status))

    def see(self, status: Status, result: Result) -> None:
        """Count a result, and the time that it took."""
        self._runs += 1
        self._failures += status is Status.DOWN
        time = rtt_stats(result.attempts).median if result.status in _WELL else 0
        if time <= 0:
            return
        self._count += 1
        self._total += time
        bucket = bucket_of(time)
        self._buckets[bucket] = self._buckets.get(bucket, 0) + 1
        for attempt in result.attempts:
            if attempt.phases is not None:
                self._phased += 1
                self._phases = add_phases(self._phases, attempt.phases)

    def tally(self) -> Tally:
        """Return the time by state."""
        return Tally(
            **self._states,
            runs=self._runs,
            failures=self._failures,
            disruptions=tuple(self._troubles),
        )

    def times(self) -> LatencyHistogram:
        """Return the response times."""
        return LatencyHistogram(
            count=self._count,
            total=self._total,
            buckets=tuple(sorted(self._buckets.items())),
            phase_count=self._phased,
            phases=self._phases,
        )


def nothing() -> PeriodCounter:
    """Return the sum of a period that has just begun."""
    return PeriodCounter(Tally(), LatencyHistogram())


# All accounts together, and the hours and days that time closes.


FORGOTTEN_AFTER: Final = 400 * DAY
"""How long an account without results is kept: longer than the page looks back."""

_EMPTY: Final = Tally()


class HistoryAggregator:
    """Counts in the order of time; what is closed is collected and does not change any more.

    Attributes:
        counts: by checker.
        inconclusive: as in the head.
    """

    def __init__(self, head: HistoryState) -> None:
        self.counts = {name: CheckerCounter(0, account) for name, account in head.checkers.items()}
        self.inconclusive = dict(head.inconclusive)
        self._hour = head.hour
        self._hours: dict[int, Mapping[str, PeriodAggregate]] = {}
        self._days: dict[int, Mapping[str, PeriodAggregate]] = {}
        self._openings: dict[int, DayStart] = {}
        self._dawns: dict[int, DayStart] = {}

    @property
    def closed(self) -> ClosedPeriods:
        """Everything that has been closed so far."""
        return ClosedPeriods(hours=self._hours, days=self._days, openings=self._openings)

    def head(self, cursor: str) -> HistoryState:
        """Return what to go on from after the run under this key."""
        return HistoryState(
            cursor=cursor,
            hour=self._hour,
            checkers=self._accounts(),
            inconclusive=self.inconclusive,
        )

    def open_day(self) -> tuple[int, Mapping[str, PeriodAggregate]]:
        """Return when the open day began, and what has been counted of it."""
        return day_start(self._hour), self._day()

    def begin_run(self, slot: int, position: int) -> None:
        """Close what is over at a slot of which runs are about to be counted.

        Args:
            slot: of the runs.
            position: of the first of them that there is.
        """
        if not self._hour:
            self._dawns[day_start(slot)] = self._dawn()
        self.close_before(slot)
        # Whoever counts these days again begins with what was known at their first moment.
        for day, dawn in self._dawns.items():
            self._openings[day] = DayStart(
                first_run=slot + position, checkers=dawn.checkers, inconclusive=dawn.inconclusive
            )
        self._dawns.clear()

    def close_before(self, moment: int) -> None:
        """Close every hour and every day that is over at a moment."""
        now = hour_start(moment)
        while 0 < self._hour < now:
            self._close_hour()
            if all(count.until <= self._hour for count in self.counts.values()):
                self._skip_to(now)
        self._hour = max(self._hour, now)

    def count_until(self, moment: int) -> None:
        """Count what stands up to a moment, as if all had been looked at then."""
        self.close_before(moment)
        for count in self.counts.values():
            count.count_until(moment)

    def _close_hour(self) -> None:
        end = self._hour + HOUR
        hour: dict[str, PeriodAggregate] = {}
        for name, count in self.counts.items():
            count.count_until(end)
            tally = count.hour.tally()
            if tally != _EMPTY:
                hour[name] = PeriodAggregate(tally=tally, latency=count.hour.times())
                count.hour = nothing()
        if hour:
            self._hours[self._hour] = hour
        if day_start(end) == end:
            self._close_day(end)
        self._hour = end

    def _skip_to(self, hour: int) -> None:
        """Pass over time in which no result stands."""
        day = day_start(hour)
        if self._hour < day:
            self._close_day(day)
        self._hour = hour

    def _close_day(self, next_day: int) -> None:
        day = self._day()
        if day:
            self._days[day_start(self._hour)] = day
        for name, count in list(self.counts.items()):
            count.day = nothing()
            if next_day - count.last > FORGOTTEN_AFTER:
                del self.counts[name]
        self._dawns[next_day] = self._dawn()

    def _day(self) -> Mapping[str, PeriodAggregate]:
        rows = {
            name: PeriodAggregate(tally=count.day.tally(), latency=count.day.times())
            for name, count in self.counts.items()
        }
        return {name: row for name, row in rows.items() if row.tally != _EMPTY}

    def _dawn(self) -> DayStart:
        return DayStart(
            first_run=0, checkers=self._accounts(), inconclusive=dict(self.inconclusive)
        )

    def _accounts(self) -> Mapping[str, OpenCounters]:
        return {name: count.account() for name, count in self.counts.items()}


# Runs folded into the history: open accounts, and what they close. Pure.
#
# The same head and the same runs give the same bytes, in one go or in many. Runs count in the order
# of their keys; one that comes after its turn never counts.


class AggregatedRuns(NamedTuple):
    """The head after a fold, and what the fold has closed."""

    head: HistoryState
    closed: ClosedPeriods


def apply_runs(head: HistoryState, runs: Iterable[Run], setting: EvaluationRules) -> AggregatedRuns:
    """Fold the runs after the head's cursor; all of a slot must be there, or none."""
    ledger, cursor = HistoryAggregator(head), head.cursor
    owners, groups = ResultMatcher(setting.checkers), setting.groups
    for slot, found in groupby(_in_order(runs, cursor), key=lambda run: run.slot):
        together = [*found]
        votes = {run.region: run for run in together if run.region in setting.voting_regions}
        cursor = run_key(Run(slot=slot, results=(), region_index=len(setting.voting_regions) - 1))
        ledger.begin_run(slot, together[0].region_index)
        planned = [window for window in setting.windows if window.end_at(slot)]
        for checker, (status, result) in _verdicts(votes.values(), owners, ledger, setting):
            count = ledger.counts.get(checker)
            if count is None:
                count = ledger.counts[checker] = CheckerCounter(slot)
            group = groups.get(checker, "")
            is_planned = any(window.covers(checker, group) for window in planned)
            count.see(slot, status, result, planned=is_planned)
    return AggregatedRuns(ledger.head(cursor), ledger.closed)


def open_days(head: HistoryState, moment: int) -> Mapping[int, Mapping[str, PeriodAggregate]]:
    """Return the days that are not closed in the head, as they are at a moment; by beginning.

    There are several if nothing has been folded since the day before.
    """
    ledger = HistoryAggregator(head)
    ledger.count_until(moment)
    day, counted = ledger.open_day()
    return {**ledger.closed.days, day: counted} if head.hour else {}


def closed_before(head: HistoryState, moment: int) -> ClosedPeriods:
    """Return the hours and days that are over at a moment and not closed in the head."""
    ledger = HistoryAggregator(head)
    ledger.close_before(moment)
    return ledger.closed


def _in_order(runs: Iterable[Run], cursor: str) -> list[Run]:
    by_key = {run_key(run): run for run in runs}
    return [by_key[key] for key in sorted(by_key) if key > cursor]


def _verdicts(
    runs: Iterable[Run], owners: ResultMatcher, ledger: HistoryAggregator, setting: EvaluationRules
) -> Iterator[tuple[str, tuple[Status, Result]]]:
    """Yield what the regions agree on, for each checker that one of them looked at."""
    results: dict[str, dict[str, Result]] = {}
    for run in runs:
        row = ledger.inconclusive.pop(run.region, 0)
        weighed = discount_network_failures(owners.named(run), setting.references, row)
        if weighed.streak:
            ledger.inconclusive[run.region] = weighed.streak
        for result in weighed.run.results:
            if result.id:
                results.setdefault(result.id, {})[run.region] = result
    for name, votes in results.items():
        agreed = apply_quorum(tuple(votes.values()), len(setting.voting_regions), setting.quorum)
        yield name, (agreed.status, agreed.result)
