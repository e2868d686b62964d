"""What was found in a file: every error and every warning, each with its place."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection
from typing import NoReturn

from checkup.errors import ConfigError, Problem
from checkup.redaction import mask_secrets

_LINE_END = re.compile(r"\r\n|\n|\r")


class Diagnostics:
    """Collects problems by their offset in the text of one file.

    Attributes:
        file: the file's name as it was given.
        text: the file's text; offsets count its characters.
        hidden: values that came from the environment; no problem shows them.
    """

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text
        self.hidden: Collection[str] = ()
        self._starts: list[int] = []
        self._errors: list[Problem] = []
        self._warnings: list[Problem] = []

    @property
    def has_errors(self) -> bool:
        """Whether the file has to be refused."""
        return bool(self._errors)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The warnings, in the order of the file."""
        return tuple(sorted(self._warnings, key=_place))

    @property
    def wrong_keys(self) -> tuple[str, ...]:
        """The keys of all errors so far."""
        return tuple(problem.key for problem in self._errors)

    def error(self, at: int, key: str, text: str, fix: str = "") -> None:
        """Note something that makes the file unusable, and go on."""
        self._errors.append(self._problem(at, key, text, fix))

    def warn(self, at: int, key: str, text: str, fix: str = "") -> None:
        """Note something that is probably not meant."""
        self._warnings.append(self._problem(at, key, text, fix))

    def refuse(self, partial: object = None) -> NoReturn:
        """Raise all errors at once, in the order of the file.

        Args:
            partial: what of the configuration can be used all the same.
        """
        raise ConfigError(sorted(self._errors, key=_place), self.warnings, partial)

    def fail(self, at: int, key: str, text: str, fix: str = "") -> NoReturn:
        """Note an error after which nothing more can be read, and raise."""
        self.error(at, key, text, fix)
        self.refuse()

    def line(self, at: int) -> int:
        """The line of an offset, counted from 1."""
        if not self._starts:
            self._starts = [0, *(end.end() for end in _LINE_END.finditer(self.text))]
        return bisect_right(self._starts, at)

    def _problem(self, at: int, key: str, text: str, fix: str) -> Problem:
        line = self.line(at)
        column = at - self._starts[line - 1] + 1
        return Problem(
            file=self.file,
            line=line,
            column=column,
            key=key,
            text=mask_secrets(text, tuple(self.hidden)),
            fix=mask_secrets(fix, tuple(self.hidden)),
        )


def _place(problem: Problem) -> tuple[int, int]:
    return problem.line, problem.column
