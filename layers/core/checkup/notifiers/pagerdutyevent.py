"""What PagerDuty is told of an alert. Pure.

The format is https://support.pagerduty.com/main/docs/pd-cef, its limits those of
https://developer.pagerduty.com/docs/send-alert-event.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any, Final

from checkup.model import SECOND, Alert, AlertKind, Status
from checkup.notifiers import wording
from checkup.notifiers.voice import PLAIN
from checkup.ports import Notification

_KEY, _SUMMARY, _SOURCE = 255, 1024, 255
_SEVERITIES: Final = {Status.DOWN: "critical", Status.DEGRADED: "warning"}


def events(notification: Notification) -> dict[str, list[dict[str, Any]]]:
    """Return the events of each incident in order, by its key, without the routing key."""
    found: dict[str, list[dict[str, Any]]] = {}
    url = wording.page(notification)
    for alert in notification.alerts:
        key = _key(alert)
        event = _resolve() if alert.kind is AlertKind.RESOLVE else _trigger(alert, url)
        found.setdefault(key, []).append({**event, "dedup_key": key})
    return found


def _key(alert: Alert) -> str:
    """Return what all alerts of one incident and no others share."""
    key = f"checkup/{wording.incident(alert)}"
    if len(key) <= _KEY and key.isascii():
        return key
    return f"checkup/{hashlib.sha256(key.encode()).hexdigest()}"


def _resolve() -> dict[str, Any]:
    return {"event_action": "resolve"}


def _trigger(alert: Alert, url: str) -> dict[str, Any]:
    payload = {
        "summary": PLAIN.outside(wording.line(alert), _SUMMARY),
        "source": PLAIN.outside(alert.endpoint or wording.title(alert), _SOURCE),
        "severity": _SEVERITIES.get(alert.status, "error"),
        "timestamp": datetime.fromtimestamp(alert.since // SECOND, UTC).isoformat(),
        "component": PLAIN.outside(wording.title(alert), _SOURCE),
        "custom_details": {
            fact.name: PLAIN.outside(fact.value, _SUMMARY) for fact in wording.facts(alert)
        },
    }
    if alert.failure:
        payload["class"] = PLAIN.outside(alert.failure, _SOURCE)
    event = {"event_action": "trigger", "payload": payload, "client": "Checkup"}
    return {**event, "client_url": url} if url else event
