"""What the page says of a component, a group or the whole: one word, one shape, one colour."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from checkup.model import Status


class ComponentStatus(StrEnum):
    """The states of the page, named as in the API of Statuspage where that has a name."""

    OPERATIONAL = "operational"
    DEGRADED = "degraded"
    PARTIAL = "partial_outage"
    MAJOR = "major_outage"
    MAINTENANCE = "maintenance"
    UNKNOWN = "unknown"

    @classmethod
    def of(cls, status: Status) -> ComponentStatus:
        """Return how one component with this status is shown."""
        return _STATES[status]

    @classmethod
    def together(cls, states: Iterable[ComponentStatus]) -> ComponentStatus:
        """Return the state of several components: an outage of all of them is a major one.

        What is not known is worse than what is well and no excuse for what is not. Whoever is
        in maintenance does not count, unless there is nothing worse to say.
        """
        every = set(states)
        seen = every - {cls.MAINTENANCE}
        if seen != every and seen <= {cls.OPERATIONAL}:
            return cls.MAINTENANCE
        if seen == {cls.MAJOR}:
            return cls.MAJOR
        if seen & {cls.MAJOR, cls.PARTIAL}:
            return cls.PARTIAL
        if cls.DEGRADED in seen:
            return cls.DEGRADED
        return cls.OPERATIONAL if seen == {cls.OPERATIONAL} else cls.UNKNOWN


_STATES = {
    Status.HEALTHY: ComponentStatus.OPERATIONAL,
    Status.DEGRADED: ComponentStatus.DEGRADED,
    Status.DOWN: ComponentStatus.MAJOR,
    Status.UNKNOWN: ComponentStatus.UNKNOWN,
}
