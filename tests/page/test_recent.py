from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from checkup.model import Attempt, Status
from checkup_page.components.recent import COLUMNS, Segment, response_time, strip, strokes
from checkup_page.speech.voice import Voice
from checkup_page.state import State
from tests.page.worlds import MILLISECOND, checker, result

UP, DOWN, SLOW = State.OPERATIONAL, State.MAJOR, State.DEGRADED
VOICE = Voice()
API = checker("API")


def seen(*states: State | None) -> list[tuple[int, State | None]]:
    return list(enumerate(states))


def test_equal_neighbours_are_one_segment() -> None:
    drawn = strip(seen(*[UP] * 60, DOWN, DOWN, *[UP] * 28), VOICE)
    assert drawn.segments == (
        Segment("operational", 0, 60),
        Segment("major_outage", 60, 2),
        Segment("operational", 62, 28),
    )


def test_bars_of_one_look_are_one_path() -> None:
    drawn = strip(seen(*[UP] * 60, DOWN, *[UP] * 29), VOICE)
    assert strokes(drawn.segments) == {
        "operational": "M0 16h60M61 16h29",
        "major_outage": "M60 16h1",
    }


def test_the_newest_result_is_at_the_right_and_what_is_missing_at_the_left() -> None:
    assert strip(seen(UP, DOWN), VOICE).segments == (
        Segment("none", 0, 88),
        Segment("operational", 88, 1),
        Segment("major_outage", 89, 1),
    )


def test_only_the_newest_results_are_drawn() -> None:
    drawn = strip(seen(*[DOWN] * 10, *[UP] * 90), VOICE)
    assert drawn.segments == (Segment("operational", 0, 90),)


def test_each_width_knows_the_time_of_its_first_bar() -> None:
    assert strip(seen(*[UP] * 90), VOICE).starts == (0, 30, 60)


def test_a_width_that_begins_before_the_first_result_has_no_time() -> None:
    assert strip(seen(*[UP] * 45), VOICE).starts == (None, None, 15)


def test_the_summary_counts_what_was_seen() -> None:
    drawn = strip(seen(UP, UP, DOWN, SLOW, State.UNKNOWN, None), VOICE)
    assert drawn.summary == (
        "last 6 runs: 2 operational, 1 degraded, 1 major outage, 1 unknown, 1 without a result"
    )


def test_without_results_the_strip_says_so() -> None:
    drawn = strip([], VOICE)
    assert (drawn.summary, drawn.segments) == ("no results yet", (Segment("none", 0, 90),))


def test_changes_are_listed_newest_first() -> None:
    spans = strip(seen(UP, DOWN, DOWN, UP), VOICE).spans
    assert [(span.state, span.first, span.last) for span in spans] == [
        (UP, 3, 3),
        (DOWN, 1, 2),
        (UP, 0, 0),
    ]


def test_without_a_change_there_is_no_list() -> None:
    assert strip(seen(*[UP] * 50), VOICE).spans == ()


def test_a_long_list_of_changes_is_cut() -> None:
    drawn = strip(seen(*[UP, DOWN] * 40), VOICE)
    assert (len(drawn.spans), drawn.more) == (10, True)


@given(st.lists(st.sampled_from([*State, None]), max_size=200))
def test_segments_fill_the_strip_without_gaps(states: list[State | None]) -> None:
    segments = strip(seen(*states), VOICE).segments
    ends = [segment.start + segment.length for segment in segments]
    assert [segment.start for segment in segments] == [0, *ends[:-1]]
    assert ends[-1] == COLUMNS


def test_the_response_time_is_the_median_of_the_attempts_f07() -> None:
    three = tuple(Attempt(rtt=rtt) for rtt in (300, 100, 200))
    assert response_time(replace(result(API), times=three)) == 200


@pytest.mark.parametrize("status", [Status.DOWN, Status.UNKNOWN])
def test_what_failed_has_no_response_time(status: Status) -> None:
    failed = replace(result(API, status), times=(Attempt(rtt=5 * MILLISECOND),))
    assert response_time(failed) is None


def test_a_result_without_attempts_has_no_response_time() -> None:
    assert response_time(replace(result(API), times=())) is None
