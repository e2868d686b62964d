"""The page of each component: status, charts, tables, calendar and badge snippets.

Tables are built here: they have hundreds of cells a page, and a template takes several times as
long.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from typing import Final, NamedTuple, TypeVar

from markupsafe import Markup, escape
from msgspec import Struct
from msgspec.structs import replace

from checkup.interfaces import PageFile
from checkup.model import Phases
from checkup.text import public_key
from checkup.times import DAY, HOUR, SECOND, day_start
from checkup_page.components.bars import BAR_STATUSES, NONE
from checkup_page.components.charts import (
    CalendarMonth,
    ResponseChart,
    affected_days,
    calendar_months,
    response_chart,
)
from checkup_page.components.history import LAST_DAY, PeriodStats, ResponseStats, last_months
from checkup_page.html import render_page
from checkup_page.incidents.view import IncidentView, MaintenanceView
from checkup_page.locale import Locale, load_translations
from checkup_page.status import ComponentStatus
from checkup_page.view import ComponentView, PageView, component_interval, component_news


class BadgeSnippets(NamedTuple):
    """Snippets to copy, and the files they refer to.

    Attributes:
        markdown, html: the badge as a link to the component's page.
        picture: path of the badge, from the root of the site.
        endpoint: the endpoint for shields.io: a URL if the page's is configured, or else a path.
    """

    markdown: str
    html: str
    picture: str
    endpoint: str


def badge_snippets(view: PageView, item: ComponentView) -> BadgeSnippets:
    """Return the snippets of a component, with URLs if the page's is configured."""
    site = f"{view.url.rstrip('/')}/" if view.url else ""
    picture = f"badges/{item.key}.svg"
    page = f"{site}{view.folder}{item.path}"
    text = re.sub(r"([\\\[\]`*_<>])", r"\\\1", item.name)
    name = html.escape(item.name)
    return BadgeSnippets(
        markdown=f"[![{text}]({site}{picture})]({page})",
        html=f'<a href="{page}"><img src="{site}{picture}" alt="{name}"></a>',
        picture=picture,
        endpoint=f"{site}badges/{item.key}/uptime-90d.json",
    )


NOTHING: Final = "\N{EN DASH}"
PHASES: Final = Phases.__struct_fields__

Row = Sequence[str]
"""Cells: the first is the row's header, and the second is in bold."""

_escaped = lru_cache(maxsize=4000)(escape)


def table(head: Row, rows: Iterable[Row]) -> Markup:
    """Return a table."""
    columns = "".join(f'<th scope="col">{_escaped(name)}</th>' for name in head)
    body = "\n".join(map(_row, rows))
    return Markup(  # noqa: S704 - each cell has been escaped
        f"<table>\n<thead><tr>{columns}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"
    )


class ComponentTables(NamedTuple):
    """The tables of one component.

    Attributes:
        times: percentiles of response times and, if ``phased``, the mean phases; empty without
            response times.
    """

    uptimes: Markup
    times: Markup
    months: Markup
    phased: bool


def component_tables(item: ComponentView, locale: Locale) -> ComponentTables:
    """Return the tables of a component."""
    phased = any(it.response and it.response.phases for it in item.periods)
    timed = any(it.response for it in item.periods)
    return ComponentTables(
        uptimes=table(
            _head(("span", "uptime", "down", "degraded", "observed", "failures"), locale),
            (_uptime(it, locale) for it in item.periods),
        ),
        times=_times(item.periods, locale, phased=phased) if timed else Markup(),
        months=table(
            _head(("month", "uptime", "down", "degraded", "maintenance", "observed"), locale),
            (_month(it, locale) for it in reversed(item.months)),
        ),
        phased=phased,
    )


def _uptime(it: PeriodStats, locale: Locale) -> Row:
    tally = it.tally
    return (
        locale.translate(f"period.{it.name}"),
        _share(it.uptime),
        _length(tally.down, locale),
        _length(tally.degraded, locale),
        _share(it.coverage),
        locale.translate("component.of", n=tally.failures, runs=tally.runs),
    )


