"""What the check function does for an event."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from checkup import bootstrap
from checkup.alerting.routing import names as channel_names
from checkup.bootstrap import Counted
from checkup.deadline import Deadline
from checkup.engine import look
from checkup.errors import CheckupError, EventError
from checkup.invocation import AdHoc, NotifyTest, Scheduled
from checkup.model import Run
from checkup.notifiers import trial
from checkup.ports import Checker
from checkup.protocol import (
    TAIL_SECONDS,
    Monitor,
    check_and_record,
    vote,
    with_origin,
)
from checkup.runfile import BY_HAND, encode
from checkup.selection import choose
from checkup.stack.lines import origin_of, run_of, summary, telling, told
from checkup.stack.settings import Settings

_log = logging.getLogger(__name__)


class CheckService:
    """The check function, for as long as its environment lives."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._settings = Settings(environ)
        self._wired: tuple[Counted, Monitor] | None = None
        if self._settings.first is not None:
            # Imports and clients, while the function starts and has a processor of its own.
            with suppress(CheckupError):
                self._monitor(self._settings.first)

    def answer(self, request: Scheduled | AdHoc | NotifyTest, remaining_milliseconds: int) -> Any:  # noqa: ANN401 - as the event asks
        """Do what an event asks.

        Args:
            remaining_milliseconds: the life that is left to the invocation.

        Raises:
            EventError: it names what there is not.
            CheckupError: it could not be done.
        """
        counted = self._settings.current()
        monitor = self._monitor(counted)
        seconds = bootstrap.run_deadline_seconds(counted.config)
        deadline = deadline_of(seconds, remaining_milliseconds)
        match request:
            case Scheduled():
                return self._run(counted, request.slot(monitor.interval), deadline)
            case AdHoc():
                return look_now(monitor, request, deadline)
            case NotifyTest(names):
                return self._try_channels(counted, names)

    def _monitor(self, counted: Counted) -> Monitor:
        """Return the objects for a configuration, made anew only when it is another one."""
        if self._wired is None or self._wired[0] is not counted:
            monitor = bootstrap.make_monitor(
                counted.config, self._environ, config_version=counted.version
            )
            self._wired = counted, monitor
        return self._wired[1]

    def _run(self, counted: Counted, slot: int, deadline: Deadline) -> dict[str, Any]:
        monitor = self._monitor(counted)
        facts = {**run_of(monitor, slot), **origin_of(counted.config, self._environ)}
        with telling(facts):
            if self._environ.get("HOME_REGION"):
                outcome = summary(vote(monitor, slot, deadline))
            else:
                outcome = told(monitor, check_and_record(monitor, slot, deadline))
            _log.info("run recorded", extra=outcome)
        return facts | outcome

    def _try_channels(self, counted: Counted, names: tuple[str, ...]) -> dict[str, str]:
        config = counted.config
        mask = bootstrap.mask_with(config)
        opened = bootstrap.open_channels(config, self._environ)
        page_url = config.page.url or self._environ.get("PAGE_URL", "")
        return {
            name: mask(trial.try_out(opened[name], name, page_url)) or "accepted"
            for name in _chosen_channels(channel_names(config.notifiers), names)
        }


def deadline_of(run_deadline: float, remaining_milliseconds: int) -> Deadline:
    """Return when to stop looking: early enough to store and tell before the platform ends it.

    Args:
        run_deadline: seconds that a run may look at most.
        remaining_milliseconds: the life that is left to the invocation.
    """
    return Deadline.after(run_deadline).within(remaining_milliseconds / 1000 - TAIL_SECONDS)


def look_now(monitor: Monitor, request: AdHoc, deadline: Deadline) -> list[dict[str, Any]]:
    """Look at the named checkers, or at all: no state moves, nobody is told.

    Returns:
        The array that a run file would hold.

    Raises:
        EventError: no checker has one of the names.
        StorageError: it was to be kept and could not be.
    """
    results = look(
        _chosen(monitor, request.checkers),
        deadline=deadline,
        concurrency=monitor.concurrency,
        mask=monitor.mask,
        secret=monitor.secret,
        region=monitor.region,
    )
    body = encode(with_origin(results, monitor))
    if request.record:
        name = Run(slot=time.time_ns(), results=results).name
        monitor.storage.create(BY_HAND + name, body)
    array: list[dict[str, Any]] = json.loads(body)
    return array


def _chosen(monitor: Monitor, names: Sequence[str]) -> tuple[Checker, ...]:
    try:
        return choose(monitor.checkers, names)
    except LookupError as error:
        raise EventError(str(error)) from None


def _chosen_channels(known: Sequence[str], names: Sequence[str]) -> Sequence[str]:
    try:
        return trial.choose(known, names)
    except CheckupError as error:
        raise EventError(str(error)) from None
