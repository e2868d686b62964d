"""All incidents that are shown: those that people wrote, and outages nobody wrote about. Pure.

A person's word counts. An outage that somebody wrote about is told in these words only: under its
own id, or with an incident of the same components at the same time.
"""

from __future__ import annotations

from collections.abc import Iterable

from checkup.config.settings import IncidentSettings
from checkup.incidents import model
from checkup.incidents.outages import Outage
from checkup.incidents.troubles import Troubles
from checkup_page.announcement import Incident
from checkup_page.outages import told
from checkup_page.public import Public
from checkup_page.voice import Voice
from checkup_page.written import written


def incidents(
    written_down: Iterable[model.Incident],
    outages: Iterable[Outage],
    troubles: Troubles,
    public: Public,
    voice: Voice,
) -> tuple[Incident, ...]:
    """Return the incidents, the one that began last first."""
    shown = [
        *(written(incident, public, troubles) for incident in written_down),
        *(told(outage, public, voice) for outage in outages),
    ]
    return tuple(sorted(shown, key=lambda it: (it.started_at, it.key), reverse=True))


def unwritten(
    outages: Iterable[Outage],
    written_down: Iterable[model.Incident],
    policy: IncidentSettings,
    now: int,
) -> tuple[Outage, ...]:
    """Return the outages that are to be told and that nobody wrote about."""
    known = tuple(written_down)
    return tuple(
        outage
        for outage in outages
        if is_told(outage, policy, now) and not any(_is_about(it, outage, now) for it in known)
    )


def is_told(outage: Outage, policy: IncidentSettings, now: int) -> bool:
    """Say whether an outage took long enough for the public to be told."""
    least = policy.after if outage.end is None else policy.minimum
    return policy.automatic and outage.lasted(now) >= least


def _is_about(incident: model.Incident, outage: Outage, now: int) -> bool:
    if outage.id == incident.id or outage.id in incident.replaces:
        return True
    began_meanwhile = incident.started <= outage.start <= (incident.resolved or now)
    return began_meanwhile and outage.episodes.keys() <= set(incident.checkers)
