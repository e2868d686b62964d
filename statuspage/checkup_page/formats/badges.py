"""Badges of the page and of each component: status, uptime and response time."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct

from checkup.colors import BADGE_GOOD, BADGE_LABEL, COLORS
from checkup.history.tally import Tally, add_tallies
from checkup.interfaces import PageFile
from checkup.text import clean_line
from checkup_page.components.history import PeriodStats
from checkup_page.formats.base import JSON, SETTLED_MAX_AGE, render_xml, text_file, to_json
from checkup_page.locale import Locale
from checkup_page.status import ComponentStatus
from checkup_page.view import DAILY, HOURLY, ComponentView, PageView

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


UNKNOWN: Final = COLORS["light"]["unknown"]
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
        label_color=BADGE_LABEL,
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


PAGE: Final = "page"
"""What stands for the whole page in the paths of badges; keys of components are longer."""

_COLOURS: Final = {state: COLORS["light"][state] for state in ComponentStatus}
_STEPS: Final = (
    (99.9, _COLOURS[ComponentStatus.OPERATIONAL]),
    (99.0, BADGE_GOOD),
    (97.5, _COLOURS[ComponentStatus.DEGRADED]),
    (95.0, _COLOURS[ComponentStatus.PARTIAL]),
    (0.0, _COLOURS[ComponentStatus.MAJOR]),
)
"""Per cent of uptime, and the colour from there on."""

_TIME: Final = COLORS["light"]["accent"]

_TIMED: Final = ("24h", "7d", "30d")
"""Spans of which there is a badge of the response time."""

_NAME_LIMIT: Final = 40


def files(view: PageView) -> dict[str, PageFile]:
    """Return the badges by their paths."""
    locale = view.locale
    components = [item for group in view.groups for item in group.components]
    found = _health(PAGE, _short(view.title), view.overall.state, locale)
    found |= _uptimes(PAGE, _short(view.title), _together(components), locale)
    for item in components:
        name = _short(item.name)
        found |= _health(item.key, name, item.status, locale)
        uptimes = ((stretch.name, stretch.uptime) for stretch in item.periods)
        found |= _uptimes(item.key, name, uptimes, locale)
        found |= _responses(item.key, name, item.periods, locale)
    return found


def _health(key: str, name: str, state: ComponentStatus, locale: Locale) -> dict[str, PageFile]:
    badge = Badge(label=name, message=locale.translate(f"state.{state}"), colour=_COLOURS[state])
    return {
        f"badges/{key}.svg": badge_svg(badge),
        f"badges/{key}/health.json": shields_endpoint(badge),
    }


def _together(components: Iterable[ComponentView]) -> Iterator[tuple[str, str | None]]:
    """Yield the uptimes of all components together: their observed times count alike."""
    tallies: dict[str, list[Tally]] = {}
    for item in components:
        for stretch in item.periods:
            tallies.setdefault(stretch.name, []).append(stretch.tally)
    for name, every in tallies.items():
        yield name, add_tallies(every).uptime_percent


def _uptimes(
    key: str, name: str, uptimes: Iterable[tuple[str, str | None]], locale: Locale
) -> dict[str, PageFile]:
    return {
        f"badges/{key}/uptime-{span}.json": shields_endpoint(
            Badge(
                label=locale.translate("badge.uptime", name=name, span=span),
                message=locale.translate("state.unknown") if uptime is None else f"{uptime}%",
                colour=UNKNOWN if uptime is None else _colour(float(uptime)),
            ),
            every=HOURLY,
        )
        for span, uptime in uptimes
    }


def _colour(uptime: float) -> str:
    return next(colour for least, colour in _STEPS if uptime >= least)


def _responses(
    key: str, name: str, stretches: Iterable[PeriodStats], locale: Locale
) -> dict[str, PageFile]:
    found = {}
    for stretch in stretches:
        if stretch.name in _TIMED:
            times = stretch.response
            badge = Badge(
                label=locale.translate("badge.response", name=name, span=stretch.name),
                message=locale.format_response_time(times.p50)
                if times
                else locale.translate("state.unknown"),
                colour=_TIME if times else UNKNOWN,
            )
            path = f"badges/{key}/response-{stretch.name}.json"
            # There are three of each component, and hardly one stays as it is.
            found[path] = shields_endpoint(badge, every=DAILY)
    return found


def _short(name: str) -> str:
    return clean_line(name, _NAME_LIMIT)
