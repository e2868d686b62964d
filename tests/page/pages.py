"""Small pages to publish, in editions of which each is newer than those before it."""

from __future__ import annotations

from itertools import count

from checkup.interfaces import PageFile, PageVersion
from checkup.times import SECOND
from tests.page.worlds import NOW

_made = count(NOW, SECOND)


def edition(position: int = 1) -> PageVersion:
    return PageVersion(position=position, made=next(_made))


def file(text: str, **fields: object) -> PageFile:
    given = {"content_type": "text/html; charset=utf-8", "max_age": 30}
    return PageFile(body=text.encode(), **{**given, **fields})  # type: ignore[arg-type]


def page(**texts: str | None) -> dict[str, PageFile]:
    """A page of four files; other texts by name, None for a file that it does not have."""
    given = {"index": "one", "lost": "lost", "status": "{}", "api": "API is well", **texts}
    paths = {
        "index": "index.html",
        "lost": "404.html",
        "status": "api/v2/status.json",
        "api": "components/api.html",
    }
    return {paths[name]: file(text) for name, text in given.items() if text is not None}
