"""The page for machines: every file of it that is not for a browser."""

from __future__ import annotations

from checkup.interfaces import PageFile
from checkup_page.formats import badges, feeds, icalendar, openmetrics, statuspage_api, uptime_csv
from checkup_page.view import PageView, lasting


class MachineFiles:
    """The files of one page.

    Most of them say what has happened. They are made again only when something has, and can
    say nothing else, because they are made of a page without the present.
    """

    def __init__(self) -> None:
        self._made: tuple[PageView, dict[str, PageFile]] | None = None

    def files(self, view: PageView) -> dict[str, PageFile]:
        """Return the files by their paths."""
        settled, made = lasting(view), self._made
        if made is None or made[0] != settled:
            made = self._made = (settled, _lasting_files(settled))
        return {**statuspage_api.live_files(view), **openmetrics.files(view), **made[1]}


def _lasting_files(view: PageView) -> dict[str, PageFile]:
    return {
        **statuspage_api.settled_files(view),
        **badges.files(view),
        **icalendar.files(view),
        **feeds.files(view),
        **uptime_csv.files(view),
    }
