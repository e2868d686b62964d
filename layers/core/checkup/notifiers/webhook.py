"""Any service that takes JSON by HTTP, signed as Standard Webhooks says.

See https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md.

The JSON is ours, or made by a template: a placeholder inside quotes stands for a string and is
escaped for that place; any other stands for a JSON value. So no title or error can break the JSON.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import json
import re
import time
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Annotated, Any, ClassVar, Final, Literal

import msgspec
from msgspec import Meta, Struct, field

from checkup.errors import NotDeliveredError
from checkup.interfaces import Clients, Notification, NotifierSettings
from checkup.interfaces.kinds import Headers, Secret, SettingProblem
from checkup.model import Alert, AlertKind, Status
from checkup.notifiers.base import check_response, notifier_secret
from checkup.notifiers.message import (
    PLAIN,
    body_lines,
    delivery_prefix,
    message_id,
    page_url,
    summary,
    worst_status,
)
from checkup.text import one_line
from checkup.times import format_iso_seconds

_PLACE: Final = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_TIMESTAMPS: Final = ("slot", "since", "opened")

_SAMPLE: Final = Notification(
    alerts=(
        Alert(
            id="a/open:down/1/0",
            checker="a",
            title='"A"',
            kind=AlertKind.OPEN,
            status=Status.DOWN,
            previous_status=Status.HEALTHY,
            slot=0,
            since=0,
            opened=0,
        ),
    )
)


def render_body(template: str, notification: Notification) -> bytes:
    """Return the body to send.

    Args:
        template: as configured; all values if empty.
    """
    values = _values(notification)
    if not template:
        return _json(values).encode()
    return _PLACE.sub(lambda found: _insert(values[found[1]]), template).encode()


@cache
def validate_template(template: str) -> None:
    """Raise ValueError, with the reason, if this template does not make JSON."""
    known = _values(_SAMPLE)
    unknown = [name for name in _PLACE.findall(template) if name not in known]
    if unknown:
        places = ", ".join(known)
        raise ValueError(f"template: unknown placeholder {{{{{unknown[0]}}}}}; available: {places}")
    try:
        json.loads(render_body(template, _SAMPLE))
    except ValueError:
        hint = "put strings in quotes; alerts, count, down, total and repeat without"
        raise ValueError(f"template: the result is not JSON; {hint}") from None


def _values(notification: Notification) -> dict[str, Any]:
    """Return the values of all placeholders, by name."""
    alerts, style = notification.alerts, PLAIN.adapt(notification)
    headline = delivery_prefix(notification) + summary(notification, style)
    return {
        "id": message_id(alerts),
        "headline": headline,
        "text": "\n".join([headline, "", *body_lines(alerts, style)]),
        "status": str(worst_status(alerts)),
        "page_url": page_url(notification),
        "repeat": notification.possible_duplicate,
        "count": len(alerts),
        "total": notification.checker_count,
        "down": notification.status_counts.get(Status.DOWN, 0),
        "alerts": [
            _alert(alert) | {"url": notification.links.get(alert.checker or alert.id, "")}
            for alert in alerts
        ],
    }


def _alert(alert: Alert) -> dict[str, Any]:
    """Return an alert with its timestamps in RFC 3339 and each string in one line."""
    found: dict[str, Any] = msgspec.to_builtins(alert)
    found |= {name: one_line(text) for name, text in found.items() if isinstance(text, str)}
    return found | {name: format_iso_seconds(found[name]) for name in _TIMESTAMPS}


def _insert(value: Any) -> str:
    return _json(value)[1:-1] if isinstance(value, str) else _json(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)
_VALUE: Final = re.compile(r"[\x20-\x7e]*")
_PREFIX: Final = "whsec_"
_UNREADABLE: Final = (400, 413, 415, 422)


class WebhookSettings(NotifierSettings, frozen=True, kw_only=True):
    """JSON to any URL."""

    kind: ClassVar[str] = "webhook"
    needs_fields: ClassVar[tuple[str, ...]] = ("url",)

    url: Annotated[
        Secret, Meta(description="The URL to send the JSON to.", extra={"url": True})
    ] = ""
    method: Annotated[Literal["POST", "PUT", "PATCH"], Meta(description="The HTTP method.")] = (
        "POST"
    )
    template: Annotated[
        str,
        Meta(
            description="The JSON to send, with {{headline}}, {{text}}, {{status}}, {{id}} and "
            "{{page_url}} inside strings and {{alerts}}, {{count}}, {{down}}, {{total}} and "
            "{{repeat}} as values; all of these if absent."
        ),
    ] = ""
    headers: Annotated[
        Headers, Meta(description="Further headers; a value may be a reference to a secret.")
    ] = field(default_factory=dict)
    secret: Annotated[
        Secret, Meta(description="Signs each request, so that the receiver can verify the sender.")
    ] = ""

    def find_errors(self) -> Iterator[SettingProblem]:
        """See :meth:`checkup.interfaces.kinds.Settings.find_errors`."""
        try:
            validate_template(self.template)
        except ValueError as error:
            yield SettingProblem("template", str(error))
        for name, values in self.headers.items():
            if not _NAME.fullmatch(name) or not all(map(_VALUE.fullmatch, values)):
                yield SettingProblem("headers", f"headers: {name!r} is not a valid header")

    def open(self, clients: Clients) -> WebhookNotifier:
        """Return the channel; its secrets are read again for each message."""
        return WebhookNotifier(self, clients)


class WebhookNotifier(Struct, frozen=True):
    """An address that takes JSON."""

    settings: WebhookSettings
    clients: Clients

    def send(self, notification: Notification) -> None:
        """Post one message, as :meth:`checkup.interfaces.Notifier.send` says."""
        url = notifier_secret(self.clients, self.settings.url, "no url is configured for webhook")
        body = render_body(self.settings.template, notification)
        headers = {
            "content-type": "application/json",
            "user-agent": "checkup",
            **dict(self._configured_headers()),
            **self._signature(message_id(notification.alerts), body),
        }
        response = self.clients.post(url, body, headers, method=self.settings.method)
        check_response(
            "the webhook",
            response,
            accepted=200 <= response.status < 300,  # noqa: PLR2004 - 2xx
            rejected_statuses=_UNREADABLE,
        )

    def _configured_headers(self) -> Iterable[tuple[str, str]]:
        for name, values in self.settings.headers.items():
            found = [
                notifier_secret(self.clients, value, f"header {name} is empty") for value in values
            ]
            if not all(map(_VALUE.fullmatch, found)):
                raise NotDeliveredError(f"header {name}: the secret has characters not allowed")
            yield name.lower(), ", ".join(found)

    def _signature(self, name: str, body: bytes) -> Mapping[str, str]:
        """Return the headers by which a receiver verifies the sender and drops duplicates.

        A message that is sent again because its delivery is unknown has the same id.
        """
        stamp = str(int(time.time()))
        found = {"webhook-id": f"msg_{name}", "webhook-timestamp": stamp}
        if not self.settings.secret:
            return found
        key = _key(notifier_secret(self.clients, self.settings.secret, "no secret"))
        signed = b".".join((found["webhook-id"].encode(), stamp.encode(), body))
        signature = b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        return {**found, "webhook-signature": f"v1,{signature}"}


def _key(text: str) -> bytes:
    """Return the key of a secret: base64 after ``whsec_``, else the bytes of the string."""
    if not text.startswith(_PREFIX):
        return text.encode()
    try:
        return b64decode(text.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        raise NotDeliveredError("webhook: the secret is not base64 after whsec_") from None
