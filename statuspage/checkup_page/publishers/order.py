"""The order in which a page is put in place."""

from __future__ import annotations

from collections.abc import Iterable


def index_last(paths: Iterable[str]) -> list[str]:
    """Return the paths with ``index.html`` last: all that it leads to is there before it."""
    return sorted(paths, key=lambda path: (path == "index.html", path))
