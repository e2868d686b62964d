"""The newest runs, which the page shows one by one; none is read twice."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct, field

from checkup.archive import RunListing
from checkup.config.settings import Config
from checkup.model import Result, Run
from checkup.ports import Storage
from checkup.runfile import decode_results, key_time
from checkup_page.components.recent import COLUMNS
from checkup_page.freshness import MAX_CLOCK_SKEW


class RecentRuns(Struct):
    """The newest runs of one storage, for as long as a process lives.

    Attributes:
        listing: what there was when they were last looked for.
        read: their results by key; None for one that is unreadable. Runs never change.
    """

    listing: RunListing = RunListing("", ())
    read: dict[str, tuple[Result, ...] | None] = field(default_factory=dict)

    def look(self, config: Config, storage: Storage, now: int) -> None:
        """List the newest runs, and read those that are new.

        Raises:
            StorageError: they could not be read.
        """
        self.listing = _list(config, storage, now)
        keys = self.keys
        self.read = {
            key: self.read[key] if key in self.read else _results(storage, key) for key in keys
        }

    @property
    def keys(self) -> tuple[str, ...]:
        """Their keys, in order, readable or not."""
        return self.listing.keys[-COLUMNS:]

    @property
    def position(self) -> int:
        """The slot of the last one; 0 if there is none."""
        return key_time(self.keys[-1]) or 0 if self.keys else 0

    @property
    def runs(self) -> tuple[Run, ...]:
        """Those that are readable."""
        return tuple(self._runs())

    def _runs(self) -> Iterator[Run]:
        for key in self.keys:
            slot, results = key_time(key), self.read[key]
            if slot is not None and results is not None:
                yield Run(slot=slot, results=results)


def _list(config: Config, storage: Storage, now: int) -> RunListing:
    """List the runs of the time frame; if there are none, the newest ones.

    The time in which as many as are shown should lie is listed first, for listing costs. A run
    of the future was stored by a clock that is wrong: it would look new for ever.
    """
    since = max(0, now - config.page.timeframe)
    likely = max(since, now - 2 * COLUMNS * config.interval)
    for start, enough in ((likely, COLUMNS), (since, 1)):
        listing = RunListing.since(storage, start, now + MAX_CLOCK_SKEW)
        if len(listing.keys) >= enough:
            return listing
    return RunListing.since(storage, 0, now + MAX_CLOCK_SKEW)


def _results(storage: Storage, key: str) -> tuple[Result, ...] | None:
    """Return a run's results; None if it is gone by now or is no check file."""
    stored = storage.get(key)
    if stored is None:
        return None
    try:
        return decode_results(stored.body)
    except ValueError:
        return None
