"""Outages: the incidents that nobody has to write. Pure.

They are read off the troubles that the history counts in the order of the runs, and are stored
nowhere; so the same runs give the same ones, whoever counts them and however often.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import median_low
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from checkup.config.page import IncidentSettings
from checkup.history.documents import OpenCounters
from checkup.history.tally import Tally
from checkup.incidents import model
from checkup.incidents.model import automatic_incident_id
from checkup.interfaces import Checker
from checkup.maintenance import MaintenanceWindow
from checkup.model import Status
from checkup.times import SECOND

# When checkers were not well, as the days of the history remember it. Pure.


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
            for trouble in tally.disruptions:
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
    is_well = account.status is Status.HEALTHY or account.in_maintenance
    return not is_well and period.until(now) >= min(now, account.valid_until)


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


class AutomaticIncident(Struct, frozen=True, kw_only=True):
    """What began together, or one because of the other.

    Attributes:
        id: twelve characters; no two outages begin at the same moment.
        end: None while one of the checkers is not well.
        episodes: by checker id, in the order in which they began; of a checker that failed
            again meanwhile, several.
        in_maintenance: the checkers of which nothing better was seen, but maintenance began.
    """

    id: str
    start: int
    end: int | None
    episodes: Mapping[str, tuple[Episode, ...]]
    in_maintenance: frozenset[str] = frozenset()

    def lasted(self, now: int) -> int:
        """Return how long it took up to now."""
        return (now if self.end is None else self.end) - self.start


class DetectionInput(Struct, frozen=True, kw_only=True):
    """What has to be known to tell outages from blips.

    Attributes:
        checkers: those that are spoken of.
        accounts: what the history remembers of them, by id.
        interval: the configured time between runs.
        since: what is known goes back to here; what lasted then began earlier and is left out.
        windows: maintenance, in which no trouble counts.
    """

    checkers: Sequence[Checker]
    accounts: Mapping[str, OpenCounters]
    interval: int
    since: int
    now: int
    windows: Sequence[MaintenanceWindow] = ()


def detect_incidents(troubles: Disruptions, watch: DetectionInput) -> tuple[AutomaticIncident, ...]:
    """Return what was, and is, wrong with the checkers, oldest first.

    What began in the same run is one outage. A checker that depends on one of an outage that
    lasts joins it.
    """
    found = [
        (checker, episode)
        for checker in watch.checkers
        for episode in group_episodes(
            with_open_end(troubles.get(checker.id, ()), watch.accounts.get(checker.id), watch.now)
        )
        if episode[0].start > watch.since and _is_confirmed(episode, checker, watch)
    ]
    groups: list[_Group] = []
    lasting: list[_Group] = []
    for checker, episode in sorted(found, key=lambda pair: pair[1][0].start):
        lasting = [group for group in lasting if group.latest >= episode[0].start]
        group = next((group for group in lasting if group.takes(checker, episode)), None)
        if group is None:
            group = _Group(watch)
            groups.append(group)
            lasting.append(group)
        group.add(checker, episode)
    return tuple(group.outage() for group in groups)


def began_after(outage: AutomaticIncident, moment: int) -> AutomaticIncident | None:
    """Return what began of an outage after a moment, as an outage of its own; None if nothing did.

    What only became better or worse had begun before.
    """
    later = {name: _begun_after(own, moment) for name, own in outage.episodes.items()}
    left = {name: own for name, own in later.items() if own}
    if not left:
        return None
    start = min(own[0][0].start for own in left.values())
    ends = [own[-1][-1].end for own in left.values()]
    known = [end for end in ends if end is not None]
    return AutomaticIncident(
        id=automatic_incident_id(start),
        start=start,
        end=max(known) if len(known) == len(ends) else None,
        episodes=left,
        in_maintenance=outage.in_maintenance & left.keys(),
    )


def _begun_after(own: Sequence[Episode], moment: int) -> tuple[Episode, ...]:
    periods = [period for episode in own for period in episode]
    ends = [None, *(period.end for period in periods)]
    for number, period in enumerate(periods):
        if period.start > moment and period.start != ends[number]:
            return tuple(group_episodes(periods[number:]))
    return ()


class _Group:
    """An outage to which more may be added; what comes began no earlier than what is there.

    Attributes:
        latest: when it ends as far as it is known.
    """

    def __init__(self, watch: DetectionInput) -> None:
        self._watch = watch
        self._planned: set[str] = set()
        self._episodes: dict[str, tuple[Episode, ...]] = {}
        self._start = self.latest = 0

    def takes(self, checker: Checker, episode: Episode) -> bool:
        """Say whether an episode that begins before this ends belongs here."""
        is_caused = not self._episodes.keys().isdisjoint(checker.depends_on)
        return is_caused or episode[0].start == self._start

    def add(self, checker: Checker, episode: Episode) -> None:
        """Take it."""
        self._start = self._start or episode[0].start
        end = episode[-1].until(self._watch.now)
        self.latest = max(self.latest, end)
        windows = (it for it in self._watch.windows if it.end_at(end))
        is_planned = any(it.covers(checker.id, checker.group) for it in windows)
        (self._planned.add if is_planned else self._planned.discard)(checker.id)
        self._episodes[checker.id] = (*self._episodes.get(checker.id, ()), episode)

    def outage(self) -> AutomaticIncident:
        """Return what has come together."""
        lasts = any(own[-1][-1].end is None for own in self._episodes.values())
        return AutomaticIncident(
            id=automatic_incident_id(self._start),
            start=self._start,
            end=None if lasts else self.latest,
            episodes=self._episodes,
            in_maintenance=frozenset(self._planned),
        )


def _is_confirmed(episode: Episode, checker: Checker, watch: DetectionInput) -> bool:
    """Say whether it took as many runs as an announcement takes."""
    account = watch.accounts.get(checker.id)
    measured = median_low(account.intervals) if account and account.intervals else 0
    interval = max(measured, checker.interval or watch.interval)
    down = max(
        (p.until(watch.now) - p.start for p in episode if p.status is Status.DOWN), default=-1
    )
    bad = episode[-1].until(watch.now) - episode[0].start
    return down >= _least(checker.failure_threshold, interval) or (
        bad >= _least(checker.degraded_threshold, interval)
    )


def _least(threshold: int, interval: int) -> int:
    """Return how long so many runs in a row last at least; the first of them is there at once.

    A result stands until the next one, and a scheduler is not exact: half an interval is allowed.
    """
    return 0 if threshold == 1 else threshold * interval - interval // 2


def uncovered_incidents(
    outages: Iterable[AutomaticIncident],
    written_down: Iterable[model.Incident],
    policy: IncidentSettings,
    now: int,
) -> tuple[AutomaticIncident, ...]:
    """Return the outages, or what is left of them, that are to be told and nobody wrote about."""
    known = sorted(written_down, key=lambda it: it.started)
    left = (_left(outage, known, now) for outage in outages)
    return tuple(outage for outage in left if outage and is_long_enough(outage, policy, now))


def is_long_enough(outage: AutomaticIncident, policy: IncidentSettings, now: int) -> bool:
    """Say whether an outage took long enough for the public to be told."""
    least = policy.after if outage.end is None else policy.minimum
    return policy.automatic and outage.lasted(now) >= least


def _left(
    outage: AutomaticIncident, written_down: Iterable[model.Incident], now: int
) -> AutomaticIncident | None:
    """Return the part of an outage that began after all that people wrote about it was over."""
    left: AutomaticIncident | None = outage
    for incident in written_down:
        if left is not None and _is_about(incident, left, now):
            left = None if incident.resolved is None else began_after(left, incident.resolved)
    return left


def _is_about(incident: model.Incident, outage: AutomaticIncident, now: int) -> bool:
    if outage.id == incident.id or outage.id in incident.replaces:
        return True
    began_meanwhile = incident.started <= outage.start <= (incident.resolved or now)
    return began_meanwhile and outage.episodes.keys() <= set(incident.checkers)
