"""Uptime by component and day, for spreadsheets (RFC 4180)."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import StringIO
from typing import Final

from checkup.interfaces import PageFile
from checkup_page.components.history import COLUMNS
from checkup_page.formats.base import text_file
from checkup_page.view import HOURLY, PageView

PATH: Final = "uptime.csv"
_CSV: Final = "text/csv; charset=utf-8; header=present"
_FORMULA: Final = tuple("=+-@＝＋－＠")  # noqa: RUF001 - spreadsheets take the wide ones too
"""First characters of cells that a spreadsheet computes."""


def files(view: PageView) -> dict[str, PageFile]:
    """Return the table by its path; its last day is yesterday."""
    return {PATH: text_file("".join(_lines(view)), _CSV, every=HOURLY)}


def _lines(view: PageView) -> Iterator[str]:
    yield _line("component", "group", "id", *COLUMNS)
    for group in view.groups:
        for item in group.components:
            names = _line(_escape_formula(item.name), _escape_formula(group.name), item.key)
            row_start = names.removesuffix("\r\n")
            yield from (f"{row_start},{row}\r\n" for row in item.csv_rows)


def _line(*cells: str) -> str:
    written = StringIO()
    csv.writer(written).writerow(cells)
    return written.getvalue()


def _escape_formula(name: str) -> str:
    """Return a name that a spreadsheet does not compute."""
    return f"'{name}" if name.startswith(_FORMULA) else name
