"""Storing runs from a command: the run protocol, and words about what it could not do."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Self

from msgspec import Struct
from msgspec.structs import replace

from checkup import bootstrap, engine, protocol
from checkup.cli import terminal
from checkup.config.settings import Config
from checkup.deadline import Deadline
from checkup.errors import CheckupError
from checkup.model import Run
from checkup.ports import Checker, Storage


def open_storage(config: Config) -> Storage:
    """Return the storage of this configuration.

    Raises:
        CheckupError: there is none, or it cannot be used.
    """
    storage = bootstrap.open_storage(config, bootstrap.make_clients(config, os.environ), os.environ)
    if storage is None:
        raise CheckupError("no storage configured")
    return storage


class Recorder(Struct, frozen=True):
    """Stores runs of one configuration, one after the other."""

    monitor: protocol.Monitor
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
        monitor = bootstrap.make_monitor(config, os.environ)
        if interval:
            monitor = replace(monitor, interval=interval)
        return cls(monitor, bootstrap.run_deadline_seconds(config))

    def record(self, message: tuple[str, str] | None = None) -> Run:
        """Look at everything, store it under this moment, and tell of what changed.

        Args:
            message: a checker's id and the words that its result is to carry.

        Raises:
            CheckupError: the run could not be stored.
        """
        deadline = Deadline.after(self.deadline_seconds)
        recorded = protocol.check_and_record(
            self.monitor, time.time_ns(), deadline, message=message
        )
        return _told(recorded)

    def record_only(self, chosen: Sequence[Checker]) -> Run:
        """The same for some of the checkers; what is known of the others stays as it is.

        They are absent from the run, which is no evidence about them. The monitor keeps all
        checkers, for those that it does not know any more would be forgotten.
        """
        slot, deadline = time.time_ns(), Deadline.after(self.deadline_seconds)
        results = engine.look(
            chosen,
            deadline=deadline,
            concurrency=self.monitor.concurrency,
            known=protocol.known(protocol.read_head(self.monitor.storage)),
            mask=self.monitor.mask,
            region=self.monitor.region,
        )
        run = Run(slot=slot, results=results, region=self.monitor.region)
        return _told(protocol.record(self.monitor, run, deadline))


def _told(recorded: protocol.Recorded) -> Run:
    if recorded.undelivered:
        terminal.say(
            f"{recorded.undelivered} alerts could not be delivered; the next run tries again"
        )
    if recorded.late:
        terminal.say("the run came too late to count; it is kept apart")
    return recorded.run
