"""Uptime as a table."""

from __future__ import annotations

import csv
from io import StringIO

import pytest
from msgspec.structs import replace

from checkup.config.settings import GroupSettings
from checkup.model import Status
from checkup.times import DAY, SECOND
from checkup_page.build_view import PageData, build_view
from checkup_page.components.history import DAYS, component_history, csv_rows
from checkup_page.formats import uptime_csv
from checkup_page.view import PageView
from tests.page.formats.world import checker_history, view
from tests.page.worlds import NOW, checker, config, result, runs


def rows(of: PageView) -> list[dict[str, str]]:
    text = uptime_csv.files(of)["uptime.csv"].body.decode()
    return list(csv.DictReader(StringIO(text, newline=""), strict=True))


def called(name: str) -> PageView:
    """A page with one component of this name, in a group of this name."""
    of = checker(name, id="x", group=name)
    world = replace(config([of]), groups=(GroupSettings(name=name),))
    records = {"x": component_history(checker_history())}
    return build_view(world, PageData(runs=runs([[result(of)]]), histories=records), NOW)


def test_there_is_a_line_for_each_component_and_closed_day() -> None:
    found = rows(view(Status.HEALTHY, Status.DOWN))
    assert [row["component"] for row in found] == ["API"] * 6 + ["West"] * 6
    assert [row["day"] for row in found[:6]] == [f"2026-07-{day}" for day in range(28, 32)] + [
        "2026-08-01",
        "2026-08-02",
    ]


def test_the_seconds_of_a_day_add_up() -> None:
    for row in rows(view(Status.HEALTHY)):
        parts = [int(value) for name, value in row.items() if name.endswith("_seconds")]
        assert sum(parts) == DAY // SECOND


def test_a_day_without_any_result_is_missing() -> None:
    story = checker_history()
    gap = replace(story, days=(*story.days[:2], *story.days[3:]))
    lost = csv_rows(gap)[2]
    assert lost == "2026-07-30,,0,0,0,0,0,86400,,"


def test_no_more_than_the_last_days_are_shown() -> None:
    story = replace(checker_history(), first=0)
    assert len(csv_rows(story)) == DAYS


def test_nothing_is_shown_before_the_first_result() -> None:
    assert csv_rows(replace(checker_history(), first=None)) == ()
    assert rows(view()) == []


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\uff1d1+1"])
def test_no_name_is_a_formula(name: str) -> None:
    (row, *_) = rows(called(name))
    assert (row["component"], row["group"]) == (f"'{name}", f"'{name}")


@pytest.mark.parametrize("name", ['says "hi"', "a, b", "a\nb", "café", "日本語"])
def test_names_are_read_as_they_are_shown(name: str) -> None:
    (row, *_) = rows(called(name))
    assert row["component"] == name.replace("\n", " ")


def test_lines_end_as_rfc_4180_wants_it() -> None:
    body = uptime_csv.files(view(Status.HEALTHY))["uptime.csv"].body
    assert body.count(b"\r\n") == body.count(b"\n") == 7


def test_a_large_site_has_a_table_for_each_group_and_yesterday_in_the_common_one() -> None:
    small = called("Coffee")
    (group,) = small.groups
    (item,) = group.components
    many = tuple(replace(item, key=f"{number:012}") for number in range(1001))
    large = replace(small, groups=(replace(group, components=many),))
    written = uptime_csv.files(large)
    assert set(written) == {"uptime.csv", f"uptime/{group.key}.csv"}
    lines = {path: file.body.decode().splitlines()[1:] for path, file in written.items()}
    assert len(lines["uptime.csv"]) == 1001
    assert len(lines[f"uptime/{group.key}.csv"]) == 1001 * len(item.csv_rows)
    assert {row.split(",")[3] for row in lines["uptime.csv"]} == {item.csv_rows[-1].split(",")[0]}
