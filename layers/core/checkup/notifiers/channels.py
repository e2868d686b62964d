"""The configured channels, opened, each under its name."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from checkup.alerting.routing import channel_names
from checkup.errors import NotDeliveredError, UnavailableError
from checkup.notifiers.fallback import FallbackNotifier
from checkup.ports import Clients, Notification, Notifier, NotifierSettings


class _Absent(Struct, frozen=True):
    """A channel that cannot be used here: its alerts wait, and the others are not harmed."""

    reason: str

    def send(self, notification: Notification) -> None:  # noqa: ARG002
        raise NotDeliveredError(self.reason)


def open_notifiers(notifiers: Sequence[NotifierSettings], clients: Clients) -> dict[str, Notifier]:
    """Return every channel on its own, by its name."""
    opened = [_open(settings, clients) for settings in notifiers]
    return dict(zip(channel_names(notifiers), opened, strict=True))


def open_notifiers_with_fallbacks(
    notifiers: Sequence[NotifierSettings], clients: Clients
) -> dict[str, Notifier]:
    """Return every channel with its fallback, if it has one, by its name."""
    channels = open_notifiers(notifiers, clients)
    fallbacks = {
        name: settings.fallback
        for name, settings in zip(channels, notifiers, strict=True)
        if settings.fallback in channels
    }
    return {
        name: FallbackNotifier(channel, channels[fallbacks[name]], (name, fallbacks[name]))
        if name in fallbacks
        else channel
        for name, channel in channels.items()
    }


def _open(settings: NotifierSettings, clients: Clients) -> Notifier:
    try:
        return settings.open(clients)
    except UnavailableError as error:
        return _Absent(str(error))
