"""``checkup history``: what the stored runs saw of a checker."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Sequence

import click

from checkup import runfile, selection
from checkup.cli import recording, session, terminal
from checkup.cli.choosing import complete_checkers
from checkup.cli.flags import config_options, examples_epilog, verbose_option
from checkup.cli.plot import result_rows, result_summary, sparkline
from checkup.cli.spans import format_timespan, parse_timespan
from checkup.errors import CheckupError
from checkup.model import Result, Run
from checkup.ports import Checker, Storage


@click.command(
    epilog=examples_epilog(
        "checkup history api",
        "checkup history 'Web shop' --since 7d",
        "checkup history api --since 1h | grep down",
    ),
)
@config_options
@click.option(
    "--since", metavar="TIME", default="24h", show_default=True, help="How far back: 90m, 30d."
)
@verbose_option
@click.argument("name", shell_complete=complete_checkers)
def history(config_file: str | None, *, since: str, verbose: bool, name: str) -> int:
    """List what the stored runs saw of the checker NAME, by title or id, oldest first.

    On a terminal a small plot of its times follows, with the worst of each stretch. A checker
    that is no longer configured can be named as well, as long as its runs are stored.
    """
    length = parse_timespan(since)
    config = session.load_config(config_file, verbose=verbose, quiet=True)
    names = _names(config.checkers, name)
    storage = recording.require_storage(config)
    seen = list(_results(storage, names, time.time_ns() - length))
    if not seen:
        raise CheckupError(f'no run of the last {format_timespan(length)} has seen "{name}"')
    colour = terminal.wants_color(os.environ)
    for line in result_rows(seen, colour=colour):
        print(line)
    if terminal.is_interactive(os.environ):
        print(f"\n{sparkline(seen, shutil.get_terminal_size().columns, colour=colour)}")
        print(result_summary(seen))
    return 0


def _names(checkers: Sequence[Checker], name: str) -> frozenset[str]:
    """Return the ids and titles under which results of the checker may be stored."""
    try:
        chosen = selection.select_checkers(checkers, [name])
    except LookupError:
        return frozenset({name.casefold()})
    return frozenset(word.casefold() for checker in chosen for word in (checker.id, checker.title))


def _results(storage: Storage, names: frozenset[str], since: int) -> Iterator[tuple[int, Result]]:
    """Yield the results of a checker with the moments of their runs, oldest first.

    Results of the Go program have no id, so these go by their title.
    """
    unreadable = 0
    for key in storage.list(
        runfile.RUNS_PREFIX, runfile.run_key(Run(slot=max(0, since), results=()))
    ):
        stored = storage.get(key)
        try:
            results = runfile.decode_results(stored.body) if stored else ()
        except ValueError:
            unreadable += 1
            continue
        for result in results:
            if (result.id or result.title).casefold() in names:
                yield runfile.key_time(key) or 0, result
    if unreadable:
        terminal.log_line(f"{unreadable} runs cannot be read and are left out")
