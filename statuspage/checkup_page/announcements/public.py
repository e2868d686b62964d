"""What an announcement may name: components, by what is public of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Self

from msgspec import Struct

from checkup.ports import Checker
from checkup_page.announcements.announcement import AffectedComponent


class PublicComponents(Struct, frozen=True):
    """The components of the page that are of a checker, in the order of the configuration.

    Attributes:
        components: by checker id.
        groups: the checker ids of each group, by its name.
    """

    components: Mapping[str, AffectedComponent] = {}
    groups: Mapping[str, tuple[str, ...]] = {}

    @classmethod
    def of(cls, checkers: Iterable[Checker], components: Mapping[str, AffectedComponent]) -> Self:
        """Return the checkers that are on the page; ``components`` are by their ids."""
        shown: dict[str, AffectedComponent] = {}
        groups: dict[str, tuple[str, ...]] = {}
        for checker in checkers:
            if checker.id in components:
                shown[checker.id] = components[checker.id]
                groups[checker.group] = (*groups.get(checker.group, ()), checker.id)
        return cls(shown, groups)

    def named(
        self, checkers: Collection[str], groups: Iterable[str] = ()
    ) -> dict[str, AffectedComponent]:
        """Return the components that an announcement is about, by checker id.

        What is hidden, or is not configured any more, is left out.
        """
        members = (checker for group in groups for checker in self.groups.get(group, ()))
        wanted = {*checkers, *members}
        return {checker: it for checker, it in self.components.items() if checker in wanted}
