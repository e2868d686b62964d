"""Where to begin when the history has to be counted again from the runs that are kept."""

from __future__ import annotations

from checkup.archive.stored import load
from checkup.history.documents import HOURS, HoursOfDay, hours_key
from checkup.history.head import DayStart, HistoryState
from checkup.history.periods import day_start, parse_date
from checkup.ports import Storage
from checkup.runfile import RUNS_PREFIX, key_time


def rebuild_start(storage: Storage) -> HistoryState | None:
    """Return the head to begin with; None if no day is left whose runs are all kept.

    That is the beginning of the first such day. Days before it stay as they are: their runs are
    gone. Without any history it is the first run.

    Raises:
        StorageError: the storage failed.
    """
    first = _first_run(storage)
    keys = list(storage.list(HOURS))
    if not keys or first is None:
        return None if keys else HistoryState()
    for key in keys:
        opening = _opening(storage, key) if key >= hours_key(day_start(first)) else None
        if opening is not None and first <= opening.first_run:
            return _head(opening, parse_date(key.removeprefix(HOURS).removesuffix(".json")))
    return None


def _first_run(storage: Storage) -> int | None:
    slots = (key_time(key) for key in storage.list(RUNS_PREFIX))
    return next((slot for slot in slots if slot is not None), None)


def _opening(storage: Storage, key: str) -> DayStart | None:
    document = load(storage, key, HoursOfDay)
    return document.opening if document else None


def _head(opening: DayStart, day: int) -> HistoryState:
    return HistoryState(
        cursor=f"{RUNS_PREFIX}{day:019d}",
        hour=day if opening.accounts else 0,
        accounts=opening.accounts,
        inconclusive=opening.inconclusive,
    )
