"""The stored runs: written once, listed by key, read in order and deleted when they expire.

A run never changes once it is stored, so whatever this process has written or decoded need not be
read again.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice, takewhile
from typing import Final, NamedTuple, Self

from msgspec import Struct, field

from checkup.deadline import Deadline
from checkup.errors import DocumentExistsError, StorageError
from checkup.interfaces import BulkDelete, ConcurrentReads, Storage
from checkup.model import (
    LATE_PREFIX,
    RUNS_PREFIX,
    Result,
    Run,
    decode_results,
    encode_results,
    key_time,
    run_key,
)
from checkup.times import DAY, HOUR, SECOND

_log = logging.getLogger(__name__)

MAX_CLOCK_SKEW: Final = 900 * SECOND
"""How far in the storage's future a run may lie and still be applied, and how long a run that
cannot be read holds back those after it. Beyond it is a wrong clock, or a broken file."""

BATCH: Final = 500
"""Runs that are applied in one go, at most."""

RECENT: Final = 100
"""Runs that a lost state is rebuilt from."""

READ_AHEAD: Final = 10
"""Runs per thread that are read before they are asked for."""

CACHED_RUNS: Final = 50
"""Decoded runs that one process keeps."""

MAX_LISTED: Final = 1_000
"""Keys that a listing of the newest runs keeps, for listing costs as much as writing."""

_REPLACED: Final = rb"\ufffd"
"""What half a surrogate pair is stored as: the results that are read differ from those written."""

RETENTION_INTERVAL: Final = HOUR
"""How often expired runs are deleted, by whichever run comes next."""

MAX_DELETIONS: Final = 1000
"""Files that one run deletes from a folder at most; the rest is for the next time."""

MAX_DELETED_SHARE: Final = 0.2
"""The part of all runs that may be deleted after a pause that is longer than runs are kept."""


class RunNotStoredError(StorageError):
    """A run could not be stored or applied.

    Attributes:
        run: the results, which are nowhere else.
    """

    def __init__(self, run: Run, sentence: str) -> None:
        super().__init__(sentence)
        self.run = run


class StoredRun(Struct, frozen=True, kw_only=True):
    """What is stored under a slot after a run was written.

    Attributes:
        run: the run of that slot; None if an unreadable file was there first.
        late: the slot was closed already, so the run is not applied.
    """

    run: Run | None
    late: bool


class RunBatch(NamedTuple):
    """Some runs, in order; of each slot all that are stored, or none.

    Attributes:
        more: there may be others after them.
        last: the key of the last of them, readable or not; empty if there are none.
        keys: how many they are, the unreadable ones included.
    """

    runs: list[Run]
    more: bool
    last: str
    keys: int


class RunCache:
    """The last runs of one process, by key."""

    def __init__(self) -> None:
        self._runs: dict[str, Run] = {}

    def add(self, run: Run) -> None:
        """Remember a run as it is stored, and forget the oldest of many."""
        self._runs[run_key(run)] = run
        for key in list(self._runs)[:-CACHED_RUNS]:
            del self._runs[key]

    def get(self, key: str) -> Run | None:
        """Return the run, or None if it is not remembered."""
        return self._runs.get(key)

    def consecutive(self, cursor: str, last: Run, interval: int) -> list[Run] | None:
        """Return a run for each slot after the cursor; None if one of them is not remembered.

        Where one schedule starts all runs, there are then no others between.

        Args:
            interval: from slot to slot, in nanoseconds.
        """
        closed = key_time(cursor)
        if closed is None or interval <= 0 or (last.slot - closed) // interval > CACHED_RUNS:
            return None
        slots = range(closed + interval, last.slot + 1, interval)
        runs = [
            self._runs.get(f"{RUNS_PREFIX}{Run(slot=slot, results=()).file_name}") for slot in slots
        ]
        found = [run for run in runs if run is not None]
        return found if found and len(found) == len(runs) and found[-1].slot == last.slot else None


class RunListing(Struct, frozen=True):
    """The newest runs of a storage.

    Attributes:
        start: every key after it is among ``keys``.
        keys: in order.
    """

    start: str
    keys: tuple[str, ...]

    @classmethod
    def since(cls, storage: Storage, since: int, before: int) -> Self:
        """List the runs of a period, given by its start and end; of very many only the newest.

        Raises:
            StorageError: it could not be listed.
        """
        start, end = (f"{RUNS_PREFIX}{at:019d}" for at in (since, before))
        listed = takewhile(lambda key: key < end, storage.list(RUNS_PREFIX, start))
        keys = tuple(deque(listed, MAX_LISTED))
        return cls(start if len(keys) < MAX_LISTED else keys[0], keys)

    def after(self, key: str) -> Iterable[str] | None:
        """Return the keys after this one, or None if they are not all known."""
        return (other for other in self.keys if other > key) if key >= self.start else None


Known = Mapping[str, tuple[Result, ...] | None]
"""The results of runs by key; None for one that is unreadable."""


class RunStore(Struct, frozen=True):
    """The stored runs of one storage.

    Attributes:
        regions: those that vote, in the order of the configuration; their number in it is part of
            a run's key.
        cache: runs that this process has written, which need not be read.
        known: results that need not be read.
        listing: keys that need not be listed.
    """

    storage: Storage
    regions: Sequence[str] = ()
    cache: RunCache = field(default_factory=RunCache)
    known: Known = {}
    listing: RunListing | None = None

    def write(self, run: Run, cursor: str) -> StoredRun:
        """Store a run under its slot, where it can never change again, and keep it in the cache.

        If there is one already (the same event came twice, or an answer was lost), that one counts.
        A slot that is closed already is left as it is, and the run is kept apart as evidence.

        Args:
            cursor: the key up to which slots are closed.

        Raises:
            StorageError: the run could not be stored.
        """
        key, body = run_key(run), encode_results(run.results)
        late = key <= cursor
        is_apart = late and self.storage.get(key) is None
        target = LATE_PREFIX + run.file_name if is_apart else key
        try:
            found = _create(self.storage, target, body)
        except StorageError as error:
            _log.info("storing %s once more: %s", target, error)
            found = _create(self.storage, target, body)
        if found == body and _REPLACED not in body:
            stored: Run | None = _run_of(target, run.results, self.regions)
        else:
            stored = _decoded(target, found, self.regions)
        if stored is not None and not is_apart:
            self.cache.add(stored)
        return StoredRun(run=stored, late=late)

    def create(self, run: Run) -> None:
        """Store a run under its slot and read nothing; one that is there already stays.

        Raises:
            StorageError: it could not be stored.
        """
        try:
            self.storage.create(run_key(run), encode_results(run.results))
        except DocumentExistsError:
            _log.info("%s is there already", run.file_name)

    def get(self, key: str) -> Run | None:
        """Return one run; None if there is none, or none that can be read.

        Raises:
            StorageError: the storage failed, and the run is recent.
        """
        cached = self.cache.get(key)
        if cached is not None:
            return cached
        if key in self.known:
            results = self.known[key]
            return None if results is None else _run_of(key, results, self.regions)
        try:
            stored = self.storage.get(key)
        except StorageError as error:
            if self.storage.now_ns() - _time_of(key) < MAX_CLOCK_SKEW:
                raise
            _log.warning("%s is left out: %s", key, error)
            return None
        return None if stored is None else _decoded(key, stored.body, self.regions)

    def after(self, cursor: str, until: str = "") -> RunBatch:
        """Return the next runs after the cursor, a limited number of them.

        Args:
            until: the last key; by default that of a run a little ahead of the storage's clock.

        Raises:
            StorageError: as for :meth:`get`, or they could not be listed.
        """
        read: list[tuple[str, Run | None]] = []
        readable = 0
        for key in self._keys(cursor, until or self._horizon(MAX_CLOCK_SKEW)):
            read.append((key, self.get(key)))
            readable += read[-1][1] is not None
            if readable == BATCH:
                break
        more = readable == BATCH
        if more and len(self.regions) > 1 and (last := read[-1][1]) is not None:
            # A region's run of the last slot may be the next one to read.
            read = [(key, run) for key, run in read if _time_of(key) < last.slot] or read
        runs = [run for _, run in read if run is not None]
        return RunBatch(runs, more, last=read[-1][0] if read else "", keys=len(read))

    def latest(self, count: int = RECENT) -> tuple[str, list[Run]]:
        """Return the last runs of the day, in order, and the key after which they begin.

        There may be years of runs before them, too many to list.
        """
        after = self._day_start()
        read = map(self.get, deque(self._keys(after, self._horizon(MAX_CLOCK_SKEW)), count))
        return after, [run for run in read if run is not None]

    def newest(self, count: int, since: int) -> list[Run]:
        """Return the last runs since a time, in order; at most ``count``."""
        start = run_key(Run(slot=max(0, since), results=()))
        keys = self._keys(start, self._horizon(MAX_CLOCK_SKEW))
        return [run for run in map(self.get, deque(keys, count)) if run is not None]

    def since(self, since: int) -> Iterator[Run]:
        """Yield the runs since a time, in order; a few are read ahead where that saves waiting."""
        start = run_key(Run(slot=max(0, since), results=()))
        keys = self._keys(start, self._horizon(MAX_CLOCK_SKEW))
        read = (
            _read_ahead(self.get, keys, self.storage.max_concurrent_reads)
            if isinstance(self.storage, ConcurrentReads)
            else map(self.get, keys)
        )
        yield from (run for run in read if run is not None)

    def newest_key(self) -> str:
        """Return the key of the newest run that is not in the future, or one that is below all."""
        after = self._day_start()
        return max(self._keys(after, self._horizon(0)), default=after)

    def _day_start(self) -> str:
        """Return the key after which the last day begins; empty if nothing is stored after it."""
        after = run_key(Run(slot=max(0, self.storage.now_ns() - DAY), results=()))
        return "" if next(self.storage.list(RUNS_PREFIX), after) >= after else after

    def _keys(self, after: str, until: str) -> Iterator[str]:
        """Yield the keys after one, up to another."""
        listed = self.listing.after(after) if self.listing else None
        if listed is None:
            listed = self.storage.list(RUNS_PREFIX, after)
        return takewhile(lambda key: key <= until, listed)

    def _horizon(self, ahead: int) -> str:
        """Return the last key up to some nanoseconds in the storage's future."""
        return run_key(Run(slot=self.storage.now_ns() + ahead, results=()))


