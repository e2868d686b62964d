"""Runs that this process has stored: they never change, so they need not be read again."""

from __future__ import annotations

from checkup.model import Run
from checkup.runfile import RUNS_PREFIX, key_time, run_key

_CACHED_RUNS = 50


class RunCache:
    """The last runs of one process, by key."""

    def __init__(self) -> None:
        self._runs: dict[str, Run] = {}

    def add(self, run: Run) -> None:
        """Remember a run as it is stored, and forget the oldest of many."""
        self._runs[run_key(run)] = run
        for key in list(self._runs)[:-_CACHED_RUNS]:
            del self._runs[key]

    def get(self, key: str) -> Run | None:
        """Return the run, or None if it is not remembered."""
        return self._runs.get(key)

    def one_each(self, cursor: str, last: Run, interval: int) -> list[Run] | None:
        """Return a run for each slot after the cursor; None if one of them is not remembered.

        Where one schedule starts all runs, there are then no others between.

        Args:
            interval: from slot to slot, in nanoseconds.
        """
        closed = key_time(cursor)
        if closed is None or interval <= 0 or (last.slot - closed) // interval > _CACHED_RUNS:
            return None
        slots = range(closed + interval, last.slot + 1, interval)
        runs = [self._runs.get(f"{RUNS_PREFIX}{Run(slot=slot, results=()).name}") for slot in slots]
        found = [run for run in runs if run is not None]
        return found if found and len(found) == len(runs) and found[-1].slot == last.slot else None
