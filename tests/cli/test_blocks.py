"""The Go program's layout of a result, byte for byte."""

from __future__ import annotations

import pytest

from checkup.cli.output import failure_lines, go_result_block
from checkup.model import Attempt, Result

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


@pytest.mark.parametrize("_", [pytest.param(0, id="E01")])
def test_block_has_seven_lines_and_an_empty_one(_: int) -> None:
    assert go_result_block(RESULT) == BLOCK


@pytest.mark.parametrize(
    ("attempts", "text"),
    [
        pytest.param((Attempt(rtt=5),), "[{5ns }]", id="E02-without-error"),
        pytest.param((Attempt(rtt=5, error="text"),), "[{5ns text}]", id="E02-with-error"),
        pytest.param((Attempt(error="two\nlines"),), "[{0s two\nlines}]", id="E02-lines"),
        pytest.param((), "[]", id="E02-none"),
    ],
)
def test_all_lists_each_attempt_with_its_error(attempts: tuple[Attempt, ...], text: str) -> None:
    assert f"        All: {text}\n Assessment" in go_result_block(Result(attempts=attempts))


@pytest.mark.parametrize(
    ("result", "start"),
    [
        pytest.param(Result(healthy=True), "\x1b[32m", id="E05-healthy-green"),
        pytest.param(Result(degraded=True), "\x1b[33m", id="E05-degraded-yellow"),
        pytest.param(Result(down=True), "\x1b[31m", id="E05-down-red"),
    ],
)
def test_colour_begins_before_the_assessment_and_ends_on_the_next_line(
    result: Result, start: str
) -> None:
    coloured = go_result_block(result, colour=True)

    assert coloured.endswith(f"]\n{start} Assessment: {result.status}\n\x1b[0m\n")
    assert coloured.replace(start, "").replace("\x1b[0m", "") == go_result_block(result)


def test_unknown_has_no_colour() -> None:
    assert go_result_block(Result(), colour=True) == go_result_block(Result())
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
        "dark: unknown: nothing was seen",
    ]
