"""Texts, numbers and times in the language and time zone of a page. Pure."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape
from msgspec import Struct, field

from checkup.times import DAY, HOUR, MILLISECOND, MINUTE, SECOND, to_datetime

DEFAULT: Final = "en"
_FOLDER = Path(__file__).parent / "locales"


class Translations(Struct, frozen=True):
    """The texts of one language.

    Attributes:
        code: as in BCP 47; also the name of its file.
        texts: by dotted keys: ``incident.status.resolved``.
    """

    code: str
    texts: Mapping[str, str]

    def text(self, key: str, n: object = None) -> str:
        """Return a text with its placeholders; ``n`` chooses between its plural forms, if any.

        Raises:
            KeyError: there is no such text.
        """
        if n == 1 and f"{key}.one" in self.texts:
            return self.texts[f"{key}.one"]
        other = self.texts.get(f"{key}.other")
        return self.texts[key] if other is None else other

    def translate(self, key: str, **values: object) -> str:
        """Return a text with its values filled in."""
        return self.text(key, values.get("n")).format_map(values)


@cache
def load_translations(code: str = DEFAULT) -> Translations:
    """Return the texts of a language.

    Raises:
        LookupError: there is no such language.
    """
    if code not in available_languages():
        raise LookupError(
            f'language "{code}" is not available; choose one of {", ".join(available_languages())}'
        )
    text = (_FOLDER / f"{code}.toml").read_text("utf-8")
    return Translations(code, dict(_flat(tomllib.loads(text))))


@cache
def available_languages() -> tuple[str, ...]:
    """Return the codes of all languages."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))


def _flat(tree: Mapping[str, Any], above: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, value in tree.items():
        name = f"{above}{key}"
        found += _flat(value, f"{name}.") if isinstance(value, dict) else [(name, value)]
    return found


_VALUE: Final = re.compile(r"\{(\w+)\}")


def html_translator(language: Translations) -> Callable[..., Markup]:
    """Return a function that translates into HTML: values are escaped unless they are markup.

    A page has hundreds of texts, so each is split only once.
    """

    @cache
    def parts(key: str, *, one: bool) -> tuple[str, ...]:
        """Return text and names of placeholders alternately, text first and last."""
        return tuple(_VALUE.split(escape(language.text(key, 1 if one else None))))

    def filled(key: str, values: Mapping[str, object]) -> Markup:
        pieces = list(parts(key, one=values.get("n") == 1))
        for at in range(1, len(pieces), 2):
            pieces[at] = escape(values[pieces[at]])
        return Markup("".join(pieces))  # noqa: S704 - each part has been escaped

    @cache
    def plain(key: str) -> Markup:
        return filled(key, {})

    def translate(key: str, **values: object) -> Markup:
        return filled(key, values) if values else plain(key)

    return translate


_MANY = 10

_NAMED = 4
"""Names in a list; further ones are only counted."""


class Locale(Struct, frozen=True, kw_only=True):
    """A language, and the time zone of all times.

    Attributes:
        zone: a name of the time zone database, as ``page.timezone`` gives it.
    """

    translations: Translations = field(default_factory=load_translations)
    zone: str = "UTC"

    def translate(self, key: str, **values: object) -> str:
        """Return a phrase, see :meth:`Translations.translate`."""
        return self.translations.translate(key, **values)

    def format_datetime(self, nanoseconds: int) -> str:
        """Return an absolute time and its zone: ``3 Aug 2026, 10:02 UTC``."""
        at = self._local(nanoseconds)
        return self.translate("time.datetime", **self._parts(at), year=at.year, zone=f"{at:%Z}")

    def format_short_datetime(self, nanoseconds: int) -> str:
        """Return a time without its year: ``3 Aug, 10:02``.

        In the hour that clocks repeat in autumn, with its zone: ``25 Oct, 02:30 CET``.
        """
        at = self._local(nanoseconds)
        text = self.translate("time.short", **self._parts(at))
        comes_twice = at.replace(fold=0).utcoffset() != at.replace(fold=1).utcoffset()
        return f"{text} {at:%Z}" if comes_twice else text

    def format_day(self, nanoseconds: int) -> str:
        """Return a day of UTC without its year: ``3 Aug``."""
        return self.translate("time.day", **self._parts(to_datetime(nanoseconds).astimezone(UTC)))

    def local_date(self, nanoseconds: int) -> date:
        """Return the date of a time in this zone."""
        return self._local(nanoseconds).date()

    def format_date(self, day: date) -> str:
        """Return a day with its year: ``3 Aug 2026``."""
        return self.translate("time.date", **self._parts(day), year=day.year)

    def format_month(self, nanoseconds: int) -> str:
        """Return a month of UTC: ``Aug 2026``."""
        at = to_datetime(nanoseconds).astimezone(UTC)
        return self.translate("time.month", **self._parts(at), year=at.year)

    def format_list(self, names: Sequence[str]) -> str:
        """Return a list of names: ``API, Shop and Mail``."""
        if len(names) == 1:
            return names[0]
        shown, others = names[:_NAMED], len(names) - _NAMED
        if others > 0:
            return self.translate("list.others", names=", ".join(shown), n=others)
        return self.translate("list.and", names=", ".join(shown[:-1]), last=shown[-1])

    def _local(self, nanoseconds: int) -> datetime:
        """Return a time in this zone; in UTC where the zone would leave the calendar."""
        at = to_datetime(nanoseconds)
        try:
            return at.astimezone(ZoneInfo(self.zone))
        except OverflowError:
            return at

    def _parts(self, at: date) -> dict[str, object]:
        months = self.translate("time.months").split()
        return {
            "day": at.day,
            "month": months[at.month - 1],
            "time": f"{at:%H:%M}",  # midnight if it is only a day
        }

    def format_interval(self, interval: int) -> str:
        """Return an interval: ``every minute``, ``every 90 seconds``.

        It may have been measured and be slightly off, so it is rounded.
        """
        for unit, name in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")):
            count = round(interval / unit)
            close = abs(interval - count * unit) <= max(unit // 60, 3 * SECOND)
            if count and (close or count >= _MANY):
                return self.translate(f"every.{name}", n=count)
        return self.translate("every.second", n=max(1, round(interval / SECOND)))

    def format_response_time(self, nanoseconds: int) -> str:
        """Return a response time with three figures at most: ``850 µs``, ``98 ms``, ``1.24 s``."""
        if nanoseconds < MILLISECOND:
            return self.translate("duration.microseconds", n=nanoseconds // 1000)
        if nanoseconds < SECOND:
            return self.translate("duration.milliseconds", n=nanoseconds // MILLISECOND)
        seconds = nanoseconds / SECOND
        shown = f"{seconds:.2f}" if seconds < 10 else f"{seconds:.1f}"  # noqa: PLR2004
        return self.translate("duration.seconds", n=shown)

    def format_duration(self, nanoseconds: int) -> str:
        """Return a duration: ``under a minute``, ``3 h 20 min``, ``4 d 2 h``."""
        if nanoseconds >= 2 * DAY:
            days, rest = divmod(nanoseconds, DAY)
            values = {"days": days, "hours": rest // HOUR}
            key = "duration.days_hours" if values["hours"] else "duration.days"
            return self.translate(key, **values)
        hours, minutes = divmod(nanoseconds // MINUTE, 60)
        if not hours:
            return (
                self.translate("duration.minutes", n=minutes)
                if minutes
                else self.translate("duration.under_a_minute")
            )
        values = {"hours": hours, "minutes": minutes}
        return self.translate("duration.hours_minutes" if minutes else "duration.hours", **values)
