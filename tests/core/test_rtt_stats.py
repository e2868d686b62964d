"""The statistics that the Go program prints, with its arithmetic."""

from __future__ import annotations

import pytest

from checkup.model import Attempt, RttStats, rtt_stats


def of(*rtts: int) -> RttStats:
    return rtt_stats([Attempt(rtt=rtt) for rtt in rtts])


def test_no_attempts_have_no_statistics() -> None:
    assert of() == RttStats(total=0, mean=0, median=0, min=0, max=0)


def test_one_attempt_is_everything() -> None:
    assert of(5) == RttStats(total=5, mean=5, median=5, min=5, max=5)


def test_order_does_not_matter() -> None:
    assert of(7, 5, 6) == of(5, 6, 7) == RttStats(total=18, mean=6, median=6, min=5, max=7)


@pytest.mark.row("B05", "C29")
@pytest.mark.parametrize(
    ("rtts", "median"),
    [
        pytest.param((1, 2), 1, id="rounded-down"),
        pytest.param((4, 1, 3, 2), 2, id="four"),
        pytest.param((10, 20, 30, 41), 25, id="middle-two"),
    ],
)
def test_median_of_an_even_number_is_the_integer_mean_of_the_middle_two(
    rtts: tuple[int, ...], median: int
) -> None:
    assert of(*rtts).median == median


def test_mean_is_an_integer() -> None:
    assert of(1, 1, 3).mean == 1


@pytest.mark.row("C29")
@pytest.mark.parametrize(
    ("rtts", "lowest"),
    [
        pytest.param((5, 0, 7), 7, id="zero-in-the-middle"),
        pytest.param((5, 0), 0, id="zero-at-the-end"),
        pytest.param((0, 5, 3), 3, id="zero-at-the-start"),
        pytest.param((0, 0), 0, id="nothing-but-zeros"),
    ],
)
def test_zero_means_not_set_yet_to_the_minimum(rtts: tuple[int, ...], lowest: int) -> None:
    assert of(*rtts).min == lowest


def test_failed_attempts_count() -> None:
    attempts = [Attempt(rtt=4), Attempt(rtt=8, error="refused", failure="connect_refused")]
    assert rtt_stats(attempts) == RttStats(total=12, mean=6, median=6, min=4, max=8)
