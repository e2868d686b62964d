"""What the stories of incidents and maintenance have in common. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from checkup.incidents.model import IncidentUpdate
from checkup.incidents.troubles import Disruption
from checkup_page.announcements.announcement import AffectedPeriod, UpdateView
from checkup_page.state import ComponentStatus

TITLE_LIMIT: Final = 120

IMPACT_STATUS: Final = {
    "none": ComponentStatus.OPERATIONAL,
    "minor": ComponentStatus.DEGRADED,
    "major": ComponentStatus.PARTIAL,
    "critical": ComponentStatus.MAJOR,
}
"""The state whose colour and shape an impact has."""


def update_view(said: IncidentUpdate) -> UpdateView:
    """Return an entry as it is shown."""
    from checkup_page.announcements.markdown import clean_markdown, render_markdown  # noqa: PLC0415 - slow; mostly, all is well

    body = clean_markdown(said.text)
    return UpdateView(
        key=said.id, status=said.status, at=said.at, body=body, html=render_markdown(body)
    )


def affected_periods(
    periods: Iterable[Disruption], since: int, until: int | None
) -> Iterator[AffectedPeriod]:
    """Yield the part of the troubles that lies between two moments, the second perhaps open."""
    for period in periods:
        begins_later = until is not None and period.start >= until
        if begins_later or (period.end is not None and period.end <= since):
            continue
        ends = [end for end in (period.end, until) if end is not None]
        yield AffectedPeriod(
            start=max(period.start, since),
            end=min(ends, default=None),
            state=ComponentStatus.of(period.status),
        )
