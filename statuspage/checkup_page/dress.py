"""The style and the script of a page, and the policy that allows nothing else."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Final

from markupsafe import Markup

_STATIC: Final = Path(__file__).parent / "static"


@cache
def page_assets(sheet: str, own: str) -> dict[str, str]:
    """Return the style and the script of a page, and the policy that allows nothing else."""
    style, script = _tight(_static("page.css")), _static("page.js")
    if sheet:
        style += _tight(_static(sheet))
    style += own
    return {
        "policy": _policy(style, script),
        "script": Markup(script),  # noqa: S704 - it is ours
        "style": Markup(style),  # noqa: S704 - ours, and what the owner adds cannot end it
    }


def _static(name: str) -> str:
    """Return a file of ours without indentation, comments and empty lines."""
    lines = (_STATIC / name).read_text("utf-8").splitlines()
    kept = (line.strip() for line in lines)
    return "\n".join(line for line in kept if line and not line.startswith("//"))


def _tight(style: str) -> str:
    """Return a style sheet without comments and the spaces that mean nothing."""
    tight = re.sub(r"/\*.*?\*/|\s*([{};,])\s*|(?<=:) ", r"\1", style)
    return tight.replace(";}", "}")


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
