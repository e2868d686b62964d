"""``checkup``: look at everything, or at what is named, now.

Only the flags are here, for the help of the program lists them and has to be quick.
"""

from __future__ import annotations

import click

from checkup.cli.choosing import complete_command_or_checker
from checkup.cli.flags import config_options, verbose_option


@click.command()
@config_options
@click.option("--store", is_flag=True, help="Store the run, tell of changes and print nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the array that a run file would hold.")
@verbose_option
@click.argument("names", nargs=-1, metavar="[NAME ...]", shell_complete=complete_command_or_checker)
def check(
    config_file: str | None, *, store: bool, as_json: bool, verbose: bool, names: tuple[str, ...]
) -> int:
    """Look once at every checker, or at those named by title or id."""
    from checkup.cli.looking import look  # noqa: PLC0415 - brings in the engine

    return look(config_file, names, store=store, as_json=as_json, verbose=verbose)
