"""Automatic incidents: detected in the history, stored nowhere. Pure.

They follow from the disruptions that the history counts in the order of the runs, so the same
runs always give the same incidents, with the same ids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import median_low
from typing import Final, NamedTuple

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
        id: twelve characters.
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
    """What decides which disruptions are incidents.

    Attributes:
        checkers: those whose incidents are wanted.
        counters: the open counters of the history, by checker id.
        interval: the configured time between runs.
        since: where the disruptions begin; one that lasted then began earlier and is left out.
        windows: maintenance, in which no disruption counts.
    """

    checkers: Sequence[Checker]
    counters: Mapping[str, OpenCounters]
    interval: int
    since: int
    now: int
    windows: Sequence[MaintenanceWindow] = ()

    def interval_of(self, checker: Checker) -> int:
        """Return the time between the runs of a checker, as measured if that is longer."""
        counters = self.counters.get(checker.id)
        measured = median_low(counters.intervals) if counters and counters.intervals else 0
        return max(measured, checker.interval or self.interval)


def detect_incidents(
    disruptions: Disruptions, given: DetectionInput
) -> tuple[AutomaticIncident, ...]:
    """Return all incidents of the checkers, oldest first.

    A checker that fails while one that it depends on fails joins the incident of that one. Checkers
    that fail in the same run share an incident if they are related: by a dependency, by a group,
    or because more than half of all checkers fail in this run.
    """
    starts: dict[int, list[_Candidate]] = {}
    windows_of = _windows_by_checker(given)
    for checker in given.checkers:
        windows, counters = windows_of(checker), given.counters.get(checker.id)
        found = with_open_end(disruptions.get(checker.id, ()), counters, given.now, windows)
        for episode in group_episodes(found, windows):
            if episode[0].start > given.since:
                runs = _runs_to_confirm(episode, checker, given)
                candidate = _Candidate(checker, episode, windows, runs)
                starts.setdefault(episode[0].start, []).append(candidate)
    incidents: list[_GrowingIncident] = []
    lasting: list[_GrowingIncident] = []
    for start, candidates in sorted(starts.items()):
        lasting = [it for it in lasting if it.latest >= start]
        begun: list[_GrowingIncident] = []
        for related in _related(candidates, len(given.checkers)):
            incident = _GrowingIncident(given, related[0].checker)
            for it in related:
                if it.runs is not None:
                    causes = lasting if it.checker.depends_on else ()
                    cause = next((one for one in causes if one.causes(it.checker, start)), None)
                    (cause or incident).add(it)
            if incident.runs is not None:
                begun.append(incident)
        # Whoever is confirmed first has the id that the start alone gives, and keeps it.
        for number, incident in enumerate(sorted(begun, key=lambda it: it.runs or 0)):
            incident.is_first = number == 0
        incidents += begun
        lasting += begun
    return tuple(it.incident() for it in incidents)


class _Candidate(NamedTuple):
    """An episode that may be part of an incident.

    Attributes:
        windows: the maintenance of the checker.
        runs: after how many runs it was confirmed; None if it is a blip.
    """

    checker: Checker
    episode: Episode
    windows: Sequence[MaintenanceWindow]
    runs: int | None


def _windows_by_checker(
    given: DetectionInput,
) -> Callable[[Checker], Sequence[MaintenanceWindow]]:
    """Return a function that returns the maintenance of a checker; there may be many of both."""
    by_name: dict[str, list[MaintenanceWindow]] = {}
    for window in given.windows:
        names = [
            *(f"id {name}" for name in window.checkers),
            *(f"group {name}" for name in window.groups),
        ]
        for name in names or ["everything"]:
            by_name.setdefault(name, []).append(window)

    def windows_of(checker: Checker) -> Sequence[MaintenanceWindow]:
        names = ("everything", f"id {checker.id}", f"group {checker.group}")
        return [window for name in names for window in by_name.get(name, ())]

    return windows_of


def _related(together: Sequence[_Candidate], checkers: int) -> list[list[_Candidate]]:
    """Group episodes that began in the same run by what connects them.

    Also those count that are no incident yet: what is published now is not divided later.
    """
    if 2 * len(together) > checkers:
        return [[*together]]
    roots = [*range(len(together))]

    def root(number: int) -> int:
        while roots[number] != number:
            roots[number] = number = roots[roots[number]]
        return number

    by_name: dict[str, int] = {}
    for number, it in enumerate(together):
        names = [f"id {name}" for name in (it.checker.id, *it.checker.depends_on)]
        if it.checker.group:
            names.append(f"group {it.checker.group}")
        for name in names:
            roots[root(number)] = root(by_name.setdefault(name, number))
    groups: dict[int, list[_Candidate]] = {}
    for number, it in enumerate(together):
        groups.setdefault(root(number), []).append(it)
    return [*groups.values()]


class _GrowingIncident:
    """An incident to which episodes are added in the order in which they begin.

    Attributes:
        latest: its end as far as it is known.
        runs: after how many runs it was confirmed; None while it has no episode.
        is_first: it is the first incident that began in its run.
    """

    def __init__(self, given: DetectionInput, first: Checker) -> None:
        self._given = given
        self._first = first
        self._in_maintenance: set[str] = set()
        self._episodes: dict[str, tuple[Episode, ...]] = {}
        self.latest = 0
        self.runs: int | None = None
        self.is_first = True

    def causes(self, checker: Checker, start: int) -> bool:
        """Say whether something that a checker depends on failed before it, and still does."""
        return any(
            episode[0].start < start <= episode[-1].until(self._given.now)
            for name in checker.depends_on
            for episode in self._episodes.get(name, ())
        )

    def add(self, candidate: _Candidate) -> None:
        checker, episode, windows, runs = candidate
        if self.runs is None or (runs is not None and runs < self.runs):
            self.runs = runs
        end = episode[-1].end
        self.latest = max(self.latest, episode[-1].until(self._given.now))
        if end is not None and _maintenance_end(windows, end):
            self._in_maintenance.add(checker.id)
        else:
            self._in_maintenance.discard(checker.id)
        self._episodes[checker.id] = (*self._episodes.get(checker.id, ()), episode)

    def incident(self) -> AutomaticIncident:
        start, end = _extent(self._episodes)
        return AutomaticIncident(
            id=automatic_incident_id(start, "" if self.is_first else self._first.id),
            start=start,
            end=end,
            episodes=self._episodes,
            in_maintenance=frozenset(self._in_maintenance),
        )


def _extent(episodes: Mapping[str, Sequence[Episode]]) -> tuple[int, int | None]:
    """Return the start of the first episode and the end of the last; None while one lasts."""
    ends = [of_checker[-1][-1].end for of_checker in episodes.values()]
    known = [end for end in ends if end is not None]
    start = min(of_checker[0][0].start for of_checker in episodes.values())
    return start, max(known) if len(known) == len(ends) else None


def _runs_to_confirm(episode: Episode, checker: Checker, given: DetectionInput) -> int | None:
    """Return after how many runs an episode was confirmed as an alert is; None if it was not.

    A result is valid until the next one, and a scheduler is not exact: half an interval is
    allowed.
    """
    interval, start = given.interval_of(checker), episode[0].start

    def least(threshold: int) -> int:
        """Return how long so many runs in a row last at least."""
        return 0 if threshold == 1 else threshold * interval - interval // 2

    down, bad = least(checker.failure_threshold), least(checker.degraded_threshold)
    confirmed = [
        it.start + down
        for it in episode
        if it.status is Status.DOWN and it.until(given.now) - it.start >= down
    ]
    if episode[-1].until(given.now) - start >= bad:
        confirmed.append(start + bad)
    return -(-(min(confirmed) - start) // interval) if confirmed else None


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
        minimum: how long one that is over has to have lasted; one that was shown stays.
        now: the present.
    """
    if not automatic:
        return ()
    reports = sorted(reported, key=lambda it: it.started)
    found: list[AutomaticIncident] = []
    for incident in incidents:
        left: AutomaticIncident | None = incident
        for report in reports:
            if left is not None and _covers(report, left, now):
                left = None if report.resolved is None else began_after(left, report.resolved)
        if left is None or left.lasted(now) < (after if left.end is None else min(after, minimum)):
            continue
        if left.id in {it.id for it in found}:  # what began after a report, beside another one
            left = replace(left, id=automatic_incident_id(left.start, min(left.episodes)))
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
    start, end = _extent(later)
    return AutomaticIncident(
        id=automatic_incident_id(start),
        start=start,
        end=end,
        episodes=later,
        in_maintenance=incident.in_maintenance & later.keys(),
    )


