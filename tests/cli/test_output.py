"""What commands print: the Go program's layout of a result, tables, and results over time."""

from __future__ import annotations

import pytest

from checkup.cli.output import (
    cut_to_width,
    display_width,
    failure_lines,
    format_table,
    go_result_block,
    plural,
    result_rows,
    result_summary,
    sparkline,
)
from checkup.model import Attempt, Result
from checkup.times import MINUTE, SECOND

START = 1_700_000_000 * SECOND
DOWN = Result(title="Api", attempts=(Attempt(error="connection refused"),), down=True)
RESULT = Result(
    title="Api",
    endpoint="http://127.0.0.1/",
    threshold=500_000_000,
    attempts=(
        Attempt(rtt=4_479_321),
        Attempt(rtt=10_209_758),
        Attempt(rtt=2_986_514, error="response status 500 Internal Server Error"),
    ),
    down=True,
    notice="a notice",
    message="a message",
)
BLOCK = """\
== Api - http://127.0.0.1/
  Threshold: 500ms
        Max: 10.209758ms
        Min: 2.986514ms
     Median: 4.479321ms
       Mean: 5.891864ms
        All: [{4.479321ms } {10.209758ms } {2.986514ms response status 500 Internal Server Error}]
 Assessment: down

"""


@pytest.mark.row("E01")
def test_block_has_seven_lines_and_an_empty_one() -> None:
    assert go_result_block(RESULT) == BLOCK


@pytest.mark.row("E02")
@pytest.mark.parametrize(
    ("attempts", "text"),
    [
        pytest.param((Attempt(rtt=5),), "[{5ns }]", id="without-error"),
        pytest.param((Attempt(rtt=5, error="text"),), "[{5ns text}]", id="with-error"),
        pytest.param((Attempt(error="two\nlines"),), "[{0s two\nlines}]", id="lines"),
        pytest.param((), "[]", id="none"),
    ],
)
def test_all_lists_each_attempt_with_its_error(attempts: tuple[Attempt, ...], text: str) -> None:
    assert f"        All: {text}\n Assessment" in go_result_block(Result(attempts=attempts))


@pytest.mark.row("E05")
@pytest.mark.parametrize(
    ("result", "start"),
    [
        pytest.param(Result(healthy=True), "\x1b[32m", id="healthy-green"),
        pytest.param(Result(degraded=True), "\x1b[33m", id="degraded-yellow"),
        pytest.param(Result(down=True), "\x1b[31m", id="down-red"),
    ],
)
def test_color_begins_before_the_assessment_and_ends_on_the_next_line(
    result: Result, start: str
) -> None:
    colored = go_result_block(result, color=True)

    assert colored.endswith(f"]\n{start} Assessment: {result.status}\n\x1b[0m\n")
    assert colored.replace(start, "").replace("\x1b[0m", "") == go_result_block(result)


def test_unknown_has_no_color() -> None:
    assert go_result_block(Result(), color=True) == go_result_block(Result())
    assert " Assessment: unknown\n" in go_result_block(Result())


def test_explanation_names_what_is_not_healthy_and_why() -> None:
    refused = Attempt(error="connection refused", failure="connect_refused")
    results = [
        Result(title="fine", healthy=True),
        Result(title="slow", degraded=True, notice="too slow"),
        Result(title="gone", down=True, attempts=(refused,)),
        Result(title="dark"),
    ]

    assert list(failure_lines(results)) == [
        "slow: degraded: too slow",
        "gone: down (connect_refused): connection refused",
        "dark: unknown: no result",
    ]


# Tables


def test_columns_are_aligned_by_terminal_cells() -> None:
    rows = [("Web", "9", "x"), ("京都", "10", ""), ("e\u0301\x1b[31m!\x1b[0m", "100", "y")]

    assert format_table(rows, right={1}).splitlines() == [
        "Web     9  x",
        "京都   10",
        "e\u0301\x1b[31m!\x1b[0m    100  y",
    ]


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("plain", 5),
        ("京都", 4),
        ("\u1112\u1161\u11ab", 2),  # Korean, decomposed
        ("e\u0301", 1),
        ("a\u200bb", 2),
        ("\U0001f600", 2),
        ("\u2764\ufe0f", 2),
        ("\U0001f469\u200d\U0001f4bb", 2),
        ("\U0001f44d\U0001f3fd", 2),
        ("\x1b[31mred\x1b[0m", 3),
        ("", 0),
    ],
)
def test_width_is_that_of_a_terminal(text: str, cells: int) -> None:
    assert display_width(text) == cells


@pytest.mark.parametrize(
    ("text", "cells", "shown"),
    [("short", 5, "short"), ("longer", 5, "long…"), ("京都京都", 6, "京都…"), ("a b c", 3, "a…")],
)
def test_long_name_is_cut_to_its_cells(text: str, cells: int, shown: str) -> None:
    assert cut_to_width(text, cells) == shown


def test_empty_columns_and_empty_tables_take_no_space() -> None:
    assert format_table([("a", "", "b"), ("c", "", "d")]) == "a  b\nc  d"
    assert format_table([]) == ""


@pytest.mark.parametrize(
    ("number", "text"), [(0, "no runs"), (1, "1 run"), (2, "2 runs"), (1000, "1000 runs")]
)
def test_numbers_have_their_noun(number: int, text: str) -> None:
    assert plural(number, "run") == text


# Results over time


def healthy(milliseconds: int) -> Result:
    return Result(title="Api", attempts=(Attempt(rtt=milliseconds * 1_000_000),), healthy=True)


def in_turn(*results: Result) -> list[tuple[int, Result]]:
    return [(START + number * MINUTE, result) for number, result in enumerate(results)]


def test_blocks_are_as_high_as_the_times() -> None:
    assert sparkline(in_turn(*(healthy(n) for n in range(1, 9))), 80) == "▂▃▄▅▆▇██"


def test_a_stretch_shows_its_worst() -> None:
    results = [healthy(5)] * 100
    results[37] = DOWN
    line = sparkline(in_turn(*results), 10)
    assert line == "█" * 3 + "x" + "█" * 6


def test_what_is_unknown_is_not_drawn_as_a_time() -> None:
    assert sparkline(in_turn(Result(title="Api"), healthy(1)), 80) == "?█"


def test_a_line_is_never_wider_than_the_terminal() -> None:
    for columns in (1, 7, 40):
        assert len(sparkline(in_turn(*[healthy(5)] * 99), columns)) == columns


def test_only_outages_have_no_times() -> None:
    assert result_summary(in_turn(DOWN)) == "1 run: 1 down"


def test_colors_are_those_of_the_status() -> None:
    line = result_rows(in_turn(DOWN), color=True)
    assert "\x1b[31mdown    \x1b[0m" in line


def test_regions_and_messages_are_shown() -> None:
    result = Result(title="Api", healthy=True, region="eu", message="new disk", notice="slow")
    line = result_rows(in_turn(result))
    assert line == '2023-11-14 22:13:20Z  healthy   0s  eu  slow  "new disk"'
