"""The page for machines: every file of it that is not for a browser."""

from __future__ import annotations

from checkup.ports import PageFile
from checkup_page.formats import api_v2, badges, calendar_file, feed, metrics, uptime_csv
from checkup_page.view import View


def formats(view: View) -> dict[str, PageFile]:
    """Return the files by their paths."""
    return {
        path: file
        for format_ in (api_v2, badges, calendar_file, feed, metrics, uptime_csv)
        for path, file in format_.files(view).items()
    }
