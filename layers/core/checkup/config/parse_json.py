"""JSON as people write it: positions for all that is read, and a hint for all that is not.

The dialect is that of Go's ``encoding/json``: no byte order mark, no raw control characters
in texts, lone surrogates become U+FFFD, nothing after the end. Comments and trailing commas
are accepted with one warning each. Every character is looked at a bounded number of times.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NoReturn, TypeVar

from checkup.config.source import (
    MAX_DEPTH,
    ArrayNode,
    Diagnostics,
    Member,
    Node,
    ObjectNode,
    ScalarNode,
    ScalarStyle,
)

# What to tell people whose JSON is not JSON.
#
# The texts show no more than one character, or a bare word that stands where a key belongs:
# what surrounds it may be a secret.


_BARE_KEY = re.compile(r"[A-Za-z_$][\w$-]{0,39}(?=\s*:)")
_BARE_WORD = re.compile(r"[A-Za-z]+")
_BAD_NUMBER = re.compile(r"[-+.]?[0-9]")
_LEADING_ZERO = re.compile(r"-?0[0-9]")
_PYTHON_WORDS = {"True": "true", "False": "false", "None": "null"}
_NOT_NUMBERS = frozenset({"NaN", "Infinity", "inf", "nan"})

_CHARACTERS = {
    "'": ("single quotes", "put strings and keys in double quotes"),
    "`": ("a backtick", "put strings and keys in double quotes"),
    "#": ("a # comment", "write comments with //, or use checkup.yaml"),
    "/": ("an unfinished comment or a stray /", 'inside a string, write a double quote as \\"'),
    "\ufeff": ("a byte order mark", "save the file as UTF-8 without BOM"),
    "\u00a0": ("a no-break space", "replace it with an ordinary space"),
    "\u201c": ("typographic quotes", 'use straight ones: "'),
    "\u201d": ("typographic quotes", 'use straight ones: "'),
    "\x00": ("a zero byte", "the file is not text; save it as UTF-8"),
}


def unexpected_character(text: str, at: int, wanted: str) -> tuple[str, str]:
    """Return what is wrong at ``at``, where ``wanted`` should be, and what to do about it."""
    if at >= len(text):
        return f"unexpected end of file, expected {wanted}", ""
    found = text[at]
    if found in _CHARACTERS:
        what, fix = _CHARACTERS[found]
        return f"expected {wanted}, got {what}", fix
    return _HINTS.get(wanted, _not_a_comma)(text, at, wanted)


def invalid_string(text: str, start: int, at: int) -> tuple[int, str, str]:
    """Return place, problem and fix for the text from ``start`` that breaks off at ``at``."""
    if at >= len(text):
        return start, "string is never closed", 'end it with "'
    if text[at] == "\\":
        return at, "invalid escape", "write a backslash as two: \\\\"
    if text[at] in "\r\n":
        return start, "string is not closed on its line", 'end it with ", or write \\n'
    if text[at] == "\t":
        return at, "raw tab in a string", "write \\t"
    return at, f"control character in a string ({_show(text[at])})", "remove it"


def _not_the_end(_text: str, _at: int, _wanted: str) -> tuple[str, str]:
    return "unexpected text after the end", "remove it: the file holds one object"


def _not_a_comma(text: str, at: int, wanted: str) -> tuple[str, str]:
    if text[at] in '"{[-' or text[at].isalnum():
        return f"expected {wanted}", "is something missing before this?"
    return f"expected {wanted}, got {_show(text[at])}", ""


def _not_a_key(text: str, at: int, _: str) -> tuple[str, str]:
    bare = _BARE_KEY.match(text, at)
    if bare:
        return "key without quotes", f'write "{bare[0]}"'
    if text[at] == ",":
        return "extra comma", "remove it"
    return f"expected a key, got {_show(text[at])}", 'keys are strings, such as "type"'


def _not_a_value(text: str, at: int, _: str) -> tuple[str, str]:
    if _LEADING_ZERO.match(text, at):
        return "number with a leading zero", "remove the zero"
    if _BAD_NUMBER.match(text, at):
        return "invalid number", "use digits only, and put durations in quotes"
    if text[at] in ",]}:":
        return f"value is missing before {_show(text[at])}", ""
    word = _BARE_WORD.match(text, at)
    return _bare_word(word[0]) if word else (f"expected a value, got {_show(text[at])}", "")


def _bare_word(word: str) -> tuple[str, str]:
    if word in _PYTHON_WORDS:
        return f"{word} is not valid in JSON", f"write {_PYTHON_WORDS[word]}"
    if word in _NOT_NUMBERS:
        return f"{word} is not a number in JSON", "write a number"
    return "string without quotes", "put it in double quotes"


def _show(character: str) -> str:
    return character if character.isprintable() else f"U+{ord(character):04X}"


_HINTS: Mapping[str, Callable[[str, int, str], tuple[str, str]]] = {
    "the end of the file": _not_the_end,
    "a key": _not_a_key,
    "a value": _not_a_value,
}

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
            self._report.abort(0, "", "the file is empty", "write {} for an empty configuration")
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
            at, match[0], ScalarStyle.NUMBER if match.re is _NUMBER else ScalarStyle.KEYWORD
        )

    def _sequence(self, end: str, read: Callable[[int], _Item]) -> list[_Item]:
        """Read what stands between the bracket at this place and its ``end``."""
        start, comma, found = self._at, -1, list[_Item]()
        if len(self._path) >= MAX_DEPTH:
            self._fail(start, f"nested more than {MAX_DEPTH} levels deep")
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
            self._warn(comma, "trailing comma", "remove it: strict parsers reject the file")
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
            self._warn(self._at, "comment", "remove it: strict parsers reject the file")
            self._at = comment.end()

    def _warn(self, at: int, what: str, fix: str) -> None:
        if what not in self._warned:
            self._warned.add(what)
            self._report.warn(at, "", f"{what}, which JSON does not allow", fix)

    def _stop(self, wanted: str) -> NoReturn:
        self._fail(self._at, *unexpected_character(self._text, self._at, wanted))

    def _unfinished(self, start: int, end: str) -> NoReturn:
        kind = "object" if end == "}" else "list"
        line = self._report.line(start)
        text = f"unexpected end of file in the {kind} that starts on line {line}"
        self._fail(len(self._text), text, f"close it with {end}")

    def _fail(self, at: int, text: str, fix: str = "") -> NoReturn:
        self._report.abort(at, "".join(self._path), text, fix)


def _unescape(match: re.Match[str]) -> str:
    high, low, single, letter = match.groups()
    if letter:
        return _LETTERS.get(letter, letter)
    units = b"".join(int(unit, 16).to_bytes(2, "big") for unit in (high, low, single) if unit)
    return units.decode("utf-16-be", "replace")
