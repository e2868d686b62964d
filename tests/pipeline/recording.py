"""A monitor in memory that records runs, and a channel that listens."""

from __future__ import annotations

from typing import Any

from checkup.deadline import Deadline
from checkup.interfaces import Notification
from checkup.pipeline import RunContext
from checkup.storage.memory import MemoryStorage
from tests.alerting.worlds import toy

HEALTHY, DOWN = {"a": "h", "b": "h"}, {"a": "d", "b": "h"}


class Ear:
    """A channel that listens."""

    def __init__(self) -> None:
        self.notifications: list[Notification] = []
        self.heard: list[str] = []

    def send(self, notification: Notification) -> None:
        self.notifications.append(notification)
        self.heard += [alert.id for alert in notification.alerts]


def monitor(storage: MemoryStorage, **more: Any) -> RunContext:
    return RunContext(**{"checkers": (toy("a"), toy("b")), "storage": storage, **more})


def soon() -> Deadline:
    return Deadline.after(5)


def keys(storage: MemoryStorage, prefix: str) -> list[str]:
    return list(storage.list(prefix))
