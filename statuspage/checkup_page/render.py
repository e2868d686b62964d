"""From the view to the files of the page."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from checkup.history.tally import FORMULA
from checkup.ports import PageFile
from checkup_page import statuspage_v2, words
from checkup_page.days import LOOKS
from checkup_page.recent import COLUMNS, strokes
from checkup_page.state import State
from checkup_page.view import View

INDEX: Final = "index.html"
NOT_FOUND: Final = "404.html"
STATUS: Final = "api/v2/status.json"
SUMMARY: Final = "api/v2/summary.json"

MAX_AGE: Final = 30
"""Seconds that a copy may be kept: a change is to be seen soon."""

NOT_FOUND_MAX_AGE: Final = 300

_HERE = Path(__file__).parent
_HTML, _JSON = "text/html; charset=utf-8", "application/json; charset=utf-8"


def render(view: View) -> dict[str, PageFile]:
    """Return the files by their paths, each as it is to be served."""
    pages = _pages()
    return {
        STATUS: _json(statuspage_v2.status(view)),
        SUMMARY: _json(statuspage_v2.summary(view)),
        NOT_FOUND: _html(pages, NOT_FOUND, view, NOT_FOUND_MAX_AGE),
        INDEX: _html(pages, INDEX, view, MAX_AGE),
    }


def _json(content: Mapping[str, object]) -> PageFile:
    body = json.dumps(content, ensure_ascii=True, separators=(",", ":")).encode()
    return PageFile(body=body, content_type=_JSON, max_age=MAX_AGE)


def _html(pages: Environment, path: str, view: View, max_age: int) -> PageFile:
    text = pages.get_template(path).render(page=view, view=view)
    return PageFile(body=text.encode(), content_type=_HTML, max_age=max_age)


@cache
def _pages() -> Environment:
    """Return the templates, with all that is the same on every page."""
    pages = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    style, script = _tight(_static("page.css")), _static("page.js")
    pages.globals |= {
        "State": State,
        "columns": COLUMNS,
        "formula": FORMULA,
        "icon": _icon,
        "looks": LOOKS,
        "policy": _policy(style, script),
        # These two are ours and contain nothing of anybody else.
        "script": Markup(script),  # noqa: S704
        "style": Markup(style),  # noqa: S704
    }
    pages.filters |= {
        "cadence": words.cadence,
        "counted": words.counted,
        "iso": words.iso,
        "elapsed": words.elapsed,
        "minutes": words.iso_minutes,
        "moment": words.moment,
        "seconds": words.iso_seconds,
        "short_moment": words.short_moment,
        "strokes": strokes,
    }
    return pages


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
    drawing = _pages().get_template("icon.svg").render(state=state)
    return f"data:image/svg+xml,{quote(drawing.strip(), safe='')}"
