"""Commands that run checks or store results: the default one, ``every``, ``message``, ``ping``."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Self

import click
from msgspec import Struct
from msgspec.structs import replace

from checkup import app, model, pipeline
from checkup.checkers import heartbeat, runner
from checkup.checkers.heartbeat import HeartbeatChecker
from checkup.cli import options, output
from checkup.cli.commands import COMMANDS
from checkup.cli.options import (
    UnknownCommandError,
    complete_checkers,
    config_options,
    examples_epilog,
    select_checkers_or_suggest,
    verbose_option,
)
from checkup.cli.output import (
    failure_lines,
    go_result_block,
    plural,
    results_markdown,
    results_table,
)
from checkup.cli.process import EXIT_UNDELIVERED
from checkup.cli.stack import request_publish
from checkup.config.settings import Config
from checkup.deadline import Deadline
from checkup.errors import CheckupError, ConfigError
from checkup.interfaces import Checker
from checkup.interfaces.checker import select_checkers
from checkup.model import Result, Status
from checkup.text import did_you_mean, mask_secrets
from checkup.times import DAY, HOUR, MINUTE, SECOND, format_duration, parse_duration

_log = logging.getLogger(__name__)


class RunRecorder(Struct, frozen=True):
    """Runs the checks of one configuration, stores the runs and sends alerts."""

    context: pipeline.RunContext
    deadline_seconds: float

    @classmethod
    def of(cls, config: Config, *, interval: int = 0, region: str | None = None) -> Self:
        """Return the recorder of a configuration.

        Args:
            interval: nanoseconds between runs; 0 for that of the configuration.
            region: the name of this machine among ``regions``; by default the environment's.

        Raises:
            CheckupError: no storage is configured, or it cannot be used; this machine is none of
                the regions, or would not share their slots.
        """
        context = app.run_context(config, os.environ, region=region)
        app.require_region(context)
        if interval and context.shares_slots and interval != context.interval:
            raise CheckupError(
                "machines that vote share the slots of one interval: set "
                f'"interval": "{format_duration(interval)}", or run'
                f" `checkup every {format_duration(context.interval)}`"
            )
        if interval:
            context = replace(context, interval=interval)
        return cls(context, app.run_deadline_seconds(config))

    @classmethod
    def by_hand(cls, config: Config) -> Self:
        """Return the recorder of runs that somebody adds; where regions vote, these do not."""
        return cls.of(config, region=app.MANUAL_REGION if config.regions else None)

    def run_and_store(
        self,
        *,
        message: tuple[str, str] | None = None,
        checkers: Sequence[Checker] | None = None,
        progress: Callable[[Result], None] | None = None,
    ) -> pipeline.RunOutcome:
        """Run the checks, store the run under the slot of now, and send alerts.

        Args:
            message: a checker's id, and the message to attach to its result.
            checkers: the checkers to run, if not all; the others keep their status.
            progress: called with each result as soon as it is final.

        Raises:
            CheckupError: the run could not be stored.
        """
        slot = self.context.slot_at(time.time_ns())
        deadline = Deadline.after(self.deadline_seconds)
        recorded = pipeline.run_and_store(
            self.context, slot, deadline, message=message, only=checkers, progress=progress
        )
        for alert in recorded.alerts:
            _log.info("alert: %s: %s, before: %s", alert.title, alert.status, alert.previous_status)
        for channel, reason in recorded.failing_channels.items():
            output.log_line(f"{channel}: alerts cannot be delivered: {reason}")
        if recorded.undelivered:
            output.log_line(f"{plural(recorded.undelivered, 'alert')} queued for retry")
        if recorded.late:
            output.log_line("the run is too late to be evaluated; it is stored separately")
        return recorded


# Intervals of ``checkup every`` and ``checkup run``.


_NAMED_INTERVALS: Final = {
    "second": SECOND,
    "minute": MINUTE,
    "hour": HOUR,
    "day": DAY,
    "week": 7 * DAY,
}


def parse_interval(text: str) -> int:
    """Return the nanoseconds of an interval, in the Go program's spelling.

    Raises:
        CheckupError: it is not a duration, or not a positive one.
    """
    word = text.lower()
    try:
        step = _NAMED_INTERVALS.get(word) or parse_duration(word)
    except ValueError as error:
        raise CheckupError(str(error)) from error
    if step <= 0:
        raise CheckupError(f'the interval must be greater than 0, got "{text}"')
    return step


_AFTER_BOUNDARY: Final = 0.05
"""Seconds after the start of a shared slot at which its run begins, as clocks are being slewed."""


def seconds_to_next(step: float, start: float, *, aligned: bool) -> float:
    """Return the time until the next step.

    Args:
        step: seconds between steps.
        start: monotonic time of an earlier step.
        aligned: steps are the multiples of ``step`` on the wall clock, which machines share.
    """
    elapsed = time.time() - _AFTER_BOUNDARY if aligned else time.monotonic() - start
    return step - elapsed % step


# What ``checkup`` without a command does: one run, printed or stored.


def run_once(
    path: str | None, names: Sequence[str], *, store: bool, form: str, verbose: bool
) -> int:
    """Run the checks once, print or store the results, and return the exit code.

    Args:
        names: titles or ids of the checkers to run; all if empty.
        form: ``table``, ``go``, ``json`` or ``markdown``; empty for a table on a terminal and the
            Go program's layout elsewhere, and nothing if the run is stored.
    """
    config = _begin(path, names, verbose=verbose, quiet=store)
    chosen = select_checkers_or_suggest(config.checkers, names)
    with output.progress_bar(len(chosen), wanted=not (form == "json" or verbose)) as done:
        if store:
            only = chosen if names else None
            recorder = RunRecorder.of(config) if only is None else RunRecorder.by_hand(config)
            outcome = recorder.run_and_store(checkers=only, progress=done)
            results = outcome.run.results
            code = EXIT_UNDELIVERED if outcome.failing_channels else 0
            if recorder.context.machine and not recorder.context.is_voting:
                output.log_line("the run is stored but has no vote: it has only some checkers")
        else:
            results = _run_unstored(config, chosen, done)
    if form or verbose or not store:
        is_terminal = sys.stdout is not None and sys.stdout.isatty()
        _print_results(results, form or ("table" if is_terminal else "go"))
    if verbose:
        output.flush()  # where both streams go to one place, the reasons come last
        output.log_line("\n".join(failure_lines(results)))
    if store and config.publish:
        from checkup.cli.page import publish_after_run  # renders the page

        publish_after_run(config, recorder.context.storage)
    if not store:
        code = 0 if all(result.status is Status.HEALTHY for result in results) else 1
    return code


def _begin(path: str | None, names: Sequence[str], *, verbose: bool, quiet: bool) -> Config:
    """Read the configuration; without a file, the first name must be a mistyped command."""
    try:
        return options.load_config(path, verbose=verbose, hide_warnings=quiet)
    except ConfigError as error:
        is_there = not isinstance(error.__cause__, FileNotFoundError)
        if names and path is None and not is_there:
            raise UnknownCommandError(names[0], {name: name for name in COMMANDS}) from error
        raise


def _run_unstored(
    config: Config, chosen: Sequence[Checker], done: output.OnResult
) -> tuple[Result, ...]:
    """Run checks without rechecks, state and alerts; nothing is stored."""
    return runner.run_checks(
        chosen,
        deadline=Deadline.after(app.run_deadline_seconds(config)),
        concurrency=config.concurrency,
        mask=app.secret_masker(config),
        secret=app.make_clients(config, os.environ).secret,
        timestamp=config.timestamp,
        progress=done,
    )


def _print_results(results: Sequence[Result], form: str) -> None:
    color = output.wants_color(os.environ)
    match form:
        case "json":
            print(model.encode_results(results).decode())
        case "table":
            print(results_table(results, color=color))
        case "markdown":
            print(results_markdown(results))
        case _:
            print(*(go_result_block(result, color=color) for result in results), sep="", end="")


# ``checkup message``: a message about one checker, stored with a run.


@click.command(
    epilog=examples_epilog(
        'checkup message "We are investigating."',
        'checkup message "The new disk is in." --about "Web shop"',
        'checkup -c shop.yaml message -a api "Back at 14:00 UTC."',
    ),
)
@config_options
@click.option(
    "-a",
    "--about",
    metavar="TITLE",
    default="",
    shell_complete=complete_checkers,
    help="Title or id of the checker; required if there are several.",
)
@verbose_option
@click.argument("text")
def message(config_file: str | None, *, about: str, verbose: bool, text: str) -> int:
    """Run every check and store the run with TEXT attached to one result.

    The status page shows the message with that checker until the run is no longer recent.
    """
    if not text.strip():
        raise CheckupError("the message is empty")
    config = options.load_config(config_file, verbose=verbose, hide_warnings=True)
    recorder = RunRecorder.by_hand(config)
    checker = _about(config.checkers, about)
    with output.progress_bar(len(config.checkers), wanted=not verbose) as done:
        recorder.run_and_store(
            message=(checker.id, mask_secrets(text, config.masked_values)), progress=done
        )
    request_publish()
    print("Message posted")
    return 0


def _about(checkers: Sequence[Checker], title: str) -> Checker:
    """Return the only checker, or the first with that title, else id."""
    if not title and len(checkers) == 1:
        return checkers[0]
    if not title and checkers:
        raise CheckupError(
            "more than one result; unable to guess which one to attach message to;"
            " name it with --about TITLE"
        )
    for name in ("title", "id"):
        for checker in checkers:
            if getattr(checker, name).casefold() == title.casefold():
                return checker
    known = [name for checker in checkers for name in (checker.title, checker.id)]
    problems = [f"no result for endpoint with title '{title}'", did_you_mean(title, known)]
    raise CheckupError("; ".join(filter(None, problems)))


# ``checkup ping``: the heartbeat of a job.


@click.command(
    epilog=examples_epilog(
        "checkup ping backup",
        "backup.sh && checkup ping backup || checkup ping backup --failed",
    ),
)
@config_options
@click.option("--failed", is_flag=True, help="Report that the job failed.")
@verbose_option
@click.argument("name", shell_complete=complete_checkers)
def ping(config_file: str | None, *, failed: bool, verbose: bool, name: str) -> int:
    """Send a heartbeat for a job, and print nothing.

    NAME is the title or id of a checker of type heartbeat. It is down when no heartbeat arrives
    within its period and grace.
    """
    config = options.load_config(config_file, verbose=verbose, hide_warnings=True)
    jobs = list(_heartbeat_checkers(config.checkers, name))
    storage = app.require_storage(config)
    for job in jobs:
        heartbeat.store_heartbeat(storage, job.id, failed=failed)
    return 0


def _heartbeat_checkers(checkers: Sequence[Checker], name: str) -> Iterator[HeartbeatChecker]:
    """Yield the heartbeat checkers of that name."""
    jobs = [checker for checker in checkers if isinstance(checker, HeartbeatChecker)]
    try:
        chosen = select_checkers(jobs, [name])
    except LookupError as error:
        known = ", ".join(job.id for job in jobs) or "none"
        raise CheckupError(
            f"no heartbeat checker has the title or id '{name}'; known: {known}"
        ) from error
    for job in jobs:
        if job not in chosen:
            continue
        if job.path:
            raise CheckupError(f"'{job.title}' watches {job.path} and accepts no heartbeats")
        yield job
