"""From the view to one page of HTML, with all that is the same on every page."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from typing import Final
from urllib.parse import quote

from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket
from markupsafe import Markup

from checkup import times
from checkup.colors import COLORS
from checkup.interfaces import PageFile
from checkup_page.assets import page_assets
from checkup_page.components.bars import COLUMNS, bar_paths
from checkup_page.incidents.build import incident_overview
from checkup_page.locale import Locale, html_translator, load_translations
from checkup_page.status import ComponentStatus
from checkup_page.view import PageView

SUBSCRIBE_LINKS: Final = (
    {"path": "history.atom", "type": "application/atom+xml", "name": "updates.atom"},
    {"path": "history.rss", "type": "application/rss+xml", "name": "updates.rss"},
    {"path": "maintenance.ics", "type": "text/calendar", "name": "updates.calendar"},
    {"path": "api/v2/summary.json", "type": "application/json", "name": "updates.json"},
    {"path": "uptime.csv", "type": "text/csv", "name": "updates.table"},
)
"""What keeps people and programs up to date, and what it is called."""

TEMPLATES: Final = Path(__file__).parent / "templates"
_HTML: Final = "text/html; charset=utf-8"

_REMEMBERED: Final = 1000
"""Texts of each kind that need not be made again."""


def render_page(  # noqa: PLR0913 - all but what it is by name
    view: PageView,
    template: str,
    path: str,
    *,
    max_age: int,
    every: int = 0,
    news: str = "",
    stylesheet: str = "",
    **values: object,
) -> PageFile:
    """Return one page.

    A template knows, besides ``values``: ``view``; ``page``, the same; ``home`` and ``root``,
    what to write before a path of this language's pages and before a path of the site; ``say``
    and the other ways in which the view's locale tells something.

    Args:
        view: what every page shows.
        template: its name.
        path: where the page will be, from the root of its language.
        max_age: as in :class:`PageFile`, like ``every`` and ``news``.
        every: the same.
        news: the same.
        stylesheet: a style sheet that it needs besides that of every page.
        values: what this template shows besides.
    """
    home = "../" * path.count("/")
    root = f"{home}{view.root_prefix}"
    given = {
        "home": home,
        "logo": view.logo if view.logo.startswith("data:") else root + view.logo,
        "page": view,
        "path": path,
        "root": root,
        "view": view,
    }
    templates = _templates(view.locale.translations.code, view.locale.zone)
    text = templates.get_template(template).render(
        given | page_assets(stylesheet, view.style) | values
    )
    body = text.encode(errors="replace")
    return PageFile(
        body=body, content_type=_HTML, max_age=max_age, min_interval=every, urgent_content=news
    )


class _Compiled(BytecodeCache):
    """Templates as they were compiled for one language, for the others."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


_COMPILED: Final = _Compiled()


@cache
def _templates(code: str, zone: str) -> Environment:
    """Return the templates in one language."""
    templates = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        bytecode_cache=_COMPILED,
    )
    locale = Locale(translations=load_translations(code), zone=zone)
    templates.globals |= {
        "State": ComponentStatus,
        "board_of": incident_overview,
        "columns": COLUMNS,
        "icon": _icon,
        "language": locale.translations,
        "say": html_translator(locale.translations),
        "subscriptions": SUBSCRIBE_LINKS,
        "words": _words(locale),
        "zone": zone,
    }
    told: dict[str, Callable[..., str]] = {
        "cadence": locale.format_interval,
        "date": locale.format_date,
        "day": locale.format_day,
        "elapsed": locale.format_response_time,
        "iso": times.format_iso,
        "lasting": locale.format_duration,
        "minutes": times.format_iso_minutes,
        "moment": locale.format_datetime,
        "month": locale.format_month,
        "seconds": times.format_iso_seconds,
        "short_moment": locale.format_short_datetime,
    }
    # Pages have many of their times and lengths in common.
    templates.filters |= {name: lru_cache(_REMEMBERED)(tell) for name, tell in told.items()}
    templates.filters |= {"prose": _prose, "strokes": bar_paths}
    # It is the same on every page.
    templates.globals["sprite"] = _prose(templates.get_template("sprite.html").render())
    return templates


def _words(locale: Locale) -> dict[str, str]:
    """Return the phrases with which the script tells what ``DayBars.said`` says."""
    phrases = {"uptime": "day.uptime", "d": "day.down", "g": "day.degraded"}
    phrases |= {"u": "day.unknown", "m": "day.maintenance"}
    phrases |= {name: f"length.{name}" for name in ("moment", "minutes", "hours", "both")}
    return {name: locale.translations.text(key) for name, key in phrases.items()}


def _prose(html: str) -> Markup:
    """Return what was rendered and made safe where it was written, see :class:`UpdateView`."""
    return Markup(html)  # noqa: S704 - as said above


@cache
def _icon(state: ComponentStatus) -> str:
    """Return the picture of a state for the browser's tab, as an address that contains it."""
    icon = _templates("en", "UTC").get_template("icon.svg")
    drawing = icon.render(state=state, color=COLORS["light"][state])
    return f"data:image/svg+xml,{quote(drawing.strip(), safe='')}"
