"""The Markdown of incidents, rendered as safe HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from checkup.text import clean_line
from checkup_page.view import linkify, safe_link

LIMIT: Final = 10_000
"""Characters of one text; more is cut."""

_SPACES: Final = 40
"""Spaces in a row; more are cut."""

_PARTS: Final = re.compile(r" +|[^ ]+")
_REL: Final = "nofollow ugc noopener"

_UNWANTED: Final = ("heading", "lheading", "image", "hr")
"""A text stands below the page's own headings, and a picture would be a request to somebody."""


def clean_markdown(text: str) -> str:
    """Return a text of several lines without what could disturb its surroundings."""
    lines = [_line(line) for line in text[:LIMIT].expandtabs(4).splitlines()]
    return "\n".join(lines).strip("\n")


def render_markdown(text: str) -> str:
    """Return a cleaned text as HTML that is safe to show as it is."""
    if not text:
        return ""
    html: str = _parser().render(text)
    return html.strip()


def _line(line: str) -> str:
    """Return a cleaned line that keeps its spaces, for lists and the columns of code."""
    parts = (
        part[:_SPACES] if part[0] == " " else clean_line(part, LIMIT)
        for part in _PARTS.findall(line)
    )
    return "".join(parts).rstrip()


class _Parser(MarkdownIt):
    def validateLink(self, url: str) -> bool:  # noqa: N802 - the name is the library's
        """Say whether a link may lead there."""
        return bool(safe_link(url)) or url.casefold().startswith("mailto:")


@cache
def _parser() -> MarkdownIt:
    parser = _Parser("commonmark", {"html": False, "xhtmlOut": False})
    parser.disable(list(_UNWANTED))
    parser.core.ruler.push("links", _link)
    return parser


def _link(state: StateCore) -> None:
    """Turn bare URLs into links, and mark every link as user content."""
    for block in state.tokens:
        if block.children is None:
            continue
        children: list[Token] = []
        inside = False
        for token in block.children:
            if token.type == "link_open":
                token.attrSet("rel", _REL)
            inside = token.type == "link_open" or (inside and token.type != "link_close")
            is_bare = token.type == "text" and not inside
            children += _with_links(token) if is_bare else (token,)
        block.children = children


def _with_links(text: Token) -> Iterator[Token]:
    for part in linkify(text.content):
        word = Token("text", "", 0, content=part.text)
        if part.link:
            yield Token("link_open", "a", 1, attrs={"href": part.link, "rel": _REL})
            yield word
            yield Token("link_close", "a", -1)
        else:
            yield word
