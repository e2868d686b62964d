"""The page in the shape of version 2 of Statuspage's public API.

Clients of that API ignore keys that they do not know; ours begin with ``x_``. Lists and nulls are
present even when they are empty, because clients with static types expect them
(https://www.githubstatus.com/api/v2/summary.json).

The summary and the status are of this moment. The other documents change when something happens
and no sooner, their time being that of the last event, because writing them costs.
"""

from __future__ import annotations

from typing import Final

from checkup.ports import PageFile
from checkup_page.formats import announced
from checkup_page.formats.api_v2.announcements import incident_object, maintenance_object
from checkup_page.formats.api_v2.components import changed_at, component_list
from checkup_page.formats.api_v2.status import checked_at, page_object, status
from checkup_page.formats.served import JSON, Json, live_file, text_file, to_json
from checkup_page.view import PageView

NEWEST: Final = 50
"""Incidents, and times of maintenance, that are listed at most if they are not all to be listed."""


def live_files(view: PageView) -> dict[str, PageFile]:
    """Return what is of this moment, by paths."""
    listed = component_list(view, looked=True)
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
    incidents = [
        incident_object(view, it, known) for it in announced.recent_incidents(view)[:NEWEST]
    ]
    unresolved = [
        incident_object(view, it, known) for it in view.incidents if it.resolved_at is None
    ]
    recent = [
        maintenance_object(view, it, known) for it in announced.recent_maintenance(view)[:NEWEST]
    ]
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
