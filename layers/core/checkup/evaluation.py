"""From stored runs to the agreed status of each checker in a slot. Pure.

Every region stores its own run of each slot. ``closed_slots`` says which slots are complete
enough to count, and ``evaluate_slot`` what the runs of one slot show. Alerts and history both
consume its answer.

Slots close in order, so an open slot holds back those after it. A slot closes when all regions
have reported or when the others have had their time; with one region, as soon as its run is there.
A scheduled slot without any run counts as unknown time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Final, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from checkup.interfaces import Checker
from checkup.maintenance import MaintenanceWindow
from checkup.model import Result, Run, Status, key_time, run_key
from checkup.text import mask_address
from checkup.times import SECOND

MAX_INCONCLUSIVE_RUNS: Final = 3
"""Inconclusive runs in a row; the next one counts, whatever the reference targets say."""


class DiscountedRun(NamedTuple):
    """A run as it counts.

    Attributes:
        streak: inconclusive runs in a row, this one included; 0 if it is none.
        discounted: how many bad results do not count, the references' own included.
    """

    run: Run
    streak: int
    discounted: int = 0


def discount_network_failures(run: Run, references: Collection[str], row: int) -> DiscountedRun:
    """Return the run as it counts, by what its reference targets say about our own network.

    Reference targets are checkers that fail only if our own network does. A run in which all of
    them are down together with others is inconclusive, and its bad results count as unknown. That
    holds for a few runs in a row; a failure that lasts longer counts.

    Args:
        references: ids of the reference targets.
        row: inconclusive runs in a row before this one.
    """
    seen = {result.status for result in run.results if result.id in references}
    known = seen - {Status.UNKNOWN}
    if not known:
        return DiscountedRun(run, row)
    bad = [result for result in run.results if _is_bad(result)]
    if known != {Status.DOWN} or all(result.id in references for result in bad):
        return DiscountedRun(run, 0)
    if row >= MAX_INCONCLUSIVE_RUNS:
        return DiscountedRun(run, row)
    results = tuple(_unknown(result) if _is_bad(result) else result for result in run.results)
    return DiscountedRun(replace(run, results=results), row + 1, len(bad))


def _is_bad(result: Result) -> bool:
    return result.status in {Status.DOWN, Status.DEGRADED}


def _unknown(result: Result) -> Result:
    return replace(result, healthy=False, degraded=False, down=False)


class ResultMatcher:
    """Finds the checker that a stored result belongs to.

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


MAJORITY: Final = "majority"


class QuorumResult(NamedTuple):
    """What the regions agree on.

    Attributes:
        result: one of the results with this status.
        failing_regions: the regions with a failure that does not count, because too few have one.
        excluded_regions: the regions with a different configuration.
    """

    status: Status
    result: Result
    failing_regions: tuple[str, ...] = ()
    excluded_regions: tuple[str, ...] = ()


def apply_quorum(results: Sequence[Result], regions: int, quorum: str = MAJORITY) -> QuorumResult:
    """Return the status that enough regions agree on.

    Regions with an unknown result do not vote, and with too few votes the status is unknown. While
    regions have different configurations, those count that most of them have in common.

    Args:
        results: at least one.
        regions: how many regions are configured.
        quorum: how many have to see a failure: ``majority`` of those that vote, ``all`` of
            them, ``any``, or a number.
    """
    excluded = _excluded(results)
    if not excluded:
        return _agreed(results, regions, quorum)
    found = _agreed([it for it in results if it.region not in excluded], regions, quorum)
    everybody = _agreed(results, regions, quorum)
    if found.status is Status.UNKNOWN and everybody.status is not Status.UNKNOWN:
        # Whatever the other regions found, this is why the status is unknown.
        reason = replace(found.result, attempts=(), notice=_exclusion_reason(excluded))
        found = found._replace(result=reason)
    return found._replace(excluded_regions=excluded)


def is_valid_quorum(text: str) -> bool:
    """Say whether a text names one."""
    return text in {MAJORITY, "all", "any"} or (text.isdecimal() and int(text) > 0)


