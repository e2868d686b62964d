"""Keys of runs that have just been listed: listing costs as much as writing."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import takewhile
from typing import Final, Self

from msgspec import Struct

from checkup.ports import Storage
from checkup.runfile import RUNS_PREFIX

_KEPT: Final = 1_000


class RunListing(Struct, frozen=True):
    """The newest runs of a storage.

    Attributes:
        start: every key after it is among ``keys``.
        keys: in order.
    """

    start: str
    keys: tuple[str, ...]

    @classmethod
    def since(cls, storage: Storage, moment: int, before: int) -> Self:
        """List what lies between two moments; of very many only the newest.

        Raises:
            StorageError: it could not be listed.
        """
        start, end = (f"{RUNS_PREFIX}{at:019d}" for at in (moment, before))
        listed = takewhile(lambda key: key < end, storage.list(RUNS_PREFIX, start))
        keys = tuple(deque(listed, _KEPT))
        return cls(start if len(keys) < _KEPT else keys[0], keys)

    def after(self, key: str) -> Iterable[str] | None:
        """Return the keys after this one, or None if they are not all known."""
        return _after(self.keys, key) if key >= self.start else None


def _after(keys: Iterable[str], key: str) -> Iterator[str]:
    return (other for other in keys if other > key)
