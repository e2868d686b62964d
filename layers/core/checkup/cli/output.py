"""How a result looks on a terminal: the Go program's layout, byte for byte.

The notice and the message are not part of it; ``-v`` explains on stderr instead.
"""

from __future__ import annotations

import errno
import logging
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from io import TextIOWrapper
from statistics import median
from threading import Event, Thread
from typing import Final, TypeAlias

from checkup.model import Attempt, Result, Status, rtt_stats
from checkup.times import SECOND, format_duration

_COLOURS: Final = {
    Status.HEALTHY: "\x1b[32m",
    Status.DEGRADED: "\x1b[33m",
    Status.DOWN: "\x1b[31m",
}

_RESET: Final = "\x1b[0m"


def go_result_block(result: Result, *, colour: bool = False) -> str:
    """Return the lines of one result, the empty line after it included."""
    figures = rtt_stats(result.attempts)
    return (
        f"== {result.title} - {result.endpoint}\n"
        f"  Threshold: {format_duration(result.threshold)}\n"
        f"        Max: {format_duration(figures.max)}\n"
        f"        Min: {format_duration(figures.min)}\n"
        f"     Median: {format_duration(figures.median)}\n"
        f"       Mean: {format_duration(figures.mean)}\n"
        f"        All: {_all(result.attempts)}\n"
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


# Results of one checker over time: as a table, and as a line of blocks.


TimedResults: TypeAlias = Sequence[tuple[int, Result]]
"""Results with the moments of their runs, oldest first; never empty."""

_MICROSECOND: Final = 1_000
_BLOCKS: Final = "▁▂▃▄▅▆▇█"
_DOWN: Final = "x"
_UNKNOWN: Final = "?"
_WIDEST: Final = 120


def result_rows(seen: TimedResults, *, colour: bool = False) -> Iterator[str]:
    """Yield a line for each result: when, what, how long it took, and why."""
    times = [median_time(result) for _, result in seen]
    width = max(map(len, times))
    for (slot, result), took in zip(seen, times, strict=True):
        when = f"{datetime.fromtimestamp(slot // SECOND, UTC):%Y-%m-%d %H:%M:%S}Z"
        status = colored(f"{result.status:<8}", result.status, colour=colour)
        place = f"{result.region}  " if result.region else ""
        yield f"{when}  {status}  {took:>{width}}  {place}{result_reason(result)}".rstrip()


def sparkline(seen: TimedResults, columns: int, *, colour: bool = False) -> str:
    """Return a line of blocks, as high as the longest time of each stretch.

    A stretch in which the checker was down has a cross, and one without a verdict a question
    mark.
    """
    width = min(columns, _WIDEST, len(seen))
    highest = max(_rtt(result) for _, result in seen)
    stretches = (
        [result for _, result in seen[len(seen) * n // width : len(seen) * (n + 1) // width]]
        for n in range(width)
    )
    return "".join(_block(stretch, highest, colour=colour) for stretch in stretches)


def result_summary(seen: TimedResults) -> str:
    """Return how many results there are of each status, and how long they took."""
    counts = Counter(result.status for _, result in seen)
    statuses = ", ".join(f"{counts[status]} {status}" for status in Status if counts[status])
    number = f"{len(seen)} run{'s' if len(seen) > 1 else ''}"
    times = [_rtt(result) for _, result in seen if result.status is not Status.DOWN]
    if not times:
        return f"{number}: {statuses}"
    middle, longest = _short(int(median(times))), _short(max(times))
    return f"{number}: {statuses}; median {middle}, longest {longest}"


def _block(stretch: Sequence[Result], highest: int, *, colour: bool) -> str:
    status = Status.worst(result.status for result in stretch)
    if status is Status.DOWN:
        sign = _DOWN
    elif status is Status.UNKNOWN:
        sign = _UNKNOWN
    else:
        longest = max(_rtt(result) for result in stretch)
        sign = _BLOCKS[min(longest * len(_BLOCKS) // (highest or 1), len(_BLOCKS) - 1)]
    return colored(sign, status, colour=colour)


def median_time(result: Result) -> str:
    """Return the median time of a result."""
    return _short(_rtt(result))


def _rtt(result: Result) -> int:
    return rtt_stats(result.attempts).median


def _short(nanoseconds: int) -> str:
    """Return a time to the microsecond."""
    return format_duration(round(nanoseconds, -3) if nanoseconds > _MICROSECOND else nanoseconds)


def result_reason(result: Result) -> str:
    """Return what a result says besides its status, which is often nothing."""
    reason = result.error or result.notice
    failure = f" ({result.failure})" if result.failure else ""
    return f"{reason}{failure}" + (f'  "{result.message}"' if result.message else "")


# Where the program's words go: results to stdout, everything else to stderr.


_STDOUT: Final = 1
_STDERR: Final = 2
_LOST = {errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}


def log_line(text: str) -> None:
    """Write a line to stderr as the Go program does: date, time, text.

    What cannot be written there, because a disk is full for example, is no reason to stop.

    Raises:
        BrokenPipeError: whoever read it went away.
    """
    if sys.stderr is None:  # it was closed, and print would take stdout instead
        return
    stamp = time.strftime("%Y/%m/%d %H:%M:%S")
    try:
        for line in text.splitlines():
            print(stamp, line, file=sys.stderr, flush=True)
    except BrokenPipeError:
        raise
    except OSError:
        return


def wants_color(environ: Mapping[str, str]) -> bool:
    """Say whether stdout shows colours: a terminal that can, of a person who wants them."""
    wanted = not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
    return wanted and sys.stdout is not None and sys.stdout.isatty()


def is_interactive(environ: Mapping[str, str]) -> bool:
    """Say whether somebody sees all that is printed, on a terminal where a line can be wiped."""
    streams = (sys.stdout, sys.stderr)
    return environ.get("TERM") != "dumb" and all(stream and stream.isatty() for stream in streams)


def configure_logging(*, verbose: bool) -> None:
    """Send the program's log to stderr: warnings and errors, or everything."""
    handler = _Lines()
    for name in ("checkup", "checkup_page"):
        log = logging.getLogger(name)
        log.handlers[:] = [handler]
        log.propagate = False
        log.setLevel(logging.DEBUG if verbose else logging.WARNING)


def use_utf8() -> None:
    """Write UTF-8 whatever the locale, for the micro sign and the titles of this world."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def reserve_std_descriptors() -> None:
    """Let no file of ours take the number of a stream that was closed, and so what is said."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= _STDERR:
        pass
    os.close(number)


def flush() -> None:
    """Write out what is buffered, so that a closed pipe is noticed here and not at exit.

    Raises:
        OSError: stdout cannot be written. What stderr could not take is forgotten.
    """
    if sys.stdout is not None:
        sys.stdout.flush()
    try:
        if sys.stderr is not None:
            sys.stderr.flush()
    except OSError:
        discard_output(_STDERR)


def is_output_error(error: BaseException) -> bool:
    """Say whether an error means that the output cannot be written."""
    return isinstance(error, OSError) and error.errno in _LOST


def discard_output(*streams: int) -> None:
    """Forget the output that nobody reads any more: of these streams, or of both."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in streams or (_STDOUT, _STDERR):
        os.dup2(nowhere, stream)
    os.close(nowhere)


class _Lines(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        """Say it if that is possible; in the middle of a run nothing depends on it."""
        with suppress(OSError):
            log_line(record.getMessage())


# How far a run has come, on a terminal, once it takes longer than a second.


OnResult: TypeAlias = Callable[[Result], None]
_PATIENCE: Final = 1.0
_PAUSE: Final = 0.2
_WIDTH: Final = 24
_WIPE: Final = "\r\x1b[K"


@contextmanager
def progress_bar(total: int, *, wanted: bool = True) -> Iterator[OnResult]:
    """Show a bar on stderr until the block ends, which leaves no trace of it.

    Only people see it: never a pipe, a file or a dumb terminal.

    Args:
        total: how many results there will be.
        wanted: whether there may be a bar at all.

    Yields:
        What is to be told of each result.
    """
    bar = _Bar(total)
    if not wanted or not is_interactive(os.environ):
        yield bar.advance
        return
    drawing = Thread(target=bar.draw, daemon=True)
    drawing.start()
    try:
        yield bar.advance
    finally:
        bar.over.set()
        drawing.join()


class _Bar:
    def __init__(self, total: int) -> None:
        self.over = Event()
        self._total = total
        self._done = 0

    def advance(self, _: Result) -> None:
        self._done += 1

    def draw(self) -> None:
        if self.over.wait(_PATIENCE):
            return
        while not self.over.is_set():
            self._write(_WIPE + self._line())
            self.over.wait(_PAUSE)
        self._write(_WIPE)

    def _line(self) -> str:
        done = min(self._done, self._total)  # a run that was stored before is not looked at
        full = _WIDTH * done // (self._total or 1)
        return f"[{'#' * full}{'.' * (_WIDTH - full)}] {done} of {self._total} checked"

    def _write(self, text: str) -> None:
        print(text, end="", file=sys.stderr, flush=True)
