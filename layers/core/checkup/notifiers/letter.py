"""What a mail says: its subject, its text, and the same once more in HTML. Pure."""

from __future__ import annotations

import hashlib
import html
from typing import Final

from msgspec import Struct

from checkup.model import Alert
from checkup.notifiers import wording
from checkup.notifiers.subject import subject_line
from checkup.notifiers.voice import PLAIN, ChannelFormat
from checkup.notifiers.wording import MAX_DETAILED
from checkup.ports import Notification

_HTML: Final = ChannelFormat(escape=html.escape, strong=("<b>", "</b>"))


class MailContent(Struct, frozen=True, kw_only=True):
    """A mail without its sender and receivers.

    Attributes:
        id: the left part of its Message-ID: the same for every try to tell the same alerts, by
            which receivers can drop a repeat.
        threads: the left parts of Message-IDs that stand for its incidents, so that mail
            programs show what belongs together under each other.
    """

    subject: str
    text: str
    html: str
    id: str
    threads: tuple[str, ...]


def compose_mail(notification: Notification, subject: str) -> MailContent:
    """Return the mail that tells of these alerts.

    Args:
        subject: as configured.
    """
    incidents = dict.fromkeys(map(wording.incident_key, notification.alerts[: wording.MAX_LISTED]))
    return MailContent(
        subject=subject_line(notification, subject),
        text=plain_text(notification),
        html=_html(notification),
        id=f"checkup.{wording.message_id(notification.alerts)}",
        threads=tuple(f"checkup.incident.{_hash(incident)}" for incident in incidents),
    )


def plain_text(notification: Notification) -> str:
    """Return the whole message without any markup."""
    label = wording.delivery_prefix(notification)
    parts = [label + wording.headline(notification), *_paragraphs(notification.alerts)]
    url = wording.page_url(notification)
    return "\n\n".join([*parts, f"Status page: {url}"] if url else parts) + "\n"


def _paragraphs(alerts: tuple[Alert, ...]) -> list[str]:
    if len(alerts) == 1:
        return ["\n".join(wording.detail_lines(alerts[0]))]
    if len(alerts) <= MAX_DETAILED:
        return [
            "\n  ".join([wording.alert_line(a, PLAIN), *wording.detail_lines(a)]) for a in alerts
        ]
    return ["\n".join(wording.alert_list(alerts))]


def _html(notification: Notification) -> str:
    label = wording.delivery_prefix(notification, "<i>", "</i>")
    parts = [f"<p>{label}{wording.headline(notification, _HTML)}</p>", _items(notification.alerts)]
    url = wording.page_url(notification)
    if url:
        parts.append(f'<p><a href="{html.escape(url)}">Status page</a></p>')
    body = "\n".join(parts)
    return f'<!doctype html>\n<html lang="en">\n<body>\n{body}\n</body>\n</html>\n'


def _items(alerts: tuple[Alert, ...]) -> str:
    if len(alerts) == 1:
        return "<p>" + "<br>\n".join(wording.detail_lines(alerts[0], _HTML)) + "</p>"
    if len(alerts) <= MAX_DETAILED:
        items = [
            "<br>\n".join([wording.alert_line(alert, _HTML), *wording.detail_lines(alert, _HTML)])
            for alert in alerts
        ]
    else:
        items = [item.removeprefix("• ") for item in wording.alert_list(alerts, _HTML)]
    return "<ul>\n" + "\n".join(f"<li>{item}</li>" for item in items) + "\n</ul>"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
