"""Slack, by incoming webhook (https://api.slack.com/messaging/webhooks) or by a bot's token.

The messages have the shape that the Go program gave them.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any, ClassVar, Final

from msgspec import Meta, Struct, field
from msgspec.structs import replace

from checkup.colors import COLORS
from checkup.interfaces import Clients, HttpResponse, Notification, Notifier, NotifierSettings
from checkup.interfaces.kinds import Mentions, Secret, SettingProblem
from checkup.model import Alert, Status
from checkup.notifiers import message
from checkup.notifiers.base import check_response, notifier_secret, safe_error_code
from checkup.notifiers.message import (
    MAX_DETAILED,
    Card,
    ChannelFormat,
    Fact,
    alert_list,
    cards,
    delivery_prefix,
    headline,
    mentioned,
    page_url,
    summary,
    title,
    worst_status,
)
from checkup.notifiers.slack_bot import SlackBotNotifier
from checkup.times import SECOND

_FORMAT: Final = ChannelFormat(
    escape=partial(html.escape, quote=False),
    bold=("*", "*"),
    link=lambda url, text: f"<{url}|{text}>",
    local_time=lambda at, text: f"<!date^{at // SECOND}^{{date_short_pretty}} {{time}}|{text}>",
)
"""See https://api.slack.com/reference/surfaces/formatting, "Escaping text", "Date formatting"."""

_QUIET: Final = ChannelFormat(escape=_FORMAT.escape)
"""For the notification on a phone, which shows asterisks as they are."""

_TITLE, _VALUE, _FALLBACK, _TEXT = 150, 1000, 1000, 3000
"""Lengths in characters; Slack takes more, a phone does not show it."""

_COLOURS: Final = {
    Status.HEALTHY: "good",
    Status.DEGRADED: "warning",
    Status.DOWN: "danger",
    Status.UNKNOWN: COLORS["light"]["unknown"],
}


_MENTION: Final = re.compile(r"@(?:here|channel|everyone)|@?[UWS][A-Z0-9]{5,30}")
_NO_MENTIONS: Final[Mapping[str, Sequence[str]]] = {}


def full_message(
    notification: Notification, mention: Mapping[str, Sequence[str]] = _NO_MENTIONS
) -> dict[str, Any]:
    """Return the payload with coloured attachments."""
    shown, style = cards(notification.alerts), _FORMAT.adapt(notification)
    if len(shown) <= MAX_DETAILED:
        attachments = [_detail(card, style) for card in shown]
    else:
        attachments = [_list(notification.alerts, style)]
    return {"text": _text(notification, mention), "attachments": attachments}


def plain_message(
    notification: Notification, mention: Mapping[str, Sequence[str]] = _NO_MENTIONS
) -> dict[str, Any]:
    """Return the payload as text alone."""
    style = _FORMAT.adapt(notification)
    lines = [_text(notification, mention), *alert_list(notification.alerts, style, _TEXT)]
    return {"text": "\n".join(lines)}


def _text(notification: Notification, mention: Mapping[str, Sequence[str]]) -> str:
    names = "".join(f"{_mention(name)} " for name in mentioned(notification.alerts, mention))
    label = delivery_prefix(notification, "_", "_")
    url = page_url(notification)
    link = f" (<{url}|status page>)" if url else ""
    return names + label + summary(notification, _FORMAT.adapt(notification)) + link


def _mention(name: str) -> str:
    """Return the markup of ``@here``, of a person's id or of a group's id."""
    name = name.removeprefix("@")
    if name in {"here", "channel", "everyone"}:
        return f"<!{name}>"
    return f"<!subteam^{name}>" if name.startswith("S") else f"<@{name}>"


def _detail(card: Card, style: ChannelFormat) -> dict[str, Any]:
    """Return one checker's attachment; its first two fields are those of the Go program."""
    alert = card.alert
    facts = [Fact(title(alert), alert.endpoint)]
    if alert.checker:
        facts.append(Fact("Status", alert.status.upper()))
    facts += message.facts(alert)
    return {
        "color": _COLOURS[alert.status],
        "fallback": headline(alert, replace(_QUIET, timezone=style.timezone)),
        "fields": [_field(fact, style) for fact in facts],
        "footer": f"alert {card.label}",
        "ts": alert.slot // SECOND,
    }


def _list(alerts: Sequence[Alert], style: ChannelFormat) -> dict[str, Any]:
    quiet = replace(_QUIET, timezone=style.timezone)
    return {
        "color": _COLOURS[worst_status(alerts)],
        "fallback": "\n".join(alert_list(alerts, quiet, _FALLBACK)),
        "text": "\n".join(alert_list(alerts, style)),
        "mrkdwn_in": ["text"],
    }


def _field(fact: Fact, style: ChannelFormat) -> dict[str, Any]:
    return {
        "title": _FORMAT.escape_text(fact.name, _TITLE),
        "value": fact.text(style, _VALUE),
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
    webhook: Annotated[
        Secret, Meta(description="The URL of the incoming webhook.", extra={"url": True})
    ] = ""
    token: Annotated[
        Secret,
        Meta(description="A bot token, in place of a webhook: one message per incident, edited."),
    ] = ""

    mention: Annotated[
        Mentions,
        Meta(
            description="Whom to mention when something is down, or by status: `@here`, `@channel`,"
            " or the id of a person or a group."
        ),
    ] = field(default_factory=dict)

    def find_errors(self) -> Iterator[SettingProblem]:
        """See :meth:`checkup.interfaces.kinds.Settings.find_errors`."""
        for name in (name for names in self.mention.values() for name in names):
            if not _MENTION.fullmatch(name):
                fix = (
                    'use "@here", "@channel", or the id of a person or a group, such as "U024BE7LH"'
                )
                yield SettingProblem("mention", f'unknown name "{name}"', fix)

    def find_warnings(self) -> Iterator[SettingProblem]:
        """See :meth:`checkup.interfaces.kinds.Settings.find_warnings`."""
        yield from super().find_warnings()
        if not self.webhook and not self.token:
            text = 'cannot be used without "webhook" or "token"'
            yield SettingProblem("", text, 'add "webhook"')
        if self.token and not self.channel:
            yield SettingProblem("", 'cannot be used without "channel"', "add the channel's id")

    def open(self, clients: Clients) -> Notifier:
        """Return the channel; its webhook or token is read again for each message."""
        if self.token:
            render = partial(full_message, mention=self.mention)
            return SlackBotNotifier(self.token, self.channel, self.username, clients, render)
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
        mention = self.settings.mention
        response = self._post(webhook, full_message(notification, mention))
        if response.status in {400, 413}:
            response = self._post(webhook, plain_message(notification, mention))
        # https://api.slack.com/changelog/2016-05-17
        accepted = response.status == HTTPStatus.OK and response.body.strip() == b"ok"
        code = safe_error_code(response.body.decode(errors="replace"))
        check_response("Slack", response, accepted=accepted, error_code=code)

    def _post(self, webhook: str, message: Mapping[str, Any]) -> HttpResponse:
        sender = {"username": self.settings.username, "channel": self.settings.channel}
        payload = {**{key: value for key, value in sender.items() if value}, **message}
        return self.clients.post(webhook, json.dumps(payload).encode(), _HEADERS)
