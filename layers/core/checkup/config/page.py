"""The ``page`` of the configuration, and the contrast of its colours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct, field, structs

from checkup.colors import COLORS
from checkup.config.fields import SettingsReader
from checkup.config.source import Member, Node, ObjectNode
from checkup.interfaces.kinds import (
    Color,
    Duration,
    Locales,
    Seconds,
    SettingProblem,
    Settings,
)
from checkup.times import DAY, SECOND, is_time_zone


class PageLink(Struct, frozen=True, kw_only=True):
    """A link in the header of the page."""

    title: Annotated[str, Meta(description="Link text.")]
    url: Annotated[str, Meta(description="Link target.")]


class StatusText(Struct, frozen=True, kw_only=True):
    """Texts for the overall status; by default those of the page's language."""

    healthy: Annotated[str, Meta(description="When everything is healthy.")] = ""
    degraded: Annotated[str, Meta(description="When something is degraded.")] = ""
    down: Annotated[str, Meta(description="When something is down.")] = ""
    unknown: Annotated[str, Meta(description="When the status is unknown.")] = ""


class IncidentSettings(Struct, frozen=True, kw_only=True):
    """Incidents that the page creates from outages.

    An incident that a person writes about an outage replaces the automatic one.
    """

    automatic: Annotated[bool, Meta(description="Create incidents from outages.")] = True
    after: Annotated[
        Duration,
        Meta(ge=0, description="Length of an outage before it becomes an incident; 0 for at once."),
    ] = 300 * SECOND
    minimum: Annotated[
        Duration, Meta(ge=0, description="Ended outages shorter than this are not shown.")
    ] = 120 * SECOND


class Palette(Struct, frozen=True, kw_only=True):
    """Colours of the page; its defaults where they are absent.

    Each is used for text on the page and on its cards, and needs enough contrast to both.
    """

    accent: Annotated[Color, Meta(description="Links and focus.")] = ""
    operational: Annotated[Color, Meta(description="Operational.")] = ""
    degraded: Annotated[Color, Meta(description="Degraded.")] = ""
    partial_outage: Annotated[Color, Meta(description="Partial outage.")] = ""
    major_outage: Annotated[Color, Meta(description="Major outage.")] = ""
    maintenance: Annotated[Color, Meta(description="Under maintenance.")] = ""
    unknown: Annotated[Color, Meta(description="Unknown.")] = ""


class Colors(Struct, frozen=True, kw_only=True):
    """The colours of the light and of the dark theme."""

    light: Annotated[Palette, Meta(description="Colours of the light theme.")] = Palette()
    dark: Annotated[Palette, Meta(description="Colours of the dark theme.")] = Palette()


class PageSettings(Settings, frozen=True, kw_only=True):
    """The ``page`` of the configuration."""

    title: Annotated[str, Meta(description="Title of the page.")] = "Status"
    url: Annotated[
        str, Meta(description="Public URL of the page, for links in alerts.", extra={"url": True})
    ] = ""
    id: Annotated[
        str, Meta(description="Source of the public ids; by default the first published `url`.")
    ] = ""
    logo: Annotated[str, Meta(description="Path or data URL of an image.")] = ""
    links: Annotated[tuple[PageLink, ...], Meta(description="Links in the header.")] = ()
    timezone: Annotated[str, Meta(description="Time zone of the page.")] = "UTC"
    languages: Annotated[Locales, Meta(description="Languages, the default first.")] = ("en",)
    theme: Annotated[
        Literal["auto", "light", "dark"],
        Meta(description="Colour theme; auto follows the browser."),
    ] = "auto"
    colors: Annotated[Colors, Meta(description="Custom colours.")] = Colors()
    css: Annotated[str, Meta(description="Custom CSS, applied after the page's own.")] = ""
    status_text: Annotated[StatusText, Meta(description="Texts for the overall status.")] = (
        StatusText()
    )
    timeframe: Annotated[Duration, Meta(ge=0, description="How far back results are shown.")] = DAY
    refresh_interval: Annotated[
        Seconds, Meta(ge=0, description="Seconds between refreshes; 0 for none.")
    ] = 60
    incidents: Annotated[IncidentSettings, Meta(description="Incidents created from outages.")] = (
        IncidentSettings()
    )
    regions: Annotated[
        dict[str, str], Meta(description="Public names of regions; others are not shown.")
    ] = field(default_factory=dict)
    publish: Annotated[
        tuple[Literal["addresses", "certificates"], ...],
        Meta(description="Private values to publish in `metrics.txt`."),
    ] = ()

    def find_errors(self) -> Iterator[SettingProblem]:
        """See :meth:`checkup.interfaces.kinds.Settings.find_errors`."""
        if not self.languages:
            yield SettingProblem("languages", "is empty", 'write "languages": ["en"]')
        if not is_time_zone(self.timezone):
            yield SettingProblem("timezone", *unknown_time_zone(self.timezone))
        if "<" in self.css:
            text = 'contains "<", which a style sheet does not need'
            yield SettingProblem("css", text, "remove it")


def unknown_time_zone(name: str) -> tuple[str, str]:
    """Return what is wrong with a time zone that this machine does not know, and the fix."""
    return f'unknown time zone "{name}"', 'use a name like "Europe/Berlin"'


MIN_CONTRAST: Final = 4.5
"""The contrast of text, WCAG 2.2, 1.4.3."""


def check_colors(reading: SettingsReader, page: PageSettings, at: Node) -> None:
    """Warn of colours that are too much like what they stand on."""
    for theme, defaults in COLORS.items():
        grounds = (defaults["page"], defaults["card"])
        for name, color in structs.asdict(getattr(page.colors, theme)).items():
            least = (
                min(contrast_ratio(color, ground) for ground in grounds) if color else MIN_CONTRAST
            )
            if least < MIN_CONTRAST:
                text = f"hard to read: contrast is {least:.1f}, at least {MIN_CONTRAST} is required"
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
    return node.offset
