"""From the view to one page of HTML, with all that is the same on every page."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from checkup.ports import PageFile
from checkup_page import words
from checkup_page.language import language
from checkup_page.recent import COLUMNS, strokes
from checkup_page.state import State
from checkup_page.view import View
from checkup_page.voice import Voice

_HERE: Final = Path(__file__).parent
_HTML: Final = "text/html; charset=utf-8"


def page(  # noqa: PLR0913 - all but what it is by name
    view: View,
    template: str,
    path: str,
    *,
    max_age: int,
    every: int = 0,
    news: str = "",
    **values: object,
) -> PageFile:
    """Return one page.

    A template knows, besides ``values``: ``view``; ``page``, the same; ``home`` and ``root``,
    what to write before a path of this language's pages and before a path of the site; ``say``
    and the other ways in which the view's voice tells something.

    Args:
        view: what every page shows.
        template: its name.
        path: where the page will be, from the root of its language.
        max_age: as in :class:`PageFile`, like ``every`` and ``news``.
        every: the same.
        news: the same.
        values: what this template shows besides.
    """
    home = "../" * path.count("/")
    given = {"page": view, "view": view, "home": home, "root": f"{home}{view.up}"}
    templates = _templates(view.voice.language.code, view.voice.zone)
    text = templates.get_template(template).render(given | values)
    body = text.encode(errors="replace")
    return PageFile(body=body, content_type=_HTML, max_age=max_age, every=every, news=news)


@cache
def _templates(code: str, zone: str) -> Environment:
    """Return the templates in one language."""
    templates = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    voice = Voice(language=language(code), zone=zone)
    style, script = _tight(_static("page.css")), _static("page.js")
    templates.globals |= {
        "State": State,
        "columns": COLUMNS,
        "icon": _icon,
        "language": voice.language,
        "policy": _policy(style, script),
        "say": _saying(voice),
        # These two are ours and contain nothing of anybody else.
        "script": Markup(script),  # noqa: S704
        "style": Markup(style),  # noqa: S704
        "zone": zone,
    }
    templates.filters |= {
        "cadence": voice.cadence,
        "elapsed": voice.elapsed,
        "iso": words.iso,
        "lasting": voice.lasting,
        "minutes": words.iso_minutes,
        "moment": voice.moment,
        "seconds": words.iso_seconds,
        "short_moment": voice.short_moment,
        "strokes": strokes,
    }
    return templates


def _saying(voice: Voice) -> Callable[..., Markup]:
    """Return what says phrases in HTML: markup among the values stays, all else is escaped."""

    def say(key: str, **values: object) -> Markup:
        return escape(voice.language.phrase(key, values.get("n"))).format_map(values)

    return say


def _static(name: str) -> str:
    """Return a file of ours without indentation, comments and empty lines."""
    lines = (_HERE / "static" / name).read_text("utf-8").splitlines()
    kept = (line.strip() for line in lines)
    return "\n".join(line for line in kept if line and not line.startswith("//"))


def _tight(style: str) -> str:
    """Return a style sheet without the spaces that mean nothing."""
    return re.sub(r"\s*([{};,])\s*|(?<=:) ", r"\1", style)


def _policy(style: str, script: str) -> str:
    """Return a content security policy that lets nothing run or load but what is ours."""
    return "; ".join(
        [
            "default-src 'none'",
            f"style-src {_digest(style)}",
            f"script-src {_digest(script)}",
            "img-src 'self' data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _icon(state: State) -> str:
    """Return the picture of a state for the browser's tab, as an address that contains it."""
    drawing = _templates("en", "UTC").get_template("icon.svg").render(state=state)
    return f"data:image/svg+xml,{quote(drawing.strip(), safe='')}"
