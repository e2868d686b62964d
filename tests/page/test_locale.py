from __future__ import annotations

import pytest

from checkup.times import DAY, HOUR, MINUTE, SECOND
from checkup_page.locale import Locale
from tests.page.worlds import NOW

LOCALE = Locale()


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        pytest.param(3 * SECOND, "every 3 seconds", id="seconds"),
        pytest.param(SECOND // 10, "every second", id="less-than-a-second"),
        pytest.param(60 * SECOND, "every minute", id="minute"),
        pytest.param(61 * SECOND, "every minute", id="measured-a-little-late"),
        pytest.param(90 * SECOND, "every 90 seconds", id="minute-and-a-half"),
        pytest.param(10 * MINUTE, "every 10 minutes", id="minutes"),
        pytest.param(HOUR, "every hour", id="hour"),
        pytest.param(HOUR + 30 * MINUTE, "every 90 minutes", id="hour-and-a-half"),
        pytest.param(DAY + MINUTE, "every day", id="day"),
        pytest.param(7 * DAY, "every 7 days", id="week"),
        pytest.param(485 * HOUR, "every 20 days", id="irregular"),
    ],
)
def test_interval_is_rounded_to_what_was_meant(interval: int, words: str) -> None:
    assert LOCALE.format_interval(interval) == words


@pytest.mark.parametrize(
    ("time", "words"),
    [
        (850_000, "850 µs"),
        (98_400_000, "98 ms"),
        (999_999_999, "999 ms"),
        (1_240_000_000, "1.24 s"),
        (12_340_000_000, "12.3 s"),
    ],
)
def test_response_times_have_three_figures(time: int, words: str) -> None:
    assert LOCALE.format_response_time(time) == words


def test_times_are_absolute_and_in_utc() -> None:
    assert LOCALE.format_datetime(NOW) == "3 Aug 2026, 10:02 UTC"


@pytest.mark.row("F15")
def test_noon_and_midnight_cannot_be_confused() -> None:
    noon = 1_785_758_400 * SECOND
    assert LOCALE.format_datetime(noon) == "3 Aug 2026, 12:00 UTC"
    assert LOCALE.format_datetime(noon + 12 * HOUR) == "4 Aug 2026, 00:00 UTC"


@pytest.mark.parametrize("time", [-1, 0, 10**30])
def test_impossible_times_have_a_text(time: int) -> None:
    assert LOCALE.format_datetime(time).endswith("UTC")


def test_one_has_no_plural() -> None:
    assert LOCALE.translate("days.last", n=1) == "last day"
    assert LOCALE.translate("days.last", n=2) == "last 2 days"


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        ("Asia/Seoul", "3 Aug 2026, 19:02 KST"),
        ("Europe/Berlin", "3 Aug 2026, 12:02 CEST"),
        ("America/Sao_Paulo", "3 Aug 2026, 07:02 -03"),
    ],
)
def test_times_are_shown_in_the_zone_of_the_page_and_name_it(zone: str, words: str) -> None:
    assert Locale(zone=zone).format_datetime(NOW) == words


def test_days_stay_days_of_utc() -> None:
    assert Locale(zone="Asia/Seoul").format_day(NOW + 10 * HOUR) == "3 Aug"


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (47 * HOUR + 59 * MINUTE, "47 h 59 min"),
        (48 * HOUR, "2 d"),
        (74 * HOUR + MINUTE, "3 d 2 h"),
        (151 * 24 * HOUR, "151 d"),
    ],
)
def test_what_takes_days_is_shown_in_days(length: int, words: str) -> None:
    assert LOCALE.format_duration(length) == words
