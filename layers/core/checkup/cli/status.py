"""Commands that read the stored state and runs: ``status``, ``explain`` and ``history``."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Collection, Iterator
from typing import Final

import click

from checkup import app, model
from checkup.alerting.outbox import last_error, queued, retry_at
from checkup.alerting.state import NOT_MONITORED_AFTER, AlertState, CheckerState
from checkup.alerting.suppression import SuppressionKind, SuppressionReason
from checkup.alerting.transitions import next_reminder, state_change_percent
from checkup.cli import options, output
from checkup.cli.options import (
    complete_checkers,
    config_options,
    examples_epilog,
    named_checkers,
    verbose_option,
)
from checkup.cli.output import (
    colored,
    cut_to_width,
    format_table,
    median_time,
    plural,
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
from checkup.pipeline.run import disagreements
from checkup.times import DAY, format_minute, format_timespan, parse_timespan
from checkup_page.status import measured_interval

# ``checkup status``: one line for each checker.


_STATUS_RUNS: Final = 12
"""Newest runs that are searched for the last result of each checker."""

_TITLE_WIDTH: Final = 48

_MISSED_RUNS: Final = 2
"""Runs that may be missing before the status may be stale; a run may also take its time."""


@click.command(
    epilog=examples_epilog(
        "checkup status",
        "checkup status api website",
        "checkup --stack checkup status",
        "checkup status || echo 'not healthy'",
    ),
)
@config_options
@verbose_option
@click.argument("names", nargs=-1, metavar="[NAME ...]", shell_complete=complete_checkers)
def status(config_file: str | None, *, verbose: bool, names: tuple[str, ...]) -> int:
    """Show the current status of every checker, or of those named; nothing is checked or written.

    Each line has the status, since when, the last result, and suppressed or queued alerts. The
    exit code is 0 if all are healthy and the last run is recent.
    """
    config = options.load_config(config_file, verbose=verbose, hide_warnings=True)
    checkers = named_checkers(config.checkers, names)
    monitor = app.run_context(config, os.environ)
    _, runs = monitor.runs.latest(max(_STATUS_RUNS, 4 * len(config.regions)))
    results, state = last_results(monitor, runs), current_state(monitor)
    last = max((result.slot for result in results.values()), default=0)
    if not last:
        raise CheckupError("no run stored in the last 24 h")
    color = output.wants_color(os.environ)
    statuses = [state.checkers.get(it.id, CheckerState()).display_status for it in checkers]
    rows = [_status_row(monitor, state, it, results.get(it.id), color=color) for it in checkers]
    print(format_table(rows, right={3}))
    age = time.time_ns() - last
    print(f"\nlast run {format_minute(last)}, {format_timespan(age)} ago")
    reporting = {run.region for run in runs}
    if absent := [name for name in config.regions if name not in reporting]:
        output.log_line(f"no recent run from {', '.join(absent)}")
    for disagreement in disagreements(monitor, last):
        output.log_line(str(disagreement))
    for channel, problem in _channel_problems(monitor, state):
        output.log_line(f"{channel}: {problem}")
    measured = measured_interval([run.slot for run in runs])  # `every 10m` may be the schedule
    interval = min(measured or config.interval, max(config.interval, DAY))
    is_stale = age > _MISSED_RUNS * interval + config.run_deadline
    if is_stale:
        output.log_line("no recent run; status may be stale")
    return 1 if is_stale or any(it is not Status.HEALTHY for it in statuses) else 0


def _channel_problems(monitor: RunContext, state: AlertState) -> Iterator[tuple[str, str]]:
    """Yield the channels that cannot deliver alerts, and why."""
    unusable = monitor.channel_problems()
    for channel in monitor.channels:
        reason = unusable.get(channel) or last_error(state, channel)
        if reason:
            count = plural(len(queued(state, channel)), "alert")
            retry = retry_at(state, channel)
            when = f", next attempt after {format_minute(retry)}" if retry else ""
            yield channel, f"alerts cannot be delivered: {reason}; {count} queued{when}"


def _status_row(
    monitor: RunContext,
    state: AlertState,
    checker: Checker,
    last: SlotResult | None,
    *,
    color: bool,
) -> tuple[str, ...]:
    """Return title, status, since when, response time and notes of a checker."""
    it = state.checkers.get(checker.id, CheckerState())
    queued_count = sum(
        entry.alert.checker == checker.id
        for entries in state.outboxes.values()
        for entry in entries
    )
    reasons = monitor.rules.suppression(state, key_time(state.cursor) or 0).displayed_reasons(
        checker
    )
    notes = [
        result_reason(last.result) if last else "no result in the last 24 h",
        f"not evaluated: {excluded_regions_text(it)}" if it.excluded_regions else "",
        f"alerts suppressed: {', '.join(map(suppression_text, reasons))}" if reasons else "",
        f"{plural(queued_count, 'alert')} queued" if queued_count else "",
    ]
    return (
        cut_to_width(checker.title or checker.id, _TITLE_WIDTH),
        colored(it.display_status, it.display_status, color=color),
        format_minute(it.since) if it.since else "",
        median_time(last.result) if last else "",
        "; ".join(filter(None, notes)),
    )


# ``checkup explain``: the current status, its counters, its alerts and the last runs.


_EXPLAINED_RUNS: Final = 12


@click.command(
    epilog=examples_epilog("checkup explain api", "checkup -c shop.yaml explain 'Web shop'")
)
@config_options
@verbose_option
@click.argument(
    "names", nargs=-1, required=True, metavar="NAME ...", shell_complete=complete_checkers
)
def explain(config_file: str | None, *, verbose: bool, names: tuple[str, ...]) -> int:
    """Explain a checker's current status.

    Shows its counters and thresholds, alerts that were sent, are queued or suppressed and why,
    the next reminder, and the last results. Nothing is checked or written.
    """
    config = options.load_config(config_file, verbose=verbose, hide_warnings=True)
    checkers = named_checkers(config.checkers, names)
    monitor = app.run_context(config, os.environ)
    state = current_state(monitor)
    for checker in checkers:
        print("\n".join(_explanation(monitor, state, checker)), end="\n\n")
    return 0


def _explanation(monitor: RunContext, state: AlertState, checker: Checker) -> Iterator[str]:
    it = state.checkers.get(checker.id, CheckerState())
    yield f"{checker.title or checker.id} ({checker.id}): {_status_text(it)}"
    yield f"  alerted     {_alerted_text(it)}"
    counters = (
        ("down", it.down_streak.runs, checker.failure_threshold),
        ("not healthy", it.unhealthy_streak.runs, checker.degraded_threshold),
        ("healthy", it.healthy_streak.runs, checker.success_threshold),
    )
    # Nothing is counted further than the longest threshold.
    texts = (f"{min(runs, limit)} of {limit} {what}" for what, runs, limit in counters)
    yield f"  counters    {', '.join(texts)}"
    if checker.flapping:
        changes = f"{state_change_percent(it.recent_statuses):.0f} % state changes"
        limit = "ends below 20 %" if it.flapping else "threshold 30 %"
        yield f"  flapping    {'yes' if it.flapping else 'no'} ({changes}, {limit})"
    if it.excluded_regions:
        yield f"  excluded    {excluded_regions_text(it)}"
    reasons = monitor.rules.suppression(state, key_time(state.cursor) or 0).displayed_reasons(
        checker
    )
    for reason in reasons:
        yield f"  suppressed  {suppression_text(reason)}"
    for channel, entries in sorted(state.outboxes.items()):
        waiting = [entry for entry in entries if entry.alert.checker == checker.id]
        if waiting:
            tries = max(entry.attempts for entry in waiting)
            alerts = plural(len(waiting), "alert")
            error = f": {last_error(state, channel)}" if last_error(state, channel) else ""
            yield f"  queued      {channel}: {alerts}, {plural(tries, 'attempt')}{error}"
            if retry := retry_at(state, channel):
                yield f"              next attempt after {format_minute(retry)}"
    if reminder := next_reminder(it, checker.remind_every):
        note = " (suppressed)" if reasons else ""
        yield f"  reminder    at the first run after {format_minute(reminder)}{note}"
    yield "  last results"
    results = recent_results(monitor, checker.id, _EXPLAINED_RUNS)
    for slot_result in results:
        result = slot_result.result
        region = f" from {result.region}" if result.region else ""
        rechecks = f" (checked {result.rechecks + 1} times)" if result.rechecks else ""
        error = result.error or result.notice
        why = f": {error}" if error else ""
        yield f"    {format_minute(slot_result.slot)}  {result.status}{region}{rechecks}{why}"
    if not results:
        yield "    none in the last 24 h"


def _status_text(it: CheckerState) -> str:
    if it.unknown_runs >= NOT_MONITORED_AFTER:
        return f"unknown: cannot be checked (previously {it.status})"
    if it.status is Status.UNKNOWN:
        return "no status yet"
    partial = f", failing from {', '.join(it.failing_regions)}" if it.failing_regions else ""
    return f"{it.status} since {format_minute(it.since)}{partial}"


def _alerted_text(it: CheckerState) -> str:
    if it.alerted_status is Status.UNKNOWN:
        return "none"
    if it.alerted_status is Status.HEALTHY or not it.incident_count:
        return str(it.alerted_status)
    return f"{it.alerted_status}, incident {it.incident_count} since {format_minute(it.opened)}"


# What both say of a checker.


def excluded_regions_text(state: CheckerState) -> str:
    """Return which regions' results do not count, and why."""
    verb = "has" if len(state.excluded_regions) == 1 else "have"
    return f"{', '.join(state.excluded_regions)} {verb} a different configuration"


