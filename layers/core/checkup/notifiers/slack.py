"""Slack, by incoming webhook (https://api.slack.com/messaging/webhooks) or by a bot's token."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, ClassVar

from msgspec import Meta, Struct

from checkup.notifiers.answers import check_response, notifier_secret, safe_error_code
from checkup.notifiers.slackbot import SlackBotNotifier
from checkup.notifiers.slackmessage import full_message, plain_message
from checkup.options import Secret
from checkup.ports import Clients, HttpResponse, Notification, Notifier, NotifierSettings

_HEADERS = {"content-type": "application/json; charset=utf-8", "user-agent": "checkup"}


class SlackSettings(NotifierSettings, frozen=True, kw_only=True):
    """Messages into a Slack channel."""

    kind: ClassVar[str] = "slack"

    username: Annotated[str, Meta(description="The sender's name; the webhook's if absent.")] = ""
    channel: Annotated[
        str, Meta(description="The channel; the webhook's if absent. With a token its id.")
    ] = ""
    webhook: Annotated[Secret, Meta(description="The address that Slack gave you.")] = ""
    token: Annotated[
        Secret,
        Meta(description="A bot's token, in place of a webhook: one message per incident, edited."),
    ] = ""

    def open(self, clients: Clients) -> Notifier:
        """Return the channel; its webhook or token is looked up for each message anew."""
        if self.token:
            return SlackBotNotifier(self.token, self.channel, self.username, clients, full_message)
        return SlackWebhookNotifier(self, clients)


class SlackWebhookNotifier(Struct, frozen=True):
    """A Slack channel behind a webhook."""

    settings: SlackSettings
    clients: Clients

    def send(self, notification: Notification) -> None:
        """Post one message, as :meth:`checkup.ports.Notifier.send` says.

        A message that Slack cannot read is sent once more as plain text: better ugly than lost.
        """
        webhook = notifier_secret(
            self.clients, self.settings.webhook, "no webhook is configured for slack"
        )
        answer = self._post(webhook, full_message(notification))
        if _is_unreadable(answer):
            answer = self._post(webhook, plain_message(notification))
        _judge(answer)

    def _post(self, webhook: str, message: Mapping[str, Any]) -> HttpResponse:
        sender = {"username": self.settings.username, "channel": self.settings.channel}
        payload = {**{key: value for key, value in sender.items() if value}, **message}
        return self.clients.post(webhook, json.dumps(payload).encode(), _HEADERS)


def _is_unreadable(answer: HttpResponse) -> bool:
    """Say whether Slack could not make sense of this very message."""
    return answer.status in {400, 413}


def _judge(answer: HttpResponse) -> None:
    """Return if Slack has accepted the message (https://api.slack.com/changelog/2016-05-17)."""
    accepted = answer.status == HTTPStatus.OK and answer.body.strip() == b"ok"
    said = safe_error_code(answer.body.decode(errors="replace"))
    check_response("Slack", answer, accepted=accepted, said=said)
