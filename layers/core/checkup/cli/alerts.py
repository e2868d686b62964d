"""``checkup notify``: who is told of changes, and whether a message reaches them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import click
from click.shell_completion import CompletionItem
from msgspec.structs import replace

from checkup import app
from checkup.alerting.apply import AlertRules
from checkup.alerting.outbox import channel_names
from checkup.cli import options
from checkup.cli.options import (
    complete_checkers,
    config_options,
    examples_epilog,
    select_checkers_or_suggest,
    verbose_option,
)
from checkup.config.settings import Config
from checkup.errors import CheckupError, ConfigError
from checkup.interfaces import Checker, Notifier
from checkup.model import Alert
from checkup.notifiers.base import select_notifiers, send_test
from checkup.pipeline.replay import ReplayedAlerts, ReplayReport
from checkup.pipeline.replay import replay as fold_again
from checkup.pipeline.state_store import silence_checkers as keep_quiet
from checkup.times import format_minute, format_timespan, parse_timespan


def _complete(context: click.Context, _: click.Parameter, begun: str) -> list[CompletionItem]:
    try:
        config = options.read_config(context.params.get("config_file"))
    except ConfigError:
        return []
    return [CompletionItem(n) for n in channel_names(config.notifiers) if n.startswith(begun)]


@click.command(
    epilog=examples_epilog(
        "checkup notify                  list the channels",
        "checkup notify --test           send a test message to each",
        "checkup notify --test slack-2   to this one",
    ),
)
@config_options
@click.option("--test", is_flag=True, help="Send a message that says that it is a test.")
@verbose_option
@click.argument("channels", nargs=-1, metavar="[CHANNEL]...", shell_complete=_complete)
def notify(config_file: str | None, *, test: bool, verbose: bool, channels: Sequence[str]) -> int:
    """List the channels that are told of changes, or send each a test message.

    A test goes to the channel itself, past its groups, tags, severities and fallback, and is no
    alert: nothing is stored. The exit code is 1 if a channel did not accept it.
    """
    config = options.load_config(config_file, verbose=verbose, hide_warnings=True)
    chosen = select_notifiers(channel_names(config.notifiers), channels)
    if not test:
        for name in chosen:
            print(name)
        return 0
    opened = app.open_channels(config, os.environ)
    width = max(map(len, chosen))
    accepted = list(_tried(config, opened, chosen, width))
    return 0 if all(accepted) else 1


def _tried(
    config: Config, opened: Mapping[str, Notifier], chosen: Sequence[str], width: int
) -> Iterator[bool]:
    """Send to one channel after the other; print what each makes of it, and say if it accepted."""
    mask = app.secret_masker(config)
    page_url = config.page.url or os.environ.get("PAGE_URL", "")
    for name in chosen:
        problem = send_test(opened[name], name, page_url)
        print(f"{name:<{width}}  {mask(problem) if problem else 'accepted'}", flush=True)
        yield not problem


# ``checkup replay``: what other settings would have announced.


_SHOWN: Final = 20
"""Incidents that are listed."""


def _number(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise CheckupError(f'"{text}" is no whole number from 1 on')
    return int(text)


def _switch(text: str) -> bool:
    if text not in {"true", "false"}:
        raise CheckupError(f'"{text}" is neither true nor false')
    return text == "true"


def _pause(text: str) -> int:
    return 0 if text == "0" else parse_timespan(text)


_KEYS: Final[Mapping[str, Callable[[str], Any]]] = {
    "failure_threshold": _number,
    "success_threshold": _number,
    "degraded_threshold": _number,
    "flapping": _switch,
    "remind_every": _pause,
}


@click.command(
    epilog=examples_epilog(
        "checkup replay --set failure_threshold=3",
        "checkup replay --since 30d --set failure_threshold=2 --set success_threshold=2",
        "checkup replay api --since 7d --set flapping=false",
    ),
)
@config_options
@click.option("--since", metavar="TIME", default="7d", help="How far back: 12h, 30d; else 7d.")
@click.option("--set", "changes", metavar="KEY=VALUE", multiple=True, help="A key of checkers.")
@verbose_option
@click.argument("names", nargs=-1, metavar="[NAME ...]", shell_complete=complete_checkers)
def replay(
    config_file: str | None,
    *,
    since: str,
    changes: tuple[str, ...],
    verbose: bool,
    names: tuple[str, ...],
) -> int:
    """Fold the stored runs once more, as configured and with other settings, and compare.

    The settings are those of all checkers, or of those named: failure_threshold,
    success_threshold, degraded_threshold, flapping, remind_every. Nothing is checked, written
    or sent.
    """
    given = dict(_change(text) for text in changes)
    start = time.time_ns() - parse_timespan(since)
    config = options.load_config(config_file, verbose=verbose, hide_warnings=True)
    chosen = select_checkers_or_suggest(config.checkers, names)
    monitor = app.run_context(config, os.environ)
    setting = replace(monitor.rules, checkers=chosen)
    settings = [setting, *([_with(setting, given)] if given else [])]
    replayed = fold_again(monitor, settings, start)
    titles = ["as configured", *([", ".join(changes)] if given else [])]
    print("\n".join(_lines(replayed, titles)))
    return 0


def _change(text: str) -> tuple[str, Any]:
    key, _, value = text.partition("=")
    if key not in _KEYS:
        raise CheckupError(f'"{key}" cannot be set; there is {", ".join(_KEYS)}')
    try:
        return key, _KEYS[key](value)
    except CheckupError as error:
        raise CheckupError(f"{key}: {error}") from error


def _with(setting: AlertRules, given: Mapping[str, Any]) -> AlertRules:
    changed: list[Checker] = [replace(checker, **given) for checker in setting.checkers]
    return replace(setting, checkers=changed)


def _lines(replayed: ReplayReport, titles: Sequence[str]) -> Iterator[str]:
    if not replayed.runs:
        yield "no runs are stored in that time"
        return
    first, last = format_minute(replayed.first), format_minute(replayed.last)
    yield f"{replayed.runs} runs from {first} to {last}"
    yield from _table(
        ["", *titles],
        ["alerts", *(str(len(told.alerts)) for told in replayed.told)],
        ["outages announced", *(str(len(told.incidents)) for told in replayed.told)],
        ["  delay, mean", *(format_timespan(_mean(told.delays)) for told in replayed.told)],
        [
            "  delay, longest",
            *(format_timespan(max(told.delays, default=0)) for told in replayed.told),
        ],
    )
    if len(replayed.told) > 1:
        yield from _difference(replayed.told[0], replayed.told[1])


def _table(*rows: Sequence[str]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for name, *cells in rows:
        right = [cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True)]
        yield "  ".join([name.ljust(widths[0]), *right]).rstrip()


def _difference(before: ReplayedAlerts, after: ReplayedAlerts) -> Iterator[str]:
    for sentence, alerts in (
        ("no longer announced", before.missing_from(after)),
        ("announced besides", after.missing_from(before)),
    ):
        if alerts:
            yield f"{sentence}: {len(alerts)}"
            yield from _listed(alerts)


def _listed(alerts: Sequence[Alert]) -> Iterator[str]:
    for alert in alerts[:_SHOWN]:
        why = f": {alert.reason}" if alert.reason else ""
        yield f"  {format_minute(alert.opened)}  {alert.title or alert.checker} {alert.status}{why}"
    if len(alerts) > _SHOWN:
        yield f"  … and {len(alerts) - _SHOWN} more"


def _mean(lengths: Iterable[int]) -> int:
    known = list(lengths)
    return sum(known) // len(known) if known else 0


# ``checkup silence``: hear nothing of a checker for a while.


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
    config = options.load_config(config_file, verbose=verbose, hide_warnings=True)
    checkers = select_checkers_or_suggest(config.checkers, names) if names else ()
    monitor = app.run_context(config, os.environ)
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
