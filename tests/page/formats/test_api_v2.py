"""The JSON that clients of Statuspage's API read."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema
import pytest
from msgspec.structs import replace

from checkup.interfaces import PageFile
from checkup.model import Status
from checkup.times import SECOND
from checkup_page.build_view import PageData, build_view
from checkup_page.formats import MachineFiles
from checkup_page.status import ComponentStatus
from checkup_page.view import PageView
from tests.page.formats.world import CHECKERS, announced, incident, maintenance, view
from tests.page.worlds import MINUTE, NOW, config

HEALTHY, DEGRADED, DOWN, UNKNOWN = Status.HEALTHY, Status.DEGRADED, Status.DOWN, Status.UNKNOWN

SUMMARY = "api/v2/summary.json"
TIME = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"
ID = r"^[0-9a-z]{12}$"
OUTAGES = ["partial_outage", "major_outage"]
WORDS = ["operational", "degraded_performance", "under_maintenance", *OUTAGES]


def exactly(**properties: dict[str, Any]) -> dict[str, Any]:
    """A schema of an object that has all of these and, besides, nothing but what is ours."""
    return {
        "type": "object",
        "required": [*properties],
        "properties": properties,
        "patternProperties": {"^x_": {}},
        "additionalProperties": False,
    }


def listing(of: dict[str, Any], least: int = 0) -> dict[str, Any]:
    return {"type": "array", "items": of, "minItems": least}


def optional(of: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [of, {"type": "null"}]}


TEXT, FLAG = {"type": "string"}, {"type": "boolean"}
KEY, MOMENT = {"type": "string", "pattern": ID}, {"type": "string", "pattern": TIME}
NULL = {"type": "null"}
WORD = {"enum": WORDS}

PAGE = exactly(id=KEY, name=TEXT, url=TEXT, time_zone={"const": "Etc/UTC"}, updated_at=MOMENT)
STATUS = exactly(
    indicator={"enum": ["none", "minor", "major", "critical", "maintenance"]}, description=TEXT
)
ITEM: dict[str, Any] = {
    "id": KEY,
    "name": TEXT,
    "status": WORD,
    "created_at": MOMENT,
    "updated_at": MOMENT,
    "position": {"type": "integer", "minimum": 1},
    "description": optional(TEXT),
    "showcase": FLAG,
    "start_date": NULL,
    "group_id": optional(KEY),
    "page_id": KEY,
    "group": {"const": False},
    "only_show_if_degraded": FLAG,
}
COMPONENT = exactly(**ITEM)
GROUP = exactly(**ITEM | {"group": {"const": True}, "components": listing(KEY, 1)})
EITHER = listing({"oneOf": [COMPONENT, GROUP]})
AFFECTED = exactly(code=KEY, name=TEXT, old_status=WORD, new_status=WORD)


def announcement(statuses: str, impacts: str, **more: dict[str, Any]) -> dict[str, Any]:
    update = exactly(
        id=KEY,
        status={"enum": statuses.split()},
        body=TEXT,
        incident_id=KEY,
        created_at=MOMENT,
        updated_at=MOMENT,
        display_at=MOMENT,
        affected_components=listing(AFFECTED),
        deliver_notifications=FLAG,
        custom_tweet=NULL,
        tweet_id=NULL,
    )
    return exactly(
        id=KEY,
        name=TEXT,
        status={"enum": statuses.split()},
        created_at=MOMENT,
        updated_at=MOMENT,
        monitoring_at=optional(MOMENT),
        resolved_at=optional(MOMENT),
        impact={"enum": impacts.split()},
        shortlink=TEXT,
        started_at=MOMENT,
        page_id=KEY,
        incident_updates=listing(update, 1),
        components=listing(COMPONENT),
        **more,
    )


INCIDENTS = listing(
    announcement(
        "investigating identified monitoring resolved postmortem", "none minor major critical"
    )
)
MAINTENANCES = listing(
    announcement(
        "scheduled in_progress verifying completed",
        "maintenance",
        scheduled_for=MOMENT,
        scheduled_until=MOMENT,
    )
)
DOCUMENTS = {
    "status": exactly(page=PAGE, status=STATUS),
    "summary": exactly(
        page=PAGE,
        status=STATUS,
        components=EITHER,
        incidents=INCIDENTS,
        scheduled_maintenances=MAINTENANCES,
    ),
    "components": exactly(page=PAGE, components=EITHER),
    "incidents": exactly(page=PAGE, incidents=INCIDENTS),
    "incidents/unresolved": exactly(page=PAGE, incidents=INCIDENTS),
    "scheduled-maintenances": exactly(page=PAGE, scheduled_maintenances=MAINTENANCES),
    "scheduled-maintenances/upcoming": exactly(page=PAGE, scheduled_maintenances=MAINTENANCES),
    "scheduled-maintenances/active": exactly(page=PAGE, scheduled_maintenances=MAINTENANCES),
}
"""The union of what clients in six languages expect, with null and list where they have them."""


def read(of: PageView) -> dict[str, Any]:
    return {path[7:-5]: json.loads(file.body) for path, file in files(of).items()}


def files(of: PageView) -> dict[str, PageFile]:
    return {path: it for path, it in MachineFiles().files(of).items() if path.startswith("api/v2/")}


def documents(*statuses: Status, age: int = 12 * SECOND) -> dict[str, Any]:
    return read(view(*statuses, age=age))


@pytest.mark.row("F02")
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
def test_the_indicator_is_that_of_the_worst(
    statuses: tuple[Status, ...], indicator: str, description: str
) -> None:
    status = documents(*statuses)["status"]["status"]
    assert (status["indicator"], status["description"]) == (indicator, description)


@pytest.mark.row("129", "F04")
def test_what_is_stale_is_never_operational() -> None:
    summary = documents(HEALTHY, HEALTHY, HEALTHY, age=60 * MINUTE)["summary"]
    assert summary["status"]["indicator"] == "minor"
    assert summary["status"]["description"].startswith("Status unknown, last checked 2026-")
    assert summary["status"]["x_stale"] is True
    assert {item["status"] for item in summary["components"]} == {"degraded_performance"}
    assert {item["x_state"] for item in summary["components"]} == {"unknown"}


def test_both_documents_say_the_same() -> None:
    both = documents(HEALTHY, DOWN, HEALTHY)
    assert {key: both["summary"][key] for key in ("page", "status")} == both["status"]


@pytest.mark.parametrize("page", [announced(), view(HEALTHY, DOWN), view()])
@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_has_every_field_with_its_type(name: str, page: PageView) -> None:
    jsonschema.validate(read(page)[name], DOCUMENTS[name])


def test_there_are_eight_documents() -> None:
    assert sorted(read(view())) == sorted(DOCUMENTS)


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


def test_ids_stay_when_a_component_is_renamed_moved_and_regrouped() -> None:
    first, *others = CHECKERS
    other = {"public_name": "Front door", "group": "Shop", "endpoint_url": "https://new.internal/"}
    moved = (*others, replace(first, **other))
    before, after = (
        json.loads(MachineFiles().files(build_view(config(of), PageData(), NOW))[SUMMARY].body)
        for of in (CHECKERS, moved)
    )
    ids = {item["name"]: item["id"] for item in before["components"]}
    again = {item["name"]: item["id"] for item in after["components"]}
    assert again.pop("Front door") == ids.pop("API")
    assert again == ids
    groups = [item["group_id"] for item in after["components"] if item["id"] != ids["Shop"]]
    assert groups == [ids["Shop"]] * 3


def names(document: Any, kind: str) -> list[str]:
    return [item["name"].rpartition(", ")[2] for item in document[kind]]


def test_incidents_and_maintenance_are_where_they_belong() -> None:
    found = read(announced())
    maintenances = "scheduled_maintenances"
    assert names(found["incidents"], "incidents") == ["open", "over"]
    assert names(found["incidents/unresolved"], "incidents") == ["open"]
    assert names(found["summary"], "incidents") == ["open"]
    assert names(found["summary"], maintenances) == ["now", "next"]
    assert names(found["scheduled-maintenances"], maintenances) == ["next", "now"]
    assert names(found["scheduled-maintenances/upcoming"], maintenances) == ["next"]
    assert names(found["scheduled-maintenances/active"], maintenances) == ["now"]


def test_no_more_than_the_fifty_newest_are_listed() -> None:
    many = tuple(
        incident(str(number), status="resolved", resolved=NOW - number * MINUTE)
        for number in range(60)
    )
    plans = tuple(
        maintenance(str(number), start=NOW + number * MINUTE, status="scheduled")
        for number in range(60)
    )
    found = read(replace(view(HEALTHY), incidents=many, maintenances=plans))
    assert names(found["incidents"], "incidents") == [str(number) for number in range(50)]
    listed = names(found["scheduled-maintenances"], "scheduled_maintenances")
    assert listed == [str(number) for number in range(59, 9, -1)]


def test_an_update_says_what_it_changed() -> None:
    over = read(announced())["incidents"]["incidents"][1]
    changes = [update["affected_components"][0] for update in over["incident_updates"]]
    assert [(it["old_status"], it["new_status"]) for it in changes] == [
        ("partial_outage", "operational"),
        ("operational", "partial_outage"),
    ]


def test_an_affected_component_is_named_after_its_group() -> None:
    first = read(announced())["incidents"]["incidents"][0]["incident_updates"][0]
    assert [it["name"] for it in first["affected_components"]] == ["Shop - West"]


def test_a_component_that_is_gone_is_named_and_not_listed() -> None:
    page = announced()
    gone = read(replace(page, groups=page.groups[:1]))["incidents"]["incidents"][0]
    assert gone["components"] == []
    assert gone["incident_updates"][0]["affected_components"][0]["name"] == "West"


def test_what_is_in_maintenance_is_called_so() -> None:
    page = view(HEALTHY)
    (item,) = page.groups[0].components
    item = replace(item, status=ComponentStatus.MAINTENANCE)
    group = replace(page.groups[0], components=(item,))
    verdict = replace(page.overall, state=ComponentStatus.MAINTENANCE)
    found = read(replace(page, groups=(group,), overall=verdict))
    assert found["components"]["components"][0]["status"] == "under_maintenance"
    assert found["status"]["status"]["indicator"] == "maintenance"
    assert found["status"]["status"]["description"] == "Service Under Maintenance"


def test_without_an_address_of_the_page_links_begin_at_its_root() -> None:
    found = read(replace(announced(), url=""))["incidents"]["incidents"]
    assert found[0]["shortlink"] == f"incidents/{found[0]['id']}.html"
