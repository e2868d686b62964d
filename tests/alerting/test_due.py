"""A checker with an interval of its own waits its turn."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkup.alerting.apply import AlertRules, apply_runs
from checkup.alerting.state import AlertState, CheckerState
from checkup.interfaces import Checker
from checkup.pipeline.run import is_due
from tests.alerting.worlds import MINUTE, run, slot, toy

STEPS = st.integers(1, 8).map(lambda minutes: minutes * MINUTE)


def looks(checker: Checker, slots: list[int], *, step: int = 0) -> list[int]:
    """Return the slots in which it is looked at, if each run is applied before the next."""
    state, found = CheckerState(), []
    for moment in slots:
        if is_due(checker, moment, state, step):
            found.append(moment)
            state = CheckerState(last_checked=moment)
    return found


def test_checker_without_an_interval_is_always_due() -> None:
    slots = [slot(number) for number in range(5)]
    assert looks(toy("a"), slots) == slots


def test_checker_is_due_once_in_each_of_its_intervals() -> None:
    slots = [number * MINUTE for number in range(1, 17)]
    assert [at // MINUTE for at in looks(toy("a", interval=5 * MINUTE), slots)] == [1, 5, 10, 15]


def test_checker_that_nobody_knows_is_due() -> None:
    assert is_due(toy("a", interval=60 * MINUTE), slot(3), None)


def test_runs_that_come_early_or_late_move_nothing() -> None:
    slots = [number * MINUTE + (7 if number % 2 else 3) for number in range(5, 17)]
    assert [at // MINUTE for at in looks(toy("a", interval=5 * MINUTE), slots)] == [5, 10, 15]


def test_interval_that_is_no_multiple_of_the_runs_is_kept_on_average() -> None:
    slots = [number * MINUTE for number in range(3, 63)]
    assert len(looks(toy("a", interval=3 * MINUTE // 2), slots)) == 40


def test_runs_that_are_rarer_than_the_interval_all_look() -> None:
    slots = [number * 10 * MINUTE for number in range(1, 7)]
    assert looks(toy("a", interval=3 * MINUTE), slots) == slots


def test_clock_that_was_ahead_silences_nothing() -> None:
    ahead = CheckerState(last_checked=slot(10_000))
    assert is_due(toy("a", interval=5 * MINUTE), slot(3), ahead)


@given(STEPS, STEPS, st.integers(0, 10**6))
def test_checker_is_looked_at_once_per_interval_and_never_forgotten(
    interval: int, step: int, begin: int
) -> None:
    slots = [(begin + number) * step for number in range(1, 60)]
    found = looks(toy("a", interval=interval), slots)
    windows = [at // interval for at in found]

    assert len(set(windows)) == len(windows)
    assert set(windows) == {at // interval for at in slots}


@given(STEPS, st.integers(2, 10**6), st.sets(st.integers(1, 40)))
def test_regions_agree_without_knowing_what_the_others_have_seen(
    interval: int, begin: int, unfolded: set[int]
) -> None:
    checker = toy("a", interval=interval)
    known = CheckerState(last_checked=begin * interval)
    behind = CheckerState(last_checked=begin * interval - interval)
    for number in range(1, 40):
        moment = begin * interval + number * MINUTE
        if moment - behind.last_checked < 2 * interval:
            other = behind if number in unfolded else known
            assert is_due(checker, moment, known, MINUTE) == is_due(checker, moment, other, MINUTE)


def test_regions_make_up_for_an_interval_that_was_missed() -> None:
    checker, state = toy("a", interval=5 * MINUTE), CheckerState(last_checked=5 * MINUTE)
    due = [number for number in range(6, 18) if is_due(checker, number * MINUTE, state, MINUTE)]
    assert due == [10, 15, 16, 17]


@pytest.mark.parametrize(("interval", "looked"), [(0, 0), (5 * MINUTE, slot(2))])
def test_state_remembers_the_last_look_only_of_those_that_wait(interval: int, looked: int) -> None:
    rules = AlertRules(checkers=[toy("a", interval=interval)])
    runs = [run(1, {"a": "h"}), run(2, {"a": "h"}), run(3, {})]

    state = apply_runs(AlertState(), runs, rules, slot(9)).state

    assert state.checkers["a"].last_checked == looked


def test_run_without_a_checker_leaves_its_state_alone() -> None:
    rules = AlertRules(checkers=[toy("a", interval=5 * MINUTE)], channels=["slack"])
    before = apply_runs(AlertState(), [run(1, {"a": "d"})], rules, slot(9)).state

    after = apply_runs(before, [run(number, {}) for number in range(2, 5)], rules, slot(9))

    assert after.alerts == ()
    assert after.state.checkers == before.checkers
