"""A page for each incident, each maintenance and each month, and one that lists the months."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import is_
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from checkup.config.settings import Config
from checkup.interfaces import PageFile
from checkup_page import html
from checkup_page.build_view import build_archived_month
from checkup_page.incidents.build import IncidentData, days_of_month
from checkup_page.incidents.view import IncidentMonth, IncidentView, MaintenanceView
from checkup_page.view import PageView

HISTORY: Final = "history/index.html"
MAX_AGE: Final = 60
SHEET: Final = "announcement.css"


class IncidentPageInput(Struct, frozen=True, kw_only=True):
    """All that is on a page; as long as it is the same, so is the page.

    Attributes:
        view: what every page shows, and nothing that changes with each run.
        template: its name.
        path: where the page is, from the root of its language.
        item: its incident, maintenance or month; all months for the list of months.
        newer, older: the months beside it.
    """

    view: PageView
    template: str
    path: str
    item: IncidentView | MaintenanceView | IncidentMonth | tuple[IncidentMonth, ...]
    newer: IncidentMonth | None = None
    older: IncidentMonth | None = None


Made = tuple[IncidentPageInput, PageFile]
"""What a page was rendered from, and the page."""


class IncidentPages:
    """The pages of a site; one is rendered again only when its input differs."""

    def __init__(self) -> None:
        self._made: dict[str, Made] = {}
        self._archived: dict[tuple[str, int], tuple[IncidentData, IncidentMonth]] = {}
        self._shells: dict[str, PageView] = {}
        self._settled: dict[str, tuple[PageView, Sequence[IncidentMonth], Mapping[str, Made]]] = {}

    def files(
        self, config: Config, views: Iterable[PageView], archived: Mapping[int, IncidentData]
    ) -> dict[str, PageFile]:
        """Return the pages by their paths, in all languages.

        Args:
            config: the checkers that archived months may name.
            views: one per language.
            archived: the months before those of the views; one that has not changed is the same
                object as before.
        """
        made: dict[str, Made] = {}
        for view in views:
            shell, months = self._shell(view), self._months(config, view, archived)
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
        """Return the pages of incidents and maintenance of archived months, which become more.

        Mostly they are those of the last time, and nothing is compared.
        """
        known, months, pages = self._settled.get(folder, (None, (), {}))
        if known is not shell or len(months) != len(old) or not all(map(is_, months, old)):
            incidents = [it for month in old for it in month.incidents]
            planned = [it for month in old for it in month.maintenances]
            pages = dict(self._pages(folder, _item_pages(shell, incidents, planned)))
            self._settled[folder] = (shell, old, pages)
        return pages

    def _shell(self, view: PageView) -> PageView:
        """Return what every page shows; the same object as last time if it is equal."""
        shell, before = view.layout, self._shells.get(view.folder)
        if before is None or before != shell:
            self._shells[view.folder] = shell
        return self._shells[view.folder]

    def _months(
        self, config: Config, view: PageView, archived: Mapping[int, IncidentData]
    ) -> tuple[IncidentMonth, ...]:
        """Return all months, newest first."""
        months = [*view.months]
        lasting = {it.key: it for it in view.incidents}
        for begin, data in archived.items():
            key = (view.locale.translations.code, begin)
            known, month = self._archived.get(key, (None, None))
            if month is None or known is not data:
                month = build_archived_month(config, view, data)
                self._archived[key] = (data, month)
            # Of what began in it and still lasts, or lately did, the month does not know the end.
            if any(it.key in lasting for it in month.incidents):
                now = tuple(lasting.get(it.key, it) for it in month.incidents)
                month = replace(month, incidents=now)
            months.append(month)
        return tuple(months)


def _subjects(
    view: PageView, shell: PageView, months: Sequence[IncidentMonth]
) -> Iterator[IncidentPageInput]:
    incidents = (*view.incidents, *(it for month in months for it in month.incidents))
    planned = (
        *view.maintenances,
        *view.completed_maintenances,
        *(it for m in months for it in m.maintenances),
    )
    return _item_pages(shell, incidents, planned)


def _item_pages(
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
