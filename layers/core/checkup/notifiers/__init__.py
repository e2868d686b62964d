"""The kinds of notifier. To add one, write its module and add its line here."""

from __future__ import annotations

from typing import Final

from checkup.interfaces import NotifierSettings
from checkup.interfaces.kinds import Registry

NOTIFIERS: Final[Registry[NotifierSettings]] = Registry(
    {
        "slack": "checkup.notifiers.slack:SlackSettings",
        "mail": "checkup.notifiers.mail:MailSettings",
        "mailgun": "checkup.notifiers.mailgun:MailgunSettings",
        "pushover": "checkup.notifiers.pushover:PushoverSettings",
        "discord": "checkup.notifiers.discord:DiscordSettings",
        "webhook": "checkup.notifiers.webhook:WebhookSettings",
        "pagerduty": "checkup.notifiers.pagerduty:PagerdutySettings",
        "sns": "checkup.notifiers.sns:SnsSettings",
    }
)
