"""Render one page of HTML from the view and a template."""

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
"""Files that people and programs subscribe to, and the translation keys of their names."""

TEMPLATES: Final = Path(__file__).parent / "templates"
_HTML: Final = "text/html; charset=utf-8"

_CACHED: Final = 1000
"""Results of each filter that are kept."""


def render_page(  # noqa: PLR0913 - all but what it is by name
    view: PageView,
    template: str,
    path: str,
    *,
    max_age: int,
    every: int = 0,
    news: str = "",
    stylesheet: str = "",
    script: str = "",
    **values: object,
) -> PageFile:
    """Return one page.

    A template has, besides ``values``: ``view``, also as ``page``; ``home`` and ``root``, the
    prefixes of a path in this language's folder and at the root of the site; ``translate`` and
    the filters of the view's locale.

    Args:
        view: the page's.
        template: its name.
        path: of the page, from the root of its language.
        max_age: as in :class:`PageFile`, like ``every`` and ``news``.
        every: the same.
        news: the same.
        stylesheet: a style sheet besides that of every page.
        script: likewise.
        values: further variables of the template.
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
        given | page_assets(stylesheet, view.style, script) | values
    )
    body = text.encode(errors="replace")
    return PageFile(
        body=body, content_type=_HTML, max_age=max_age, min_interval=every, urgent_content=news
    )


class _Compiled(BytecodeCache):
    """Keeps templates that were compiled for one language for the others."""

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
        "ComponentStatus": ComponentStatus,
        "columns": COLUMNS,
        "icon": _icon,
        "incident_overview": incident_overview,
        "language": locale.translations,
        "script_phrases": _script_phrases(locale),
        "subscriptions": SUBSCRIBE_LINKS,
        "translate": html_translator(locale.translations),
        "zone": zone,
    }
    filters: dict[str, Callable[..., str]] = {
        "date": locale.format_date,
        "datetime": locale.format_datetime,
        "day": locale.format_day,
        "duration": locale.format_duration,
        "interval": locale.format_interval,
        "iso": times.format_iso,
        "minutes": times.format_iso_minutes,
        "month": locale.format_month,
        "response_time": locale.format_response_time,
        "seconds": times.format_iso_seconds,
        "short_datetime": locale.format_short_datetime,
    }
    # Pages share many of their times and durations.
    templates.filters |= {name: lru_cache(_CACHED)(format_) for name, format_ in filters.items()}
    templates.filters |= {"bar_paths": bar_paths, "prose": _prose}
    # The same on every page.
    templates.globals["sprite"] = _prose(templates.get_template("sprite.html").render())
    return templates


def _script_phrases(locale: Locale) -> dict[str, str]:
    """Return the phrases with which the script describes ``DayBars.details``."""
    phrases = {
        "uptime": "day.uptime",
        "d": "day.down",
        "g": "day.degraded",
        "u": "day.unknown",
        "m": "day.maintenance",
        "moment": "duration.under_a_minute",
        "minutes": "duration.minutes",
        "hours": "duration.hours",
        "both": "duration.hours_minutes",
    }
    return {name: locale.translations.text(key) for name, key in phrases.items()}


def _prose(html: str) -> Markup:
    """Return HTML that was made safe where it was rendered, see :class:`UpdateView`."""
    return Markup(html)  # noqa: S704 - as the docstring says


@cache
def _icon(state: ComponentStatus) -> str:
    """Return the icon of a status for the browser's tab, as a data URL."""
    icon = _templates("en", "UTC").get_template("icon.svg")
    drawing = icon.render(state=state, color=COLORS["light"][state])
    return f"data:image/svg+xml,{quote(drawing.strip(), safe='')}"
