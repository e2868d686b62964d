"""How one page speaks: numbers, times and phrases in its language and its time zone. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from msgspec import Struct, field

from checkup.model import SECOND
from checkup_page.speech.language import Translations, load_translations
from checkup_page.speech.words import DAY, HOUR, MILLISECOND, MINUTE, to_datetime

_MANY = 10

_NAMED = 4
"""Names that a sentence has; of more it says how many others there are."""


class Locale(Struct, frozen=True, kw_only=True):
    """A language, and the zone in which times are told.

    Attributes:
        zone: a name of the time zone database, as ``page.timezone`` gives it.
    """

    language: Translations = field(default_factory=load_translations)
    zone: str = "UTC"

    def say(self, key: str, **values: object) -> str:
        """Return a phrase, see :meth:`Language.say`."""
        return self.language.say(key, **values)

    def moment(self, nanoseconds: int) -> str:
        """Return an absolute time and its zone: ``3 Aug 2026, 10:02 UTC``."""
        at = self._local(nanoseconds)
        return self.say("time.moment", **self._parts(at), year=at.year, zone=f"{at:%Z}")

    def short_moment(self, nanoseconds: int) -> str:
        """Return a time that stands among others of the same days: ``3 Aug, 10:02``.

        The hour that comes twice when clocks are turned back has its zone: ``25 Oct, 02:30 CET``.
        """
        at = self._local(nanoseconds)
        told = self.say("time.short", **self._parts(at))
        comes_twice = at.replace(fold=0).utcoffset() != at.replace(fold=1).utcoffset()
        return f"{told} {at:%Z}" if comes_twice else told

    def day_name(self, nanoseconds: int) -> str:
        """Return a day of UTC among others of the same year: ``3 Aug``."""
        return self.say("time.day", **self._parts(to_datetime(nanoseconds).astimezone(UTC)))

    def date_of(self, nanoseconds: int) -> date:
        """Return the day on which something happened here."""
        return self._local(nanoseconds).date()

    def date_name(self, day: date) -> str:
        """Return a day with its year: ``3 Aug 2026``."""
        return self.say("time.date", **self._parts(day), year=day.year)

    def month_name(self, nanoseconds: int) -> str:
        """Return a month of UTC: ``Aug 2026``."""
        at = to_datetime(nanoseconds).astimezone(UTC)
        return self.say("time.month", **self._parts(at), year=at.year)

    def listed(self, names: Sequence[str]) -> str:
        """Return names as a sentence has them: ``API, Shop and Mail``."""
        if len(names) == 1:
            return names[0]
        shown, others = names[:_NAMED], len(names) - _NAMED
        if others > 0:
            return self.say("list.others", names=", ".join(shown), n=others)
        return self.say("list.and", names=", ".join(shown[:-1]), last=shown[-1])

    def _local(self, nanoseconds: int) -> datetime:
        """Return a time in our zone; at both ends of the calendar there is only UTC."""
        at = to_datetime(nanoseconds)
        try:
            return at.astimezone(ZoneInfo(self.zone))
        except OverflowError:
            return at

    def _parts(self, at: date) -> dict[str, object]:
        months = self.say("time.months").split()
        return {
            "day": at.day,
            "month": months[at.month - 1],
            "time": f"{at:%H:%M}",  # midnight if it is only a day
        }

    def cadence(self, interval: int) -> str:
        """Return how often something happens: ``every minute``, ``every 90 seconds``.

        The interval may be measured and so be a little off; it is rounded to what was meant.
        """
        for unit, name in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")):
            count = round(interval / unit)
            close = abs(interval - count * unit) <= max(unit // 60, 3 * SECOND)
            if count and (close or count >= _MANY):
                return self.say(f"every.{name}", n=count)
        return self.say("every.second", n=max(1, round(interval / SECOND)))

    def elapsed(self, nanoseconds: int) -> str:
        """Return a response time with three figures at most: ``850 µs``, ``98 ms``, ``1.24 s``."""
        if nanoseconds < MILLISECOND:
            return self.say("length.microseconds", n=nanoseconds // 1000)
        if nanoseconds < SECOND:
            return self.say("length.milliseconds", n=nanoseconds // MILLISECOND)
        seconds = nanoseconds / SECOND
        shown = f"{seconds:.2f}" if seconds < 10 else f"{seconds:.1f}"  # noqa: PLR2004
        return self.say("length.seconds", n=shown)

    def lasting(self, nanoseconds: int) -> str:
        """Return how long something lasted: ``under a minute``, ``3 h 20 min``, ``4 d 2 h``."""
        if nanoseconds >= 2 * DAY:
            days, rest = divmod(nanoseconds, DAY)
            said = {"days": days, "hours": rest // HOUR}
            return self.say("length.more" if said["hours"] else "length.days", **said)
        hours, minutes = divmod(nanoseconds // MINUTE, 60)
        if not hours:
            return self.say("length.minutes", n=minutes) if minutes else self.say("length.moment")
        told = {"hours": hours, "minutes": minutes}
        return self.say("length.both" if minutes else "length.hours", **told)
