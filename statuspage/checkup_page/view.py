"""Exactly what the page shows. Nothing that is not a field here can appear on it.

Headers, error texts, notices, ids and names of regions are absent on purpose: they are private,
and so are addresses and certificates unless ``page.publish`` lists them. Times are nanoseconds
since the epoch; strings of others have been cleaned, not yet escaped.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache

from msgspec import Struct
from msgspec.structs import replace

from checkup.model import Phases
from checkup_page.components.bars import BarSegment, DayBars, RunBars
from checkup_page.components.history import ChartSeries, PeriodStats
from checkup_page.incidents.view import IncidentMonth, IncidentView, MaintenanceView
from checkup_page.locale import Locale
from checkup_page.status import ComponentStatus


class ProbeMetrics(Struct, frozen=True, kw_only=True):
    """What is known of one component.

    Attributes:
        success: whether it could be used; None if nobody knows, or too long ago.
        response: the median response time in nanoseconds; None if there is none.
        phases: where the time of an HTTP request went; None if there was none.
        address: what was checked, secrets masked; empty unless addresses are published.
        certificate_expiry: when the server's certificate ends, in nanoseconds since the epoch;
            None if there is none, and unless certificates are published.
    """

    success: bool | None = None
    response: int | None = None
    phases: Phases | None = None
    address: str = ""
    certificate_expiry: int | None = None


class LinkedText(Struct, frozen=True):
    """Words; ``link`` is an http or https address that they lead to, or empty."""

    text: str
    link: str = ""


class PageMessage(Struct, frozen=True, kw_only=True):
    """A person's words about one component."""

    component: str
    at: int
    parts: tuple[LinkedText, ...]


class RegionStatus(Struct, frozen=True):
    """What a region saw last, under the name that the page gives to the region."""

    region: str
    state: ComponentStatus


class ComponentView(Struct, frozen=True, kw_only=True):
    """One checker as the public knows it.

    Attributes:
        key: twelve characters that stay the same as long as the checker's id does.
        link: an http or https address, or empty.
        status: what it is now; unknown if the last results are too old to say.
        since: when that began; None if it is not known.
        note: why it is not operational, in a few public words; may be empty.
        checked_at: when it was last looked at; None if it never was.
        first_seen: its oldest result that is known; None if it has none.
        response_ns: the median response time of the last run in nanoseconds, if there was one.
        run_bars: its last runs; None if there are enough days.
        day_bars: its last days.
        periods: the last 24 hours, 7, 30, 90 and 365 days; none if no history is kept.
        months: the last twelve since its first result, oldest first.
        hourly, daily: the columns of its charts; None if no history is kept.
        csv_rows: its closed days, see :mod:`checkup_page.components.history`.
        regions: what each region saw last that has a public name, while not all of it is good.
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
        """Where its page is, from the root of its language."""
        return f"components/{self.key}.html"

    @property
    def segments(self) -> tuple[BarSegment, ...]:
        """The bars, of whichever kind they are."""
        drawn = self.day_bars or self.run_bars
        return drawn.segments if drawn else ()


class ComponentGroup(Struct, frozen=True, kw_only=True):
    """Components under one name; those without a group share one whose name is empty.

    Attributes:
        expanded: whether its components are shown before anybody asks for them.
    """

    key: str
    name: str
    description: str
    state: ComponentStatus
    operational: int
    expanded: bool
    components: tuple[ComponentView, ...]


class OverallStatus(Struct, frozen=True, kw_only=True):
    """The answer to the visitor's question.

    Attributes:
        description: the state in one sentence, with the component's name if only one is affected.
        state: the worst there is, of what is seen and of what people say.
        stale: the newest results are too old to say how things are.
        checked_at: when the newest run took place; None if there are no results yet.
        checked_from: the regions of the newest runs, if there are several with public names.
        interval: how much time lies between runs; None if that cannot be known yet.
        stale_at: when this page is too old to be believed, publishing included.
        stale_description: what is to be said then.
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
    """What the footer says of the page itself.

    Attributes:
        runs: how many runs are shown.
        first: the oldest of them; None if there is none.
        unreadable: how many stored runs were passed over.
        bars_are_days: a bar is a day, not a run.
        legend: how the bars look that there are.
    """

    runs: int
    first: int | None
    unreadable: int
    bars_are_days: bool
    legend: tuple[str, ...]
    generated_at: int
    version: str


class PageLanguage(Struct, frozen=True):
    """A language that the page is in.

    Attributes:
        code: as in BCP 47.
        name: what it calls itself.
        folder: where its pages are, from the root of the site: empty or with a slash at its end.
    """

    code: str
    name: str
    folder: str


