"""The machine-readable files of the page."""

from __future__ import annotations

from checkup.interfaces import PageFile
from checkup_page.formats import badges, feeds, icalendar, openmetrics, statuspage_api, uptime_csv
from checkup_page.view import PageView, without_present


class MachineFiles:
    """The files of one page.

    Most of them are rendered from the view without the present, and again only when that changes.
    """

    def __init__(self) -> None:
        self._rendered: tuple[PageView, dict[str, PageFile]] | None = None

    def files(self, view: PageView) -> dict[str, PageFile]:
        """Return the files by their paths."""
        settled, rendered = without_present(view), self._rendered
        if rendered is None or rendered[0] != settled:
            rendered = self._rendered = (settled, _settled_files(settled))
        return {**statuspage_api.live_files(view), **openmetrics.files(view), **rendered[1]}


def _settled_files(view: PageView) -> dict[str, PageFile]:
    return {
        **statuspage_api.settled_files(view),
        **badges.files(view),
        **icalendar.files(view),
        **feeds.files(view),
        **uptime_csv.files(view),
    }
