from __future__ import annotations

import json
import subprocess
import sys
from calendar import timegm
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkup.aws.events import (
    AdHocCheck,
    NotifierTest,
    PublishTask,
    ScheduledRun,
    parse_check_event,
    parse_publish_event,
)
from checkup.errors import EventError
from checkup.times import SECOND
from tests.emulators import ROOT

MINUTE = 60 * SECOND
NOON = 1_769_860_800 * SECOND  # 2026-01-31T12:00:00Z


def read(event: Any, now: int = NOON + 5 * MINUTE) -> ScheduledRun | AdHocCheck | NotifierTest:
    return parse_check_event(event, now=now)


def slot_of(event: Any, interval: int = MINUTE, now: int = NOON + 5 * MINUTE) -> int:
    request = read(event, now=now)
    assert isinstance(request, ScheduledRun)
    return request.slot(interval)


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
    assert slot_of({"slot": text}) == NOON


def test_slot_is_floored_to_the_interval() -> None:
    event = {"slot": "2026-01-31T12:04:00Z"}
    assert slot_of(event, interval=5 * MINUTE) == NOON


def test_slot_that_lies_a_little_ahead_is_a_matter_of_clocks() -> None:
    assert slot_of({"slot": "2026-01-31T12:00:00Z"}, now=NOON - 30 * SECOND) == NOON


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
    ],
)
def test_slot_that_is_no_time_with_a_zone_is_refused(slot: Any) -> None:
    with pytest.raises(EventError, match="slot is no time with a zone"):
        read({"slot": slot})


@pytest.mark.parametrize("slot", [None, 0, 1_769_860_800, 1.5, True, [], {}, "x" * 65])
def test_slot_that_is_no_text_is_refused(slot: Any) -> None:
    with pytest.raises(EventError, match=r"the event cannot be understood: .*\$\.slot"):
        read({"slot": slot})


@pytest.mark.row("19")
def test_leap_second_counts_as_the_one_before_it() -> None:
    assert slot_of({"slot": "2016-12-31T23:59:60Z"}) == 1_483_228_740 * SECOND


@pytest.mark.parametrize("names", [[], ["Website"], ["website", "b"]])
def test_ad_hoc_look_names_checkers(names: list[str]) -> None:
    assert read({"checkers": names}) == AdHocCheck(tuple(names))


def test_ad_hoc_look_is_kept_on_request() -> None:
    assert read({"checkers": ["a"], "record": True}) == AdHocCheck(("a",), record=True)


def test_channels_are_tried_on_request() -> None:
    assert read({"notify_test": ["slack"]}) == NotifierTest(("slack",))


@pytest.mark.parametrize("key", ["checkers", "notify_test"])
@pytest.mark.parametrize(
    "names", ["Website", None, 1, {"a": 1}, ["a", 1], [["a"]], ["a" * 201], ["a"] * 1001]
)
def test_names_are_a_list_of_texts(key: str, names: Any) -> None:
    with pytest.raises(EventError, match=rf"the event cannot be understood: .*\$\.{key}"):
        read({key: names})


@pytest.mark.row("15", "154", "168")
@pytest.mark.parametrize(
    "event",
    [
        {},
        {"Slot": "2026-01-31T12:00:00Z"},
        {"slot": "2026-01-31T12:00:00Z", "notify_test": []},
        {"version": "0", "source": "aws.scheduler", "detail": "{}"},
        {"url": "http://169.254.169.254/"},
        {"type": "exec", "command": "sh"},
        {"task": "rebuild"},
    ],
)
def test_event_of_another_form_is_refused_with_the_forms_that_are_known(event: Any) -> None:
    with pytest.raises(EventError, match=r'send {"slot": .* {"checkers": '):
        read(event)


@pytest.mark.row("15", "154", "168")
@pytest.mark.parametrize(
    "event",
    [
        {"checkers": [], "slot": "2026-01-31T12:00:00Z"},
        {"checkers": [], "record": 1},
        {"checkers": [], "url": "http://169.254.169.254/"},
        pytest.param({"checkers": [{"type": "exec", "arguments": ["-c"]}]}),
        {"checkers": ["\ud800"], "\ud800": 1},
    ],
)
def test_event_with_more_than_its_form_has_is_refused(event: Any) -> None:
    with pytest.raises(EventError, match="the event cannot be understood"):
        read(event)


@pytest.mark.row("15")
@pytest.mark.parametrize("event", [None, [], "slot", 7, True])
def test_event_that_is_no_object_is_refused(event: Any) -> None:
    with pytest.raises(EventError, match="no JSON object"):
        read(event)
    with pytest.raises(EventError, match="no JSON object"):
        parse_publish_event(event)


def test_error_shows_a_foreign_value_but_not_at_any_length() -> None:
    with pytest.raises(EventError) as refusal:
        read({"x" * 10_000: 1})
    assert len(str(refusal.value)) < 400


@pytest.mark.parametrize("task", ["publish", "rebuild"])
def test_task_of_the_publish_function_is_named(task: Any) -> None:
    assert parse_publish_event({"task": task}) == PublishTask(task)


@pytest.mark.row("15")
@pytest.mark.parametrize(
    "event",
    [
        *({}, {"task": "delete"}, {"task": ["publish"]}, {"task": "publish", "now": True}),
        *(
            {"Records": None},
            {"Records": [{}]},
            {"Records": [{"eventSource": "aws:sqs", "s3": {}}]},
        ),
        {"checkers": []},
    ],
)
def test_task_that_is_not_known_is_refused(event: Any) -> None:
    with pytest.raises(EventError, match=r'send {"task": "publish"}'):
        parse_publish_event(event)


@pytest.mark.row("15")
def test_any_event_but_a_known_one_is_refused_before_anybody_is_asked() -> None:
    command = [sys.executable, "-m", "tests.stack.events", "500"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "nobody was asked for anything" in ended.stdout


@given(st.datetimes(datetime(1970, 1, 1), datetime(2026, 1, 31)))  # noqa: DTZ001 - as text
def test_slot_is_the_minute_that_the_time_lies_in(moment: datetime) -> None:
    seconds = timegm(moment.timetuple())
    slot = (seconds - seconds % 60) * SECOND
    assert slot_of({"slot": f"{moment.isoformat()}Z"}) == slot


@pytest.mark.parametrize("file", sorted((ROOT / "events").glob("*.json")), ids=lambda f: f.stem)
def test_event_file_is_understood(file: Path) -> None:
    event = json.loads(file.read_text())
    understood = [kind for kind in (as_check, as_task) if kind(event)]
    assert len(understood) == 1


def as_check(event: Any) -> bool:
    try:
        return bool(read(event, now=2 * NOON))
    except EventError:
        return False


def as_task(event: Any) -> bool:
    try:
        return bool(parse_publish_event(event))
    except EventError:
        return False
