"""Keeping the history in a storage, and reading it.

Whoever builds the page first folds the runs that have come since the last time. Hours and days
that are over are written before the head that has passed them, so a process that is killed
between leaves nothing but work that the next one does again, to the same bytes. Two processes at
once write the same, and one of their heads wins.
"""

from __future__ import annotations

from checkup.archive.chronicles import CheckerHistories
from checkup.archive.keeping import HistoryStore, HistoryUpdate
from checkup.archive.listing import RunListing
from checkup.archive.pending import settled_key
from checkup.archive.reading import Days, MonthCache, read_days
from checkup.archive.setting import setting_of

__all__ = [
    "CheckerHistories",
    "Days",
    "HistoryStore",
    "HistoryUpdate",
    "MonthCache",
    "RunListing",
    "read_days",
    "setting_of",
    "settled_key",
]
