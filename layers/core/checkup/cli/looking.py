"""What ``checkup`` without a command does: one run, printed or stored."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from checkup import bootstrap, engine, runfile
from checkup.cli import progress, recording, session, terminal
from checkup.cli.arguments import COMMANDS
from checkup.cli.blocks import failure_lines, go_result_block
from checkup.cli.choosing import select_checkers_or_suggest
from checkup.cli.failures import UnknownCommandError
from checkup.config.settings import Config
from checkup.deadline import Deadline
from checkup.errors import ConfigError
from checkup.model import Result, Status
from checkup.ports import Checker


def look(
    path: str | None, names: Sequence[str], *, store: bool, as_json: bool, verbose: bool
) -> int:
    """Look once and return the exit code.

    Args:
        names: titles or ids of the checkers to look at; all without any.
    """
    config = _begin(path, names, verbose=verbose, quiet=store)
    chosen = select_checkers_or_suggest(config.checkers, names)
    with progress.progress_bar(len(chosen), wanted=not (as_json or verbose)) as done:
        if store:
            only = chosen if names else None
            results = recording.RunRecorder.of(config).record(only=only, progress=done).results
        else:
            results = _look(config, chosen, done)
    if as_json:
        _print_json(results)
    elif verbose or not store:
        _print_blocks(results)
    if verbose:
        terminal.flush()  # where both streams go to one place, the reasons come last
        terminal.log_line("\n".join(failure_lines(results)))
    all_healthy = all(result.status is Status.HEALTHY for result in results)
    return 0 if store or all_healthy else 1


def _begin(path: str | None, names: Sequence[str], *, verbose: bool, quiet: bool) -> Config:
    """Read the configuration; where there is none, a word can only be a mistyped command."""
    try:
        return session.load_config(path, verbose=verbose, quiet=quiet)
    except ConfigError as error:
        is_there = not isinstance(error.__cause__, FileNotFoundError)
        if names and path is None and not is_there:
            raise UnknownCommandError(names[0], {name: name for name in COMMANDS}) from error
        raise


def _look(config: Config, chosen: Sequence[Checker], done: progress.OnResult) -> tuple[Result, ...]:
    """Look and leave no trace: no second look, no state, no message."""
    return engine.run_checks(
        chosen,
        deadline=Deadline.after(bootstrap.run_deadline_seconds(config)),
        concurrency=config.concurrency,
        mask=bootstrap.secret_masker(config),
        secret=bootstrap.make_clients(config, os.environ).secret,
        timestamp=config.timestamp,
        progress=done,
    )


def _print_blocks(results: Iterable[Result]) -> None:
    colour = terminal.wants_color(os.environ)
    for result in results:
        print(go_result_block(result, colour=colour), end="")


def _print_json(results: Sequence[Result]) -> None:
    print(runfile.encode_results(results).decode())
