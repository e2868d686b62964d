"""The subject line that mail, mailgun and pushover have in common."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, structs

from checkup.ports import NotifierSettings

USUAL_SUBJECT: Final = "Checkup: Service Unavailable"


class SubjectSettings(NotifierSettings, frozen=True, kw_only=True):
    """Settings of a channel whose messages have a subject."""

    subject: Annotated[str, Meta(description="The subject; the usual one if blank.")] = (
        USUAL_SUBJECT
    )

    def __post_init__(self) -> None:
        if not self.subject.strip():
            structs.force_setattr(self, "subject", USUAL_SUBJECT)
