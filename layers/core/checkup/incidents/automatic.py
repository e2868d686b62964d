"""Automatic incidents: detected in the history, stored nowhere. Pure.

They follow from the disruptions that the history counts in the order of the runs, so the same
runs always give the same incidents, with the same ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import median_low
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from checkup.history.documents import OpenCounters
from checkup.history.tally import Tally
from checkup.incidents import model
from checkup.incidents.model import automatic_incident_id
from checkup.interfaces import Checker
from checkup.maintenance import MaintenanceWindow
from checkup.model import Status
from checkup.times import MINUTE

JOINED: Final = 5 * MINUTE
"""A checker that fails again so soon after a recovery had not recovered."""


class Disruption(Struct, frozen=True, kw_only=True):
    """A period in which a checker was not healthy.

    Attributes:
        end: None while it lasts.
        status: down, degraded, or unknown after one of these.
    """

    start: int
    end: int | None
    status: Status

    def until(self, now: int) -> int:
        """Return its end, or the present while it lasts."""
        return now if self.end is None else self.end


Episode = tuple[Disruption, ...]
"""One checker, from its first bad result to the first good one that lasted; never empty."""

Disruptions = Mapping[str, tuple[Disruption, ...]]
"""By checker id, in order."""


class AutomaticIncident(Struct, frozen=True, kw_only=True):
    """Disruptions that began together, or one because of another.

    Attributes:
        id: twelve characters; no two automatic incidents begin at the same time.
        end: None while one of the checkers is not healthy.
        episodes: by checker id, in the order in which they began; several of a checker that
            failed again meanwhile.
        in_maintenance: the checkers that did not recover before their maintenance began.
    """

    id: str
    start: int
    end: int | None
    episodes: Mapping[str, tuple[Episode, ...]]
    in_maintenance: frozenset[str] = frozenset()

    def lasted(self, now: int) -> int:
        """Return its length up to now."""
        return (now if self.end is None else self.end) - self.start


class DetectionInput(Struct, frozen=True, kw_only=True):
    """What tells an incident from a blip.

    Attributes:
        checkers: those whose incidents are wanted.
        accounts: the open counters of the history, by checker id.
        interval: the configured time between runs.
        since: where the disruptions begin; one that lasted then began earlier and is left out.
        windows: maintenance, in which no disruption counts.
    """

    checkers: Sequence[Checker]
    accounts: Mapping[str, OpenCounters]
    interval: int
    since: int
    now: int
    windows: Sequence[MaintenanceWindow] = ()


def detect_incidents(
    disruptions: Disruptions, given: DetectionInput
) -> tuple[AutomaticIncident, ...]:
    """Return all incidents of the checkers, oldest first.

    What began in the same run is one incident. A checker that depends on one of an incident that
    lasts joins it.
    """
    episodes = [
        (checker, episode)
        for checker in given.checkers
        for episode in group_episodes(
            with_open_end(
                disruptions.get(checker.id, ()), given.accounts.get(checker.id), given.now
            )
        )
        if episode[0].start > given.since and _is_confirmed(episode, checker, given)
    ]
    incidents: list[_GrowingIncident] = []
    lasting: list[_GrowingIncident] = []
    for checker, episode in sorted(episodes, key=lambda pair: pair[1][0].start):
        lasting = [it for it in lasting if it.latest >= episode[0].start]
        incident = next((it for it in lasting if it.takes(checker, episode)), None)
        if incident is None:
            incident = _GrowingIncident(given)
            incidents.append(incident)
            lasting.append(incident)
        incident.add(checker, episode)
    return tuple(it.incident() for it in incidents)


class _GrowingIncident:
    """An incident to which episodes are added in the order in which they begin.

    Attributes:
        latest: its end as far as it is known.
    """

    def __init__(self, given: DetectionInput) -> None:
        self._given = given
        self._in_maintenance: set[str] = set()
        self._episodes: dict[str, tuple[Episode, ...]] = {}
        self._start = self.latest = 0

    def takes(self, checker: Checker, episode: Episode) -> bool:
        """Say whether an episode that begins before this ends belongs to it."""
        is_caused = not self._episodes.keys().isdisjoint(checker.depends_on)
        return is_caused or episode[0].start == self._start

    def add(self, checker: Checker, episode: Episode) -> None:
        self._start = self._start or episode[0].start
        end = episode[-1].until(self._given.now)
        self.latest = max(self.latest, end)
        windows = (it for it in self._given.windows if it.end_at(end))
        if any(it.covers(checker.id, checker.group) for it in windows):
            self._in_maintenance.add(checker.id)
        else:
            self._in_maintenance.discard(checker.id)
        self._episodes[checker.id] = (*self._episodes.get(checker.id, ()), episode)

    def incident(self) -> AutomaticIncident:
        lasts = any(episodes[-1][-1].end is None for episodes in self._episodes.values())
        return AutomaticIncident(
            id=automatic_incident_id(self._start),
            start=self._start,
            end=None if lasts else self.latest,
            episodes=self._episodes,
            in_maintenance=frozenset(self._in_maintenance),
        )


def _is_confirmed(episode: Episode, checker: Checker, given: DetectionInput) -> bool:
    """Say whether an episode took as many runs as an alert takes."""
    counters = given.accounts.get(checker.id)
    measured = median_low(counters.intervals) if counters and counters.intervals else 0
    interval = max(measured, checker.interval or given.interval)

    def least(threshold: int) -> int:
        """Return how long so many runs in a row last at least.

        A result is valid until the next one, and a scheduler is not exact: half an interval is
        allowed.
        """
        return 0 if threshold == 1 else threshold * interval - interval // 2

    down = [it.until(given.now) - it.start for it in episode if it.status is Status.DOWN]
    bad = episode[-1].until(given.now) - episode[0].start
    return max(down, default=-1) >= least(checker.failure_threshold) or (
        bad >= least(checker.degraded_threshold)
    )


def uncovered_incidents(  # noqa: PLR0913 - the settings by name
    incidents: Iterable[AutomaticIncident],
    reported: Iterable[model.Incident],
    *,
    automatic: bool,
    after: int,
    minimum: int,
    now: int,
) -> tuple[AutomaticIncident, ...]:
    """Return the automatic incidents to show: what began after people's incidents had ended.

    Args:
        incidents: all that were detected.
        reported: incidents that people wrote.
        automatic: whether automatic incidents are shown at all.
        after: how long one that lasts has to last to be shown.
        minimum: how long one that is over has to have lasted.
        now: the present.
    """
    if not automatic:
        return ()
    reports = sorted(reported, key=lambda it: it.started)
    found = []
    for incident in incidents:
        left: AutomaticIncident | None = incident
        for report in reports:
            if left is not None and _covers(report, left, now):
                left = None if report.resolved is None else began_after(left, report.resolved)
        if left is not None and left.lasted(now) >= (after if left.end is None else minimum):
            found.append(left)
    return tuple(found)


def _covers(report: model.Incident, incident: AutomaticIncident, now: int) -> bool:
    if incident.id == report.id or incident.id in report.replaces:
        return True
    began_meanwhile = report.started <= incident.start <= (report.resolved or now)
    return began_meanwhile and incident.episodes.keys() <= set(report.checkers)


def began_after(incident: AutomaticIncident, at: int) -> AutomaticIncident | None:
    """Return what of an incident began after a time, as a separate one; None if nothing did.

    What only became better or worse had begun before.
    """
    later: dict[str, tuple[Episode, ...]] = {}
    for checker, episodes in incident.episodes.items():
        disruptions = [disruption for episode in episodes for disruption in episode]
        previous_ends = [None, *(disruption.end for disruption in disruptions)]
        for number, disruption in enumerate(disruptions):
            if disruption.start > at and disruption.start != previous_ends[number]:
                later[checker] = tuple(group_episodes(disruptions[number:]))
                break
    if not later:
        return None
    start = min(episodes[0][0].start for episodes in later.values())
    ends = [episodes[-1][-1].end for episodes in later.values()]
    known = [end for end in ends if end is not None]
    return AutomaticIncident(
        id=automatic_incident_id(start),
        start=start,
        end=max(known) if len(known) == len(ends) else None,
        episodes=later,
        in_maintenance=incident.in_maintenance & later.keys(),
    )


def group_episodes(disruptions: Sequence[Disruption]) -> list[Episode]:
    """Group the disruptions of one checker, which are in order, into episodes."""
    episodes: list[Episode] = []
    for disruption in disruptions:
        end = episodes[-1][-1].end if episodes else None
        if end is not None and disruption.start - end <= JOINED:
            episodes[-1] = (*episodes[-1], disruption)
        else:
            episodes.append((disruption,))
    return episodes


def with_open_end(
    disruptions: Sequence[Disruption], counters: OpenCounters | None, now: int
) -> tuple[Disruption, ...]:
    """Return the disruptions of one checker; the last one has no end if it lasts.

    It lasts if no better result came since: that there are no more results is no recovery.
    """
    if not disruptions or counters is None:
        return tuple(disruptions)
    last = disruptions[-1]
    is_well = counters.status is Status.HEALTHY or counters.in_maintenance
    if is_well or last.until(now) < min(now, counters.valid_until):
        return tuple(disruptions)
    return (*disruptions[:-1], replace(last, end=None))


def disruptions_of(days: Mapping[int, Mapping[str, Tally]]) -> Disruptions:
    """Return the disruptions of days, which are given by their beginnings."""
    found: dict[str, list[Disruption]] = {}
    for day, rows in sorted(days.items()):
        for checker, tally in rows.items():
            for it in tally.disruptions:
                start = day + it.start
                disruption = Disruption(start=start, end=start + it.length, status=it.status)
                _append(found.setdefault(checker, []), disruption)
    return {checker: tuple(disruptions) for checker, disruptions in found.items()}


def join_disruptions(parts: Iterable[Disruptions]) -> Disruptions:
    """Return the disruptions of successive times as those of all this time."""
    found: dict[str, tuple[Disruption, ...]] = {}
    for part in parts:
        for checker, disruptions in part.items():
            earlier = found.get(checker)
            if not earlier:
                found[checker] = disruptions
                continue
            joined = [*earlier]
            for disruption in disruptions:
                _append(joined, disruption)
            found[checker] = tuple(joined)
    return found


def _append(disruptions: list[Disruption], disruption: Disruption) -> None:
    last = disruptions[-1] if disruptions else None
    if last is not None and last.end == disruption.start and last.status is disruption.status:
        disruptions[-1] = replace(last, end=disruption.end)
    else:
        disruptions.append(disruption)
