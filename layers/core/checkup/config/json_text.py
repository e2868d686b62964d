"""JSON as people write it: positions for all that is read, and a hint for all that is not.

The dialect is that of Go's ``encoding/json``: no byte order mark, no raw control characters
in texts, lone surrogates become U+FFFD, nothing after the end. Comments and trailing commas
are accepted with one warning each. Every character is looked at a bounded number of times.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NoReturn, TypeVar

from checkup.config.json_hints import invalid_string, unexpected_character
from checkup.config.report import Diagnostics
from checkup.config.tree import (
    MAX_DEPTH,
    ArrayNode,
    Member,
    Node,
    ObjectNode,
    ScalarNode,
    ScalarStyle,
)

_SPACE = re.compile(r"[ \t\r\n]*+")
_COMMENT = re.compile(r"//[^\r\n]*+|/\*(?:[^*]++|\*(?!/))*+\*/")
_WORD = re.compile(r"(?:true|false|null)(?![\w$-])")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][-+]?[0-9]++)?+(?![\w.+-])")
_TEXT = re.compile(r'"((?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+)("?)')
_ESCAPE = re.compile(
    r"\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})|\\u([0-9a-f]{4})|\\(.)", re.IGNORECASE
)
_LETTERS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}

_Item = TypeVar("_Item")


def parse_json(report: Diagnostics) -> Node:
    """Return the tree of the report's text.

    Raises:
        ConfigError: the text is not JSON; it names the place, the key and what to do.
    """
    return _Scanner(report).document()


class _Scanner:
    def __init__(self, report: Diagnostics) -> None:
        self._report = report
        self._text = report.text
        self._at = 0
        self._path: list[str] = []
        self._warned: set[str] = set()

    def document(self) -> Node:
        if not self._peek():
            self._report.fail(0, "", "the file is empty", "an empty configuration is {}")
        node = self._value()
        if self._peek():
            self._stop("the end of the file")
        return node

    def _value(self) -> Node:
        first, at = self._peek(), self._at
        if first == "{":
            return ObjectNode(at, tuple(self._sequence("}", self._member)))
        if first == "[":
            return ArrayNode(at, tuple(self._sequence("]", self._item)))
        if first == '"':
            return ScalarNode(at, self._quoted(), ScalarStyle.QUOTED)
        match = _NUMBER.match(self._text, at) or _WORD.match(self._text, at)
        if match is None:
            self._stop("a value")
        self._at = match.end()
        return ScalarNode(
            at, match[0], ScalarStyle.NUMBER if match.re is _NUMBER else ScalarStyle.WORD
        )

    def _sequence(self, end: str, read: Callable[[int], _Item]) -> list[_Item]:
        """Read what stands between the bracket at this place and its ``end``."""
        start, comma, found = self._at, -1, list[_Item]()
        if len(self._path) >= MAX_DEPTH:
            self._fail(start, f"more than {MAX_DEPTH} objects and lists in each other")
        self._at += 1
        while self._peek() != end:
            if self._at == len(self._text):
                self._unfinished(start, end)
            if found and comma < 0:
                self._stop(f"a comma or {end}")
            found.append(read(len(found)))
            comma = self._at if self._peek() == "," else -1
            self._at += comma >= 0
        if comma >= 0:
            self._warn(comma, "trailing comma", "remove it: strict readers refuse the file")
        self._at += 1
        return found

    def _member(self, _: int) -> Member:
        at = self._at
        if self._text[at] != '"':
            self._stop("a key")
        key = self._quoted()
        self._path.append(f".{key}" if self._path else key)
        if self._peek() != ":":
            self._stop("a colon")
        self._at += 1
        member = Member(at, key, self._value())
        self._path.pop()
        return member

    def _item(self, index: int) -> Node:
        self._path.append(f"[{index}]")
        node = self._value()
        self._path.pop()
        return node

    def _quoted(self) -> str:
        match = _TEXT.match(self._text, self._at)
        if match is None or not match[2]:
            end = match.end() if match else self._at
            self._fail(*invalid_string(self._text, self._at, end))
        self._at = match.end()
        body = match[1]
        return _ESCAPE.sub(_unescape, body) if "\\" in body else body

    def _peek(self) -> str:
        """Pass white space and comments; return the next character, empty at the end."""
        while True:
            space = _SPACE.match(self._text, self._at)
            self._at = space.end() if space else self._at
            following = self._text[self._at : self._at + 1]
            if following != "/":
                return following
            comment = _COMMENT.match(self._text, self._at)
            if comment is None:
                return following
            self._warn(self._at, "comment", "remove it: strict readers refuse the file")
            self._at = comment.end()

    def _warn(self, at: int, what: str, fix: str) -> None:
        if what not in self._warned:
            self._warned.add(what)
            self._report.warn(at, "", f"a {what}, which JSON does not allow", fix)

    def _stop(self, wanted: str) -> NoReturn:
        self._fail(self._at, *unexpected_character(self._text, self._at, wanted))

    def _unfinished(self, start: int, end: str) -> NoReturn:
        kind = "object" if end == "}" else "list"
        line = self._report.line(start)
        text = f"the file ends inside the {kind} that begins on line {line}"
        self._fail(len(self._text), text, f"close it with {end}")

    def _fail(self, at: int, text: str, fix: str = "") -> NoReturn:
        self._report.fail(at, "".join(self._path), text, fix)


def _unescape(match: re.Match[str]) -> str:
    high, low, single, letter = match.groups()
    if letter:
        return _LETTERS.get(letter, letter)
    units = b"".join(int(unit, 16).to_bytes(2, "big") for unit in (high, low, single) if unit)
    return units.decode("utf-16-be", "replace")
