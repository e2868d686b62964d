"""Exactly what the page shows. Nothing that is not a field here can appear on it.

Headers, error texts, notices, ids and names of regions are private and absent on purpose, and so
are addresses and certificates unless ``page.publish`` lists them. Times are nanoseconds since the
epoch; foreign strings have been cleaned, not yet escaped.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from checkup.model import Phases
from checkup.text import public_key
from checkup_page.components.bars import BarSegment, DayBars, RunBars
from checkup_page.components.history import ChartSeries, PeriodStats
from checkup_page.incidents.view import IncidentMonth, IncidentView, MaintenanceView
from checkup_page.locale import Locale
from checkup_page.status import ComponentStatus


class ProbeMetrics(Struct, frozen=True, kw_only=True):
    """The metrics of one component.

    Attributes:
        success: whether it was up; None if unknown or stale.
        response: the median response time, in nanoseconds.
        phases: of the last successful HTTP request.
        address: the checked address, secrets masked; empty unless addresses are published.
        certificate_expiry: in nanoseconds since the epoch; None unless certificates are published.
    """

    success: bool | None = None
    response: int | None = None
    phases: Phases | None = None
    address: str = ""
    certificate_expiry: int | None = None


class LinkedText(Struct, frozen=True):
    """A text, and the http or https URL that it links to; may be empty."""

    text: str
    link: str = ""


class PageMessage(Struct, frozen=True, kw_only=True):
    """A message of a person about one component."""

    component: str
    at: int
    parts: tuple[LinkedText, ...]


class RegionStatus(Struct, frozen=True):
    """The last status in a region, which is given by its public name."""

    region: str
    state: ComponentStatus


class ComponentView(Struct, frozen=True, kw_only=True):
    """One checker as the public sees it.

    Attributes:
        key: twelve characters that stay the same as long as the checker's id does.
        link: an http or https URL, or empty.
        status: unknown if the last results are stale.
        since: when the status began; None if unknown.
        note: a short public reason for the status; may be empty.
        checked_at: the time of the last result; None without one.
        first_seen: the time of the first known result; None without one.
        response_ns: the median response time of the last run in nanoseconds, if any.
        run_bars: its last runs; None if there are enough days.
        day_bars: its last days.
        periods: the last 24 hours, 7, 30, 90 and 365 days; empty without history.
        months: the last twelve since its first result, oldest first.
        hourly, daily: the columns of its charts; None without history.
        csv_rows: its closed days, see :func:`checkup_page.components.history.csv_rows`.
        regions: the last status in each region with a public name, unless all are operational.
    """

    key: str
    name: str
    description: str
    link: str
    status: ComponentStatus
    since: int | None
    note: str
    checked_at: int | None
    first_seen: int | None
    response_ns: int | None
    run_bars: RunBars | None
    day_bars: DayBars | None
    periods: tuple[PeriodStats, ...] = ()
    months: tuple[PeriodStats, ...] = ()
    hourly: ChartSeries | None = None
    daily: ChartSeries | None = None
    csv_rows: tuple[str, ...] = ()
    regions: tuple[RegionStatus, ...] = ()

    @property
    def path(self) -> str:
        """The path of its page, from the root of its language."""
        return f"components/{self.key}.html"

    @property
    def segments(self) -> tuple[BarSegment, ...]:
        """The bars, whether they are days or runs."""
        drawn = self.day_bars or self.run_bars
        return drawn.segments if drawn else ()


class ComponentGroup(Struct, frozen=True, kw_only=True):
    """A group of components; those without a group share one whose name is empty.

    Attributes:
        expanded: whether its components are shown at first.
    """

    key: str
    name: str
    description: str
    state: ComponentStatus
    operational: int
    expanded: bool
    components: tuple[ComponentView, ...]

    @property
    def path(self) -> str:
        """The path of its page on a large site, from the root of its language."""
        return f"groups/{self.key}.html"


class OverallStatus(Struct, frozen=True, kw_only=True):
    """The status of all components together.

    Attributes:
        description: the status in one sentence, with the component's name if only one is affected.
        state: of the checks and of the active incidents that people wrote.
        stale: whether the newest results are too old.
        checked_at: the time of the newest result; None without results.
        checked_from: the regions of the newest runs, if several have public names.
        interval: the time between runs; None if it is not known yet.
        stale_at: when this edition is too old, the delay of publishing included.
        stale_description: replaces the description from then on.
    """

    description: str
    state: ComponentStatus = ComponentStatus.UNKNOWN
    stale: bool = False
    checked_at: int | None = None
    checked_from: str = ""
    interval: int | None = None
    stale_at: int | None = None
    stale_description: str = ""


class PageInfo(Struct, frozen=True, kw_only=True):
    """Facts about the page itself, for its footer.

    Attributes:
        runs: the number of runs that are shown.
        first: the slot of the oldest of them; None without runs.
        unreadable: the number of stored runs that could not be decoded.
        bars_are_days: whether a bar is a day or a run.
        legend: the statuses of the bars.
    """

    runs: int
    first: int | None
    unreadable: int
    bars_are_days: bool
    legend: tuple[str, ...]
    generated_at: int
    version: str


class PageLanguage(Struct, frozen=True):
    """A language of the page.

    Attributes:
        code: as in BCP 47.
        name: in the language itself.
        folder: of its pages, from the root of the site: empty or with a slash at its end.
    """

    code: str
    name: str
    folder: str


MAX_LISTED: Final = 400
"""Components that the first page lists, so that it stays below 1 MB."""


class PageView(Struct, frozen=True, kw_only=True):
    """The whole page.

    Attributes:
        key: twelve characters, the page's id in its API.
        id_domain: the domain of ids in feeds and calendars.
        url: of the page; empty if not configured.
        theme: ``auto``, ``light`` or ``dark``.
        refresh: seconds between requests for a newer edition; 0 for none.
        style: the owner's CSS.
        locale: its language and time zone.
        languages: all languages of the page, the preferred one first.
        incidents: the active ones and those of the last two weeks, newest first.
        maintenances: active and upcoming ones, by start.
        completed_maintenances: those that still have a page, likewise.
        months: this one and the last three, newest first, as far as there are results.
        archived_months: the starts of earlier months, newest first.
        metrics: of the newest run, by the components' keys.
    """

    key: str
    title: str
    id_domain: str = "checkup.invalid"
    url: str
    logo: str
    theme: str
    refresh: int
    style: str
    locale: Locale
    languages: tuple[PageLanguage, ...]
    links: tuple[LinkedText, ...]
    overall: OverallStatus
    groups: tuple[ComponentGroup, ...]
    messages: tuple[PageMessage, ...]
    info: PageInfo
    incidents: tuple[IncidentView, ...] = ()
    maintenances: tuple[MaintenanceView, ...] = ()
    completed_maintenances: tuple[MaintenanceView, ...] = ()
    months: tuple[IncidentMonth, ...] = ()
    archived_months: tuple[int, ...] = ()
    metrics: Mapping[str, ProbeMetrics] = {}

    @property
    def components(self) -> tuple[ComponentView, ...]:
        """The components of all groups."""
        return tuple(item for group in self.groups for item in group.components)

    @property
    def is_large(self) -> bool:
        """Whether the first page has groups only, and each group has pages of its own."""
        return len(self.components) > MAX_LISTED

    @property
    def common_bar_times(self) -> str:
        """The times of the bars that most components share."""
        charts = (
            item.day_bars or item.run_bars for group in self.groups for item in group.components
        )
        counted = Counter(chart.times for chart in charts if chart)
        return max(counted, key=counted.__getitem__, default="")

    @property
    def layout(self) -> PageView:
        """What every page shows: the view without results, incidents and times."""
        return replace(
            self,
            overall=OverallStatus(description=""),
            groups=(),
            messages=(),
            info=replace(self.info, runs=0, first=None, unreadable=0, legend=(), generated_at=0),
            incidents=(),
            maintenances=(),
            completed_maintenances=(),
            months=(),
            archived_months=(),
            metrics={},
        )

    @property
    def folder(self) -> str:
        """The folder of this language's pages, from the root of the site."""
        code = self.locale.translations.code
        return "" if code == self.languages[0].code else f"{code}/"

    @property
    def root_prefix(self) -> str:
        """The relative path from there to the root."""
        return "../" * self.folder.count("/")


