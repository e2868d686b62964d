"""Where the program's words go: results to stdout, everything else to stderr."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Mapping
from io import TextIOWrapper


def say(text: str) -> None:
    """Write a line to stderr as the Go program does: date, time, text."""
    stamp = time.strftime("%Y/%m/%d %H:%M:%S")
    for line in text.splitlines():
        print(stamp, line, file=sys.stderr, flush=True)


def is_coloured(environ: Mapping[str, str]) -> bool:
    """Say whether stdout shows colours: a terminal that can, of a person who wants them."""
    wanted = not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
    return wanted and sys.stdout is not None and sys.stdout.isatty()


def is_watched(environ: Mapping[str, str]) -> bool:
    """Say whether somebody sees all that is printed, on a terminal where a line can be wiped."""
    streams = (sys.stdout, sys.stderr)
    return environ.get("TERM") != "dumb" and all(stream and stream.isatty() for stream in streams)


def prepare(*, verbose: bool) -> None:
    """Send the program's log to stderr: warnings and errors, or everything."""
    handler = _Lines()
    log = logging.getLogger("checkup")
    log.handlers[:] = [handler]
    log.propagate = False
    log.setLevel(logging.DEBUG if verbose else logging.WARNING)


def speak_utf8() -> None:
    """Write UTF-8 whatever the locale, for the micro sign and the titles of this world."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def flush() -> None:
    """Write out what is buffered, so that a closed pipe is noticed here and not at exit."""
    if sys.stdout is not None:
        sys.stdout.flush()


def turn_away() -> None:
    """Forget the output that nobody reads any more."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for number in (1, 2):
        os.dup2(nowhere, number)
    os.close(nowhere)


class _Lines(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        say(record.getMessage())