def settled_key(cursor: str, now: int) -> str:
    """Return the key up to which no run can come any more.

    Args:
        cursor: up to which the state between runs is closed; empty if there is none.
    """
    return max(cursor, f"{RUNS_PREFIX}{max(0, now - MAX_CLOCK_SKEW):019d}")


def _read_ahead(
    read: Callable[[str], Run | None], keys: Iterator[str], threads: int
) -> Iterator[Run | None]:
    """Yield what is read under the keys, in order, many of them at once."""
    from concurrent.futures import ThreadPoolExecutor  # runs never need it

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


def _decoded(key: str, body: bytes, regions: Sequence[str]) -> Run | None:
    try:
        return _run_of(key, decode_results(body), regions)
    except ValueError as error:
        _log.warning("%s is left out: %s", key, error)
        return None


def _run_of(key: str, results: tuple[Result, ...], regions: Sequence[str]) -> Run:
    """Return the run of these results; its region is the one that the first of them names."""
    region = results[0].region if results else ""
    position = regions.index(region) if region in regions else 0
    return Run(slot=_time_of(key) - position, results=results, region=region, region_index=position)


def _time_of(key: str) -> int:
    """Return the nanoseconds in the key; 0 for one that names no run."""
    return key_time(key) or 0


# Retention.


