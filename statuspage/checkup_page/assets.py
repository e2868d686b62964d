"""Style, script and content security policy of a page, with the owner's colours and CSS.

The owner's CSS comes last. The policy keeps it from loading anything, and the configuration rejects
CSS that could end the style element.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Final

from markupsafe import Markup
from msgspec import structs

from checkup.colors import COLORS
from checkup.config.page import PageSettings, Palette
from checkup_page.status import ComponentStatus

_STATIC: Final = Path(__file__).parent / "static"


@cache
def page_assets(sheet: str, own: str, more: str = "") -> dict[str, str]:
    """Return the style and script of a page, and the policy that allows nothing else."""
    style, script = _themes() + _tight(_static("page.css")), _static("page.js")
    if more:
        script += "\n" + _static(more)
    if sheet:
        style += _tight(_static(sheet))
    style += own
    return {
        "policy": _policy(style, script),
        "script": Markup(script),  # noqa: S704 - it is ours
        "style": Markup(style),  # noqa: S704 - ours, and what the owner adds cannot end it
    }


def _themes() -> str:
    """Return the rules that choose a theme: the reader's choice, or else the system's."""
    light, dark = (
        "".join(f"--{name}:{color};" for name, color in theme.items()).rstrip(";")
        for theme in (COLORS["light"], COLORS["dark"])
    )
    return (
        f":root{{color-scheme:light dark;{light}}}"
        "@media screen and (prefers-color-scheme:dark)"
        f'{{:root:not([data-theme="light"]){{{dark}}}}}'
        ':root[data-theme="light"]{color-scheme:light}'
        f'@media screen{{:root[data-theme="dark"]{{color-scheme:dark;{dark}}}}}'
    )


def _static(name: str) -> str:
    """Return a static file without indentation, comments and empty lines."""
    lines = (_STATIC / name).read_text("utf-8").splitlines()
    kept = (line.strip() for line in lines)
    return "\n".join(line for line in kept if line and not line.startswith("//"))


def _tight(style: str) -> str:
    """Return a style sheet without comments and superfluous spaces."""
    tight = re.sub(r"/\*.*?\*/|\s*([{};,])\s*|(?<=:) ", r"\1", style)
    return tight.replace(";}", "}")


def _policy(style: str, script: str) -> str:
    """Return a policy that allows this style, this script and images of the site."""
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


_WHERE: Final = {
    "light": (":root{{{colors}}}",),
    "dark": (
        (
            "@media screen and (prefers-color-scheme:dark)"
            '{{:root:not([data-theme="light"]){{{colors}}}}}'
        ),
        '@media screen{{:root[data-theme="dark"]{{{colors}}}}}',
    ),
}
"""Rules for the owner's colours of a theme, as in ``_themes``."""

_TINT: Final = "--tint-{state}:color-mix(in srgb,{color} 12%,var(--card));"


def custom_css(page: PageSettings) -> str:
    """Return the owner's colours and CSS; empty if there are none."""
    rules = "".join(
        rule.format(colors=_colors(palette))
        for theme, where in _WHERE.items()
        if (palette := getattr(page.colors, theme)) != Palette()
        for rule in where
    )
    # A reader who forces colours keeps them.
    colors = f"@media (forced-colors:none){{{rules}}}" if rules else ""
    return colors + _plain(page.css)


def _plain(css: str) -> str:
    """Return CSS without what a browser would replace, because the policy has its hash."""
    lines = css.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    return lines.encode(errors="replace").decode()


def _colors(palette: Palette) -> str:
    chosen = {name: color for name, color in structs.asdict(palette).items() if color}
    own = "".join(f"--{name}:{color};" for name, color in chosen.items())
    states = [state for state in ComponentStatus if state in chosen]
    return own + "".join(_TINT.format(state=state, color=chosen[state]) for state in states)
