from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkup.history.latency import (
    LatencyHistogram,
    bucket_midpoint,
    bucket_of,
    merge_histograms,
    subtract_histogram,
)

some_times = st.lists(st.integers(1, 10**11), max_size=60)


def times(of: list[int]) -> LatencyHistogram:
    buckets: dict[int, int] = {}
    for time in of:
        buckets[bucket_of(time)] = buckets.get(bucket_of(time), 0) + 1
    return LatencyHistogram(count=len(of), total=sum(of), buckets=tuple(sorted(buckets.items())))


@given(st.integers(0, 2**63 - 1))
def test_the_middle_of_a_bucket_is_close_to_all_that_is_in_it(time: int) -> None:
    assert abs(bucket_midpoint(bucket_of(time)) - time) * 32 <= time
    assert bucket_of(bucket_midpoint(bucket_of(time))) == bucket_of(time)


@given(st.integers(0, 2**62), st.integers(0, 2**62))
def test_a_longer_time_is_in_no_smaller_bucket(some: int, other: int) -> None:
    assert bucket_of(min(some, other)) <= bucket_of(max(some, other))


@given(some_times, some_times)
def test_buckets_of_two_periods_add_up(some: list[int], others: list[int]) -> None:
    assert merge_histograms([times(some), times(others)]) == times([*some, *others])


@given(some_times, some_times)
def test_what_was_added_can_be_taken_out_again(some: list[int], others: list[int]) -> None:
    assert subtract_histogram(
        merge_histograms([times(some), times(others)]), times(others)
    ) == times(some)


def test_what_was_not_added_cannot_be_taken_out() -> None:
    with pytest.raises(ValueError, match="not in that period"):
        subtract_histogram(times([100, 200]), times([100, 300]))


@given(some_times.filter(bool), st.floats(0, 1))
def test_a_quantile_is_right_to_three_per_cent(of: list[int], share: float) -> None:
    ranks = sorted(of)
    exact = ranks[max(1, -int(-share * len(of) // 1)) - 1]
    found = times(of).quantile(share)
    assert found is not None
    assert abs(found - exact) * 32 <= exact


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_without_times_there_is_no_quantile(share: float) -> None:
    assert LatencyHistogram().quantile(share) is None
