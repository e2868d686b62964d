"""Components that are being worked on: what they do meanwhile is no outage. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from checkup_page.announcements.announcement import Maintenance
from checkup_page.state import State
from checkup_page.view import Component

UNDER_WAY = frozenset({"in_progress", "verifying"})


def under_way(maintenances: Iterable[Maintenance]) -> tuple[Maintenance, ...]:
    """Return what is going on at this moment."""
    return tuple(item for item in maintenances if item.status in UNDER_WAY)


def worked_on(
    components: Iterable[Component], maintenances: Iterable[Maintenance]
) -> Iterator[Component]:
    """Yield the components, those in maintenance as such; what nobody could see stays unknown."""
    current = under_way(maintenances)
    everything = any(not item.affected for item in current)
    keys = {affected.key for item in current for affected in item.affected}
    for item in components:
        if item.state is not State.UNKNOWN and (everything or item.key in keys):
            yield replace(item, state=State.MAINTENANCE)
        else:
            yield item