def _maintenance_end(windows: Iterable[MaintenanceWindow], at: int) -> int:
    """Return when the maintenance ends that lasts at a time; 0 without any."""
    return max((it.end_at(at) for it in windows), default=0)


def group_episodes(
    disruptions: Sequence[Disruption], windows: Sequence[MaintenanceWindow] = ()
) -> list[Episode]:
    """Group the disruptions of one checker, which are in order, into episodes.

    A checker that fails when its maintenance is over had not recovered before it.

    Args:
        disruptions: of the checker.
        windows: its maintenance.
    """
    longest = max((it.duration for it in windows), default=0)
    episodes: list[Episode] = []
    for disruption in disruptions:
        end = episodes[-1][-1].end if episodes else None
        gap = None if end is None else disruption.start - end
        if gap is not None and end is not None and JOINED < gap <= JOINED + longest:
            gap = disruption.start - (_maintenance_end(windows, end) or end)
        if gap is not None and gap <= JOINED:
            episodes[-1] = (*episodes[-1], disruption)
        else:
            episodes.append((disruption,))
    return episodes


def with_open_end(
    disruptions: Sequence[Disruption],
    counters: OpenCounters | None,
    now: int,
    windows: Sequence[MaintenanceWindow] = (),
) -> tuple[Disruption, ...]:
    """Return the disruptions of one checker; the last one has no end if it lasts.

    It lasts if no better result came since: that there are no more results is no recovery, and
    neither is maintenance.
    """
    if not disruptions or counters is None or counters.status is Status.HEALTHY:
        return tuple(disruptions)
    last = disruptions[-1]
    until, known_until = last.until(now), min(now, counters.valid_until)
    if until < known_until and _maintenance_end(windows, until) < known_until:
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
