"""Lengths of time as Go writes and reads them (https://pkg.go.dev/time#ParseDuration)."""

from __future__ import annotations

import re
from decimal import Decimal

_UNITS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,  # U+00B5, micro sign
    "μs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_TERM = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)", re.ASCII)
_LARGEST = 2**63 - 1


def parse_duration(text: str) -> int:
    """Return the nanoseconds that ``text`` stands for: ``"1h30m"``, ``"500ms"``, ``"-1.5s"``.

    Raises:
        ValueError: with a sentence that shows the form that is expected.
    """
    sign = -1 if text.startswith("-") else 1
    body = text[1:] if text[:1] in {"+", "-"} else text
    if body == "0":
        return 0
    total, end = Decimal(0), 0
    for term in _TERM.finditer(body):
        if term.start() != end:
            break
        total += Decimal(term[1]) * _UNITS[term[2]]
        end = term.end()
    if not body or end != len(body):
        message = f'"{text}" is not a duration; write it like "500ms", "10s" or "1h30m"'
        raise ValueError(message)
    if total > _LARGEST:
        message = f'"{text}" is longer than 292 years'
        raise ValueError(message)
    return sign * int(total)


def format_duration(nanoseconds: int) -> str:
    """Return Go's text for a duration: ``0s``, ``1.5µs``, ``10.209758ms``, ``1h0m0s``."""
    if nanoseconds == 0:
        return "0s"
    sign, size = ("-", -nanoseconds) if nanoseconds < 0 else ("", nanoseconds)
    for unit in ("ns", "µs", "ms"):
        if size < _UNITS[unit] * 1000:
            return f"{sign}{_fraction(size, _UNITS[unit])}{unit}"
    minutes, rest = divmod(size, _UNITS["m"])
    hours, minutes = divmod(minutes, 60)
    seconds = f"{_fraction(rest, _UNITS['s'])}s"
    if hours:
        return f"{sign}{hours}h{minutes}m{seconds}"
    return f"{sign}{minutes}m{seconds}" if minutes else f"{sign}{seconds}"


def short_duration(nanoseconds: int) -> str:
    """Return a duration as a person writes it: ``4h`` for Go's ``4h0m0s``."""
    text = format_duration(nanoseconds)
    for nothing in ("m0s", "h0m"):
        if text.endswith(nothing):
            text = text[:-2]
    return text


def _fraction(value: int, unit: int) -> str:
    whole, rest = divmod(value, unit)
    if not rest:
        return str(whole)
    digits = len(str(unit)) - 1
    return f"{whole}.{rest:0{digits}d}".rstrip("0")
