"""Options, arguments and shell completions that several commands share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

from checkup.cli import output
from checkup.errors import CheckupError
from checkup.interfaces import Checker
from checkup.interfaces.checker import select_checkers
from checkup.text import did_you_mean, similar_name
from checkup.times import format_month, parse_month

if TYPE_CHECKING:
    from checkup.config.settings import Config

# Common options.


VERBOSE = "checkup.verbose"
"""Key of click's ``meta``: whether ``-v`` was given."""

STACK = "checkup.stack"
"""Key of click's ``meta``: the stack that ``--stack`` named."""

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

_config: Decorator = click.option(
    "-c",
    "--config",
    "config_file",
    metavar="FILE",
    type=click.Path(),
    help="Configuration file  [default: checkup.json, checkup.yaml or checkup.yml]",
)


def _remember_stack(context: click.Context, _: click.Parameter, value: str | None) -> None:
    if value == "":  # an unset variable must not silently select the local files
        raise click.BadParameter("the stack name is empty.")
    if value is not None:
        context.meta[STACK] = value


def _set_aws(context: click.Context, parameter: click.Parameter, value: str | None) -> None:  # noqa: ARG001
    """Set the environment variable that AWS SDKs read."""
    if value:
        os.environ[f"AWS_{(parameter.name or '').upper()}"] = value


_stack: Decorator = click.option(
    "--stack",
    metavar="NAME",
    expose_value=False,
    callback=_remember_stack,
    help="Use the storage and configuration of a deployed stack.",
)

_region: Decorator = click.option(
    "--region", metavar="REGION", expose_value=False, callback=_set_aws, help="AWS region."
)

_profile: Decorator = click.option(
    "--profile",
    metavar="NAME",
    expose_value=False,
    callback=_set_aws,
    help="AWS profile.",
)


def config_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``-c``, ``--stack``, ``--region`` and ``--profile``."""
    return _config(_stack(_region(_profile(command))))


def _remember_verbose(context: click.Context, _: click.Parameter, value: bool) -> bool:
    context.meta[VERBOSE] = value
    return value


verbose_option: Decorator = click.option(
    "-v", "--verbose", is_flag=True, callback=_remember_verbose, help="Verbose output on stderr."
)


def examples_epilog(*lines: str) -> str:
    """Return the epilog of a command's help; click leaves its line breaks alone."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def month_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--month``, for items that started before the months that are searched by default."""
    return click.option(
        "--month",
        metavar="YYYY-MM",
        callback=lambda _context, _parameter, text: parse_month(text) if text else None,
        help="Month of the start, if more than three months ago.",
    )(command)


class UnknownCommandError(click.UsageError):
    """A word that is neither a command nor a checker.

    Args:
        candidates: known names, and the word to suggest for each.
    """

    def __init__(self, word: str, candidates: Mapping[str, str]) -> None:
        super().__init__(f'unknown command "{word}" for "checkup"')
        found = similar_name(word, candidates)
        self.suggestions = [candidates[found]] if found else []


# Checkers named on the command line, and shell completion of their names.


def select_checkers_or_suggest(
    checkers: Sequence[Checker], words: Sequence[str]
) -> tuple[Checker, ...]:
    """Return the checkers that the words name, in the order of the configuration.

    Where a command could stand too, before ``checkup`` knows any; see :func:`named_checkers`.

    Raises:
        UnknownCommandError: a word names no checker; it suggests a similar command or checker.
    """
    for word in words:
        try:
            select_checkers(checkers, [word])
        except LookupError as error:
            raise UnknownCommandError(word, _candidates(checkers)) from error
    return select_checkers(checkers, words)


def named_checkers(checkers: Sequence[Checker], words: Sequence[str]) -> tuple[Checker, ...]:
    """Return the checkers that the words name, in the order of the configuration; all if none.

    Raises:
        CheckupError: a word names no checker; it suggests a similar one.
    """
    try:
        return select_checkers(checkers, words)
    except LookupError as error:
        raise CheckupError(str(error)) from error