def without_present(view: PageView) -> PageView:
    """Return the view without what changes with every run."""
    groups = (
        replace(group, components=tuple(_without_present(item) for item in group.components))
        for group in view.groups
    )
    info = replace(view.info, runs=0, first=None, unreadable=0, legend=(), generated_at=0)
    return replace(
        view,
        overall=OverallStatus(description="", state=view.overall.state),
        groups=tuple(groups),
        messages=(),
        info=info,
        metrics={},
    )


def _without_present(item: ComponentView) -> ComponentView:
    return replace(item, checked_at=None, response_ns=None, run_bars=None, day_bars=None)


_LINK = re.compile(r"https?://[^\s<>\"'\\]*[^\s<>\"'\\.,;:!?)\]}]", re.IGNORECASE)

_IMAGE = re.compile(
    r"data:image/(?:png|gif|jpeg|webp|svg\+xml)[;,][\w!$&'()*+,;=:@%/.-]*", re.IGNORECASE
)

_PATH = re.compile(r"(?!/)[\w./-]+", re.ASCII)


def safe_link(address: str) -> str:
    """Return an http or https address as it is, and anything else as an empty string."""
    return address if _LINK.fullmatch(address) else ""


def safe_image(address: str) -> str:
    """Return the address of an image beside the page or in a data URL, or else an empty string.

    The page makes no requests to other servers.
    """
    return address if _IMAGE.fullmatch(address) or _PATH.fullmatch(address) else ""


