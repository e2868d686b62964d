"""What channels are called and which alerts each is told. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from checkup.model import Alert
from checkup.ports import Checker, NotifierSettings


class Route(Struct, frozen=True, kw_only=True):
    """What a channel is for; one that says nothing is for everything.

    Attributes:
        groups, tags: only checkers that are in one of these groups or have one of these tags.
        severities: only what is, or until now was, one of these statuses; so whoever hears of
            the beginning hears of the end.
    """

    groups: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()

    def admits(self, alert: Alert, checker: Checker | None) -> bool:
        """Say whether the channel is told.

        What is about the monitor itself concerns everybody, and of a checker that is no longer
        configured nobody knows any more whom it concerned.

        Args:
            checker: the one that the alert is about, if it is configured.
        """
        if not alert.checker:
            return True
        return self._is_severe(alert) and (checker is None or self._is_for(checker))

    def _is_severe(self, alert: Alert) -> bool:
        return not self.severities or bool({alert.status, alert.before} & {*self.severities})

    def _is_for(self, checker: Checker) -> bool:
        if not self.groups and not self.tags:
            return True
        return checker.group in self.groups or bool({*checker.tags} & {*self.tags})


MATCH_ALL: Final = Route()


def route(settings: NotifierSettings) -> Route:
    """Return what a channel is configured to be for."""
    return Route(groups=settings.groups, tags=settings.tags, severities=settings.severities)


def channel_names(notifiers: Sequence[NotifierSettings]) -> tuple[str, ...]:
    """Return the name of each channel, under which its outbox is kept.

    Without an id, names stay the same as long as the order within a kind does.
    """
    seen: Counter[str] = Counter()
    found = []
    for settings in notifiers:
        seen[settings.kind] += 1
        number = seen[settings.kind]
        usual = settings.kind if number == 1 else f"{settings.kind}-{number}"
        found.append(settings.id or usual)
    return tuple(found)