def _month(it: PeriodStats, locale: Locale) -> Row:
    tally = it.tally
    return (
        locale.format_month(it.begin),
        _share(it.uptime),
        _length(tally.down, locale),
        _length(tally.degraded, locale),
        _length(tally.maintenance, locale),
        _share(it.coverage),
    )


def _times(periods: Iterable[PeriodStats], locale: Locale, *, phased: bool) -> Markup:
    code, names = locale.translations.code, PHASES if phased else ()
    head = (locale.translate("component.span"), "p50", "p95", "p99")
    rows = (
        (
            locale.translate(f"period.{it.name}"),
            *(_time(it.response, share, code) for share in ("p50", "p95", "p99")),
            *(_time(it.response and it.response.phases, name, code) for name in names),
        )
        for it in periods
    )
    return table((*head, *(locale.translate(f"phase.{name}") for name in names)), rows)


def _share(percent: str | None) -> str:
    return NOTHING if percent is None else f"{percent}%"


def _length(length: int, locale: Locale) -> str:
    return locale.format_duration(length) if length else NOTHING


def _time(of: ResponseStats | Phases | None, name: str, code: str) -> str:
    return NOTHING if of is None else _elapsed(code, getattr(of, name))


@lru_cache(maxsize=4000)
def _elapsed(code: str, time: int) -> str:
    return Locale(translations=load_translations(code)).format_response_time(time)


def _head(names: Iterable[str], locale: Locale) -> Row:
    return [locale.translate(f"component.{name}") for name in names]


def _row(cells: Row) -> str:
    first, second, *others = map(_escaped, cells)
    rest = "".join(f"<td>{cell}</td>" for cell in others)
    return f'<tr><th scope="row">{first}</th><td><b>{second}</b></td>{rest}</tr>'


TEMPLATE: Final = "component.html"
SHEET: Final = "component.css"
MAX_AGE: Final = 60

MAX_DELAY: Final = HOUR // 2
"""A page is written so long after it became due, at the latest."""

MAX_AFFECTED_DAYS: Final = 60
"""Affected days that are listed."""

HOURLY_DAYS: Final = 7
"""Charts of up to so many days have a column for each hour, longer ones for each day."""

Announcement = TypeVar("Announcement", IncidentView, MaintenanceView)
_OPERATIONAL: Final = tuple(f"<li>{number}</li>" for number in range(32))
_OTHER: Final = '<li class="{status}">{number}</li>'
_NO_DATA: Final = '<li class="{status}">{number}<span class="aside">: {description}</span></li>'

_AFFECTED: Final = (
    '<li class="{status}" title="{description}">'
    '{number}<span class="aside">: {description}</span></li>'
)
"""Squares of the calendar: so many that a template, or escaping markup, takes too long."""


class ComponentPageInput(Struct, frozen=True, kw_only=True):
    """Everything a component's page is rendered from: equal inputs give the same page.

    Attributes:
        view: the layout, see :attr:`PageView.layout`.
        item: the component, without what changes with each run.
        group: the name of its group; may be empty.
        until: the end of the last full hour.
        certificate: its expiry, if that is published.
        every: as in :class:`PageFile`.
        incidents, maintenances: those that affect it.
    """

    view: PageView
    item: ComponentView
    group: str
    until: int
    certificate: int | None
    every: int
    incidents: tuple[IncidentView, ...]
    maintenances: tuple[MaintenanceView, ...]

    @property
    def news(self) -> str:
        """Changes when the page must be published at once."""
        announcements: list[IncidentView | MaintenanceView] = [
            *self.incidents,
            *self.maintenances,
        ]
        parts = (part for it in announcements for part in (it.key, it.status, str(it.updated_at)))
        return public_key("component", component_news(self.item), *parts)


