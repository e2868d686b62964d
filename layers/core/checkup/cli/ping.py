"""``checkup ping``: a job reports in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import click

from checkup import selection
from checkup.checkers import heartbeat
from checkup.checkers.heartbeat import HeartbeatChecker
from checkup.cli import recording, session
from checkup.cli.choosing import complete_checkers
from checkup.cli.flags import config_options, examples_epilog, verbose_option
from checkup.errors import CheckupError
from checkup.ports import Checker


@click.command(
    epilog=examples_epilog(
        "checkup ping backup",
        "backup.sh && checkup ping backup || checkup ping backup --failed",
    ),
)
@config_options
@click.option("--failed", is_flag=True, help="Report that the job did not succeed.")
@verbose_option
@click.argument("name", shell_complete=complete_checkers)
def ping(config_file: str | None, *, failed: bool, verbose: bool, name: str) -> int:
    """Report for a job that it has run, and print nothing.

    NAME is the title or id of a checker of the type heartbeat, which is down when no report
    comes for longer than its period and grace.
    """
    config = session.load_config(config_file, verbose=verbose, quiet=True)
    jobs = list(_jobs(config.checkers, name))
    storage = recording.require_storage(config)
    for job in jobs:
        heartbeat.store_heartbeat(storage, job.id, failed=failed)
    return 0


def _jobs(checkers: Sequence[Checker], name: str) -> Iterator[HeartbeatChecker]:
    """Yield the heartbeats of that name that wait for a report."""
    jobs = [checker for checker in checkers if isinstance(checker, HeartbeatChecker)]
    try:
        chosen = selection.select_checkers(jobs, [name])
    except LookupError as error:
        known = ", ".join(job.id for job in jobs) or "none"
        raise CheckupError(f"no heartbeat has the title or id '{name}'; known: {known}") from error
    for job in jobs:
        if job not in chosen:
            continue
        if job.path:
            raise CheckupError(f"'{job.title}' waits for {job.path} and not for a report")
        yield job
