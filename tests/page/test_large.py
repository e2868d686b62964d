"""The page of hundreds or thousands of components: groups have pages of their own."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from functools import cache

import pytest

from checkup.config.page import PageSettings
from checkup.interfaces import PageFile
from checkup.model import Status
from checkup_page.build_view import PageData, build_view
from checkup_page.render import render_site
from checkup_page.view import DAILY, HOURLY, MAX_LISTED, SIX_HOURS, component_interval
from tests.page.conftest import Site, Visit
from tests.page.test_browser import faults
from tests.page.worlds import NOW, checker, config, every_kind_of_day, result, runs

MEGABYTE = 1_000_000


@cache
def large(
    count: int, *, down: int = 0, text: str = "", days: bool = False
) -> Mapping[str, PageFile]:
    """A page of so many components in two groups and without one, some of which are down."""
    groups = ("", "Coffee", "Tea")
    checkers = [
        checker(f"Service {number}", group=groups[number % 3], description=text, public_name=text)
        for number in range(count)
    ]
    results = [
        result(it, Status.DOWN if number < down else Status.HEALTHY)
        for number, it in enumerate(checkers)
    ]
    world = config(checkers, PageSettings(title="Large", languages=("en", "ko")))
    data = PageData(
        runs=runs([results] * 3),
        daily={it.id: every_kind_of_day(NOW) for it in checkers} if days else {},
    )
    return render_site(*(build_view(world, data, NOW, code) for code in world.page.languages))


def html(files: Mapping[str, PageFile], path: str) -> str:
    return files[path].body.decode()


def group_pages(files: Mapping[str, PageFile]) -> list[str]:
    return [path for path in files if path.startswith("groups/")]


def component_links(text: str) -> list[str]:
    return re.findall(r'href="(?:\.\./)?(components/\w+\.html)"', text)


def test_up_to_400_components_stand_on_the_first_page() -> None:
    files = large(MAX_LISTED)
    assert group_pages(files) == []
    assert len(component_links(html(files, "index.html"))) == MAX_LISTED


def test_each_component_of_a_large_site_is_on_one_page_of_its_group() -> None:
    files = large(MAX_LISTED + 500)
    index, groups = html(files, "index.html"), group_pages(files)
    assert component_links(index) == []
    assert len(groups) == 6  # each group has 300 components, on two pages
    linked = Counter(link for path in groups for link in component_links(html(files, path)))
    assert set(linked.values()) == {1}
    assert len(linked) == MAX_LISTED + 500
    assert len(re.findall(r'href="groups/\w+\.html"', index)) == 3
    assert len([path for path in files if path.startswith("ko/groups/")]) == 6


def test_what_fails_is_on_the_first_page_however_large_the_site_is() -> None:
    few, many = (html(large(600, down=down), "index.html") for down in (5, 150))
    assert len(component_links(few)) == 5
    assert len(component_links(many)) == 100
    assert "50 more affected services" in many
    assert "Partial outage: 5 of 600 services down" in few


def test_every_page_stays_below_a_megabyte() -> None:
    for count in (MAX_LISTED, 2000):
        files = large(count, down=count, text="A service with a long name " * 10, days=True)
        sizes = {path: len(it.body) for path, it in files.items() if path.endswith(".html")}
        assert {path: size for path, size in sizes.items() if size > MEGABYTE} == {}


def test_the_links_of_every_page_lead_somewhere() -> None:
    files = large(600, down=5)
    for path in ("index.html", "ko/index.html", *group_pages(files)):
        folder = path.rpartition("/")[0]
        for link in re.findall(r'href="([\w./-]+\.html)"', html(files, path)):
            parts = [part for part in folder.split("/") if part]
            for part in link.split("/"):
                parts = parts[:-1] if part == ".." else [*parts, part]
            target = "/".join(parts)
            assert target in files or target.removeprefix("ko/").startswith(
                ("components/", "history/")
            ), (path, link)


def test_news_of_a_group_is_published_at_once_and_that_of_others_waits() -> None:
    well, bad = large(600), large(600, down=1)
    changed = {
        path for path in group_pages(well) if well[path].urgent_content != bad[path].urgent_content
    }
    assert len(changed) == 1
    assert well["index.html"].urgent_content != bad["index.html"].urgent_content


@pytest.mark.parametrize(
    ("components", "interval"), [(50, HOURLY), (1000, HOURLY), (1001, SIX_HOURS), (10_000, DAILY)]
)
def test_files_of_a_component_are_written_less_often_the_more_there_are(
    components: int, interval: int
) -> None:
    assert component_interval(components) == interval


def test_a_visitor_finds_a_service_by_its_name(visit: Visit, site: Site) -> None:
    site.files = large(600, down=2)
    page = visit.open()
    assert faults(page) == []
    page.get_by_placeholder("Search services").fill("service 59")
    links = page.locator("#found a")
    links.first.wait_for()
    assert sorted(links.all_inner_texts()) == [
        "Service 59",
        *(f"Service {590 + n}" for n in range(10)),
    ]
    target = links.first.get_attribute("href")
    assert target is not None
    assert target.startswith("components/")
    visit.expect_no_complaint()


def test_a_page_of_a_group_is_as_accessible_as_the_first_one(visit: Visit, site: Site) -> None:
    site.files = large(600, down=2)
    (path, *_) = group_pages(site.files)
    page = visit.open(path)
    assert faults(page) == []
    assert page.locator(".strip").count() == 200
    visit.expect_no_complaint()
