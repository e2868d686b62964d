"""Incidents that people wrote, as they are shown. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from checkup.incidents import model
from checkup.incidents.troubles import Period
from checkup_page.announcements.announcement import Incident
from checkup_page.announcements.public import Public
from checkup_page.announcements.story import LOOKS, TITLE_LIMIT, stretches, update
from checkup_page.speech.words import clean


def written(
    incident: model.Incident, public: Public, troubles: Mapping[str, Sequence[Period]]
) -> Incident:
    """Return an incident that somebody wrote.

    Args:
        incident: as it is stored.
        public: whom it may name.
        troubles: when the checkers were not well, by id.
    """
    updates = tuple(update(said) for said in reversed(incident.said))
    return Incident(
        key=incident.id,
        title=clean(incident.title, TITLE_LIMIT),
        impact=incident.impact,
        state=LOOKS[incident.impact],
        status=incident.status,
        started_at=incident.started,
        updated_at=updates[0].at,
        resolved_at=incident.resolved,
        affected=tuple(
            replace(
                component,
                stretches=tuple(
                    stretches(troubles.get(checker, ()), incident.started, incident.resolved)
                ),
            )
            for checker, component in public.named(incident.checkers).items()
        ),
        updates=updates,
    )
