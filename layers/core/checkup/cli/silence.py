"""``checkup silence``: hear nothing of a checker for a while."""

from __future__ import annotations

import os
import time

import click

from checkup import bootstrap
from checkup.cli import session
from checkup.cli.choosing import complete_checkers, select_checkers_or_suggest
from checkup.cli.flags import config_options, examples_epilog, verbose_option
from checkup.cli.spans import format_minute, parse_timespan
from checkup.protocol.silencing import silence_checkers as keep_quiet


@click.command(
    epilog=examples_epilog(
        "checkup silence api --for 2h",
        "checkup silence api website --for 3d",
        "checkup silence api --end",
        "checkup silence                  list the silences",
    ),
)
@config_options
@click.option("--for", "length", metavar="TIME", default="", help="How long: 90m, 2h, 3d.")
@click.option("--end", is_flag=True, help="End it now.")
@verbose_option
@click.argument("names", nargs=-1, metavar="[NAME ...]", shell_complete=complete_checkers)
def silence(
    config_file: str | None, *, length: str, end: bool, verbose: bool, names: tuple[str, ...]
) -> int:
    """Announce no outage of the checkers named until the time is over; list what is silent.

    They are checked and stored as ever. What is still down when the silence ends is announced
    then; the end of an outage that was announced before is announced at once.
    """
    if names and bool(length) == end:
        raise click.UsageError("say how long with --for, or --end")
    config = session.load_config(config_file, verbose=verbose, quiet=True)
    checkers = select_checkers_or_suggest(config.checkers, names) if names else ()
    monitor = bootstrap.run_context(config, os.environ)
    now = time.time_ns()
    until = now + parse_timespan(length) if length else now
    chosen = {checker.id for checker in checkers}
    silences = keep_quiet(monitor, chosen, since=now, until=until)
    titles = {checker.id: checker.title or checker.id for checker in config.checkers}
    for name, kept in sorted(silences.items()):
        print(f"{titles.get(name, name)}: silent until {format_minute(kept.until)}")
    if not silences:
        print("nothing is silent")
    return 0
