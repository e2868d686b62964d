"""A visitor who follows every link of every page."""

from __future__ import annotations

import http.client
from html.parser import HTMLParser
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit


class Answer(NamedTuple):
    status: int
    content_type: str
    body: bytes


def followed(start: str) -> dict[str, Answer]:
    """Return what is answered below an address, by the path from there; ``""`` is the first page.

    Links to elsewhere are left alone.
    """
    found: dict[str, Answer] = {}
    waiting = [start]
    while waiting:
        url = waiting.pop()
        path = url.removeprefix(start)
        if path in found:
            continue
        found[path] = _ask(url)
        if found[path].content_type.startswith("text/html"):
            links = _links(found[path].body.decode())
            targets = (urljoin(url, link).partition("#")[0] for link in links)
            waiting += [target for target in targets if target.startswith(start)]
    return found


def outside(start: str, answers: dict[str, Answer]) -> set[str]:
    """Return the links on the same server that lead out of the folder in which the page lies."""
    origin = urljoin(start, "/")
    return {
        target
        for path, answer in answers.items()
        if answer.content_type.startswith("text/html")
        for link in _links(answer.body.decode())
        if (target := urljoin(start + path, link)).startswith(origin)
        and not target.startswith(start)
    }


def _ask(url: str) -> Answer:
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.netloc, timeout=30)
    try:
        connection.request("GET", place.path or "/")
        answer = connection.getresponse()
        return Answer(answer.status, answer.getheader("Content-Type", ""), answer.read())
    finally:
        connection.close()


def _links(page: str) -> list[str]:
    parser = _Links()
    parser.feed(page)
    parser.close()
    return parser.found


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del tag
        self.found += [value for name, value in attrs if name in {"href", "src"} and value]
