"""PagerDuty, by its Events API v2 (https://developer.pagerduty.com/docs/events-api-v2-overview).

PagerDuty takes one event per request and identifies incidents by a key, so an event that arrives
twice changes nothing and needs no label. The format is https://support.pagerduty.com/main/docs/pd-cef,
its limits are those of https://developer.pagerduty.com/docs/send-alert-event.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Annotated, Any, ClassVar, Final, Literal

from msgspec import Meta, Struct

from checkup.errors import (
    DeliveryError,
    DeliveryUnknownError,
    MessageRejectedError,
    NotDeliveredError,
)
from checkup.interfaces import Clients, HttpResponse, Notification, NotifierSettings
from checkup.interfaces.kinds import Secret
from checkup.model import Alert, AlertKind, Status
from checkup.notifiers.base import check_response, json_object, notifier_secret
from checkup.notifiers.message import (
    PLAIN,
    ChannelFormat,
    Fact,
    facts,
    headline,
    incident_key,
    page_url,
    title,
)
from checkup.times import format_iso_seconds

_KEY, _SUMMARY, _TEXT = 255, 1024, 255
_SEVERITIES: Final = {Status.DOWN: "critical", Status.DEGRADED: "warning"}
_ENDS: Final = {AlertKind.RESOLVE, AlertKind.FLAPPING_ENDED, AlertKind.MONITORED_AGAIN}

_APART: Final = {
    AlertKind.FLAPPING: "flapping",
    AlertKind.FLAPPING_ENDED: "flapping",
    AlertKind.NOT_MONITORED: "blind",
    AlertKind.MONITORED_AGAIN: "blind",
}
"""Kinds with an incident apart from the outage of the same checker; PagerDuty stores the keys."""


class PagerdutyEvent(Struct, frozen=True):
    """One request: the path of the interface, and its JSON without the routing key."""

    path: str
    body: Mapping[str, Any]


def incident_events(notification: Notification) -> dict[str, list[PagerdutyEvent]]:
    """Return the events of each incident in order, by its key.

    An alert about the monitor itself begins nothing that could end, so it is a change event:
    those are shown beside incidents and page nobody.
    """
    found: dict[str, list[PagerdutyEvent]] = {}
    page, style = page_url(notification), PLAIN.adapt(notification)
    for alert in notification.alerts:
        key = _key(alert)
        url = notification.links.get(alert.checker or alert.id) or page
        found.setdefault(key, []).append(_event(alert, key, url, style))
    return found


def _event(alert: Alert, key: str, url: str, style: ChannelFormat) -> PagerdutyEvent:
    if not alert.checker:
        return PagerdutyEvent("/v2/change/enqueue", {"payload": _payload(alert, style)})
    about = {"dedup_key": key, "client": "Checkup", **({"client_url": url} if url else {})}
    if alert.kind in _ENDS:
        return PagerdutyEvent("/v2/enqueue", {"event_action": "resolve", **about})
    return PagerdutyEvent(
        "/v2/enqueue", {"event_action": "trigger", **about, "payload": _alert_payload(alert, style)}
    )


def _key(alert: Alert) -> str:
    """Return what all alerts of one incident and no others share."""
    apart = _APART.get(alert.kind)
    key = f"checkup/{alert.checker}/{apart}" if apart else f"checkup/{incident_key(alert)}"
    if len(key) <= _KEY and key.isascii():
        return key
    return f"checkup/{hashlib.sha256(key.encode()).hexdigest()}"


def _payload(alert: Alert, style: ChannelFormat) -> dict[str, Any]:
    return {
        "summary": PLAIN.escape_text(headline(alert, style), _SUMMARY),
        "source": PLAIN.escape_text(alert.endpoint or title(alert), _TEXT),
        "timestamp": format_iso_seconds(alert.since),
        "custom_details": {
            _detail_key(fact, alert): fact.text(style, _SUMMARY) for fact in facts(alert)
        },
    }


def _detail_key(fact: Fact, alert: Alert) -> str:
    """Return the key of a detail. Event rules may match on it, so it stays when a label changes."""
    match fact.name:
        case "Affected":
            return "Explains"
        case "Region":
            return "Seen from"
        case "Duration":
            return "Lasted" if alert.kind is AlertKind.MISSED_RUNS else "So far"
    return fact.name


def _alert_payload(alert: Alert, style: ChannelFormat) -> dict[str, Any]:
    payload = _payload(alert, style) | {
        "severity": _SEVERITIES.get(alert.status, "warning"),
        "component": PLAIN.escape_text(title(alert), _TEXT),
    }
    return payload | ({"class": alert.failure[:_TEXT]} if alert.failure else {})


_BASES: Final = {
    "us": "https://events.pagerduty.com",
    "eu": "https://events.eu.pagerduty.com",
}

_HEADERS: Final = {"content-type": "application/json", "user-agent": "checkup"}
_AT_ONCE: Final = 10
_WORST_FIRST: Final = (DeliveryUnknownError, NotDeliveredError, MessageRejectedError)


class PagerdutySettings(NotifierSettings, frozen=True, kw_only=True):
    """Incidents in a service of PagerDuty, which are resolved when they end here."""

    kind: ClassVar[str] = "pagerduty"
    needs_fields: ClassVar[tuple[str, ...]] = ("routing_key",)
    max_alerts: ClassVar[int] = 20

    routing_key: Annotated[
        Secret, Meta(description="The integration key of the service, for Events API v2.")
    ] = ""
    region: Annotated[
        Literal["us", "eu"], Meta(description="The service region of the account.")
    ] = "us"

    def open(self, clients: Clients) -> PagerdutyNotifier:
        """Return the channel; its key is read again for each message."""
        return PagerdutyNotifier(self, clients)


class PagerdutyNotifier(Struct, frozen=True):
    """A service of PagerDuty."""

    settings: PagerdutySettings
    clients: Clients

    def send(self, notification: Notification) -> None:
        """Send one event per alert, as :meth:`checkup.interfaces.Notifier.send` says.

        Those of one incident go in order, and incidents at the same time. If any failed, the
        whole message counts as that, for the events that arrived are harmless a second time.
        """
        key = notifier_secret(
            self.clients, self.settings.routing_key, "no routing_key is configured for pagerduty"
        )
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            incidents = incident_events(notification).values()
            found = list(pool.map(lambda incident: self._send(key, incident), incidents))
        wait = max((error.retry_after for error in found if error), default=0.0)
        for kind in _WORST_FIRST:
            for error in found:
                if isinstance(error, kind):
                    error.retry_after = wait
                    raise error

    def _send(self, key: str, incident: Sequence[PagerdutyEvent]) -> DeliveryError | None:
        try:
            for event in incident:
                body = json.dumps({"routing_key": key, **event.body}).encode()
                url = _BASES[self.settings.region] + event.path
                _check(self.clients.post(url, body, _HEADERS))
        except DeliveryError as error:
            return error
        return None


def _check(answer: HttpResponse) -> None:
    """Accept 202.

    400 is an event that it cannot read, or an invalid key, which can be put right; 403 an
    integration that is gone; 429 too many events, of which it takes about 120 a minute
    (https://developer.pagerduty.com/docs/events-api-v2-overview#response-codes--retry-logic).
    """
    about_key = "routing_key" in str(json_object(answer).get("errors", ""))
    check_response(
        "PagerDuty",
        answer,
        accepted=answer.status == HTTPStatus.ACCEPTED,
        rejected_statuses=() if about_key else (400, 413),
        error_code="routing_key" if about_key else "",
    )
