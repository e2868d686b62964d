"""Every channel that speaks HTTP, against a server that plays its provider."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from checkup.interfaces import Notifier, NotifierSettings
from checkup.notifiers.discord import DiscordSettings
from checkup.notifiers.mailgun import MailgunSettings
from checkup.notifiers.pagerduty import PagerdutySettings
from checkup.notifiers.pushover import PushoverSettings
from checkup.notifiers.slack import SlackSettings
from checkup.notifiers.sns import SnsSettings
from checkup.notifiers.webhook import WebhookSettings
from tests.notifiers.clients import RoutedClients
from tests.servers.provider import Say

SECRET = "s3cr3tS3CR3Ts3cr3tS3CR3Ts3cr3t"
"""Thirty letters and digits, as Pushover wants them."""

ARN = "arn:aws:sns:eu-central-1:123456789012:alarms"
_SNS_OK = """<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">
<PublishResult><MessageId>94f20ce6-13c5-43a0-9a9e-ca52d816e90b</MessageId></PublishResult>
<ResponseMetadata><RequestId>f187a3c1-376f-11df-8963-01868b7c937a</RequestId></ResponseMetadata>
</PublishResponse>"""


class Channel(NamedTuple):
    """One kind of channel.

    Attributes:
        settings: makes them for a server's address; a secret is in them.
        good: the provider's answer to what it accepts.
    """

    name: str
    settings: Callable[[str], NotifierSettings]
    good: Say

    def open(self, url: str, timeout: float = 4.0) -> Notifier:
        return self.settings(url).open(RoutedClients(url, timeout))


CHANNELS = (
    Channel("slack", lambda url: SlackSettings(webhook=f"{url}/{SECRET}"), Say(200, "ok")),
    Channel(
        "discord",
        lambda url: DiscordSettings(webhook=f"{url}/api/webhooks/1/{SECRET}"),
        Say(200, '{"id": "1"}'),
    ),
    Channel(
        "mailgun",
        lambda _: MailgunSettings(
            from_="Checkup <checkup@mg.example.com>",
            to=("ops@example.com", "boss@example.com"),
            apikey=SECRET,
            domain="mg.example.com",
        ),
        Say(200, '{"id": "<1@mg.example.com>", "message": "Queued. Thank you."}'),
    ),
    Channel(
        "pushover",
        lambda _: PushoverSettings(token=SECRET, recipient=SECRET[::-1]),
        Say(200, '{"status": 1, "request": "647d2300-702c-4b38-8b2f-d56326ae460b"}'),
    ),
    Channel(
        "webhook",
        lambda url: WebhookSettings(
            url=f"{url}/hook?token={SECRET}", secret=SECRET, headers={"X-Key": (SECRET,)}
        ),
        Say(204),
    ),
    Channel(
        "pagerduty",
        lambda _: PagerdutySettings(routing_key=SECRET),
        Say(202, '{"status": "success", "message": "Event processed", "dedup_key": "x"}'),
    ),
    Channel("sns", lambda _: SnsSettings(topic_arn=ARN), Say(200, _SNS_OK)),
)

BY_NAME = {channel.name: channel for channel in CHANNELS}
EVERY = [*BY_NAME]
EVERY_POST = [name for name in EVERY if name != "sns"]
"""Those that post with our own client."""
