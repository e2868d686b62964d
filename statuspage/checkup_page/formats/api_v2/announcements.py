"""Incidents and maintenance as the API tells them."""

from __future__ import annotations

from checkup_page.announcements.announcement import Incident, Maintenance, Update
from checkup_page.formats.api_v2.story import Listed, story
from checkup_page.formats.served import Json, address
from checkup_page.identity import stable_key
from checkup_page.speech.words import iso
from checkup_page.view import View


def incident(view: View, item: Incident, listed: Listed) -> Json:
    """Return an incident."""
    monitored = (update.at for update in item.updates if update.status == "monitoring")
    return {
        **_announcement(view, item),
        "created_at": iso(item.updates[-1].at),
        "monitoring_at": _time(max(monitored, default=None)),
        "resolved_at": _time(item.resolved_at),
        "impact": item.impact,
        "started_at": iso(item.started_at),
        **story(item, item.updates, item.impact, listed),
    }


def maintenance(view: View, item: Maintenance, listed: Listed) -> Json:
    """Return a time of maintenance; clients expect that there is an update, if only the plan."""
    plan = Update(
        key=stable_key(item.key, "plan"), status="scheduled", at=item.created_at, body="", html=""
    )
    return {
        **_announcement(view, item),
        "created_at": iso(item.created_at),
        "monitoring_at": None,
        "resolved_at": _time(item.scheduled_until if item.status == "completed" else None),
        "impact": "maintenance",
        "started_at": iso(item.created_at),
        "scheduled_for": iso(item.scheduled_for),
        "scheduled_until": iso(item.scheduled_until),
        **story(item, item.updates or (plan,), "maintenance", listed),
    }


def _announcement(view: View, item: Incident | Maintenance) -> Json:
    return {
        "id": item.key,
        "name": item.title,
        "status": item.status,
        "updated_at": iso(item.updated_at),
        "shortlink": address(view, item.path),
        "page_id": view.key,
    }


def _time(moment: int | None) -> str | None:
    return None if moment is None else iso(moment)
