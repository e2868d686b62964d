"""Checks across the file: run times, ids, groups, dependencies, maintenance and routes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from msgspec import structs

from checkup.alerting.outbox import channel_names
from checkup.config.checkers import CheckerEntry
from checkup.config.fields import SettingsReader
from checkup.config.sections import NotifierEntry
from checkup.config.settings import Config, MaintenanceSettings
from checkup.config.source import ArrayNode, Member, Node, ObjectNode
from checkup.interfaces import Checker, NotifierSettings
from checkup.text import did_you_mean
from checkup.times import short_duration

_FEW: Final = 10
"""So many ids are listed."""


def check_quorum(reading: SettingsReader, config: Config, at: Node) -> None:
    """Warn of a number of regions that never agree, because there are not so many."""
    regions = max(1, len(config.regions))
    if config.quorum.isdecimal() and int(config.quorum) > regions:
        text = f"is more than the number of regions ({regions}), so no outage is ever confirmed"
        reading.report.warn(at.offset, "quorum", text, "write majority")


def check_run_deadline(
    reading: SettingsReader,
    config: Config,
    entries: Iterable[CheckerEntry],
    members: Mapping[str, Member],
) -> None:
    """Warn about checkers that may take longer than a run, and runs longer than the interval.

    Args:
        members: those of the file itself.
    """
    if config.run_deadline > config.interval and {"run_deadline", "interval"} <= set(members):
        text = f"is longer than the interval of runs ({short_duration(config.interval)})"
        fix = "runs that would overlap are skipped"
        reading.report.warn(members["run_deadline"].offset, "run_deadline", text, fix)
    for entry in entries:
        _check(reading, config, entry)


def _check(reading: SettingsReader, config: Config, entry: CheckerEntry) -> None:
    checker = entry.checker
    if 0 < checker.interval < config.interval and "interval" in entry.members:
        text = f"is shorter than the interval of runs ({short_duration(config.interval)})"
        at, key = entry.members["interval"].offset, f"{entry.key}.interval"
        reading.report.warn(at, key, text, "remove it: every run includes this checker")
    if checker.max_duration_ns >= config.run_deadline:
        longest, limit = (
            short_duration(checker.max_duration_ns),
            short_duration(config.run_deadline),
        )
        text = f"may take {longest}, longer than a run ({limit}); its status is then unknown"
        fix = "use fewer attempts, a shorter timeout or a longer run_deadline"
        reading.report.warn(entry.at, entry.key, text, fix)


def check_notifiers(
    reading: SettingsReader,
    entries: Sequence[NotifierEntry],
    checkers: Sequence[Checker],
    *,
    complete: bool,
) -> None:
    """Report duplicate channel ids, unknown fallbacks, and routes that match no checker.

    Args:
        complete: all checkers could be read, so what none of them has is a mistake.
    """
    channels = channel_names([entry.settings for entry in entries])
    for place, (entry, name) in enumerate(zip(entries, channels, strict=True)):
        if name in channels[:place]:
            text = f'duplicate channel id "{name}"'
            reading.report.error(entry.at, f"{entry.key}.id", text, "choose another id")
        fallback = entry.settings.fallback
        if fallback and (fallback not in channels or fallback == name):
            text = f'there is no other channel "{fallback}"'
            fix = did_you_mean(fallback, channels) or f"known channels: {', '.join(channels)}"
            reading.report.error(entry.at, f"{entry.key}.fallback", text, fix)
        for key, text in _routes_from_nowhere(entry.settings, checkers) if complete else ():
            reading.report.warn(entry.at, f"{entry.key}.{key}", text, "check the spelling")


def _routes_from_nowhere(
    settings: NotifierSettings, checkers: Sequence[Checker]
) -> Iterator[tuple[str, str]]:
    groups = {checker.group for checker in checkers}
    tags = {tag for checker in checkers for tag in checker.tags}
    for group in settings.groups:
        if group not in groups:
            yield "groups", f'no checker is in the group "{group}"'
    for tag in settings.tags:
        if tag not in tags:
            yield "tags", f'no checker has the tag "{tag}"'


class CheckerNames:
    """The ids of all checkers, the titles that only one of them has, and the groups.

    If some checkers could not be read, the names are not complete, and an unknown one may be
    theirs: then it is not reported.
    """

    def __init__(
        self, checkers: Sequence[Checker], groups: Iterable[str] = (), *, complete: bool
    ) -> None:
        self._complete = complete
        self._groups = {*groups, *(checker.group for checker in checkers)} - {""}
        titles = Counter(checker.title.casefold() for checker in checkers)
        self._ids = {
            checker.title.casefold(): checker.id
            for checker in checkers
            if checker.title and titles[checker.title.casefold()] == 1
        }
        self._ids |= {checker.id.casefold(): checker.id for checker in checkers}
        self._checkers = tuple(checker.id for checker in checkers)

    def check_groups(
        self, reading: SettingsReader, named: Sequence[str], node: Node, key: str
    ) -> None:
        """Report every unknown group."""
        for name, place in zip(named, _places(node), strict=False):
            if name not in self._groups and self._complete:
                fix = did_you_mean(name, self._groups) or "name the group of a checker"
                reading.report.error(place.offset, key, f'there is no group "{name}"', fix)

    def resolve(
        self, reading: SettingsReader, named: Sequence[str], node: Node, key: str
    ) -> tuple[str, ...]:
        """Return the ids of the named checkers; report every unknown name."""
        found = []
        for name, place in zip(named, _places(node), strict=False):
            if name.casefold() in self._ids:
                found.append(self._ids[name.casefold()])
            elif self._complete:
                fix = did_you_mean(name, self._checkers) or "name a checker by its id"
                if "mean" not in fix and len(self._checkers) <= _FEW:
                    fix += f": {', '.join(self._checkers)}"
                reading.report.error(place.offset, key, f'there is no checker "{name}"', fix)
        return tuple(found)


def resolve_dependencies(
    reading: SettingsReader,
    checkers: Sequence[Checker],
    entries: Sequence[CheckerEntry],
    names: CheckerNames,
) -> tuple[Checker, ...]:
    """Replace what ``depends_on`` names by ids; report unknown names and cycles."""
    resolved = []
    for checker, entry in zip(checkers, entries, strict=True):
        if checker.depends_on:
            node, key = entry.members["depends_on"].value, f"{entry.key}.depends_on"
            ids = names.resolve(reading, checker.depends_on, node, key)
            resolved.append(structs.replace(checker, depends_on=ids))
        else:
            resolved.append(checker)
    circle = _circle({checker.id: checker.depends_on for checker in resolved})
    if circle:
        by_id = {checker.id: entry for checker, entry in zip(resolved, entries, strict=True)}
        entry = by_id[circle[0]]
        way = " -> ".join((*circle, circle[0]))
        place = entry.members["depends_on"].offset
        reading.report.error(place, f"{entry.key}.depends_on", f"circular dependency: {way}")
    return tuple(resolved)


def resolve_maintenance(
    reading: SettingsReader, windows: Sequence[MaintenanceSettings], node: Node, names: CheckerNames
) -> tuple[MaintenanceSettings, ...]:
    """Replace the checkers that maintenance names by ids; report unknown names."""
    items = _places(node)
    if len(items) != len(windows):
        return tuple(windows)  # what could not be read has been noted
    resolved = []
    for number, (window, item) in enumerate(zip(windows, items, strict=True)):
        members = item.members if isinstance(item, ObjectNode) else ()
        nodes = {member.key.casefold(): member.value for member in members}
        key = f"maintenance[{number}]"
        if window.groups:
            names.check_groups(reading, window.groups, nodes["groups"], f"{key}.groups")
        if window.checkers:
            ids = names.resolve(reading, window.checkers, nodes["checkers"], f"{key}.checkers")
            window = structs.replace(window, checkers=ids)  # noqa: PLW2901 - the same, resolved
        resolved.append(window)
    return tuple(resolved)


def check_groups(
    reading: SettingsReader, entries: Iterable[CheckerEntry], groups: Sequence[str]
) -> None:
    """Report checkers whose group is not configured, if any group is."""
    if not groups:
        return
    for entry in entries:
        name = entry.checker.group
        if name and name not in groups:
            at, key = entry.members["group"].value.offset, f"{entry.key}.group"
            fix = did_you_mean(name, groups) or f"known groups: {', '.join(groups)}"
            reading.report.error(at, key, f'there is no group "{name}"', fix)


def _places(node: Node) -> tuple[Node, ...]:
    return node.items if isinstance(node, ArrayNode) else (node,)


def _circle(edges: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the ids of one circle in order, or none."""
    finished = set[str]()
    for start in edges:
        path = {start: iter(edges[start])}
        while path:
            name = next(reversed(path))
            target = next(path[name], None)
            if target is None:
                finished.add(name)
                del path[name]
            elif target in path:
                walked = list(path)
                return walked[walked.index(target) :]
            elif target not in finished:
                path[target] = iter(edges.get(target, ()))
    return []
