"""From a storage to the files of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct, field

from checkup.alerting.state import BLIND_AFTER, CheckerState, Head
from checkup.archive import settled
from checkup.config.settings import Config
from checkup.errors import StorageError
from checkup.history.periods import hour_of
from checkup.incidents.model import Announcements
from checkup.model import Status
from checkup.ports import PageFile, Storage
from checkup.protocol import read_head
from checkup.protocol.announcing import load_archive
from checkup_page.announcements.announcement import Month
from checkup_page.announcements.gather import Gatherer, Seen, announced
from checkup_page.announcements.pages import AnnouncementPages
from checkup_page.components.component import Standing
from checkup_page.components.pages import ComponentPages
from checkup_page.compose import Observed, compose, tell_of_month
from checkup_page.formats import Formats
from checkup_page.newest import Newest
from checkup_page.past import Known, Reader
from checkup_page.render import render
from checkup_page.view import View


class Memory(Struct, kw_only=True):
    """What a process keeps from one page to the next, so as not to read or make it again.

    Attributes:
        newest: the newest runs.
        past: files of closed days, and what was made of them.
        components: their pages.
        announcements: the pages of incidents, maintenance and months.
        seen: the troubles of closed days.
        formats: the files for machines.
    """

    newest: Newest = field(default_factory=Newest)
    past: Known = field(default_factory=Known)
    components: ComponentPages = field(default_factory=ComponentPages)
    announcements: AnnouncementPages = field(default_factory=AnnouncementPages)
    seen: Seen = field(default_factory=Seen)
    formats: Formats = field(default_factory=Formats)


class Told(NamedTuple):
    """The two small documents that say what is news: the state between runs, and people's words."""

    head: Head
    announced: Announcements

    @classmethod
    def of(cls, storage: Storage) -> Told:
        """Read them; a state that cannot be read is repaired by the next run."""
        try:
            head = read_head(storage)
        except StorageError:
            head = Head()
        return cls(head, announced(storage))


class Builder(Struct, frozen=True, kw_only=True):
    """Makes the page of one configuration as of one moment.

    Attributes:
        told: what has just been read.
        now: in nanoseconds since the epoch.
    """

    config: Config
    storage: Storage
    told: Told
    now: int
    memory: Memory

    def build(self) -> dict[str, PageFile]:
        """Fold the runs that are new into the history, and return the files of the page by path.

        Raises:
            StorageError: the runs could not be read.
        """
        memory = self.memory
        memory.newest.look(self.config, self.storage, self.now)
        reader = Reader(
            config=self.config,
            storage=self.storage,
            announced=self.told.announced,
            newest=memory.newest,
            known=memory.past,
        )
        past = reader.read(settled(self.told.head.cursor, self.now), self.now)
        memory.seen.archive = load_archive(
            self.storage, self.told.announced, self.now, memory.seen.archive
        )
        gatherer = Gatherer(
            storage=self.storage,
            archive=memory.seen.archive,
            head=past.head,
            months=memory.past.months,
            seen=memory.seen,
            now=self.now,
        )
        bulletin = gatherer.bulletin()
        runs = memory.newest.runs
        observed = Observed(
            runs=runs,
            standings=_standings(self.told.head, memory.newest.keys),
            pasts=past.pasts,
            records=past.records,
            bulletin=bulletin,
            earlier=tuple(it for it in gatherer.all_months()[::-1] if it < bulletin.months[0]),
            unreadable=len(memory.newest.keys) - len(runs),
        )
        return self._files(observed, gatherer)

    def _files(self, observed: Observed, gatherer: Gatherer) -> dict[str, PageFile]:
        config, memory = self.config, self.memory
        codes = dict.fromkeys(config.page.languages)
        views = [compose(config, observed, self.now, code) for code in codes]
        return {
            **memory.announcements.files(views, _OldMonths(config, gatherer)),
            **memory.components.files(views, memory.past.records[0] or hour_of(self.now)),
            **render(*views, formats=memory.formats),
        }


class _OldMonths(NamedTuple):
    """Tells of months that are long over."""

    config: Config
    gatherer: Gatherer

    def said_of(self, month: int) -> object:
        """Return what may still be changed of a month."""
        return self.gatherer.said_of(month)

    def told(self, view: View, month: int) -> Month | None:
        """Return a month in the language of a view."""
        old = self.gatherer.old(month)
        return tell_of_month(self.config, view, old) if old else None


def build(
    config: Config, storage: Storage, now_ns: int, *, memory: Memory | None = None
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
    told, memory = Told.of(storage), memory or Memory()
    builder = Builder(config=config, storage=storage, told=told, now=now_ns, memory=memory)
    return builder.build()


def _standings(head: Head, keys: Sequence[str]) -> Mapping[str, Standing]:
    """Return what the state between runs says, if it follows the runs.

    A head that ends before the oldest of these runs is no longer kept up by anybody. Without a
    head the runs speak for themselves.
    """
    if not keys or head.cursor < keys[0]:
        return {}
    return {
        checker: Standing(state.shown, state.since)
        for checker, state in head.checkers.items()
        if _is_settled(state)
    }


def _is_settled(state: CheckerState) -> bool:
    return state.status is not Status.UNKNOWN or state.blind >= BLIND_AFTER
