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
from checkup_page.view import DAILY, HOURLY, ComponentView, PageView, component_interval

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
    """One badge.

    Attributes:
        color: behind the message, as ``#rrggbb``; dark enough for white letters.
    """

    label: str
    message: str
    color: str


def badge_svg(badge: Badge) -> PageFile:
    """Return a badge as an SVG; its texts get the width that they need in a usual font."""
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

    A badge without data is an error there, so that its colour cannot be overridden.
    """
    content = {
        "schemaVersion": 1,
        "label": badge.label,
        "message": badge.message,
        "color": badge.color,
        "isError": badge.color == UNKNOWN,
        "cacheSeconds": SETTLED_MAX_AGE,
    }
    return text_file(to_json(content), JSON, every=every)


PAGE: Final = "page"
"""The page itself in the paths of badges; keys of components are longer."""

_STATUS_COLORS: Final = {state: COLORS["light"][state] for state in ComponentStatus}
_STEPS: Final = (
    (99.9, _STATUS_COLORS[ComponentStatus.OPERATIONAL]),
    (99.0, BADGE_GOOD),
    (97.5, _STATUS_COLORS[ComponentStatus.DEGRADED]),
    (95.0, _STATUS_COLORS[ComponentStatus.PARTIAL]),
    (0.0, _STATUS_COLORS[ComponentStatus.MAJOR]),
)
"""Per cent of uptime, and the colour from there on."""

_TIME: Final = COLORS["light"]["accent"]

_TIMED: Final = ("24h", "7d", "30d")
"""Spans of which there is a badge of the response time."""

_NAME_LIMIT: Final = 40


def files(view: PageView) -> dict[str, PageFile]:
    """Return the badges by their paths."""
    locale = view.locale
    components, every = view.components, component_interval(len(view.components))
    found = _health(PAGE, _short(view.title), view.overall.state, locale)
    found |= _uptimes(PAGE, _short(view.title), _page_uptimes(components), locale, HOURLY)
    for item in components:
        name = _short(item.name)
        found |= _health(item.key, name, item.status, locale)
        uptimes = ((period.name, period.uptime) for period in item.periods)
        found |= _uptimes(item.key, name, uptimes, locale, every)
        found |= _responses(item.key, name, item.periods, locale)
    return found


def _health(key: str, name: str, state: ComponentStatus, locale: Locale) -> dict[str, PageFile]:
    badge = Badge(
        label=name, message=locale.translate(f"state.{state}"), color=_STATUS_COLORS[state]
    )
    return {
        f"badges/{key}.svg": badge_svg(badge),
        f"badges/{key}/health.json": shields_endpoint(badge),
    }


def _page_uptimes(components: Iterable[ComponentView]) -> Iterator[tuple[str, str | None]]:
    """Yield the uptimes of all components together, weighted by their observed time."""
    tallies: dict[str, list[Tally]] = {}
    for item in components:
        for period in item.periods:
            tallies.setdefault(period.name, []).append(period.tally)
    for name, every in tallies.items():
        yield name, add_tallies(every).uptime_percent


def _uptimes(
    key: str, name: str, uptimes: Iterable[tuple[str, str | None]], locale: Locale, every: int
) -> dict[str, PageFile]:
    return {
        f"badges/{key}/uptime-{span}.json": shields_endpoint(
            Badge(
                label=locale.translate("badge.uptime", name=name, span=span),
                message=locale.translate("state.unknown") if uptime is None else f"{uptime}%",
                color=UNKNOWN if uptime is None else _uptime_color(float(uptime)),
            ),
            every=every,
        )
        for span, uptime in uptimes
    }


def _uptime_color(uptime: float) -> str:
    return next(color for least, color in _STEPS if uptime >= least)


def _responses(
    key: str, name: str, periods: Iterable[PeriodStats], locale: Locale
) -> dict[str, PageFile]:
    found = {}
    for period in periods:
        if period.name in _TIMED:
            times = period.response
            badge = Badge(
                label=locale.translate("badge.response", name=name, span=period.name),
                message=locale.format_response_time(times.p50)
                if times
                else locale.translate("state.unknown"),
                color=_TIME if times else UNKNOWN,
            )
            path = f"badges/{key}/response-{period.name}.json"
            # Three a component, and nearly all of them change with every run.
            found[path] = shields_endpoint(badge, every=DAILY)
    return found


def _short(name: str) -> str:
    return clean_line(name, _NAME_LIMIT)
