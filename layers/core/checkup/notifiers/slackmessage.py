"""What Slack is told: short, for somebody who reads it on a phone at three in the morning. Pure.

The first line says what happened and how bad it is. Below it, each checker has what is needed to
decide whether to get up: what, since when, why, from where. Many at once become a list.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from checkup.model import SECOND, Alert, AlertKind, Status
from checkup.ports import Notification

DETAILED: Final = 5
"""Alerts that each have a block of their own; more than these are a list."""

LISTED: Final = 20
"""Alerts that are named at all."""

_TITLE, _LINE, _VALUE, _TEXT = 150, 300, 1000, 3000
"""Lengths in characters; Slack takes more, a phone does not show it."""

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_COLOURS = {Status.HEALTHY: "good", Status.UNKNOWN: "#888888"}
_STATES = (
    (Status.DOWN, "down"),
    (Status.DEGRADED, "degraded"),
    (Status.HEALTHY, "healthy again"),
    (Status.UNKNOWN, "no longer checked"),
)


def full_message(notification: Notification) -> dict[str, Any]:
    """Return the payload with coloured attachments, in the shape that the Go program sent."""
    alerts = notification.alerts
    if len(alerts) <= DETAILED:
        attachments = [_detail(alert) for alert in alerts]
    else:
        attachments = [_list(alerts)]
    return {"text": _text(notification), "attachments": attachments}


def plain_message(notification: Notification) -> dict[str, Any]:
    """Return the same as text alone."""
    lines = [_text(notification), *_lines(notification.alerts)]
    return {"text": _clipped("\n".join(lines), _TEXT)}


def _text(notification: Notification) -> str:
    label = "_Possible repeat:_ " if notification.repeat else ""
    return label + _headline(notification) + _link(notification.page_url)


def _headline(notification: Notification) -> str:
    """Say what is the case now; of a checker with several alerts the last one counts."""
    latest = list({alert.checker: alert for alert in notification.alerts}.values())
    if len(latest) == 1:
        return _line(latest[0])
    of = f" of {notification.total}" if notification.total else ""
    groups = [(words, [a for a in latest if a.status is status]) for status, words in _STATES]
    return "; ".join(f"{len(g)}{of} {words}: {_names(g)}" for words, g in groups if g)


def _names(alerts: Sequence[Alert]) -> str:
    names = [f"*{_escaped(alert.title, _TITLE)}*" for alert in alerts[:DETAILED]]
    more = len(alerts) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


def _line(alert: Alert) -> str:
    """Say in one line what happened to one checker."""
    name = f"*{_escaped(_name(alert), _TITLE)}*"
    if alert.status is Status.UNKNOWN:
        since = _moment(alert.opened, alert.slot)
        return f"{name} is no longer checked; it had been {alert.before} since {since}"
    since = _moment(alert.since, alert.slot)
    if alert.kind is AlertKind.RESOLVE:
        return f"{name} is healthy again since {since}, after {_length(alert)}"
    reason = f": {_escaped(alert.reason, _LINE)}" if alert.reason else ""
    return f"{name} is {_state(alert)} since {since}{reason}"


def _state(alert: Alert) -> str:
    if alert.kind is AlertKind.OPEN and alert.before is Status.UNKNOWN:
        return f"{alert.status}, never seen healthy,"
    if alert.before is Status.DOWN:
        return f"no longer down but {alert.status}"
    return str(alert.status)


def _detail(alert: Alert) -> dict[str, Any]:
    """Return one checker's attachment; its first two fields are those of the Go program."""
    fields = [
        _field(_name(alert), alert.endpoint),
        _field("Status", alert.status.upper()),
    ]
    if alert.reason:
        fields.append(_field("Why", alert.reason))
    fields.append(_field("Since", _date(alert.since), short=True))
    if alert.kind is not AlertKind.OPEN:
        fields.append(_field("Lasted" if _is_over(alert) else "So far", _length(alert), short=True))
    if alert.region:
        fields.append(_field("Seen from", alert.region, short=True))
    return {
        "color": _COLOURS.get(alert.status, "danger"),
        "fallback": _without_markup(_line(alert)),
        "fields": fields,
        "footer": f"alert {short_id(alert)}",
        "ts": alert.slot // SECOND,
    }


def _list(alerts: Sequence[Alert]) -> dict[str, Any]:
    worst = Status.worst(alert.status for alert in alerts)
    text = "\n".join(_lines(alerts))
    return {
        "color": _COLOURS.get(worst, "danger"),
        "fallback": _without_markup(text),
        "text": text,
        "mrkdwn_in": ["text"],
    }


def _lines(alerts: Sequence[Alert]) -> list[str]:
    lines = [f"• {_line(alert)} ({short_id(alert)})" for alert in alerts[:LISTED]]
    more = len(alerts) - LISTED
    return [*lines, f"… and {more} more"] if more > 0 else lines


def short_id(alert: Alert) -> str:
    """Return eight characters by which two messages can be told to be about the same alert."""
    return hashlib.sha256(alert.id.encode()).hexdigest()[:8]


def _field(title: str, value: str, *, short: bool = False) -> dict[str, Any]:
    return {"title": _escaped(title, _TITLE), "value": _escaped(value, _VALUE), "short": short}


def _name(alert: Alert) -> str:
    return alert.title or alert.checker


def _is_over(alert: Alert) -> bool:
    return alert.kind is AlertKind.RESOLVE


def _length(alert: Alert) -> str:
    """Return how long the incident has lasted, in the two largest units."""
    seconds = max(0, alert.since - alert.opened) // SECOND
    if seconds < _MINUTE:
        return f"{seconds} s"
    counts = (
        (seconds // _DAY, "d"),
        (seconds % _DAY // _HOUR, "h"),
        (seconds % _HOUR // _MINUTE, "min"),
    )
    return " ".join([f"{count} {unit}" for count, unit in counts if count][:2])


def _moment(moment: int, now: int) -> str:
    """Return the time of day, with its date if that is another day than ``now``."""
    there, here = _utc(moment), _utc(now)
    day = "" if there.date() == here.date() else f"{there.day} {there:%b} "
    return f"{day}{there:%H:%M} UTC"


def _date(moment: int) -> str:
    return f"{_utc(moment):%Y-%m-%d %H:%M} UTC"


def _utc(moment: int) -> datetime:
    return datetime.fromtimestamp(moment // SECOND, UTC)


def _link(page_url: str) -> str:
    if not page_url.startswith(("http://", "https://")):
        return ""
    safe = re.sub(r"[\s<>|]", lambda found: quote(found[0]), page_url)
    return f" (<{safe}|status page>)"


def _escaped(text: str, limit: int) -> str:
    """Make outside text harmless: one line, nothing invisible, no markup of Slack's, not long.

    See https://api.slack.com/reference/surfaces/formatting#escaping.
    """
    line = "".join(character for character in " ".join(text.split()) if character.isprintable())
    return _clipped(html.escape(line, quote=False), limit)


def _without_markup(text: str) -> str:
    """Return a text for the notification of a phone, which shows asterisks as they are."""
    return _clipped(text.replace("*", ""), _VALUE)


def _clipped(text: str, limit: int) -> str:
    """Cut after ``limit`` characters, but not inside ``&amp;``."""
    if len(text) <= limit:
        return text
    return re.sub(r"&[a-z]{0,3}$", "", text[: limit - 1]) + "…"
