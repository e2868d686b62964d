"""Texts to copy that show the badge of a component somewhere else. Pure."""

from __future__ import annotations

import html
import re
from typing import NamedTuple

from checkup_page.view import ComponentView, PageView


class BadgeSnippets(NamedTuple):
    """What to copy, and where the files are that it needs.

    Attributes:
        markdown, html: the badge as a link to the component's page.
        picture: the badge, from the root of the site.
        endpoint: what shields.io makes a badge of; an address if that of the page is known.
    """

    markdown: str
    html: str
    picture: str
    endpoint: str


def badge_snippets(view: PageView, item: ComponentView) -> BadgeSnippets:
    """Return the snippets of a component, with whole addresses if that of the page is known."""
    site = f"{view.url.rstrip('/')}/" if view.url else ""
    picture = f"badges/{item.key}.svg"
    page = f"{site}{view.folder}{item.path}"
    text = re.sub(r"([\\\[\]`*_<>])", r"\\\1", item.name)
    name = html.escape(item.name)
    return BadgeSnippets(
        markdown=f"[![{text}]({site}{picture})]({page})",
        html=f'<a href="{page}"><img src="{site}{picture}" alt="{name}"></a>',
        picture=picture,
        endpoint=f"{site}badges/{item.key}/uptime-90d.json",
    )
