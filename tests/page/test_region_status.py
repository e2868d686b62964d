"""Which region saw what, under the names that the page gives to regions."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace

from checkup.config.page import PageSettings
from checkup.config.settings import Config
from checkup.model import Status
from checkup_page.build_view import PageData, build_view
from checkup_page.components.page import ComponentPages
from checkup_page.status import ComponentStatus
from checkup_page.view import RegionStatus, component_news
from tests.page.worlds import MINUTE, NOW, checker, config, rendered, result, runs

API = checker("API")
PAGE = PageSettings(title="Status", regions={"us-east-1": "Virginia", "eu-west-1": "Ireland"})
PRIVATE = "ap-south-1"
CONFIG = replace(config([API], PAGE), regions=(*PAGE.regions, PRIVATE))


def seen(**statuses: Status) -> PageData:
    """One run of each region, a nanosecond apart."""
    groups = [
        [result(API, status, region=region.replace("_", "-"))]
        for region, status in statuses.items()
    ]
    return PageData(runs=runs(groups, newest=NOW - MINUTE, every=1))


def sights(observed: PageData, now: int = NOW) -> tuple[RegionStatus, ...]:
    return build_view(CONFIG, observed, now).groups[0].components[0].regions


def test_regions_that_disagree_are_named() -> None:
    assert sights(seen(eu_west_1=Status.DOWN, us_east_1=Status.HEALTHY)) == (
        RegionStatus("Virginia", ComponentStatus.OPERATIONAL),
        RegionStatus("Ireland", ComponentStatus.of(Status.DOWN)),
    )


def test_nobody_is_named_while_all_is_well() -> None:
    assert sights(seen(eu_west_1=Status.HEALTHY, us_east_1=Status.HEALTHY)) == ()


def test_region_without_a_public_name_is_not_shown() -> None:
    observed = seen(ap_south_1=Status.DOWN, us_east_1=Status.DOWN)
    page = rendered(CONFIG, observed.runs, NOW)["index.html"].body.decode()
    assert "Virginia: " in page
    assert PRIVATE not in page


@pytest.mark.row("134")
def test_the_name_of_a_region_disturbs_nothing() -> None:
    odd = {"us-east-1": "Vir\u202eginia\n", "eu-west-1": 200 * "x"}
    world = replace(CONFIG, page=replace(PAGE, regions=odd))
    observed = seen(eu_west_1=Status.DOWN, us_east_1=Status.HEALTHY)
    there, here = build_view(world, observed, NOW).groups[0].components[0].regions
    assert (there.region, len(here.region)) == ("Virginia", 80)


def test_region_that_has_fallen_silent_is_not_quoted() -> None:
    old = seen(eu_west_1=Status.DOWN).runs
    recent = runs([[result(API, Status.DOWN, region="us-east-1")]] * 5, newest=NOW - MINUTE)
    long_ago = tuple(replace(run, slot=run.slot - 60 * MINUTE) for run in old)
    observed = PageData(runs=(*long_ago, *recent))
    assert [sight.region for sight in sights(observed)] == ["Virginia"]


def test_region_that_sees_a_failure_first_is_news() -> None:
    calm = build_view(CONFIG, seen(eu_west_1=Status.HEALTHY, us_east_1=Status.HEALTHY), NOW)
    split = build_view(CONFIG, seen(eu_west_1=Status.HEALTHY, us_east_1=Status.DOWN), NOW)
    told = replace(calm.groups[0].components[0], regions=split.groups[0].components[0].regions)
    assert component_news(told) != component_news(calm.groups[0].components[0])


def test_the_page_says_from_where_it_was_checked() -> None:
    view = build_view(CONFIG, seen(eu_west_1=Status.HEALTHY, us_east_1=Status.HEALTHY), NOW)
    assert view.overall.checked_from == "Virginia and Ireland"
    page = first_page(CONFIG, seen(eu_west_1=Status.HEALTHY, us_east_1=Status.HEALTHY))
    assert re.search(r"Checked <time[^>]+>[^<]+</time> from Virginia and Ireland<", page)


def test_one_place_goes_without_saying() -> None:
    alone = replace(CONFIG, regions=("eu-west-1",))
    for observed in (
        seen(eu_west_1=Status.DOWN),
        seen(eu_west_1=Status.DOWN, ap_south_1=Status.DOWN),
    ):
        for world in (CONFIG, alone):
            assert build_view(world, observed, NOW).overall.checked_from == ""
    assert "Ireland" not in first_page(alone, seen(eu_west_1=Status.DOWN))


def test_a_place_that_has_fallen_silent_is_not_named() -> None:
    """Ireland looked an hour ago; the page does not claim that it still does."""
    old = seen(eu_west_1=Status.HEALTHY).runs
    recent = runs([[result(API, region="us-east-1")]] * 5, newest=NOW - MINUTE)
    long_ago = tuple(replace(run, slot=run.slot - 60 * MINUTE) for run in old)
    assert build_view(CONFIG, PageData(runs=(*long_ago, *recent)), NOW).overall.checked_from == ""


def test_a_stale_page_says_when_and_not_from_where() -> None:
    observed = seen(eu_west_1=Status.HEALTHY, us_east_1=Status.HEALTHY)
    later = rendered(CONFIG, observed.runs, NOW + 60 * MINUTE)["index.html"].body.decode()
    assert "Last checked" in later
    assert "Virginia" not in later


def test_the_page_of_a_component_says_who_saw_what() -> None:
    view = build_view(CONFIG, seen(eu_west_1=Status.DOWN, us_east_1=Status.HEALTHY), NOW)
    (page,) = ComponentPages().files([view], NOW).values()
    text = " ".join(re.sub(r"<[^>]+>", "", page.body.decode()).split())
    assert "Virginia: Operational · Ireland: Major outage" in text


def first_page(world: Config, observed: PageData) -> str:
    return rendered(world, observed.runs, NOW)["index.html"].body.decode()
