"""Which command the arguments mean: flags may stand before or after its name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple


class CommandEntry(NamedTuple):
    """Where a command is, and what the help of the program says of it."""

    module: str
    attribute: str
    summary: str


COMMANDS: Final = {
    "init": CommandEntry("init", "init", "Write a configuration to start from."),
    "validate": CommandEntry(
        "validate", "validate", "Print all that is wrong with the configuration."
    ),
    "every": CommandEntry("every", "every", "Look, store and tell of changes, again and again."),
    "message": CommandEntry(
        "message", "message", "Look, and store the run with a text about one checker."
    ),
    "status": CommandEntry("status", "status", "Show what is known of each checker."),
    "explain": CommandEntry("explain", "explain", "Say why a checker is taken for what it is."),
    "silence": CommandEntry("silence", "silence", "Hear nothing of a checker for a while."),
    "incident": CommandEntry("incident", "incident", "Tell people what is going on, on the page."),
    "maintenance": CommandEntry(
        "maintenance", "maintenance", "Announce work, and hear nothing of it."
    ),
    "replay": CommandEntry("replay", "replay", "Compare what other settings would have announced."),
    "notify": CommandEntry(
        "notify", "notify", "List the channels, or send a test message to them."
    ),
    "ping": CommandEntry("ping", "ping", "Report for a job that it has run."),
    "provision": CommandEntry("provision", "provision", "Make what the configured storage needs."),
    "history": CommandEntry("past", "history", "Show what the stored runs saw of a checker."),
    "serve": CommandEntry("serve", "serve", "Show the status page over HTTP."),
    "page": CommandEntry("page", "page", "Write the status page into a folder."),
    "rebuild": CommandEntry(
        "rebuild", "rebuild", "Count the page's days again, from the stored runs."
    ),
    "cost": CommandEntry("cost", "cost", "Say what the configuration costs on AWS in a month."),
    "restore": CommandEntry(
        "restore", "restore", "Go on from an earlier version of a stack's state."
    ),
    "pause": CommandEntry("pause", "pause", "Stop the schedules of a stack."),
    "resume": CommandEntry("pause", "resume", "Start them again."),
    "schema": CommandEntry(
        "schema", "schema", "Print the configuration's JSON Schema, for editors."
    ),
    "completion": CommandEntry(
        "completion", "completion", "Print the completion script of a shell."
    ),
    "help": CommandEntry("help", "help_command", "Show help, of a command too."),
}
"""The commands in the order of the help. None of them is imported before it is needed."""

DEFAULT_COMMAND: Final = CommandEntry("look", "check", "")
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


def move_command_first(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with the command's name in front.

    The first word that is neither a flag nor a flag's value is the command, if there is one of
    that name. Otherwise all words are for :data:`DEFAULT_COMMAND`, unless help or the version is
    asked for.
    """
    place = first_positional(arguments)
    if place is not None and arguments[place] in COMMANDS:
        return [arguments[place], *arguments[:place], *arguments[place + 1 :]]
    end = arguments.index("--") if "--" in arguments else len(arguments)
    for flag in ("--version", "-h", "--help"):
        if flag in arguments[:end]:
            return [flag]
    return [DEFAULT_COMMAND.module, *arguments]


def first_positional(arguments: Sequence[str]) -> int | None:
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
