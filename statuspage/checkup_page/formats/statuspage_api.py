"""The page in the shape of version 2 of Statuspage's public API.

Clients of that API ignore keys that they do not know; ours begin with ``x_``. Lists and nulls are
present even when they are empty, because clients with static types expect them
(https://www.githubstatus.com/api/v2/summary.json).

The summary and the status are of this moment. The other documents change when something happens
and no sooner, their time being that of the last event, because writing them costs.

The API has no word for "unknown": what is unknown or too old is degraded there, never operational,
and ``x_state`` has the exact status.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

from checkup.interfaces import PageFile
from checkup.text import public_key
from checkup.times import format_iso
from checkup_page.formats import base
from checkup_page.formats.base import (
    JSON,
    Json,
    absolute_url,
    last_event,
    live_file,
    text_file,
    to_json,
)
from checkup_page.incidents.view import AffectedComponent, IncidentView, MaintenanceView, UpdateView
from checkup_page.status import ComponentStatus
from checkup_page.view import ComponentGroup, ComponentView, PageView

Listed = Mapping[str, Json]
"""Components and groups by their ids."""

_OPERATIONAL: Final = "operational"

_MEANT: Final = {
    "none": _OPERATIONAL,
    "minor": "degraded_performance",
    "major": "partial_outage",
    "critical": "major_outage",
    "maintenance": "under_maintenance",
}
"""What an impact says of the components that are affected."""

_WELL: Final = frozenset({"scheduled", "completed", "resolved", "postmortem"})
"""Updates that say that the components work."""


def incident_updates(
    item: IncidentView | MaintenanceView, updates: Sequence[UpdateView], impact: str, listed: Listed
) -> Json:
    """Return the updates, newest first, and the components as they are now.

    What a component was before and after an update follows from the update and the impact; in
    automatic incidents, from its checks.
    """

    def status_at(one: AffectedComponent, update: UpdateView | None) -> str:
        if update is None:
            return _OPERATIONAL
        if not (isinstance(item, IncidentView) and item.automatic):
            return _OPERATIONAL if update.status in _WELL else _MEANT[impact]
        lasting = (it for it in one.periods if it.start <= update.at)
        return next(
            (api_status(it.state) for it in lasting if it.end is None or update.at < it.end),
            _OPERATIONAL,
        )

    return {
        "incident_updates": [
            _update(
                item,
                update,
                [
                    {
                        "code": one.key,
                        "name": _full_name(one, listed),
                        "old_status": status_at(one, before),
                        "new_status": status_at(one, update),
                    }
                    for one in item.affected
                ],
            )
            for update, before in pairwise([*updates, None])
            if update is not None
        ],
        "components": [listed[one.key] for one in item.affected if one.key in listed],
    }


def _update(item: IncidentView | MaintenanceView, update: UpdateView, affected: list[Json]) -> Json:
    return {
        "id": update.key,
        "status": update.status,
        "body": update.body,
        "incident_id": item.key,
        "created_at": format_iso(update.at),
        "updated_at": format_iso(update.at),
        "display_at": format_iso(update.at),
        "affected_components": affected,
        "deliver_notifications": False,
        "custom_tweet": None,
        "tweet_id": None,
    }


def _full_name(affected: AffectedComponent, listed: Listed) -> str:
    """Return the name after that of the group."""
    group = listed.get(affected.key, {}).get("group_id")
    return f"{listed[group]['name']} - {affected.name}" if group else affected.name


def incident_object(view: PageView, item: IncidentView, listed: Listed) -> Json:
    """Return an incident."""
    monitored = (update.at for update in item.updates if update.status == "monitoring")
    return {
        **_announcement(view, item),
        "created_at": format_iso(item.updates[-1].at),
        "monitoring_at": _time(max(monitored, default=None)),
        "resolved_at": _time(item.resolved_at),
        "impact": item.impact,
        "started_at": format_iso(item.started_at),
        **incident_updates(item, item.updates, item.impact, listed),
    }


def maintenance_object(view: PageView, item: MaintenanceView, listed: Listed) -> Json:
    """Return maintenance; clients expect that there is an update, if only the plan."""
    ended_at = item.updated_at if item.cancelled else item.scheduled_until
    plan = UpdateView(
        key=public_key(item.key, "plan"), status="scheduled", at=item.created_at, body="", html=""
    )
    return {
        **_announcement(view, item),
        "created_at": format_iso(item.created_at),
        "monitoring_at": None,
        "resolved_at": _time(ended_at if item.status == "completed" else None),
        "impact": "maintenance",
        "started_at": format_iso(item.created_at),
        "scheduled_for": format_iso(item.scheduled_for),
        "scheduled_until": format_iso(item.scheduled_until),
        **incident_updates(item, item.updates or (plan,), "maintenance", listed),
    }


def _announcement(view: PageView, item: IncidentView | MaintenanceView) -> Json:
    return {
        "id": item.key,
        "name": item.title,
        "status": item.status,
        "updated_at": format_iso(item.updated_at),
        "shortlink": absolute_url(view, item.path),
        "page_id": view.key,
    }


def _time(moment: int | None) -> str | None:
    return None if moment is None else format_iso(moment)


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
    last = view.overall.checked_at
    return view.info.generated_at if last is None else last


def status(view: PageView) -> Json:
    """Return the overall status."""
    overall = view.overall
    indicator, description = _INDICATORS[overall.state]
    if overall.checked_at is None:
        description = overall.description
    elif overall.state is ComponentStatus.UNKNOWN:
        description = f"{description}, last checked {format_iso(overall.checked_at)}"
    return {
        "status": {
            "indicator": indicator,
            "description": description,
            "x_state": overall.state.value,
            "x_stale": overall.stale,
            "x_checked_at": None if overall.checked_at is None else format_iso(overall.checked_at),
            "x_generated_at": format_iso(view.info.generated_at),
        }
    }


def api_status(state: ComponentStatus) -> str:
    """Return the API's word for the state of a component."""
    return _WORDS.get(state, state.value)


