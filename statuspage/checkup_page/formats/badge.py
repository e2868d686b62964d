"""One badge: two texts side by side, as a picture and for shields.io."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from checkup.ports import PageFile
from checkup_page.formats.drawn import render_xml
from checkup_page.formats.served import JSON, SETTLED_MAX_AGE, text_file, to_json
from checkup_page.formats.text_width import text_width

UNKNOWN: Final = "#59636e"

_SVG: Final = "image/svg+xml; charset=utf-8"
_SIZE, _GAP = 11, 6


class Badge(Struct, frozen=True, kw_only=True):
    """What a badge says.

    Attributes:
        colour: behind the message, as ``#rrggbb``; dark enough for white letters.
    """

    label: str
    message: str
    colour: str


def badge_svg(badge: Badge) -> PageFile:
    """Return a badge as an SVG that needs no font: its texts are given the room they have."""
    text = render_xml(
        "badge.svg",
        badge=badge,
        left=text_width(badge.label, _SIZE) + 2 * _GAP,
        right=text_width(badge.message, _SIZE) + 2 * _GAP,
        size=_SIZE,
        gap=_GAP,
    )
    return text_file(text, _SVG)


def shields_endpoint(badge: Badge, *, every: int = 0) -> PageFile:
    """Return a badge for shields.io (https://shields.io/badges/endpoint-badge).

    Nobody is to give another colour to one that says that nothing is known.
    """
    content = {
        "schemaVersion": 1,
        "label": badge.label,
        "message": badge.message,
        "color": badge.colour,
        "isError": badge.colour == UNKNOWN,
        "cacheSeconds": SETTLED_MAX_AGE,
    }
    return text_file(to_json(content), JSON, every=every)
