"""What the page knows of days gone by: the history, brought up to date and read."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from checkup.archive import Days, Keeper, Months, days_until, setting_of
from checkup.config.settings import Config
from checkup.deadline import Deadline
from checkup.errors import StorageError
from checkup.model import Result
from checkup.ports import Storage
from checkup_page.recent import COLUMNS

_log = logging.getLogger(__name__)

FOLD_SECONDS: Final = 5.0
"""How long a page waits for the history to catch up with the runs; the next one goes on."""


class Past(Struct, frozen=True, kw_only=True):
    """What was counted.

    Attributes:
        days: the last ones by their beginning, oldest first, and by checker id; none as long
            as the history is still behind.
        firsts: when the first result of each checker came, by id.
    """

    days: Days
    firsts: Mapping[str, int]


class Reader(Struct, frozen=True, kw_only=True):
    """Reads the history of one storage.

    Attributes:
        known: runs that need not be read again.
        months: files that need not be read again.
    """

    config: Config
    storage: Storage
    known: Mapping[str, tuple[Result, ...] | None]
    months: Months

    def read(self, end: str, now: int) -> Past:
        """Fold the runs up to a key into the history, and return the last days.

        A history that cannot be read does not take the page away.
        """
        keeper = Keeper(
            storage=self.storage, setting=setting_of(self.config), end=end, known=self.known
        )
        try:
            kept = keeper.keep_up(Deadline.after(FOLD_SECONDS))
            days = days_until(self.storage, kept.head, now, COLUMNS, self.months)
        except StorageError as error:
            _log.warning("the page is without its history: %s", error)
            return Past(days={}, firsts={})
        firsts = {name: account.first for name, account in kept.head.accounts.items()}
        return Past(days={} if kept.behind else days, firsts=firsts)
