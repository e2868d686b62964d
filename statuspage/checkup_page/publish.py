"""The sequences: read, compose, render, put in place."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from itertools import takewhile

from checkup.alerting.state import BLIND_AFTER, CheckerState
from checkup.config.settings import Config
from checkup.errors import StorageError
from checkup.model import Result, Run, Status
from checkup.ports import PageFile, Publisher, Storage
from checkup.protocol import read_head
from checkup.runfile import RUNS, decode, slot_of
from checkup_page.component import Standing
from checkup_page.compose import Observed, compose
from checkup_page.freshness import AHEAD
from checkup_page.recent import COLUMNS
from checkup_page.render import render

ReadRuns = MutableMapping[str, tuple[Result, ...] | None]
"""Runs that were read before, by key; None for one that is unreadable. Runs never change."""


def publish(
    config: Config,
    storage: Storage,
    publisher: Publisher,
    now_ns: int,
    *,
    read: ReadRuns | None = None,
) -> Sequence[str]:
    """Build the page, put it in its place and return the paths that changed.

    Raises:
        StorageError: the runs could not be read; the page stays as it is.
        PublishError: the page could not be written.
    """
    return publisher.publish(build(config, storage, now_ns, read=read))


def build(
    config: Config, storage: Storage, now_ns: int, *, read: ReadRuns | None = None
) -> dict[str, PageFile]:
    """Return the files of the page by their paths.

    Args:
        config: the checkers and the page's settings.
        storage: where runs and state are.
        now_ns: the present, in nanoseconds since the epoch.
        read: kept by a caller who builds again and again, so that no run is read twice.

    Raises:
        StorageError: the runs could not be read.
    """
    keys = _newest_keys(storage, now_ns - config.page.timeframe, now_ns)
    read = {} if read is None else read
    _forget(read, keys)
    for key in keys:
        if key not in read:
            read[key] = _read(storage, key)
    runs = tuple(_runs(keys, read))
    observed = Observed(
        runs=runs,
        standings=_standings(storage, keys),
        unreadable=len(keys) - len(runs),
    )
    return render(compose(config, observed, now_ns))


def _newest_keys(storage: Storage, since: int, now: int) -> list[str]:
    """Return the keys of the newest runs since then; if there are none, of the newest of all.

    A run of the future was stored by a clock that is wrong: it would look new for ever.
    """
    before = f"{RUNS}{now + AHEAD:019d}-"
    for after in (f"{RUNS}{max(0, since):019d}", ""):
        past = takewhile(lambda key: key < before, storage.list(RUNS, after))
        keys = list(deque(past, maxlen=COLUMNS))
        if keys:
            return keys
    return []


def _forget(read: ReadRuns, keys: Iterable[str]) -> None:
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


def _runs(keys: Iterable[str], read: ReadRuns) -> Iterable[Run]:
    for key in keys:
        slot, results = slot_of(key), read[key]
        if slot is not None and results is not None:
            yield Run(slot=slot, results=results)


def _standings(storage: Storage, keys: Sequence[str]) -> Mapping[str, Standing]:
    """Return what the state between runs says, if it is there and follows the runs.

    A head that ends before the oldest of these runs is no longer kept up by anybody. One that
    cannot be read is repaired by the next run; until then the runs speak for themselves.
    """
    try:
        head = read_head(storage)
    except StorageError:
        return {}
    if not keys or head.cursor < keys[0]:
        return {}
    return {
        checker: Standing(
            Status.UNKNOWN if state.blind >= BLIND_AFTER else state.status, state.since
        )
        for checker, state in head.checkers.items()
        if _is_settled(state)
    }


def _is_settled(state: CheckerState) -> bool:
    return state.status is not Status.UNKNOWN or state.blind >= BLIND_AFTER
