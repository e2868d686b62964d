"""The subject line that mail, mailgun and pushover have in common."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, structs

from checkup.model import Status
from checkup.notifiers import wording
from checkup.notifiers.voice import PLAIN
from checkup.ports import Notification, NotifierSettings

DEFAULT_SUBJECT: Final = "Checkup: Service Unavailable"

_GOOD_NEWS: Final = "Checkup"
_LENGTH: Final = 200


class SubjectSettings(NotifierSettings, frozen=True, kw_only=True):
    """Settings of a channel whose messages have a subject."""

    subject: Annotated[str, Meta(description="The subject; the usual one if blank.")] = (
        DEFAULT_SUBJECT
    )

    def __post_init__(self) -> None:
        if not self.subject.strip():
            structs.force_setattr(self, "subject", DEFAULT_SUBJECT)


def subject_prefix(notification: Notification, subject: str) -> str:
    """Return the configured subject; the usual one only if something is unavailable."""
    trouble = wording.worst_status(notification.alerts) in {Status.DOWN, Status.DEGRADED}
    return subject if trouble or subject != DEFAULT_SUBJECT else _GOOD_NEWS


def subject_line(notification: Notification, subject: str) -> str:
    """Return the configured subject and after it what happened, in one line.

    The configured part comes first, so that rules that sort mail by it go on working.
    """
    label = wording.delivery_prefix(notification)
    line = f"{subject_prefix(notification, subject)}: {label}{wording.headline(notification)}"
    return PLAIN.outside(line, _LENGTH)
