"""A page for each component: how it is, how it was for a year, and what happened to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final, TypeVar

from markupsafe import Markup, escape
from msgspec import Struct
from msgspec.structs import replace

from checkup.history.periods import DAY, HOUR, day_start
from checkup.ports import PageFile
from checkup_page import html, news
from checkup_page.announcements.announcement import IncidentView, MaintenanceView
from checkup_page.components.chart import ResponseChart, response_chart
from checkup_page.components.days import BAR_STATUSES, NONE
from checkup_page.components.leaves import CalendarMonth, affected_days, calendar_months
from checkup_page.components.snippets import badge_snippets
from checkup_page.components.stretches import LAST_DAY, last_months
from checkup_page.components.tables import component_tables
from checkup_page.identity import public_key
from checkup_page.news import of_component
from checkup_page.state import ComponentStatus
from checkup_page.view import ComponentView, PageView

TEMPLATE: Final = "component.html"
SHEET: Final = "component.css"

MAX_AGE: Final = 60

STALE_AFTER: Final = 3 * HOUR // 2
"""Its numbers are those of the last full hour, and a page is written soon after each."""

TOLD: Final = 60
"""Days with trouble that are told one by one."""

HOURLY_DAYS: Final = 7
"""Days that are drawn hour by hour; of longer spans each day is a column."""

Announced = TypeVar("Announced", IncidentView, MaintenanceView)

_GOOD: Final = tuple(f"<li>{number}</li>" for number in range(32))
_OTHER: Final = '<li class="{look}">{number}</li>'
_NOTHING: Final = '<li class="{look}">{number}<span class="aside">: {words}</span></li>'
_BAD: Final = '<li class="{look}" title="{words}">{number}<span class="aside">: {words}</span></li>'
"""Squares of the calendar: so many that a template, or markup that escapes, takes too long."""


class ComponentPageInput(Struct, frozen=True, kw_only=True):
    """All that a page says; as long as it is the same, so is the page.

    Attributes:
        view: what every page shows, and nothing that changes with each run.
        item: likewise.
        group: the name of its group; may be empty.
        until: the end of the last full hour.
        certificate: when it ends, if that is published.
        incidents, maintenances: those that concern it.
    """

    view: PageView
    item: ComponentView
    group: str
    until: int
    certificate: int | None
    incidents: tuple[IncidentView, ...]
    maintenances: tuple[MaintenanceView, ...]

    @property
    def news(self) -> str:
        """What stands for what of it cannot wait."""
        told: list[IncidentView | MaintenanceView] = [*self.incidents, *self.maintenances]
        parts = (part for it in told for part in (it.key, it.status, str(it.updated_at)))
        return public_key("component", of_component(self.item), *parts)


class ComponentPages:
    """The pages of a site; one is made again only when there is something else to say on it."""

    def __init__(self) -> None:
        self._made: dict[str, tuple[ComponentPageInput, PageFile]] = {}

    def files(self, views: Iterable[PageView], until: int) -> dict[str, PageFile]:
        """Return the pages by their paths, in all languages.

        Args:
            views: one per language.
            until: the end of the last full hour that the history tells of.
        """
        made: dict[str, tuple[ComponentPageInput, PageFile]] = {}
        for view in views:
            for subject in _subjects(view, until):
                path = f"{view.folder}{subject.item.path}"
                before = self._made.get(path)
                if before is None or before[0] != subject:
                    made[path] = (subject, _page(subject))
                else:
                    made[path] = before
        self._made = made
        return {path: file for path, (_, file) in made.items()}


def _subjects(view: PageView, until: int) -> Iterator[ComponentPageInput]:
    shell = view.shell
    incidents, maintenances = _concerning(view.incidents), _concerning(view.maintenances)
    for group in view.groups:
        for item in group.components:
            yield ComponentPageInput(
                view=shell,
                item=replace(item, checked_at=None, response=None, strip=None, days=None),
                group=group.name,
                until=until,
                certificate=_certificate(view, item),
                incidents=tuple(incidents.get(item.key, ())),
                maintenances=tuple(maintenances.get(item.key, ())),
            )


def _concerning(announced: Iterable[Announced]) -> Mapping[str, Sequence[Announced]]:
    """Return announcements by the keys of the components that they concern."""
    found: dict[str, list[Announced]] = {}
    for it in announced:
        for affected in it.affected:
            found.setdefault(affected.key, []).append(it)
    return found


def _certificate(view: PageView, item: ComponentView) -> int | None:
    probe = view.probes.get(item.key)
    return probe.certificate_expiry if probe else None


def _page(subject: ComponentPageInput) -> PageFile:
    item, voice = subject.item, subject.view.voice
    calendar: tuple[CalendarMonth, ...] = ()
    if item.daily is not None:
        months = last_months(day_start(subject.until))
        calendar = calendar_months(item.daily, months, item.months, voice)
    told = tuple(affected_days(calendar))
    return html.render_page(
        subject.view,
        TEMPLATE,
        item.path,
        max_age=MAX_AGE,
        every=news.HOURLY,
        news=subject.news,
        sheet=SHEET,
        subject=subject,
        item=item,
        stale_at=subject.until + STALE_AFTER,
        charts=tuple(_charts(item, subject.until)),
        tables=component_tables(item, voice),
        calendar=calendar,
        squares=partial(_squares, escape(voice.say("state.none"))),
        looks=_looks(calendar),
        troubles=told[:TOLD],
        more=len(told) - TOLD,
        hour=HOUR,
        snippets=badge_snippets(subject.view, item),
    )


def _looks(calendar: Iterable[CalendarMonth]) -> tuple[str, ...]:
    seen = {look for leaf in calendar for look in leaf.looks}
    return tuple(look for look in BAR_STATUSES if look in seen)


def _squares(none: Markup, leaf: CalendarMonth) -> Markup:
    """Return the days of a month; those on which all was well need no word."""
    squares = [
        _GOOD[number] if look is ComponentStatus.OPERATIONAL else _square(number, look, leaf, none)
        for number, look in enumerate(leaf.looks, start=1)
    ]
    return Markup("".join(squares))  # noqa: S704 - all that is said in them has been escaped


def _square(number: int, look: str, leaf: CalendarMonth, none: Markup) -> str:
    words = leaf.words.get(number)
    if words:
        return _BAD.format(look=look, number=number, words=escape(words))
    return (_NOTHING if look == NONE else _OTHER).format(look=look, number=number, words=none)


def _charts(item: ComponentView, end: int) -> Iterator[ResponseChart]:
    """Yield a chart for each stretch of time; columns are whole hours or days."""
    today = day_start(end)
    for stretch in item.stretches:
        name = stretch.name
        days = 1 if name == LAST_DAY else int(name.removesuffix("d"))
        columns = item.hourly if days <= HOURLY_DAYS else item.daily
        begin = end - DAY if name == LAST_DAY else today - (days - 1) * DAY
        if columns is not None:
            yield response_chart(name, columns, begin, end)
