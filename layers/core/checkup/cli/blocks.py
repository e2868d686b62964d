"""How a result looks on a terminal: the Go program's layout, byte for byte.

The notice and the message are not part of it; ``-v`` explains on stderr instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from checkup.duration import format_duration
from checkup.model import Attempt, Result, Status
from checkup.stats import rtt_stats

_COLOURS: Final = {
    Status.HEALTHY: "\x1b[32m",
    Status.DEGRADED: "\x1b[33m",
    Status.DOWN: "\x1b[31m",
}
_RESET: Final = "\x1b[0m"


def go_result_block(result: Result, *, colour: bool = False) -> str:
    """Return the lines of one result, the empty line after it included."""
    figures = rtt_stats(result.times)
    return (
        f"== {result.title} - {result.endpoint}\n"
        f"  Threshold: {format_duration(result.threshold)}\n"
        f"        Max: {format_duration(figures.max)}\n"
        f"        Min: {format_duration(figures.min)}\n"
        f"     Median: {format_duration(figures.median)}\n"
        f"       Mean: {format_duration(figures.mean)}\n"
        f"        All: {_all(result.times)}\n"
        f"{_assessment(result.status, colour=colour)}\n"
    )


def failure_lines(results: Iterable[Result]) -> Iterator[str]:
    """Yield a line for each result that is not healthy: what it is, and why."""
    for result in results:
        if result.status is not Status.HEALTHY:
            reason = result.error or result.notice or "nothing was seen"
            failure = f" ({result.failure})" if result.failure else ""
            yield f"{result.title}: {result.status}{failure}: {reason}"


def colored(text: str, status: Status, *, colour: bool) -> str:
    """Return the text in the colour of a status, if there are to be colours."""
    start = _COLOURS.get(status) if colour else None
    return f"{start}{text}{_RESET}" if start else text


def _all(attempts: Iterable[Attempt]) -> str:
    each = (f"{{{format_duration(attempt.rtt)} {attempt.error}}}" for attempt in attempts)
    return f"[{' '.join(each)}]"


def _assessment(status: Status, *, colour: bool) -> str:
    """Return the line with its end; the colour is reset at the start of the next line."""
    return colored(f" Assessment: {status}\n", status, colour=colour)
