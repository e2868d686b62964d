"""``checkup explain``: why a checker is taken for what it is, and why nobody is told."""

from __future__ import annotations

import os
from collections.abc import Iterator

import click

from checkup import bootstrap
from checkup.alerting.announcing import next_reminder
from checkup.alerting.flapping import state_change_percent
from checkup.alerting.holding import SuppressionKind, SuppressionReason
from checkup.alerting.state import NOT_MONITORED_AFTER, AlertState, CheckerState
from checkup.cli import session
from checkup.cli.choosing import complete_checkers, select_checkers_or_suggest
from checkup.cli.flags import config_options, examples_epilog, verbose_option
from checkup.cli.spans import format_minute
from checkup.model import Status
from checkup.ports import Checker
from checkup.protocol import RunContext
from checkup.protocol.present import SlotResult, current_state, recent_results
from checkup.runfile import key_time

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
    config = session.load_config(config_file, verbose=verbose, quiet=True)
    checkers = select_checkers_or_suggest(config.checkers, names)
    monitor = bootstrap.run_context(config, os.environ)
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
    if state.excluded:
        yield f"  not counted {excluded_regions_text(state)}"
    reasons = monitor.setting.holding(head, key_time(head.cursor) or 0).reasons(checker)
    for reason in reasons:
        yield f"  held back   {suppression_text(reason)}"
    for channel, entries in sorted(head.channels.items()):
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
    if state.blind >= NOT_MONITORED_AFTER:
        return f"unknown: it cannot be checked; {state.status} before"
    if state.status is Status.UNKNOWN:
        return "no status yet"
    partial = f", failing from {', '.join(state.partial)}" if state.partial else ""
    return f"{state.status} since {format_minute(state.since)}{partial}"


def excluded_regions_text(state: CheckerState) -> str:
    """Return the words for the regions whose results do not count."""
    verb = "has" if len(state.excluded) == 1 else "have"
    return f"{', '.join(state.excluded)} {verb} another configuration"


def _told(state: CheckerState) -> str:
    if state.told is Status.UNKNOWN:
        return "nothing so far"
    opened = (
        f", incident {state.incident} since {format_minute(state.opened)}" if state.incident else ""
    )
    return f"{state.told}{opened if state.told is not Status.HEALTHY else ''}"


def _counters(state: CheckerState, checker: Checker) -> str:
    counts = (
        ("down", state.down.runs, checker.failure_threshold),
        ("not healthy", state.bad.runs, checker.degraded_threshold),
        ("healthy", state.good.runs, checker.success_threshold),
    )
    # Nothing is counted further than the longest threshold.
    return ", ".join(f"{min(runs, limit)} of {limit} {what}" for what, runs, limit in counts)


def _flapping(state: CheckerState) -> str:
    share = f"{state_change_percent(state.recent):.0f} % changes"
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
