"""The page and its verdict, as every document of the API has them.

The API has no word for "nobody knows": what is unknown or too old is degraded there, never
operational, and ``x_state`` says the truth.
"""

from __future__ import annotations

from checkup_page.formats.served import Json
from checkup_page.speech.words import format_iso
from checkup_page.state import ComponentStatus
from checkup_page.view import PageView

_INDICATORS = {
    ComponentStatus.OPERATIONAL: ("none", "All Systems Operational"),
    ComponentStatus.DEGRADED: ("minor", "Partially Degraded Service"),
    ComponentStatus.PARTIAL: ("major", "Partial System Outage"),
    ComponentStatus.MAJOR: ("critical", "Major Service Outage"),
    ComponentStatus.MAINTENANCE: ("maintenance", "Service Under Maintenance"),
    ComponentStatus.UNKNOWN: ("minor", "Status unknown"),
}

_WORDS = {
    ComponentStatus.DEGRADED: "degraded_performance",
    ComponentStatus.MAINTENANCE: "under_maintenance",
    ComponentStatus.UNKNOWN: "degraded_performance",
}
"""Where the API has another word than we have."""


def page_object(view: PageView, updated_at: int) -> Json:
    """Return the head of a document."""
    return {
        "page": {
            "id": view.key,
            "name": view.title,
            "url": view.url,
            "time_zone": "Etc/UTC",
            "updated_at": format_iso(updated_at),
        }
    }


def checked_at(view: PageView) -> int:
    """Return when the newest results came; before the first ones, when the page was written."""
    last = view.verdict.checked_at
    return view.facts.generated_at if last is None else last


def status(view: PageView) -> Json:
    """Return the verdict."""
    verdict = view.verdict
    indicator, description = _INDICATORS[verdict.state]
    if verdict.checked_at is None:
        description = verdict.sentence
    elif verdict.state is ComponentStatus.UNKNOWN:
        description = f"{description}, last checked {format_iso(verdict.checked_at)}"
    return {
        "status": {
            "indicator": indicator,
            "description": description,
            "x_state": verdict.state.value,
            "x_stale": verdict.stale,
            "x_checked_at": None if verdict.checked_at is None else format_iso(verdict.checked_at),
            "x_generated_at": format_iso(view.facts.generated_at),
        }
    }


def api_status(state: ComponentStatus) -> str:
    """Return the API's word for the state of a component."""
    return _WORDS.get(state, state.value)
