"""The JSON of a webhook: ours, or a template with placeholders. Pure.

A placeholder inside quotation marks stands for a text and is escaped for that place; any other
stands for a JSON value. So whatever a title or an error says, the JSON stays what was meant.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any, Final

import msgspec

from checkup.model import Alert, AlertKind, Status
from checkup.notifiers import wording
from checkup.notifiers.moments import rfc3339
from checkup.notifiers.voice import one_line
from checkup.ports import Notification

_PLACE: Final = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_MOMENTS: Final = ("slot", "since", "opened")
_SAMPLE: Final = Notification(
    alerts=(
        Alert(
            id="a/open:down/1/0",
            checker="a",
            title='"A"',
            kind=AlertKind.OPEN,
            status=Status.DOWN,
            before=Status.HEALTHY,
            slot=0,
            since=0,
            opened=0,
        ),
    )
)


def render_body(template: str, notification: Notification) -> bytes:
    """Return the body to send.

    Args:
        template: as configured; everything there is to know if empty.
    """
    values = _values(notification)
    if not template:
        return _json(values).encode()
    return _PLACE.sub(lambda found: _insert(values[found[1]]), template).encode()


@cache
def validate_template(template: str) -> None:
    """Raise ValueError, with what is wrong, if no JSON can be made with this template."""
    known = _values(_SAMPLE)
    unknown = [name for name in _PLACE.findall(template) if name not in known]
    if unknown:
        places = ", ".join(known)
        raise ValueError(f"template: there is no {{{{{unknown[0]}}}}}; there are {places}")
    try:
        json.loads(render_body(template, _SAMPLE))
    except ValueError:
        hint = "put texts in quotation marks, and alerts, count, total and repeat in none"
        raise ValueError(f"template: does not lead to JSON; {hint}") from None


def _values(notification: Notification) -> dict[str, Any]:
    """Return all that a receiver can know, by the names of the placeholders."""
    alerts = notification.alerts
    label = wording.delivery_prefix(notification)
    headline = label + wording.headline(notification)
    return {
        "id": wording.message_id(alerts),
        "headline": headline,
        "text": "\n".join([headline, "", *wording.body_lines(alerts)]),
        "status": str(wording.worst_status(alerts)),
        "page_url": wording.page_url(notification),
        "repeat": notification.repeat,
        "count": len(alerts),
        "total": notification.total,
        "alerts": [_alert(alert) for alert in alerts],
    }


def _alert(alert: Alert) -> dict[str, Any]:
    """Return an alert with its moments in RFC 3339 and its texts in one line each."""
    found: dict[str, Any] = msgspec.to_builtins(alert)
    found |= {name: one_line(text) for name, text in found.items() if isinstance(text, str)}
    return found | {name: rfc3339(found[name]) for name in _MOMENTS}


def _insert(value: Any) -> str:  # noqa: ANN401 - any JSON
    return _json(value)[1:-1] if isinstance(value, str) else _json(value)


def _json(value: Any) -> str:  # noqa: ANN401 - any JSON
    return json.dumps(value, ensure_ascii=False)
