"""The one world of which the golden files are made, and the parts that other tests need."""

from __future__ import annotations

from msgspec.structs import replace

from checkup.history.latency import LatencyHistogram, bucket_of
from checkup.history.series import SPANS, CheckerHistory
from checkup.history.tally import PeriodAggregate, Tally, chart_point
from checkup.model import Status
from checkup.text import public_key
from checkup.times import DAY, HOUR, day_start, hour_start
from checkup_page.build_view import PageData, build_view
from checkup_page.components.history import component_history
from checkup_page.incidents.view import AffectedComponent, IncidentView, MaintenanceView, UpdateView
from checkup_page.status import ComponentStatus
from checkup_page.view import PageView
from tests.page.worlds import MILLISECOND, MINUTE, NOW, checker, config, result, runs

API = checker("API")
WEST = checker("West", group="Shop", description="Orders and invoices")
EAST = checker("East", group="Shop")
CHECKERS = (API, WEST, EAST)


def view(*statuses: Status, age: int = 12_000 * MILLISECOND) -> PageView:
    """A page on which each of the checkers was seen in its status, after a week."""
    group = [result(of, status) for of, status in zip(CHECKERS, statuses, strict=False)]
    seen = runs([group] * 3, newest=NOW - age) if group else ()
    records = {of.id: component_history(checker_history()) for of in CHECKERS[: len(group)]}
    return build_view(config(CHECKERS), PageData(runs=seen, histories=records), NOW)


def checker_history() -> CheckerHistory:
    """A week of which the fourth day had an outage and the last one has only begun."""
    times, until = (
        LatencyHistogram(count=2, buckets=((bucket_of(98 * MILLISECOND), 2),)),
        hour_start(NOW),
    )
    tallies = [Tally(healthy=DAY)] * 6
    tallies[3] = Tally(healthy=20 * HOUR, degraded=HOUR, down=HOUR, unknown=HOUR)
    periods = [PeriodAggregate(tally=tally, latency=times) for tally in tallies]
    periods.append(PeriodAggregate(tally=Tally(healthy=until - day_start(NOW)), latency=times))
    begin = day_start(NOW) - 6 * DAY
    return CheckerHistory(
        until=until,
        first=begin,
        hours=(),
        days=tuple(chart_point(begin + at * DAY, period) for at, period in enumerate(periods)),
        last_24h=PeriodAggregate(tally=Tally(healthy=DAY), latency=times),
        times=(times,) * len(SPANS),
    )


def announced() -> PageView:
    """The same with an outage, one that is over, maintenance that goes on and one to come."""
    seen = view(Status.HEALTHY, Status.DOWN, Status.DEGRADED)
    (api,), (west, east) = (group.components for group in seen.groups)
    api_, west_, east_ = (AffectedComponent(key=of.key, name=of.name) for of in (api, west, east))
    return replace(
        seen,
        incidents=(
            incident("open", west_, status="monitoring", resolved=None),
            incident("over", api_, east_, status="resolved", resolved=NOW - 2 * DAY),
        ),
        maintenances=(
            maintenance("now", east_, start=NOW - HOUR, status="in_progress"),
            maintenance("next", api_, west_, start=NOW + DAY, status="scheduled", said=True),
        ),
    )


def update(name: str, status: str, at: int, text: str) -> UpdateView:
    return UpdateView(
        key=public_key("update", name), status=status, at=at, body=text, html=f"<p>{text}</p>"
    )


def incident(
    name: str, *affected: AffectedComponent, status: str, resolved: int | None
) -> IncidentView:
    end = NOW - 10 * MINUTE if resolved is None else resolved
    return IncidentView(
        key=public_key("incident", name),
        title=f"Orders fail, {name}",
        impact="major",
        status_color=ComponentStatus.PARTIAL,
        status=status,
        started_at=end - HOUR,
        updated_at=end,
        resolved_at=resolved,
        affected=affected,
        updates=(
            update(f"{name} 2", status, end, "A fix is **in place**."),
            update(f"{name} 1", "investigating", end - HOUR, "We are looking into it."),
        ),
    )


def maintenance(
    name: str, *affected: AffectedComponent, start: int, status: str, said: bool = False
) -> MaintenanceView:
    told = update(name, "scheduled", NOW - DAY, "The database moves;\nwrites wait, reads go on.")
    return MaintenanceView(
        key=public_key("maintenance", name),
        title=f"Move of the database, {name}",
        status=status,
        scheduled_for=start,
        scheduled_until=start + 2 * HOUR,
        created_at=NOW - 2 * DAY,
        updated_at=NOW - DAY if said else NOW - 2 * DAY,
        affected=affected,
        updates=(told,) if said else (),
    )
