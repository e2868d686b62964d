"""Mail over Mailgun's API (https://documentation.mailgun.com/docs/mailgun/api-reference/)."""

from __future__ import annotations

from base64 import b64encode
from http import HTTPStatus
from typing import Annotated, ClassVar, Final, Literal
from urllib.parse import quote, urlencode

from msgspec import Meta, Struct

from checkup.errors import NotDeliveredError
from checkup.interfaces import Clients, HttpResponse, Notification
from checkup.interfaces.kinds import Secret, Strings
from checkup.notifiers.base import check_response, json_object, notifier_secret
from checkup.notifiers.mail_message import compose_mail, parse_addresses
from checkup.notifiers.message import SubjectSettings

_BASES: Final = {"us": "https://api.mailgun.net", "eu": "https://api.eu.mailgun.net"}
_ABOUT_US: Final = ("from", "to")
"""Parameters that come from the configuration alone."""


class MailgunSettings(SubjectSettings, frozen=True, kw_only=True, rename={"from_": "from"}):
    """One mail per message, over Mailgun's API."""

    kind: ClassVar[str] = "mailgun"

    from_: Annotated[str, Meta(description="The sender's address.")] = ""
    to: Annotated[Strings, Meta(description="The receivers' addresses.")] = ()
    apikey: Annotated[Secret, Meta(description="The key of the API.")] = ""
    domain: Annotated[str, Meta(description="The sending domain.")] = ""
    region: Annotated[Literal["us", "eu"], Meta(description="Where Mailgun keeps the domain.")] = (
        "us"
    )

    def open(self, clients: Clients) -> MailgunNotifier:
        """Return the channel; the key is looked up for each message anew."""
        return MailgunNotifier(self, clients)


class MailgunNotifier(Struct, frozen=True):
    """A domain at Mailgun and the people to write to."""

    settings: MailgunSettings
    clients: Clients

    def send(self, notification: Notification) -> None:
        """Hand over one mail for all receivers; see :meth:`checkup.interfaces.Notifier.send`."""
        said = self.settings
        if not said.domain:
            raise NotDeliveredError("no domain is configured for mailgun")
        key = notifier_secret(self.clients, said.apikey, "no apikey is configured for mailgun")
        sender, *_ = parse_addresses([said.from_], "from")
        receivers = parse_addresses(said.to, "to")
        letter = compose_mail(notification, said.subject)
        form = {
            "from": str(sender),
            "to": ", ".join(map(str, receivers)),
            "subject": letter.subject,
            "text": letter.text,
            "html": letter.html,
            "h:Message-Id": f"<{letter.id}@{sender.domain}>",
            "h:References": " ".join(f"<{thread}@{sender.domain}>" for thread in letter.references),
            "h:Auto-Submitted": "auto-generated",
            "o:tracking": "no",
        }
        url = f"{_BASES[said.region]}/v3/{quote(said.domain, safe='')}/messages"
        _judge(self.clients.post(url, urlencode(form).encode(), _headers(key)))


def _headers(key: str) -> dict[str, str]:
    return {
        "authorization": "Basic " + b64encode(f"api:{key}".encode()).decode(),
        "content-type": "application/x-www-form-urlencoded",
        "user-agent": "checkup",
    }


def _judge(answer: HttpResponse) -> None:
    """Return if Mailgun has queued the mail: 200 with its id.

    400 names in its ``message`` the parameter that is wrong. 401 and 403 are about the key, 404
    about the domain, 402 and 429 about quotas: all of that can be put right
    (https://documentation.mailgun.com/docs/mailgun/quickstart-guide/responses).
    """
    said = json_object(answer)
    words = str(said.get("message", "")).split()
    about = next((name for name in _ABOUT_US if words[:1] in ([name], [f"'{name}'"])), "")
    check_response(
        "Mailgun",
        answer,
        accepted=answer.status == HTTPStatus.OK and bool(said.get("id")),
        rejected_statuses=() if about else (400, 413),
        error_code=about,
    )