def _excluded(results: Sequence[Result]) -> tuple[str, ...]:
    """Return the regions whose checker is configured differently from that of most others.

    On a tie, the configuration of the region that sorts first counts. A result without a digest
    was written by an older version, and is taken for one of the same configuration.
    """
    regions: dict[str, list[str]] = {}
    for result in results:
        if result.target_digest:
            regions.setdefault(result.target_digest, []).append(result.region)
    if len(regions) < 2:  # noqa: PLR2004 - they cannot differ
        return ()
    kept = min(regions.values(), key=lambda names: (-len(names), min(names)))
    return tuple(
        result.region for result in results if result.target_digest and result.region not in kept
    )


def _exclusion_reason(excluded: Sequence[str]) -> str:
    verb = "has" if len(excluded) == 1 else "have"
    names = ", ".join(excluded)
    return f"{names} {verb} a different configuration; deploy the same configuration there"


def _agreed(results: Sequence[Result], regions: int, quorum: str) -> QuorumResult:
    votes = [result for result in results if result.status is not Status.UNKNOWN]
    if len(votes) < _votes_needed(quorum, regions):
        return QuorumResult(Status.UNKNOWN, results[0])
    enough = _failures_needed(quorum, len(votes), regions)
    down = [vote for vote in votes if vote.status is Status.DOWN]
    bad = [vote for vote in votes if vote.status is not Status.HEALTHY]
    if len(down) >= enough:
        return QuorumResult(Status.DOWN, down[0])
    if len(bad) >= enough:
        return QuorumResult(Status.DEGRADED, (down or bad)[0])
    healthy = next(vote for vote in votes if vote.status is Status.HEALTHY)
    return QuorumResult(Status.HEALTHY, healthy, tuple(vote.region for vote in down))


def _votes_needed(quorum: str, regions: int) -> int:
    if quorum == "any":
        return 1
    return min(int(quorum), regions) if quorum.isdecimal() else regions // 2 + 1


def _failures_needed(quorum: str, votes: int, regions: int) -> int:
    if quorum == "any":
        return 1
    if quorum == "all":
        return votes
    return min(int(quorum), regions) if quorum.isdecimal() else votes // 2 + 1


class SlotSchedule(Struct, frozen=True, kw_only=True):
    """When slots are, and when they close.

    Attributes:
        regions: those that vote; none configured means the one machine, which has no name.
        interval: the time between the slots of a schedule; 0 for runs without one.
        grace: how long after its slot a region may still report.
    """

    regions: Sequence[str] = ()
    interval: int = 0
    grace: int = 0

    @property
    def voting_regions(self) -> Sequence[str]:
        """The regions whose runs count."""
        return self.regions or ("",)


class ClosedSlot(Struct, frozen=True, kw_only=True):
    """What all voting regions saw in one slot.

    Attributes:
        cursor: the last key that a run of this slot can have.
        runs: one per region that reported, in the order of their keys.
        missed_ns: how long no run took place before, beyond the interval; 0 without a schedule.
    """

    slot: int
    cursor: str
    runs: tuple[Run, ...]
    missed_ns: int = 0


def closed_slots(
    runs: Iterable[Run], calendar: SlotSchedule, now: int, cursor: str = ""
) -> tuple[ClosedSlot, ...]:
    """Return the slots that are closed and can be applied, in order.

    Args:
        runs: in the order of their keys.
        now: the storage's time.
        cursor: where the last slot ended.
    """
    voters = calendar.voting_regions
    if calendar.interval and len(voters) > 1:
        # A run that somebody added between two slots of the schedule closes neither.
        runs = [run for run in runs if run.region in voters]
    closed = []
    for slot, together in groupby(runs, key=lambda run: run.slot):
        votes = {run.region: run for run in together if run.region in voters}
        missed = _missed(calendar, cursor, slot)
        if _is_open(calendar, slot, len(votes), missed, now):
            break
        cursor = run_key(Run(slot=slot, results=(), region_index=len(voters) - 1))
        closed.append(
            ClosedSlot(slot=slot, cursor=cursor, runs=tuple(votes.values()), missed_ns=missed)
        )
    return tuple(closed)


def _is_open(calendar: SlotSchedule, slot: int, votes: int, missed: int, now: int) -> bool:
    """Say whether a run may still come that belongs into this slot, or before it."""
    if len(calendar.voting_regions) == 1:
        return False
    if missed and now < slot - calendar.interval + calendar.grace:
        return True
    return 0 < votes < len(calendar.voting_regions) and now < slot + calendar.grace


