"""Whose result is whose: the results of many runs, sorted by what was checked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from checkup.model import Result, Run
from checkup.ports import Checker
from checkup.redaction import mask_address


class Track(Struct, frozen=True, kw_only=True):
    """One checker through all runs.

    Attributes:
        key: its id; for results that belong to nobody, what tells them from others.
        checker: its configuration; None for the results of another configuration.
        results: one per run, oldest first; None where a run has none of it.
    """

    key: str
    checker: Checker | None
    results: tuple[Result | None, ...]

    @property
    def newest(self) -> Result | None:
        """The last result there is."""
        return next((result for result in reversed(self.results) if result is not None), None)


def tracks(checkers: Sequence[Checker], runs: Sequence[Run]) -> tuple[Track, ...]:
    """Return one track per public checker, in the order of the configuration.

    A result belongs to the checker whose id it carries. One without an id was written by the
    Go program and belongs to the checker with its title, and of several such to the one with
    its endpoint as well; if even those are several, they follow each other as in the file.

    Results that belong to nobody are of removed checkers and are left out. If no result
    belongs to anybody, the runs were made by another configuration and are all shown, unless
    a checker is hidden or renamed: then a forgotten name may be one that must not be seen.
    """
    owners = _Owners(checkers)
    assigned = [dict(owners.assign(run.results)) for run in runs]
    configured = [checker.id for checker in checkers]
    known = any(key in run for run in assigned for key in configured)
    discreet = any(checker.hidden or checker.public_name for checker in checkers)
    shown: list[tuple[str, Checker | None]] = [
        (checker.id, checker) for checker in checkers if not checker.hidden
    ]
    if not known and not discreet:
        strangers = dict.fromkeys(key for run in reversed(assigned) for key in run)
        shown += [(key, None) for key in strangers]
    return tuple(
        Track(key=key, checker=checker, results=tuple(run.get(key) for run in assigned))
        for key, checker in shown
    )


class _Owners:
    """The checkers by what their results can be recognised by."""

    def __init__(self, checkers: Iterable[Checker]) -> None:
        self._ids: set[str] = set()
        self._by_title: dict[str, list[str]] = {}
        self._by_place: dict[tuple[str, str], list[str]] = {}
        for checker in checkers:
            self._ids.add(checker.id)
            self._by_title.setdefault(checker.title, []).append(checker.id)
            for endpoint in {checker.endpoint, mask_address(checker.endpoint)}:
                self._by_place.setdefault((checker.title, endpoint), []).append(checker.id)

    def assign(self, results: Iterable[Result]) -> Iterator[tuple[str, Result]]:
        """Yield each result of one run with the key of its owner."""
        taken: set[str] = set()
        for result in results:
            owner = self._owner(result, taken)
            if owner is None:
                yield "\0".join((result.id or result.title, result.endpoint)), result
            else:
                taken.add(owner)
                yield owner, result

    def _owner(self, result: Result, taken: set[str]) -> str | None:
        if result.id:
            return result.id if result.id in self._ids else None
        candidates = self._by_title.get(result.title, [])
        if len(candidates) > 1:
            candidates = self._by_place.get((result.title, result.endpoint), [])
        return next((owner for owner in candidates if owner not in taken), None)
