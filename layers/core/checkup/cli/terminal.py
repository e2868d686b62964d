"""Where the program's words go: results to stdout, everything else to stderr."""

from __future__ import annotations

import errno
import logging
import os
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from io import TextIOWrapper
from typing import Final

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