class ComponentPages:
    """The pages of all components; a page is rendered again only when its input differs."""

    def __init__(self) -> None:
        self._rendered: dict[str, tuple[ComponentPageInput, PageFile]] = {}

    def files(self, views: Iterable[PageView], until: int) -> dict[str, PageFile]:
        """Return the pages by their paths, in all languages.

        Args:
            views: one per language.
            until: the end of the last full hour of the history.
        """
        rendered: dict[str, tuple[ComponentPageInput, PageFile]] = {}
        for view in views:
            for subject in _inputs(view, until):
                path = f"{view.folder}{subject.item.path}"
                before = self._rendered.get(path)
                if before is None or before[0] != subject:
                    rendered[path] = (subject, _page(subject))
                else:
                    rendered[path] = before
        self._rendered = rendered
        return {path: file for path, (_, file) in rendered.items()}


def _inputs(view: PageView, until: int) -> Iterator[ComponentPageInput]:
    shell, every = view.layout, component_interval(len(view.components))
    incidents, maintenances = _by_component(view.incidents), _by_component(view.maintenances)
    for group in view.groups:
        for item in group.components:
            yield ComponentPageInput(
                view=shell,
                item=replace(item, checked_at=None, response_ns=None, run_bars=None, day_bars=None),
                group=group.name,
                until=until,
                certificate=_certificate(view, item),
                every=every,
                incidents=tuple(incidents.get(item.key, ())),
                maintenances=tuple(maintenances.get(item.key, ())),
            )


def _by_component(announcements: Iterable[Announcement]) -> Mapping[str, Sequence[Announcement]]:
    """Return incidents or maintenance by the keys of the affected components."""
    by_key: dict[str, list[Announcement]] = {}
    for it in announcements:
        for affected in it.affected:
            by_key.setdefault(affected.key, []).append(it)
    return by_key


def _certificate(view: PageView, item: ComponentView) -> int | None:
    probe = view.metrics.get(item.key)
    return probe.certificate_expiry if probe else None


def _page(subject: ComponentPageInput) -> PageFile:
    item, locale = subject.item, subject.view.locale
    calendar: tuple[CalendarMonth, ...] = ()
    if item.daily is not None:
        months = last_months(day_start(subject.until))
        calendar = calendar_months(item.daily, months, item.months, locale)
    affected = tuple(affected_days(calendar))
    return render_page(
        subject.view,
        TEMPLATE,
        item.path,
        max_age=MAX_AGE,
        every=subject.every,
        news=subject.news,
        stylesheet=SHEET,
        subject=subject,
        item=item,
        stale_at=subject.until + subject.every * SECOND + MAX_DELAY,
        charts=tuple(_charts(item, subject.until)),
        tables=component_tables(item, locale),
        calendar=calendar,
        squares=partial(_squares, escape(locale.translate("state.none"))),
        statuses=_statuses(calendar),
        affected_days=affected[:MAX_AFFECTED_DAYS],
        more=len(affected) - MAX_AFFECTED_DAYS,
        hour=HOUR,
        snippets=badge_snippets(subject.view, item),
    )


def _statuses(calendar: Iterable[CalendarMonth]) -> tuple[str, ...]:
    seen = {status for month in calendar for status in month.statuses}
    return tuple(status for status in BAR_STATUSES if status in seen)


def _squares(none: Markup, month: CalendarMonth) -> Markup:
    """Return the days of a month; operational ones have no description."""
    squares = [
        _OPERATIONAL[number]
        if status is ComponentStatus.OPERATIONAL
        else _square(number, status, month, none)
        for number, status in enumerate(month.statuses, start=1)
    ]
    return Markup("".join(squares))  # noqa: S704 - their texts have been escaped


def _square(number: int, status: str, month: CalendarMonth, none: Markup) -> str:
    description = month.descriptions.get(number)
    if description:
        return _AFFECTED.format(status=status, number=number, description=escape(description))
    return (_NO_DATA if status == NONE else _OTHER).format(
        status=status, number=number, description=none
    )


def _charts(item: ComponentView, end: int) -> Iterator[ResponseChart]:
    """Yield a chart for each period; columns are whole hours or days."""
    today = day_start(end)
    for period in item.periods:
        name = period.name
        days = 1 if name == LAST_DAY else int(name.removesuffix("d"))
        columns = item.hourly if days <= HOURLY_DAYS else item.daily
        begin = end - DAY if name == LAST_DAY else today - (days - 1) * DAY
        if columns is not None:
            yield response_chart(name, columns, begin, end)
