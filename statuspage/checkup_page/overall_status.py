"""The overall status at the top of the page, with its description. Pure."""

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
    """Return the status and what it affects: ``Partial outage: API is down``."""
    word = status_label(state, texts, locale)
    if state is ComponentStatus.OPERATIONAL or not components:
        return word
    return locale.translate("overall.of", state=word, subject=_affected(state, components, locale))


def describe_incident(state: ComponentStatus, title: str, texts: StatusText, locale: Locale) -> str:
    """Return the status and an incident's title: ``Major outage: Payments fail``."""
    return locale.translate("overall.of", state=status_label(state, texts, locale), subject=title)


def status_label(state: ComponentStatus, texts: StatusText, locale: Locale) -> str:
    """Return the text of an overall status: the owner's, or that of the language."""
    own = {
        ComponentStatus.OPERATIONAL: texts.healthy,
        ComponentStatus.DEGRADED: texts.degraded,
        ComponentStatus.PARTIAL: texts.down,
        ComponentStatus.MAJOR: texts.down,
        ComponentStatus.UNKNOWN: texts.unknown,
    }
    return clean_line(own.get(state, ""), _WORD_LIMIT) or locale.translate(f"overall.{state}")


def _affected(state: ComponentStatus, components: Sequence[ComponentView], locale: Locale) -> str:
    bad = ComponentStatus.MAJOR if state is ComponentStatus.PARTIAL else state
    affected = [component for component in components if component.status is bad]
    if len(affected) == 1:
        name = clean_line(affected[0].name, _NAME_LIMIT)
        return locale.translate(f"affects.one.{_problem(affected[0], locale)}", name=name)
    if len(affected) == len(components):
        return locale.translate(f"affects.all.{bad}", n=len(components))
    return locale.translate(f"affects.some.{bad}", bad=len(affected), n=len(components))


def _problem(component: ComponentView, locale: Locale) -> str:
    if component.status is ComponentStatus.UNKNOWN and component.checked_at is None:
        return "never"
    if component.status is ComponentStatus.DEGRADED and component.note == locale.translate(SLOW):
        return "slow"
    return component.status


_MONITORING: Final = "monitoring"
"""The incident is fixed as far as its author knows, so the checks decide."""

_SEVERITY: Final = (
    ComponentStatus.OPERATIONAL,
    ComponentStatus.MAINTENANCE,
    ComponentStatus.UNKNOWN,
    ComponentStatus.DEGRADED,
    ComponentStatus.PARTIAL,
    ComponentStatus.MAJOR,
)
"""The statuses from good to bad."""


def overall_status(
    components: Sequence[ComponentView],
    runs: Iterable[Run],
    window: RunWindow,
    measured: int | None,
    config: Config,
) -> OverallStatus:
    """Return the status of all components together.

    Args:
        components: as they are shown.
        runs: the scheduled ones.
        window: the runs that are shown, and the time.
        measured: the time between runs; None if it is not known yet.
        config: the owner's texts, and where the page is published.
    """
    texts = config.page.status_text
    times = [item.checked_at for item in components if item.checked_at is not None]
    if not times:
        return OverallStatus(description=window.locale.translate("overall.first"))
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
        checked_from=_checked_from(runs, window),
        interval=measured,
        stale_at=believed_until + status.max_publish_delay(config.publish),
    )


def limit_by_incidents(
    overall: OverallStatus, written: Iterable[IncidentView], texts: StatusText, locale: Locale
) -> OverallStatus:
    """Return an overall status that is at least as bad as the active incidents that people wrote.

    People know what no check sees. Stale results come first all the same.

    Args:
        overall: by the checks.
        written: the incidents that people wrote, the newest first.
        texts: the owner's.
        locale: of the texts.
    """
    active = [it for it in written if it.resolved_at is None and it.status != _MONITORING]
    worst = max(active, key=lambda it: _SEVERITY.index(it.status_color), default=None)
    if worst is None or overall.stale or overall.checked_at is None:
        return overall
    if _SEVERITY.index(worst.status_color) <= _SEVERITY.index(overall.state):
        return overall
    return replace(
        overall,
        state=worst.status_color,
        description=describe_incident(worst.status_color, worst.title, texts, locale),
    )


def _checked_from(runs: Iterable[Run], window: RunWindow) -> str:
    """Return the public names of the regions of recent runs, if there are several."""
    latest = window.now - status.max_result_age(window.interval)
    seen = {run.results[0].region for run in runs if run.results and run.slot >= latest}
    places = [name for region, name in window.regions.items() if region in seen]
    return window.locale.format_list(places) if len(places) > 1 else ""
