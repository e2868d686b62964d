"""``checkup every``: look, store and tell, again and again."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Final

import click

from checkup.cli import failures, recording, session, terminal
from checkup.cli.flags import config_options, examples_epilog, verbose_option
from checkup.cli.stopping import StopHandler, interruptible_sleep, run_until_stopped
from checkup.duration import parse_duration
from checkup.errors import CheckupError
from checkup.model import SECOND

_WORDS: Final = {
    "second": SECOND,
    "minute": 60 * SECOND,
    "hour": 3_600 * SECOND,
    "day": 24 * 3_600 * SECOND,
    "week": 7 * 24 * 3_600 * SECOND,
}


class _Every(click.Command):
    """Takes ``-1s`` for an interval, which is refused with better words than an unknown flag."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        negative = [word for word in args if re.match(r"-[\d.]", word)]
        if negative and "--" not in args:
            args = [*(word for word in args if word not in negative), "--", *negative]
        return super().parse_args(ctx, args)


@click.command(
    cls=_Every,
    epilog=examples_epilog(
        "checkup every 1m",
        "checkup every 1h30m",
        "checkup every day",
        "checkup -c shop.yaml every 30s -v",
    ),
)
@config_options
@verbose_option
@click.argument("interval")
def every(config_file: str | None, *, verbose: bool, interval: str) -> int:
    """Look, store and tell of changes, at once and then at each INTERVAL.

    INTERVAL is a duration such as 90s, 10m or 1h30m, or one of: second, minute, hour, day,
    week. Runs never overlap: what falls into a run that lasts longer is left out. A run that
    fails is reported, and the next one takes place. Ctrl-C and SIGTERM end it with exit
    code 0, in the middle of a run within two seconds.
    """
    step = parse_interval(interval)
    config = session.load_config(config_file, verbose=verbose)
    if not config.checkers:
        raise CheckupError("no checkers configured")
    recorder = recording.RunRecorder.of(config, interval=step)
    with run_until_stopped() as stopping:
        _repeat(lambda: _survive(recorder.record, verbose=verbose), step / SECOND, stopping)
    return 0


def parse_interval(text: str) -> int:
    """Return the nanoseconds of an interval, in the Go program's spelling.

    Raises:
        CheckupError: it is not a duration, or not a positive one.
    """
    word = text.lower()
    try:
        step = _WORDS.get(word) or parse_duration(word)
    except ValueError as error:
        raise CheckupError(str(error)) from error
    if step <= 0:
        raise CheckupError(f'the interval must be longer than 0, not "{text}"')
    return step


def _repeat(work: Callable[[], object], step: float, stopping: StopHandler) -> None:
    """Work now and at each step after now that does not fall into the work before it."""
    start = time.monotonic()
    while not stopping.asked:
        with stopping.at_work():
            work()
        if not stopping.asked:
            elapsed = time.monotonic() - start
            interruptible_sleep(step - elapsed % step)


def _survive(work: Callable[[], object], *, verbose: bool) -> None:
    """Do the work and report its failure, so that one bad run does not end all others."""
    try:
        work()
    except CheckupError as error:
        terminal.log_line(str(error))
    except Exception as error:  # noqa: BLE001 - whatever it was, the next run is due
        failures.report_internal_error(error, verbose=verbose)