def is_retention_due(last: int, retention: int, now: int) -> bool:
    """Say whether it is time to delete old runs; a clock that was ahead does not put it off."""
    return retention > 0 and abs(now - last) >= RETENTION_INTERVAL


def delete_expired_runs(storage: Storage, cursor: str, retention: int, deadline: Deadline) -> None:
    """Delete what is older than the retention; a failure is logged and tried again later.

    Age is measured by the storage's clock or the slot of the last applied run, whichever is
    earlier, and only applied runs are deleted: one wrong clock deletes nothing that is needed. If
    both are wrong, many runs before a long pause would expire at once; these are kept.

    Args:
        cursor: the key of the last applied run.
        retention: how long runs are kept, in nanoseconds.
        deadline: when to stop; the next call goes on.
    """
    last = key_time(cursor) or 0
    oldest = min(storage.now_ns(), last) - retention
    limit = Run(slot=max(0, oldest), results=()).file_name
    try:
        if _is_clock_jump(storage, RUNS_PREFIX + limit, retention):
            _log.error(
                "%s of the stored runs and more are older than check_expiry, after a pause as "
                "long as that; if the clock is right, delete them by hand",
                f"{MAX_DELETED_SHARE:.0%}",
            )
            return
        for folder in (RUNS_PREFIX, LATE_PREFIX):
            _delete_before(storage, folder, limit, deadline)
    except StorageError as error:
        _log.warning("old runs are still there: %s", error)


def _is_clock_jump(storage: Storage, limit: str, retention: int) -> bool:
    """Say whether many runs would expire at once because a clock seems to have jumped ahead."""
    old = list(takewhile(lambda key: key < limit, storage.list(RUNS_PREFIX)))
    if not old:
        return False
    first = next(storage.list(RUNS_PREFIX, limit), "")
    pause = (key_time(first) or 0) - (key_time(old[-1]) or 0)
    if pause <= retention:
        return False
    kept = sum(1 for _ in storage.list(RUNS_PREFIX, limit))
    return len(old) > MAX_DELETED_SHARE * (len(old) + kept)


def _delete_before(storage: Storage, folder: str, limit: str, deadline: Deadline) -> None:
    old = takewhile(lambda key: key < folder + limit, storage.list(folder))
    keys = list(islice(old, MAX_DELETIONS))
    if isinstance(storage, BulkDelete) and deadline.remaining() > 0:
        storage.delete_all(keys)
        return
    for key in keys:
        if deadline.remaining() <= 0:
            break
        storage.delete(key)
