"""What stands for a checker whose configuration cannot be used: nothing is known of it.

A deployed stack goes on with the good checkers of a bad file. The others keep their places, so
that the page shows them as unknown, and not as if they had never been.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final, NoReturn

from msgspec import structs

from checkup.config.fields import fields_of
from checkup.config.reading import SettingsReader
from checkup.config.report import Diagnostics
from checkup.config.settings import Config
from checkup.config.tree import Member
from checkup.deadline import Deadline
from checkup.errors import CheckUnknownError
from checkup.ports import Checker

_KEPT: Final = ("endpoint_name", "id", "group", "description", "link", "hidden", "public_name")
"""What places it on the page, or keeps it off."""

_PRIVATE: Final = frozenset({".hidden", ".public_name"})
"""Where one of these is wrong, what must not be public cannot be told."""

_PLACE: Final = re.compile(r"checkers\[(\d+)\]")


class InvalidChecker(Checker, frozen=True, kw_only=True):
    """A checker that cannot look, for its configuration has an error."""

    kind: ClassVar[str] = "misread"

    def attempt(self, deadline: Deadline) -> NoReturn:
        """See :meth:`checkup.ports.Checker.attempt`."""
        del deadline
        raise CheckUnknownError("config", "its configuration has an error")


def invalid_checker(
    reading: SettingsReader, members: Mapping[str, Member], inherited: Mapping[str, Any]
) -> InvalidChecker:
    """Return what stands for a checker that could not be made; nothing more is noted.

    Args:
        members: those that can be told, by their names in lower case.
        inherited: defaults, of which ``hidden`` matters here.
    """
    kept = {name: member for name, member in members.items() if name in _KEPT}
    if "name" in members:  # another spelling of it, where there are both the one to show
        kept["endpoint_name"] = members["name"]
    quiet = SettingsReader(Diagnostics("", reading.report.text), reading.environment)
    values = quiet.fill(fields_of(InvalidChecker), kept, "").values
    return InvalidChecker(**{"hidden": inherited.get("hidden", False), **values})


def replace_invalid_checkers(config: Config, errors: Iterable[str]) -> Config:
    """Return the configuration with every checker that has an error replaced.

    Args:
        errors: the keys of all errors, such as ``checkers[2].timeout``.
    """
    wrong: dict[int, set[str]] = {}
    for key in errors:
        if place := _PLACE.match(key):
            wrong.setdefault(int(place[1]), set()).add(key[place.end() :])
    checkers = tuple(
        _misread(checker, wrong[number]) if number in wrong else checker
        for number, checker in enumerate(config.checkers)
    )
    return structs.replace(config, checkers=checkers)


def _misread(checker: Checker, wrong: set[str]) -> InvalidChecker:
    kept = {name: getattr(checker, name) for name in _KEPT} | {"endpoint_name": checker.title}
    if not wrong.isdisjoint(_PRIVATE):
        kept["hidden"] = True
    return InvalidChecker(**kept)
