from __future__ import annotations

import json
from calendar import timegm
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkup.errors import EventError
from checkup.invocation import AdHoc, Scheduled, parse
from checkup.model import SECOND
from tests.emulators import ROOT

MINUTE = 60 * SECOND
NOON = 1_769_860_800 * SECOND  # 2026-01-31T12:00:00Z


def read(event: Any, interval: int = MINUTE, now: int = NOON + 5 * MINUTE) -> Scheduled | AdHoc:
    return parse(event, interval=interval, now=now)


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31T12:00:00Z",
        "2026-01-31T12:00:00.000Z",
        "2026-01-31T12:00:59.999999Z",
        "2026-01-31T13:00:07+01:00",
    ],
)
def test_slot_is_the_scheduled_time_floored_to_the_minute(text: str) -> None:
    assert read({"slot": text}) == Scheduled(NOON)


def test_slot_is_floored_to_the_interval() -> None:
    event = {"slot": "2026-01-31T12:04:00Z"}
    assert read(event, interval=5 * MINUTE) == Scheduled(NOON)


def test_slot_that_lies_a_little_ahead_is_a_matter_of_clocks() -> None:
    assert read({"slot": "2026-01-31T12:00:00Z"}, now=NOON - 30 * SECOND) == Scheduled(NOON)


def test_slot_in_the_future_is_refused() -> None:
    with pytest.raises(EventError, match="slot lies in the future: '2026-01-31T12:00:00Z'"):
        read({"slot": "2026-01-31T12:00:00Z"}, now=NOON - 2 * MINUTE)


def test_unreplaced_placeholder_is_refused() -> None:
    with pytest.raises(EventError, match=r"'<aws.scheduler.scheduled-time>'"):
        read({"slot": "<aws.scheduler.scheduled-time>"})


@pytest.mark.parametrize(
    "slot",
    [
        *("", "now", "12:00", "2026-01-31", "2026-01-31T12:00:00", "2026-02-30T00:00:00Z"),
        *("1969-12-31T23:59:59Z", "0001-01-01T00:00:00+23:59"),
        *(None, 0, 1_769_860_800, 1.5, True, [], {}),
    ],
)
def test_slot_that_is_no_time_with_a_zone_is_refused(slot: Any) -> None:
    with pytest.raises(EventError, match="slot is no time with a zone"):
        read({"slot": slot})


@pytest.mark.parametrize("names", [[], ["Website"], ["website", "b"]])
def test_ad_hoc_look_names_checkers(names: list[str]) -> None:
    assert read({"checkers": names}) == AdHoc(tuple(names))


@pytest.mark.parametrize("names", ["Website", None, 1, {"a": 1}, ["a", 1], [["a"]]])
def test_ad_hoc_look_needs_a_list_of_names(names: Any) -> None:
    with pytest.raises(EventError, match="checkers is no list of titles and ids"):
        read({"checkers": names})


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"Slot": "2026-01-31T12:00:00Z"},
        {"slot": "2026-01-31T12:00:00Z", "checkers": []},
        {"version": "0", "source": "aws.scheduler", "detail": "{}"},
        pytest.param({"url": "http://169.254.169.254/"}, id="fault-154"),
        pytest.param({"type": "exec", "command": "sh"}, id="fault-168"),
    ],
)
def test_15_event_of_another_form_is_refused_with_the_forms_that_are_known(event: Any) -> None:
    with pytest.raises(EventError, match=r'send {"slot": .* or {"checkers": '):
        read(event)


@pytest.mark.parametrize("event", [None, [], "slot", 7, True])
def test_15_event_that_is_no_object_is_refused(event: Any) -> None:
    with pytest.raises(EventError, match="no JSON object"):
        read(event)


def test_error_shows_a_foreign_value_but_not_at_any_length() -> None:
    with pytest.raises(EventError) as refusal:
        read({"checkers": "x" * 10_000})
    assert len(str(refusal.value)) < 200


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON | st.fixed_dictionaries({"slot": JSON}) | st.fixed_dictionaries({"checkers": JSON}))
def test_15_any_event_is_understood_or_refused(event: Any) -> None:
    try:
        request = read(event)
    except EventError:
        return
    assert isinstance(request, Scheduled | AdHoc)


@given(st.datetimes(datetime(1970, 1, 1), datetime(2026, 1, 31)))  # noqa: DTZ001 - as text
def test_slot_is_the_minute_that_the_time_lies_in(moment: datetime) -> None:
    seconds = timegm(moment.timetuple())
    slot = (seconds - seconds % 60) * SECOND
    assert read({"slot": f"{moment.isoformat()}Z"}) == Scheduled(slot)


def test_event_files_are_understood() -> None:
    events = {name: json.loads((ROOT / "events" / name).read_text()) for name in EVENTS}
    requests = [read(event, now=2 * NOON) for event in events.values()]
    assert [type(request) for request in requests] == [Scheduled, AdHoc]


EVENTS = ("scheduled.json", "adhoc.json")
