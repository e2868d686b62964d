"""``checkup cost``: what the configuration costs on AWS in a month."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import click

from checkup.cli import session
from checkup.cli.bill import Line, Usage, bill, sent_out
from checkup.cli.flags import config_flag, examples, verbose_flag
from checkup.config.settings import Config
from checkup.model import SECOND

_HOUR = 3600 * SECOND
_LEAST = 60 * SECOND
"""EventBridge Scheduler starts nothing more often than once a minute."""


@click.command(
    epilog=examples(
        "checkup cost",
        "checkup -c shop.yaml cost --memory 512 --retention 30",
        "checkup cost --seconds 3.5     with what your log says of a run",
    ),
)
@config_flag
@click.option(
    "--memory",
    metavar="MB",
    type=click.IntRange(128, 10_240),
    default=256,
    show_default=True,
    help="MemorySize of the stack.",
)
@click.option(
    "--retention",
    metavar="DAYS",
    type=click.IntRange(1, 3650),
    default=90,
    show_default=True,
    help="RunRetentionDays of the stack.",
)
@click.option(
    "--architecture",
    type=click.Choice(["arm64", "x86_64"]),
    default="arm64",
    show_default=True,
    help="Architecture of the stack.",
)
@click.option(
    "--seconds", metavar="N", type=click.FloatRange(0, 60), help="That a run takes; else a guess."
)
@verbose_flag
def cost(  # noqa: PLR0913 - flags
    config_file: str | None,
    *,
    memory: int,
    retention: int,
    architecture: str,
    seconds: float | None,
    verbose: bool,
) -> int:
    """Say what a month of this configuration costs on AWS, line by line.

    In dollars: at the list prices of us-east-1 in November 2026, and after what AWS gives every
    account each month for ever. The requests to S3 are those that were counted on an emulator, in
    an hour without an outage. CloudFront sends a terabyte of pages a month for nothing.
    """
    config = session.begin(config_file, verbose=verbose, quiet=True)
    usage = usage_of(config, memory, retention, architecture, seconds)
    lines = [*bill(usage), sent_out(usage)]
    print("\n".join(_table(lines)))
    return 0


def usage_of(
    config: Config, memory: int, retention: int, architecture: str, seconds: float | None
) -> Usage:
    """Return what a configuration gives a stack to do; a checker may be looked at less often."""
    interval = max(config.interval, _LEAST)
    per_hour = [
        (_HOUR / max(interval, checker.interval), max(1, checker.attempts))
        for checker in config.checkers
    ]
    return Usage(
        components=len(config.checkers),
        attempts=sum(times * attempts for times, attempts in per_hour),
        results=sum(times for times, _ in per_hour),
        runs=_HOUR / interval,
        regions=max(1, len(config.regions)),
        memory=memory,
        architecture=architecture,
        retention=retention,
        seconds=seconds,
    )


def _table(lines: Sequence[Line]) -> Iterator[str]:
    total = Line("together", sum(line.listed for line in lines), sum(line.paid for line in lines))
    width = max(len(line.what) for line in lines)
    yield f"{'dollars a month':<{width}}  {'list':>8}  {'paid':>8}"
    for what, listed, paid in (*lines, total):
        yield f"{what:<{width}}  {listed:>8.2f}  {paid:>8.2f}"
