"""Which checkers are meant: by title or id, without regard to case."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from checkup.ports import Checker


def select_checkers(checkers: Sequence[Checker], names: Sequence[str]) -> tuple[Checker, ...]:
    """Return the checkers that are named, in the order of the configuration; all without names.

    Every checker of a title that several share is meant.

    Raises:
        LookupError: with a sentence about the first name that no checker has.
    """
    if not names:
        return tuple(checkers)
    known = {name.casefold(): name for checker in checkers for name in _names(checker)}
    for name in names:
        if name.casefold() not in known:
            raise LookupError(f"no checker {_quoted(name)}{_hint(name, known)}")
    wanted = {name.casefold() for name in names}
    return tuple(
        checker
        for checker in checkers
        if any(name.casefold() in wanted for name in _names(checker))
    )


def _names(checker: Checker) -> Iterator[str]:
    yield checker.id
    yield checker.title


def _hint(name: str, known: dict[str, str]) -> str:
    close = get_close_matches(name.casefold(), known, n=1)
    return f"; did you mean {_quoted(known[close[0]])}?" if close else ""


def _quoted(name: str) -> str:
    """Return the name in quotes, on one line: a line break in it must not forge one of a log."""
    return json.dumps(name, ensure_ascii=False)
