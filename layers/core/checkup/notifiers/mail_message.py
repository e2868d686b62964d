"""The content of a mail: subject, text, and the same text in HTML. Pure."""

from __future__ import annotations

import hashlib
import html
from collections.abc import Iterable, Iterator, Sequence
from email.errors import MessageError
from email.headerregistry import Address
from email.utils import getaddresses
from typing import Final

from msgspec import Struct

from checkup.errors import NotDeliveredError
from checkup.interfaces import Notification
from checkup.interfaces.kinds import SettingProblem
from checkup.model import Alert
from checkup.notifiers.message import (
    MAX_DETAILED,
    MAX_LISTED,
    PLAIN,
    ChannelFormat,
    alert_list,
    cards,
    delivery_prefix,
    detail_lines,
    headline,
    incident_key,
    message_id,
    page_url,
    subject_line,
    summary,
)


def parse_addresses(texts: Iterable[str], key: str) -> list[Address]:
    """Return the addresses, at least one.

    Args:
        key: the configuration's key, for the error.

    Raises:
        NotDeliveredError: one is invalid, or there are none. It can be put right, so the message
            waits.
    """
    found = list(_addresses(texts, key))
    if not found:
        raise NotDeliveredError(f"no address is configured as {key}")
    return found


def address_problems(sender: str, recipients: Sequence[str]) -> Iterator[SettingProblem]:
    """Yield which of the configured addresses are not mail addresses."""
    for field, texts in (("from_", [sender]), ("to", recipients)):
        try:
            list(_addresses(texts, field))
        except NotDeliveredError:
            fix = 'write it like name@example.com or "Name <name@example.com>"'
            yield SettingProblem(field, "not a mail address", fix)


def _addresses(texts: Iterable[str], key: str) -> Iterator[Address]:
    written = [text for text in texts if text.strip()]
    is_visible = all(map(str.isprintable, written))
    for name, address in getaddresses(written):
        try:
            plain = Address(display_name=name, addr_spec=address)
        except (MessageError, ValueError, IndexError):
            plain = Address()
        if not (plain.username and plain.domain and address.isascii() and is_visible):
            raise NotDeliveredError(f"invalid mail address in {key}")
        yield plain


_HTML: Final = ChannelFormat(
    escape=html.escape,
    bold=("<b>", "</b>"),
    link=lambda url, text: f'<a href="{html.escape(url)}">{text}</a>',
)


class MailContent(Struct, frozen=True, kw_only=True):
    """A mail without its sender and recipients.

    Attributes:
        id: the left part of its Message-ID: the same for every attempt to deliver the same
            alerts, so that a mail program can drop a duplicate.
        references: the left parts of Message-IDs that stand for its incidents, so that mail
            programs show them as a thread.
    """

    subject: str
    text: str
    html: str
    id: str
    references: tuple[str, ...]


def compose_mail(notification: Notification, subject: str) -> MailContent:
    """Return the mail for these alerts.

    Args:
        subject: as configured.
    """
    incidents = dict.fromkeys(map(incident_key, notification.alerts[:MAX_LISTED]))
    return MailContent(
        subject=subject_line(notification, subject),
        text=plain_text(notification),
        html=_html(notification),
        id=f"checkup.{message_id(notification.alerts)}",
        references=tuple(f"checkup.incident.{_hash(incident)}" for incident in incidents),
    )


def plain_text(notification: Notification) -> str:
    """Return the whole message without any markup."""
    label, style = delivery_prefix(notification), PLAIN.adapt(notification)
    parts = [label + summary(notification, style), *_paragraphs(notification.alerts, style)]
    url = page_url(notification)
    return "\n\n".join([*parts, f"Status page: {url}"] if url else parts) + "\n"


def _paragraphs(alerts: tuple[Alert, ...], style: ChannelFormat) -> list[str]:
    shown = cards(alerts)
    if len(shown) == 1:
        return ["\n".join(detail_lines(shown[0], style))]
    if len(shown) <= MAX_DETAILED:
        return [
            "\n  ".join([headline(card.alert, style), *detail_lines(card, style)]) for card in shown
        ]
    return ["\n".join(alert_list(alerts, style))]


def _html(notification: Notification) -> str:
    label, style = delivery_prefix(notification, "<i>", "</i>"), _HTML.adapt(notification)
    parts = [f"<p>{label}{summary(notification, style)}</p>", _items(notification.alerts, style)]
    url = page_url(notification)
    if url:
        parts.append(f'<p><a href="{html.escape(url)}">Status page</a></p>')
    body = "\n".join(parts)
    return f'<!doctype html>\n<html lang="en">\n<body>\n{body}\n</body>\n</html>\n'


def _items(alerts: tuple[Alert, ...], style: ChannelFormat) -> str:
    shown = cards(alerts)
    if len(shown) == 1:
        return "<p>" + "<br>\n".join(detail_lines(shown[0], style)) + "</p>"
    if len(shown) <= MAX_DETAILED:
        items = [
            "<br>\n".join([headline(card.alert, style), *detail_lines(card, style)])
            for card in shown
        ]
    else:
        items = [item.removeprefix("• ") for item in alert_list(alerts, style)]
    return "<ul>\n" + "\n".join(f"<li>{item}</li>" for item in items) + "\n</ul>"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
