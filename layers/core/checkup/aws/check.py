"""What the check function does with an event."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from checkup import app
from checkup.alerting.outbox import channel_names
from checkup.aws.deployed_config import ActiveConfig
from checkup.aws.events import AdHocCheck, NotifierTest, ScheduledRun
from checkup.aws.runtime import (
    FunctionConfig,
    log_fields,
    origin_fields,
    outcome_fields,
    run_fields,
    status_counts,
)
from checkup.checkers.runner import run_checks
from checkup.deadline import Deadline
from checkup.errors import CheckupError, EventError
from checkup.interfaces import Checker
from checkup.interfaces.checker import select_checkers
from checkup.model import MANUAL_PREFIX, Run, encode_results
from checkup.notifiers import base
from checkup.pipeline import FINISH_SECONDS, RunContext, run_and_store, run_in_region, with_origin

_log = logging.getLogger(__name__)


class CheckFunction:
    """The check function, kept between invocations."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._settings = FunctionConfig(environ)
        self._wired: tuple[ActiveConfig, RunContext] | None = None
        if self._settings.initial is not None:
            # Imports and clients, while the function starts and has a processor of its own.
            with suppress(CheckupError):
                self._context(self._settings.initial)

    def handle(
        self, request: ScheduledRun | AdHocCheck | NotifierTest, remaining_milliseconds: int
    ) -> Any:
        """Handle an event.

        Args:
            remaining_milliseconds: the life that is left to the invocation.

        Raises:
            EventError: it names what there is not.
            CheckupError: it could not be done.
        """
        active = self._settings.current()
        context = self._context(active)
        seconds = app.run_deadline_seconds(active.config)
        deadline = run_deadline(seconds, remaining_milliseconds)
        match request:
            case ScheduledRun():
                return self._run(active, request.slot(context.interval), deadline)
            case AdHocCheck():
                return run_adhoc(context, request, deadline)
            case NotifierTest(names):
                return self._try_channels(active, names)

    def _context(self, active: ActiveConfig) -> RunContext:
        """Return the objects for a configuration, made again only when it has changed."""
        if self._wired is None or self._wired[0] is not active:
            context = app.run_context(active.config, self._environ, config_version=active.version)
            self._wired = active, context
        return self._wired[1]

    def _run(self, active: ActiveConfig, slot: int, deadline: Deadline) -> dict[str, Any]:
        context = self._context(active)
        facts = {**run_fields(context, slot), **origin_fields(active.config, self._environ)}
        with log_fields(facts):
            if app.Environment.of(self._environ).home_region:
                outcome = status_counts(run_in_region(context, slot, deadline))
            else:
                outcome = outcome_fields(run_and_store(context, slot, deadline))
            _log.info("run recorded", extra=outcome)
        return facts | outcome

    def _try_channels(self, active: ActiveConfig, names: tuple[str, ...]) -> dict[str, str]:
        config = active.config
        mask = app.secret_masker(config)
        opened = app.open_channels(config, self._environ)
        page_url = config.page.url or app.Environment.of(self._environ).page_url
        return {
            name: mask(base.send_test(opened[name], name, page_url)) or "accepted"
            for name in _chosen_channels(channel_names(config.notifiers), names)
        }


def run_deadline(run_deadline: float, remaining_milliseconds: int) -> Deadline:
    """Return the deadline of the checkers: early enough to store and deliver within the invocation.

    Args:
        run_deadline: seconds that a run may look at most.
        remaining_milliseconds: the life that is left to the invocation.
    """
    return Deadline.after(run_deadline).within(remaining_milliseconds / 1000 - FINISH_SECONDS)


def run_adhoc(context: RunContext, request: AdHocCheck, deadline: Deadline) -> list[dict[str, Any]]:
    """Run the named checkers, or all; change no state, send no alerts.

    Returns:
        The array that a run file would hold.

    Raises:
        EventError: no checker has one of the names.
        StorageError: it was to be kept and could not be.
    """
    results = run_checks(
        _chosen(context, request.checkers),
        deadline=deadline,
        concurrency=context.concurrency,
        mask=context.mask,
        secret=context.secret,
        region=context.region,
    )
    body = encode_results(with_origin(results, context))
    if request.record:
        name = Run(slot=time.time_ns(), results=results).file_name
        context.storage.create(MANUAL_PREFIX + name, body)
    array: list[dict[str, Any]] = json.loads(body)
    return array


def _chosen(context: RunContext, names: Sequence[str]) -> tuple[Checker, ...]:
    try:
        return select_checkers(context.checkers, names)
    except LookupError as error:
        raise EventError(str(error)) from None


def _chosen_channels(known: Sequence[str], names: Sequence[str]) -> Sequence[str]:
    try:
        return base.select_notifiers(known, names)
    except CheckupError as error:
        raise EventError(str(error)) from None
