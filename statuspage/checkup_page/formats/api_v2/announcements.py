"""Incidents and maintenance as the API tells them."""

from __future__ import annotations

from checkup_page.announcements.announcement import IncidentView, MaintenanceView, UpdateView
from checkup_page.formats.api_v2.story import Listed, incident_updates
from checkup_page.formats.served import Json, absolute_url
from checkup_page.identity import public_key
from checkup_page.speech.words import format_iso
from checkup_page.view import PageView


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
    """Return a time of maintenance; clients expect that there is an update, if only the plan."""
    plan = UpdateView(
        key=public_key(item.key, "plan"), status="scheduled", at=item.created_at, body="", html=""
    )
    return {
        **_announcement(view, item),
        "created_at": format_iso(item.created_at),
        "monitoring_at": None,
        "resolved_at": _time(item.scheduled_until if item.status == "completed" else None),
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
