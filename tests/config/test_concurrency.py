from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkup.checkers.tcp import TcpChecker
from checkup.config.settings import MAX_CONCURRENCY, MIN_CONCURRENCY, default_concurrency
from checkup.times import SECOND


def checkers(*timeouts: int) -> list[TcpChecker]:
    return [TcpChecker(timeout=seconds * SECOND) for seconds in timeouts]


@pytest.mark.row("A20")
@pytest.mark.parametrize(
    ("timeouts", "deadline", "number"),
    [
        pytest.param([], 60, MIN_CONCURRENCY, id="none"),
        pytest.param([10] * 6, 60, MIN_CONCURRENCY, id="few"),
        pytest.param([10] * 50, 60, 10, id="fifty-on-a-machine"),
        pytest.param([10] * 50, 25, 34, id="fifty-in-a-stack"),
        pytest.param([60] * 8, 60, 32, id="as-long-as-a-run"),
        pytest.param([10] * 5000, 25, MAX_CONCURRENCY, id="thousands"),
    ],
)
def test_as_many_run_at_once_as_it_takes(timeouts: list[int], deadline: int, number: int) -> None:
    assert default_concurrency(checkers(*timeouts), deadline * SECOND) == number


@given(st.lists(st.integers(1, 40), max_size=100))
def test_all_have_their_verdict_in_time_even_if_all_hang(timeouts: list[int]) -> None:
    deadline = 60
    number = default_concurrency(checkers(*timeouts), deadline * SECOND)

    ends = [0] * number  # of what each slot is busy with
    for seconds in timeouts:
        slot = ends.index(min(ends))
        ends[slot] += seconds

    assert max(ends) <= deadline
