"""The ``page`` of a configuration, once it has been read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct, field, structs

from checkup.config.fields import SettingsReader
from checkup.config.source import Member, Node, ObjectNode
from checkup.interfaces.kinds import Color, Duration, Locales, Seconds
from checkup.times import DAY, SECOND, is_time_zone


class PageLink(Struct, frozen=True, kw_only=True):
    """A link at the head of the page."""

    title: Annotated[str, Meta(description="The words to click on.")]
    url: Annotated[str, Meta(description="Where they lead.")]


class StatusText(Struct, frozen=True, kw_only=True):
    """The verdict's words; the page's own where they are absent."""

    healthy: Annotated[str, Meta(description="When all is well.")] = ""
    degraded: Annotated[str, Meta(description="When something is slow.")] = ""
    down: Annotated[str, Meta(description="When something is down.")] = ""
    unknown: Annotated[str, Meta(description="When too little is known.")] = ""


class IncidentSettings(Struct, frozen=True, kw_only=True):
    """Outages that the page tells as incidents, without anybody writing a word.

    What a person has written about one counts in its place.
    """

    automatic: Annotated[bool, Meta(description="Whether there are any.")] = True
    after: Annotated[
        Duration,
        Meta(ge=0, description="How long an outage lasts before it is told; 0 for at once."),
    ] = 300 * SECOND
    minimum: Annotated[
        Duration, Meta(ge=0, description="Those that were shorter are never told.")
    ] = 120 * SECOND


class Palette(Struct, frozen=True, kw_only=True):
    """Colours of the page; its own where they are absent.

    Each is read as text on the page and on its cards, and so has to stand out from both.
    """

    accent: Annotated[Color, Meta(description="Links, and what has the focus.")] = ""
    operational: Annotated[Color, Meta(description="What is well.")] = ""
    degraded: Annotated[Color, Meta(description="What is slow.")] = ""
    partial_outage: Annotated[Color, Meta(description="What is down in part.")] = ""
    major_outage: Annotated[Color, Meta(description="What is down.")] = ""
    maintenance: Annotated[Color, Meta(description="What is being worked on.")] = ""
    unknown: Annotated[Color, Meta(description="What could not be seen.")] = ""


class Colors(Struct, frozen=True, kw_only=True):
    """The colours by day and by night."""

    light: Annotated[Palette, Meta(description="On a light ground.")] = Palette()
    dark: Annotated[Palette, Meta(description="On a dark ground.")] = Palette()


class PageSettings(Struct, frozen=True, kw_only=True):
    """The ``page`` of the configuration."""

    title: Annotated[str, Meta(description="The page's name.")] = "Status"
    url: Annotated[str, Meta(description="Where the page is found, for links in messages.")] = ""
    logo: Annotated[str, Meta(description="A picture's path or data URL.")] = ""
    links: Annotated[tuple[PageLink, ...], Meta(description="Links at the head.")] = ()
    timezone: Annotated[str, Meta(description="The zone of times and days.")] = "UTC"
    languages: Annotated[Locales, Meta(description="Languages, the preferred one first.")] = ("en",)
    theme: Annotated[
        Literal["auto", "light", "dark"], Meta(description="Colours; auto follows the reader.")
    ] = "auto"
    colors: Annotated[Colors, Meta(description="Colours of its own.")] = Colors()
    css: Annotated[str, Meta(description="A style sheet of its own, after that of the page.")] = ""
    status_text: Annotated[StatusText, Meta(description="The verdict's words.")] = StatusText()
    timeframe: Annotated[Duration, Meta(ge=0, description="How far back results are shown.")] = DAY
    refresh_interval: Annotated[
        Seconds, Meta(ge=0, description="Seconds between looks for news; 0 for never.")
    ] = 60
    incidents: Annotated[
        IncidentSettings, Meta(description="Outages that are told as incidents.")
    ] = IncidentSettings()
    regions: Annotated[
        dict[str, str], Meta(description="Public names of regions; others are not shown.")
    ] = field(default_factory=dict)
    publish: Annotated[
        tuple[Literal["addresses", "certificates"], ...],
        Meta(description="What is private unless it is listed; it appears in `metrics.txt`."),
    ] = ()

    def __post_init__(self) -> None:
        if not self.languages:
            raise ValueError('"languages" is empty; write "languages": ["en"]')
        if not is_time_zone(self.timezone):
            raise ValueError(
                f'unknown time zone "{self.timezone}"; use a name like "Europe/Berlin"'
            )
        if "<" in self.css:
            raise ValueError('"css" contains "<", which a style sheet does not need; remove it')


# Colours that can be read but hardly be seen.


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
