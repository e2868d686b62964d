"""``checkup rebuild``: count the history again."""

from __future__ import annotations

import time
from math import inf

import click

from checkup import bootstrap
from checkup.cli import recording, session
from checkup.cli.flags import config_options, examples_epilog, verbose_option
from checkup.deadline import Deadline
from checkup.errors import CheckupError


@click.command(
    epilog=examples_epilog("checkup rebuild", "checkup -c shop.yaml rebuild -v"),
)
@config_options
@verbose_option
def rebuild(config_file: str | None, *, verbose: bool) -> int:
    """Count the hours and days of the status page again, from the stored runs.

    That is of use after a checker got another id or title, or after runs were put into the
    storage by hand. Days whose runs are no longer kept stay as they are. It may be interrupted
    and started again at any time; the page goes on meanwhile.
    """
    config = session.load_config(config_file, verbose=verbose)
    storage = recording.require_storage(config)
    kept = bootstrap.history_store(config, storage, time.time_ns()).rebuild(Deadline(inf))
    if kept is None:
        raise CheckupError("the runs that are kept do not cover a whole day; nothing was changed")
    print(f"{kept.runs} runs counted")
    return 0
