"""The demo's invented year: what people wrote in it, on the page."""

from __future__ import annotations

import time

import pytest

from checkup.interfaces import PageFile
from checkup.times import HOUR, hour_start, parse_date
from examples.demo.announced import announced, key_of
from examples.demo.story import EVENTS, EVERYBODY, SERVICES
from tests.page.every_day import demo_without
from tests.page.years import told

NOW = hour_start(time.time_ns())


@pytest.fixture(scope="module")
def pages() -> dict[str, PageFile]:
    return told(NOW)


def test_every_story_says_that_it_is_a_demo(pages: dict[str, PageFile]) -> None:
    written = announced(NOW)
    paths = [f"incidents/{key}.html" for key in written.incidents]
    paths += [f"maintenance/{key}.html" for key in written.maintenance]
    assert len(paths) >= 9
    for path in paths:
        assert "Demo: none of this happened." in pages[path].body.decode(), path


@pytest.mark.parametrize("hour", [0, 23])
@pytest.mark.parametrize(
    "date",
    [
        *("2026-11-28", "2026-11-30", "2026-12-01", "2026-12-31", "2027-01-01", "2027-02-28"),
        *("2027-03-01", "2027-03-28", "2027-08-01", "2027-10-31", "2028-02-29", "2028-03-01"),
    ],
)
def test_all_of_it_is_on_the_page_of_any_day(date: str, hour: int) -> None:
    now = parse_date(date) + hour * HOUR
    assert demo_without(now) == []
    written = announced(now)
    lasting = [it.title for it in written.incidents.values() if it.resolved is None]
    assert lasting == ["Search answers slowly"]
    assert {it.status(now) for it in written.maintenance.values()} == {"scheduled", "completed"}


def test_the_first_page_tells_of_both(pages: dict[str, PageFile]) -> None:
    index = pages["index.html"].body.decode()
    assert f'href="incidents/{key_of("Search answers slowly")}.html"' in index
    assert f'href="maintenance/{key_of("New search cluster")}.html"' in index


def test_what_is_shown_is_what_happened() -> None:
    """Each incident begins while something happens to all of its services."""
    known = {it.id for it in SERVICES}
    for incident in announced(NOW).incidents.values():
        assert {*incident.checkers} <= known
        before = NOW - incident.started
        assert [
            event
            for event in EVENTS
            if event.before >= before > event.before - event.length
            and ({*incident.checkers} <= {*event.services} or EVERYBODY in event.services)
        ], incident.title
