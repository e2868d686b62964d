"""From stored results to components. Pure."""

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
    """The results of one checker in all runs.

    Attributes:
        key: its id, or a key made of title and endpoint for results without a checker.
        checker: its configuration; None for results of another configuration.
        results: one per run, oldest first; None where a run has no result of it.
    """

    key: str
    checker: Checker | None
    results: tuple[Result | None, ...]

    @property
    def newest(self) -> Result | None:
        """The newest result, if any."""
        return next((result for result in reversed(self.results) if result is not None), None)


def results_by_checker(
    checkers: Sequence[Checker], runs: Sequence[Run]
) -> tuple[CheckerResults, ...]:
    """Return the results of each public checker, in the order of the configuration.

    Results of removed checkers are left out. If no result matches a checker, the runs are of
    another configuration and all are shown, unless a checker is hidden or renamed: then an
    unknown name may be a private one.
    """
    matcher = ResultMatcher(checkers)
    assigned = [dict(_assigned(matcher, run.results)) for run in runs]
    configured = [checker.id for checker in checkers]
    known = any(key in run for run in assigned for key in configured)
    private = any(checker.hidden or checker.public_name for checker in checkers)
    shown: list[tuple[str, Checker | None]] = [
        (checker.id, checker) for checker in checkers if not checker.hidden
    ]
    if not known and not private:
        unknown_keys = dict.fromkeys(key for run in reversed(assigned) for key in run)
        shown += [(key, None) for key in unknown_keys]
    return tuple(
        CheckerResults(key=key, checker=checker, results=tuple(run.get(key) for run in assigned))
        for key, checker in shown
    )


def scheduled_runs(runs: Iterable[Run], regions: Sequence[str]) -> tuple[Run, ...]:
    """Return the runs of the configured regions, or those without a region if there are none.

    Others were added by hand: their messages are shown, their results are not.
    """
    voters = {*regions} or {""}
    return tuple(run for run in runs if not run.results or run.results[0].region in voters)


def _assigned(matcher: ResultMatcher, results: Iterable[Result]) -> Iterator[tuple[str, Result]]:
    """Yield each result of one run with its checker's id, or with a key of its own."""
    for owner, result in matcher.assign(results):
        unknown_key = "\0".join((result.id or result.title, result.endpoint))
        yield unknown_key if owner is None else owner, result


TimedResult = tuple[int, Result | None]
"""The slot of a run and its result; None without one."""

NAME_LIMIT, DESCRIPTION_LIMIT = 120, 200


class ConfirmedStatus(Struct, frozen=True):
    """A confirmed status and when it began, from the state between runs; 0 if not known."""

    status: Status
    since: int


class RunWindow(Struct, frozen=True, kw_only=True):
    """The runs that a page shows, and how.

    Attributes:
        slots: of the runs, oldest first.
        interval: the time between them.
        regions: the public names of regions.
    """

    now: int
    slots: tuple[int, ...]
    interval: int
    locale: Locale
    regions: Mapping[str, str] = {}


class DailyHistory(Struct, frozen=True, kw_only=True):
    """The days of one checker.

    Attributes:
        since: the time of its first result.
        closed: the days before today.
        today: so far; None without data.
    """

    since: int
    closed: ClosedDayBars
    today: Tally | None


def display_name(results: CheckerResults, number: int, locale: Locale) -> str:
    """Return the public name; ``number`` is used for a checker without a name."""
    checker = results.checker
    result = results.newest
    given = (checker.public_name or checker.title) if checker else (result.title if result else "")
    return clean_line(given, NAME_LIMIT) or locale.translate("component.unnamed", n=number)


def build_component(  # noqa: PLR0913 - the optional ones by name
    results: CheckerResults,
    window: RunWindow,
    confirmed: ConfirmedStatus | None,
    daily: DailyHistory | None,
    *,
    key: str,
    name: str,
    history: ComponentHistory,
) -> ComponentView:
    """Return the view of one checker.

    Args:
        results: one per slot of the window.
        window: the runs.
        confirmed: its confirmed status; None if there is none yet.
        daily: its days; None if the bars are runs.
        key: its public key.
        name: its public name.
        history: its statistics.
    """
    checker = results.checker
    timed = _timed_results(results, window.slots)
    checked_at, newest = next(
        ((at, result) for at, result in reversed(timed) if result), (None, None)
    )
    shown = [(at, ComponentStatus.of(result.status) if result else None) for at, result in timed]
    current = _current(newest, confirmed)
    fresh = checked_at is not None and window.now - checked_at <= _limit(results, window)
    return ComponentView(
        key=key,
        name=name,
        description=clean_line(checker.description, DESCRIPTION_LIMIT) if checker else "",
        link=safe_link(checker.link) if checker else "",
        status=current if fresh else ComponentStatus.UNKNOWN,
        since=_since(shown, confirmed) if fresh else None,
        note=_note(newest, current, window.locale, fresh=fresh),
        checked_at=checked_at,
        first_seen=_first_seen(timed, history),
        response_ns=bars.response_time(newest),
        run_bars=bars.run_bars(shown, window.locale, first_seen=_first_seen(timed, history))
        if daily is None
        else None,
        day_bars=day_bars(daily.closed, daily.today, daily.since, window.now, window.locale)
        if daily
        else None,
        periods=history.periods,
        months=history.months,
        hourly=history.hours,
        daily=history.days,
        csv_rows=history.csv_rows,
        regions=_region_statuses(timed, window) if fresh else (),
    )


