"""What the stories of incidents and maintenance have in common. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from checkup.incidents.model import Said
from checkup.incidents.troubles import Period
from checkup_page.announcements.announcement import Stretch, Update
from checkup_page.state import State

TITLE_LIMIT: Final = 120

LOOKS: Final = {
    "none": State.OPERATIONAL,
    "minor": State.DEGRADED,
    "major": State.PARTIAL,
    "critical": State.MAJOR,
}
"""The state whose colour and shape an impact has."""


def update(said: Said) -> Update:
    """Return an entry as it is shown."""
    from checkup_page.announcements.markdown import as_html, cleaned  # noqa: PLC0415 - slow; mostly, all is well

    body = cleaned(said.text)
    return Update(key=said.id, status=said.status, at=said.at, body=body, html=as_html(body))


def stretches(periods: Iterable[Period], since: int, until: int | None) -> Iterator[Stretch]:
    """Yield the part of the troubles that lies between two moments, the second perhaps open."""
    for period in periods:
        begins_later = until is not None and period.start >= until
        if begins_later or (period.end is not None and period.end <= since):
            continue
        ends = [end for end in (period.end, until) if end is not None]
        yield Stretch(
            start=max(period.start, since),
            end=min(ends, default=None),
            state=State.of(period.status),
        )
