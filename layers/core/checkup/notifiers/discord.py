"""Discord, by webhook (https://discord.com/developers/docs/resources/webhook#execute-webhook)."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Annotated, ClassVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from msgspec import Meta, Struct

from checkup.notifiers.answers import check_response, json_object, notifier_secret
from checkup.notifiers.discordmessage import message
from checkup.options import Secret
from checkup.ports import Clients, HttpResponse, Notification, NotifierSettings

_HEADERS = {"content-type": "application/json", "user-agent": "checkup"}


class DiscordSettings(NotifierSettings, frozen=True, kw_only=True):
    """Messages into a Discord channel."""

    kind: ClassVar[str] = "discord"

    webhook: Annotated[Secret, Meta(description="The address that Discord gave you.")] = ""

    def open(self, clients: Clients) -> DiscordNotifier:
        """Return the channel; its webhook is looked up for each message anew."""
        return DiscordNotifier(self, clients)


class DiscordNotifier(Struct, frozen=True):
    """A Discord channel behind a webhook."""

    settings: DiscordSettings
    clients: Clients

    def send(self, notification: Notification) -> None:
        """Post one message, as :meth:`checkup.ports.Notifier.send` says."""
        webhook = notifier_secret(
            self.clients, self.settings.webhook, "no webhook is configured for discord"
        )
        body = json.dumps(message(notification)).encode()
        _judge(self.clients.post(_waiting(webhook), body, _HEADERS))


def _waiting(webhook: str) -> str:
    """Ask Discord to answer when the message is there; else it says yes to one that it loses."""
    try:
        address = urlsplit(webhook)
    except ValueError:
        return webhook  # refused when it is used
    query = [pair for pair in parse_qsl(address.query) if pair[0] != "wait"]
    return address._replace(query=urlencode([*query, ("wait", "true")])).geturl()


def _judge(answer: HttpResponse) -> None:
    """Return if Discord has the message: 200 with it, or 204 as without ``wait``.

    400 is a message that it cannot read; 401, 403 and 404 say that the webhook is gone, and 429
    that messages come too fast (https://discord.com/developers/docs/topics/opcodes-and-status-codes).
    """
    number = json_object(answer).get("code")
    check_response(
        "Discord",
        answer,
        accepted=answer.status in {HTTPStatus.OK, HTTPStatus.NO_CONTENT},
        said=str(number) if isinstance(number, int) and number else "",
    )
