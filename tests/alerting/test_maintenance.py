"""Windows, once and again and again, through the days on which clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given
from hypothesis import strategies as st

from checkup.maintenance import MaintenanceWindow, parse_rrule
from checkup.times import SECOND

HOUR = 3600 * SECOND


def moment(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


def window(start: str, rule: str = "", hours: float = 2, zone: str = "UTC") -> MaintenanceWindow:
    return MaintenanceWindow(
        start=moment(start),
        duration=int(hours * HOUR),
        rule=parse_rrule(rule) if rule else None,
        timezone=zone,
    )


def is_open(of: MaintenanceWindow, at: str) -> bool:
    return of.end_at(moment(at)) > 0


def test_window_is_open_from_its_start_until_before_its_end() -> None:
    once = window("2026-03-01 22:00")

    assert not is_open(once, "2026-03-01 21:59:59")
    assert once.end_at(moment("2026-03-01 22:00")) == moment("2026-03-02 00:00")
    assert is_open(once, "2026-03-01 23:59:59")
    assert not is_open(once, "2026-03-02 00:00")


def test_weekly_window_comes_again_across_midnight() -> None:
    sundays = window("2026-03-01 23:00", "FREQ=WEEKLY")

    assert sundays.end_at(moment("2026-03-09 00:30")) == moment("2026-03-09 01:00")
    assert not is_open(sundays, "2026-03-10 00:30")
    assert not is_open(sundays, "2026-02-22 23:30")


def test_window_of_several_days_is_one_time() -> None:
    long = window("2026-03-01 12:00", "FREQ=MONTHLY", hours=60)

    assert long.end_at(moment("2026-04-03 23:00")) == moment("2026-04-04 00:00")
    assert not is_open(long, "2026-04-04 00:00")


@pytest.mark.row("18")
@pytest.mark.parametrize(
    ("zone", "start", "winter", "summer"),
    [
        ("Europe/Berlin", "2026-01-04 01:30", "2026-02-01 01:30", "2026-07-05 00:30"),
        ("America/New_York", "2026-01-04 07:30", "2026-02-01 07:30", "2026-07-05 06:30"),
        ("Australia/Lord_Howe", "2026-01-03 15:30", "2026-01-31 15:30", "2026-07-04 16:00"),
    ],
)
def test_window_follows_the_clock_on_the_wall(
    zone: str, start: str, winter: str, summer: str
) -> None:
    weekly = window(start, "FREQ=WEEKLY", hours=1, zone=zone)

    for at in (winter, summer):
        begin = moment(at)
        assert weekly.end_at(begin) == begin + HOUR
        assert weekly.end_at(begin - SECOND) == 0


@pytest.mark.parametrize(
    ("day", "begins"),
    [
        pytest.param("2026-03-29", "2026-03-29 01:30", id="18-time-that-does-not-exist"),
        pytest.param("2026-10-25", "2026-10-25 00:30", id="18-time-that-comes-twice"),
    ],
)
def test_window_on_the_day_that_the_clocks_change(day: str, begins: str) -> None:
    nightly = window("2026-01-01 01:30", "FREQ=DAILY", hours=1, zone="Europe/Berlin")
    start = moment(begins)

    assert nightly.end_at(start) == start + HOUR
    midnight = moment(f"{day} 00:00") - 2 * HOUR
    opened = [n for n in range(24 * 60) if nightly.end_at(midnight + n * 60 * SECOND)]
    assert len(opened) == 60


RULES = [
    "FREQ=DAILY",
    "FREQ=DAILY;INTERVAL=3",
    "FREQ=DAILY;BYDAY=SA,SU",
    "FREQ=DAILY;BYMONTH=2,6",
    "FREQ=WEEKLY;BYDAY=MO,WE",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=SU",
    "FREQ=MONTHLY",
    "FREQ=MONTHLY;BYDAY=1TU",
    "FREQ=MONTHLY;BYDAY=-1FR,2MO",
    "FREQ=MONTHLY;BYDAY=SU",
    "FREQ=MONTHLY;BYMONTHDAY=1,15,-1",
    "FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=31",
    "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
    "FREQ=YEARLY",
    "FREQ=YEARLY;BYMONTH=1,7;BYMONTHDAY=4",
    "FREQ=YEARLY;BYMONTH=11;BYDAY=4TH",
    "FREQ=WEEKLY;COUNT=5",
    "FREQ=MONTHLY;UNTIL=20270601T000000Z",
    "RRULE:freq=weekly;byday=mo",
]
FIRSTS = st.dates(date(2025, 1, 1), date(2028, 12, 31))


@pytest.mark.parametrize("text", RULES)
@given(first=FIRSTS)
def test_rule_means_what_it_means_to_others(text: str, first: date) -> None:
    rule, days = parse_rrule(text), 500
    start = datetime(first.year, first.month, first.day, tzinfo=UTC)
    named = "UNTIL" not in text
    other = rrulestr(text.upper(), dtstart=start)
    if named and rule.count:  # the first time counts for us, as the RFC has it, and not for them
        return
    theirs = {at.date() for at in other.between(start, start + timedelta(days), inc=True)}

    span = [first + timedelta(number) for number in range(days)]
    assert {day for day in span if rule.occurs_on(day, first)} == {
        day for day in theirs | {first} if day in span and (rule.until is None or day <= rule.until)
    }


def test_rule_that_counts_has_an_end() -> None:
    rule, first = parse_rrule("FREQ=WEEKLY;COUNT=3"), date(2026, 3, 2)

    happens = [n for n in range(60) if rule.occurs_on(first + timedelta(n), first)]

    assert happens == [0, 7, 14]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "needs a FREQ"),
        ("every sunday", 'the part "EVERY SUNDAY"'),
        ("FREQ=HOURLY", "needs a FREQ, one of DAILY"),
        ("FREQ=DAILY;BYHOUR=3", 'the part "BYHOUR"'),
        ("FREQ=WEEKLY;BYDAY=SUN", '"SUN" is no weekday'),
        ("FREQ=WEEKLY;BYDAY=1SU", "counts weekdays only in months"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL=0 is no number"),
        ("FREQ=DAILY;COUNT=x", "COUNT=X is no number"),
        ("FREQ=DAILY;COUNT=1;UNTIL=20260101", "either a COUNT or an UNTIL"),
        ("FREQ=DAILY;UNTIL=20261301", "UNTIL=20261301 is no day"),
        ("FREQ=DAILY;UNTIL=tomorrow", "is no day"),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "BYMONTHDAY=32 is no number"),
    ],
)
def test_what_is_no_rule_is_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match="repeat") as caught:
        parse_rrule(text)

    assert sentence in str(caught.value)
