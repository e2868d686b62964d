"""How wide a text is, without asking a font."""

from __future__ import annotations

import unicodedata
from typing import Final

_CLASSES: Final = {
    300: " ',.IJijl",
    350: "-/:;\\f|",
    400: "!()[]rt",
    450: '"',
    500: "*_`sz",
    550: "?Lc",
    600: "FPTYaekovxy",
    700: "ABCRVXZ",
    750: "DHNU",
    800: "&GOQw",
    850: "#+<=>M^~",
    950: "%m",
    1000: "@W",
}
"""Characters by their width in DejaVu Sans, whose widths are those of Verdana, in thousandths of
the font's size."""

_WIDTHS: Final = {char: width for width, chars in _CLASSES.items() for char in chars}
_USUAL, _FULL = 650, 1000


def text_width(text: str, size: int) -> int:
    """Return the width in pixels at a size of the font."""
    return -(-sum(map(_width, text)) * size // 1000)


def _width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    if unicodedata.east_asian_width(character) in {"W", "F"}:
        return _FULL
    return _WIDTHS.get(character, _USUAL)
