"""Conditions on a response body: of its text and its JSON, and RE2 patterns.

A condition such as ``queue.depth < 100`` or ``jobs[0].state == "done"`` starts with a path. It
names members with dots and elements with ``[n]`` (``[-1]`` is the last), and a member whose name is
not a plain word with ``["its name"]``; ``$`` alone is the whole document. An operator compares the
value there with another value, which is JSON or otherwise a plain string.

Patterns are searched in what strangers send, so in time that is linear in its length. Python's own
``re`` can be made to run for years by forty letters, and cannot be interrupted. RE2 stays linear,
and in return has no look-around and no back-references. It is an extra, because it is a compiled
library that is not available for every system.
"""

from __future__ import annotations

import codecs
import json
import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.util import find_spec
from typing import Any, Final

import msgspec
from msgspec import Struct

from checkup.errors import CheckUnknownError, missing_extra
from checkup.interfaces.kinds import SettingProblem

_MAX_MEMORY: Final = 8 * 1024 * 1024
"""Bytes that one pattern may use."""


_SNIFFED: Final = 1024
"""Bytes in which HTML has its encoding (https://html.spec.whatwg.org/#charset)."""

_CHARSET: Final = re.compile(rb"charset\s*=\s*[\"']?\s*([\w.:+-]+)", re.IGNORECASE)
_META: Final = re.compile(
    rb"<(?:meta|\?xml)\s[^>]*?(?:charset|encoding)\s*=\s*[\"']?\s*([\w.:+-]+)", re.IGNORECASE
)
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LABELS: Final = {
    "x-sjis": "cp932",
    "windows-31j": "cp932",
    "x-gbk": "gb18030",
    "unicode": "utf-16-le",
    "ks_c_5601-1987": "cp949",
    "windows-949": "cp949",
    "windows-874": "cp874",
    "x-mac-cyrillic": "mac_cyrillic",
    "x-cp1251": "cp1251",
    "x-cp1252": "cp1252",
}
"""Labels that Python does not know."""

_CODECS: Final = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "utf-16": "utf-16-le",
    **{name: name for name in (
        "utf-8", "utf-16-le", "utf-16-be", "gb18030", "big5", "big5hkscs", "euc_jp", "iso2022_jp",
        "cp932", "cp949", "cp866", "cp874", "koi8-r", "koi8-u", "mac-roman", "mac-cyrillic",
        *(f"cp{number}" for number in range(1250, 1259)),
        *(f"iso8859-{number}" for number in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)),
    )},
}  # fmt: skip
"""By Python's names, what browsers decode with (https://encoding.spec.whatwg.org/#names-and-labels).

Python has codecs under other names that must never be reached from outside, such as ``zlib``."""


def find_codec(label: str) -> str:
    """Return the codec for the name of a charset; empty if it is none that browsers know."""
    label = label.strip().lower()
    try:
        return _CODECS.get(codecs.lookup(_LABELS.get(label, label)).name, "")
    except (LookupError, ValueError):
        return ""


class BodyText:
    """Makes UTF-8 of a body in the charset of its mark, its Content-Type or its HTML.

    Attributes:
        codec: of the charset, known after the first kilobyte; empty for UTF-8 without a mark.
    """

    def __init__(self, content_type: bytes) -> None:
        """Create it; ``content_type`` is the header's value, or empty."""
        declared = _CHARSET.search(content_type)
        self._declared = declared[1].decode("latin-1") if declared else ""
        self._start: bytes | None = b""
        self._decoder: codecs.IncrementalDecoder | None = None
        self.codec = ""

    def feed(self, piece: bytes, *, is_last: bool = False) -> bytes:
        """Return what the next piece adds in UTF-8; nothing if the body is UTF-8 as it is."""
        if self._start is not None:
            piece = self._start + piece
            if len(piece) < _SNIFFED and not is_last:
                self._start = piece
                return b""
            self._start = None
            piece = self._begin(piece)
        if not self._decoder:
            return b""
        return self._decoder.decode(piece, final=is_last).encode(errors="replace")

    def _begin(self, start: bytes) -> bytes:
        mark, self.codec = next((it for it in _MARKS if start.startswith(it[0])), (b"", ""))
        if not mark:
            described = _META.search(start[:_SNIFFED])
            names = [self._declared, described[1].decode("latin-1") if described else ""]
            self.codec = next(filter(None, map(find_codec, names)), "")
            if described and self.codec.startswith("utf-16") and not self._declared:
                self.codec = ""  # it could not have been read
        if self.codec and (mark or self.codec != "utf-8"):
            self._decoder = codecs.getincrementaldecoder(self.codec)(errors="replace")
        return start.removeprefix(mark)


