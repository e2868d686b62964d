"""What PagerDuty is told of an alert. Pure.

The format is https://support.pagerduty.com/main/docs/pd-cef, its limits those of
https://developer.pagerduty.com/docs/send-alert-event.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from checkup.model import Alert, AlertKind, Status
from checkup.notifiers import wording
from checkup.notifiers.moments import rfc3339
from checkup.notifiers.voice import PLAIN
from checkup.ports import Notification

_KEY, _SUMMARY, _TEXT = 255, 1024, 255
_SEVERITIES: Final = {Status.DOWN: "critical", Status.DEGRADED: "warning"}

_ENDS: Final = {AlertKind.RESOLVE, AlertKind.SETTLED, AlertKind.SIGHTED}
_APART: Final = {
    AlertKind.FLAPPING: "flapping",
    AlertKind.SETTLED: "flapping",
    AlertKind.BLIND: "blind",
    AlertKind.SIGHTED: "blind",
}
"""What is an incident of its own there, beside the outage of the same checker."""


class PagerdutyEvent(Struct, frozen=True):
    """One request: to which of the two interfaces, and its JSON but for the routing key."""

    path: str
    body: Mapping[str, Any]


def incident_events(notification: Notification) -> dict[str, list[PagerdutyEvent]]:
    """Return the events of each incident in order, by its key.

    What is about the monitor itself begins nothing that could end, so it is a change event:
    those are shown beside incidents and call nobody.
    """
    found: dict[str, list[PagerdutyEvent]] = {}
    url = wording.page_url(notification)
    for alert in notification.alerts:
        key = _key(alert)
        found.setdefault(key, []).append(_event(alert, key, url))
    return found


def _event(alert: Alert, key: str, url: str) -> PagerdutyEvent:
    if not alert.checker:
        return PagerdutyEvent("/v2/change/enqueue", {"payload": _payload(alert)})
    about = {"dedup_key": key, "client": "Checkup", **({"client_url": url} if url else {})}
    if alert.kind in _ENDS:
        return PagerdutyEvent("/v2/enqueue", {"event_action": "resolve", **about})
    return PagerdutyEvent(
        "/v2/enqueue", {"event_action": "trigger", **about, "payload": _alert_payload(alert)}
    )


def _key(alert: Alert) -> str:
    """Return what all alerts of one incident and no others share."""
    apart = _APART.get(alert.kind)
    key = f"checkup/{alert.checker}/{apart}" if apart else f"checkup/{wording.incident_key(alert)}"
    if len(key) <= _KEY and key.isascii():
        return key
    return f"checkup/{hashlib.sha256(key.encode()).hexdigest()}"


def _payload(alert: Alert) -> dict[str, Any]:
    return {
        "summary": PLAIN.outside(wording.alert_line(alert), _SUMMARY),
        "source": PLAIN.outside(alert.endpoint or wording.title(alert), _TEXT),
        "timestamp": rfc3339(alert.since),
        "custom_details": {
            fact.name: PLAIN.outside(fact.value, _SUMMARY) for fact in wording.facts(alert)
        },
    }


def _alert_payload(alert: Alert) -> dict[str, Any]:
    payload = _payload(alert) | {
        "severity": _SEVERITIES.get(alert.status, "warning"),
        "component": PLAIN.outside(wording.title(alert), _TEXT),
    }
    return payload | ({"class": alert.failure[:_TEXT]} if alert.failure else {})
