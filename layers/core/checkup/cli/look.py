"""``checkup``: look at everything, or at what is named, now."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

import click

from checkup import bootstrap, engine, runfile
from checkup.cli import recording, session, terminal
from checkup.cli.arguments import COMMANDS
from checkup.cli.blocks import block, explain
from checkup.cli.choosing import choose, complete_first_word
from checkup.cli.failures import UnknownWord
from checkup.cli.flags import config_flag, verbose_flag
from checkup.config.settings import Config
from checkup.deadline import Deadline
from checkup.errors import ConfigError
from checkup.model import Result, Status
from checkup.ports import Checker


@click.command()
@config_flag
@click.option("--store", is_flag=True, help="Store the run, tell of changes and print nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the array that a run file would hold.")
@verbose_flag
@click.argument("names", nargs=-1, metavar="[NAME ...]", shell_complete=complete_first_word)
def look(
    config_file: str | None, *, store: bool, as_json: bool, verbose: bool, names: tuple[str, ...]
) -> int:
    """Look once at every checker, or at those named by title or id."""
    config = _begin(config_file, names, verbose=verbose, quiet=store)
    chosen = choose(config.checkers, names)
    if store:
        only = chosen if names else None
        results = recording.Recorder.of(config).record(only=only).results
    else:
        results = _look(config, chosen)
    if as_json:
        _print_json(results)
    elif verbose or not store:
        _print_blocks(results)
    if verbose:
        terminal.say("\n".join(explain(results)))
    all_healthy = all(result.status is Status.HEALTHY for result in results)
    return 0 if store or all_healthy else 1


def _begin(path: str | None, names: Sequence[str], *, verbose: bool, quiet: bool) -> Config:
    """Read the configuration; where there is none, a word can only be a mistyped command."""
    try:
        return session.begin(path, verbose=verbose, quiet=quiet)
    except ConfigError as error:
        is_there = not isinstance(error.__cause__, FileNotFoundError)
        if names and path is None and not is_there:
            raise UnknownWord(names[0], {name: name for name in COMMANDS}) from error
        raise


def _look(config: Config, chosen: Sequence[Checker]) -> tuple[Result, ...]:
    """Look and leave no trace: no second look, no state, no message."""
    return engine.look(
        chosen,
        deadline=Deadline.after(bootstrap.run_deadline_seconds(config)),
        concurrency=config.concurrency,
        mask=bootstrap.mask_with(config),
        timestamp=config.timestamp,
    )


def _print_blocks(results: Iterable[Result]) -> None:
    colour = terminal.is_coloured(os.environ)
    for result in results:
        print(block(result, colour=colour), end="")


def _print_json(results: Sequence[Result]) -> None:
    print(runfile.encode(results).decode())
