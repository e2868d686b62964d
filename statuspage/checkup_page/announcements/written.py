"""Incidents that people wrote, as they are shown. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from checkup.incidents import model
from checkup.incidents.troubles import Disruption
from checkup_page.announcements.announcement import IncidentView
from checkup_page.announcements.public import PublicComponents
from checkup_page.announcements.story import (
    IMPACT_STATUS,
    TITLE_LIMIT,
    affected_periods,
    update_view,
)
from checkup_page.speech.words import clean_line


def incident_view(
    incident: model.Incident, public: PublicComponents, troubles: Mapping[str, Sequence[Disruption]]
) -> IncidentView:
    """Return an incident that somebody wrote.

    Args:
        incident: as it is stored.
        public: whom it may name.
        troubles: when the checkers were not well, by id.
    """
    updates = tuple(update_view(said) for said in reversed(incident.said))
    return IncidentView(
        key=incident.id,
        title=clean_line(incident.title, TITLE_LIMIT),
        impact=incident.impact,
        state=IMPACT_STATUS[incident.impact],
        status=incident.status,
        started_at=incident.started,
        updated_at=updates[0].at,
        resolved_at=incident.resolved,
        affected=tuple(
            replace(
                component,
                stretches=tuple(
                    affected_periods(troubles.get(checker, ()), incident.started, incident.resolved)
                ),
            )
            for checker, component in public.named(incident.checkers).items()
        ),
        updates=updates,
    )