def _region_statuses(timed: Sequence[TimedResult], window: RunWindow) -> tuple[RegionStatus, ...]:
    """Return the last status in each region; nothing while all are operational."""
    last = {
        result.region: ComponentStatus.of(result.status)
        for at, result in timed
        if result and window.now - at <= status.max_result_age(window.interval)
    }
    statuses = [
        RegionStatus(name, last[region])
        for region, name in window.regions.items()
        if region in last
    ]
    return (
        tuple(statuses)
        if any(it.state is not ComponentStatus.OPERATIONAL for it in statuses)
        else ()
    )


def _timed_results(results: CheckerResults, slots: Sequence[int]) -> list[TimedResult]:
    """Return the results from the first on, without runs in which the checker was not due."""
    pairs = list(zip(slots, results.results, strict=True))
    if results.checker and results.checker.interval:
        return [(at, result) for at, result in pairs if result]
    first = next((index for index, (_, result) in enumerate(pairs) if result), len(pairs))
    return pairs[first:]


def _first_seen(timed: Sequence[TimedResult], history: ComponentHistory) -> int | None:
    """Return the time of the first result, which the history keeps the longest."""
    return (
        history.first_result_at
        if history.first_result_at is not None
        else timed[0][0]
        if timed
        else None
    )


def _limit(results: CheckerResults, window: RunWindow) -> int:
    own = results.checker.interval if results.checker else 0
    return status.max_result_age(max(own, window.interval))


def _current(newest: Result | None, confirmed: ConfirmedStatus | None) -> ComponentStatus:
    """Return the confirmed status, or that of the newest result."""
    if confirmed is not None:
        return ComponentStatus.of(confirmed.status)
    return ComponentStatus.of(newest.status) if newest else ComponentStatus.UNKNOWN


def _since(shown: Sequence[bars.TimedStatus], confirmed: ConfirmedStatus | None) -> int | None:
    """Return when the state began: as confirmed, or if a change is in sight."""
    if confirmed is not None:
        return confirmed.since or None
    seen = [(at, state) for at, state in shown if state is not None]
    for (_, earlier), (at, _) in zip(seen[-2::-1], seen[:0:-1], strict=True):
        if earlier is not seen[-1][1]:
            return at
    return None


def _note(newest: Result | None, current: ComponentStatus, locale: Locale, *, fresh: bool) -> str:
    if newest is None:
        return locale.translate("note.no_results")
    if not fresh:
        return locale.translate("note.stale", state=locale.translate(f"state.{current}"))
    if current is ComponentStatus.UNKNOWN:
        return locale.translate("note.unchecked")
    key = public_reason(newest) if ComponentStatus.of(newest.status) is current else ""
    return locale.translate(key) if key else ""


ADDRESSES: Final = "addresses"

CERTIFICATES: Final = "certificates"
"""Private values that ``page.publish`` may list."""

_ADDRESS_LIMIT: Final = 300


def probe_metrics(
    results: CheckerResults,
    state: ComponentStatus,
    published: Collection[str],
    masks: Sequence[str],
) -> ProbeMetrics:
    """Return the metrics of a component's newest result.

    Args:
        results: of its checker.
        state: its status on the page; while that is unknown, there are no metrics.
        published: the private values that ``page.publish`` lists.
        masks: values that must not be shown.
    """
    newest = results.newest
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
    """Return the checked address; the Go program stored it unmasked."""
    return clean_line(mask_address(result.endpoint, masks), _ADDRESS_LIMIT)


def _phases(result: Result) -> Phases | None:
    """Return the phases of the last successful request."""
    if result.kind != "http":
        return None
    answered = (attempt.phases for attempt in reversed(result.attempts) if not attempt.error)
    return next((phases for phases in answered if phases is not None), None)


def _certificate_expiry(result: Result) -> int | None:
    found = (attempt.certificate_expiry for attempt in result.attempts)
    return min((expiry for expiry in found if expiry > 0), default=None)
