"""Discord, by webhook (https://discord.com/developers/docs/resources/webhook#execute-webhook).

The messages have the shape that the Go program gave them. Discord refuses a whole message for one
text that is too long, or empty where it must not be
(https://discord.com/developers/docs/resources/message#embed-object-embed-limits). It counts UTF-16
units, so most emojis are two.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any, ClassVar, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from msgspec import Meta, Struct

from checkup.interfaces import Clients, HttpResponse, Notification, NotifierSettings
from checkup.interfaces.kinds import Secret
from checkup.model import Alert, Status
from checkup.notifiers.base import check_response, json_object, notifier_secret
from checkup.notifiers.message import (
    MAX_DETAILED,
    ChannelFormat,
    Fact,
    alert_list,
    delivery_prefix,
    facts,
    page_url,
    short_id,
    summary,
    title,
    worst_status,
)

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


_FORMAT: Final = ChannelFormat(escape=_escape, bold=("**", "**"), length=_units)


def message(notification: Notification) -> dict[str, Any]:
    """Return the payload; nothing in it can mention anybody."""
    alerts = notification.alerts
    label = delivery_prefix(notification, "_", "_")
    embeds = [_detail(a) for a in alerts] if len(alerts) <= MAX_DETAILED else [_list(alerts)]
    url = page_url(notification)
    if url:
        embeds[0] |= {"title": "Status page", "url": url}
    return {
        "username": "Checkup",
        "content": label + summary(notification, _FORMAT),
        "embeds": embeds,
        "allowed_mentions": {"parse": []},
    }


def _detail(alert: Alert) -> dict[str, Any]:
    """Return one checker's embed; its first three fields are those of the Go program."""
    fields = [
        _field(Fact("Name", title(alert), short=True)),
        {"name": "Status", "value": f"**{alert.status.upper()}**", "inline": True},
        _field(Fact("Endpoint", alert.endpoint, short=True)),
        *map(_field, facts(alert)),
    ]
    return {
        "color": _COLOURS.get(alert.status, _RED),
        "fields": fields,
        "footer": {"text": f"alert {short_id(alert)}"},
    }


def _list(alerts: Sequence[Alert]) -> dict[str, Any]:
    return {
        "color": _COLOURS.get(worst_status(alerts), _RED),
        "description": "\n".join(alert_list(alerts, _FORMAT, _LIST)),
    }


def _field(fact: Fact) -> dict[str, Any]:
    return {
        "name": fact.name,
        "value": _FORMAT.escape_text(fact.value, _VALUE) or "-",
        "inline": fact.short,
    }


_HEADERS = {"content-type": "application/json", "user-agent": "checkup"}


class DiscordSettings(NotifierSettings, frozen=True, kw_only=True):
    """Messages into a Discord channel."""

    kind: ClassVar[str] = "discord"

    webhook: Annotated[Secret, Meta(description="The URL of the webhook.")] = ""

    def open(self, clients: Clients) -> DiscordNotifier:
        """Return the channel; its webhook is read again for each message."""
        return DiscordNotifier(self, clients)


class DiscordNotifier(Struct, frozen=True):
    """A Discord channel behind a webhook."""

    settings: DiscordSettings
    clients: Clients

    def send(self, notification: Notification) -> None:
        """Post one message, as :meth:`checkup.interfaces.Notifier.send` says."""
        webhook = notifier_secret(
            self.clients, self.settings.webhook, "no webhook is configured for discord"
        )
        body = json.dumps(message(notification)).encode()
        _check(self.clients.post(_waiting(webhook), body, _HEADERS))


def _waiting(webhook: str) -> str:
    """Ask Discord to respond when the message is there; else it accepts one that it loses."""
    try:
        address = urlsplit(webhook)
    except ValueError:
        return webhook  # refused when it is used
    query = [pair for pair in parse_qsl(address.query) if pair[0] != "wait"]
    return address._replace(query=urlencode([*query, ("wait", "true")])).geturl()


def _check(answer: HttpResponse) -> None:
    """Accept 200 with the message, or 204 as without ``wait``.

    400 is a message that it cannot read; 401, 403 and 404 say that the webhook is gone, and 429
    that messages come too fast (https://discord.com/developers/docs/topics/opcodes-and-status-codes).
    """
    number = json_object(answer).get("code")
    check_response(
        "Discord",
        answer,
        accepted=answer.status in {HTTPStatus.OK, HTTPStatus.NO_CONTENT},
        error_code=str(number) if isinstance(number, int) and number else "",
    )
