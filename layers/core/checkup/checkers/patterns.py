"""Regular expressions over what strangers send, in time that grows with its length only.

Python's own ``re`` can be made to run for years by a text of forty letters, and cannot be
interrupted. RE2 keeps to linear time; its price is that it knows no look-around and no
back-references. It is an extra, for it is a compiled library that not every system has.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from typing import Any

from checkup.errors import CheckUnknownError

_MEMORY = 8 * 1024 * 1024
"""Bytes that one pattern may need at most, compiled and at work."""


def has_re2() -> bool:
    """Whether patterns can be used here."""
    return find_spec("re2") is not None


def re2_search(pattern: str, body: bytes) -> bool:
    """Say whether the pattern matches anywhere in the body.

    Raises:
        CheckUnknownError: patterns cannot be used here.
    """
    try:
        compiled = _compiled(pattern)
    except ImportError as error:
        sentence = "patterns need an extra; run: pip install 'checkup[patterns]'"
        raise CheckUnknownError("unsupported", sentence) from error
    return compiled.search(body) is not None


def validate_pattern(pattern: str) -> None:
    """See that the pattern can be used, as far as that can be told here.

    Raises:
        ValueError: it is no pattern of RE2's.
    """
    if pattern and has_re2():
        _compiled(pattern)


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> Any:  # noqa: ANN401 - re2 has no static types
    import re2  # noqa: PLC0415 - an extra, and 20 ms

    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY
    options.encoding = re2.Options.Encoding.UTF8
    try:
        return re2.compile(pattern.encode(), options)
    except re2.error as error:
        reason = error.args[0].decode(errors="replace") if error.args else "not a pattern"
        raise ValueError(f"not a pattern of RE2's: {reason}") from error
