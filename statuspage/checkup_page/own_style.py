"""The owner's colours and style sheet, as the last word of the page's style. Pure.

A style sheet can ask for nothing from anybody: the page's policy forbids it. The configuration
refuses one with which it could end.
"""

from __future__ import annotations

from typing import Final

from msgspec import structs

from checkup.config.page import PageSettings, Palette
from checkup_page.state import ComponentStatus

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
"""Where the colours of a theme stand; as in ``page.css``."""

_TINT: Final = "--tint-{state}:color-mix(in srgb,{color} 12%,var(--card));"


def custom_css(page: PageSettings) -> str:
    """Return CSS; empty if the owner has chosen nothing."""
    rules = "".join(
        rule.format(colors=_colors(palette))
        for theme, where in _WHERE.items()
        if (palette := getattr(page.colors, theme)) != Palette()
        for rule in where
    )
    # Whoever forces colours of their own is not to be overruled.
    colors = f"@media (forced-colors:none){{{rules}}}" if rules else ""
    return colors + _plain(page.css)


def _plain(css: str) -> str:
    """Return a text that a browser reads exactly as it is written, for the policy has its hash."""
    lines = css.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    return lines.encode(errors="replace").decode()


def _colors(palette: Palette) -> str:
    chosen = {name: color for name, color in structs.asdict(palette).items() if color}
    own = "".join(f"--{name}:{color};" for name, color in chosen.items())
    states = [state for state in ComponentStatus if state in chosen]
    return own + "".join(_TINT.format(state=state, color=chosen[state]) for state in states)
