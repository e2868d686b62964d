"""Automatic incidents as the page shows them: title, updates and impact, in its language. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from markupsafe import escape
from msgspec.structs import replace

from checkup.incidents.automatic import (
    AutomaticIncident,
    DetectionInput,
    Disruption,
    Disruptions,
    Episode,
    detect_incidents,
)
from checkup.incidents.model import automatic_update_id
from checkup.model import Status
from checkup_page.incidents.view import (
    IMPACT_STATUS,
    AffectedComponent,
    IncidentView,
    PublicComponents,
    UpdateView,
    affected_periods,
)
from checkup_page.locale import Locale

Changes = dict[int, dict[str, list[str]]]
"""By time: the names of the components that became ``down``, ``degraded`` or ``healthy`` then, or
whose ``maintenance`` began."""


def automatic_incident_view(
    incident: AutomaticIncident, public: PublicComponents, locale: Locale
) -> IncidentView:
    """Return an automatic incident as the page shows it."""
    components = public.affected(incident.episodes)
    changes: Changes = {}
    for checker, component in components.items():
        is_planned = checker in incident.in_maintenance
        for episode in incident.episodes[checker]:
            for at, status in _status_changes(episode, is_planned=is_planned):
                changes.setdefault(at, {}).setdefault(status, []).append(component.name)
    updates = tuple(_updates(incident, changes, locale))
    impact = _impact(incident, public)
    return IncidentView(
        key=incident.id,
        title=_title(incident, components, locale),
        impact=impact,
        status_color=IMPACT_STATUS[impact],
        status=updates[0].status,
        started_at=incident.start,
        updated_at=updates[0].at,
        resolved_at=incident.end,
        affected=tuple(
            replace(
                it,
                periods=tuple(affected_periods(_disruptions(incident, name), incident.start, None)),
            )
            for name, it in components.items()
        ),
        updates=updates,
        automatic=True,
    )


def _title(
    incident: AutomaticIncident, components: Mapping[str, AffectedComponent], locale: Locale
) -> str:
    """Return what happened to which components: true while it lasts and afterwards."""
    names: dict[str, list[str]] = {"down": [], "degraded": []}
    for checker, it in components.items():
        names["down" if _was_down(incident, [checker]) else "degraded"].append(it.name)
    shown = {status: locale.format_list(them) for status, them in names.items() if them}
    key = "both" if len(shown) > 1 else next(iter(shown))
    return locale.translate(f"outage.title.{key}", **shown)


def _impact(incident: AutomaticIncident, public: PublicComponents) -> str:
    if not _was_down(incident, incident.episodes):
        return "minor"
    everything = all(_was_down(incident, [checker]) for checker in public.components)
    return "critical" if everything else "major"


def _was_down(incident: AutomaticIncident, checkers: Collection[str]) -> bool:
    """Say whether one of the checkers was down."""
    disruptions = (it for checker in checkers for it in _disruptions(incident, checker))
    return any(it.status is Status.DOWN for it in disruptions)


def _disruptions(incident: AutomaticIncident, checker: str) -> Iterator[Disruption]:
    for episode in incident.episodes.get(checker, ()):
        yield from episode


def _status_changes(episode: Episode, *, is_planned: bool) -> Iterator[tuple[int, str]]:
    """Yield when the status of a component changed to what; an unknown one is no news.

    Args:
        episode: what happened to it.
        is_planned: it ended because maintenance began.
    """
    status = ""
    for disruption in episode:
        if disruption.status is not Status.UNKNOWN and disruption.status.value != status:
            status = disruption.status.value
            yield disruption.start, status
    if episode[-1].end is not None:
        yield episode[-1].end, "maintenance" if is_planned else "healthy"


def _updates(incident: AutomaticIncident, changes: Changes, locale: Locale) -> Iterator[UpdateView]:
    """Yield the updates, newest first."""
    for at in sorted(changes, reverse=True):
        is_over = at == incident.end
        sentences = [
            locale.translate(f"outage.{status}", names=locale.format_list(names), n=len(names))
            for status, names in changes[at].items()
        ]
        if is_over and not incident.in_maintenance:
            duration = locale.format_duration(at - incident.start)
            sentences.append(locale.translate("outage.duration", length=duration))
        body = " ".join(f"{sentence}." for sentence in sentences)
        yield UpdateView(
            key=automatic_update_id(incident.id, at),
            status="resolved" if is_over else "investigating",
            at=at,
            body=body,
            html=f"<p>{escape(body)}</p>",
        )


class AutomaticIncidentCache:
    """The automatic incidents as last detected and shown, so that each is rendered once."""

    def __init__(self) -> None:
        self._inputs: tuple[object, ...] = ()
        self._detected: tuple[AutomaticIncident, ...] = ()
        self._views: dict[
            str, tuple[PublicComponents, dict[str, tuple[AutomaticIncident, IncidentView]]]
        ] = {}

    def detect(
        self, disruptions: Disruptions, given: DetectionInput
    ) -> tuple[AutomaticIncident, ...]:
        """Return the incidents; the same as before if nothing is new and none of them lasts."""
        inputs = (disruptions, given.checkers, given.since, given.windows)
        if inputs != self._inputs or any(it.end is None for it in self._detected):
            self._inputs, self._detected = inputs, detect_incidents(disruptions, given)
        return self._detected

    def views(
        self, incidents: Sequence[AutomaticIncident], public: PublicComponents, locale: Locale
    ) -> list[IncidentView]:
        """Return incidents as the page shows them; the very same views for the same incidents."""
        code = locale.translations.code
        previous, known = self._views.get(code, (public, {}))
        known = known if previous == public else {}
        views: dict[str, tuple[AutomaticIncident, IncidentView]] = {}
        for it in incidents:
            before = known.get(it.id)
            if before is None or before[0] != it:
                before = (it, automatic_incident_view(it, public, locale))
            views[it.id] = before
        self._views[code] = (public, views)
        return [view for _, view in views.values()]
