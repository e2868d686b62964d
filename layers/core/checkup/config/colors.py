"""Colours that can be read but hardly be seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import structs

from checkup.config.page import PageSettings
from checkup.config.reading import SettingsReader
from checkup.config.tree import Member, Node, ObjectNode

BACKGROUND_COLORS: Final[Mapping[str, tuple[str, ...]]] = {
    "light": ("#f6f8fa", "#ffffff"),
    "dark": ("#0d1117", "#161b22"),
}
"""What the page and its cards are painted with."""

MIN_CONTRAST: Final = 4.5
"""The contrast of text, WCAG 2.2, 1.4.3."""


def check_colors(reading: SettingsReader, page: PageSettings, at: Node) -> None:
    """Warn of colours that are too much like what they stand on."""
    for theme, grounds in BACKGROUND_COLORS.items():
        for name, color in structs.asdict(getattr(page.colors, theme)).items():
            least = (
                min(contrast_ratio(color, ground) for ground in grounds) if color else MIN_CONTRAST
            )
            if least < MIN_CONTRAST:
                text = f"hard to read: its contrast is {least:.1f}, and text needs {MIN_CONTRAST}"
                fix = "make it darker" if theme == "light" else "make it lighter"
                place = _find(at, ("colors", theme, name))
                reading.report.warn(place, f"page.colors.{theme}.{name}", text, fix)


def contrast_ratio(one: str, other: str) -> float:
    """Return the contrast of two colours, 1 to 21.

    https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio
    """
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(color: str) -> float:
    shares = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4  # noqa: PLR2004
        for share in shares
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _find(node: Node, names: tuple[str, ...]) -> int:
    """Return the place of a key inside others."""
    for name in names:
        members: tuple[Member, ...] = node.members if isinstance(node, ObjectNode) else ()
        found = [it.value for it in members if it.key.casefold() == name]
        node = found[-1] if found else node
    return node.at
