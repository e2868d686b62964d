"""Runs folded into the history: open accounts, and what they close. Pure.

The same head and the same runs give the same bytes, in one go or in many. Runs count in the order
of their keys; one that comes after its turn never counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from msgspec import Struct

from checkup.alerting.inconclusive import discount_network_failures
from checkup.alerting.maintenance import MaintenanceWindow
from checkup.alerting.owners import ResultMatcher
from checkup.alerting.quorum import MAJORITY, apply_quorum
from checkup.history.counting import CheckerCounter
from checkup.history.head import ClosedPeriods, HistoryState, PeriodAggregate
from checkup.history.ledger import HistoryAggregator
from checkup.model import Result, Run, Status
from checkup.ports import Checker
from checkup.runfile import run_key


class EvaluationRules(Struct, frozen=True, kw_only=True):
    """What a fold has to know of the configuration.

    Attributes:
        checkers: the owners of results that carry no id.
        regions: those that vote; none configured means the one machine, which has no name.
        quorum: how many regions have to see a failure.
        references: ids of the checkers that fail only if our own network does.
        windows: maintenance.
    """

    checkers: Sequence[Checker] = ()
    regions: Sequence[str] = ()
    quorum: str = MAJORITY
    references: frozenset[str] = frozenset()
    windows: Sequence[MaintenanceWindow] = ()

    @property
    def voters(self) -> Sequence[str]:
        """The regions whose runs count."""
        return self.regions or ("",)

    @property
    def groups(self) -> Mapping[str, str]:
        """The group of each checker."""
        return {checker.id: checker.group for checker in self.checkers}


class AggregatedRuns(NamedTuple):
    """The head after a fold, and what the fold has closed."""

    head: HistoryState
    closed: ClosedPeriods


def apply_runs(head: HistoryState, runs: Iterable[Run], setting: EvaluationRules) -> AggregatedRuns:
    """Fold the runs after the head's cursor; all of a slot must be there, or none."""
    ledger, cursor = HistoryAggregator(head), head.cursor
    owners, groups = ResultMatcher(setting.checkers), setting.groups
    for slot, found in groupby(_in_order(runs, cursor), key=lambda run: run.slot):
        together = [*found]
        votes = {run.region: run for run in together if run.region in setting.voters}
        cursor = run_key(Run(slot=slot, results=(), position=len(setting.voters) - 1))
        ledger.begin_run(slot, together[0].position)
        planned = [window for window in setting.windows if window.end_at(slot)]
        for checker, (status, result) in _verdicts(votes.values(), owners, ledger, setting):
            count = ledger.counts.get(checker)
            if count is None:
                count = ledger.counts[checker] = CheckerCounter(slot)
            group = groups.get(checker, "")
            is_planned = any(window.concerns(checker, group) for window in planned)
            count.see(slot, status, result, planned=is_planned)
    return AggregatedRuns(ledger.head(cursor), ledger.closed)


def open_days(head: HistoryState, moment: int) -> Mapping[int, Mapping[str, PeriodAggregate]]:
    """Return the days that are not closed in the head, as they are at a moment; by beginning.

    There are several if nothing has been folded since the day before.
    """
    ledger = HistoryAggregator(head)
    ledger.count_until(moment)
    day, counted = ledger.open_day()
    return {**ledger.closed.days, day: counted} if head.hour else {}


def closed_before(head: HistoryState, moment: int) -> ClosedPeriods:
    """Return the hours and days that are over at a moment and not closed in the head."""
    ledger = HistoryAggregator(head)
    ledger.close_before(moment)
    return ledger.closed


def _in_order(runs: Iterable[Run], cursor: str) -> list[Run]:
    by_key = {run_key(run): run for run in runs}
    return [by_key[key] for key in sorted(by_key) if key > cursor]


def _verdicts(
    runs: Iterable[Run], owners: ResultMatcher, ledger: HistoryAggregator, setting: EvaluationRules
) -> Iterator[tuple[str, tuple[Status, Result]]]:
    """Yield what the regions agree on, for each checker that one of them looked at."""
    results: dict[str, dict[str, Result]] = {}
    for run in runs:
        row = ledger.inconclusive.pop(run.region, 0)
        weighed = discount_network_failures(owners.named(run), setting.references, row)
        if weighed.row:
            ledger.inconclusive[run.region] = weighed.row
        for result in weighed.run.results:
            if result.id:
                results.setdefault(result.id, {})[run.region] = result
    for name, votes in results.items():
        agreed = apply_quorum(tuple(votes.values()), len(setting.voters), setting.quorum)
        yield name, (agreed.status, agreed.result)
