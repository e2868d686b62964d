"""``checkup replay``: what other settings would have announced."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import click
from msgspec.structs import replace

from checkup import bootstrap
from checkup.alerting.fold import AlertRules
from checkup.cli import session
from checkup.cli.choosing import complete_checkers, select_checkers_or_suggest
from checkup.cli.flags import config_options, examples_epilog, verbose_option
from checkup.cli.spans import format_minute, format_timespan, parse_timespan
from checkup.errors import CheckupError
from checkup.model import Alert
from checkup.ports import Checker
from checkup.protocol.replaying import ReplayedAlerts, ReplayReport
from checkup.protocol.replaying import replay as fold_again

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
    config = session.load_config(config_file, verbose=verbose, quiet=True)
    chosen = select_checkers_or_suggest(config.checkers, names)
    monitor = bootstrap.run_context(config, os.environ)
    setting = replace(monitor.setting, checkers=chosen)
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
        ["outages announced", *(str(len(told.openings)) for told in replayed.told)],
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
        ("no longer announced", before.without(after)),
        ("announced besides", after.without(before)),
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