def _missed(calendar: SlotSchedule, cursor: str, slot: int) -> int:
    """Return the time in which slots of the schedule lie of which there is no run."""
    last = key_time(cursor)
    if not calendar.interval or last is None:
        return 0
    gap = slot - last - calendar.interval
    if calendar.regions:
        # Slots are whole seconds there, and the cursor is some nanoseconds after one: one for each
        # further region that there was then.
        gap = -(-gap // SECOND) * SECOND
    return max(0, gap)


class EvaluationRules(Struct, frozen=True, kw_only=True):
    """The part of the configuration that decides what the runs of a slot show.

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
    def voting_regions(self) -> Sequence[str]:
        """The regions whose runs count."""
        return self.regions or ("",)

    @property
    def groups(self) -> Mapping[str, str]:
        """The group of each checker."""
        return {checker.id: checker.group for checker in self.checkers}


class SlotEvaluation(NamedTuple):
    """What the runs of one slot show.

    Attributes:
        agreed: by checker id, in the order of the results; also checkers that are not configured.
        streaks: inconclusive runs in a row by region, this slot included.
        discounted: the runs of which some failures do not count.
    """

    agreed: Mapping[str, QuorumResult]
    streaks: dict[str, int]
    discounted: tuple[DiscountedRun, ...]


def evaluate_slot(
    runs: Iterable[Run], rules: EvaluationRules, matcher: ResultMatcher, streaks: Mapping[str, int]
) -> SlotEvaluation:
    """Match results to checkers, discount failures of our own network and apply the quorum.

    Args:
        runs: one of each voting region that reported.
        matcher: of the rules' checkers, made once for many slots.
        streaks: inconclusive runs in a row by region, before this slot.
    """
    left, discounted = dict(streaks), []
    results: dict[str, dict[str, Result]] = {}
    for run in runs:
        named, streak = matcher.named(run), left.pop(run.region, 0)
        counted = discount_network_failures(named, rules.references, streak)
        if counted.streak:
            left[run.region] = counted.streak
        if counted.discounted:
            discounted.append(counted)
        for result in counted.run.results:
            if result.id:
                results.setdefault(result.id, {})[run.region] = result
    regions = len(rules.voting_regions)
    agreed = {
        checker: apply_quorum(tuple(votes.values()), regions, rules.quorum)
        for checker, votes in results.items()
    }
    return SlotEvaluation(agreed, left, tuple(discounted))


class Disagreement(NamedTuple):
    """A checker that two machines see differently all the time, without regions to vote.

    Attributes:
        title: of the checker.
        statuses: what each machine sees, by its name.
    """

    title: str
    statuses: Mapping[str, Status]

    def __str__(self) -> str:
        """What to do about it, as one line."""
        names = " and ".join(self.statuses)
        seen = ", ".join(f"{status} on {name}" for name, status in self.statuses.items())
        return (
            f'{names} store runs in one place without "regions" and disagree about {self.title}'
            f" ({seen}); name both in regions, or give each a storage"
        )


def find_disagreements(runs: Iterable[Run]) -> tuple[Disagreement, ...]:
    """Return the checkers whose last two results differ between machines, not within one.

    A change of status is no disagreement: each machine sees it at its next run. So the results of
    two machines are compared only where each has two alike and their times overlap.

    Args:
        runs: the last ones, in order; those that name no machine do not count.
    """
    seen: dict[str, dict[str, list[tuple[int, Result]]]] = {}
    for run in runs:
        machine = run.results[0].machine if run.results else ""
        for result in run.results if machine else ():
            if result.id and result.status is not Status.UNKNOWN:
                seen.setdefault(result.id, {}).setdefault(machine, []).append((run.slot, result))
    found = []
    for machines in seen.values():
        last = {name: results[-2:] for name, results in machines.items()}
        steady = {
            name: results
            for name, results in last.items()
            if len(results) == 2 and results[0][1].status is results[1][1].status  # noqa: PLR2004
        }
        if len(steady) < 2:  # noqa: PLR2004 - nothing to compare
            continue
        overlap = max(r[0][0] for r in steady.values()) <= min(r[1][0] for r in steady.values())
        statuses = {name: steady[name][1][1].status for name in sorted(steady)}
        if overlap and len({*statuses.values()}) > 1:
            title = next(iter(steady.values()))[1][1].title
            found.append(Disagreement(title, statuses))
    return tuple(found)
