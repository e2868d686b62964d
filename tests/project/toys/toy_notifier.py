"""A notifier in one file: it appends to a list that the test can see."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from checkup.interfaces import Clients, Notification, Notifier, NotifierSettings

HEARD: dict[str, list[str]] = {}


class ToyNotifierSettings(NotifierSettings, frozen=True, kw_only=True):
    kind: ClassVar[str] = "toy"

    ear: Annotated[str, Meta(description="Whose list to append to.")] = ""

    def open(self, clients: Clients) -> Notifier:
        return ToyNotifier(self.ear)


class ToyNotifier:
    def __init__(self, ear: str) -> None:
        self._ear = ear

    def send(self, notification: Notification) -> None:
        heard = HEARD.setdefault(self._ear, [])
        heard.extend(f"{alert.title} is {alert.status}" for alert in notification.alerts)
