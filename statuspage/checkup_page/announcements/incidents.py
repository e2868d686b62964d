"""All incidents that are shown: those that people wrote, and outages nobody wrote about. Pure.

A person's word counts. An outage that somebody wrote about is told in these words only: under its
own id, or with an incident of the same components at the same time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from checkup.config.page import IncidentSettings
from checkup.incidents import model
from checkup.incidents.outages import (
    AutomaticIncident,
    DetectionInput,
    began_after,
    detect_incidents,
)
from checkup.incidents.troubles import Disruptions
from checkup_page.announcements.announcement import IncidentView
from checkup_page.announcements.outages import automatic_incident_view
from checkup_page.announcements.public import PublicComponents
from checkup_page.announcements.written import incident_view
from checkup_page.speech.voice import Locale


class AutomaticIncidentCache:
    """The outages as they were found and told, so that each is put into words once."""

    def __init__(self) -> None:
        self._made_of: tuple[object, ...] = ()
        self._found: tuple[AutomaticIncident, ...] = ()
        self._told: dict[
            str, tuple[PublicComponents, dict[str, tuple[AutomaticIncident, IncidentView]]]
        ] = {}

    def find(self, troubles: Disruptions, watch: DetectionInput) -> tuple[AutomaticIncident, ...]:
        """Return the outages; the same as before if nothing is new and none of them lasts."""
        made_of = (troubles, watch.checkers, watch.since, watch.windows)
        if made_of != self._made_of or any(outage.end is None for outage in self._found):
            self._made_of, self._found = made_of, detect_incidents(troubles, watch)
        return self._found

    def tell(
        self, found: Iterable[AutomaticIncident], public: PublicComponents, voice: Locale
    ) -> list[IncidentView]:
        """Return outages as incidents, the very same ones for outages that are the same."""
        code = voice.language.code
        before, known = self._told.get(code, (public, {}))
        known = known if before == public else {}
        stories = {outage.id: (outage, _told(outage, public, voice, known)) for outage in found}
        self._told[code] = (public, stories)
        return [incident for _, incident in stories.values()]


def all_incidents(
    written_down: Iterable[model.Incident],
    stories: Iterable[IncidentView],
    troubles: Disruptions,
    public: PublicComponents,
) -> tuple[IncidentView, ...]:
    """Return the incidents, the one that began last first.

    Args:
        written_down: what people wrote.
        stories: the outages that nobody wrote about.
        troubles: when the checkers were not well, by id.
        public: whom an incident may name.
    """
    shown = [*(incident_view(incident, public, troubles) for incident in written_down), *stories]
    return tuple(sorted(shown, key=lambda it: (it.started_at, it.key), reverse=True))


def _told(
    outage: AutomaticIncident,
    public: PublicComponents,
    voice: Locale,
    known: Mapping[str, tuple[AutomaticIncident, IncidentView]],
) -> IncidentView:
    before = known.get(outage.id)
    return (
        before[1]
        if before and before[0] == outage
        else automatic_incident_view(outage, public, voice)
    )


def uncovered_incidents(
    outages: Iterable[AutomaticIncident],
    written_down: Iterable[model.Incident],
    policy: IncidentSettings,
    now: int,
) -> tuple[AutomaticIncident, ...]:
    """Return the outages, or what is left of them, that are to be told and nobody wrote about."""
    known = sorted(written_down, key=lambda it: it.started)
    left = (_left(outage, known, now) for outage in outages)
    return tuple(outage for outage in left if outage and is_long_enough(outage, policy, now))


def is_long_enough(outage: AutomaticIncident, policy: IncidentSettings, now: int) -> bool:
    """Say whether an outage took long enough for the public to be told."""
    least = policy.after if outage.end is None else policy.minimum
    return policy.automatic and outage.lasted(now) >= least


def _left(
    outage: AutomaticIncident, written_down: Iterable[model.Incident], now: int
) -> AutomaticIncident | None:
    """Return the part of an outage that began after all that people wrote about it was over."""
    left: AutomaticIncident | None = outage
    for incident in written_down:
        if left is not None and _is_about(incident, left, now):
            left = None if incident.resolved is None else began_after(left, incident.resolved)
    return left


def _is_about(incident: model.Incident, outage: AutomaticIncident, now: int) -> bool:
    if outage.id == incident.id or outage.id in incident.replaces:
        return True
    began_meanwhile = incident.started <= outage.start <= (incident.resolved or now)
    return began_meanwhile and outage.episodes.keys() <= set(incident.checkers)
