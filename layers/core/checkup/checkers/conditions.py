"""Conditions on a response body: of its JSON, and RE2 patterns.

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

import json
import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.util import find_spec
from typing import Any, Final

from msgspec import Struct

from checkup.errors import CheckUnknownError
from checkup.interfaces.kinds import SettingProblem

_MAX_MEMORY: Final = 8 * 1024 * 1024
"""Bytes that one pattern may use."""


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
        sentence = "patterns need an extra; run: pip install 'checkup[patterns]'"
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
