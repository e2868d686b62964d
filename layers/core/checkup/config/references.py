"""What the parts of the file name of each other: ids, titles, groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from msgspec import structs

from checkup.config.identity import CheckerEntry
from checkup.config.nearest import Nearest
from checkup.config.reading import SettingsReader
from checkup.config.settings import MaintenanceSettings
from checkup.config.tree import ArrayNode, Node, ObjectNode
from checkup.ports import Checker


class CheckerNames:
    """The ids of all checkers, the titles that only one of them has, and the groups.

    If some checkers could not be read, the names are not complete, and an unknown one may be
    theirs: then it is no problem of its own.
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
        self._nearest = Nearest(checker.id for checker in checkers)

    def of_groups(
        self, reading: SettingsReader, named: Sequence[str], node: Node, key: str
    ) -> None:
        """Note every name of no group."""
        for name, place in zip(named, _places(node), strict=False):
            if name not in self._groups and self._complete:
                fix = Nearest(self._groups).advice(name) or "name the group of a checker"
                reading.report.error(place.at, key, f'there is no group "{name}"', fix)

    def ids(
        self, reading: SettingsReader, named: Sequence[str], node: Node, key: str
    ) -> tuple[str, ...]:
        """Return the ids of the checkers that are named; note every name of none."""
        found = []
        for name, place in zip(named, _places(node), strict=False):
            if name.casefold() in self._ids:
                found.append(self._ids[name.casefold()])
            elif self._complete:
                fix = self._nearest.advice(name) or "name a checker by its id"
                reading.report.error(place.at, key, f'there is no checker "{name}"', fix)
        return tuple(found)


def resolve_dependencies(
    reading: SettingsReader,
    checkers: Sequence[Checker],
    entries: Sequence[CheckerEntry],
    names: CheckerNames,
) -> tuple[Checker, ...]:
    """Replace what ``depends_on`` names by ids; note names of nothing and circles."""
    resolved = []
    for checker, entry in zip(checkers, entries, strict=True):
        if checker.depends_on:
            node, key = entry.members["depends_on"].value, f"{entry.key}.depends_on"
            ids = names.ids(reading, checker.depends_on, node, key)
            resolved.append(structs.replace(checker, depends_on=ids))
        else:
            resolved.append(checker)
    circle = _circle({checker.id: checker.depends_on for checker in resolved})
    if circle:
        by_id = {checker.id: entry for checker, entry in zip(resolved, entries, strict=True)}
        entry = by_id[circle[0]]
        way = " -> ".join((*circle, circle[0]))
        place = entry.members["depends_on"].at
        reading.report.error(place, f"{entry.key}.depends_on", f"goes round in a circle: {way}")
    return tuple(resolved)


def resolve_maintenance(
    reading: SettingsReader, windows: Sequence[MaintenanceSettings], node: Node, names: CheckerNames
) -> tuple[MaintenanceSettings, ...]:
    """Replace the checkers that maintenance names by ids; note names of nothing."""
    items = _places(node)
    if len(items) != len(windows):
        return tuple(windows)  # what could not be read has been noted
    resolved = []
    for number, (window, item) in enumerate(zip(windows, items, strict=True)):
        members = item.members if isinstance(item, ObjectNode) else ()
        nodes = {member.key.casefold(): member.value for member in members}
        key = f"maintenance[{number}]"
        if window.groups:
            names.of_groups(reading, window.groups, nodes["groups"], f"{key}.groups")
        if window.checkers:
            ids = names.ids(reading, window.checkers, nodes["checkers"], f"{key}.checkers")
            window = structs.replace(window, checkers=ids)  # noqa: PLW2901 - the same, resolved
        resolved.append(window)
    return tuple(resolved)


def check_groups(
    reading: SettingsReader, entries: Iterable[CheckerEntry], groups: Sequence[str]
) -> None:
    """Note checkers of a group that is not among ``groups``, if there are any."""
    if not groups:
        return
    nearest = Nearest(groups)
    for entry in entries:
        name = entry.checker.group
        if name and name not in groups:
            at, key = entry.members["group"].value.at, f"{entry.key}.group"
            fix = nearest.advice(name) or f"known are {', '.join(groups)}"
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
