"""What commands print: results in the Go program's layout, tables, progress, and stderr lines.

Results go to stdout and everything else to stderr.
"""

from __future__ import annotations

import errno
import logging
import os
import sys
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from io import TextIOWrapper
from statistics import median
from threading import Event, Thread
from typing import Final, TypeAlias

import click

from checkup.model import Result, Status, rtt_stats
from checkup.times import SECOND, format_duration

_STDOUT: Final = 1
_STDERR: Final = 2
_LOST = {errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}


def log_line(text: str) -> None:
    """Write a line to stderr as the Go program does: date, time, text.

    A line that cannot be written, because a disk is full for example, does not end the program.

    Raises:
        BrokenPipeError: the reader of stderr went away.
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
    """Whether stdout is a terminal with colors, and ``NO_COLOR`` is not set."""
    wanted = not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
    return wanted and sys.stdout is not None and sys.stdout.isatty()


def is_interactive(environ: Mapping[str, str]) -> bool:
    """Whether stdout and stderr are terminals on which a line can be wiped."""
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
    """Write UTF-8 whatever the locale: durations have a micro sign, titles any letter."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def reserve_std_descriptors() -> None:
    """Open /dev/null for closed standard streams, so that no file of ours gets their output."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= _STDERR:
        pass
    os.close(number)


def flush() -> None:
    """Flush both streams, so that a closed pipe is noticed here and not at exit.

    Raises:
        OSError: stdout cannot be written. Errors of stderr are ignored.
    """
    if sys.stdout is not None:
        sys.stdout.flush()
    try:
        if sys.stderr is not None:
            sys.stderr.flush()
    except OSError:
        discard_output(_STDERR)


def is_output_error(error: BaseException) -> bool:
    """Whether an error means that the output cannot be written."""
    return isinstance(error, OSError) and error.errno in _LOST


def discard_output(*streams: int) -> None:
    """Redirect these streams, by default stdout and stderr, to /dev/null."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in streams or (_STDOUT, _STDERR):
        os.dup2(nowhere, stream)
    os.close(nowhere)


