"""Storing runs from a command: the run protocol, and words about what it could not do."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Sequence
from typing import Self

from msgspec import Struct
from msgspec.structs import replace

from checkup import bootstrap, protocol
from checkup.cli import terminal
from checkup.config.settings import Config
from checkup.deadline import Deadline
from checkup.errors import CheckupError
from checkup.model import Result, Run
from checkup.ports import Checker, Storage

_log = logging.getLogger(__name__)


def require_storage(config: Config) -> Storage:
    """Return the storage of this configuration.

    Raises:
        CheckupError: there is none, or it cannot be used.
    """
    storage = bootstrap.open_storage(config, bootstrap.make_clients(config, os.environ), os.environ)
    if storage is None:
        raise CheckupError("no storage configured")
    return storage


class RunRecorder(Struct, frozen=True):
    """Stores runs of one configuration, one after the other."""

    monitor: protocol.RunContext
    deadline_seconds: float

    @classmethod
    def of(cls, config: Config, *, interval: int = 0) -> Self:
        """Return the recorder of a configuration.

        Args:
            interval: how often it will be used, in nanoseconds, if that is known better than
                from the configuration.

        Raises:
            CheckupError: no storage is configured, or it cannot be used.
        """
        monitor = bootstrap.run_context(config, os.environ)
        if interval:
            monitor = replace(monitor, interval=interval)
        return cls(monitor, bootstrap.run_deadline_seconds(config))

    def record(
        self,
        *,
        message: tuple[str, str] | None = None,
        only: Sequence[Checker] | None = None,
        progress: Callable[[Result], None] | None = None,
    ) -> Run:
        """Look, store the run under this moment, and tell of what changed.

        Args:
            message: a checker's id and the words that its result is to carry.
            only: the checkers to look at, if not all. The run says nothing about the others,
                which is no evidence, so what is known of them stays as it is.
            progress: called with each result as soon as it is final.

        Raises:
            CheckupError: the run could not be stored.
        """
        slot, deadline = time.time_ns(), Deadline.after(self.deadline_seconds)
        recorded = protocol.run_and_store(
            self.monitor, slot, deadline, message=message, only=only, progress=progress
        )
        for alert in recorded.alerts:
            _log.info("alert: %s: %s, before: %s", alert.title, alert.status, alert.before)
        if recorded.undelivered:
            terminal.log_line(f"alerts that wait for the next run: {recorded.undelivered}")
        if recorded.late:
            terminal.log_line("the run came too late to count and is kept apart")
        return recorded.run
