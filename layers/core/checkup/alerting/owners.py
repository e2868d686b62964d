"""Which checker a stored result belongs to. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from checkup.model import Result, Run
from checkup.ports import Checker
from checkup.redaction import mask_address


class ResultMatcher:
    """The checkers by what their results can be recognised by.

    A result belongs to the checker whose id it carries. One without an id was written by the
    Go program and belongs to the checker with its title, and of several such to the one with
    its endpoint as well; if even those are several, they follow each other as in the file.
    """

    def __init__(self, checkers: Iterable[Checker]) -> None:
        self._ids: set[str] = set()
        self._by_title: dict[str, list[Checker]] = {}
        self._by_place: dict[tuple[str, str], list[Checker]] = {}
        for checker in checkers:
            self._ids.add(checker.id)
            self._by_title.setdefault(checker.title, []).append(checker)
        for title, several in self._by_title.items():
            for checker in several if len(several) > 1 else ():
                for endpoint in {checker.endpoint, mask_address(checker.endpoint)}:
                    self._by_place.setdefault((title, endpoint), []).append(checker)

    def named(self, run: Run) -> Run:
        """Return the run with the owner's id in each result that has none, if there is one."""
        if all(result.id for result in run.results):
            return run
        results = (
            result if result.id or owner is None else replace(result, id=owner)
            for owner, result in self.assign(run.results)
        )
        return replace(run, results=tuple(results))

    def assign(self, results: Iterable[Result]) -> Iterator[tuple[str | None, Result]]:
        """Yield each result of one run with the id of its owner; None if it has none."""
        taken: set[str] = set()
        for result in results:
            owner = self._owner(result, taken)
            if owner is not None:
                taken.add(owner)
            yield owner, result

    def _owner(self, result: Result, taken: set[str]) -> str | None:
        if result.id:
            return result.id if result.id in self._ids else None
        candidates = self._by_title.get(result.title, [])
        if len(candidates) > 1:
            candidates = self._by_place.get((result.title, result.endpoint), [])
        return next((checker.id for checker in candidates if checker.id not in taken), None)
