"""What Discord is told, in the shape that the Go program gave it. Pure.

Discord refuses a whole message for one text that is too long, or empty where it must not be:
https://discord.com/developers/docs/resources/message#embed-object-embed-limits. It counts UTF-16
units, so most emojis are two.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from checkup.model import Alert, Status
from checkup.notifiers import wording
from checkup.notifiers.voice import ChannelFormat
from checkup.notifiers.wording import MAX_DETAILED, Fact
from checkup.ports import Notification

_MARKUP: Final = frozenset("\\*_~`|<>[](){}#-+=.:@!&/")
"""What Discord's Markdown, its mentions, its emojis and its links are made of."""

_VALUE, _LIST = 250, 3500
"""Lengths of a field's value and of a list; five embeds together stay below 6,000."""

_COLOURS: Final = {Status.HEALTHY: 0x2E7D32, Status.UNKNOWN: 0x888888}
_RED: Final = 0xC21408
"""The Go program's."""


def _escape(character: str) -> str:
    return f"\\{character}" if character in _MARKUP else character


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


_VOICE: Final = ChannelFormat(escape=_escape, strong=("**", "**"), size=_units)


def message(notification: Notification) -> dict[str, Any]:
    """Return the payload; nothing in it can call anybody."""
    alerts = notification.alerts
    label = wording.delivery_prefix(notification, "_", "_")
    embeds = [_detail(a) for a in alerts] if len(alerts) <= MAX_DETAILED else [_list(alerts)]
    url = wording.page_url(notification)
    if url:
        embeds[0] |= {"title": "Status page", "url": url}
    return {
        "username": "Checkup",
        "content": label + wording.headline(notification, _VOICE),
        "embeds": embeds,
        "allowed_mentions": {"parse": []},
    }


def _detail(alert: Alert) -> dict[str, Any]:
    """Return one checker's embed; its first three fields are those of the Go program."""
    fields = [
        _field(Fact("Name", wording.title(alert), short=True)),
        {"name": "Status", "value": f"**{alert.status.upper()}**", "inline": True},
        _field(Fact("Endpoint", alert.endpoint, short=True)),
        *map(_field, wording.facts(alert)),
    ]
    return {
        "color": _COLOURS.get(alert.status, _RED),
        "fields": fields,
        "footer": {"text": f"alert {wording.short_id(alert)}"},
    }


def _list(alerts: Sequence[Alert]) -> dict[str, Any]:
    return {
        "color": _COLOURS.get(wording.worst_status(alerts), _RED),
        "description": "\n".join(wording.alert_list(alerts, _VOICE, _LIST)),
    }


def _field(fact: Fact) -> dict[str, Any]:
    return {
        "name": fact.name,
        "value": _VOICE.outside(fact.value, _VALUE) or "-",
        "inline": fact.short,
    }
