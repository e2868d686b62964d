"""The configuration file: found, read, its problems collected, its values with their positions.

JSON and YAML share one tree of nodes; offsets count characters of the text.
"""

from __future__ import annotations

import codecs
import os
import re
from bisect import bisect_right
from collections.abc import Collection
from enum import Enum
from pathlib import Path
from typing import NoReturn, TypeAlias

from msgspec import Struct

from checkup.errors import ConfigError, Problem
from checkup.text import mask_secrets

_LINE_END = re.compile(r"\r\n|\n|\r")


class Diagnostics:
    """Collects problems by their offset in the text of one file.

    Attributes:
        file: the file's name as it was given.
        text: the file's text; offsets count its characters.
        masked_values: values that came from the environment; no problem shows them.
    """

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text
        self.masked_values: Collection[str] = ()
        self._starts: list[int] = []
        self._errors: list[Problem] = []
        self._warnings: list[Problem] = []

    @property
    def has_errors(self) -> bool:
        """Whether the file is invalid."""
        return bool(self._errors)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The warnings, in the order of the file."""
        return tuple(sorted(self._warnings, key=_place))

    @property
    def error_keys(self) -> tuple[str, ...]:
        """The keys of all errors so far."""
        return tuple(problem.key for problem in self._errors)

    def error(self, offset: int, path: str, text: str, fix: str = "") -> None:
        """Report something that makes the file invalid, and go on."""
        self._errors.append(self._problem(offset, path, text, fix))

    def warn(self, offset: int, path: str, text: str, fix: str = "") -> None:
        """Report something that is probably a mistake."""
        self._warnings.append(self._problem(offset, path, text, fix))

    def raise_errors(self, partial: object = None) -> NoReturn:
        """Raise all errors at once, in the order of the file.

        Args:
            partial: the usable part of the configuration.
        """
        raise ConfigError(sorted(self._errors, key=_place), self.warnings, partial)

    def abort(self, offset: int, path: str, text: str, fix: str = "") -> NoReturn:
        """Report an error after which nothing more can be read, and raise."""
        self.error(offset, path, text, fix)
        self.raise_errors()

    def line(self, offset: int) -> int:
        """The line of an offset, counted from 1."""
        if not self._starts:
            self._starts = [0, *(end.end() for end in _LINE_END.finditer(self.text))]
        return bisect_right(self._starts, offset)

    def _problem(self, offset: int, path: str, text: str, fix: str) -> Problem:
        line = self.line(offset)
        column = offset - self._starts[line - 1] + 1
        return Problem(
            file=self.file,
            line=line,
            column=column,
            key=path,
            text=mask_secrets(text, tuple(self.masked_values)),
            fix=mask_secrets(fix, tuple(self.masked_values)),
        )


def _place(problem: Problem) -> tuple[int, int]:
    return problem.line, problem.column


DEFAULT_FILE_NAMES = ("checkup.json", "checkup.yaml", "checkup.yml")
"""Names to look for in the working directory, in this order."""

_YAML = frozenset({".yaml", ".yml"})
_LARGEST = 4 * 1024 * 1024
_REPLACEMENT = "\ufffd"


def find_config_file(path: str | None) -> str:
    """Return the name of the file to read.

    Raises:
        ConfigError: there are several.
    """
    if path is not None:
        return path
    found = [name for name in DEFAULT_FILE_NAMES if Path(name).exists()]
    if len(found) > 1:
        text = f"{' and '.join(found)} exist"
        raise ConfigError([Problem(file="", text=text, fix="keep one, or choose one with -c")])
    return found[0] if found else DEFAULT_FILE_NAMES[0]


def is_yaml(name: str) -> bool:
    """Whether the file is YAML; everything else is JSON, as in the Go program."""
    return Path(name).suffix.lower() in _YAML


def read_config_file(name: str) -> bytes:
    """Return the file's bytes, one more than allowed if there are too many.

    Raises:
        ConfigError: it cannot be read.
    """
    try:
        with Path(name).open("rb") as file:
            return file.read(_LARGEST + 1)
    except OSError as error:
        _unreadable(name, error)


def decode_source(name: str, body: bytes) -> Diagnostics:
    """Return an empty report about the text of a file.

    Invalid UTF-8 becomes U+FFFD byte by byte, as Go does it, with a warning.

    Raises:
        ConfigError: it is too large, or is not UTF-8 at all.
    """
    if len(body) > _LARGEST:
        _refuse(name, f"is larger than {_LARGEST // 1024 // 1024} MiB")
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        _refuse(name, "is UTF-16", "save it as UTF-8")
    if body.startswith(codecs.BOM_UTF8) and not is_yaml(name):
        _refuse(name, "starts with a byte order mark", "save it as UTF-8 without BOM")
    text = body.removeprefix(codecs.BOM_UTF8).decode("utf-8", _handler)
    report = Diagnostics(name, text)
    if _REPLACEMENT in text and not _is_utf8(body):
        at = text.index(_REPLACEMENT)
        report.warn(at, "", "contains bytes that are not UTF-8", "save the file as UTF-8")
    return report


def _replace_byte(error: UnicodeError) -> tuple[str, int]:
    """Replace one byte and go on with the next; Python's own handler takes several at once."""
    if isinstance(error, UnicodeDecodeError):
        return _REPLACEMENT, error.start + 1
    raise error


