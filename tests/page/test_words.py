from __future__ import annotations

import pytest

from checkup.model import SECOND
from checkup_page.words import DAY, HOUR, MINUTE, cadence, clean, counted, elapsed, iso, moment
from tests.page.worlds import NOW


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
def test_cadence_is_rounded_to_what_was_meant(interval: int, words: str) -> None:
    assert cadence(interval) == words


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
    assert elapsed(time) == words


def test_times_are_absolute_and_in_utc() -> None:
    assert moment(NOW) == "3 Aug 2026, 10:02 UTC"
    assert iso(NOW + 123_456_789) == "2026-08-03T10:02:42.123Z"


def test_noon_and_midnight_cannot_be_confused_f15() -> None:
    noon = 1_785_758_400 * SECOND
    assert moment(noon) == "3 Aug 2026, 12:00 UTC"
    assert moment(noon + 12 * HOUR) == "4 Aug 2026, 00:00 UTC"


@pytest.mark.parametrize("time", [-1, 0, 10**30])
def test_impossible_times_have_a_text(time: int) -> None:
    assert moment(time).endswith("UTC")


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        pytest.param("  two\n lines\u2028here ", "two lines here", id="lines"),
        pytest.param("a\u202egnp.exe", "agnp.exe", id="bidi-override"),
        pytest.param("\u2066isolated\u2069", "isolated", id="bidi-isolate"),
        pytest.param("A\u200bP\ufeffI\u00ad", "API", id="invisible"),
        pytest.param("nul\x00 bell\x07 escape\x1b[31m", "nul bell escape[31m", id="control"),
        pytest.param("half \ud800 pair", "half pair", id="surrogate"),
        pytest.param("o" + "\u0301" * 50, "o" + "\u0301" * 4, id="combining-storm"),
        pytest.param("👩\u200d🔧 बा\u200cद", "👩\u200d🔧 बा\u200cद", id="joiners-stay"),
        pytest.param("\u200b\u200b", "", id="nothing-left"),
    ],
)
def test_foreign_text_stays_in_its_line_134_170(given: str, shown: str) -> None:
    assert clean(given, 40) == shown


def test_long_text_ends_in_an_ellipsis_134_170() -> None:
    assert clean("x" * 10_000, 20) == "x" * 19 + "…"


def test_text_of_the_allowed_length_is_whole() -> None:
    assert clean("x" * 20, 20) == "x" * 20


def test_one_has_no_plural() -> None:
    assert (counted(1, "run"), counted(2, "run")) == ("1 run", "2 runs")
