"""Incidents and maintenance as the public reads them. Part of the view: nothing else is shown."""

from __future__ import annotations

from msgspec import Struct

from checkup_page.state import State


class Affected(Struct, frozen=True, kw_only=True):
    """A component that an announcement concerns, by its public key and name."""

    key: str
    name: str


class Update(Struct, frozen=True, kw_only=True):
    """One entry of the story.

    Attributes:
        key: twelve characters that stay the same.
        status: ``investigating``, ``identified``, ``monitoring``, ``resolved`` or ``postmortem``;
            of maintenance ``scheduled``, ``in_progress``, ``verifying`` or ``completed``.
        at: when it was said, in nanoseconds since the epoch.
        body: the text as its author wrote it, Markdown, cleaned and not escaped.
        html: the same, rendered and safe to show as it is.
    """

    key: str
    status: str
    at: int
    body: str
    html: str


class Incident(Struct, frozen=True, kw_only=True):
    """Something that went wrong.

    Attributes:
        key: twelve characters that stay the same; its page is ``incidents/<key>.html``.
        impact: ``none``, ``minor``, ``major`` or ``critical``.
        state: the colour and the shape of its impact.
        status: that of its newest update.
        resolved_at: None while it lasts.
        updates: newest first; never empty.
    """

    key: str
    title: str
    impact: str
    state: State
    status: str
    started_at: int
    updated_at: int
    resolved_at: int | None
    affected: tuple[Affected, ...]
    updates: tuple[Update, ...]

    @property
    def path(self) -> str:
        """Where its page is, from the root of the site."""
        return f"incidents/{self.key}.html"


class Maintenance(Struct, frozen=True, kw_only=True):
    """A time in which failures are expected; of a recurring one, one occurrence.

    Attributes:
        key: twelve characters that stay the same; its page is ``maintenance/<key>.html``.
        status: ``scheduled``, ``in_progress``, ``verifying`` or ``completed``.
        updates: newest first; may be empty.
    """

    key: str
    title: str
    status: str
    scheduled_for: int
    scheduled_until: int
    created_at: int
    updated_at: int
    affected: tuple[Affected, ...]
    updates: tuple[Update, ...]

    @property
    def path(self) -> str:
        """Where its page is, from the root of the site."""
        return f"maintenance/{self.key}.html"
