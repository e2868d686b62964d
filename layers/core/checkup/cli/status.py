"""``checkup status``: what is known of every checker, at a glance."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import click

from checkup import bootstrap
from checkup.alerting.state import AlertState, CheckerState
from checkup.cli import session, terminal
from checkup.cli.blocks import colored
from checkup.cli.choosing import complete_checkers, select_checkers_or_suggest
from checkup.cli.explain import excluded_regions_text, suppression_text
from checkup.cli.flags import config_options, examples_epilog, verbose_option
from checkup.cli.plot import median_time, result_reason
from checkup.cli.spans import format_minute, format_timespan
from checkup.errors import CheckupError
from checkup.model import Status
from checkup.ports import Checker
from checkup.protocol import RunContext
from checkup.protocol.present import SlotResult, current_state, last_results
from checkup.runfile import key_time

_RUNS: Final = 12
"""Runs in which the last result of a checker is looked for."""

_STALE: Final = 3
"""Intervals without a run after which nothing is known any more."""

_TIME: Final = 3
"""The column whose figures stand on the right."""


@click.command(
    epilog=examples_epilog(
        "checkup status",
        "checkup status api website",
        "checkup --stack checkup status",
        "checkup status || echo 'something is wrong'",
    ),
)
@config_options
@verbose_option
@click.argument("names", nargs=-1, metavar="[NAME ...]", shell_complete=complete_checkers)
def status(config_file: str | None, *, verbose: bool, names: tuple[str, ...]) -> int:
    """Show what is known of every checker, or of those named; nothing is checked or written.

    For each: its status and since when, what the last run saw, and whether something keeps
    announcements back or waits to be delivered. The exit code is 0 if all are healthy and runs
    take place.
    """
    config = session.load_config(config_file, verbose=verbose, quiet=True)
    checkers = select_checkers_or_suggest(config.checkers, names)
    monitor = bootstrap.run_context(config, os.environ)
    seen, head = last_results(monitor, _RUNS), current_state(monitor)
    last = max((observation.slot for observation in seen.values()), default=0)
    if not last:
        raise CheckupError("no run of the last day is stored")
    rows = [_row(monitor, head, checker, seen.get(checker.id)) for checker in checkers]
    for line in _table(rows, colour=terminal.wants_color(os.environ)):
        print(line)
    age = time.time_ns() - last
    print(f"\nlast run {format_minute(last)}, {format_timespan(age)} ago")
    is_stale = age > _STALE * config.interval
    if is_stale:
        terminal.log_line("runs do not take place: what is shown may no longer be true")
    return 1 if is_stale or any(row.status is not Status.HEALTHY for row in rows) else 0


class _Row(NamedTuple):
    """One checker: its status, since when, and what else there is to say."""

    title: str
    status: Status
    since: str
    took: str
    note: str


def _row(monitor: RunContext, head: AlertState, checker: Checker, seen: SlotResult | None) -> _Row:
    state = head.checkers.get(checker.id, CheckerState())
    held = monitor.setting.holding(head, key_time(head.cursor) or 0).reasons(checker)
    waiting = sum(
        entry.alert.checker == checker.id for entries in head.channels.values() for entry in entries
    )
    notes = [
        result_reason(seen.result) if seen else "not seen today",
        f"not counted: {excluded_regions_text(state)}" if state.excluded else "",
        *map(suppression_text, held),
        f"{waiting} messages wait" if waiting else "",
    ]
    return _Row(
        title=checker.title or checker.id,
        status=state.shown,
        since=format_minute(state.since) if state.since else "",
        took=median_time(seen.result) if seen else "",
        note="; ".join(filter(None, notes)),
    )


def _table(rows: Sequence[_Row], *, colour: bool) -> Iterator[str]:
    widths = [max((len(cell) for cell in column), default=0) for column in zip(*rows, strict=True)]
    for row in rows:
        title, status, since, time_taken, note = (
            cell.rjust(width) if number == _TIME else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        shown = colored(status, row.status, colour=colour)
        yield f"{title}  {shown}  {since}  {time_taken}  {note}".rstrip()
