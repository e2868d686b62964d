"""Keeping the history in a storage, and reading it.

Whoever builds the page first folds the runs that have come since the last time. Hours and days
that are over are written before the head that has passed them, so a process that is killed
between leaves nothing but work that the next one does again, to the same bytes. Two processes at
once write the same, and one of their heads wins.
"""

from __future__ import annotations

from checkup.archive.chronicles import Chronicles
from checkup.archive.keeping import Keeper, Kept
from checkup.archive.listing import Listing
from checkup.archive.pending import settled
from checkup.archive.reading import Days, Months, days_until
from checkup.archive.setting import setting_of

__all__ = [
    "Chronicles",
    "Days",
    "Keeper",
    "Kept",
    "Listing",
    "Months",
    "days_until",
    "setting_of",
    "settled",
]
