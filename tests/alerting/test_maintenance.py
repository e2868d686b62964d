"""Windows, once and again and again, through the days on which clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given
from hypothesis import strategies as st

from checkup.maintenance import MaintenanceWindow, parse_rrule
from checkup.times import DAY, SECOND

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
    "RRULE:freq=weekly;byday=mo",
]
FIRSTS = st.dates(date(2025, 1, 1), date(2028, 12, 31))


@pytest.mark.parametrize("text", RULES)
@given(first=FIRSTS)
def test_rule_means_what_it_means_to_others(text: str, first: date) -> None:
    rule, days = parse_rrule(text), 500
    start = datetime(first.year, first.month, first.day, tzinfo=UTC)
    other = rrulestr(text.upper(), dtstart=start)
    if rule.count:  # the first time counts for us, as the RFC has it, and not for them
        return
    theirs = {at.date() for at in other.between(start, start + timedelta(days), inc=True)}

    span = [first + timedelta(number) for number in range(days)]
    assert {day for day in span if rule.occurs_on(day, first)} == {
        day for day in theirs | {first} if day in span
    }


@given(
    st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Tokyo", "Pacific/Kiritimati"]),
    FIRSTS,
    st.integers(0, 24 * 60 - 1),
    st.timedeltas(timedelta(0), timedelta(days=20)),
)
def test_rule_ends_when_it_ends_for_others(
    name: str, day: date, minutes: int, ahead: timedelta
) -> None:
    zone = ZoneInfo(name)
    wall = datetime.combine(day, time(minutes // 60, minutes % 60), zone)
    first = datetime.fromtimestamp(wall.timestamp(), zone)  # not in an hour that is skipped
    until = (first + ahead).replace(microsecond=0)
    text = f"FREQ=DAILY;UNTIL={until.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    start = int(first.timestamp()) * SECOND
    ours = MaintenanceWindow(start=start, duration=HOUR, rule=parse_rrule(text), timezone=name)

    theirs = [int(at.timestamp()) * SECOND for at in rrulestr(text, dtstart=first)]

    assert [*ours.starts_between(start, start + 30 * DAY)] == theirs


NY, TOKYO = "America/New_York", "Asia/Tokyo"


@pytest.mark.parametrize(
    ("zone", "start", "until", "last"),
    [
        pytest.param(NY, "2026-01-02 03:00", "20260110T030000Z", "2026-01-10 03:00", id="utc"),
        pytest.param(NY, "2026-01-02 03:00", "20260110T025959Z", "2026-01-09 03:00", id="before"),
        pytest.param(NY, "2026-01-02 03:00", "20260109T220000", "2026-01-10 03:00", id="local"),
        pytest.param(NY, "2026-01-02 03:00", "20260109T215959", "2026-01-09 03:00", id="local-1s"),
        pytest.param(NY, "2026-01-02 03:00", "20260109", "2026-01-10 03:00", id="date"),
        pytest.param(TOKYO, "2026-01-01 20:00", "20260109T200000Z", "2026-01-09 20:00", id="east"),
        pytest.param(TOKYO, "2026-01-01 20:00", "20260110", "2026-01-09 20:00", id="east-date"),
        pytest.param("UTC", "2026-01-01 22:00", "20260109T210000Z", "2026-01-08 22:00", id="hour"),
        pytest.param(  # 02:30 of that night does not exist in Berlin
            "Europe/Berlin",
            "2026-03-27 01:30",
            "20260329T023000",
            "2026-03-29 01:30",
            id="clocks-forward",
        ),
        pytest.param(  # 02:30 of that night comes twice in Berlin
            "Europe/Berlin",
            "2026-10-22 00:30",
            "20261025T003000Z",
            "2026-10-25 00:30",
            id="clocks-back",
        ),
    ],
)
def test_until_is_compared_as_a_full_timestamp(
    zone: str, start: str, until: str, last: str
) -> None:
    daily = window(start, f"FREQ=DAILY;UNTIL={until}", hours=1, zone=zone)

    begins = [*daily.starts_between(moment(start), moment(last) + 40 * DAY)]

    assert begins[-1] == moment(last)
    assert is_open(daily, last)
    assert not daily.end_at(moment(last) + DAY + HOUR // 2)


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
        ("FREQ=DAILY;UNTIL=20261301", "UNTIL=20261301 is no date"),
        ("FREQ=DAILY;UNTIL=tomorrow", "is no date"),
        ("FREQ=DAILY;UNTIL=20261231T250000Z", "is no date"),
        ("FREQ=DAILY;UNTIL=20261231T2200Z", "and no time such as 20261231T220000Z"),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "BYMONTHDAY=32 is no number"),
    ],
)
def test_what_is_no_rule_is_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match="repeat") as caught:
        parse_rrule(text)

    assert sentence in str(caught.value)
