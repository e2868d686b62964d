"""The colours of the page's themes, its badges and icons, and of notifications."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

COLORS: Final[Mapping[str, Mapping[str, str]]] = {
    "light": {
        "page": "#f6f8fa",
        "card": "#ffffff",
        "text": "#1f2328",
        "muted": "#59636e",
        "line": "#d1d9e0",
        "mark": "#818b98",
        "accent": "#0969da",
        "operational": "#1a7f37",
        "degraded": "#9a6700",
        "partial_outage": "#bc4c00",
        "major_outage": "#cf222e",
        "maintenance": "#0969da",
        "unknown": "#59636e",
        "tint-operational": "#e8f6ec",
        "tint-degraded": "#fff6dc",
        "tint-partial_outage": "#fff0e4",
        "tint-major_outage": "#ffecea",
        "tint-maintenance": "#eaf3ff",
        "tint-unknown": "#f0f2f5",
    },
    "dark": {
        "page": "#0d1117",
        "card": "#161b22",
        "text": "#e6edf3",
        "muted": "#9198a1",
        "line": "#30363d",
        "mark": "#6e7681",
        "accent": "#58a6ff",
        "operational": "#3fb950",
        "degraded": "#d29922",
        "partial_outage": "#db6d28",
        "major_outage": "#f85149",
        "maintenance": "#58a6ff",
        "unknown": "#9198a1",
        "tint-operational": "#0f2417",
        "tint-degraded": "#272013",
        "tint-partial_outage": "#2b1b10",
        "tint-major_outage": "#2d1619",
        "tint-maintenance": "#0f2238",
        "tint-unknown": "#1c2128",
    },
}
"""By theme and name of the CSS variable; badges, icons and notifications use the light ones."""

BADGE_LABEL: Final = "#32383f"
"""The background of a badge's left half."""

BADGE_GOOD: Final = "#4d7a0d"
"""A badge whose uptime is between those of ``operational`` and ``degraded``."""
