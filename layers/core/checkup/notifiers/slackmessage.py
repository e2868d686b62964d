"""What Slack is told, in the shape that the Go program gave it. Pure."""

from __future__ import annotations

import html
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from checkup.model import SECOND, Alert, Status
from checkup.notifiers import wording
from checkup.notifiers.voice import ChannelFormat
from checkup.notifiers.wording import MAX_DETAILED, Fact
from checkup.ports import Notification

_VOICE: Final = ChannelFormat(escape=partial(html.escape, quote=False), strong=("*", "*"))
"""See https://api.slack.com/reference/surfaces/formatting#escaping."""

_QUIET: Final = ChannelFormat(escape=_VOICE.escape)
"""For the notification on a phone, which shows asterisks as they are."""

_TITLE, _VALUE, _FALLBACK, _TEXT = 150, 1000, 1000, 3000
"""Lengths in characters; Slack takes more, a phone does not show it."""

_COLOURS: Final = {Status.HEALTHY: "good", Status.UNKNOWN: "#888888"}


def full_message(notification: Notification) -> dict[str, Any]:
    """Return the payload with coloured attachments."""
    alerts = notification.alerts
    if len(alerts) <= MAX_DETAILED:
        attachments = [_detail(alert) for alert in alerts]
    else:
        attachments = [_list(alerts)]
    return {"text": _text(notification), "attachments": attachments}


def plain_message(notification: Notification) -> dict[str, Any]:
    """Return the same as text alone."""
    lines = [_text(notification), *wording.alert_list(notification.alerts, _VOICE, _TEXT)]
    return {"text": "\n".join(lines)}


def _text(notification: Notification) -> str:
    label = wording.delivery_prefix(notification, "_", "_")
    url = wording.page_url(notification)
    link = f" (<{url}|status page>)" if url else ""
    return label + wording.headline(notification, _VOICE) + link


def _detail(alert: Alert) -> dict[str, Any]:
    """Return one checker's attachment; its first two fields are those of the Go program."""
    facts = [Fact(wording.title(alert), alert.endpoint)]
    if alert.checker:
        facts.append(Fact("Status", alert.status.upper()))
    facts += wording.facts(alert)
    return {
        "color": _COLOURS.get(alert.status, "danger"),
        "fallback": wording.alert_line(alert, _QUIET),
        "fields": [_field(fact) for fact in facts],
        "footer": f"alert {wording.short_id(alert)}",
        "ts": alert.slot // SECOND,
    }


def _list(alerts: Sequence[Alert]) -> dict[str, Any]:
    return {
        "color": _COLOURS.get(wording.worst_status(alerts), "danger"),
        "fallback": "\n".join(wording.alert_list(alerts, _QUIET, _FALLBACK)),
        "text": "\n".join(wording.alert_list(alerts, _VOICE)),
        "mrkdwn_in": ["text"],
    }


def _field(fact: Fact) -> dict[str, Any]:
    return {
        "title": _VOICE.outside(fact.name, _TITLE),
        "value": _VOICE.outside(fact.value, _VALUE),
        "short": fact.short,
    }
