"""Stored runs: writing one's own, once, and reading those that have still to be folded."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice, takewhile
from typing import Final, NamedTuple

from msgspec import Struct

from checkup.errors import DocumentExistsError, StorageError
from checkup.model import SECOND, Run
from checkup.ports import ConcurrentReads, Storage
from checkup.protocol.remembered import RunCache
from checkup.runfile import (
    LATE_PREFIX,
    RUNS_PREFIX,
    decode_results,
    encode_results,
    key_time,
    run_key,
)

_log = logging.getLogger(__name__)

MAX_CLOCK_SKEW: Final = 900 * SECOND
"""How far in the storage's future a run may lie and still be folded, and how long a run that
cannot be read holds back those after it. Beyond it is a wrong clock, or a broken file."""

BATCH: Final = 500
"""Runs that are folded in one go, at most."""

RECENT: Final = 100
"""Runs that a lost head is rebuilt from."""

READ_AHEAD: Final = 10
"""Runs per thread that are read before they are asked for."""

_DAY: Final = 86_400 * SECOND


class StoredRun(Struct, frozen=True, kw_only=True):
    """What is stored under a slot, now that it has been observed.

    Attributes:
        run: what counts; None if somebody's unreadable file is there.
        late: the slot was closed already, so the run counts for nothing.
    """

    run: Run | None
    late: bool


class RunBatch(NamedTuple):
    """Some runs, in order; of each slot all that are stored, or none.

    Attributes:
        more: there may be others after them.
    """

    runs: list[Run]
    more: bool


def observe(storage: Storage, run: Run, cursor: str, regions: Sequence[str]) -> StoredRun:
    """Store a run under its slot, where it can never change again.

    If there is one already (the same event came twice, or an answer was lost), that one counts.
    A slot that is closed already is left as it is, and the run is kept apart as evidence.

    Raises:
        StorageError: the run could not be stored.
    """
    key, body = run_key(run), encode_results(run.results)
    late = key <= cursor
    target = LATE_PREFIX + run.name if late and storage.get(key) is None else key
    try:
        stored = _create(storage, target, body)
    except StorageError as error:
        _log.info("storing %s once more: %s", target, error)
        stored = _create(storage, target, body)
    return StoredRun(run=_decoded(target, stored, regions), late=late)


def put(storage: Storage, run: Run) -> None:
    """Store a run under its slot and read nothing; one that is there already stays.

    Raises:
        StorageError: it could not be stored.
    """
    try:
        storage.create(run_key(run), encode_results(run.results))
    except DocumentExistsError:
        _log.info("%s is there already", run.name)


def pending_runs(
    storage: Storage, cursor: str, regions: Sequence[str], remembered: RunCache
) -> RunBatch:
    """Return the next runs after the cursor.

    Args:
        remembered: runs that need not be read again.
    """
    horizon = storage.clock() + MAX_CLOCK_SKEW
    keys = takewhile(lambda key: _moment(key) <= horizon, storage.list(RUNS_PREFIX, cursor))
    read = (remembered.get(key) or _read(storage, key, regions) for key in keys)
    runs = list(islice((run for run in read if run is not None), BATCH))
    more = len(runs) == BATCH
    if more and len(regions) > 1:
        runs = whole_slots(runs) or runs
    return RunBatch(runs, more)


def whole_slots(runs: Sequence[Run]) -> list[Run]:
    """Leave out the last slot: a region's run of it may be the next one to read."""
    return [run for run in runs if run.slot != runs[-1].slot]


def recent_runs(
    storage: Storage, regions: Sequence[str], count: int = RECENT
) -> tuple[str, list[Run]]:
    """Return the last runs of the day, in order, and the key after which they begin.

    There may be years of runs before them, too many to list.
    """
    after, keys = _recent_keys(storage, storage.clock() + MAX_CLOCK_SKEW)
    read = (_read(storage, key, regions) for key in deque(keys, count))
    return after, [run for run in read if run is not None]


def last_key(storage: Storage) -> str:
    """Return the key of the newest run that is not in the future, or one that is below all."""
    after, keys = _recent_keys(storage, storage.clock())
    return max(keys, default=after)


def _recent_keys(storage: Storage, until: int) -> tuple[str, Iterator[str]]:
    """Return the keys of the last day up to a moment, and the key after which they begin."""
    after = run_key(Run(slot=max(0, storage.clock() - _DAY), results=()))
    if next(storage.list(RUNS_PREFIX), after) >= after:
        after = ""
    return after, takewhile(lambda key: _moment(key) <= until, storage.list(RUNS_PREFIX, after))


def runs_since(storage: Storage, since: int, regions: Sequence[str]) -> Iterator[Run]:
    """Yield the runs since a moment, in order; a few are read ahead where that saves waiting."""
    after = run_key(Run(slot=max(0, since), results=()))
    horizon = storage.clock() + MAX_CLOCK_SKEW
    keys = takewhile(lambda key: _moment(key) <= horizon, storage.list(RUNS_PREFIX, after))
    read = partial(_read, storage, regions=regions)
    ahead = _at_once(read, keys, storage.at_once) if isinstance(storage, ConcurrentReads) else None
    yield from (run for run in ahead or map(read, keys) if run is not None)


def _at_once(
    read: Callable[[str], Run | None], keys: Iterator[str], threads: int
) -> Iterator[Run | None]:
    """Yield what is read under the keys, in order, many of them at once."""
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - runs never need it

    with ThreadPoolExecutor(threads) as pool:
        while batch := list(islice(keys, READ_AHEAD * threads)):
            yield from pool.map(read, batch)


def _create(storage: Storage, key: str, body: bytes) -> bytes:
    """Return what is stored under ``key``: this, or what was there before."""
    try:
        storage.create(key, body)
    except DocumentExistsError:
        stored = storage.get(key)
        return body if stored is None else stored.body
    return body


def _read(storage: Storage, key: str, regions: Sequence[str]) -> Run | None:
    """Return the run, or None if there is none to be read there."""
    try:
        stored = storage.get(key)
    except StorageError as error:
        if storage.clock() - _moment(key) < MAX_CLOCK_SKEW:
            raise
        _log.warning("%s is left out: %s", key, error)
        return None
    return None if stored is None else _decoded(key, stored.body, regions)


def _decoded(key: str, body: bytes, regions: Sequence[str]) -> Run | None:
    """Read a run back; its region is the one that its results name."""
    try:
        results = decode_results(body)
    except ValueError as error:
        _log.warning("%s is left out: %s", key, error)
        return None
    region = results[0].region if results else ""
    position = regions.index(region) if region in regions else 0
    return Run(slot=_moment(key) - position, results=results, region=region, position=position)


def _moment(key: str) -> int:
    """Return the nanoseconds in the key; what is no run lies at the beginning of time."""
    return key_time(key) or 0
