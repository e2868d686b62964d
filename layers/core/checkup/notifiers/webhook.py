"""Any service that takes JSON by HTTP, signed as Standard Webhooks says.

See https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import re
import time
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from typing import Annotated, ClassVar, Final, Literal

from msgspec import Meta, Struct, field

from checkup.errors import NotDeliveredError
from checkup.notifiers import webhookbody, wording
from checkup.notifiers.answers import check_response, notifier_secret
from checkup.options import Headers, Secret
from checkup.ports import Clients, HttpResponse, Notification, NotifierSettings

_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)
_VALUE: Final = re.compile(r"[\x20-\x7e]*")
_PREFIX: Final = "whsec_"
_UNREADABLE: Final = (400, 413, 415, 422)


class WebhookSettings(NotifierSettings, frozen=True, kw_only=True):
    """JSON to any address."""

    kind: ClassVar[str] = "webhook"

    url: Annotated[Secret, Meta(description="Where to send the JSON.")] = ""
    method: Annotated[Literal["POST", "PUT", "PATCH"], Meta(description="How to send it.")] = "POST"
    template: Annotated[
        str,
        Meta(
            description="The JSON to send, with {{headline}}, {{text}}, {{status}}, {{id}} and "
            "{{page_url}} inside its texts and {{alerts}}, {{count}}, {{total}} and {{repeat}} "
            "as its values; all of these if absent."
        ),
    ] = ""
    headers: Annotated[
        Headers, Meta(description="Further headers; a value may be a reference to a secret.")
    ] = field(default_factory=dict)
    secret: Annotated[
        Secret, Meta(description="Signs each request, so that the receiver knows who it is from.")
    ] = ""

    def __post_init__(self) -> None:
        webhookbody.validate_template(self.template)
        for name, values in self.headers.items():
            if not _NAME.fullmatch(name) or not all(map(_VALUE.fullmatch, values)):
                raise ValueError(f"headers: {name!r} is not a header that can be sent")

    def open(self, clients: Clients) -> WebhookNotifier:
        """Return the channel; its secrets are looked up for each message anew."""
        return WebhookNotifier(self, clients)


class WebhookNotifier(Struct, frozen=True):
    """An address that takes JSON."""

    settings: WebhookSettings
    clients: Clients

    def send(self, notification: Notification) -> None:
        """Post one message, as :meth:`checkup.ports.Notifier.send` says."""
        url = notifier_secret(self.clients, self.settings.url, "no url is configured for webhook")
        body = webhookbody.render_body(self.settings.template, notification)
        headers = {
            "content-type": "application/json",
            "user-agent": "checkup",
            **dict(self._configured_headers()),
            **self._signature(wording.message_id(notification.alerts), body),
        }
        _judge(self.clients.post(url, body, headers, method=self.settings.method))

    def _configured_headers(self) -> Iterable[tuple[str, str]]:
        for name, values in self.settings.headers.items():
            found = [
                notifier_secret(self.clients, value, f"header {name} is empty") for value in values
            ]
            if not all(map(_VALUE.fullmatch, found)):
                raise NotDeliveredError(
                    f"header {name}: what its reference leads to cannot be sent"
                )
            yield name.lower(), ", ".join(found)

    def _signature(self, name: str, body: bytes) -> Mapping[str, str]:
        """Return the headers by which a receiver knows the sender and drops what it has seen.

        A message that is sent again because its fate is not known has the same id.
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
    """Return the key of a secret: what follows ``whsec_`` is base64, anything else is a text."""
    if not text.startswith(_PREFIX):
        return text.encode()
    try:
        return b64decode(text.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        raise NotDeliveredError(
            "webhook: what follows whsec_ in the secret is not base64"
        ) from None


def _judge(answer: HttpResponse) -> None:
    """Return if the receiver took the message: any 2xx."""
    check_response(
        "the webhook",
        answer,
        accepted=200 <= answer.status < 300,  # noqa: PLR2004 - 2xx
        unreadable=_UNREADABLE,
    )
