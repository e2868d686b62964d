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
from checkup_page.formats.api_v2.announcements import incident, maintenance
from checkup_page.formats.api_v2.components import changed_at, components
from checkup_page.formats.api_v2.status import checked_at, page, status
from checkup_page.formats.served import JSON, Json, document, live_file, text_file
from checkup_page.view import View

NEWEST: Final = 50
"""Incidents, and times of maintenance, that are listed at most if they are not all to be listed."""

_ACTIVE: Final = {"in_progress", "verifying"}


def files(view: View) -> dict[str, PageFile]:
    """Return the files by their paths."""
    moment, events = _documents(view)
    return {
        **{_path(name): live_file(view, document(it), JSON) for name, it in moment.items()},
        **{_path(name): text_file(document(it), JSON) for name, it in events.items()},
    }


def _path(name: str) -> str:
    return f"api/v2/{name}.json"


def _documents(view: View) -> tuple[dict[str, Json], dict[str, Json]]:
    """Return the documents of this moment, and those of what has happened, by their names."""
    listed = components(view)
    known = {item["id"]: item for item in listed}
    incidents = [incident(view, item, known) for item in announced.incidents(view)]
    unresolved = [item for item in incidents if item["resolved_at"] is None]
    planned = [maintenance(view, item, known) for item in announced.maintenances(view)]
    upcoming = [item for item in reversed(planned) if item["status"] == "scheduled"]
    active = [item for item in reversed(planned) if item["status"] in _ACTIVE]
    now, then = page(view, checked_at(view)), page(view, changed_at(view))
    summary = {
        "components": components(view, looked=True),
        "incidents": unresolved,
        "scheduled_maintenances": [*active, *upcoming],
    }
    moment = {"summary": now | summary | status(view), "status": now | status(view)}
    events = {
        "components": {"components": listed},
        "incidents": {"incidents": incidents[:NEWEST]},
        "incidents/unresolved": {"incidents": unresolved},
        "scheduled-maintenances": {"scheduled_maintenances": planned[:NEWEST]},
        "scheduled-maintenances/upcoming": {"scheduled_maintenances": upcoming},
        "scheduled-maintenances/active": {"scheduled_maintenances": active},
    }
    return moment, {name: then | content for name, content in events.items()}
