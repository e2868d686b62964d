"""How far a run has come, on a terminal, once it takes longer than a second."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Final, TypeAlias

from checkup.cli import terminal
from checkup.model import Result

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
    if not wanted or not terminal.is_interactive(os.environ):
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
