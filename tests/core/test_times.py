"""Lengths of time as Go writes and reads them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkup.times import format_duration, parse_duration

SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "0s"),
        (1, "1ns"),
        (999, "999ns"),
        (1000, "1\u00b5s"),
        (1500, "1.5\u00b5s"),
        (999_999, "999.999\u00b5s"),
        (1_000_000, "1ms"),
        (1_234_567, "1.234567ms"),
        (10_209_758, "10.209758ms"),
        (500_000_000, "500ms"),
        (999_999_999, "999.999999ms"),
        (1_000_000_000, "1s"),
        (1_500_000_000, "1.5s"),
        (60_000_000_000, "1m0s"),
        (61_500_000_000, "1m1.5s"),
        (3_600_000_000_000, "1h0m0s"),
        (86_400_000_000_000, "24h0m0s"),
        (1_209_600_000_000_000, "336h0m0s"),
        (-1_500_000, "-1.5ms"),
        (2**63 - 1, "2562047h47m16.854775807s"),
    ],
)
def test_written_as_go_writes_it(nanoseconds: int, text: str) -> None:
    assert format_duration(nanoseconds) == text


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("1.5h", 5400 * SECOND),
        (".5s", SECOND // 2),
        ("1.s", SECOND),
        ("+5s", 5 * SECOND),
        ("-1.5h", -5400 * SECOND),
        ("0", 0),
        ("-0", 0),
        ("1h30m", 5400 * SECOND),
        ("1h1h", 7200 * SECOND),
        ("500ms", SECOND // 2),
        ("7us", 7000),
        ("7\u00b5s", 7000),
        ("7\u03bcs", 7000),
        ("9ns", 9),
        ("0.9ns", 0),
        ("9223372036854775807ns", 2**63 - 1),
        ("336h", 14 * 86_400 * SECOND),
        ("14d", 14 * 86_400 * SECOND),
        ("2w", 14 * 86_400 * SECOND),
        ("1d12h30m", 131_400 * SECOND),
        ("-0.5d", -43_200 * SECOND),
    ],
)
def test_read_as_go_reads_it(text: str, nanoseconds: int) -> None:
    assert parse_duration(text) == nanoseconds


@pytest.mark.parametrize(
    "text",
    ["1", "1D", "1y", " 1s", "1s ", "", "1e3s", "+", "-", ".s", "s", "1.2.3s", "1 s", "--1s", "1S"],
)
def test_what_go_refuses_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match='write it like "500ms", "10s", "1h30m" or "30d"'):
        parse_duration(text)


@pytest.mark.parametrize("text", ["9223372036854775808ns", "2562048h", "9" * 400 + "h"])
def test_longer_than_go_can_count_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="292 years"):
        parse_duration(text)


@given(st.integers(-(2**63) + 1, 2**63 - 1))
def test_what_is_written_reads_back_the_same(nanoseconds: int) -> None:
    assert parse_duration(format_duration(nanoseconds)) == nanoseconds


@given(st.text(max_size=20))
def test_any_text_is_a_duration_or_a_value_error(text: str) -> None:
    try:
        nanoseconds = parse_duration(text)
    except ValueError:
        return
    assert abs(nanoseconds) < 2**63
