"""How often a schedule of EventBridge Scheduler fires.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

from __future__ import annotations

import re
from typing import Final

from checkup.errors import CheckupError

_RATE: Final = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_CRON: Final = re.compile(r"cron\((\S+) (\S+) (\S+) (\S+) (\S+) \S+\)")
_RANGE: Final = re.compile(r"(\*|\w+)(?:-(\w+))?(?:/(\d+))?")
_PER_HOUR: Final = {"minute": 60.0, "hour": 1.0, "day": 1 / 24}
_NAMES: Final = {
    name: number
    for names in ("SUN MON TUE WED THU FRI SAT", "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC")
    for number, name in enumerate(names.split(), 1)
}


def runs_per_hour(expression: str) -> float:
    """Return how often a schedule fires in an hour, on average of a year.

    Raises:
        CheckupError: it is neither ``rate(…)`` nor a ``cron(…)`` of times that come each week or
            month alike.
    """
    try:
        if rate := _RATE.fullmatch(expression):
            return _PER_HOUR[rate[2]] / int(rate[1])
        if cron := _CRON.fullmatch(expression):
            minutes, hours, days, months, weekdays = cron.groups()
            return (
                _count(minutes, 0, 59)
                * _share(hours, 0, 23)
                * _share(days, 1, 31)
                * _share(months, 1, 12)
                * _share(weekdays, 1, 7)
            )
    except (ValueError, ZeroDivisionError):
        pass
    raise CheckupError(f"the schedule {expression} is not understood; say --interval 5m instead")


def _share(field: str, first: int, last: int) -> float:
    return _count(field, first, last) / (last - first + 1)


def _count(field: str, first: int, last: int) -> int:
    """Return how many values a field names."""
    if field == "?":
        return last - first + 1
    return sum(len(_values(part, first, last)) for part in field.split(","))


def _values(part: str, first: int, last: int) -> range:
    found = _RANGE.fullmatch(part)
    if found is None:
        raise ValueError(part)
    low, high, step = found.groups()
    start = first if low == "*" else _number(low)
    alone = start if not step and low != "*" else last
    values = range(start, (_number(high) if high else alone) + 1, int(step or 1))
    if not values:  # from the evening to the morning, for one
        raise ValueError(part)
    return values


def _number(word: str) -> int:
    return _NAMES[word.upper()] if word.upper() in _NAMES else int(word)
