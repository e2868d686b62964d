"""The words that name checkers: what they mean, and how a shell completes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import click
from click.shell_completion import CompletionItem

from checkup import selection
from checkup.cli.failures import UnknownCommandError
from checkup.errors import CheckupError
from checkup.ports import Checker


def select_checkers_or_suggest(
    checkers: Sequence[Checker], words: Sequence[str]
) -> tuple[Checker, ...]:
    """Return the checkers that the words name, in the order of the configuration.

    Raises:
        UnknownCommandError: a word names no checker; it may have been meant to be a command.
    """
    for word in words:
        try:
            selection.select_checkers(checkers, [word])
        except LookupError as error:
            raise UnknownCommandError(word, _candidates(checkers)) from error
    return selection.select_checkers(checkers, words)


def complete_checkers(
    context: click.Context, _: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Offer the ids, and the titles that a shell takes as one word."""
    from checkup.cli.session import read_config  # noqa: PLC0415 - brings in what reads the configuration

    try:
        checkers = read_config(context.params.get("config_file")).checkers
    except CheckupError:
        return []
    return list(_offers(checkers, incomplete.casefold()))


def complete_command_or_checker(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Offer the commands too, as long as no checker is named."""
    root = context.find_root()
    commands: list[CompletionItem] = []
    if not context.params.get("names"):
        commands = root.command.shell_complete(root, incomplete)
    return [*commands, *complete_checkers(context, parameter, incomplete)]


def _candidates(checkers: Sequence[Checker]) -> dict[str, str]:
    """Map every name to the word that a shell takes for it: a command or an id."""
    titles = {checker.title: checker.id for checker in checkers}
    return _commands() | titles | {checker.id: checker.id for checker in checkers}


def _commands() -> dict[str, str]:
    """Map the program's commands to themselves; they are asked of the group that runs this one."""
    context = click.get_current_context(silent=True)
    root = context.find_root() if context else None
    if root is None or not isinstance(root.command, click.Group):
        return {}
    return {name: name for name in root.command.list_commands(root)}


def _offers(checkers: Sequence[Checker], start: str) -> Iterator[CompletionItem]:
    for checker in checkers:
        if checker.id.casefold().startswith(start):
            yield CompletionItem(checker.id, help=checker.title)
        elif checker.title.casefold().startswith(start) and " " not in checker.title:
            yield CompletionItem(checker.title)
