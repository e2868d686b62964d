"""What comes from outside is text in every channel, and nothing but text (S1.4)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs

import pytest
from msgspec.structs import replace

from checkup.model import Alert
from checkup.notifiers.mail import MailSettings, SmtpSettings
from tests.notifiers.channels import BY_NAME, EVERY
from tests.notifiers.clients import DirectClients
from tests.notifiers.hostile import HOSTILE
from tests.notifiers.stories import DOWN, notification
from tests.servers.mail import Mailbox, mail_server
from tests.servers.provider import Provider

STRINGS = [pytest.param(text, id=f"{n:02d}") for n, text in enumerate(HOSTILE)]


def cleaned(text: str) -> str:
    """Restated: what cannot be seen is gone, and what is left between words is one blank."""
    unseen = (
        r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"
        r"\ud800-\udfff]"
    )
    return re.sub(r"\s+", " ", re.sub(unseen, "", text)).strip()


def clipped(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def nasty(text: str) -> Alert:
    return replace(DOWN, title=text, reason=text, endpoint=text, region=text, failure=text)


class Seen(HTMLParser):
    """What a reader of HTML sees, and the tags that are there."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text, self.tags = "", set[str]()
        self.feed(html)

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert not attrs or tag in {"a", "html"}


def rendered_slack(text: str) -> str:
    assert not re.search(r"<|>|&(?!amp;|lt;|gt;)", text)
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def rendered_discord(text: str) -> str:
    """Undo Discord's escapes, and find no markup beside them."""
    plain = re.sub(r"\\[^A-Za-z0-9\s]", "", text)
    assert not set(plain) & set("\\*_~`|<>[]#@:/")
    return re.sub(r"\\([^A-Za-z0-9\s])", r"\1", text)


def slack(requests: list[Any]) -> tuple[str, str]:
    (attachment,) = requests[0].json["attachments"]
    name, _, why = attachment["fields"][:3]
    return rendered_slack(name["title"]), rendered_slack(why["value"])


def discord(requests: list[Any]) -> tuple[str, str]:
    message = requests[0].json
    assert message["allowed_mentions"] == {"parse": []}
    rendered_discord(message["content"].replace("**", "").replace("<t:1714532000:f>:", ""))
    values = {field["name"]: field["value"] for field in message["embeds"][0]["fields"]}
    return rendered_discord(values["Name"]), rendered_discord(values["Why"])


def mailgun(requests: list[Any]) -> tuple[str, str]:
    form = requests[0].form
    assert form["subject"].isprintable()
    assert Seen(form["html"]).tags == {"html", "body", "p", "b", "br", "a"}
    return parted(Seen(form["html"]).text.strip().splitlines()[0])


def parted(line: str) -> tuple[str, str]:
    title, _, reason = line.partition(" is down since 02:53 UTC: ")
    return title, reason


def pushover(requests: list[Any]) -> tuple[str, str]:
    return parted(requests[0].form["message"].splitlines()[0])


def webhook(requests: list[Any]) -> tuple[str, str]:
    (alert,) = requests[0].json["alerts"]
    return alert["title"], alert["reason"]


def pagerduty(requests: list[Any]) -> tuple[str, str]:
    payload = requests[0].json["payload"]
    return payload["component"], payload["custom_details"]["Why"]


def sns(requests: list[Any]) -> tuple[str, str]:
    form = parse_qs(requests[0].body.decode())
    assert re.fullmatch(r"[\x21-\x7e][\x20-\x7e]{0,98}", form["Subject"][0])
    return parted(form["Message"][0].splitlines()[0])


SHOWN: dict[str, tuple[Callable[[list[Any]], tuple[str, str]], int, int]] = {
    "slack": (slack, 150, 1000),
    "discord": (discord, 250, 250),
    "mailgun": (mailgun, 150, 300),
    "pushover": (pushover, 150, 300),
    "webhook": (webhook, 20_000, 20_000),
    "pagerduty": (pagerduty, 255, 1024),
    "sns": (sns, 150, 300),
}


