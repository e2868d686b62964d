"""The JSON that clients of Statuspage's API read."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from checkup.model import SECOND, Status
from checkup_page.formats import api_v2
from checkup_page.view import View
from tests.page.formats.world import view
from tests.page.worlds import MINUTE

COMPONENT = {
    "id": str,
    "name": str,
    "status": str,
    "created_at": str,
    "updated_at": str,
    "position": int,
    "description": str | None,
    "showcase": bool,
    "start_date": str | None,
    "group_id": str | None,
    "page_id": str,
    "group": bool,
    "only_show_if_degraded": bool,
}


def read(of: View) -> dict[str, Any]:
    return {path[7:-5]: json.loads(file.body) for path, file in api_v2.files(of).items()}


def documents(*statuses: Status, age: int = 12 * SECOND) -> dict[str, Any]:
    return read(view(*statuses, age=age))


HEALTHY, DEGRADED, DOWN, UNKNOWN = Status.HEALTHY, Status.DEGRADED, Status.DOWN, Status.UNKNOWN


@pytest.mark.parametrize(
    ("statuses", "indicator", "description"),
    [
        ((HEALTHY, HEALTHY, HEALTHY), "none", "All Systems Operational"),
        ((HEALTHY, DEGRADED, HEALTHY), "minor", "Partially Degraded Service"),
        ((HEALTHY, DOWN, HEALTHY), "major", "Partial System Outage"),
        ((DOWN, DOWN, DOWN), "critical", "Major Service Outage"),
        (
            (HEALTHY, UNKNOWN, HEALTHY),
            "minor",
            "Status unknown, last checked 2026-08-03T10:02:30.000Z",
        ),
        ((), "minor", "Collecting first results"),
    ],
)
def test_the_indicator_is_that_of_the_worst_f02(
    statuses: tuple[Status, ...], indicator: str, description: str
) -> None:
    status = documents(*statuses)["status"]["status"]
    assert (status["indicator"], status["description"]) == (indicator, description)


def test_what_is_stale_is_never_operational_f04_129() -> None:
    summary = documents(HEALTHY, HEALTHY, HEALTHY, age=60 * MINUTE)["summary"]
    assert summary["status"]["indicator"] == "minor"
    assert summary["status"]["description"].startswith("Status unknown, last checked 2026-")
    assert summary["status"]["x_stale"] is True
    assert {item["status"] for item in summary["components"]} == {"degraded_performance"}
    assert {item["x_state"] for item in summary["components"]} == {"unknown"}


def test_both_documents_say_the_same() -> None:
    both = documents(HEALTHY, DOWN, HEALTHY)
    assert {key: both["summary"][key] for key in ("page", "status")} == both["status"]


def test_a_component_has_every_field_of_the_api_with_its_type() -> None:
    for item in documents(HEALTHY, DOWN, HEALTHY)["summary"]["components"]:
        ours = {key for key in item if key.startswith("x_")}
        assert set(item) - ours - {"components"} == set(COMPONENT)
        for key, kind in COMPONENT.items():
            assert isinstance(item[key], kind), key


def test_a_group_lists_its_components() -> None:
    api, group, west, east = documents(HEALTHY, DOWN, HEALTHY)["summary"]["components"]
    assert (api["group_id"], group["group"]) == (None, True)
    assert group["components"] == [west["id"], east["id"]]
    assert west["group_id"] == east["group_id"] == group["id"]
    assert [item["position"] for item in (api, group, west, east)] == [1, 2, 3, 4]
    assert group["status"] == "partial_outage"


def test_ids_look_like_those_of_statuspage() -> None:
    summary = documents(HEALTHY, HEALTHY, HEALTHY)["summary"]
    ids = [summary["page"]["id"], *(item["id"] for item in summary["components"])]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[0-9a-z]{12}", item) for item in ids)


def test_ids_stay_when_the_results_change() -> None:
    before, after = documents()["summary"], documents(DOWN, DOWN, UNKNOWN)["summary"]
    assert [item["id"] for item in before["components"]] == [
        item["id"] for item in after["components"]
    ]


def test_times_are_iso_with_milliseconds() -> None:
    summary = documents(HEALTHY, HEALTHY, HEALTHY)["summary"]
    times = [summary["page"]["updated_at"]]
    times += [item[key] for item in summary["components"] for key in ("created_at", "updated_at")]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", time) for time in times)
