"""Kinds by name, each loaded when a configuration first names it.

A registry maps the ``type`` of checkup.json to ``"module:Class"``. It is a plain table that
can be read, and it works where a package has no metadata, as in a Lambda layer. Loading late
keeps boto3, requests and dnspython out of a program that does not use them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Annotated, ClassVar, Final, Generic, NamedTuple, TypeVar, get_args

from msgspec import Meta, Struct, structs

from checkup.errors import EXTRA_FIX

# The types that a key of the configuration can have.
#
# They are ordinary Python types with a mark that tells the reader how to read them and the
# rest of the program how to treat them.


Duration = Annotated[int, Meta(extra={"is": "duration"})]
"""Nanoseconds; written as ``"500ms"``, ``"1h30m"`` or Go's integer."""

Secret = Annotated[str, Meta(extra={"is": "secret"})]
"""A password, token or webhook, or a reference to one (``ssm:…``, ``secretsmanager:…``,
``env:…``, ``file:…``); resolved when it is used, never stored, printed or logged."""

Headers = Annotated[dict[str, tuple[str, ...]], Meta(extra={"is": "headers", "private": True})]
"""Header name to its values; a single string is read as a list of one.

Like every field with the mark ``private``, they often hold what is nobody's business, and so are
no part of anything that is stored.
"""

Strings = Annotated[tuple[str, ...], Meta(extra={"is": "strings"})]
"""A list of strings; a single string is read as a list of one."""

Mentions = Annotated[dict[str, tuple[str, ...]], Meta(extra={"is": "mentions"})]
"""Whom a message mentions, by the status of the alert; names alone are those of ``down``."""

MENTION_STATUSES: Final = ("down", "degraded")

Timestamp = Annotated[int, Meta(extra={"is": "timestamp"})]
"""Nanoseconds since the epoch; written in RFC 3339."""

Seconds = Annotated[int, Meta(extra={"is": "seconds"})]
"""Whole seconds; written as an integer or as a duration, ``60`` or ``"1m"``."""

Ranges = Annotated[tuple[tuple[int, int], ...], Meta(extra={"is": "ranges"})]
"""Whole numbers and ranges of them, first and last; written as ``[404, "200-299"]``."""

Color = Annotated[str, Meta(extra={"is": "color"})]
"""Red, green and blue; written as ``#0a7d3c``."""

LOCALES: Final = ("en", "ko")
"""The languages of the page, sorted; each is a file in ``checkup_page/locales``."""

Locales = Annotated[tuple[str, ...], Meta(extra={"is": "languages"})]
"""Some of these; a single one is read as a list of one."""


# Settings, and what is wrong with them although every value has the right type.


class SettingProblem(NamedTuple):
    """A field that contradicts another, or whose value cannot work.

    Attributes:
        field: name of the field to change; empty for the settings as a whole.
        text: what is wrong, as a fragment in lower case.
        fix: what to do about it; may be empty.
        is_fatal: of a warning about a checker: it can never succeed, so it is not run, and its
            result is unknown.
    """

    field: str
    text: str
    fix: str = ""
    is_fatal: bool = False


class InvalidSettingsError(ValueError):
    """Settings that contradict themselves.

    Attributes:
        problems: all of them; the message is that of the first.
    """

    def __init__(self, problems: tuple[SettingProblem, ...]) -> None:
        super().__init__(problems[0].text)
        self.problems = problems


class Settings(Struct, frozen=True, kw_only=True):
    """The base class of what a section of the configuration is read into.

    Class attributes:
        needs_extra: the extra without which this kind cannot be used; empty for none.
        needs_fields: fields without which it is accepted, as in the Go program, and cannot work.
    """

    needs_extra: ClassVar[str] = ""
    needs_fields: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        if problems := tuple(self.find_errors()):
            raise InvalidSettingsError(problems)

    def find_errors(self) -> Iterator[SettingProblem]:
        """Yield what makes the settings invalid: no object can be made of them."""
        yield from ()

    def find_warnings(self) -> Iterator[SettingProblem]:
        """Yield what is accepted, as in the Go program, although it cannot work."""
        for name in self.needs_fields:
            if not getattr(self, name):
                key = name.rstrip("_")
                yield SettingProblem("", f'cannot be used without "{key}"', f'add "{key}"')


_EXTRA_MODULES: Final = {"aws": "boto3", "patterns": "re2", "sql": "sqlalchemy"}


def is_extra_installed(extra: str) -> bool:
    """Whether the libraries of an optional part of Checkup are there."""
    return find_spec(_EXTRA_MODULES[extra]) is not None


def extra_not_installed(extra: str) -> tuple[str, str]:
    """Return what is wrong with settings whose extra is not installed, and the fix."""
    return f"needs the extra '{extra}'", EXTRA_FIX


@cache
def secret_fields(kind: type[Struct]) -> tuple[str, ...]:
    """Return the names of the fields that hold a secret or a reference to one."""
    return tuple(field.name for field in structs.fields(kind) if _is_secret(field.type))


def _is_secret(annotation: object) -> bool:
    marks = (mark.extra or {} for mark in get_args(annotation) if isinstance(mark, Meta))
    return any(mark.get("is") == "secret" for mark in marks)


Kind = TypeVar("Kind")


class Registry(Mapping[str, type[Kind]], Generic[Kind]):
    """A mapping from a kind's name to its class."""

    def __init__(self, import_paths: Mapping[str, str]) -> None:
        self._places = dict(import_paths)

    def __getitem__(self, name: str) -> type[Kind]:
        module, _, attribute = self._places[name].partition(":")
        loaded: type[Kind] = getattr(import_module(module), attribute)
        return loaded

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def with_kind(self, name: str, place: str) -> Registry[Kind]:
        """Return a registry that has one more kind."""
        return Registry({**self._places, name: place})
