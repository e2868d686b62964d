"""A page for each component: how it is, how it was for a year, and what happened to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from checkup.history.chronicle import Chronicle
from checkup.history.periods import DAY, HOUR, day_of
from checkup.model import Phases
from checkup.ports import PageFile
from checkup_page import html, news
from checkup_page.announcement import Incident, Maintenance
from checkup_page.chart import Chart, chart
from checkup_page.days import LOOKS
from checkup_page.identity import stable_key
from checkup_page.leaves import Leaf, leaves, troubles
from checkup_page.snippets import snippets
from checkup_page.stretches import LAST_DAY
from checkup_page.view import Component, Verdict, View

TEMPLATE: Final = "component.html"
SHEET: Final = "component.css"

MAX_AGE: Final = 60

STALE_AFTER: Final = 3 * HOUR // 2
"""Its numbers are those of the last full hour, and a page is written soon after each."""

TOLD: Final = 60
"""Days with trouble that are told one by one."""

HOURLY_DAYS: Final = 7
"""Days that are drawn hour by hour; of longer spans each day is a column."""

ChronicleOf = Callable[[str], Chronicle]
"""Returns the history of a component by its public key."""


class Subject(Struct, frozen=True, kw_only=True):
    """All that a page says; as long as it is the same, so is the page.

    Attributes:
        view: what every page shows, and nothing that changes with each run.
        item: likewise.
        group: the name of its group; may be empty.
        until: the end of the last full hour.
        incidents, maintenances: those that concern it.
    """

    view: View
    item: Component
    group: str
    until: int
    incidents: tuple[Incident, ...]
    maintenances: tuple[Maintenance, ...]

    @property
    def news(self) -> str:
        """What stands for what of it cannot wait."""
        told: list[Incident | Maintenance] = [*self.incidents, *self.maintenances]
        parts = (part for it in told for part in (it.key, it.status, str(it.updated_at)))
        return stable_key("component", news.of_component(self.item), *parts)


class ComponentPages:
    """The pages of a site; one is made again only when there is something else to say on it."""

    def __init__(self) -> None:
        self._made: dict[str, tuple[Subject, PageFile]] = {}

    def files(
        self, views: Iterable[View], until: int, chronicle_of: ChronicleOf
    ) -> dict[str, PageFile]:
        """Return the pages by their paths, in all languages.

        Args:
            views: one per language.
            until: the end of the last full hour that the history tells of.
            chronicle_of: asked for those whose pages have to be made.
        """
        made: dict[str, tuple[Subject, PageFile]] = {}
        for view in views:
            for subject in _subjects(view, until):
                path = f"{view.folder}{subject.item.path}"
                before = self._made.get(path)
                if before is None or before[0] != subject:
                    made[path] = (subject, _page(subject, chronicle_of(subject.item.key)))
                else:
                    made[path] = before
        self._made = made
        return {path: file for path, (_, file) in made.items()}


def _subjects(view: View, until: int) -> Iterator[Subject]:
    shell = replace(
        view,
        verdict=Verdict(sentence=""),
        groups=(),
        messages=(),
        probes={},
        facts=replace(view.facts, runs=0, first=None, looks=(), generated_at=until),
        incidents=(),
        maintenances=(),
    )
    for group in view.groups:
        for item in group.components:
            yield Subject(
                view=shell,
                item=replace(
                    item, checked_at=None, response=None, strip=None, days=None
                ),
                group=group.name,
                until=until,
                incidents=tuple(it for it in view.incidents if _concerns(it, item)),
                maintenances=tuple(it for it in view.maintenances if _concerns(it, item)),
            )


def _concerns(announced: Incident | Maintenance, item: Component) -> bool:
    return any(affected.key == item.key for affected in announced.affected)


def _page(subject: Subject, chronicle: Chronicle) -> PageFile:
    calendar = leaves(chronicle, subject.view.voice)
    told = tuple(troubles(calendar))
    return html.page(
        subject.view,
        TEMPLATE,
        subject.item.path,
        max_age=MAX_AGE,
        every=news.HOUR,
        news=subject.news,
        sheet=SHEET,
        subject=subject,
        item=subject.item,
        stale_at=subject.until + STALE_AFTER,
        charts=tuple(_charts(subject.item, chronicle)),
        calendar=calendar,
        troubles=told[:TOLD],
        more=len(told) - TOLD,
        looks=_looks(calendar),
        none=subject.view.voice.say("state.none"),
        phases=Phases.__struct_fields__,
        hour=HOUR,
        snippets=snippets(subject.view, subject.item),
    )


def _looks(calendar: Iterable[Leaf]) -> tuple[str, ...]:
    seen = {square.look for leaf in calendar for square in leaf.days}
    return tuple(look for look in LOOKS if look in seen)


def _charts(item: Component, chronicle: Chronicle) -> Iterator[Chart]:
    """Yield a chart for each stretch of time; columns are whole hours or days."""
    end = chronicle.until
    for stretch in item.stretches:
        name = stretch.name
        if name == LAST_DAY:
            yield chart(name, chronicle.hours, end - DAY, end, HOUR)
            continue
        days = int(name.removesuffix("d"))
        begin = day_of(end) - (days - 1) * DAY
        if days <= HOURLY_DAYS:
            yield chart(name, chronicle.hours, begin, end, HOUR)
        else:
            yield chart(name, chronicle.days, begin, end, DAY)
