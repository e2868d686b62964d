from __future__ import annotations

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from checkup.history.tally import Tally
from checkup.times import DAY, HOUR, MINUTE, day_start
from checkup_page.components.bars import (
    COLUMNS,
    BarSegment,
    DayBars,
    closed_day_bars,
    day_bars,
    day_status,
    has_enough_days,
)
from checkup_page.locale import Locale
from tests.page.worlds import NOW

TODAY = day_start(NOW)
WELL = Tally(healthy=DAY)
SO_FAR = Tally(healthy=NOW - TODAY)
"""Today, as far as it has come."""

Row = Tally | None


def days(*last: Row, before: Row = None) -> list[tuple[int, Row]]:
    """As many days as there are columns, the given ones being the last."""
    rows = [*[before] * (COLUMNS - len(last)), *last]
    return [(TODAY - (COLUMNS - 1 - number) * DAY, row) for number, row in enumerate(rows)]


def well(length: int = DAY, **states: int) -> Tally:
    """A day of which the rest is healthy."""
    return replace(Tally(healthy=length - sum(states.values())), **states)


@pytest.mark.parametrize(
    ("tally", "look"),
    [
        pytest.param(None, "none", id="nothing"),
        pytest.param(Tally(), "none", id="138-no-time"),
        pytest.param(WELL, "operational", id="well"),
        pytest.param(well(down=MINUTE), "partial_outage", id="any-outage-is-worth-a-word"),
        pytest.param(well(down=71 * MINUTE), "partial_outage", id="down-for-an-hour"),
        pytest.param(well(down=72 * MINUTE), "major_outage", id="down-for-a-twentieth"),
        pytest.param(well(degraded=14 * MINUTE), "operational", id="slow-now-and-then"),
        pytest.param(well(degraded=15 * MINUTE), "degraded", id="slow-for-long"),
        pytest.param(well(degraded=20 * HOUR, down=1), "partial_outage", id="the-worst"),
        pytest.param(Tally(healthy=12 * HOUR), "operational", id="half-of-it-known"),
        pytest.param(Tally(healthy=12 * HOUR - 1), "none", id="129-less-than-half-is-not-green"),
        pytest.param(
            Tally(healthy=HOUR, unknown=20 * HOUR), "unknown", id="129-mostly-not-to-be-seen"
        ),
        pytest.param(Tally(unknown=DAY), "unknown", id="138-never-seen"),
        pytest.param(Tally(maintenance=DAY), "maintenance", id="138-maintenance"),
        pytest.param(well(maintenance=HOUR), "operational", id="138-some-maintenance"),
        pytest.param(
            Tally(maintenance=12 * HOUR, healthy=HOUR, down=HOUR), "major_outage", id="outage"
        ),
    ],
)
def test_a_day_looks_as_its_worst_part_that_matters(tally: Row, look: str) -> None:
    assert day_status(tally, DAY) == look


def test_a_day_that_has_just_begun_is_measured_by_what_is_over_of_it() -> None:
    assert day_status(Tally(healthy=3 * MINUTE), 5 * MINUTE) == "operational"


def strip_of(rows: Sequence[tuple[int, Row]], since: int = 0) -> DayBars:
    *closed, (_, today) = rows
    return day_bars(closed_day_bars(closed), today, since, NOW, Locale())


def test_the_newest_day_is_at_the_right() -> None:
    assert strip_of(days(WELL, well(down=DAY), SO_FAR)).segments == (
        BarSegment("none", 0, 87),
        BarSegment("operational", 87, 1),
        BarSegment("major_outage", 88, 1),
        BarSegment("operational", 89, 1),
    )


@pytest.mark.row("138")
def test_uptime_is_of_the_time_that_was_observed() -> None:
    tally = Tally(healthy=11 * HOUR, degraded=HOUR, down=4 * HOUR, unknown=2 * HOUR)
    strip = strip_of(days(tally, SO_FAR), TODAY - DAY)
    up, known = 12 * HOUR + NOW - TODAY, 16 * HOUR + NOW - TODAY
    assert strip.uptime == f"{100 * up / known - 0.005:.2f}"
    assert strip.coverage == f"{100 * known / (DAY + NOW - TODAY) - 0.005:.2f}"
    assert strip.days == 2


@pytest.mark.row("138")
def test_maintenance_counts_neither_way() -> None:
    rows = days(well(maintenance=6 * HOUR), SO_FAR)
    strip = strip_of(rows, TODAY - DAY)
    assert (strip.uptime, strip.coverage) == ("100.00", "100.00")


def test_time_before_the_first_result_is_not_missing() -> None:
    late = Tally(healthy=NOW - TODAY - HOUR)
    assert strip_of(days(late), TODAY + HOUR).coverage == "100.00"


@pytest.mark.row("138")
def test_no_uptime_without_a_result() -> None:
    strip = strip_of(days(), NOW)
    assert (strip.uptime, strip.coverage) == (None, None)
    assert strip.summary == "last day: no data"


def test_affected_days_are_listed_newest_first() -> None:
    slow = well(degraded=3 * HOUR + 20 * MINUTE)
    short = well(down=12 * MINUTE, unknown=30)
    strip = strip_of(days(short, WELL, slow, SO_FAR, before=WELL), 0)
    assert strip.summary == (
        "last 90 days: 99.99% uptime, 2 days with incidents: "
        "2 Aug 3 h 20 min degraded; 31 Jul 12 min down, under a minute unknown"
    )
    assert strip.details == "100.00g200 99.16d12u0"


def test_many_affected_days_are_counted() -> None:
    strip = strip_of(days(before=well(down=HOUR)), 0)
    assert strip.summary.endswith(": 3 Aug 1 h down; 2 Aug 1 h down; 1 Aug 1 h down; 87 more")


def test_maintenance_is_no_disruption() -> None:
    assert strip_of(days(Tally(maintenance=DAY), SO_FAR)).details == ""


def test_without_disruptions_it_says_so() -> None:
    strip = strip_of(days(SO_FAR, before=WELL), 0)
    assert strip.summary == ("last 90 days: 100.00% uptime, no days with incidents")
    assert strip.segments == (BarSegment("operational", 0, 89), BarSegment("operational", 89, 1))


def enough(*last: Row) -> bool:
    *closed, (_, today) = days(*last)
    return has_enough_days(closed_day_bars(closed), today)


def test_days_are_shown_from_the_third_on() -> None:
    assert not enough(WELL, SO_FAR)
    assert not enough(WELL, Tally(), SO_FAR)
    assert enough(WELL, WELL, SO_FAR)
