"""The answer to the visitor's question, as it stands at the top of the page. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec.structs import replace

from checkup.config.page import StatusText
from checkup.config.settings import Config
from checkup.model import Run
from checkup_page import freshness
from checkup_page.announcements.announcement import IncidentView
from checkup_page.components.component import RunWindow
from checkup_page.sentence import describe_incident, describe_status, status_label
from checkup_page.speech.voice import Locale
from checkup_page.state import ComponentStatus
from checkup_page.view import ComponentView, OverallStatus

_WATCHED: Final = "monitoring"
"""Somebody has done what there was to do, and looks at what the checks say."""

_WORSE: Final = (
    ComponentStatus.OPERATIONAL,
    ComponentStatus.MAINTENANCE,
    ComponentStatus.UNKNOWN,
    ComponentStatus.DEGRADED,
    ComponentStatus.PARTIAL,
    ComponentStatus.MAJOR,
)
"""The states, each worse than those before it."""


def overall_status(
    components: Sequence[ComponentView],
    runs: Iterable[Run],
    window: RunWindow,
    measured: int | None,
    config: Config,
) -> OverallStatus:
    """Return the verdict on all components.

    Args:
        components: as they are shown.
        runs: those that count.
        window: the time that is looked at.
        measured: how much time lies between runs; None if that cannot be known yet.
        config: what the owner calls a state, and how often the page is published.
    """
    texts = config.page.status_text
    times = [item.checked_at for item in components if item.checked_at is not None]
    if not times:
        return OverallStatus(sentence=window.voice.say("verdict.first"))
    checked_at = max(times)
    believed_until = checked_at + freshness.max_result_age(window.interval)
    state = ComponentStatus.together(item.state for item in components)
    stale = state is ComponentStatus.UNKNOWN and window.now > believed_until
    stale_sentence = status_label(ComponentStatus.UNKNOWN, texts, window.voice)
    return OverallStatus(
        state=state,
        stale=stale,
        sentence=stale_sentence
        if stale
        else describe_status(state, components, texts, window.voice),
        stale_sentence=stale_sentence,
        checked_at=checked_at,
        places=_places(runs, window),
        interval=measured,
        stale_at=believed_until + freshness.max_publish_delay(config.publish),
    )


def limit_by_incidents(
    found: OverallStatus, written: Iterable[IncidentView], texts: StatusText, voice: Locale
) -> OverallStatus:
    """Return a verdict that does not contradict what people say of incidents that last.

    They know of what no check sees. Results that are too old stay what is to be said first.

    Args:
        found: what the checks say.
        written: the incidents that people wrote, the one that began last first.
        texts: what the owner calls a state.
        voice: whose words are used.
    """
    lasting = [it for it in written if it.resolved_at is None and it.status != _WATCHED]
    worst = max(lasting, key=lambda it: _WORSE.index(it.state), default=None)
    if worst is None or found.stale or found.checked_at is None:
        return found
    if _WORSE.index(worst.state) <= _WORSE.index(found.state):
        return found
    return replace(
        found, state=worst.state, sentence=describe_incident(worst.state, worst.title, texts, voice)
    )


def _places(runs: Iterable[Run], window: RunWindow) -> str:
    """Return from where it was checked of late, as far as that is public; one place says little."""
    latest = window.now - freshness.max_result_age(window.interval)
    seen = {run.results[0].region for run in runs if run.results and run.slot >= latest}
    places = [name for region, name in window.regions.items() if region in seen]
    return window.voice.listed(places) if len(places) > 1 else ""
