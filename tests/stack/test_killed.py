"""What the schedule and the platform do to the deployed check function, and what it makes of it."""

from __future__ import annotations

import pytest

from tests.stack.doubling import TIMES, Doubled
from tests.stack.killing import Killed, Torn

KILLED = "Runtime exited with error: signal: killed"


@pytest.mark.row("1")
def test_event_that_two_functions_get_at_once_is_told_once(doubled: Doubled) -> None:
    assert doubled.told == [1] * TIMES


@pytest.mark.row("3")
def test_event_that_comes_again_moves_nothing(doubled: Doubled) -> None:
    before, after = doubled.again
    assert before == after


@pytest.mark.row("6")
def test_event_that_is_hours_late_is_kept_and_moves_nothing(doubled: Doubled) -> None:
    assert doubled.late["late"]
    assert doubled.late["run"] in doubled.kept_apart
    assert doubled.unmoved == doubled.again[1]


@pytest.mark.row("8")
def test_runs_that_overlap_are_all_stored_and_told_once(doubled: Doubled) -> None:
    assert doubled.together <= doubled.stored | doubled.kept_apart
    assert doubled.told_together == 1


@pytest.mark.row("11")
def test_run_that_is_killed_is_there_for_the_next_one(killed: Killed) -> None:
    assert all(KILLED in end for end in killed.ends)
    assert len(killed.runs) == 4


@pytest.mark.row("11")
def test_news_of_a_run_that_was_killed_are_told_once(killed: Killed) -> None:
    after_kill, next_run, after_another, last = killed.told
    assert after_kill == []
    assert ["User Service>* is down" in text for text in next_run] == [True]
    assert after_another == next_run
    assert ["User Service>* recovered" in text for text in last[1:]] == [True]
    assert not any("ossible duplicate" in text for text in last)


@pytest.mark.row("11")
def test_message_that_nobody_can_know_of_is_repeated_once_and_says_so(
    torn: Torn, repeated: list[str]
) -> None:
    assert KILLED in torn.end
    assert ["User Service>* recovered" in text for text in repeated] == [True, True]
    assert ["ossible duplicate" in text for text in repeated] == [False, True]
