"""The sequences: read, compose, render, put in place."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from itertools import takewhile
from typing import Any

from msgspec import Struct, field

from checkup.alerting.state import BLIND_AFTER, CheckerState, Head
from checkup.archive import settled
from checkup.config.settings import Config
from checkup.errors import StorageError
from checkup.history.periods import hour_of
from checkup.model import Result, Run, Status
from checkup.ports import Edition, PageFile, Publisher, Storage
from checkup.protocol import read_head
from checkup.runfile import RUNS, decode, slot_of
from checkup_page.announcement import Month
from checkup_page.announcement_pages import AnnouncementPages
from checkup_page.component import Standing
from checkup_page.component_pages import ComponentPages
from checkup_page.compose import Observed, component_key, compose, tell_of_month
from checkup_page.freshness import AHEAD
from checkup_page.gather import Gatherer, Seen, announced
from checkup_page.past import Known, Reader
from checkup_page.recent import COLUMNS
from checkup_page.render import render
from checkup_page.view import View


class Memory(Struct, kw_only=True):
    """What a process keeps from one page to the next, so as not to read it again.

    Attributes:
        runs: the newest ones, by key; None for one that is unreadable. Runs never change.
        past: files of closed days, and what was made of them.
        components: their pages.
        announcements: the pages of incidents, maintenance and months.
        seen: the troubles of closed days.
    """

    runs: dict[str, tuple[Result, ...] | None] = field(default_factory=dict)
    past: Known = field(default_factory=Known)
    components: ComponentPages = field(default_factory=ComponentPages)
    announcements: AnnouncementPages = field(default_factory=AnnouncementPages)
    seen: Seen = field(default_factory=Seen)


def publish(
    config: Config,
    storage: Storage,
    publisher: Publisher,
    now_ns: int,
    *,
    memory: Memory | None = None,
) -> Sequence[str]:
    """Build the page, put it in its place and return the paths that changed.

    Raises:
        StorageError: the runs could not be read; the page stays as it is.
        Overtaken: a newer page is there.
        PublishError: the page could not be written.
    """
    memory = memory or Memory()
    files = build(config, storage, now_ns, memory=memory)
    newest = slot_of(max(memory.runs, default="")) or 0
    return publisher.publish(files, Edition(position=newest, made=now_ns))


def build(
    config: Config, storage: Storage, now_ns: int, *, memory: Memory | None = None
) -> dict[str, PageFile]:
    """Fold the runs that are new into the history, and return the files of the page by path.

    Args:
        config: the checkers and the page's settings.
        storage: where runs, state and history are.
        now_ns: the present, in nanoseconds since the epoch.
        memory: kept by a caller who builds again and again.

    Raises:
        StorageError: the runs could not be read.
    """
    memory = memory or Memory()
    keys = _newest_keys(storage, config, now_ns)
    _forget(memory.runs, keys)
    for key in keys:
        if key not in memory.runs:
            memory.runs[key] = _read(storage, key)
    runs = tuple(_runs(keys, memory.runs))
    head = _head(storage)
    written = announced(storage)
    reader = Reader(
        config=config, storage=storage, announced=written, runs=memory.runs, known=memory.past
    )
    past = reader.read(settled(head.cursor, now_ns), now_ns)
    gatherer = Gatherer(
        storage=storage,
        written=written,
        head=past.head,
        months=memory.past.months,
        seen=memory.seen,
        now=now_ns,
    )
    bulletin = gatherer.bulletin()
    observed = Observed(
        runs=runs,
        standings=_standings(head, keys),
        pasts=past.pasts,
        records=past.records,
        bulletin=bulletin,
        earlier=tuple(it for it in gatherer.all_months()[::-1] if it < bulletin.months[0]),
        unreadable=len(keys) - len(runs),
    )
    views = [
        compose(config, observed, now_ns, code) for code in dict.fromkeys(config.page.languages)
    ]
    ids = {component_key(config, checker.id): checker.id for checker in config.checkers}
    chronicles = memory.past.chronicles

    def old_month(view: View, month: int) -> Month | None:
        old = gatherer.old(month)
        return tell_of_month(config, view, old) if old else None

    return {
        **memory.announcements.files(views, old_month),
        **memory.components.files(
            views,
            chronicles.until or hour_of(now_ns),
            lambda key: chronicles.of(ids.get(key, "")),
        ),
        **render(*views),
    }


def _newest_keys(storage: Storage, config: Config, now: int) -> list[str]:
    """Return the keys of the newest runs of the time frame; if there are none, of the newest ones.

    The time in which as many as are shown should lie is listed first, for listing costs. A run
    of the future was stored by a clock that is wrong: it would look new for ever.
    """
    before = f"{RUNS}{now + AHEAD:019d}-"
    since = max(0, now - config.page.timeframe)
    likely = max(since, now - 2 * COLUMNS * config.interval)
    for start, enough in ((likely, COLUMNS), (since, 1), (0, 1)):
        listed = storage.list(RUNS, f"{RUNS}{start:019d}")
        past = takewhile(lambda key: key < before, listed)
        keys = list(deque(past, maxlen=COLUMNS))
        if len(keys) >= enough:
            return keys
    return []


def _forget(read: MutableMapping[str, Any], keys: Iterable[str]) -> None:
    for key in read.keys() - set(keys):
        del read[key]


def _read(storage: Storage, key: str) -> tuple[Result, ...] | None:
    """Return a run's results; None if it is gone by now or is no check file."""
    stored = storage.get(key)
    if stored is None:
        return None
    try:
        return decode(stored.body)
    except ValueError:
        return None


def _runs(keys: Iterable[str], read: Mapping[str, tuple[Result, ...] | None]) -> Iterable[Run]:
    for key in keys:
        slot, results = slot_of(key), read[key]
        if slot is not None and results is not None:
            yield Run(slot=slot, results=results)


def _head(storage: Storage) -> Head:
    """Return the state between runs; one that cannot be read is repaired by the next run."""
    try:
        return read_head(storage)
    except StorageError:
        return Head()


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
