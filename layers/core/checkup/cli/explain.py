"""``checkup explain``: why a checker is taken for what it is, and why nobody is told."""

from __future__ import annotations

import os
from collections.abc import Iterator

import click

from checkup import bootstrap
from checkup.alerting.announcing import next_reminder
from checkup.alerting.flapping import percent
from checkup.alerting.holding import Reason, Why
from checkup.alerting.state import BLIND_AFTER, CheckerState, Head
from checkup.cli import session
from checkup.cli.choosing import choose, complete_checkers
from checkup.cli.flags import config_flag, examples, verbose_flag
from checkup.cli.spans import moment
from checkup.model import Status
from checkup.ports import Checker
from checkup.protocol import Monitor
from checkup.protocol.present import Observation, observations, present
from checkup.runfile import slot_of

_RUNS = 12
"""Runs that are shown."""


@click.command(epilog=examples("checkup explain api", "checkup -c shop.yaml explain 'Web shop'"))
@config_flag
@verbose_flag
@click.argument(
    "names", nargs=-1, required=True, metavar="NAME ...", shell_complete=complete_checkers
)
def explain(config_file: str | None, *, verbose: bool, names: tuple[str, ...]) -> int:
    """Say what the last runs saw of a checker and what follows from it.

    Shown are its counters beside the thresholds, what was announced, what waits and why, and
    when somebody will be reminded. Nothing is checked or written.
    """
    config = session.begin(config_file, verbose=verbose, quiet=True)
    checkers = choose(config.checkers, names)
    monitor = bootstrap.make_monitor(config, os.environ)
    head = present(monitor)
    for checker in checkers:
        print("\n".join(_lines(monitor, head, checker)), end="\n\n")
    return 0


def _lines(monitor: Monitor, head: Head, checker: Checker) -> Iterator[str]:
    state = head.checkers.get(checker.id, CheckerState())
    yield f"{checker.title or checker.id} ({checker.id}): {_standing(state)}"
    yield f"  announced   {_told(state)}"
    yield f"  counted     {_counters(state, checker)}"
    if checker.flapping:
        yield f"  flapping    {_flapping(state)}"
    if state.excluded:
        yield f"  not counted {left_out(state)}"
    reasons = monitor.setting.holding(head, slot_of(head.cursor) or 0).reasons(checker)
    for reason in reasons:
        yield f"  held back   {held_by(reason)}"
    for channel, entries in sorted(head.channels.items()):
        mine = [entry for entry in entries if entry.alert.checker == checker.id]
        if mine:
            tries = max(entry.attempts for entry in mine)
            yield f"  waiting     {channel}: {len(mine)} not delivered yet, tried {tries} times"
    reminder = next_reminder(state, checker.remind_every)
    if reminder:
        wait = ", but held back" if reasons else ""
        yield f"  reminder    with the first run from {moment(reminder)} on{wait}"
    yield "  last runs"
    yield from _seen(observations(monitor, checker.id, _RUNS))


def _standing(state: CheckerState) -> str:
    if state.blind >= BLIND_AFTER:
        return f"unknown: it cannot be checked; {state.status} before"
    if state.status is Status.UNKNOWN:
        return "no status yet"
    partial = f", failing from {', '.join(state.partial)}" if state.partial else ""
    return f"{state.status} since {moment(state.since)}{partial}"


def left_out(state: CheckerState) -> str:
    """Return the words for the regions whose results do not count."""
    verb = "has" if len(state.excluded) == 1 else "have"
    return f"{', '.join(state.excluded)} {verb} another configuration"


def _told(state: CheckerState) -> str:
    if state.told is Status.UNKNOWN:
        return "nothing so far"
    opened = f", incident {state.incident} since {moment(state.opened)}" if state.incident else ""
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
    share = f"{percent(state.recent):.0f} % changes"
    return f"{share}; over below 20 %" if state.flapping else f"{share}; from 30 % on"


def held_by(reason: Reason) -> str:
    """Return the words for what keeps announcements back."""
    match reason.why:
        case Why.MAINTENANCE:
            title = f' "{reason.by}"' if reason.by else ""
            return f"maintenance{title} until {moment(reason.until)}"
        case Why.SILENCE:
            return f"silenced until {moment(reason.until)}"
        case Why.DEPENDENCY:
            return f"{reason.by}, on which it depends, fails"


def _seen(seen: list[Observation]) -> Iterator[str]:
    if not seen:
        yield "    none today"
    for observation in seen:
        result = observation.result
        why = result.error or result.notice
        again = f" (checked {result.rechecks + 1} times)" if result.rechecks else ""
        place = f" from {result.region}" if result.region else ""
        reason = f": {why}" if why else ""
        yield f"    {moment(observation.slot)}  {result.status}{place}{again}{reason}"