class TextSearch:
    """Searches a body for a text, as UTF-8 and in its charset, without keeping the body."""

    def __init__(self, text: str) -> None:
        self._text = text.encode()
        self._tails = [b"", b""]
        self.found = not self._text

    def feed(self, *pieces: bytes) -> None:
        """Search the next pieces of the body and of its text, and where they meet the last ones."""
        for number, piece in enumerate(pieces):
            if not self.found and piece:
                joined = self._tails[number] + piece
                self.found = self._text in joined
                rest = len(self._text) - 1
                self._tails[number] = joined[-rest:] if rest else b""


def parse_json(body: bytes, text: bytes) -> object:
    """Parse JSON as lenient parsers do: any charset, a mark, lone surrogates, large numbers.

    Args:
        text: the body in UTF-8, if it is not.

    Raises:
        ValueError: it is not JSON.
    """
    try:
        return msgspec.json.decode(body)
    except (ValueError, RecursionError):
        pass
    try:
        decoded = (text or body).decode(json.detect_encoding(text or body))
    except UnicodeDecodeError:
        decoded = body.decode("latin-1")
    try:
        return json.loads(decoded, parse_constant=_no_constant, parse_int=_parse_int)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _parse_int(digits: str) -> float:
    return int(digits) if len(digits) <= _MOST_DIGITS else float(digits)


_MOST_DIGITS: Final = 4000
"""Python refuses to convert more, because that takes long."""


def has_re2() -> bool:
    """Whether the extra for patterns is installed."""
    return find_spec("re2") is not None


def re2_search(pattern: str, body: bytes) -> bool:
    """Whether the pattern matches anywhere in the body.

    Raises:
        CheckUnknownError: the extra is not installed.
    """
    try:
        compiled = _compiled(pattern)
    except ImportError as error:
        sentence = missing_extra("regular expressions", "patterns")
        raise CheckUnknownError("unsupported", sentence) from error
    return compiled.search(body) is not None


def validate_pattern(pattern: str) -> None:
    """Check the syntax of a pattern, if the extra is installed.

    Raises:
        ValueError: it is not valid in RE2.
    """
    if pattern and has_re2():
        _compiled(pattern)


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> Any:
    import re2  # an extra, and 20 ms

    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MAX_MEMORY
    options.encoding = re2.Options.Encoding.UTF8
    try:
        return re2.compile(pattern.encode(), options)
    except re2.error as error:
        reason = error.args[0].decode(errors="replace") if error.args else "not a pattern"
        raise ValueError(f"not a valid RE2 pattern: {reason}") from error


_STEP = re.compile(
    r"""\.?(?P<name>[^\s.\[\]"'=!<>]+)|\[(?P<index>-?[0-9]{1,9})\]|\.?\["(?P<quoted>[^"]*)"\]"""
)

_OPERATOR = re.compile(
    r"\s*(==|!=|<=|>=|<|>)\s*|\s+(not contains|contains)\s+|\s+(not exists|exists)\s*\Z"
)

_ABSENT: Final = object()

_ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class JsonCondition(Struct, frozen=True):
    """A condition on a JSON document.

    Attributes:
        text: as configured.
        path: names of members and indexes of elements.
        operator: one of ``== != < <= > >= contains exists`` and their negations with ``not``.
        value: what to compare with.
    """

    text: str
    path: tuple[str | int, ...]
    operator: str
    value: Any = None

    def is_met(self, document: object) -> bool:
        """Whether it is true; for an absent value only ``not exists`` is."""
        found = _follow(document, self.path)
        if self.operator in {"exists", "not exists"}:
            return (found is not _ABSENT) == (self.operator == "exists")
        return found is not _ABSENT and self._compare(found)

    def _compare(self, found: object) -> bool:
        match self.operator:
            case "==" | "!=":
                return _equal(found, self.value) == (self.operator == "==")
            case "contains" | "not contains":
                return _contains(found, self.value) == (self.operator == "contains")
            case order:
                return _comparable(found, self.value) and _ORDER[order](found, self.value)


def parse_condition(text: str) -> JsonCondition:
    """Parse a condition.

    Raises:
        ValueError: it is not one; the message gives an example.
    """
    steps, position = _path(text)
    match = _OPERATOR.match(text, position)
    if match is None or not (steps or text.startswith("$")):
        raise ValueError(f"not a valid condition: {text!r}; write it like 'status == \"ok\"'")
    found = match[1] or match[2] or match[3]
    rest = text[match.end() :].strip()
    if not match[3] and not rest:
        raise ValueError(f"condition without a value: {text!r}")
    return JsonCondition(text, steps, found, None if match[3] else _value(rest))


