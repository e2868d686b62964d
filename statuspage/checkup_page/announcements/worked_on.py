"""Components that are being worked on: what they do meanwhile is no outage. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from checkup_page.announcements.announcement import MaintenanceView
from checkup_page.state import ComponentStatus
from checkup_page.view import ComponentView

UNDER_WAY = frozenset({"in_progress", "verifying"})


def active_maintenance(maintenances: Iterable[MaintenanceView]) -> tuple[MaintenanceView, ...]:
    """Return what is going on at this moment."""
    return tuple(item for item in maintenances if item.status in UNDER_WAY)


def apply_maintenance(
    components: Iterable[ComponentView], maintenances: Iterable[MaintenanceView]
) -> Iterator[ComponentView]:
    """Yield the components, those in maintenance as such; what nobody could see stays unknown."""
    current = active_maintenance(maintenances)
    everything = any(not item.affected for item in current)
    keys = {affected.key for item in current for affected in item.affected}
    for item in components:
        if item.state is not ComponentStatus.UNKNOWN and (everything or item.key in keys):
            yield replace(item, state=ComponentStatus.MAINTENANCE)
        else:
            yield item
