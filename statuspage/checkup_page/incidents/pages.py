"""A page for each incident, each maintenance and each month, and one that lists the months."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import is_
from typing import Final, Protocol

from msgspec import Struct

from checkup.interfaces import PageFile
from checkup_page import html
from checkup_page.incidents.build import days_of_month
from checkup_page.incidents.view import IncidentMonth, IncidentView, MaintenanceView
from checkup_page.view import PageView

HISTORY: Final = "history/index.html"
MAX_AGE: Final = 60
SHEET: Final = "announcement.css"


class ArchivedMonths(Protocol):
    """Tells of months that are long over, which are given by their beginnings."""

    def said_of(self, month: int) -> object:
        """Return what may still be changed of it; as long as it is the same, so is the month."""
        ...

    def told(self, view: PageView, month: int) -> IncidentMonth | None:
        """Return it in the language of a view; None if it cannot be read."""
        ...


class IncidentPageInput(Struct, frozen=True, kw_only=True):
    """All that a page says; as long as it is the same, so is the page.

    Attributes:
        view: what every page shows, and nothing that changes with each run.
        template: its name.
        path: where the page is, from the root of its language.
        item: what it is about; of the list of months, all of them.
        newer, older: the months beside it.
    """

    view: PageView
    template: str
    path: str
    item: IncidentView | MaintenanceView | IncidentMonth | tuple[IncidentMonth, ...]
    newer: IncidentMonth | None = None
    older: IncidentMonth | None = None


Made = tuple[IncidentPageInput, PageFile]
"""A page, and what it was made of."""


class IncidentPages:
    """The pages of a site; one is made again only when there is something else to say on it."""

    def __init__(self) -> None:
        self._made: dict[str, Made] = {}
        self._old: dict[tuple[str, int], tuple[object, IncidentMonth]] = {}
        self._shells: dict[str, PageView] = {}
        self._settled: dict[str, tuple[PageView, Sequence[IncidentMonth], Mapping[str, Made]]] = {}

    def files(self, views: Iterable[PageView], old: ArchivedMonths) -> dict[str, PageFile]:
        """Return the pages by their paths, in all languages.

        Args:
            views: one per language.
            old: asked for each month before those of the view, until it is known.
        """
        made: dict[str, Made] = {}
        for view in views:
            shell, months = self._shell(view), self._months(view, old)
            recent, earlier = months[: len(view.months)], months[len(view.months) :]
            made |= self._settled_pages(view.folder, shell, earlier)
            made |= self._pages(view.folder, _subjects(view, shell, recent))
            made |= self._pages(view.folder, _overviews(shell, months))
        self._made = made
        return {path: file for path, (_, file) in made.items()}

    def _pages(
        self, folder: str, subjects: Iterable[IncidentPageInput]
    ) -> Iterator[tuple[str, Made]]:
        for subject in subjects:
            path = f"{folder}{subject.path}"
            before = self._made.get(path)
            if before is not None and _is_same(before[0], subject):
                yield path, before
            else:
                yield path, (subject, _page(subject))

    def _settled_pages(
        self, folder: str, shell: PageView, old: Sequence[IncidentMonth]
    ) -> Mapping[str, Made]:
        """Return what happened in months that are over: there is more of it from month to month.

        Mostly the pages are those of the last time, and nothing is compared.
        """
        known, months, pages = self._settled.get(folder, (None, (), {}))
        if known is not shell or len(months) != len(old) or not all(map(is_, months, old)):
            incidents = [it for month in old for it in month.incidents]
            planned = [it for month in old for it in month.maintenances]
            pages = dict(self._pages(folder, _told(shell, incidents, planned)))
            self._settled[folder] = (shell, old, pages)
        return pages

    def _shell(self, view: PageView) -> PageView:
        """Return what every page shows; the very object of the last time if it is the same."""
        shell, before = view.layout, self._shells.get(view.folder)
        if before is None or before != shell:
            self._shells[view.folder] = shell
        return self._shells[view.folder]

    def _months(self, view: PageView, old: ArchivedMonths) -> tuple[IncidentMonth, ...]:
        """Return all months, newest first."""
        earlier = (self._month(view, old, begin) for begin in view.archived_months)
        return (*view.months, *(month for month in earlier if month is not None))

    def _month(self, view: PageView, old: ArchivedMonths, begin: int) -> IncidentMonth | None:
        """Return an old month; as it was told last if it cannot be read."""
        said, key = old.said_of(begin), (view.locale.translations.code, begin)
        before, month = self._old.get(key, (None, None))
        if month is None or before != said:
            told = old.told(view, begin)
            if told is not None:
                self._old[key] = (said, told)
            month = told or month
        return month


def _subjects(
    view: PageView, shell: PageView, months: Sequence[IncidentMonth]
) -> Iterator[IncidentPageInput]:
    incidents = (*view.incidents, *(it for month in months for it in month.incidents))
    planned = (
        *view.maintenances,
        *view.completed_maintenances,
        *(it for m in months for it in m.maintenances),
    )
    return _told(shell, incidents, planned)


def _told(
    shell: PageView, incidents: Iterable[IncidentView], planned: Iterable[MaintenanceView]
) -> Iterator[IncidentPageInput]:
    for incident in {it.key: it for it in incidents}.values():
        yield IncidentPageInput(
            view=shell, template="incident.html", path=incident.path, item=incident
        )
    for maintenance in {it.key: it for it in planned}.values():
        yield IncidentPageInput(
            view=shell, template="maintenance.html", path=maintenance.path, item=maintenance
        )


def _overviews(shell: PageView, months: Sequence[IncidentMonth]) -> Iterator[IncidentPageInput]:
    for newer, month, older in zip((None, *months), months, (*months[1:], None), strict=False):
        yield IncidentPageInput(
            view=shell,
            template="month.html",
            path=month.path,
            item=month,
            newer=newer,
            older=older,
        )
    yield IncidentPageInput(view=shell, template="history.html", path=HISTORY, item=tuple(months))


def _is_same(one: IncidentPageInput, other: IncidentPageInput) -> bool:
    """Say whether two subjects are the same; mostly they are made of the very same parts."""
    return (one.view is other.view and one.item is other.item) or one == other


def _page(subject: IncidentPageInput) -> PageFile:
    item = subject.item
    return html.render_page(
        subject.view,
        subject.template,
        subject.path,
        max_age=MAX_AGE,
        stylesheet=SHEET,
        subject=subject,
        item=item,
        spans=days_of_month(item) if isinstance(item, IncidentMonth) else (),
    )
