"""The updates of an announcement, and what they say of the components."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

from checkup_page.announcements.announcement import (
    AffectedComponent,
    IncidentView,
    MaintenanceView,
    UpdateView,
)
from checkup_page.formats.served import Json
from checkup_page.speech.words import format_iso

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

    What a component was before and after an update follows from the update and the impact.
    """
    words = [_OPERATIONAL if update.status in _WELL else _MEANT[impact] for update in updates]
    changes = pairwise([*words, _OPERATIONAL])
    return {
        "incident_updates": [
            _update(item, update, _affected(item, before, after, listed))
            for update, (after, before) in zip(updates, changes, strict=True)
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


def _affected(
    item: IncidentView | MaintenanceView, before: str, after: str, listed: Listed
) -> list[Json]:
    return [
        {
            "code": one.key,
            "name": _full_name(one, listed),
            "old_status": before,
            "new_status": after,
        }
        for one in item.affected
    ]


def _full_name(affected: AffectedComponent, listed: Listed) -> str:
    """Return the name after that of the group."""
    group = listed.get(affected.key, {}).get("group_id")
    return f"{listed[group]['name']} - {affected.name}" if group else affected.name
