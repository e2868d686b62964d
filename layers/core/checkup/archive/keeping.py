"""The sequence that keeps the history: read what has come, fold it, write it down."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Final, NamedTuple

from msgspec import Struct, field
from msgspec.structs import replace

from checkup.archive.beginning import rebuild_start
from checkup.archive.closing import save_closed
from checkup.archive.listing import RunListing
from checkup.archive.pending import Known, pending
from checkup.archive.stored import decoded, save
from checkup.archive.years import reset_year
from checkup.deadline import Deadline
from checkup.errors import DocumentChangedError, DocumentExistsError, StorageError
from checkup.history.documents import HISTORY_KEY, encode
from checkup.history.fold import EvaluationRules, apply_runs
from checkup.history.head import ClosedPeriods, HistoryState
from checkup.ports import Storage, StoredDocument
from checkup.runfile import RUNS_PREFIX
from checkup.storage.quarantine import quarantine

_log = logging.getLogger(__name__)

MAX_LAG: Final = 30
"""Runs that the stored head may be behind, within an hour: writing costs more than folding a few
runs again, which a page has read anyway."""

TRIES: Final = 8
"""Attempts to write the head; one of several competing writers always succeeds."""


class LoadedHistoryState(NamedTuple):
    """A head, and what it was read from; None if there was nothing."""

    head: HistoryState
    stored: StoredDocument | None


class HistoryUpdate(Struct, frozen=True, kw_only=True):
    """The history after a fold.

    Attributes:
        runs: how many were folded by this call.
        behind: there are more, for the next call.
    """

    head: HistoryState
    runs: int = 0
    behind: bool = False


class HistoryStore(Struct, frozen=True, kw_only=True):
    """Keeps the history of one storage.

    Attributes:
        end: the last key to fold; see :func:`checkup.archive.pending.settled_key`.
        known: runs that need not be read.
        listing: runs that need not be listed.
        lag: with fewer new runs than this, and nothing closed by them, nothing is written.
    """

    storage: Storage
    setting: EvaluationRules
    end: str
    known: Known = field(default_factory=dict)
    listing: RunListing | None = None
    lag: int = MAX_LAG

    def keep_up(self, life: Deadline) -> HistoryUpdate:
        """Fold the runs that have come since the last time.

        A storage that fails, or that cannot be written, leaves the history where it was.

        Args:
            life: when to stop, even if there is more to fold; the next call goes on.

        Raises:
            StorageError: not even the head could be read.
        """
        current = _open(self.storage)
        try:
            return self._fold(current, life)
        except StorageError as error:
            _log.warning("the history is not up to date: %s", error)
            return HistoryUpdate(head=current.head)

    def rebuild(self, life: Deadline) -> HistoryUpdate | None:
        """Count again every day whose runs are all kept; None if there is no such day.

        Days before the first of them stay as they are. It may be interrupted at any moment:
        whoever keeps up next goes on.

        Raises:
            StorageError: the storage failed.
        """
        head = rebuild_start(self.storage)
        if head is None:
            return None
        reset_year(self.storage)
        stored = save(self.storage, HISTORY_KEY, self.storage.get(HISTORY_KEY), encode(head))
        kept = self._fold(LoadedHistoryState(head, stored), life)
        reset_year(self.storage)  # a page may have made it meanwhile, of the old days
        return kept

    def _fold(self, current: LoadedHistoryState, life: Deadline) -> HistoryUpdate:
        """Fold and write; begin again with what somebody else has written meanwhile."""
        for _ in range(TRIES):
            try:
                return self._fold_from(current, life)
            except (DocumentChangedError, DocumentExistsError) as error:
                _log.info("folding again: %s", error)
                current = _open(self.storage)
        raise StorageError(
            f"{HISTORY_KEY}: others were faster {TRIES} times; the next call goes on"
        )

    def _fold_from(self, current: LoadedHistoryState, life: Deadline) -> HistoryUpdate:
        runs = 0
        while True:
            head, stored = current
            regions = self.setting.voters
            listed = self._after(head.cursor)
            found = pending(self.storage, listed, self.end, regions, self.known)
            head, closed = apply_runs(head, found.runs, self.setting)
            head = replace(head, cursor=max(head.cursor, found.last))
            runs += len(found.runs)
            if found.keys < self.lag and closed == ClosedPeriods():
                return HistoryUpdate(head=head, runs=runs)
            # The head comes last: whoever finds it has what it has passed.
            save_closed(self.storage, closed)
            current = LoadedHistoryState(
                head, save(self.storage, HISTORY_KEY, stored, encode(head))
            )
            if not found.more or life.left() <= 0:
                return HistoryUpdate(head=head, runs=runs, behind=found.more)

    def _after(self, cursor: str) -> Iterable[str]:
        known = self.listing.after(cursor) if self.listing else None
        return self.storage.list(RUNS_PREFIX, cursor) if known is None else known


def _open(storage: Storage) -> LoadedHistoryState:
    """Return the head to go on from; a new one if there is none to read."""
    stored = storage.get(HISTORY_KEY)
    head = None if stored is None else decoded(HISTORY_KEY, stored, HistoryState)
    if head is None and stored is not None:
        quarantine(storage, stored.body)
    return LoadedHistoryState(head or rebuild_start(storage) or HistoryState(), stored)
