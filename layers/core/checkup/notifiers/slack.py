"""Slack, by incoming webhook (https://api.slack.com/messaging/webhooks) or by a bot's token.

The messages have the shape that the Go program gave them.
"""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any, ClassVar, Final

from msgspec import Meta, Struct

from checkup.colors import COLORS
from checkup.interfaces import Clients, HttpResponse, Notification, Notifier, NotifierSettings
from checkup.interfaces.kinds import Secret
from checkup.model import Alert, Status
from checkup.notifiers import message
from checkup.notifiers.base import check_response, notifier_secret, safe_error_code
from checkup.notifiers.message import (
    MAX_DETAILED,
    ChannelFormat,
    Fact,
    alert_list,
    delivery_prefix,
    headline,
    page_url,
    short_id,
    summary,
    title,
    worst_status,
)
from checkup.notifiers.slack_bot import SlackBotNotifier
from checkup.times import SECOND

_FORMAT: Final = ChannelFormat(escape=partial(html.escape, quote=False), bold=("*", "*"))
"""See https://api.slack.com/reference/surfaces/formatting#escaping."""

_QUIET: Final = ChannelFormat(escape=_FORMAT.escape)
"""For the notification on a phone, which shows asterisks as they are."""

_TITLE, _VALUE, _FALLBACK, _TEXT = 150, 1000, 1000, 3000
"""Lengths in characters; Slack takes more, a phone does not show it."""

_COLOURS: Final = {Status.HEALTHY: "good", Status.UNKNOWN: COLORS["light"]["unknown"]}


def full_message(notification: Notification) -> dict[str, Any]:
    """Return the payload with coloured attachments."""
    alerts = notification.alerts
    if len(alerts) <= MAX_DETAILED:
        attachments = [_detail(alert) for alert in alerts]
    else:
        attachments = [_list(alerts)]
    return {"text": _text(notification), "attachments": attachments}


def plain_message(notification: Notification) -> dict[str, Any]:
    """Return the payload as text alone."""
    lines = [_text(notification), *alert_list(notification.alerts, _FORMAT, _TEXT)]
    return {"text": "\n".join(lines)}


def _text(notification: Notification) -> str:
    label = delivery_prefix(notification, "_", "_")
    url = page_url(notification)
    link = f" (<{url}|status page>)" if url else ""
    return label + summary(notification, _FORMAT) + link


def _detail(alert: Alert) -> dict[str, Any]:
    """Return one checker's attachment; its first two fields are those of the Go program."""
    facts = [Fact(title(alert), alert.endpoint)]
    if alert.checker:
        facts.append(Fact("Status", alert.status.upper()))
    facts += message.facts(alert)
    return {
        "color": _COLOURS.get(alert.status, "danger"),
        "fallback": headline(alert, _QUIET),
        "fields": [_field(fact) for fact in facts],
        "footer": f"alert {short_id(alert)}",
        "ts": alert.slot // SECOND,
    }


def _list(alerts: Sequence[Alert]) -> dict[str, Any]:
    return {
        "color": _COLOURS.get(worst_status(alerts), "danger"),
        "fallback": "\n".join(alert_list(alerts, _QUIET, _FALLBACK)),
        "text": "\n".join(alert_list(alerts, _FORMAT)),
        "mrkdwn_in": ["text"],
    }


def _field(fact: Fact) -> dict[str, Any]:
    return {
        "title": _FORMAT.escape_text(fact.name, _TITLE),
        "value": _FORMAT.escape_text(fact.value, _VALUE),
        "short": fact.short,
    }


_HEADERS = {"content-type": "application/json; charset=utf-8", "user-agent": "checkup"}


class SlackSettings(NotifierSettings, frozen=True, kw_only=True):
    """Messages into a Slack channel."""

    kind: ClassVar[str] = "slack"

    username: Annotated[str, Meta(description="The sender's name; the webhook's if absent.")] = ""
    channel: Annotated[
        str, Meta(description="The channel; the webhook's if absent. With a token, the channel id.")
    ] = ""
    webhook: Annotated[Secret, Meta(description="The URL of the incoming webhook.")] = ""
    token: Annotated[
        Secret,
        Meta(description="A bot token, in place of a webhook: one message per incident, edited."),
    ] = ""

    def open(self, clients: Clients) -> Notifier:
        """Return the channel; its webhook or token is read again for each message."""
        if self.token:
            return SlackBotNotifier(self.token, self.channel, self.username, clients, full_message)
        return SlackWebhookNotifier(self, clients)


class SlackWebhookNotifier(Struct, frozen=True):
    """A Slack channel behind a webhook."""

    settings: SlackSettings
    clients: Clients

    def send(self, notification: Notification) -> None:
        """Post one message, as :meth:`checkup.interfaces.Notifier.send` says.

        A message that Slack cannot read is sent again as plain text: better ugly than lost.
        """
        webhook = notifier_secret(
            self.clients, self.settings.webhook, "no webhook is configured for slack"
        )
        response = self._post(webhook, full_message(notification))
        if response.status in {400, 413}:
            response = self._post(webhook, plain_message(notification))
        # https://api.slack.com/changelog/2016-05-17
        accepted = response.status == HTTPStatus.OK and response.body.strip() == b"ok"
        code = safe_error_code(response.body.decode(errors="replace"))
        check_response("Slack", response, accepted=accepted, error_code=code)

    def _post(self, webhook: str, message: Mapping[str, Any]) -> HttpResponse:
        sender = {"username": self.settings.username, "channel": self.settings.channel}
        payload = {**{key: value for key, value in sender.items() if value}, **message}
        return self.clients.post(webhook, json.dumps(payload).encode(), _HEADERS)
