"""Mail over Mailgun's API (https://documentation.mailgun.com/docs/mailgun/api-reference/)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from http import HTTPStatus
from typing import Annotated, ClassVar, Final, Literal
from urllib.parse import quote, urlencode

from msgspec import Meta, Struct

from checkup.errors import NotDeliveredError
from checkup.interfaces import Clients, HttpResponse, Notification
from checkup.interfaces.kinds import Secret, SettingProblem, Strings
from checkup.notifiers.base import check_response, json_object, notifier_secret
from checkup.notifiers.mail_message import address_problems, compose_mail, parse_addresses
from checkup.notifiers.message import SubjectSettings

_BASES: Final = {"us": "https://api.mailgun.net", "eu": "https://api.eu.mailgun.net"}
_CONFIGURED: Final = ("from", "to")
"""Parameters that come from the configuration alone."""


class MailgunSettings(SubjectSettings, frozen=True, kw_only=True, rename={"from_": "from"}):
    """One mail per message, over Mailgun's API."""

    kind: ClassVar[str] = "mailgun"
    needs_fields: ClassVar[tuple[str, ...]] = ("from_", "to", "apikey", "domain")

    from_: Annotated[str, Meta(description="The sender's address.")] = ""
    to: Annotated[Strings, Meta(description="The recipients' addresses.")] = ()
    apikey: Annotated[Secret, Meta(description="The API key.")] = ""
    domain: Annotated[str, Meta(description="The sending domain.")] = ""
    region: Annotated[Literal["us", "eu"], Meta(description="The region of the domain.")] = "us"

    def find_warnings(self) -> Iterator[SettingProblem]:
        """See :meth:`checkup.interfaces.kinds.Settings.find_warnings`."""
        yield from super().find_warnings()
        yield from address_problems(self.from_, self.to)

    def open(self, clients: Clients) -> MailgunNotifier:
        """Return the channel; the key is read again for each message."""
        return MailgunNotifier(self, clients)


class MailgunNotifier(Struct, frozen=True):
    """A domain at Mailgun and the recipients."""

    settings: MailgunSettings
    clients: Clients

    def send(self, notification: Notification) -> None:
        """Send one mail to all recipients; see :meth:`checkup.interfaces.Notifier.send`."""
        settings = self.settings
        if not settings.domain:
            raise NotDeliveredError("no domain is configured for mailgun")
        key = notifier_secret(self.clients, settings.apikey, "no apikey is configured for mailgun")
        sender, *_ = parse_addresses([settings.from_], "from")
        recipients = parse_addresses(settings.to, "to")
        mail = compose_mail(notification, settings.subject)
        form = {
            "from": str(sender),
            "to": ", ".join(map(str, recipients)),
            "subject": mail.subject,
            "text": mail.text,
            "html": mail.html,
            "h:Message-Id": f"<{mail.id}@{sender.domain}>",
            "h:References": " ".join(f"<{thread}@{sender.domain}>" for thread in mail.references),
            "h:Auto-Submitted": "auto-generated",
            "o:tracking": "no",
        }
        url = f"{_BASES[settings.region]}/v3/{quote(settings.domain, safe='')}/messages"
        _check(self.clients.post(url, urlencode(form).encode(), _headers(key)))


def _headers(key: str) -> dict[str, str]:
    return {
        "authorization": "Basic " + b64encode(f"api:{key}".encode()).decode(),
        "content-type": "application/x-www-form-urlencoded",
        "user-agent": "checkup",
    }


def _check(answer: HttpResponse) -> None:
    """Accept 200 with the id of a queued mail.

    400 names in its ``message`` the parameter that is wrong. 401 and 403 are about the key, 404
    about the domain, 402 and 429 about quotas: all of that can be put right
    (https://documentation.mailgun.com/docs/mailgun/quickstart-guide/responses).
    """
    body = json_object(answer)
    words = str(body.get("message", "")).split()
    about = next((name for name in _CONFIGURED if words[:1] in ([name], [f"'{name}'"])), "")
    check_response(
        "Mailgun",
        answer,
        accepted=answer.status == HTTPStatus.OK and bool(body.get("id")),
        rejected_statuses=() if about else (400, 413),
        error_code=about,
    )
