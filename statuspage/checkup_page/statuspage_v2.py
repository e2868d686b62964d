"""The page for machines, in the shape of version 2 of Statuspage's public API.

Clients of that API ignore keys that they do not know; ours begin with ``x_``. The API has no
word for "nobody knows": what is unknown or too old is degraded there, never operational, and
``x_state`` says the truth. Lists and nulls are present even when they are empty, because
clients with static types expect them (https://www.githubstatus.com/api/v2/summary.json).
"""

from __future__ import annotations

from typing import Any

from checkup_page.state import State
from checkup_page.view import Component, Group, View
from checkup_page.words import iso

Json = dict[str, Any]

_INDICATORS = {
    State.OPERATIONAL: ("none", "All Systems Operational"),
    State.DEGRADED: ("minor", "Partially Degraded Service"),
    State.PARTIAL: ("major", "Partial System Outage"),
    State.MAJOR: ("critical", "Major Service Outage"),
    State.UNKNOWN: ("minor", "Status unknown"),
}


def status(view: View) -> Json:
    """Return ``api/v2/status.json``."""
    return {"page": _page(view), "status": _status(view)}


def summary(view: View) -> Json:
    """Return ``api/v2/summary.json``."""
    return {
        "page": _page(view),
        "components": _components(view),
        "incidents": [],
        "scheduled_maintenances": [],
        "status": _status(view),
    }


def _page(view: View) -> Json:
    return {
        "id": view.key,
        "name": view.title,
        "url": view.url,
        "time_zone": "Etc/UTC",
        "updated_at": iso(_updated_at(view)),
    }


def _updated_at(view: View) -> int:
    checked_at = view.verdict.checked_at
    return view.facts.generated_at if checked_at is None else checked_at


def _status(view: View) -> Json:
    verdict = view.verdict
    indicator, description = _INDICATORS[verdict.state]
    if verdict.checked_at is None:
        description = verdict.sentence
    elif verdict.state is State.UNKNOWN:
        description = f"{description}, last checked {iso(verdict.checked_at)}"
    return {
        "indicator": indicator,
        "description": description,
        "x_state": verdict.state.value,
        "x_stale": verdict.stale,
        "x_checked_at": None if verdict.checked_at is None else iso(verdict.checked_at),
        "x_generated_at": iso(view.facts.generated_at),
    }


def _components(view: View) -> list[Json]:
    listed: list[Json] = []
    for group in view.groups:
        parent = len(listed) + 1
        children = [
            _component(view, item, parent + number, group.key if group.name else None)
            for number, item in enumerate(group.components, start=int(bool(group.name)))
        ]
        if group.name:
            listed.append(_group(view, group, parent, children))
        listed += children
    return listed


def _component(view: View, item: Component, position: int, group_id: str | None) -> Json:
    updated_at = next(
        at for at in (item.since, item.first_seen, _updated_at(view)) if at is not None
    )
    created_at = updated_at if item.first_seen is None else min(updated_at, item.first_seen)
    return {
        "id": item.key,
        "name": item.name,
        "status": _word(item.state),
        "created_at": iso(created_at),
        "updated_at": iso(updated_at),
        "position": position,
        "description": item.description or None,
        "showcase": True,
        "start_date": None,
        "group_id": group_id,
        "page_id": view.key,
        "group": False,
        "only_show_if_degraded": False,
        "x_state": item.state.value,
        "x_checked_at": None if item.checked_at is None else iso(item.checked_at),
    }


def _group(view: View, group: Group, position: int, children: list[Json]) -> Json:
    return {
        "id": group.key,
        "name": group.name,
        "status": _word(group.state),
        "created_at": min(child["created_at"] for child in children),
        "updated_at": max(child["updated_at"] for child in children),
        "position": position,
        "description": group.description or None,
        "showcase": False,
        "start_date": None,
        "group_id": None,
        "page_id": view.key,
        "group": True,
        "only_show_if_degraded": False,
        "components": [child["id"] for child in children],
        "x_state": group.state.value,
    }


def _word(state: State) -> str:
    return "degraded_performance" if state in {State.DEGRADED, State.UNKNOWN} else state.value
