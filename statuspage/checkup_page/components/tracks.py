"""Whose result is whose: the results of many runs, sorted by what was checked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from checkup.alerting.owners import ResultMatcher
from checkup.model import Result, Run
from checkup.ports import Checker


class CheckerResults(Struct, frozen=True, kw_only=True):
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


def results_by_checker(
    checkers: Sequence[Checker], runs: Sequence[Run]
) -> tuple[CheckerResults, ...]:
    """Return one track per public checker, in the order of the configuration.

    Results that belong to nobody are of removed checkers and are left out. If no result
    belongs to anybody, the runs were made by another configuration and are all shown, unless
    a checker is hidden or renamed: then a forgotten name may be one that must not be seen.
    """
    owners = ResultMatcher(checkers)
    assigned = [dict(_assigned(owners, run.results)) for run in runs]
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
        CheckerResults(key=key, checker=checker, results=tuple(run.get(key) for run in assigned))
        for key, checker in shown
    )


def scheduled_runs(runs: Iterable[Run], regions: Sequence[str]) -> tuple[Run, ...]:
    """Return the runs that count: those of the configured regions, or of the only place there is.

    Whoever adds a run to a stack by hand has something to say, and is no schedule.
    """
    voters = {*regions} or {""}
    return tuple(run for run in runs if not run.results or run.results[0].region in voters)


def _assigned(owners: ResultMatcher, results: Iterable[Result]) -> Iterator[tuple[str, Result]]:
    """Yield each result of one run with the id of its owner, or with what tells it from others."""
    for owner, result in owners.assign(results):
        stranger = "\0".join((result.id or result.title, result.endpoint))
        yield stranger if owner is None else owner, result
