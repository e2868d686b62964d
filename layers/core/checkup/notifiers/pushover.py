"""Pushover (https://pushover.net/api)."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Annotated, ClassVar, Final
from urllib.parse import urlencode

from msgspec import Meta, Struct

from checkup.errors import NotDeliveredError
from checkup.interfaces import Clients, HttpResponse, Notification
from checkup.interfaces.kinds import Secret
from checkup.model import Status
from checkup.notifiers.base import check_response, json_object, notifier_secret
from checkup.notifiers.message import (
    PLAIN,
    SubjectSettings,
    body_lines,
    delivery_prefix,
    details_url,
    subject_prefix,
    summary,
    worst_status,
)
from checkup.times import SECOND

_URL: Final = "https://api.pushover.net/1/messages.json"
_HEADERS: Final = {"content-type": "application/x-www-form-urlencoded", "user-agent": "checkup"}

_MESSAGE, _TITLE = 1024, 250
"""Pushover's limits, in characters of UTF-8 (https://pushover.net/api#limits)."""

_HEADLINE: Final = 500
_PRIORITIES: Final = {Status.DOWN: 1, Status.DEGRADED: 0}
_LOW: Final = -1
"""An outage may disturb quiet hours; good news makes no sound."""

_KEY: Final = re.compile(r"[A-Za-z0-9]{30}", re.ASCII)


class PushoverSettings(SubjectSettings, frozen=True, kw_only=True):
    """One push message per message, over Pushover's API."""

    kind: ClassVar[str] = "pushover"
    needs_fields: ClassVar[tuple[str, ...]] = ("token", "recipient")

    token: Annotated[Secret, Meta(description="The application's API token.")] = ""
    recipient: Annotated[Secret, Meta(description="The user or group key.")] = ""

    def open(self, clients: Clients) -> PushoverNotifier:
        """Return the channel; token and key are read again for each message."""
        return PushoverNotifier(self, clients)


class PushoverNotifier(Struct, frozen=True):
    """The devices of a user or a group."""

    settings: PushoverSettings
    clients: Clients

    def send(self, notification: Notification) -> None:
        """Push one message, as :meth:`checkup.interfaces.Notifier.send` says."""
        form = {
            "token": self._key(self.settings.token, "API token"),
            "user": self._key(self.settings.recipient, "recipient"),
            **_message(notification, self.settings.subject),
        }
        _check(self.clients.post(_URL, urlencode(form).encode(), _HEADERS))

    def _key(self, value: str, what: str) -> str:
        """Return a key, which as in the Go program has to look like one."""
        key = notifier_secret(self.clients, value, f"pushover: no {what} is configured")
        if not _KEY.fullmatch(key):
            raise NotDeliveredError(f"pushover: invalid {what}: it must be 30 letters and digits")
        return key


def _message(notification: Notification, subject: str) -> dict[str, str]:
    label = delivery_prefix(notification)
    form = {
        "title": PLAIN.escape_text(subject_prefix(notification, subject), _TITLE),
        "message": _text(notification, label),
        "priority": str(_PRIORITIES.get(worst_status(notification.alerts), _LOW)),
        "timestamp": str(notification.alerts[-1].slot // SECOND),
    }
    url = details_url(notification)
    return {**form, "url": url, "url_title": "Status page"} if url else form


def _text(notification: Notification, label: str) -> str:
    style = PLAIN.adapt(notification)
    head = PLAIN.escape_text(label + summary(notification, style), _HEADLINE)
    room = _MESSAGE - len(head) - 2
    lines = body_lines(notification.alerts, style, room)
    return "\n".join([head, "", *lines])


def _check(answer: HttpResponse) -> None:
    """Accept 200 and ``"status": 1`` for a queued message.

    With 4xx it names the refused parameters in ``errors`` and by their keys. Its texts may
    repeat their values, so only the names are shown. 429: the month's quota is used up.
    """
    body = json_object(answer)
    about = [name for name in ("token", "user", "message", "title", "url") if body.get(name)]
    ours = {"token", "user"}.isdisjoint(about)
    check_response(
        "Pushover",
        answer,
        accepted=answer.status == HTTPStatus.OK and body.get("status") == 1,
        rejected_statuses=(400, 413) if ours else (),
        error_code=", ".join(about),
    )