class _Lines(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        """Write the record's message; an error must not end a run."""
        with suppress(OSError):
            log_line(record.getMessage())


# Tables, numbers of things, colors.


_WIDE: Final = 2

_COLORS: Final = {Status.HEALTHY: "green", Status.DEGRADED: "yellow", Status.DOWN: "red"}


def format_table(rows: Iterable[Sequence[str]], *, right: Collection[int] = ()) -> str:
    """Return lines with aligned columns; a column without any content is left out.

    Widths are those of a terminal: wide East Asian characters take two cells, combining marks and
    colors none.

    Args:
        right: numbers of the columns to align right.
    """
    cells = [[(cell, display_width(cell)) for cell in row] for row in rows]
    widths = [max(width for _, width in column) for column in zip(*cells, strict=True)]
    lines = []
    for row in cells:
        line = []
        for number, (cell, width) in enumerate(row):
            padding = " " * (widths[number] - width)
            if widths[number]:
                line.append(padding + cell if number in right else cell + padding)
        lines.append("  ".join(line).rstrip())
    return "\n".join(lines)


def display_width(text: str) -> int:
    """Return how many cells of a terminal a text takes; colors take none.

    These are the rules of the library wcwidth, which would be a dependency for this alone: marks
    and invisible characters take no cell, nor does what a joiner or a skin tone adds to an emoji.
    """
    return sum(width for _, width in _cells(click.unstyle(text)))


def cut_to_width(text: str, cells: int) -> str:
    """Return a text without colors that takes at most so many cells, with … where it is cut."""
    if display_width(text) <= cells:
        return text
    kept, used = "", 0
    for letter, width in _cells(text):
        if used + width > cells - 1:
            break
        kept, used = kept + letter, used + width
    return f"{kept.rstrip()}…"


_JOINER: Final = "\u200d"
_EMOJI_STYLE: Final = "\ufe0f"
_SKIN_TONES: Final = range(0x1F3FB, 0x1F400)
_JAMO_IN_SYLLABLES: Final = range(0x1160, 0x1200)


def _cells(text: str) -> Iterator[tuple[str, int]]:
    """Yield each character with its cells."""
    before, last = "", 0
    for letter in text:
        if letter == _EMOJI_STYLE and last == 1:
            width = 1  # the narrow character before becomes an emoji
        elif (
            before == _JOINER
            or unicodedata.category(letter) in {"Mn", "Me", "Cf"}
            or ord(letter) in _JAMO_IN_SYLLABLES
            or (ord(letter) in _SKIN_TONES and last == _WIDE)
        ):
            width = 0
        else:
            width = _WIDE if unicodedata.east_asian_width(letter) in "WF" else 1
        yield letter, width
        before, last = letter, width or last


def plural(number: int, noun: str) -> str:
    """Return a number and its noun: ``1 run``, ``2 runs``, ``no runs``."""
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


def colored(text: str, status: Status, *, color: bool) -> str:
    """Return the text in the color of a status, if there are to be colors."""
    return click.style(text, fg=_COLORS[status]) if color and status in _COLORS else text


# One result in the Go program's layout, byte for byte. The notice and the message are not part
# of it; ``-v`` explains on stderr instead.


def go_result_block(result: Result, *, color: bool = False) -> str:
    """Return the lines of one result, the empty line after it included."""
    figures = rtt_stats(result.attempts)
    attempts = " ".join(
        f"{{{format_duration(attempt.rtt)} {attempt.error}}}" for attempt in result.attempts
    )
    # As in Go, the color is reset at the start of the next line.
    assessment = colored(f" Assessment: {result.status}\n", result.status, color=color)
    return (
        f"== {result.title} - {result.endpoint}\n"
        f"  Threshold: {format_duration(result.threshold)}\n"
        f"        Max: {format_duration(figures.max)}\n"
        f"        Min: {format_duration(figures.min)}\n"
        f"     Median: {format_duration(figures.median)}\n"
        f"       Mean: {format_duration(figures.mean)}\n"
        f"        All: [{attempts}]\n"
        f"{assessment}\n"
    )


def failure_lines(results: Iterable[Result]) -> Iterator[str]:
    """Yield a line with the reason for each result that is not healthy."""
    for result in results:
        if result.status is not Status.HEALTHY:
            reason = result.error or result.notice or "no result"
            failure = f" ({result.failure})" if result.failure else ""
            yield f"{result.title}: {result.status}{failure}: {reason}"


# All results of a run, for people: a table, one line for each failure, and a summary.


_TITLE_WIDTH: Final = 48


def results_table(results: Sequence[Result], *, color: bool = False) -> str:
    """Return name, status and response time of each result, the failures, and a summary."""
    rows = [
        (
            cut_to_width(result.title or result.endpoint, _TITLE_WIDTH),
            colored(result.status, result.status, color=color),
            "" if result.status is Status.UNKNOWN else median_time(result),
        )
        for result in results
    ]
    parts = [format_table(rows, right={2}), "\n".join(failure_lines(results)), summary(results)]
    return "\n\n".join(filter(None, parts))


def results_markdown(results: Sequence[Result]) -> str:
    """Return the same as a table in Markdown and a summary."""
    lines = ["| name | status | time | reason |", "|---|---|--:|---|"]
    for result in results:
        time_shown = "" if result.status is Status.UNKNOWN else median_time(result)
        cells = (result.title or result.endpoint, result.status, time_shown, result_reason(result))
        escaped = (" ".join(cell.split()).replace("|", "\\|") for cell in cells)
        lines.append(f"| {' | '.join(escaped)} |")
    return "\n".join([*lines, "", summary(results)])


def summary(results: Sequence[Result]) -> str:
    """Return the number of results, and of each status: ``3 checks: 2 healthy, 1 down``."""
    counts = Counter(result.status for result in results)
    statuses = ", ".join(f"{counts[status]} {status}" for status in Status if counts[status])
    return f"{plural(len(results), 'check')}{f': {statuses}' if statuses else ''}"


# Results of one checker over time: as a table, and as a line of blocks.


TimedResults: TypeAlias = Sequence[tuple[int, Result]]
"""Results with the slots of their runs, oldest first; never empty."""

_MICROSECOND: Final = 1_000
_BLOCKS: Final = "▁▂▃▄▅▆▇█"
_MAX_BLOCKS: Final = 120


def result_rows(results: TimedResults, *, color: bool = False) -> str:
    """Return a table of the results: time, status, response time, region and reason."""
    return format_table(
        [
            (
                f"{datetime.fromtimestamp(slot // SECOND, UTC):%Y-%m-%d %H:%M:%S}Z",
                colored(f"{result.status:<8}", result.status, color=color),
                median_time(result),
                result.region,
                result_reason(result),
            )
            for slot, result in results
        ],
        right={2},
    )


def sparkline(results: TimedResults, columns: int, *, color: bool = False) -> str:
    """Return one block for each group of successive results, as high as its longest time.

    A group with a result that is down is an ``x``, one whose worst result is unknown a ``?``.
    """
    width = min(columns, _MAX_BLOCKS, len(results))
    highest = max(_median_rtt(result) for _, result in results) or 1
    line = ""
    for n in range(width):
        first, end = len(results) * n // width, len(results) * (n + 1) // width
        group = [result for _, result in results[first:end]]
        status = Status.worst(result.status for result in group)
        if status is Status.DOWN:
            block = "x"
        elif status is Status.UNKNOWN:
            block = "?"
        else:
            longest = max(map(_median_rtt, group))
            block = _BLOCKS[min(longest * len(_BLOCKS) // highest, len(_BLOCKS) - 1)]
        line += colored(block, status, color=color)
    return line


def result_summary(results: TimedResults) -> str:
    """Return the number of results of each status, and the median and longest response time."""
    counts = Counter(result.status for _, result in results)
    statuses = ", ".join(f"{counts[status]} {status}" for status in Status if counts[status])
    summary = f"{plural(len(results), 'run')}: {statuses}"
    times = [_median_rtt(result) for _, result in results if result.status is not Status.DOWN]
    if not times:
        return summary
    return f"{summary}; median {_short(int(median(times)))}, longest {_short(max(times))}"


def median_time(result: Result) -> str:
    """Return the median response time of a result's attempts, to the microsecond."""
    return _short(_median_rtt(result))


def _median_rtt(result: Result) -> int:
    return rtt_stats(result.attempts).median


def _short(nanoseconds: int) -> str:
    return format_duration(round(nanoseconds, -3) if nanoseconds > _MICROSECOND else nanoseconds)


def result_reason(result: Result) -> str:
    """Return error or notice, failure class and message of a result; often empty."""
    reason = result.error or result.notice
    failure = f" ({result.failure})" if result.failure else ""
    return f"{reason}{failure}" + (f'  "{result.message}"' if result.message else "")


# Progress of a run.


OnResult: TypeAlias = Callable[[Result], None]
"""Called with each result as soon as it is final."""

_BAR_AFTER_SECONDS: Final = 1.0
_REDRAW_SECONDS: Final = 0.2
_BAR_WIDTH: Final = 24
_WIPE: Final = "\r\x1b[K"


@contextmanager
def progress_bar(total: int, *, wanted: bool = True) -> Iterator[OnResult]:
    """Show a bar on stderr if the block takes longer than a second; wipe it at the end.

    It is shown on a terminal only: never in a pipe, a file or a dumb terminal.
    (``click.progressbar`` can neither wait, nor redraw by itself, nor wipe.)

    Args:
        total: how many results there will be.
        wanted: whether there may be a bar at all.
    """
    done, is_over = 0, Event()

    def advance(_: Result) -> None:
        nonlocal done
        done += 1

    def draw() -> None:
        if is_over.wait(_BAR_AFTER_SECONDS):
            return
        while not is_over.is_set():
            checked = min(done, total)
            bar = ("#" * (_BAR_WIDTH * checked // (total or 1))).ljust(_BAR_WIDTH, ".")
            print(
                f"{_WIPE}[{bar}] {checked} of {total} checked", end="", file=sys.stderr, flush=True
            )
            is_over.wait(_REDRAW_SECONDS)
        print(_WIPE, end="", file=sys.stderr, flush=True)

    if not wanted or not is_interactive(os.environ):
        yield advance
        return
    drawing = Thread(target=draw, daemon=True)
    drawing.start()
    try:
        yield advance
    finally:
        is_over.set()
        drawing.join()
