"""PagerDuty, by its Events API v2 (https://developer.pagerduty.com/docs/events-api-v2-overview).

PagerDuty takes one event per request and knows incidents by a key, so an event that arrives
twice changes nothing: here a repeat needs no label.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Annotated, ClassVar, Final, Literal

from msgspec import Meta, Struct

from checkup.errors import (
    DeliveryError,
    DeliveryUnknownError,
    MessageRejectedError,
    NotDeliveredError,
)
from checkup.notifiers.answers import check_response, json_object, notifier_secret
from checkup.notifiers.pagerdutyevent import PagerdutyEvent, incident_events
from checkup.options import Secret
from checkup.ports import Clients, HttpResponse, Notification, NotifierSettings

_BASES: Final = {
    "us": "https://events.pagerduty.com",
    "eu": "https://events.eu.pagerduty.com",
}
_HEADERS: Final = {"content-type": "application/json", "user-agent": "checkup"}
_AT_ONCE: Final = 10
_WORST_FIRST: Final = (DeliveryUnknownError, NotDeliveredError, MessageRejectedError)


class PagerdutySettings(NotifierSettings, frozen=True, kw_only=True):
    """Incidents in a service of PagerDuty, which are resolved there when they are over here."""

    kind: ClassVar[str] = "pagerduty"
    most: ClassVar[int] = 20

    routing_key: Annotated[
        Secret, Meta(description="The integration key of the service, for Events API v2.")
    ] = ""
    region: Annotated[
        Literal["us", "eu"], Meta(description="Where PagerDuty keeps the account.")
    ] = "us"

    def open(self, clients: Clients) -> PagerdutyNotifier:
        """Return the channel; its key is looked up for each message anew."""
        return PagerdutyNotifier(self, clients)


class PagerdutyNotifier(Struct, frozen=True):
    """A service of PagerDuty."""

    settings: PagerdutySettings
    clients: Clients

    def send(self, notification: Notification) -> None:
        """Send one event per alert, as :meth:`checkup.ports.Notifier.send` says.

        Those of one incident go in order, and incidents at the same time. If any failed, the
        whole message counts as that, for the events that arrived are harmless a second time.
        """
        key = notifier_secret(
            self.clients, self.settings.routing_key, "no routing_key is configured for pagerduty"
        )
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            incidents = incident_events(notification).values()
            found = list(pool.map(lambda incident: self._send(key, incident), incidents))
        for kind in _WORST_FIRST:
            for error in found:
                if isinstance(error, kind):
                    raise error

    def _send(self, key: str, incident: Sequence[PagerdutyEvent]) -> DeliveryError | None:
        try:
            for event in incident:
                body = json.dumps({"routing_key": key, **event.body}).encode()
                url = _BASES[self.settings.region] + event.path
                _judge(self.clients.post(url, body, _HEADERS))
        except DeliveryError as error:
            return error
        return None


def _judge(answer: HttpResponse) -> None:
    """Return if PagerDuty has taken the event: 202.

    400 is an event that it cannot read, or a key that is none, which can be put right; 403 an
    integration that is gone; 429 too many events, of which it takes about 120 a minute
    (https://developer.pagerduty.com/docs/events-api-v2-overview#response-codes--retry-logic).
    """
    about_key = "routing_key" in str(json_object(answer).get("errors", ""))
    check_response(
        "PagerDuty",
        answer,
        accepted=answer.status == HTTPStatus.ACCEPTED,
        unreadable=() if about_key else (400, 413),
        said="routing_key" if about_key else "",
    )