_handler = "checkup.replace-byte"


codecs.register_error(_handler, _replace_byte)


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _unreadable(name: str, error: OSError) -> NoReturn:
    """Say it as the Go program does: ``open NAME: no such file or directory``."""
    reason = os.strerror(error.errno).lower() if error.errno else "cannot be read"
    fix = (
        "run: checkup init, or choose another with -c"
        if isinstance(error, FileNotFoundError)
        else ""
    )
    raise ConfigError([Problem(file="", text=f"open {name}: {reason}", fix=fix)]) from error


def _refuse(name: str, text: str, fix: str = "") -> NoReturn:
    raise ConfigError([Problem(file=name, line=1, column=1, text=text, fix=fix)])


class ScalarStyle(Enum):
    """How a scalar is written, which decides what it may be read as.

    JSON has quoted texts, numbers and words (``true``, ``false``, ``null``). A plain scalar
    of YAML is whatever the key asks for: ``on`` is a boolean for ``tls`` and a text for
    ``group``.
    """

    QUOTED = "a string"
    NUMBER = "a number"
    KEYWORD = "true, false or null"
    PLAIN = "a scalar"


class ScalarNode(Struct, frozen=True, gc=False):
    """One value that holds no others.

    Attributes:
        offset: offset in the text, in characters.
        text: the value without quotation marks and escapes.
    """

    offset: int
    text: str
    form: ScalarStyle


class Member(Struct, frozen=True):
    """One key of an object and its value; ``at`` is the place of the key."""

    offset: int
    key: str
    value: Node


class ObjectNode(Struct, frozen=True):
    """Keys with values, in the order of the file; a key may occur twice."""

    offset: int
    members: tuple[Member, ...]


class ArrayNode(Struct, frozen=True):
    """A list of values."""

    offset: int
    items: tuple[Node, ...]


Node: TypeAlias = ScalarNode | ObjectNode | ArrayNode

MAX_DEPTH = 100
"""Objects and lists may lie in each other this deep; a configuration needs six."""

_YAML_NULLS = frozenset({"", "~", "null", "Null", "NULL"})


def is_null(node: Node) -> bool:
    """Whether the value says that there is none."""
    if not isinstance(node, ScalarNode):
        return False
    if node.form is ScalarStyle.PLAIN:
        return node.text in _YAML_NULLS
    return node.form is ScalarStyle.KEYWORD and node.text == "null"


def describe(node: Node) -> str:
    """Name what was found, without showing it: it may be a secret."""
    if isinstance(node, ObjectNode):
        return "an object"
    if isinstance(node, ArrayNode):
        return "a list"
    return node.text if node.form is ScalarStyle.KEYWORD else node.form.value
