"""Exactly what the page shows. Nothing that is not a field here can appear on it.

Headers, error texts, notices, ids and names of regions are absent on purpose: they are private,
and so are addresses and certificates unless ``page.publish`` lists them. Times are nanoseconds
since the epoch; strings of others have been cleaned, not yet escaped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from checkup_page.announcements.announcement import IncidentMonth, IncidentView, MaintenanceView
from checkup_page.components.days import DayBars
from checkup_page.components.recent import BarSegment, RunBars
from checkup_page.components.series import ChartSeries
from checkup_page.components.stretches import PeriodStats
from checkup_page.probe import ProbeMetrics
from checkup_page.speech.voice import Locale
from checkup_page.state import ComponentStatus


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
        state: what it is now; unknown if the last results are too old to say.
        since: when that began; None if it is not known.
        note: why it is not operational, in a few public words; may be empty.
        checked_at: when it was last looked at; None if it never was.
        first_seen: its oldest result that is known; None if it has none.
        response: the median response time of the last run in nanoseconds, if there was one.
        strip: its last runs; None if there are enough days.
        days: its last days.
        stretches: the last 24 hours, 7, 30, 90 and 365 days; none if no history is kept.
        months: the last twelve since its first result, oldest first.
        hourly, daily: the columns of its charts; None if no history is kept.
        table: its closed days, see :mod:`checkup_page.components.table`.
        sights: what each region saw last that has a public name, while not all of it is good.
    """

    key: str
    name: str
    description: str
    link: str
    state: ComponentStatus
    since: int | None
    note: str
    checked_at: int | None
    first_seen: int | None
    response: int | None
    strip: RunBars | None
    days: DayBars | None
    stretches: tuple[PeriodStats, ...] = ()
    months: tuple[PeriodStats, ...] = ()
    hourly: ChartSeries | None = None
    daily: ChartSeries | None = None
    table: tuple[str, ...] = ()
    sights: tuple[RegionStatus, ...] = ()

    @property
    def path(self) -> str:
        """Where its page is, from the root of its language."""
        return f"components/{self.key}.html"

    @property
    def segments(self) -> tuple[BarSegment, ...]:
        """The bars, of whichever kind they are."""
        drawn = self.days or self.strip
        return drawn.segments if drawn else ()


class ComponentGroup(Struct, frozen=True, kw_only=True):
    """Components under one name; those without a group share one whose name is empty.

    Attributes:
        open: whether its components are shown before anybody asks for them.
    """

    key: str
    name: str
    description: str
    state: ComponentStatus
    operational: int
    open: bool
    components: tuple[ComponentView, ...]


class OverallStatus(Struct, frozen=True, kw_only=True):
    """The answer to the visitor's question.

    Attributes:
        sentence: the state in one sentence, with the component's name if only one is affected.
        state: the worst there is, of what is seen and of what people say.
        stale: the newest results are too old to say how things are.
        checked_at: when the newest run took place; None if there are no results yet.
        places: from where it was checked of late, if there are several places with public names.
        interval: how much time lies between runs; None if that cannot be known yet.
        stale_at: when this page is too old to be believed, publishing included.
        stale_sentence: what is to be said then.
    """

    sentence: str
    state: ComponentStatus = ComponentStatus.UNKNOWN
    stale: bool = False
    checked_at: int | None = None
    places: str = ""
    interval: int | None = None
    stale_at: int | None = None
    stale_sentence: str = ""


class PageInfo(Struct, frozen=True, kw_only=True):
    """What the footer says of the page itself.

    Attributes:
        runs: how many runs are shown.
        first: the oldest of them; None if there is none.
        unreadable: how many stored runs were passed over.
        by_day: a bar is a day, not a run.
        looks: how the bars look that there are.
    """

    runs: int
    first: int | None
    unreadable: int
    by_day: bool
    looks: tuple[str, ...]
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
        voice: its language and time zone.
        translations: all languages that the page is in, the preferred one first.
        incidents: those that last, and those of the last two weeks; newest first.
        maintenances: those that are going on or come next, in the order of their beginnings.
        finished: those that are over and still have a page, likewise.
        months: this one and the last three, newest first, as far as there are results.
        earlier: the beginnings of the months before these, newest first.
        probes: what the newest run found out, by the components' keys.
    """

    key: str
    title: str
    url: str
    logo: str
    theme: str
    refresh: int
    style: str
    voice: Locale
    translations: tuple[PageLanguage, ...]
    links: tuple[LinkedText, ...]
    verdict: OverallStatus
    groups: tuple[ComponentGroup, ...]
    messages: tuple[PageMessage, ...]
    facts: PageInfo
    incidents: tuple[IncidentView, ...] = ()
    maintenances: tuple[MaintenanceView, ...] = ()
    finished: tuple[MaintenanceView, ...] = ()
    months: tuple[IncidentMonth, ...] = ()
    earlier: tuple[int, ...] = ()
    probes: Mapping[str, ProbeMetrics] = {}

    @property
    def timeline(self) -> str:
        """The times of the bars of most strips."""
        strips = (item.days or item.strip for group in self.groups for item in group.components)
        counted = Counter(strip.times for strip in strips if strip)
        return max(counted, key=counted.__getitem__, default="")

    @property
    def shell(self) -> PageView:
        """What every page shows, and nothing that changes from run to run or is told of anybody."""
        return replace(
            self,
            verdict=OverallStatus(sentence=""),
            groups=(),
            messages=(),
            facts=replace(self.facts, runs=0, first=None, unreadable=0, looks=(), generated_at=0),
            incidents=(),
            maintenances=(),
            finished=(),
            months=(),
            earlier=(),
            probes={},
        )

    @property
    def folder(self) -> str:
        """Where the pages in this language are, from the root of the site."""
        code = self.voice.language.code
        return "" if code == self.translations[0].code else f"{code}/"

    @property
    def up(self) -> str:
        """The way back from there."""
        return "../" * self.folder.count("/")
