"""From templates to XML that every parser takes."""

from __future__ import annotations

import re
from email.utils import format_datetime
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from checkup_page.speech.words import format_iso, to_datetime

_FORBIDDEN: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 has no way to write."""


def render_xml(template: str, **values: object) -> str:
    """Return a document; what XML cannot hold is left out of it."""
    return _FORBIDDEN.sub("", _templates().get_template(template).render(values))


@cache
def _templates() -> Environment:
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    templates.filters |= {"iso": format_iso, "rfc822": _rfc822}
    return templates


def _rfc822(nanoseconds: int) -> str:
    return format_datetime(to_datetime(nanoseconds))
