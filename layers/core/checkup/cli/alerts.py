"""Commands about alerts: ``notify``, ``replay`` and ``silence``."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import click
from click.shell_completion import CompletionItem
from msgspec.structs import replace

from checkup import app
from checkup.alerting.outbox import channel_names
from checkup.cli import options
from checkup.cli.options import (
    complete_checkers,
    config_options,
    examples_epilog,
    named_checkers,
    verbose_option,
)
from checkup.cli.output import format_table, plural
from checkup.errors import CheckupError, ConfigError
from checkup.interfaces import Checker
from checkup.model import Alert
from checkup.notifiers.base import select_notifiers, send_test
from checkup.pipeline.replay import ReplayReport
from checkup.pipeline.replay import replay as replay_runs
from checkup.pipeline.state_store import silence_checkers
from checkup.times import format_minute, format_timespan, parse_timespan

# ``checkup notify``: the channels, and test messages to them.


def _complete_channels(
    context: click.Context, _: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    try:
        config = options.read_config(context.params.get("config_file"))
    except ConfigError:
        return []
    names = channel_names(config.notifiers)
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


@click.command(
    epilog=examples_epilog(
        "checkup notify                  list the channels",
        "checkup notify --test           send a test message to every channel",
        "checkup notify --test slack-2   send it to this channel",
    ),
)
@config_options
@click.option("--test", is_flag=True, help="Send a test message.")
@verbose_option
@click.argument("channels", nargs=-1, metavar="[CHANNEL]...", shell_complete=_complete_channels)
def notify(config_file: str | None, *, test: bool, verbose: bool, channels: Sequence[str]) -> int:
    """List notification channels, or send each a test message.

    A test ignores the channel's groups, tags, severities and fallback, and is not stored. The
    exit code is 1 if a channel did not accept it.
    """
    config = options.load_config(config_file, verbose=verbose, hide_warnings=True)
    chosen = select_notifiers(channel_names(config.notifiers), channels)
    if not test:
        for name in chosen:
            print(name)
        return 0
    notifiers = app.open_channels(config, os.environ)
    mask = app.secret_masker(config)
    page_url = config.page.url or os.environ.get("PAGE_URL", "")
    width = max(map(len, chosen))
    failed = 0
    for name in chosen:
        problem = send_test(notifiers[name], name, page_url)
        failed += bool(problem)
        print(f"{name:<{width}}  {mask(problem) if problem else 'accepted'}", flush=True)
    return 1 if failed else 0


# ``checkup replay``: the alerts of stored runs, with other settings.


_MAX_LISTED: Final = 20
"""Alerts of each kind that are listed."""


def _parse_threshold(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise CheckupError(f'must be an integer of at least 1, got "{text}"')
    return int(text)


def _parse_boolean(text: str) -> bool:
    if text not in {"true", "false"}:
        raise CheckupError(f'must be true or false, got "{text}"')
    return text == "true"


_SETTINGS: Final[Mapping[str, Callable[[str], Any]]] = {
    "failure_threshold": _parse_threshold,
    "success_threshold": _parse_threshold,
    "degraded_threshold": _parse_threshold,
    "flapping": _parse_boolean,
    "remind_every": lambda text: 0 if text == "0" else parse_timespan(text),
}


@click.command(
    epilog=examples_epilog(
        "checkup replay --set failure_threshold=3",
        "checkup replay --since 30d --set failure_threshold=2 --set success_threshold=2",
        "checkup replay api --since 7d --set flapping=false",
    ),
)
@config_options
@click.option("--since", metavar="TIME", default="7d", help="How far back: 12h, 30d  [default: 7d]")
@click.option(
    "--set", "changes", metavar="KEY=VALUE", multiple=True, help="Setting to change; repeatable."
)
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
    """Re-evaluate stored runs with other alert settings, and compare the alerts.

    KEY is failure_threshold, success_threshold, degraded_threshold, flapping or remind_every. It
    applies to all checkers, or to those named. Nothing is checked, written or sent.
    """
    given = dict(map(_parse_setting, changes))
    start = time.time_ns() - parse_timespan(since)
    config = options.load_config(config_file, verbose=verbose, hide_warnings=True)
    chosen = named_checkers(config.checkers, names)
    monitor = app.run_context(config, os.environ)
    variants = {"as configured": replace(monitor.rules, checkers=chosen)}
    if given:
        changed: list[Checker] = [replace(checker, **given) for checker in chosen]
        variants[", ".join(changes)] = replace(monitor.rules, checkers=changed)
    _print_replay(replay_runs(monitor, list(variants.values()), start), list(variants))
    return 0


def _parse_setting(text: str) -> tuple[str, Any]:
    key, _, value = text.partition("=")
    if key not in _SETTINGS:
        raise CheckupError(f'cannot set "{key}"; choose one of {", ".join(_SETTINGS)}')
    try:
        return key, _SETTINGS[key](value)
    except CheckupError as error:
        raise CheckupError(f"{key}: {error}") from error


def _print_replay(report: ReplayReport, titles: Sequence[str]) -> None:
    if not report.runs:
        print("no runs stored in that time")
        return
    first, last = format_minute(report.first), format_minute(report.last)
    print(f"{plural(report.runs, 'run')} from {first} to {last}")
    delays = [tuple(it.delays) for it in report.replayed]
    rows = [
        ("", *titles),
        ("alerts", *(str(len(it.alerts)) for it in report.replayed)),
        ("outages alerted", *(str(len(it.incidents)) for it in report.replayed)),
        ("  mean delay", *(format_timespan(sum(it) // (len(it) or 1)) for it in delays)),
        ("  longest delay", *(format_timespan(max(it, default=0)) for it in delays)),
    ]
    print(format_table(rows, right=range(1, 1 + len(titles))))
    if len(report.replayed) > 1:
        before, after = report.replayed
        _print_alerts("no longer alerted", before.missing_from(after))
        _print_alerts("additionally alerted", after.missing_from(before))


def _print_alerts(heading: str, alerts: Sequence[Alert]) -> None:
    if alerts:
        print(f"{heading}: {len(alerts)}")
    for alert in alerts[:_MAX_LISTED]:
        reason = f": {alert.reason}" if alert.reason else ""
        title = alert.title or alert.checker
        print(f"  {format_minute(alert.opened)}  {title} {alert.status}{reason}")
    if len(alerts) > _MAX_LISTED:
        print(f"  … and {len(alerts) - _MAX_LISTED} more")


# ``checkup silence``: mute alerts.


@click.command(
    epilog=examples_epilog(
        "checkup silence api --for 2h",
        "checkup silence api website --for 3d",
        "checkup silence api --end",
        "checkup silence --all --for 30m",
        "checkup silence                  list the silences",
    ),
)
@config_options
@click.option("--for", "length", metavar="TIME", default="", help="Duration: 90m, 2h, 3d.")
@click.option("--end", is_flag=True, help="End the silence now.")
@click.option("--all", "is_all", is_flag=True, help="Every checker, in place of names.")
@verbose_option
@click.argument("names", nargs=-1, metavar="[NAME ...]", shell_complete=complete_checkers)
def silence(
    config_file: str | None, *, is_all: bool, verbose: bool, names: tuple[str, ...], **change: Any
) -> int:
    """Mute alerts for the checkers named, or list the silences.

    Checks go on and results are stored. An outage that outlasts the silence is alerted when the
    silence ends; the recovery from an outage that was alerted before is sent at once.
    """
    length, end = change["length"], change["end"]
    if names and is_all:
        raise click.UsageError("use either names or --all")
    if (names or is_all) and bool(length) == end:
        raise click.UsageError("use either --for or --end")
    if (length or end) and not (names or is_all):
        raise click.UsageError("name the checkers, or use --all for every one")
    config = options.load_config(config_file, verbose=verbose, hide_warnings=True)
    checkers = named_checkers(config.checkers, names) if names or is_all else ()
    monitor = app.run_context(config, os.environ)
    now = time.time_ns()
    until = now + parse_timespan(length) if length else now
    chosen = {checker.id for checker in checkers}
    silences = silence_checkers(monitor, chosen, since=now, until=until)
    titles = {checker.id: checker.title or checker.id for checker in config.checkers}
    for name, it in sorted(silences.items()):
        print(f"{titles.get(name, name)}: silenced until {format_minute(it.until)}")
    if not silences:
        print("no silences")
    return 0
