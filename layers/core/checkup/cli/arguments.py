"""Which command the arguments mean: flags may stand before or after its name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

COMMANDS: Final = {
    "every": "checkup.cli.every:every",
    "message": "checkup.cli.message:message",
    "page": "checkup.cli.page:page",
    "serve": "checkup.cli.serve:serve",
    "validate": "checkup.cli.validate:validate",
    "completion": "checkup.cli.completion:completion",
    "help": "checkup.cli.help:show",
}
"""Each command and where it is, in the order of the help."""

LOOK: Final = "look"
"""The command that has no name of its own: it gets every word that names no command."""

_TAKES_VALUE: Final = frozenset({"--config", "--about", "--listen"})
_TAKES_VALUE_SHORT: Final = frozenset("ca")


def route(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with the command's name in front.

    The first word that is neither a flag nor a flag's value is the command, if there is one of
    that name. Otherwise all words are for :data:`LOOK`, unless help or the version is asked for.
    """
    place = _first_word(arguments)
    if place is not None and arguments[place] in COMMANDS:
        return [arguments[place], *arguments[:place], *arguments[place + 1 :]]
    end = arguments.index("--") if "--" in arguments else len(arguments)
    for flag in ("--version", "-h", "--help"):
        if flag in arguments[:end]:
            return [flag]
    return [LOOK, *arguments]


def _first_word(arguments: Sequence[str]) -> int | None:
    """Return the place of the first word; after ``--`` no word can be a command."""
    is_value = False
    for place, argument in enumerate(arguments):
        if is_value:
            is_value = False
        elif argument == "--":
            return None
        elif argument.startswith("-") and argument != "-":
            is_value = _takes_next(argument)
        else:
            return place
    return None


def _takes_next(flag: str) -> bool:
    """Say whether the argument after ``flag`` is its value: ``--config``, ``-c``, ``-vc``."""
    if flag.startswith("--"):
        return flag in _TAKES_VALUE
    letters = [place for place, letter in enumerate(flag) if letter in _TAKES_VALUE_SHORT]
    return bool(letters) and letters[0] == len(flag) - 1
