"""Stored runs that have still to be folded into the history."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice, takewhile
from typing import Final

from msgspec import Struct

from checkup.errors import StorageError
from checkup.model import SECOND, Result, Run
from checkup.ports import Storage
from checkup.runfile import RUNS_PREFIX, decode_results, key_time

_log = logging.getLogger(__name__)

MAX_CLOCK_SKEW: Final = 900 * SECOND
"""After this time a run comes too late to count, where no state says so already; and one that
cannot be read does not hold back those after it any longer."""

BATCH: Final = 500
"""Runs that are folded in one go."""

Known = Mapping[str, tuple[Result, ...] | None]
"""The results of runs by key; None for one that is unreadable."""


class PendingRuns(Struct, frozen=True, kw_only=True):
    """The next runs.

    Attributes:
        last: the key of the last of them, readable or not; empty if there are none.
        keys: how many they are, the unreadable ones included.
        more: whether there may be others after them.
    """

    runs: tuple[Run, ...]
    last: str
    keys: int
    more: bool


def settled_key(cursor: str, now: int) -> str:
    """Return the key up to which no run can come any more.

    Args:
        cursor: up to which the state between runs is closed; empty if there is none.
    """
    return max(cursor, f"{RUNS_PREFIX}{max(0, now - MAX_CLOCK_SKEW):019d}")


def pending(
    storage: Storage, listed: Iterable[str], end: str, regions: Sequence[str], known: Known
) -> PendingRuns:
    """Return the runs after the cursor, in order and a limited number of them.

    Args:
        listed: the keys after the cursor.
        end: the last key.
        known: runs that need not be read.

    Raises:
        StorageError: they could not be listed, or one of the last could not be read.
    """
    keys = list(islice(takewhile(lambda key: key <= end, listed), BATCH))
    more = len(keys) == BATCH
    if more:
        keys = _whole_slots(keys, len(regions))
    runs = (_run(storage, key, regions, known) for key in keys)
    return PendingRuns(
        runs=tuple(run for run in runs if run is not None),
        last=keys[-1] if keys else "",
        keys=len(keys),
        more=more,
    )


def _whole_slots(keys: list[str], regions: int) -> list[str]:
    """Leave out the last keys that may be of a slot that goes on after them."""
    limit = (key_time(keys[-1]) or 0) - regions
    return [key for key in keys if (key_time(key) or 0) <= limit] or keys


def _run(storage: Storage, key: str, regions: Sequence[str], known: Known) -> Run | None:
    moment = key_time(key)
    results = known[key] if key in known else _results(storage, key)
    if moment is None or results is None:
        return None
    region = results[0].region if results else ""
    position = regions.index(region) if region in regions else 0
    return Run(slot=moment - position, results=results, region=region, position=position)


def _results(storage: Storage, key: str) -> tuple[Result, ...] | None:
    try:
        stored = storage.get(key)
        return None if stored is None else decode_results(stored.body)
    except StorageError as error:
        if storage.clock() - (key_time(key) or 0) < MAX_CLOCK_SKEW:
            raise
        _log.warning("%s is left out of the history: %s", key, error)
        return None
    except ValueError as error:
        _log.warning("%s is left out of the history: %s", key, error)
        return None
