"""One checker's account while it is being added to."""

from __future__ import annotations

from typing import Final

from checkup.history.cadence import INTERVALS_KEPT, result_lifetime
from checkup.history.head import OpenCounters
from checkup.history.periods import day_start
from checkup.history.tally import MAX_DISRUPTIONS, DayDisruption, Tally
from checkup.history.times import LatencyHistogram, add_phases, bucket_of
from checkup.model import Result, Status
from checkup.stats import rtt_stats

_WELL: Final = frozenset({Status.HEALTHY, Status.DEGRADED})


class CheckerCounter:
    """An account that can be added to; :meth:`account` gives it as it is by then."""

    def __init__(self, slot: int, account: OpenCounters | None = None) -> None:
        """Go on with an account, or begin one with the first result, which is still to come."""
        account = account or OpenCounters(
            first=slot, last=slot, status=Status.UNKNOWN, counted=slot, until=slot
        )
        self.first, self.last = account.first, account.last
        self.status, self.planned = account.status, account.planned
        self.counted, self.until = account.counted, account.until
        self.gaps = account.gaps
        self.hour = PeriodCounter(account.hour, account.hour_times)
        self.day = PeriodCounter(account.day, account.day_times)

    def account(self) -> OpenCounters:
        """Return the account, which does not change any more."""
        hour, day = self.hour, self.day
        return OpenCounters(
            first=self.first,
            last=self.last,
            status=self.status,
            planned=self.planned,
            counted=self.counted,
            until=self.until,
            gaps=self.gaps,
            hour=hour.tally(),
            hour_times=hour.times(),
            day=day.tally(),
            day_times=day.times(),
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
        self._troubles = list(tally.troubles)
        self._count, self._total = times.count, times.total
        self._buckets = dict(times.buckets)
        self._phased, self._phases = times.phased, times.phases

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
        time = rtt_stats(result.times).median if result.status in _WELL else 0
        if time <= 0:
            return
        self._count += 1
        self._total += time
        bucket = bucket_of(time)
        self._buckets[bucket] = self._buckets.get(bucket, 0) + 1
        for attempt in result.times:
            if attempt.phases is not None:
                self._phased += 1
                self._phases = add_phases(self._phases, attempt.phases)

    def tally(self) -> Tally:
        """Return the time by state."""
        return Tally(
            **self._states,
            runs=self._runs,
            failures=self._failures,
            troubles=tuple(self._troubles),
        )

    def times(self) -> LatencyHistogram:
        """Return the response times."""
        return LatencyHistogram(
            count=self._count,
            total=self._total,
            buckets=tuple(sorted(self._buckets.items())),
            phased=self._phased,
            phases=self._phases,
        )


def nothing() -> PeriodCounter:
    """Return the sum of a period that has just begun."""
    return PeriodCounter(Tally(), LatencyHistogram())