_AND: Final = re.compile(
    r"\s+(?:and|or|AND|OR|&&|\|\|)\s+\S+\s*(?:[=!<>]=|[<>]|\s(?:not )?(?:contains|exists)\b)"
)
_OTHER_LANGUAGES: Final = {"True": "true", "False": "false", "None": "null", "nil": "null"}
_WITH_UNIT: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)? ?(?:%|ns|us|ms|s|m|h|d|[KMGT]i?B|B)")
_COUNTS: Final = frozenset({"length", "len", "size", "count"})


def condition_flaws(texts: Sequence[str]) -> Iterator[SettingProblem]:
    """Yield what valid conditions probably do not mean, or can never meet.

    Fatal is what has no other reading than a slip: the syntax of another language, and conditions
    that contradict each other.
    """
    values: dict[tuple[str | int, ...], object] = {}
    for text in texts:
        condition = parse_condition(text)
        if flaw := _misread_path(condition) or _misread_value(condition):
            yield flaw
        if condition.operator != "==":
            continue
        if values.setdefault(condition.path, condition.value) != condition.value:
            message = f"{text!r} contradicts another condition on the same value"
            yield SettingProblem("must_hold", message, "keep one of them", is_fatal=True)


def _misread_path(condition: JsonCondition) -> SettingProblem | None:
    for name in condition.path:
        if not isinstance(name, str) or f'["{name}"]' in condition.text:
            continue
        message = f"{condition.text!r} reads a member with the name {name!r}"
        if name.endswith(")"):
            fix = f'there are no functions; for such a member, write ["{name}"]'
            return SettingProblem("must_hold", message, fix, is_fatal=True)
        if name in _COUNTS and name == condition.path[-1] and len(condition.path) > 1:
            fix = f'a list has no such member; for one of an object, write ["{name}"]'
            return SettingProblem("must_hold", message, fix)
    return None


def _misread_value(condition: JsonCondition) -> SettingProblem | None:
    value, shown = condition.value, json.dumps(condition.value, ensure_ascii=False)
    message, fix, is_fatal = f"{condition.text!r} compares with the string {shown}", "", True
    if condition.operator in _ORDER and (value is None or isinstance(value, bool | list | dict)):
        message = f"{condition.text!r} never holds: only numbers and strings have an order"
    elif not isinstance(value, str) or not condition.text.rstrip().endswith(value):
        return None  # a JSON value, which means what it says
    elif _AND.search(condition.text):
        fix = "write two conditions, which must both hold"
    elif value.startswith("="):
        fix = f"write {condition.operator}"
    elif len(value) > 1 and value[0] == value[-1] == "'":
        fix = f"write {json.dumps(value[1:-1], ensure_ascii=False)}"
    elif value in _OTHER_LANGUAGES:
        fix, is_fatal = f"write {_OTHER_LANGUAGES[value]}, or {shown} for that string", False
    elif condition.operator in _ORDER and _WITH_UNIT.fullmatch(value):
        fix, is_fatal = "write a number without a unit", False
    else:
        return None
    return SettingProblem("must_hold", message, fix, is_fatal=is_fatal)


def _path(text: str) -> tuple[tuple[str | int, ...], int]:
    position = 1 if text.startswith("$") else 0
    steps: list[str | int] = []
    while step := _STEP.match(text, position):
        name = step["name"] if step["name"] is not None else step["quoted"]
        steps.append(int(step["index"]) if step["index"] else name)
        position = step.end()
    return tuple(steps), position


def _value(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _follow(document: object, steps: Sequence[str | int]) -> object:
    for step in steps:
        if isinstance(step, int) and isinstance(document, list):
            document = document[step] if -len(document) <= step < len(document) else _ABSENT
        elif isinstance(step, str) and isinstance(document, dict):
            document = document.get(step, _ABSENT)
        else:
            return _ABSENT
    return document


def _equal(found: object, value: object) -> bool:
    """Compare as JSON does: ``true`` is not a number."""
    return isinstance(found, bool) == isinstance(value, bool) and found == value


def _contains(found: object, value: object) -> bool:
    if isinstance(found, str):
        return (value if isinstance(value, str) else json.dumps(value)) in found
    if isinstance(found, dict):
        return value in found if isinstance(value, str) else False
    return isinstance(found, list) and any(_equal(element, value) for element in found)


def _comparable(found: object, value: object) -> bool:
    if isinstance(found, bool) or isinstance(value, bool):
        return False
    numbers = isinstance(found, int | float) and isinstance(value, int | float)
    return numbers or (isinstance(found, str) and isinstance(value, str))
