"""A test message to a channel: past its routes and its fallback, and no alert of anything."""

from __future__ import annotations

import time
from collections.abc import Sequence

from checkup.errors import CheckupError, DeliveryError
from checkup.model import Alert, AlertKind, Status
from checkup.ports import Notification, Notifier


def select_notifiers(known: Sequence[str], wanted: Sequence[str]) -> Sequence[str]:
    """Return the channels that are named, in the order of the configuration; all without names.

    Raises:
        CheckupError: there is none, or none of that name.
    """
    if not known:
        raise CheckupError("no notifiers are configured")
    for name in wanted:
        if name not in known:
            raise CheckupError(f"there is no channel '{name}'; known: {', '.join(known)}")
    return [name for name in known if name in wanted or not wanted]


def send_test(channel: Notifier, name: str, page_url: str) -> str:
    """Send a message that says that it is a test; return what went wrong, or an empty text."""
    try:
        channel.send(Notification(alerts=(_message(name),), page_url=page_url))
    except DeliveryError as error:
        return f"{type(error).__name__.lower()}: {error}"
    return ""


def _message(name: str) -> Alert:
    now = time.time_ns()
    return Alert(
        id=f"/test:unknown/{name}/{now}",
        checker="",
        title="Checkup",
        kind=AlertKind.TEST,
        status=Status.UNKNOWN,
        before=Status.UNKNOWN,
        slot=now,
        since=now,
        opened=now,
        reason=f"this is a test message to the channel {name}; nothing has happened",
    )