def component_list(view: PageView, *, with_check_times: bool = False) -> list[Json]:
    """Return components and groups in the order of the page.

    Args:
        view: the page.
        with_check_times: say of each when it was last looked at, which changes all the time.
    """
    listed = [dict(item) for item in _listed(view)]
    times = {item.key: item.checked_at for group in view.groups for item in group.components}
    for position, item in enumerate(listed, start=1):
        item["position"] = position
        if with_check_times and not item["group"]:
            at = times[item["id"]]
            item["x_checked_at"] = None if at is None else format_iso(at)
    return listed


def changed_at(view: PageView) -> int:
    """Return when anything on the page happened last, be it measured or announced; 0 for never."""
    states = (_times(item)[1] for group in view.groups for item in group.components)
    return max((*states, last_event(view)))


def _listed(view: PageView) -> Iterator[Json]:
    for group in view.groups:
        members = [_component(view, item, group) for item in group.components]
        if group.name:
            yield _group(view, group, members)
        yield from members


def _component(view: PageView, item: ComponentView, group: ComponentGroup) -> Json:
    created_at, updated_at = _times(item)
    return {
        "id": item.key,
        "name": item.name,
        "status": api_status(item.status),
        "created_at": format_iso(created_at),
        "updated_at": format_iso(updated_at),
        "position": 0,
        "description": item.description or None,
        "showcase": True,
        "start_date": None,
        "group_id": group.key if group.name else None,
        "page_id": view.key,
        "group": False,
        "only_show_if_degraded": False,
        "x_state": item.status.value,
    }


def _times(item: ComponentView) -> tuple[int, int]:
    """Return when a component was first seen, and when its state began; 0 for never."""
    known = [at for at in (item.since, item.first_seen) if at is not None]
    return min(known, default=0), next(iter(known), 0)


def _group(view: PageView, group: ComponentGroup, members: list[Json]) -> Json:
    return {
        "id": group.key,
        "name": group.name,
        "status": api_status(group.state),
        "created_at": min(member["created_at"] for member in members),
        "updated_at": max(member["updated_at"] for member in members),
        "position": 0,
        "description": group.description or None,
        "showcase": False,
        "start_date": None,
        "group_id": None,
        "page_id": view.key,
        "group": True,
        "only_show_if_degraded": False,
        "components": [member["id"] for member in members],
        "x_state": group.state.value,
    }


NEWEST: Final = 50
"""Incidents, and times of maintenance, that are listed at most if they are not all to be listed."""


def live_files(view: PageView) -> dict[str, PageFile]:
    """Return what is of this moment, by paths."""
    listed = component_list(view, with_check_times=True)
    known = _by_id(listed)
    unresolved = [item for item in view.incidents if item.resolved_at is None]
    planned = [maintenance_object(view, item, known) for item in view.maintenances]
    head = page_object(view, checked_at(view)) | status(view)
    summary = {
        "components": listed,
        "incidents": [incident_object(view, item, known) for item in unresolved],
        "scheduled_maintenances": planned,
    }
    return {
        _path(name): live_file(view, to_json(content), JSON)
        for name, content in (("summary", head | summary), ("status", head))
    }


def settled_files(view: PageView) -> dict[str, PageFile]:
    """Return what has happened and what is planned, by paths."""
    listed = component_list(view)
    known, head = _by_id(listed), page_object(view, changed_at(view))
    incidents = [incident_object(view, it, known) for it in base.recent_incidents(view)[:NEWEST]]
    unresolved = [
        incident_object(view, it, known) for it in view.incidents if it.resolved_at is None
    ]
    recent = [maintenance_object(view, it, known) for it in base.recent_maintenance(view)[:NEWEST]]
    planned = [maintenance_object(view, it, known) for it in view.maintenances]
    upcoming = [it for it in planned if it["status"] == "scheduled"]
    active = [it for it in planned if it["status"] != "scheduled"]
    found: dict[str, Json] = {
        "components": {"components": listed},
        "incidents": {"incidents": incidents},
        "incidents/unresolved": {"incidents": unresolved},
        "scheduled-maintenances": {"scheduled_maintenances": recent},
        "scheduled-maintenances/upcoming": {"scheduled_maintenances": upcoming},
        "scheduled-maintenances/active": {"scheduled_maintenances": active},
    }
    return {_path(name): text_file(to_json(head | it), JSON) for name, it in found.items()}


def _path(name: str) -> str:
    return f"api/v2/{name}.json"


def _by_id(listed: list[Json]) -> dict[str, Json]:
    return {item["id"]: item for item in listed}
