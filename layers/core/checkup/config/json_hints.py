"""What to tell people whose JSON is not JSON.

The texts show no more than one character, or a bare word that stands where a key belongs:
what surrounds it may be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

_BARE_KEY = re.compile(r"[A-Za-z_$][\w$-]{0,39}(?=\s*:)")
_BARE_WORD = re.compile(r"[A-Za-z]+")
_BAD_NUMBER = re.compile(r"[-+.]?[0-9]")
_LEADING_ZERO = re.compile(r"-?0[0-9]")

_PYTHON_WORDS = {"True": "true", "False": "false", "None": "null"}
_NOT_NUMBERS = frozenset({"NaN", "Infinity", "inf", "nan"})
_CHARACTERS = {
    "'": ("single quotes", 'write texts and keys in double quotation marks: "'),
    "`": ("a backtick", 'write texts and keys in double quotation marks: "'),
    "#": ("a # comment", "write comments with //, or use checkup.yaml"),
    "/": ("an unfinished comment or a stray /", 'inside a text, a quotation mark is written \\"'),
    "\ufeff": ("a byte order mark", "save the file as UTF-8 without BOM"),
    "\u00a0": ("a no-break space", "replace it by an ordinary space"),
    "\u201c": ("typographic quotation marks", 'write straight ones: "'),
    "\u201d": ("typographic quotation marks", 'write straight ones: "'),
    "\x00": ("a zero byte", "the file is not text; save it as UTF-8"),
}


def unexpected_character(text: str, at: int, wanted: str) -> tuple[str, str]:
    """Return what is wrong at ``at``, where ``wanted`` should be, and what to do about it."""
    if at >= len(text):
        return f"the file ends where {wanted} belongs", ""
    found = text[at]
    if found in _CHARACTERS:
        what, fix = _CHARACTERS[found]
        return f"{what} where {wanted} belongs", fix
    return _HINTS.get(wanted, _not_a_comma)(text, at, wanted)


def invalid_string(text: str, start: int, at: int) -> tuple[int, str, str]:
    """Return place, problem and fix for the text from ``start`` that breaks off at ``at``."""
    if at >= len(text):
        return start, "a quotation mark that is never closed", 'end the text with "'
    if text[at] == "\\":
        return at, "an escape that JSON does not know", "write a backslash as two: \\\\"
    if text[at] in "\r\n":
        return start, "a text that is not closed on its line", 'end it with ", or write \\n'
    if text[at] == "\t":
        return at, "a raw tab in a text", "write \\t"
    return at, f"a control character in a text ({_show(text[at])})", "remove it"


def _not_the_end(_text: str, _at: int, _wanted: str) -> tuple[str, str]:
    return "text after the end", "the file holds one object; remove what follows it"


def _not_a_comma(text: str, at: int, wanted: str) -> tuple[str, str]:
    if text[at] in '"{[-' or text[at].isalnum():
        return f"expected {wanted}", "is something missing before this?"
    return f"expected {wanted}, found {_show(text[at])}", ""


def _not_a_key(text: str, at: int, _: str) -> tuple[str, str]:
    bare = _BARE_KEY.match(text, at)
    if bare:
        return "a key without quotation marks", f'write "{bare[0]}"'
    if text[at] == ",":
        return "a comma too many", "remove it"
    return f"expected a key, found {_show(text[at])}", 'keys are texts, such as "type"'


def _not_a_value(text: str, at: int, _: str) -> tuple[str, str]:
    if _LEADING_ZERO.match(text, at):
        return "a number with a leading zero", "remove the zero"
    if _BAD_NUMBER.match(text, at):
        return "a number that JSON does not know", "write digits only, and durations as texts"
    if text[at] in ",]}:":
        return f"a value is missing before {_show(text[at])}", ""
    word = _BARE_WORD.match(text, at)
    return _bare_word(word[0]) if word else (f"expected a value, found {_show(text[at])}", "")


def _bare_word(word: str) -> tuple[str, str]:
    if word in _PYTHON_WORDS:
        return "a word that JSON does not know", f"write {_PYTHON_WORDS[word]}"
    if word in _NOT_NUMBERS:
        return f"{word} is no number in JSON", "write a number"
    return "a text without quotation marks", 'write it in double quotation marks: "'


def _show(character: str) -> str:
    return character if character.isprintable() else f"U+{ord(character):04X}"


_HINTS: Mapping[str, Callable[[str, int, str], tuple[str, str]]] = {
    "the end of the file": _not_the_end,
    "a key": _not_a_key,
    "a value": _not_a_value,
}
