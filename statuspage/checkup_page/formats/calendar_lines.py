"""The lines of an iCalendar file (RFC 5545, sections 3.1 and 3.3)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from checkup_page.speech.words import to_datetime

WIDTH: Final = 75
"""Octets of a line, its end left out."""

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_MARKED: Final = re.compile(r"([\\;,])")


def fold_lines(lines: Iterable[str]) -> str:
    """Return the lines as one text, the long ones folded."""
    return "".join(f"{_folded(line)}\r\n" for line in lines)


def escape_text(value: str) -> str:
    """Return a text as a value."""
    lines = _CONTROL.sub("", value).splitlines()
    return r"\n".join(_MARKED.sub(r"\\\1", line) for line in lines)


def format_utc(nanoseconds: int) -> str:
    """Return a time as a value."""
    return f"{to_datetime(nanoseconds):%Y%m%dT%H%M%SZ}"


def _folded(line: str) -> str:
    """Return a line in pieces, none of which ends within a character."""
    pieces, length = [""], 0
    for character in line:
        size = len(character.encode(errors="replace"))
        if length + size > WIDTH:
            pieces.append(" ")
            length = 1
        pieces[-1] += character
        length += size
    return "\r\n".join(pieces)
