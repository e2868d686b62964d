"""What the Go program makes of a check file or an index, stated strictly and on its own.

Nothing here is shared with the program under test. :func:`read` accepts exactly what
``json.Unmarshal`` accepts into a ``[]types.Result``, :func:`write` gives the bytes of
``json.Marshal``, and :func:`read_index` is the reader of ``index.json``. Where Go stops at the
first error, they raise :class:`GoError`.

One limit is Python's: what is nested deeper than the interpreter allows is refused, too.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

_SMALLEST, _LARGEST = -(2**63), 2**63 - 1


class GoError(Exception):
    """Go would return an error and use nothing of the file."""


@dataclass
class Attempt:
    rtt: int = 0
    error: str = ""


@dataclass
class Result:
    title: str = ""
    endpoint: str = ""
    timestamp: int = 0
    times: list[Attempt] = field(default_factory=list)
    threshold: int = 0
    healthy: bool = False
    degraded: bool = False
    down: bool = False
    notice: str = ""
    message: str = ""


class _Number(str):
    """A JSON number as it was written."""

    __slots__ = ()


def read(body: bytes) -> list[Result]:
    """Return the results of a check file as Go sees them."""
    tree = _parse(body)
    return [] if tree is None else _results(tree)


def read_index(body: bytes) -> dict[str, int]:
    """Return file names and their nanoseconds as Go sees them."""
    tree = _parse(body)
    if tree is None:
        return {}
    if not isinstance(tree, list) or not all(isinstance(pair, tuple) for pair in tree):
        raise GoError("cannot unmarshal into map[string]int64")
    return {name: 0 if value is None else _integer(value) for name, value in tree}


def write(results: list[Result]) -> bytes:
    """Return the bytes that Go (before 1.22) writes for the results."""
    return f"[{','.join(map(_written_result, results))}]".encode()


# Reading. An object is a list of pairs, so that it differs from an array of anything else and
# duplicates stay visible; an array is a tuple.


def _parse(body: bytes) -> Any:
    text = body.decode(errors="go-replace")
    try:
        return _arrays_as_tuples(_DECODER.decode(text))
    except (ValueError, RecursionError) as error:
        raise GoError(str(error)) from error


def _replaced(error: UnicodeError) -> tuple[str, int]:
    """Replace every byte that is not UTF-8, each by itself."""
    assert isinstance(error, UnicodeDecodeError)
    return "\ufffd" * (error.end - error.start), error.end


def _no_constant(name: str) -> None:
    raise ValueError(f"invalid character in {name}")


codecs.register_error("go-replace", _replaced)


class _Object(list[tuple[str, Any]]):
    """The pairs of one JSON object, in order."""


_DECODER = json.JSONDecoder(
    object_pairs_hook=_Object,
    parse_int=_Number,
    parse_float=_Number,
    parse_constant=_no_constant,
)


def _arrays_as_tuples(value: Any) -> Any:
    if isinstance(value, _Object):
        return [(_whole(key), _arrays_as_tuples(item)) for key, item in value]
    if isinstance(value, list):
        return tuple(_arrays_as_tuples(item) for item in value)
    if isinstance(value, str) and not isinstance(value, _Number):
        return _whole(value)
    return value


def _whole(text: str) -> str:
    """Replace halves of surrogate pairs."""
    return "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text)


def _results(value: Any) -> list[Result]:
    return [_struct(item, Result, _RESULT_FIELDS) for item in _array(value)]


def _attempts(value: Any) -> list[Attempt]:
    return [_struct(item, Attempt, _ATTEMPT_FIELDS) for item in _array(value)]


def _struct(value: Any, kind: Callable[[], Any], fields: dict[str, Callable[[Any], Any]]) -> Any:
    """Fill a Go struct: keys in any case, the last of equals wins, null changes nothing."""
    struct = kind()
    if value is None:
        return struct
    if not isinstance(value, list):
        raise GoError(f"cannot unmarshal into Go value of type types.{struct.__class__.__name__}")
    for key, item in value:
        name = _folded(key)
        if name in fields and item is not None:
            setattr(struct, name, fields[name](item))
    return struct


def _folded(key: str) -> str:
    """Fold as Go does: ASCII, and the two other letters that fold into it."""
    return key.replace("\u017f", "s").replace("\u212a", "k").lower()


def _array(value: Any) -> tuple[Any, ...]:
    if not isinstance(value, tuple):
        raise GoError("cannot unmarshal into a slice")
    return value


def _integer(value: Any) -> int:
    if not isinstance(value, _Number) or any(mark in value for mark in ".eE"):
        raise GoError(f"cannot unmarshal {value!r} into an int64")
    if len(value) > len(str(_SMALLEST)) or not _SMALLEST <= int(value) <= _LARGEST:
        raise GoError(f"{value} overflows an int64")
    return int(value)


def _string(value: Any) -> str:
    if not isinstance(value, str) or isinstance(value, _Number):
        raise GoError("cannot unmarshal into a string")
    return value


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise GoError("cannot unmarshal into a bool")
    return value


_ATTEMPT_FIELDS: dict[str, Callable[[Any], Any]] = {"rtt": _integer, "error": _string}
_RESULT_FIELDS: dict[str, Callable[[Any], Any]] = {
    "title": _string,
    "endpoint": _string,
    "timestamp": _integer,
    "times": _attempts,
    "threshold": _integer,
    "healthy": _boolean,
    "degraded": _boolean,
    "down": _boolean,
    "notice": _string,
    "message": _string,
}


# Writing.


def _written_result(result: Result) -> str:
    pairs = []
    for name in _RESULT_FIELDS:
        value = getattr(result, name)
        if not value:
            continue
        if isinstance(value, list):
            text = f"[{','.join(map(_written_attempt, value))}]"
        elif value is True:
            text = "true"
        else:
            text = _quoted(value) if isinstance(value, str) else str(value)
        pairs.append(f'"{name}":{text}')
    return f"{{{','.join(pairs)}}}"


def _written_attempt(attempt: Attempt) -> str:
    error = f',"error":{_quoted(attempt.error)}' if attempt.error else ""
    return f'{{"rtt":{attempt.rtt}{error}}}'


def _quoted(text: str) -> str:
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    if char in "\n\r\t":
        return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}[char]
    if char < " " or char in "<>&\u2028\u2029":
        return f"\\u{ord(char):04x}"
    return "\\ufffd" if "\ud800" <= char <= "\udfff" else char