@pytest.mark.row("162", "170")
@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("text", STRINGS)
def test_outside_text_is_shown_as_it_is(provider: Provider, name: str, text: str) -> None:
    provider.behave(BY_NAME[name].good)
    shown, of_title, of_reason = SHOWN[name]

    BY_NAME[name].open(provider.url).send(notification(nasty(text), page_url="https://s.example/"))

    title, reason = shown(provider.requests)
    assert title == clipped(cleaned(text), of_title)
    assert reason == clipped(cleaned(text), of_reason)


@pytest.mark.parametrize("text", STRINGS)
def test_outside_text_in_a_mail_is_shown_as_it_is(text: str) -> None:
    with mail_server(Mailbox()) as mailbox:
        smtp = SmtpSettings(server="127.0.0.1", port=mailbox.port)
        settings = MailSettings(from_="a@example.com", to=("b@example.com",), smtp=smtp)
        settings.open(DirectClients()).send(notification(nasty(text)))

    (envelope,) = mailbox.mails
    assert isinstance(envelope.content, bytes)
    message: EmailMessage = message_from_bytes(envelope.content, policy=SMTP)
    assert {*message} == {
        *("From", "To", "Subject", "Date", "Message-ID", "References"),
        *("Auto-Submitted", "MIME-Version", "Content-Type"),
    }
    plain, html = (message.get_body((kind,)).get_content() for kind in ("plain", "html"))  # type: ignore[union-attr]
    expected = (clipped(cleaned(text), 150), clipped(cleaned(text), 300))
    assert parted(plain.splitlines()[0]) == expected
    assert parted(Seen(html).text.strip().splitlines()[0]) == expected
    assert Seen(html).tags <= {"html", "body", "p", "b", "br"}


ATTACK = "<!channel> & *x* \"'\n@here"
EXACT = {
    "slack": b'"text": "*&lt;!channel&gt; &amp; *x* \\"\' @here* is down since <!date^1714532000^',
    "discord": (
        b'"content": "**\\\\<\\\\!channel\\\\> \\\\& \\\\*x\\\\* \\"\' \\\\@here** is down'
    ),
    "mailgun": (
        b"%3Cb%3E%26lt%3B%21channel%26gt%3B+%26amp%3B+%2Ax%2A+%26quot%3B%26%23x27%3B+%40here%3C%2Fb"
        b"%3E+is+down"
    ),
    "pushover": b"&message=%3C%21channel%3E+%26+%2Ax%2A+%22%27+%40here+is+down+since+02%3A53+UTC",
    "webhook": b'"headline": "<!channel> & *x* \\"\' @here is down since 02:53 UTC: ',
    "pagerduty": b'"summary": "<!channel> & *x* \\"\' @here is down since 02:53 UTC: ',
    "sns": b"&Message=%3C%21channel%3E+%26+%2Ax%2A+%22%27+%40here+is+down+since",
}


@pytest.mark.row("162")
@pytest.mark.parametrize("name", EVERY)
def test_exact_bytes_of_an_attack(provider: Provider, name: str) -> None:
    provider.behave(BY_NAME[name].good)

    BY_NAME[name].open(provider.url).send(notification(nasty(ATTACK)))

    assert EXACT[name] in provider.requests[0].body


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://s.example/", "https://s.example/"),
        ("https://x/>|<!channel>", "https://x/%3E%7C%3C!channel%3E"),
        ('https://x/"onclick="a', "https://x/%22onclick=%22a"),
        ("https://x/\r\nBcc: y", "https://x/%0D%0ABcc:%20y"),
        ("javascript:alert(1)", None),
        ("https://x/" + "y" * 600, None),
        ("", None),
    ],
    ids=str,
)
def test_address_of_the_page_cannot_be_markup(
    provider: Provider, url: str, shown: str | None
) -> None:
    BY_NAME["webhook"].open(provider.url).send(notification(DOWN, page_url=url))

    assert json.loads(provider.requests[0].body)["page_url"] == (shown or "")
