"""When checkers were not well, as the days of the history remember it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from checkup.history.head import OpenCounters
from checkup.history.tally import Tally
from checkup.model import SECOND, Status

JOINED: Final = 300 * SECOND
"""Who fails again so soon after a recovery had not recovered."""


class Disruption(Struct, frozen=True, kw_only=True):
    """A stretch of time in which a checker was not well.

    Attributes:
        end: None while it lasts.
        status: down, degraded, or unknown after one of these.
    """

    start: int
    end: int | None
    status: Status

    def until(self, now: int) -> int:
        """Return its end as far as there is one by now."""
        return now if self.end is None else self.end


Episode = tuple[Disruption, ...]
"""One checker, from its first bad result to the first good one that lasted; never empty."""

Disruptions = Mapping[str, tuple[Disruption, ...]]
"""By checker id, in order."""


def disruptions_of(days: Mapping[int, Mapping[str, Tally]]) -> Disruptions:
    """Return the troubles of days, which are given by their beginnings."""
    found: dict[str, list[Disruption]] = {}
    for day, rows in sorted(days.items()):
        for checker, tally in rows.items():
            for trouble in tally.troubles:
                begin = day + trouble.start
                period = Disruption(start=begin, end=begin + trouble.length, status=trouble.status)
                _append(found.setdefault(checker, []), period)
    return {checker: tuple(periods) for checker, periods in found.items()}


def join_disruptions(parts: Iterable[Disruptions]) -> Disruptions:
    """Return the troubles of successive times as those of all this time."""
    found: dict[str, tuple[Disruption, ...]] = {}
    for part in parts:
        for checker, periods in part.items():
            earlier = found.get(checker, ())
            found[checker] = _appended(earlier, periods) if earlier else periods
    return found


def with_open_end(
    periods: Sequence[Disruption], account: OpenCounters | None, now: int
) -> tuple[Disruption, ...]:
    """Return the troubles of one checker, the last one without an end if it lasts.

    Args:
        periods: in order.
        account: what the history remembers of the checker.
        now: the present.
    """
    if not periods or account is None or not _lasts(periods[-1], account, now):
        return tuple(periods)
    return (*periods[:-1], replace(periods[-1], end=None))


def group_episodes(periods: Sequence[Disruption]) -> list[Episode]:
    """Return the troubles of one checker, which are in order, as far as they belong together."""
    found: list[Episode] = []
    for period in periods:
        end = found[-1][-1].end if found else None
        if end is not None and period.start - end <= JOINED:
            found[-1] = (*found[-1], period)
        else:
            found.append((period,))
    return found


def _lasts(period: Disruption, account: OpenCounters, now: int) -> bool:
    """Say whether nothing better was seen since: that nobody looks any more is no recovery."""
    is_well = account.status is Status.HEALTHY or account.planned
    return not is_well and period.until(now) >= min(now, account.until)


def _appended(earlier: Sequence[Disruption], later: Iterable[Disruption]) -> tuple[Disruption, ...]:
    periods = [*earlier]
    for period in later:
        _append(periods, period)
    return tuple(periods)


def _append(periods: list[Disruption], period: Disruption) -> None:
    last = periods[-1] if periods else None
    if last is not None and last.end == period.start and last.status is period.status:
        periods[-1] = replace(last, end=period.end)
    else:
        periods.append(period)
