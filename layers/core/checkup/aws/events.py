"""What an event asks of the functions of a stack. Pure.

An event is not trusted: anybody who may invoke a function can send anything, and a wrong slot would
spoil the order of the stored runs. So each form is strict, and whatever is not one of them ends in
one error before anything is read or written. No form can say what to check: only checkers of the
configuration have names.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from checkup.errors import EventError
from checkup.times import SECOND

NameList = Annotated[tuple[Annotated[str, Meta(max_length=200)], ...], Meta(max_length=1000)]
"""Titles, ids or names of channels; all that there are if there are none."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_TOLERANCE: Final = 60 * SECOND
"""How far the clocks of the schedule and of the function may differ."""

_CHECK_FORMS: Final = (
    '{"slot": "2026-01-31T12:00:00Z"}, {"checkers": ["title or id"], "record": false}'
    ' or {"notify_test": ["channel"]}'
)

_PUBLISH_FORMS: Final = '{"task": "publish"}, {"task": "rebuild"} or an event of S3'
Form = TypeVar("Form", bound=Struct)


class ScheduledRun(Struct, frozen=True):
    """A run of the schedule: check everything, store, tell.

    Attributes:
        time: the scheduled time; see :meth:`slot`.
    """

    time: int

    def slot(self, interval: int) -> int:
        """Return the slot that the run stands for: the time, floored to the interval."""
        return self.time - self.time % interval


class AdHocCheck(Struct, frozen=True, forbid_unknown_fields=True):
    """A look by hand, which moves no state and tells nobody.

    Attributes:
        checkers: titles or ids.
        record: keep what was seen, apart from the runs that count.
    """

    checkers: NameList
    record: bool = False


class NotifierTest(Struct, frozen=True, forbid_unknown_fields=True):
    """A test message to some channels, with the rights and secrets of the function itself."""

    notify_test: NameList


class PublishTask(Struct, frozen=True, forbid_unknown_fields=True):
    """What the publish function is asked to do: render the page, or count its days again before."""

    task: Literal["publish", "rebuild"]

    @property
    def is_rebuild(self) -> bool:
        """Whether the days are to be counted again."""
        return self.task == "rebuild"


class _Slot(Struct, frozen=True, forbid_unknown_fields=True):
    slot: Annotated[str, Meta(max_length=64)]


class _Object(Struct, frozen=True):
    key: str


class _Storage(Struct, frozen=True):
    object: _Object


class _Record(Struct, frozen=True, rename="camel"):
    event_source: Literal["aws:s3"]
    s3: _Storage


class S3Event(Struct, frozen=True, forbid_unknown_fields=True, rename="pascal"):
    """What S3 sends when objects change; it may grow fields, and says nothing that we rely on."""

    records: tuple[_Record, ...]


def parse_check_event(event: object, *, now: int) -> ScheduledRun | AdHocCheck | NotifierTest:
    """Return what an event asks of the check function.

    Args:
        now: what the clock says, to refuse a slot that has not come yet.

    Raises:
        EventError: it is not one of ours; the text says what is wrong with it.
    """
    match _keys(event, _CHECK_FORMS):
        case ["slot"]:
            return ScheduledRun(_moment(_converted(event, _Slot, _CHECK_FORMS).slot, now))
        case ["notify_test"]:
            return _converted(event, NotifierTest, _CHECK_FORMS)
        case keys if "checkers" in keys:
            return _converted(event, AdHocCheck, _CHECK_FORMS)
        case keys:
            raise EventError(f"the event has the keys {_quote(keys)}; send {_CHECK_FORMS}")


def parse_publish_event(event: object) -> PublishTask | S3Event:
    """Return what an event asks of the publish function.

    Raises:
        EventError: as for :func:`parse`.
    """
    match _keys(event, _PUBLISH_FORMS):
        case ["Records"]:
            return _converted(event, S3Event, _PUBLISH_FORMS)
        case ["task"]:
            return _converted(event, PublishTask, _PUBLISH_FORMS)
        case keys:
            raise EventError(f"the event has the keys {_quote(keys)}; send {_PUBLISH_FORMS}")


def _keys(event: object, forms: str) -> list[str]:
    if not isinstance(event, Mapping):
        raise EventError(f"the event is no JSON object; send {forms}")
    return sorted(map(str, event))


def _converted(event: object, form: type[Form], forms: str) -> Form:
    try:
        return msgspec.convert(event, form)
    except (msgspec.ValidationError, UnicodeError) as error:
        reason = _quote(str(error)) if isinstance(error, msgspec.ValidationError) else "no Unicode"
        raise EventError(f"the event cannot be understood: {reason}; send {forms}") from None


def _moment(text: str, now: int) -> int:
    """Read a time in RFC 3339, such as ``2026-01-31T12:00:00Z``, as nanoseconds.

    A leap second counts as the one before it.
    """
    if text.startswith("<aws.scheduler."):
        raise EventError(f"slot is {_quote(text)}: the sender did not put the time in its place")
    try:
        moment = datetime.fromisoformat(text.replace(":60", ":59"))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or moment < _EPOCH:
        raise EventError(f"slot is no time with a zone: {_quote(text)}; send {_CHECK_FORMS}")
    at = (moment - _EPOCH) // timedelta(microseconds=1) * 1000
    if at > now + _TOLERANCE:
        raise EventError(f"slot lies in the future: {_quote(text)}")
    return at


def _quote(value: Any) -> str:
    """Show a foreign value, but not at any length."""
    text = repr(value)
    return text if len(text) <= 160 else f"{text[:157]}..."  # noqa: PLR2004 - two lines
