"""``checkup status``: what is known of every checker, at a glance."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import click

from checkup import app, model
from checkup.alerting.state import NOT_MONITORED_AFTER, AlertState, CheckerState
from checkup.alerting.suppression import SuppressionKind, SuppressionReason
from checkup.alerting.transitions import next_reminder, state_change_percent
from checkup.cli import options, output
from checkup.cli.options import (
    complete_checkers,
    config_options,
    examples_epilog,
    select_checkers_or_suggest,
    verbose_option,
)
from checkup.cli.output import (
    colored,
    median_time,
    result_reason,
    result_rows,
    result_summary,
    sparkline,
)
from checkup.errors import CheckupError
from checkup.interfaces import Checker, Storage
from checkup.interfaces.checker import select_checkers
from checkup.model import Result, Run, Status, key_time
from checkup.pipeline import RunContext
from checkup.pipeline.replay import SlotResult, current_state, last_results, recent_results
from checkup.times import format_minute, format_timespan, parse_timespan

# ``checkup explain``: why a checker is taken for what it is, and why nobody is told.


_EXPLAINED_RUNS = 12
"""Runs that are shown."""


@click.command(
    epilog=examples_epilog("checkup explain api", "checkup -c shop.yaml explain 'Web shop'")
)
@config_options
@verbose_option
@click.argument(
    "names", nargs=-1, required=True, metavar="NAME ...", shell_complete=complete_checkers
)
def explain(config_file: str | None, *, verbose: bool, names: tuple[str, ...]) -> int:
    """Say what the last runs saw of a checker and what follows from it.

    Shown are its counters beside the thresholds, what was announced, what waits and why, and
    when somebody will be reminded. Nothing is checked or written.
    """
    config = options.load_config(config_file, verbose=verbose, hide_warnings=True)
    checkers = select_checkers_or_suggest(config.checkers, names)
    monitor = app.run_context(config, os.environ)
    head = current_state(monitor)
    for checker in checkers:
        print("\n".join(_lines(monitor, head, checker)), end="\n\n")
    return 0


def _lines(monitor: RunContext, head: AlertState, checker: Checker) -> Iterator[str]:
    state = head.checkers.get(checker.id, CheckerState())
    yield f"{checker.title or checker.id} ({checker.id}): {_standing(state)}"
    yield f"  announced   {_told(state)}"
    yield f"  counted     {_counters(state, checker)}"
    if checker.flapping:
        yield f"  flapping    {_flapping(state)}"
    if state.excluded_regions:
        yield f"  not counted {excluded_regions_text(state)}"
    reasons = monitor.rules.suppression(head, key_time(head.cursor) or 0).reasons(checker)
    for reason in reasons:
        yield f"  held back   {suppression_text(reason)}"
    for channel, entries in sorted(head.outboxes.items()):
        mine = [entry for entry in entries if entry.alert.checker == checker.id]
        if mine:
            tries = max(entry.attempts for entry in mine)
            yield f"  waiting     {channel}: {len(mine)} not delivered yet, tried {tries} times"
    reminder = next_reminder(state, checker.remind_every)
    if reminder:
        wait = ", but held back" if reasons else ""
        yield f"  reminder    with the first run from {format_minute(reminder)} on{wait}"
    yield "  last runs"
    yield from _seen(recent_results(monitor, checker.id, _EXPLAINED_RUNS))


def _standing(state: CheckerState) -> str:
    if state.unknown_runs >= NOT_MONITORED_AFTER:
        return f"unknown: it cannot be checked; {state.status} before"
    if state.status is Status.UNKNOWN:
        return "no status yet"
    partial = f", failing from {', '.join(state.failing_regions)}" if state.failing_regions else ""
    return f"{state.status} since {format_minute(state.since)}{partial}"


def excluded_regions_text(state: CheckerState) -> str:
    """Return the words for the regions whose results do not count."""
    verb = "has" if len(state.excluded_regions) == 1 else "have"
    return f"{', '.join(state.excluded_regions)} {verb} another configuration"


def _told(state: CheckerState) -> str:
    if state.alerted_status is Status.UNKNOWN:
        return "nothing so far"
    opened = (
        f", incident {state.incident_count} since {format_minute(state.opened)}"
        if state.incident_count
        else ""
    )
    return f"{state.alerted_status}{opened if state.alerted_status is not Status.HEALTHY else ''}"


def _counters(state: CheckerState, checker: Checker) -> str:
    counts = (
        ("down", state.down_streak.runs, checker.failure_threshold),
        ("not healthy", state.unhealthy_streak.runs, checker.degraded_threshold),
        ("healthy", state.healthy_streak.runs, checker.success_threshold),
    )
    # Nothing is counted further than the longest threshold.
    return ", ".join(f"{min(runs, limit)} of {limit} {what}" for what, runs, limit in counts)


def _flapping(state: CheckerState) -> str:
    share = f"{state_change_percent(state.recent_statuses):.0f} % changes"
    return f"{share}; over below 20 %" if state.flapping else f"{share}; from 30 % on"


def suppression_text(reason: SuppressionReason) -> str:
    """Return the words for what keeps announcements back."""
    match reason.why:
        case SuppressionKind.MAINTENANCE:
            title = f' "{reason.by}"' if reason.by else ""
            return f"maintenance{title} until {format_minute(reason.until)}"
        case SuppressionKind.SILENCE:
            return f"silenced until {format_minute(reason.until)}"
        case SuppressionKind.DEPENDENCY:
            return f"{reason.by}, on which it depends, fails"


def _seen(seen: list[SlotResult]) -> Iterator[str]:
    if not seen:
        yield "    none today"
    for observation in seen:
        result = observation.result
        why = result.error or result.notice
        again = f" (checked {result.rechecks + 1} times)" if result.rechecks else ""
        place = f" from {result.region}" if result.region else ""
        reason = f": {why}" if why else ""
        yield f"    {format_minute(observation.slot)}  {result.status}{place}{again}{reason}"


# ``checkup history``: what the stored runs saw of a checker.


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
    config = options.load_config(config_file, verbose=verbose, hide_warnings=True)
    names = _names(config.checkers, name)
    storage = app.require_storage(config)
    seen = list(_results(storage, names, time.time_ns() - length))
    if not seen:
        raise CheckupError(f'no run of the last {format_timespan(length)} has seen "{name}"')
    colour = output.wants_color(os.environ)
    for line in result_rows(seen, colour=colour):
        print(line)
    if output.is_interactive(os.environ):
        print(f"\n{sparkline(seen, shutil.get_terminal_size().columns, colour=colour)}")
        print(result_summary(seen))
    return 0


def _names(checkers: Sequence[Checker], name: str) -> frozenset[str]:
    """Return the ids and titles under which results of the checker may be stored."""
    try:
        chosen = select_checkers(checkers, [name])
    except LookupError:
        return frozenset({name.casefold()})
    return frozenset(word.casefold() for checker in chosen for word in (checker.id, checker.title))


def _results(storage: Storage, names: frozenset[str], since: int) -> Iterator[tuple[int, Result]]:
    """Yield the results of a checker with the moments of their runs, oldest first.

    Results of the Go program have no id, so these go by their title.
    """
    unreadable = 0
    for key in storage.list(model.RUNS_PREFIX, model.run_key(Run(slot=max(0, since), results=()))):
        stored = storage.get(key)
        try:
            results = model.decode_results(stored.body) if stored else ()
        except ValueError:
            unreadable += 1
            continue
        for result in results:
            if (result.id or result.title).casefold() in names:
                yield model.key_time(key) or 0, result
    if unreadable:
        output.log_line(f"{unreadable} runs cannot be read and are left out")


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
    config = options.load_config(config_file, verbose=verbose, hide_warnings=True)
    checkers = select_checkers_or_suggest(config.checkers, names)
    monitor = app.run_context(config, os.environ)
    seen, head = last_results(monitor, _RUNS), current_state(monitor)
    last = max((observation.slot for observation in seen.values()), default=0)
    if not last:
        raise CheckupError("no run of the last day is stored")
    rows = [_row(monitor, head, checker, seen.get(checker.id)) for checker in checkers]
    for line in _table(rows, colour=output.wants_color(os.environ)):
        print(line)
    age = time.time_ns() - last
    print(f"\nlast run {format_minute(last)}, {format_timespan(age)} ago")
    is_stale = age > _STALE * config.interval
    if is_stale:
        output.log_line("runs do not take place: what is shown may no longer be true")
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
    held = monitor.rules.suppression(head, key_time(head.cursor) or 0).reasons(checker)
    waiting = sum(
        entry.alert.checker == checker.id for entries in head.outboxes.values() for entry in entries
    )
    notes = [
        result_reason(seen.result) if seen else "not seen today",
        f"not counted: {excluded_regions_text(state)}" if state.excluded_regions else "",
        *map(suppression_text, held),
        f"{waiting} messages wait" if waiting else "",
    ]
    return _Row(
        title=checker.title or checker.id,
        status=state.display_status,
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