class PageView(Struct, frozen=True, kw_only=True):
    """The whole page.

    Attributes:
        key: twelve characters that stand for the page in its API.
        url: where the page is, if that is known.
        theme: ``auto``, ``light`` or ``dark``.
        refresh: seconds between looks for a newer page; 0 for none.
        style: what the owner adds to the style sheet.
        locale: its language and time zone.
        languages: all languages that the page is in, the preferred one first.
        incidents: those that last, and those of the last two weeks; newest first.
        maintenances: those that are going on or come next, in the order of their beginnings.
        completed_maintenances: those that are over and still have a page, likewise.
        months: this one and the last three, newest first, as far as there are results.
        archived_months: the beginnings of the months before these, newest first.
        metrics: what the newest run found out, by the components' keys.
    """

    key: str
    title: str
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
    def common_bar_times(self) -> str:
        """The times of the bars of most strips."""
        strips = (
            item.day_bars or item.run_bars for group in self.groups for item in group.components
        )
        counted = Counter(strip.times for strip in strips if strip)
        return max(counted, key=counted.__getitem__, default="")

    @property
    def layout(self) -> PageView:
        """What every page shows, and nothing that changes from run to run or is told of anybody."""
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
        """Where the pages in this language are, from the root of the site."""
        code = self.locale.translations.code
        return "" if code == self.languages[0].code else f"{code}/"

    @property
    def root_prefix(self) -> str:
        """The way back from there."""
        return "../" * self.folder.count("/")


def lasting(view: PageView) -> PageView:
    """Return the page as it will be until something happens, or an hour or a day is over."""
    groups = (
        replace(group, components=tuple(_lasting(item) for item in group.components))
        for group in view.groups
    )
    facts = replace(view.info, runs=0, first=None, unreadable=0, legend=(), generated_at=0)
    return replace(
        view,
        overall=OverallStatus(description="", state=view.overall.state),
        groups=tuple(groups),
        messages=(),
        info=facts,
        metrics={},
    )


def _lasting(item: ComponentView) -> ComponentView:
    return replace(item, checked_at=None, response_ns=None, run_bars=None, day_bars=None)


_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_LENGTH = 12


@lru_cache(maxsize=10_000)
def public_key(*parts: str) -> str:
    """Return twelve characters of base 36, as the ids of Statuspage look.

    The same parts give the same key for ever; the parts cannot be read from it.
    """
    digest = hashlib.sha256("\0".join(parts).encode(errors="replace")).digest()
    number = int.from_bytes(digest) % len(_DIGITS) ** _LENGTH
    digits = []
    for _ in range(_LENGTH):
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "".join(digits)


_LINK = re.compile(r"https?://[^\s<>\"'\\]*[^\s<>\"'\\.,;:!?)\]}]", re.IGNORECASE)

_IMAGE = re.compile(
    r"data:image/(?:png|gif|jpeg|webp|svg\+xml)[;,][\w!$&'()*+,;=:@%/.-]*", re.IGNORECASE
)

_PATH = re.compile(r"(?!/)[\w./-]+", re.ASCII)


def safe_link(address: str) -> str:
    """Return an http or https address as it is, and anything else as an empty string."""
    return address if _LINK.fullmatch(address) else ""


def safe_image(address: str) -> str:
    """Return the address of a picture that lies beside the page or is contained in it.

    Any other would be a request to somebody else, which the page does not make: then an empty
    string.
    """
    return address if _IMAGE.fullmatch(address) or _PATH.fullmatch(address) else ""


def linkify(text: str) -> Iterator[LinkedText]:
    """Yield the parts of a text, with the addresses in it as links."""
    end = 0
    for match in _LINK.finditer(text):
        if match.start() > end:
            yield LinkedText(text[end : match.start()])
        yield LinkedText(match[0], match[0])
        end = match.end()
    if end < len(text):
        yield LinkedText(text[end:])


EVERY_FIVE_MINUTES, HOURLY = 300, 3600

DAILY = 24 * HOURLY
"""Seconds between two versions of a file in a place where writing costs, if there is no news."""


def of_page(view: PageView) -> str:
    """Return what stands for the news of the whole page.

    Times, bars and response times change with every run and are none; nor are counts of them.
    """
    return public_key("news", *_page(view))


def of_component(item: ComponentView) -> str:
    """Return what stands for the news of one component."""
    return public_key("news", *_component(item))


def _page(view: PageView) -> Iterator[str]:
    yield from (view.title, view.info.version, view.overall.state, view.overall.description)
    for group in view.groups:
        yield from ("group", group.name, group.description)
        for item in group.components:
            yield from _component(item)
    for message in view.messages:
        yield from ("message", message.component, str(message.at))
    announced: tuple[IncidentView | MaintenanceView, ...] = (*view.incidents, *view.maintenances)
    for told in announced:
        yield from (told.key, told.status, told.title, str(told.updated_at))


def _component(item: ComponentView) -> Iterator[str]:
    yield from (
        "component",
        item.key,
        item.name,
        item.description,
        item.link,
        item.status,
        item.note,
        *(part for sight in item.regions for part in (sight.region, sight.state)),
    )
