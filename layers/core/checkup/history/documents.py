"""The documents of the history: where they are, and their bytes. Pure.

``head.json`` goes on; a file of hours per day and two files of days per month are written when
these are over. Whoever wants to know of a span of time reads the files of that span, however much
came before it. The same content always has the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeVar

import msgspec
from msgspec import Struct, field

from checkup.history.head import SCHEMA, DayStart, PeriodAggregate
from checkup.history.periods import format_date, format_month
from checkup.history.tally import Tally
from checkup.history.times import LatencyHistogram

FOLDER: Final = "history/"
HISTORY_KEY: Final = FOLDER + "head.json"
HOURS: Final = FOLDER + "hours/"
DAYS: Final = FOLDER + "days/"
TIMES: Final = FOLDER + "times/"

Document = TypeVar("Document", bound=Struct)


class UnreadableHistoryError(ValueError):
    """The bytes are no such document; the sentence says why."""


class NewerHistoryError(ValueError):
    """A later version of the program has written the document; it is not ours to change."""


class HoursOfDay(Struct, frozen=True, kw_only=True):
    """The hours of one day.

    Attributes:
        opening: None if that is not known.
        hours: by two digits and by checker.
    """

    schema: int = SCHEMA
    opening: DayStart | None = None
    hours: Mapping[str, Mapping[str, PeriodAggregate]] = field(default_factory=dict)


class DaysOfMonth(Struct, frozen=True, kw_only=True):
    """The closed days of one month, by date and by checker."""

    schema: int = SCHEMA
    days: Mapping[str, Mapping[str, Tally]] = field(default_factory=dict)


class LatencyOfMonth(Struct, frozen=True, kw_only=True):
    """The response times on the closed days of one month, by date and by checker."""

    schema: int = SCHEMA
    days: Mapping[str, Mapping[str, LatencyHistogram]] = field(default_factory=dict)


class LazyHours(Struct, frozen=True, kw_only=True):
    """:class:`HoursOfDay` to be decoded hour by hour: all hours of many checkers are large."""

    hours: Mapping[str, msgspec.Raw] = field(default_factory=dict)


class LazyLatency(Struct, frozen=True, kw_only=True):
    """:class:`LatencyOfMonth` to be decoded day by day, for the same reason."""

    days: Mapping[str, msgspec.Raw] = field(default_factory=dict)


class _Schema(Struct):
    schema: int


def hours_key(day: int) -> str:
    """Return where the hours of a day are."""
    return f"{HOURS}{format_date(day)}.json"


def days_key(day: int) -> str:
    """Return where the days of the month of a day are."""
    return f"{DAYS}{format_month(day)}.json"


def latency_key(day: int) -> str:
    """Return where the response times of the month of a day are."""
    return f"{TIMES}{format_month(day)}.json"


def encode(document: object) -> bytes:
    """Return the canonical bytes of a document, or of a part of one."""
    return msgspec.json.encode(document, order="deterministic")


def decode(body: bytes, kind: type[Document]) -> Document:
    """Read a document of a kind.

    Raises:
        NewerHistoryError: its schema is not known here yet.
        UnreadableHistoryError: anything else that is wrong with it.
    """
    try:
        schema = msgspec.json.decode(body, type=_Schema).schema
        found = msgspec.json.decode(body, type=kind) if schema == SCHEMA else None
    except (ValueError, RecursionError) as error:
        raise UnreadableHistoryError(f"not a document of the history: {error}") from None
    if schema > SCHEMA:
        raise NewerHistoryError("a newer version of Checkup wrote it; update this one")
    if found is None:
        raise UnreadableHistoryError("not a document of the history: its schema makes no sense")
    return found