def complete_checkers(
    context: click.Context, _: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Offer the ids, and the titles that a shell takes as one word."""
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
    """Map every command, title and id to the word to type for it."""
    titles = {checker.title: checker.id for checker in checkers}
    return _commands() | titles | {checker.id: checker.id for checker in checkers}


def _commands() -> dict[str, str]:
    """Map the program's commands to themselves."""
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


# Reading the configuration.


def read_config(path: str | None) -> Config:
    """Read the configuration of a file, or of the stack that ``--stack`` names.

    With a stack, this process then uses its storage.

    Raises:
        ConfigError: with every problem of the file.
        CheckupError: the stack does not exist, or access is denied.
    """
    context = click.get_current_context(silent=True)
    stack = context.meta.get(STACK) if context else None
    if stack is None:
        from checkup.app import read_config as read  # slow to import

        return read(path, os.environ)
    from checkup.cli.stack import open_stack  # imports boto3

    return open_stack(stack, path)


def load_config(path: str | None, *, verbose: bool, hide_warnings: bool = False) -> Config:
    """Read the configuration, print its warnings on stderr, and set up the log.

    Args:
        verbose: ``-v`` was given.
        hide_warnings: print warnings only with ``-v``, for commands that cron runs each minute.

    Raises:
        ConfigError: with every problem of the file.
    """
    output.configure_logging(verbose=verbose)
    config = read_config(path)
    if verbose or not hide_warnings:
        for warning in config.warnings:
            output.log_line(f"warning: {warning}")
    return config


component_option: Decorator = click.option(
    "--component",
    "components",
    multiple=True,
    metavar="NAME",
    shell_complete=complete_checkers,
    help="Affected checker, by title or id; can be repeated.",
)

group_option: Decorator = click.option(
    "--group", "groups", multiple=True, metavar="NAME", help="Affected group; can be repeated."
)


def checker_ids(config: Config, names: Sequence[str]) -> tuple[str, ...]:
    """Return the ids of the checkers that are named; none without names.

    Raises:
        CheckupError: a name that no checker has.
    """
    chosen = named_checkers(config.checkers, names) if names else ()
    return tuple(checker.id for checker in chosen)


def group_names(config: Config, names: Sequence[str]) -> tuple[str, ...]:
    """Return the groups that are named, as the configuration spells them.

    Raises:
        CheckupError: a name that no group has.
    """
    known = {checker.group for checker in config.checkers} | {it.name for it in config.groups}
    by_name = {name.casefold(): name for name in known if name}
    for name in names:
        if name.casefold() not in by_name:
            advice = did_you_mean(name, by_name.values())
            raise CheckupError("; ".join(filter(None, [f'no group "{name}"', advice])))
    return tuple(by_name[name.casefold()] for name in names)


# Ids that are typed by their beginning.


Item = TypeVar("Item")


def find_by_id_prefix(
    items: Mapping[str, Item], start: str, noun: str, month: int | None = None
) -> Item:
    """Return the item whose id starts with ``start``.

    Args:
        items: by id.
        noun: ``incident`` or ``maintenance``.
        month: start of the month in which all of them began.

    Raises:
        CheckupError: there is none, or several.
    """
    found = [key for key in items if key.startswith(start.casefold())] if start else []
    if len(found) == 1:
        return items[found[0]]
    if found:
        raise CheckupError(f'"{start}" is ambiguous: {", ".join(found)}')
    if month is not None:
        name = format_month(month)
        listing = f'"checkup {noun} list --month {name}" lists them'
        raise CheckupError(f'no {noun} "{start}" in {name}; {listing}')
    listing = f'"checkup {noun} list" lists them'
    older = "for starts more than three months ago, add --month YYYY-MM"
    raise CheckupError(f'no {noun} "{start}"; {listing}; {older}')