def linkify(text: str) -> Iterator[LinkedText]:
    """Yield the parts of a text, with its URLs as links."""
    end = 0
    for match in _LINK.finditer(text):
        if match.start() > end:
            yield LinkedText(text[end : match.start()])
        yield LinkedText(match[0], match[0])
        end = match.end()
    if end < len(text):
        yield LinkedText(text[end:])


EVERY_FIVE_MINUTES, HOURLY = 300, 3600

SIX_HOURS, DAILY = 6 * HOURLY, 24 * HOURLY
"""Seconds between two versions of a file where writing costs, without urgent content."""


def component_interval(components: int) -> int:
    """Return the ``min_interval`` of files that exist once a component, in seconds.

    Each of them changes every hour; written so often, those of 10,000 would cost $36 a month.
    """
    if components <= 1000:  # noqa: PLR2004 - at most 720,000 PUTs a month
        return HOURLY
    return SIX_HOURS if components <= 5000 else DAILY  # noqa: PLR2004


def group_news(group: ComponentGroup) -> str:
    """Return the same for the components of one group."""
    return public_key("news", *(part for item in group.components for part in _component(item)))


def page_news(view: PageView) -> str:
    """Return a key that changes when the page must be published at once.

    Times, bars and response times change with every run and do not count.
    """
    return public_key("news", *_page(view))


def component_news(item: ComponentView) -> str:
    """Return the same for one component."""
    return public_key("news", *_component(item))


def _page(view: PageView) -> Iterator[str]:
    yield from (view.title, view.info.version, view.overall.state, view.overall.description)
    for group in view.groups:
        yield from ("group", group.name, group.description)
        for item in group.components:
            yield from _component(item)
    for message in view.messages:
        yield from ("message", message.component, str(message.at))
    announcements: tuple[IncidentView | MaintenanceView, ...] = (
        *view.incidents,
        *view.maintenances,
    )
    for announcement in announcements:
        yield from (
            announcement.key,
            announcement.status,
            announcement.title,
            str(announcement.updated_at),
        )


def _component(item: ComponentView) -> Iterator[str]:
    yield from (
        "component",
        item.key,
        item.name,
        item.description,
        item.link,
        item.status,
        item.note,
        *(part for region in item.regions for part in (region.region, region.state)),
    )
