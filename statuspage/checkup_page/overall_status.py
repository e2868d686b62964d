"""The overall status at the top of the page, and its description in one sentence. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec.structs import replace

from checkup.config.page import StatusText
from checkup.config.settings import Config
from checkup.model import Run
from checkup.text import clean_line
from checkup_page import status
from checkup_page.components.build import RunWindow
from checkup_page.incidents.view import IncidentView
from checkup_page.locale import Locale
from checkup_page.status import SLOW, ComponentStatus
from checkup_page.view import ComponentView, OverallStatus

_WORD_LIMIT, _NAME_LIMIT = 80, 60


def describe_status(
    state: ComponentStatus, components: Sequence[ComponentView], texts: StatusText, locale: Locale
) -> str:
    """Return ``Partial outage: API is down``: the state, and whom it concerns."""
    word = status_label(state, texts, locale)
    if state is ComponentStatus.OPERATIONAL or not components:
        return word
    return locale.translate("verdict.of", state=word, whom=_concerned(state, components, locale))


def describe_incident(state: ComponentStatus, title: str, texts: StatusText, locale: Locale) -> str:
    """Return ``Major outage: Payments fail``: the state, and what people say of it."""
    return locale.translate("verdict.of", state=status_label(state, texts, locale), whom=title)


def status_label(state: ComponentStatus, texts: StatusText, locale: Locale) -> str:
    """Return the state of the whole as the owner of the page wants it called, or as we do."""
    own = {
        ComponentStatus.OPERATIONAL: texts.healthy,
        ComponentStatus.DEGRADED: texts.degraded,
        ComponentStatus.PARTIAL: texts.down,
        ComponentStatus.MAJOR: texts.down,
        ComponentStatus.UNKNOWN: texts.unknown,
    }
    return clean_line(own.get(state, ""), _WORD_LIMIT) or locale.translate(f"verdict.{state}")


def _concerned(state: ComponentStatus, components: Sequence[ComponentView], locale: Locale) -> str:
    bad = ComponentStatus.MAJOR if state is ComponentStatus.PARTIAL else state
    affected = [component for component in components if component.status is bad]
    if len(affected) == 1:
        name = clean_line(affected[0].name, _NAME_LIMIT)
        return locale.translate(f"concerned.one.{_complaint(affected[0], locale)}", name=name)
    if len(affected) == len(components):
        return locale.translate(f"concerned.all.{bad}", n=len(components))
    return locale.translate(f"concerned.some.{bad}", bad=len(affected), n=len(components))


def _complaint(component: ComponentView, locale: Locale) -> str:
    if component.status is ComponentStatus.UNKNOWN and component.checked_at is None:
        return "never"
    if component.status is ComponentStatus.DEGRADED and component.note == locale.translate(SLOW):
        return "slow"
    return component.status


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
        return OverallStatus(description=window.locale.translate("verdict.first"))
    checked_at = max(times)
    believed_until = checked_at + status.max_result_age(window.interval)
    state = ComponentStatus.combined(item.status for item in components)
    stale = state is ComponentStatus.UNKNOWN and window.now > believed_until
    stale_sentence = status_label(ComponentStatus.UNKNOWN, texts, window.locale)
    return OverallStatus(
        state=state,
        stale=stale,
        description=stale_sentence
        if stale
        else describe_status(state, components, texts, window.locale),
        stale_description=stale_sentence,
        checked_at=checked_at,
        checked_from=_places(runs, window),
        interval=measured,
        stale_at=believed_until + status.max_publish_delay(config.publish),
    )


def limit_by_incidents(
    found: OverallStatus, written: Iterable[IncidentView], texts: StatusText, locale: Locale
) -> OverallStatus:
    """Return a verdict that does not contradict what people say of incidents that last.

    They know of what no check sees. Results that are too old stay what is to be said first.

    Args:
        found: what the checks say.
        written: the incidents that people wrote, the one that began last first.
        texts: what the owner calls a state.
        locale: whose words are used.
    """
    lasting = [it for it in written if it.resolved_at is None and it.status != _WATCHED]
    worst = max(lasting, key=lambda it: _WORSE.index(it.status_color), default=None)
    if worst is None or found.stale or found.checked_at is None:
        return found
    if _WORSE.index(worst.status_color) <= _WORSE.index(found.state):
        return found
    return replace(
        found,
        state=worst.status_color,
        description=describe_incident(worst.status_color, worst.title, texts, locale),
    )


def _places(runs: Iterable[Run], window: RunWindow) -> str:
    """Return from where it was checked of late, as far as that is public; one place says little."""
    latest = window.now - status.max_result_age(window.interval)
    seen = {run.results[0].region for run in runs if run.results and run.slot >= latest}
    places = [name for region, name in window.regions.items() if region in seen]
    return window.locale.format_list(places) if len(places) > 1 else ""
