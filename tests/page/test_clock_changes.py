"""Days of 23 and 25 hours: what is counted knows only UTC, and what is said is always right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import chain, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checkup.config.page import PageSettings
from checkup.evaluation import EvaluationRules
from checkup.history.tally import PeriodAggregate, Tally, add_tallies
from checkup.incidents.model import Incident, IncidentDocument, IncidentUpdate
from checkup.maintenance import MaintenanceWindow, parse_rrule
from checkup.model import Status
from checkup.times import DAY, HOUR, SECOND, to_datetime
from checkup_page.build_view import PageData, build_view
from checkup_page.components.history import ComponentHistory
from checkup_page.incidents.build import IncidentData, incident_overview
from checkup_page.locale import Locale
from tests.history.worlds import MINUTE, STATES, folded, run
from tests.page.worlds import checker, config

API = checker("API")
SAID = IncidentUpdate(id="s" * 12, at=0, status="investigating")

ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Santiago",
    "Africa/Cairo",
)
"""North and south; by half an hour; at midnight, so that a day begins at one o'clock."""

zones = pytest.mark.parametrize("zone", ZONES)


@cache
def changes(zone: str) -> Sequence[int]:
    """The moments of 2026 at which the clocks of a zone are changed."""
    year = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=30 * n) for n in range(365 * 48)]
    local = [at.astimezone(ZoneInfo(zone)) for at in year]
    return tuple(
        int(after.timestamp()) * SECOND
        for before, after in pairwise(local)
        if before.utcoffset() != after.utcoffset()
    )


def around(zone: str) -> st.SearchStrategy[int]:
    """Moments within two days of a change."""
    near = st.integers(-48 * 60, 48 * 60).map(lambda minutes: minutes * MINUTE)
    return st.builds(lambda change, beside: change + beside, st.sampled_from(changes(zone)), near)


def read(label: str, zone: str) -> set[int]:
    """What ``25 Oct 2026, 02:30 CET`` can mean."""
    told, name = label.rsplit(" ", 1)
    at = datetime.strptime(told, "%d %b %Y, %H:%M").replace(tzinfo=ZoneInfo(zone))
    meant = [at.replace(fold=fold) for fold in (0, 1)]
    return {int(it.timestamp()) * SECOND for it in meant if it.tzname() == name}


@pytest.mark.row("138")
@zones
@given(data=st.data())
def test_a_time_is_unambiguous(zone: str, data: st.DataObject) -> None:
    moment = data.draw(around(zone))
    assert read(Locale(zone=zone).format_datetime(moment), zone) == {moment}


@pytest.mark.row("138")
@zones
def test_no_two_times_of_a_day_are_shown_alike_and_none_is_left_out(zone: str) -> None:
    voice = Locale(zone=zone)
    for change in changes(zone):
        moments = range(change - DAY, change + DAY, 30 * MINUTE)
        labels = [voice.format_short_datetime(moment) for moment in moments]
        assert len({*labels}) == len(labels)
        clock = [to_datetime(moment).astimezone(ZoneInfo(zone)) for moment in moments]
        assert [label.split()[2] for label in labels] == [f"{at:%H:%M}" for at in clock]


def test_the_hour_that_comes_twice_says_which_it_is() -> None:
    voice = Locale(zone="Europe/Berlin")
    _, back = changes("Europe/Berlin")
    told = [voice.format_short_datetime(back + beside * MINUTE) for beside in (-90, -30, 30, 90)]
    assert told == ["25 Oct, 01:30", "25 Oct, 02:30 CEST", "25 Oct, 02:30 CET", "25 Oct, 03:30"]


@pytest.mark.row("138")
@zones
@given(data=st.data())
def test_the_days_of_the_first_page_are_whole(zone: str, data: st.DataObject) -> None:
    """They are fourteen, and an incident is told on the day that its time has."""
    now = data.draw(around(zone))
    begun = now - data.draw(st.integers(0, 13 * 24 - 2)) * HOUR
    incident = Incident(id="i" * 12, title="Slow", impact="minor", started=begun, updates=(SAID,))
    world = config([API], PageSettings(title="Status", timezone=zone))
    observed = PageData(
        histories={API.id: ComponentHistory(first_result_at=now - 60 * DAY)},
        incidents=IncidentData(document=IncidentDocument(incidents={incident.id: incident})),
    )
    view = build_view(world, observed, now)
    days = incident_overview(view).days
    today = view.locale.local_date(now)
    told = [day for span in days for day in _days(span.first, span.last)]
    assert told == [today - timedelta(days=back) for back in range(14)]
    (own,) = [span.first for span in days if span.incidents]
    assert view.locale.format_datetime(begun).startswith(f"{view.locale.format_date(own)},")


def _days(first: date, last: date) -> list[date]:
    """The days of a span, newest first."""
    return [last - timedelta(days=back) for back in range((last - first).days + 1)]


@pytest.mark.row("138")
@pytest.mark.parametrize("zone", [zone for zone in ZONES if zone != "Australia/Lord_Howe"])
@given(pattern=st.lists(st.sampled_from([*Status, None]), min_size=1, max_size=12))
@settings(max_examples=10)
def test_hours_sum_exactly_over_days_of_23_and_25_hours(
    zone: str, pattern: list[Status | None]
) -> None:
    """With maintenance each night by that clock, and without results here and there."""
    voice, lengths = Locale(zone=zone), Counter[int]()
    for change in changes(zone):
        start = change // DAY * DAY - DAY
        window = MaintenanceWindow(
            start=start, duration=HOUR, rule=parse_rrule("FREQ=DAILY"), timezone=zone
        )
        runs = [
            run(start + number * 20 * MINUTE, api=status)
            for number, status in enumerate([*pattern * 300][: 4 * 72])
            if status is not None
        ]
        end = run(start + 4 * DAY, api=Status.HEALTHY)
        _, closed = folded(
            [run(start, api=Status.HEALTHY), *runs[1:], end], EvaluationRules(windows=[window])
        )
        local: dict[date, list[Tally]] = {}
        for hour in range(start, start + 4 * DAY, HOUR):
            tally = closed.hours[hour]["api"].tally if hour in closed.hours else Tally()
            local.setdefault(voice.local_date(hour), []).append(tally)
        for tallies in [*local.values()][1:-1]:
            length = len(tallies) * HOUR
            day = add_tallies(tallies)
            assert day.counted + day.no_data(length) == length
            assert day.no_data(length) >= 0
            lengths[len(tallies)] += 1
        hours, days = add_tallies(chain(*local.values())), add_tallies(_of(closed.days))
        assert {it: getattr(hours, it) for it in STATES} == {it: getattr(days, it) for it in STATES}
    assert {23, 25} <= lengths.keys() <= {23, 24, 25}


def _of(periods: Mapping[int, Mapping[str, PeriodAggregate]]) -> Iterator[Tally]:
    return (rows["api"].tally for rows in periods.values() if "api" in rows)
