"""All incidents of the page: those that people wrote, and automatic ones for other outages. Pure.

A person's word counts. An outage that somebody wrote about is told in these words only: under its
own id, or with an incident of the same components at the same time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

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

Moments = dict[int, dict[str, list[str]]]
"""What changed when: at each moment, the names of those that became down, degraded or well, or in
maintenance."""


def automatic_incident_view(
    outage: AutomaticIncident, public: PublicComponents, locale: Locale
) -> IncidentView:
    """Return an outage as an incident."""
    components = public.affected(outage.episodes)
    moments = _moments(outage, components)
    updates = tuple(_updates(outage, moments, locale))
    impact = _impact(outage, public)
    return IncidentView(
        key=outage.id,
        title=_title(outage, components.values(), locale),
        impact=impact,
        status_color=IMPACT_STATUS[impact],
        status=updates[0].status,
        started_at=outage.start,
        updated_at=updates[0].at,
        resolved_at=outage.end,
        affected=tuple(
            replace(it, periods=tuple(affected_periods(_periods(outage, name), outage.start, None)))
            for name, it in components.items()
        ),
        updates=updates,
    )


def _title(
    outage: AutomaticIncident, components: Iterable[AffectedComponent], locale: Locale
) -> str:
    word = "down" if _is_down(outage, outage.episodes) else "degraded"
    return _sentence(f"outage.{word}", [component.name for component in components], locale)


def _impact(outage: AutomaticIncident, public: PublicComponents) -> str:
    if not _is_down(outage, outage.episodes):
        return "minor"
    everything = all(_is_down(outage, [checker]) for checker in public.components)
    return "critical" if everything else "major"


def _is_down(outage: AutomaticIncident, checkers: Collection[str]) -> bool:
    """Say whether one of the checkers was down."""
    periods = (period for checker in checkers for period in _periods(outage, checker))
    return any(period.status is Status.DOWN for period in periods)


def _periods(outage: AutomaticIncident, checker: str) -> Iterator[Disruption]:
    for episode in outage.episodes.get(checker, ()):
        yield from episode


def _moments(outage: AutomaticIncident, components: Mapping[str, AffectedComponent]) -> Moments:
    moments: Moments = {}
    for checker, component in components.items():
        for episode in outage.episodes[checker]:
            for at, word in _changes(episode, is_planned=checker in outage.in_maintenance):
                moments.setdefault(at, {}).setdefault(word, []).append(component.name)
    return moments


def _changes(episode: Episode, *, is_planned: bool) -> Iterator[tuple[int, str]]:
    """Yield when a component became what; that nobody could look is no news of it.

    Args:
        episode: what happened to it.
        is_planned: it ended because maintenance began.
    """
    word = ""
    for period in episode:
        if period.status is not Status.UNKNOWN and period.status.value != word:
            word = period.status.value
            yield period.start, word
    if episode[-1].end is not None:
        yield episode[-1].end, "maintenance" if is_planned else "healthy"


def _updates(outage: AutomaticIncident, moments: Moments, locale: Locale) -> Iterator[UpdateView]:
    """Yield the story, newest first."""
    for at in sorted(moments, reverse=True):
        over = at == outage.end
        sentences = [
            _sentence(f"outage.{word}", names, locale) for word, names in moments[at].items()
        ]
        if over and not outage.in_maintenance:
            sentences.append(
                locale.translate(
                    "outage.duration", length=locale.format_duration(at - outage.start)
                )
            )
        body = " ".join(f"{sentence}." for sentence in sentences)
        yield UpdateView(
            key=automatic_update_id(outage.id, at),
            status="resolved" if over else "investigating",
            at=at,
            body=body,
            html=f"<p>{escape(body)}</p>",
        )


def _sentence(key: str, names: Sequence[str], locale: Locale) -> str:
    return locale.translate(key, names=locale.format_list(names), n=len(names))


class AutomaticIncidentCache:
    """The outages as they were found and told, so that each is put into words once."""

    def __init__(self) -> None:
        self._made_of: tuple[object, ...] = ()
        self._found: tuple[AutomaticIncident, ...] = ()
        self._told: dict[
            str, tuple[PublicComponents, dict[str, tuple[AutomaticIncident, IncidentView]]]
        ] = {}

    def detect(self, troubles: Disruptions, watch: DetectionInput) -> tuple[AutomaticIncident, ...]:
        """Return the outages; the same as before if nothing is new and none of them lasts."""
        made_of = (troubles, watch.checkers, watch.since, watch.windows)
        if made_of != self._made_of or any(outage.end is None for outage in self._found):
            self._made_of, self._found = made_of, detect_incidents(troubles, watch)
        return self._found

    def views(
        self, found: Iterable[AutomaticIncident], public: PublicComponents, locale: Locale
    ) -> list[IncidentView]:
        """Return outages as incidents, the very same ones for outages that are the same."""
        code = locale.translations.code
        before, known = self._told.get(code, (public, {}))
        known = known if before == public else {}
        stories = {outage.id: (outage, _told(outage, public, locale, known)) for outage in found}
        self._told[code] = (public, stories)
        return [incident for _, incident in stories.values()]


def _told(
    outage: AutomaticIncident,
    public: PublicComponents,
    locale: Locale,
    known: Mapping[str, tuple[AutomaticIncident, IncidentView]],
) -> IncidentView:
    before = known.get(outage.id)
    return (
        before[1]
        if before and before[0] == outage
        else automatic_incident_view(outage, public, locale)
    )
