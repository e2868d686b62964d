"""What an event asks of the check function.

An event is not trusted: anybody who may invoke the function can send anything, and a wrong
slot would spoil the order of the stored runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Struct

from checkup.errors import EventError
from checkup.model import SECOND

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TOLERANCE = 60 * SECOND  # how far the clocks of the schedule and of the function may differ
_FORMS = '{"slot": "2026-01-31T12:00:00Z"} or {"checkers": ["title or id"]}'


class Scheduled(Struct, frozen=True):
    """A run of the schedule: check everything, store, tell.

    Attributes:
        slot: the scheduled time, floored to the interval.
    """

    slot: int


class AdHoc(Struct, frozen=True):
    """A look by hand that leaves no trace.

    Attributes:
        names: titles or ids; all checkers when there are none.
    """

    names: tuple[str, ...]


def parse(event: object, *, interval: int, now: int) -> Scheduled | AdHoc:
    """Return what the event asks for.

    Args:
        interval: nanoseconds between two slots.
        now: what the clock says, to refuse a slot that has not come yet.

    Raises:
        EventError: the event is not one of ours; the text says what is wrong with it.
    """
    if not isinstance(event, Mapping):
        raise EventError(f"the event is no JSON object; send {_FORMS}")
    match list(event):
        case ["slot"]:
            return Scheduled(_slot(event["slot"], interval, now))
        case ["checkers"]:
            return AdHoc(_names(event["checkers"]))
        case _:
            raise EventError(f"the event has the keys {_quote(sorted(event))}; send {_FORMS}")


def _slot(value: object, interval: int, now: int) -> int:
    if isinstance(value, str) and value.startswith("<aws.scheduler."):
        raise EventError(f"slot is {_quote(value)}: the sender did not put the time in its place")
    moment = _moment(value)
    if moment > now + _TOLERANCE:
        raise EventError(f"slot lies in the future: {_quote(value)}")
    return moment - moment % interval


def _moment(value: object) -> int:
    """Read a time in RFC 3339, such as ``2026-01-31T12:00:00Z``, as nanoseconds."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or moment < _EPOCH:
        raise EventError(f"slot is no time with a zone: {_quote(value)}; send {_FORMS}")
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000


def _names(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise EventError(f"checkers is no list of titles and ids: {_quote(value)}")
    return tuple(value)


def _quote(value: Any) -> str:  # noqa: ANN401 - whatever JSON can hold
    """Show a foreign value, but not at any length."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."  # noqa: PLR2004 - one line
