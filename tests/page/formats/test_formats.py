"""All files together: how they are served, and when they change."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from checkup.interfaces import PageFile
from checkup.model import Status
from checkup.times import SECOND
from checkup_page.build_view import PageData, build_view
from checkup_page.components.build import ConfirmedStatus
from checkup_page.components.history import component_history
from checkup_page.formats import MachineFiles
from checkup_page.view import PageView
from tests.page.formats.world import CHECKERS, announced, checker_history, view
from tests.page.worlds import MINUTE, NOW, config, result, runs

LIVE = {"api/v2/summary.json", "api/v2/status.json", "metrics.txt"}
"""What is of the moment."""


def steady(now: int, status: Status = Status.HEALTHY) -> PageView:
    """A page that has looked the same for an hour."""
    seen = PageData(
        runs=runs([[result(of, status) for of in CHECKERS]] * 90, newest=now - 12 * SECOND),
        confirmed={of.id: ConfirmedStatus(status, NOW - 60 * MINUTE) for of in CHECKERS},
        histories={of.id: component_history(checker_history()) for of in CHECKERS},
    )
    return build_view(config(CHECKERS), seen, now)


def changed(before: dict[str, PageFile], after: dict[str, PageFile]) -> set[str]:
    return {path for path in before if before[path].body != after[path].body}


def test_a_run_that_brings_no_news_changes_what_is_current_and_nothing_else() -> None:
    before, after = (MachineFiles().files(steady(now)) for now in (NOW, NOW + MINUTE))
    assert changed(before, after) == LIVE


def test_what_is_current_can_wait_unless_there_is_news() -> None:
    before, after = (MachineFiles().files(steady(now)) for now in (NOW, NOW + MINUTE))
    down = MachineFiles().files(steady(NOW, Status.DOWN))
    for path in LIVE:
        assert before[path].min_interval == 300
        assert (
            before[path].urgent_content == after[path].urgent_content != down[path].urgent_content
        )


def test_what_says_what_has_happened_is_made_once() -> None:
    formats = MachineFiles()
    before, after = (formats.files(steady(now)) for now in (NOW, NOW + MINUTE))
    again = {path for path in before if before[path] is not after[path]}
    assert again == LIVE


def test_it_is_made_again_when_something_happens() -> None:
    formats = MachineFiles()
    formats.files(steady(NOW))
    for page in (steady(NOW, Status.DOWN), announced(), replace(steady(NOW), title="Other")):
        assert formats.files(page) == MachineFiles().files(page)


@pytest.mark.row("136")
@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("api/v2/incidents.json", "application/json; charset=utf-8"),
        ("badges/page.svg", "image/svg+xml; charset=utf-8"),
        ("badges/page/health.json", "application/json; charset=utf-8"),
        ("history.atom", "application/atom+xml; charset=utf-8"),
        ("history.rss", "application/rss+xml; charset=utf-8"),
        ("maintenance.ics", "text/calendar; charset=utf-8"),
        ("metrics.txt", "application/openmetrics-text; version=1.0.0; charset=utf-8"),
        ("uptime.csv", "text/csv; charset=utf-8; header=present"),
    ],
)
def test_each_file_says_what_it_is(path: str, kind: str) -> None:
    file = MachineFiles().files(view(Status.HEALTHY))[path]
    assert file.content_type == kind
    assert file.max_age == (30 if path in LIVE else 300)


def test_badges_of_what_is_counted_by_the_hour_wait_for_the_hour() -> None:
    files = MachineFiles().files(view(Status.HEALTHY))
    assert {files[f"badges/page/uptime-{span}.json"].min_interval for span in ("24h", "365d")} == {
        3600
    }
    assert files["uptime.csv"].min_interval == 3600
    assert files["badges/page/health.json"].min_interval == 0
