"""Discord, by webhook (https://discord.com/developers/docs/resources/webhook#execute-webhook).

The messages have the shape that the Go program gave them. Discord refuses a whole message for one
text that is too long, or empty where it must not be
(https://discord.com/developers/docs/resources/message#embed-object-embed-limits). It counts UTF-16
units, so most emojis are two.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any, ClassVar, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from msgspec import Meta, Struct, field

from checkup.interfaces import Clients, HttpResponse, Notification, NotifierSettings
from checkup.interfaces.kinds import Mentions, Secret, SettingProblem
from checkup.model import Alert, Status
from checkup.notifiers.base import check_response, json_object, notifier_secret
from checkup.notifiers.message import (
    MAX_DETAILED,
    Card,
    ChannelFormat,
    Fact,
    alert_list,
    cards,
    delivery_prefix,
    facts,
    mentioned,
    page_url,
    summary,
    title,
    worst_status,
)
from checkup.times import SECOND

_MARKUP: Final = frozenset("\\*_~`|<>[](){}#-+=.:@!&/")
"""What Discord's Markdown, its mentions, its emojis and its links are made of."""

_VALUE, _LIST = 250, 3500
"""Lengths of a field's value and of a list; five embeds together stay below 6,000."""

_COLOURS: Final = {
    Status.HEALTHY: 0x2E7D32,
    Status.DEGRADED: 0xE6B400,
    Status.DOWN: 0xC21408,
    Status.UNKNOWN: 0x888888,
}
"""Red and green are those of the Go program."""


def _escape(character: str) -> str:
    return f"\\{character}" if character in _MARKUP else character


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


_FORMAT: Final = ChannelFormat(
    escape=_escape,
    bold=("**", "**"),
    length=_units,
    link=lambda url, text: f"[{text}](<{url}>)",
    local_time=lambda at, _: f"<t:{at // SECOND}:f>",
)
"""See https://discord.com/developers/docs/reference#message-formatting."""


_MENTION: Final = re.compile(r"@(?:here|everyone)|@?&?[0-9]{15,21}", re.ASCII)
_NO_MENTIONS: Final[Mapping[str, Sequence[str]]] = {}


def message(
    notification: Notification, mention: Mapping[str, Sequence[str]] = _NO_MENTIONS
) -> dict[str, Any]:
    """Return the payload; nobody is mentioned but those that the configuration names."""
    alerts, style = notification.alerts, _FORMAT.adapt(notification)
    label = delivery_prefix(notification, "_", "_")
    shown = cards(alerts)
    if len(shown) <= MAX_DETAILED:
        embeds = [_detail(card, style) for card in shown]
    else:
        embeds = [_list(alerts, style)]
    url = page_url(notification)
    if url:
        embeds[0] |= {"title": "Status page", "url": url}
    names = mentioned(alerts, mention)
    before = "".join(f"{_mention(name)} " for name in names)
    return {
        "username": "Checkup",
        "content": before + label + summary(notification, style),
        "embeds": embeds,
        "allowed_mentions": _allowed(names),
    }


def _mention(name: str) -> str:
    """Return the markup of ``@here``, of a person's id, or of a role's id after ``&``."""
    return name if name in {"@here", "@everyone"} else f"<@{name.removeprefix('@')}>"


def _allowed(names: Sequence[str]) -> dict[str, Any]:
    """Return which mentions count; see https://discord.com/developers/docs/resources/message."""
    ids = [name.removeprefix("@") for name in names]
    found = {
        "parse": ["everyone"] if {"here", "everyone"} & {*ids} else [],
        "users": [name for name in ids if name.isdecimal()],
        "roles": [name.removeprefix("&") for name in ids if name.startswith("&")],
    }
    return {key: value for key, value in found.items() if value or key == "parse"}


def _detail(card: Card, style: ChannelFormat) -> dict[str, Any]:
    """Return one checker's embed; its first three fields are those of the Go program."""
    alert = card.alert
    fields = [
        _field(Fact("Name", title(alert), short=True), style),
        {"name": "Status", "value": f"**{alert.status.upper()}**", "inline": True},
        _field(Fact("Endpoint", alert.endpoint, short=True), style),
        *(_field(fact, style) for fact in facts(alert)),
    ]
    return {
        "color": _COLOURS[alert.status],
        "fields": fields,
        "footer": {"text": f"alert {card.label}"},
    }


def _list(alerts: Sequence[Alert], style: ChannelFormat) -> dict[str, Any]:
    return {
        "color": _COLOURS[worst_status(alerts)],
        "description": "\n".join(alert_list(alerts, style, _LIST)),
    }


def _field(fact: Fact, style: ChannelFormat) -> dict[str, Any]:
    return {
        "name": fact.name,
        "value": fact.text(style, _VALUE) or "-",
        "inline": fact.short,
    }


_HEADERS = {"content-type": "application/json", "user-agent": "checkup"}


class DiscordSettings(NotifierSettings, frozen=True, kw_only=True):
    """Messages into a Discord channel."""

    kind: ClassVar[str] = "discord"
    needs_fields: ClassVar[tuple[str, ...]] = ("webhook",)

    webhook: Annotated[Secret, Meta(description="The URL of the webhook.", extra={"url": True})] = (
        ""
    )

    mention: Annotated[
        Mentions,
        Meta(
            description="Whom to mention when something is down, or by status: `@here`, "
            "`@everyone`, the id of a person, or `&` and the id of a role."
        ),
    ] = field(default_factory=dict)

    def find_errors(self) -> Iterator[SettingProblem]:
        """See :meth:`checkup.interfaces.kinds.Settings.find_errors`."""
        for name in (name for names in self.mention.values() for name in names):
            if not _MENTION.fullmatch(name):
                fix = 'use "@here", "@everyone", the id of a person, or "&" and the id of a role'
                yield SettingProblem("mention", f'unknown name "{name}"', fix)

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
        body = json.dumps(message(notification, self.settings.mention)).encode()
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
