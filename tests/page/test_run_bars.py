from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from checkup.model import Attempt, Status
from checkup_page.components.bars import COLUMNS, BarSegment, bar_paths, response_time, run_bars
from checkup_page.locale import Locale
from checkup_page.status import ComponentStatus
from tests.page.worlds import MILLISECOND, checker, result

UP, DOWN, SLOW = ComponentStatus.OPERATIONAL, ComponentStatus.MAJOR, ComponentStatus.DEGRADED
LOCALE = Locale()
API = checker("API")


def seen(*states: ComponentStatus | None) -> list[tuple[int, ComponentStatus | None]]:
    return list(enumerate(states))


def test_equal_neighbours_are_one_segment() -> None:
    drawn = run_bars(seen(*[UP] * 60, DOWN, DOWN, *[UP] * 28), LOCALE)
    assert drawn.segments == (
        BarSegment("operational", 0, 60),
        BarSegment("major_outage", 60, 2),
        BarSegment("operational", 62, 28),
    )


def test_bars_of_one_status_are_one_path() -> None:
    drawn = run_bars(seen(*[UP] * 60, DOWN, *[UP] * 29), LOCALE)
    assert bar_paths(drawn.segments) == {
        "operational": "M0 16h60M61 16h29",
        "major_outage": "M60 16h1",
    }


def test_the_newest_result_is_at_the_right_and_what_is_missing_at_the_left() -> None:
    assert run_bars(seen(UP, DOWN), LOCALE).segments == (
        BarSegment("none", 0, 88),
        BarSegment("operational", 88, 1),
        BarSegment("major_outage", 89, 1),
    )


def test_only_the_newest_results_are_drawn() -> None:
    drawn = run_bars(seen(*[DOWN] * 10, *[UP] * 90), LOCALE)
    assert drawn.segments == (BarSegment("operational", 0, 90),)


def test_each_width_knows_the_time_of_its_first_bar() -> None:
    assert run_bars(seen(*[UP] * 90), LOCALE).starts == (0, 30, 60)


def test_a_width_that_begins_before_the_first_result_has_no_time() -> None:
    assert run_bars(seen(*[UP] * 45), LOCALE).starts == (None, None, 15)


def test_the_summary_counts_what_was_seen() -> None:
    drawn = run_bars(seen(UP, UP, DOWN, SLOW, ComponentStatus.UNKNOWN, None), LOCALE)
    assert drawn.summary == (
        "last 6 runs: 2 operational, 1 degraded, 1 major outage, 1 unknown, 1 without a result"
    )


def test_without_results_the_bars_says_so() -> None:
    drawn = run_bars([], LOCALE)
    assert (drawn.summary, drawn.segments) == ("no results yet", (BarSegment("none", 0, 90),))


def test_changes_are_listed_newest_first() -> None:
    spans = run_bars(seen(UP, DOWN, DOWN, UP), LOCALE).periods
    assert [(period.state, period.first, period.last) for period in spans] == [
        (UP, 3, 3),
        (DOWN, 1, 2),
        (UP, 0, 0),
    ]


def test_a_status_that_may_be_older_than_the_first_bar_has_no_beginning() -> None:
    """Neither where 90 bars are full nor where the time frame is shorter."""
    for shown, first_seen in ((seen(*[UP] * 89, DOWN), None), (seen(UP, UP, DOWN)[1:], 0)):
        bars = run_bars(shown, LOCALE, first_seen=first_seen)
        assert [(it.state, it.first is None) for it in bars.periods] == [(DOWN, False), (UP, True)]
        assert bars.starts[0] == shown[0][0]


def test_a_status_since_the_first_result_of_all_begins_with_it() -> None:
    bars = run_bars(seen(UP, UP, DOWN), LOCALE, first_seen=0)
    assert [it.first for it in bars.periods] == [2, 0]
    assert bars.starts == (None, None, None)


def test_without_a_change_there_is_no_list() -> None:
    assert run_bars(seen(*[UP] * 50), LOCALE).periods == ()


def test_a_long_list_of_changes_is_cut() -> None:
    drawn = run_bars(seen(*[UP, DOWN] * 40), LOCALE)
    assert (len(drawn.periods), drawn.truncated) == (10, True)


@given(st.lists(st.sampled_from([*ComponentStatus, None]), max_size=200))
def test_segments_fill_the_bars_without_gaps(states: list[ComponentStatus | None]) -> None:
    segments = run_bars(seen(*states), LOCALE).segments
    ends = [segment.start + segment.length for segment in segments]
    assert [segment.start for segment in segments] == [0, *ends[:-1]]
    assert ends[-1] == COLUMNS


@pytest.mark.row("F07")
def test_the_response_time_is_the_median_of_the_attempts() -> None:
    three = tuple(Attempt(rtt=rtt) for rtt in (300, 100, 200))
    assert response_time(replace(result(API), attempts=three)) == 200


@pytest.mark.parametrize("status", [Status.DOWN, Status.UNKNOWN])
def test_what_failed_has_no_response_time(status: Status) -> None:
    failed = replace(result(API, status), attempts=(Attempt(rtt=5 * MILLISECOND),))
    assert response_time(failed) is None


def test_a_result_without_attempts_has_no_response_time() -> None:
    assert response_time(replace(result(API), attempts=())) is None
