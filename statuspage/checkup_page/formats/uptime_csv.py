"""Uptime by component and day, for spreadsheets (RFC 4180)."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from io import StringIO
from typing import Final

from checkup.interfaces import PageFile
from checkup_page.components.history import COLUMNS
from checkup_page.formats.base import text_file
from checkup_page.view import ComponentGroup, PageView, component_interval

PATH: Final = "uptime.csv"
_CSV: Final = "text/csv; charset=utf-8; header=present"
_FORMULA: Final = tuple("=+-@＝＋－＠")  # noqa: RUF001 - spreadsheets take the wide ones too
"""First characters of cells that a spreadsheet computes."""


MAX_COMPONENTS: Final = 1000
"""With more components, the file holds yesterday only, and each group has a file with all days."""


def files(view: PageView) -> dict[str, PageFile]:
    """Return the table by its path; its last day is yesterday."""
    if len(view.components) <= MAX_COMPONENTS:
        return {PATH: _file(view, view.groups, slice(None))}
    return {
        PATH: _file(view, view.groups, slice(-1, None)),
        **{f"uptime/{it.key}.csv": _file(view, [it], slice(None)) for it in view.groups},
    }


def _file(view: PageView, groups: Iterable[ComponentGroup], days: slice) -> PageFile:
    every = component_interval(len(view.components))
    return text_file("".join(_lines(groups, days)), _CSV, every=every)


def _lines(groups: Iterable[ComponentGroup], days: slice) -> Iterator[str]:
    yield _line("component", "group", "id", *COLUMNS)
    for group in groups:
        for item in group.components:
            names = _line(_escape_formula(item.name), _escape_formula(group.name), item.key)
            row_start = names.removesuffix("\r\n")
            yield from (f"{row_start},{row}\r\n" for row in item.csv_rows[days])


def _line(*cells: str) -> str:
    written = StringIO()
    csv.writer(written).writerow(cells)
    return written.getvalue()


def _escape_formula(name: str) -> str:
    """Return a name that a spreadsheet does not compute."""
    return f"'{name}" if name.startswith(_FORMULA) else name
