"""From a storage to the files of the page."""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct, field

from checkup.config.settings import Config
from checkup.incidents.store import load_archive
from checkup.interfaces import PageFile, Storage
from checkup.run_store import settled_key
from checkup.times import hour_start
from checkup_page.build_view import PageData, build_archived_month, build_view
from checkup_page.components.page import ComponentPages
from checkup_page.formats import MachineFiles
from checkup_page.incidents.load import DisruptionCache, IncidentLoader
from checkup_page.incidents.pages import IncidentPages
from checkup_page.incidents.view import IncidentMonth
from checkup_page.load import HeadDocuments, HistoryCache, HistoryLoader, RecentRuns, _standings
from checkup_page.render import render_site
from checkup_page.view import PageView


class PageCache(Struct, kw_only=True):
    """What a process keeps from one page to the next, so as not to read or make it again.

    Attributes:
        recent_runs: the newest runs.
        history: files of closed days, and what was made of them.
        component_pages: their pages.
        incident_pages: the pages of incidents, maintenance and months.
        disruptions: the troubles of closed days.
        formats: the files for machines.
    """

    recent_runs: RecentRuns = field(default_factory=RecentRuns)
    history: HistoryCache = field(default_factory=HistoryCache)
    component_pages: ComponentPages = field(default_factory=ComponentPages)
    incident_pages: IncidentPages = field(default_factory=IncidentPages)
    disruptions: DisruptionCache = field(default_factory=DisruptionCache)
    formats: MachineFiles = field(default_factory=MachineFiles)


class PageBuilder(Struct, frozen=True, kw_only=True):
    """Makes the page of one configuration as of one moment.

    Attributes:
        told: what has just been read.
        now: in nanoseconds since the epoch.
    """

    config: Config
    storage: Storage
    told: HeadDocuments
    now: int
    memory: PageCache

    def build(self) -> dict[str, PageFile]:
        """Fold the runs that are new into the history, and return the files of the page by path.

        Raises:
            StorageError: the runs could not be read.
        """
        memory = self.memory
        memory.recent_runs.refresh(self.config, self.storage, self.now)
        reader = HistoryLoader(
            config=self.config,
            storage=self.storage,
            announced=self.told.incidents,
            newest=memory.recent_runs,
            known=memory.history,
        )
        past = reader.read(settled_key(self.told.alert_state.cursor, self.now), self.now)
        memory.disruptions.archive = load_archive(
            self.storage, self.told.incidents, self.now, memory.disruptions.archive
        )
        gatherer = IncidentLoader(
            storage=self.storage,
            archive=memory.disruptions.archive,
            head=past.head,
            months=memory.history.months,
            seen=memory.disruptions,
            now=self.now,
        )
        bulletin = gatherer.load_recent()
        runs = memory.recent_runs.runs
        observed = PageData(
            runs=runs,
            confirmed=_standings(self.told.alert_state, memory.recent_runs.keys),
            daily=past.daily,
            histories=past.components,
            incidents=bulletin,
            archived_months=tuple(
                it for it in gatherer.all_months()[::-1] if it < bulletin.months[0]
            ),
            unreadable=len(memory.recent_runs.keys) - len(runs),
        )
        return self._files(observed, gatherer)

    def _files(self, observed: PageData, gatherer: IncidentLoader) -> dict[str, PageFile]:
        config, memory = self.config, self.memory
        codes = dict.fromkeys(config.page.languages)
        views = [build_view(config, observed, self.now, code) for code in codes]
        return {
            **memory.incident_pages.files(views, _OldMonths(config, gatherer)),
            **memory.component_pages.files(
                views, memory.history.component_histories[0] or hour_start(self.now)
            ),
            **render_site(*views, formats=memory.formats),
        }


class _OldMonths(NamedTuple):
    """Tells of months that are long over."""

    config: Config
    gatherer: IncidentLoader

    def said_of(self, month: int) -> object:
        """Return what may still be changed of a month."""
        return self.gatherer.stored_of_month(month)

    def told(self, view: PageView, month: int) -> IncidentMonth | None:
        """Return a month in the language of a view."""
        old = self.gatherer.load_archived(month)
        return build_archived_month(self.config, view, old) if old else None


def build_page(
    config: Config, storage: Storage, now_ns: int, *, memory: PageCache | None = None
) -> dict[str, PageFile]:
    """Return the files of the page by path, made as :meth:`Builder.build` says.

    Args:
        config: the checkers and the page's settings.
        storage: where runs, state and history are.
        now_ns: the present, in nanoseconds since the epoch.
        memory: kept by a caller who builds again and again.

    Raises:
        StorageError: the runs could not be read.
    """
    told, memory = HeadDocuments.of(storage), memory or PageCache()
    builder = PageBuilder(config=config, storage=storage, told=told, now=now_ns, memory=memory)
    return builder.build()
