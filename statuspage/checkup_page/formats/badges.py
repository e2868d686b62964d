"""Badges: a picture for each component and for the page, and the same for shields.io."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from checkup.ports import PageFile
from checkup_page.formats.drawn import drawn
from checkup_page.formats.served import JSON, LASTING, document, text_file
from checkup_page.formats.text_width import width
from checkup_page.state import State
from checkup_page.view import View
from checkup_page.words import clean

PAGE: Final = "page"
"""What stands for the whole page in the paths of badges; no key of a component is as short."""

COLOURS: Final = {
    State.OPERATIONAL: "#1a7f37",
    State.DEGRADED: "#9a6700",
    State.PARTIAL: "#bc4c00",
    State.MAJOR: "#cf222e",
    State.MAINTENANCE: "#0969da",
    State.UNKNOWN: "#59636e",
}
"""Those of the light page, on all of which white can be read."""

_SVG: Final = "image/svg+xml; charset=utf-8"
_NAME_LIMIT: Final = 40
_SIZE, _GAP = 11, 6


class Badge(Struct, frozen=True, kw_only=True):
    """Two words side by side.

    Attributes:
        colour: of the second one, as ``#rrggbb``.
        known: it says something; nobody is to paint a badge green that says nothing.
    """

    label: str
    message: str
    colour: str
    known: bool


def files(view: View) -> dict[str, PageFile]:
    """Return the badges by their paths."""
    found = {}
    for key, name, state in _subjects(view):
        badge = Badge(
            label=clean(name, _NAME_LIMIT),
            message=view.voice.say(f"state.{state}"),
            colour=COLOURS[state],
            known=state is not State.UNKNOWN,
        )
        found[f"badges/{key}.svg"] = text_file(picture(badge), _SVG)
        found[f"badges/{key}/health.json"] = endpoint(badge)
    return found


def _subjects(view: View) -> Iterator[tuple[str, str, State]]:
    yield PAGE, view.title, view.verdict.state
    for group in view.groups:
        for item in group.components:
            yield item.key, item.name, item.state


def picture(badge: Badge) -> str:
    """Return a badge as an SVG that needs no font: its texts are given the room they have."""
    return drawn(
        "badge.svg",
        label=badge.label,
        message=badge.message,
        colour=badge.colour,
        left=width(badge.label, _SIZE) + 2 * _GAP,
        right=width(badge.message, _SIZE) + 2 * _GAP,
        size=_SIZE,
        gap=_GAP,
    )


def endpoint(badge: Badge, *, every: int = 0) -> PageFile:
    """Return a badge for shields.io (https://shields.io/badges/endpoint-badge)."""
    content = {
        "schemaVersion": 1,
        "label": badge.label,
        "message": badge.message,
        "color": badge.colour,
        "isError": not badge.known,
        "cacheSeconds": LASTING,
    }
    return text_file(document(content), JSON, every=every)
