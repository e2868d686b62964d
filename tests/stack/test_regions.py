from __future__ import annotations

from tests.stack.deployment import Deployment
from tests.stack.regions import Regions
from tests.stack.updating import Update


def test_outage_that_one_of_two_regions_sees_is_told_to_nobody(regions: Regions) -> None:
    assert regions.told[:2] == [0, 0]


def test_outage_counts_when_the_second_region_has_seen_it_too(regions: Regions) -> None:
    assert regions.told[2:] == [0, 0, 1]


def test_other_region_puts_its_runs_beside_those_of_the_home(
    regions: Regions, stack: Deployment, update: Update
) -> None:
    assert update
    names = {key.removeprefix("runs/") for key in stack.keys("runs/")}
    assert set(regions.runs) <= names
    assert all(name.partition("-")[0].endswith("1") for name in regions.runs)


def test_other_region_has_nothing_but_its_function(regions: Regions) -> None:
    assert set(regions.elsewhere.outputs) == {
        "AlarmTopicArn",
        "CheckFunctionName",
        "FailedEventsUrl",
    }


def test_page_says_which_region_saw_what(regions: Regions) -> None:
    assert "Virginia: Operational" in regions.page.body
    assert "Ireland: " in regions.page.body