def suppression_text(reason: SuppressionReason) -> str:
    """Return why alerts of a checker are suppressed."""
    match reason.kind:
        case SuppressionKind.MAINTENANCE:
            title = f' "{reason.source}"' if reason.source else ""
            return f"maintenance{title} until {format_minute(reason.until)}"
        case SuppressionKind.SILENCE:
            return f"silenced until {format_minute(reason.until)}"
        case SuppressionKind.DEPENDENCY:
            return f'dependency "{reason.source}" is down'
        case SuppressionKind.RECOVERY:
            return f'dependency "{reason.source}" has just recovered'
        case SuppressionKind.FLAPPING:
            return "flapping, so only an outage that lasts is alerted"


# ``checkup history``: the stored results of one checker.


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
    """List the stored results of the checker NAME (title or id), oldest first.

    On a terminal, a small chart of the response times follows. A checker that is no longer
    configured can be named too, as long as its results are stored.
    """
    length = parse_timespan(since)
    config = options.load_config(config_file, verbose=verbose, hide_warnings=True)
    try:
        chosen = select_checkers(config.checkers, [name])
        names = {word.casefold() for checker in chosen for word in (checker.id, checker.title)}
    except LookupError:  # results of a checker that is no longer configured
        names = {name.casefold()}
    since_slot = time.time_ns() - length
    results = list(_stored_results(app.require_storage(config), names, since_slot))
    if not results:
        raise CheckupError(f'no result of "{name}" in the last {format_timespan(length)}')
    color = output.wants_color(os.environ)
    print(result_rows(results, color=color))
    if output.is_interactive(os.environ):
        print(f"\n{sparkline(results, shutil.get_terminal_size().columns, color=color)}")
        print(result_summary(results))
    return 0


def _stored_results(
    storage: Storage, names: Collection[str], since: int
) -> Iterator[tuple[int, Result]]:
    """Yield the results of a checker with the slots of their runs, oldest first.

    Results of the Go program have no id, so these go by their title.

    Args:
        names: ids and titles of the checker, case-folded.
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
        output.log_line(f"skipped {plural(unreadable, 'unreadable run')}")
