"""Whether the history was counted again, by what each page reads of it anyway. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from operator import sub

from msgspec import Struct

from checkup.history.head import HistoryState, OpenCounters
from checkup.history.tally import Tally

_Sums = tuple[int, ...]


class HistoryFingerprint(Struct, frozen=True):
    """What the closed hours of the open day come to: within one hour, only ``rebuild`` changes it.

    Attributes:
        hour: when the open hour began.
        sums: by checker, with when its first result came.
    """

    hour: int = 0
    sums: Mapping[str, _Sums] = {}

    @classmethod
    def of(cls, head: HistoryState) -> HistoryFingerprint:
        """Return what a head tells."""
        return cls(head.hour, {name: _closed(account) for name, account in head.accounts.items()})

    def was_other(self, before: HistoryFingerprint) -> bool:
        """Say whether the same hours were counted otherwise before; a new checker has none."""
        same_hour = before.hour == self.hour
        return same_hour and any(self.sums.get(name) != sums for name, sums in before.sums.items())


def _closed(account: OpenCounters) -> _Sums:
    return (account.first, *map(sub, _numbers(account.day), _numbers(account.hour)))


def _numbers(tally: Tally) -> _Sums:
    it = tally
    return it.healthy, it.degraded, it.down, it.unknown, it.maintenance, it.runs, it.failures
