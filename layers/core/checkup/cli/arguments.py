"""Which command the arguments mean: flags may stand before or after its name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple


class Place(NamedTuple):
    """Where a command is, and what the help of the program says of it."""

    module: str
    attribute: str
    summary: str


COMMANDS: Final = {
    "init": Place("init", "init", "Write a configuration to start from."),
    "validate": Place("validate", "validate", "Print all that is wrong with the configuration."),
    "every": Place("every", "every", "Look, store and tell of changes, again and again."),
    "message": Place(
        "message", "message", "Look, and store the run with a text about one checker."
    ),
    "status": Place("status", "status", "Show what is known of each checker."),
    "explain": Place("explain", "explain", "Say why a checker is taken for what it is."),
    "silence": Place("silence", "silence", "Hear nothing of a checker for a while."),
    "incident": Place("incident", "incident", "Tell people what is going on, on the page."),
    "maintenance": Place("maintenance", "maintenance", "Announce work, and hear nothing of it."),
    "replay": Place("replay", "replay", "Compare what other settings would have announced."),
    "notify": Place("notify", "notify", "List the channels, or send a test message to them."),
    "ping": Place("ping", "ping", "Report for a job that it has run."),
    "provision": Place("provision", "provision", "Make what the configured storage needs."),
    "history": Place("past", "history", "Show what the stored runs saw of a checker."),
    "serve": Place("serve", "serve", "Show the status page over HTTP."),
    "page": Place("page", "page", "Write the status page into a folder."),
    "rebuild": Place("rebuild", "rebuild", "Count the page's days again, from the stored runs."),
    "cost": Place("cost", "cost", "Say what the configuration costs on AWS in a month."),
    "restore": Place("restore", "restore", "Go on from an earlier version of a stack's state."),
    "pause": Place("pause", "pause", "Stop the schedules of a stack."),
    "resume": Place("pause", "resume", "Start them again."),
    "schema": Place("schema", "schema", "Print the configuration's JSON Schema, for editors."),
    "completion": Place("completion", "completion", "Print the completion script of a shell."),
    "help": Place("help", "show", "Show help, of a command too."),
}
"""The commands in the order of the help. None of them is imported before it is needed."""

LOOK: Final = Place("look", "look", "")
"""The command that has no name of its own: it gets every word that names no command."""

_TAKES_VALUE: Final = frozenset(
    {
        *("--config", "--stack", "--region", "--profile"),
        *("--memory", "--retention", "--architecture", "--interval", "--seconds"),
        *("--about", "--listen", "--host", "--for", "--since", "--set"),
        *("--impact", "--status", "--component", "--group", "--title", "--message"),
        *("--from", "--until", "--month"),
    }
)
_TAKES_VALUE_SHORT: Final = frozenset("ca")


def route(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with the command's name in front.

    The first word that is neither a flag nor a flag's value is the command, if there is one of
    that name. Otherwise all words are for :data:`LOOK`, unless help or the version is asked for.
    """
    place = first_word(arguments)
    if place is not None and arguments[place] in COMMANDS:
        return [arguments[place], *arguments[:place], *arguments[place + 1 :]]
    end = arguments.index("--") if "--" in arguments else len(arguments)
    for flag in ("--version", "-h", "--help"):
        if flag in arguments[:end]:
            return [flag]
    return [LOOK.module, *arguments]


def first_word(arguments: Sequence[str]) -> int | None:
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
