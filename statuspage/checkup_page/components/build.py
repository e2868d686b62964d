"""From stored results to components: whose results they are, and what the page shows. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from checkup.evaluation import ResultMatcher
from checkup.history.tally import Tally
from checkup.interfaces import Checker
from checkup.model import Phases, Result, Run, Status
from checkup.text import clean_line, mask_address
from checkup_page import status
from checkup_page.components import bars
from checkup_page.components.bars import ClosedDayBars, day_bars, response_time
from checkup_page.components.history import ComponentHistory
from checkup_page.locale import Locale
from checkup_page.status import ComponentStatus, public_reason
from checkup_page.view import ComponentView, ProbeMetrics, RegionStatus, safe_link


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


TimedResult = tuple[int, Result | None]
"""The time of a run and what it saw; None if it has no result."""

NAME_LIMIT, DESCRIPTION_LIMIT = 120, 200


class ConfirmedStatus(Struct, frozen=True):
    """A confirmed status and when it began, from the state between runs; 0 if not known."""

    status: Status
    since: int


class RunWindow(Struct, frozen=True, kw_only=True):
    """The time that is looked at.

    Attributes:
        slots: the times of the runs, oldest first.
        interval: how much time lies between them.
        locale: says what is seen.
        regions: the public names of regions.
    """

    now: int
    slots: tuple[int, ...]
    interval: int
    locale: Locale
    regions: Mapping[str, str] = {}


class DailyHistory(Struct, frozen=True, kw_only=True):
    """What the history says of one checker.

    Attributes:
        since: when its first result came.
        closed: the days before today.
        today: what has been counted of it; None for nothing.
    """

    since: int
    closed: ClosedDayBars
    today: Tally | None


def display_name(track: CheckerResults, number: int, locale: Locale) -> str:
    """Return the public name; ``number`` stands for a checker that has none."""
    checker = track.checker
    result = track.newest
    given = (checker.public_name or checker.title) if checker else (result.title if result else "")
    return clean_line(given, NAME_LIMIT) or locale.translate("component.nameless", n=number)


def build_component(  # noqa: PLR0913 - the optional ones by name
    track: CheckerResults,
    window: RunWindow,
    confirmed: ConfirmedStatus | None,
    daily: DailyHistory | None,
    *,
    key: str,
    name: str,
    history: ComponentHistory,
) -> ComponentView:
    """Return what is shown of one checker.

    Args:
        track: its results, one per slot of the window.
        window: the time that is looked at.
        confirmed: its confirmed status; None if no state is kept or it has none yet.
        daily: its days; None if its runs are to be shown instead.
        key: what stands for it on the page.
        name: what people call it.
        history: what spans of time came to.
    """
    checker = track.checker
    seen = _seen(track, window.slots)
    checked_at, newest = next(
        ((at, result) for at, result in reversed(seen) if result), (None, None)
    )
    shown = [(at, ComponentStatus.of(result.status) if result else None) for at, result in seen]
    current = _current(newest, confirmed)
    fresh = checked_at is not None and window.now - checked_at <= _limit(track, window)
    return ComponentView(
        key=key,
        name=name,
        description=clean_line(checker.description, DESCRIPTION_LIMIT) if checker else "",
        link=safe_link(checker.link) if checker else "",
        status=current if fresh else ComponentStatus.UNKNOWN,
        since=_since(shown, confirmed) if fresh else None,
        note=_note(newest, current, window.locale, fresh=fresh),
        checked_at=checked_at,
        first_seen=_first_seen(seen, history),
        response_ns=bars.response_time(newest),
        run_bars=bars.run_bars(shown, window.locale) if daily is None else None,
        day_bars=day_bars(daily.closed, daily.today, daily.since, window.now, window.locale)
        if daily
        else None,
        periods=history.periods,
        months=history.months,
        hourly=history.hours,
        daily=history.days,
        csv_rows=history.csv_rows,
        regions=_sights(seen, window) if fresh else (),
    )


def _sights(seen: Sequence[TimedResult], window: RunWindow) -> tuple[RegionStatus, ...]:
    """Return what the regions saw last; nothing while all of it is good."""
    last = {
        result.region: ComponentStatus.of(result.status)
        for at, result in seen
        if result and window.now - at <= status.max_result_age(window.interval)
    }
    sights = [
        RegionStatus(name, last[region])
        for region, name in window.regions.items()
        if region in last
    ]
    return (
        tuple(sights) if any(it.state is not ComponentStatus.OPERATIONAL for it in sights) else ()
    )


def _seen(track: CheckerResults, slots: Sequence[int]) -> list[TimedResult]:
    """Return the results from the first on; a run in which the checker was not due is no gap."""
    pairs = list(zip(slots, track.results, strict=True))
    if track.checker and track.checker.interval:
        return [(at, result) for at, result in pairs if result]
    first = next((index for index, (_, result) in enumerate(pairs) if result), len(pairs))
    return pairs[first:]


def _first_seen(seen: Sequence[TimedResult], record: ComponentHistory) -> int | None:
    """Return when the first result came that is known: the history remembers it longest."""
    return (
        record.first_result_at
        if record.first_result_at is not None
        else seen[0][0]
        if seen
        else None
    )


def _limit(track: CheckerResults, window: RunWindow) -> int:
    own = track.checker.interval if track.checker else 0
    return status.max_result_age(max(own, window.interval))


def _current(newest: Result | None, standing: ConfirmedStatus | None) -> ComponentStatus:
    """Return the confirmed state, or what the last run saw where nothing is confirmed."""
    if standing is not None:
        return ComponentStatus.of(standing.status)
    return ComponentStatus.of(newest.status) if newest else ComponentStatus.UNKNOWN


def _since(shown: Sequence[bars.TimedStatus], standing: ConfirmedStatus | None) -> int | None:
    """Return when the state began: as confirmed, or if a change is in sight."""
    if standing is not None:
        return standing.since or None
    before = None
    for at, state in reversed(shown):
        if state is not shown[-1][1]:
            return before
        before = at
    return None


def _note(newest: Result | None, current: ComponentStatus, locale: Locale, *, fresh: bool) -> str:
    if newest is None:
        return locale.translate("note.nothing")
    if not fresh:
        return locale.translate("note.old", state=locale.translate(f"state.{current}"))
    if current is ComponentStatus.UNKNOWN:
        return locale.translate("note.unchecked")
    key = public_reason(newest) if ComponentStatus.of(newest.status) is current else ""
    return locale.translate(key) if key else ""


ADDRESSES: Final = "addresses"

CERTIFICATES: Final = "certificates"
"""What is private unless ``page.publish`` lists it."""

_ADDRESS_LIMIT: Final = 300


def probe_metrics(
    track: CheckerResults, state: ComponentStatus, published: Collection[str], masks: Sequence[str]
) -> ProbeMetrics:
    """Return what the newest run found out about a component.

    Args:
        track: its results.
        state: how it is shown; what is unknown on the page is unknown here.
        published: what ``page.publish`` lists.
        masks: values that must not be shown.
    """
    newest = track.newest
    if newest is None:
        return ProbeMetrics()
    found = ProbeMetrics(address=_address(newest, masks) if ADDRESSES in published else "")
    if ComponentStatus.UNKNOWN in {state, ComponentStatus.of(newest.status)}:
        return found
    return replace(
        found,
        success=newest.status is not Status.DOWN,
        response=response_time(newest),
        phases=_phases(newest),
        certificate_expiry=_certificate_expiry(newest) if CERTIFICATES in published else None,
    )


def _address(result: Result, masks: Sequence[str]) -> str:
    """Return what was checked; the Go program stored it as it was."""
    return clean_line(mask_address(result.endpoint, masks), _ADDRESS_LIMIT)


def _phases(result: Result) -> Phases | None:
    """Return the phases of the last request that was answered."""
    if result.kind != "http":
        return None
    answered = (attempt.phases for attempt in reversed(result.attempts) if not attempt.error)
    return next((phases for phases in answered if phases is not None), None)


def _certificate_expiry(result: Result) -> int | None:
    found = (attempt.certificate_expiry for attempt in result.attempts)
    return min((expiry for expiry in found if expiry > 0), default=None)
