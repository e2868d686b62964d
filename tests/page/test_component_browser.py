"""The page of a component in Chromium: no fault that axe knows of, and charts without a script."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Page

from checkup.times import hour_start
from checkup_page.build_view import PageData, build_view
from checkup_page.components.page import ComponentPages
from checkup_page.render import render_site
from tests.page.conftest import Site, Visit
from tests.page.test_browser import faults, without_script
from tests.page.worlds import checker, config, result, runs
from tests.page.years import pages, path_of

NOW = hour_start(time.time_ns())


def at(*, width: int, theme: str = "light") -> object:
    options = {"viewport": {"width": width, "height": 900}, "color_scheme": theme}
    return pytest.param(options, id=f"{width}-{theme}")


def shown(page: Page) -> list[str]:
    """The labels of the charts that can be seen."""
    figures = page.locator(".spans figure").all()
    labels = page.locator(".spans label").all_inner_texts()
    return [label for label, figure in zip(labels, figures, strict=True) if figure.is_visible()]


@pytest.mark.row("137")
@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
@pytest.mark.parametrize(
    "visit",
    [at(width=320, theme="dark"), at(width=768), at(width=1280, theme="dark"), at(width=1280)],
    indirect=True,
)
def test_axe_finds_nothing_on_the_page_of_a_component(
    site: Site, visit: Visit, *, script: bool
) -> None:
    site.files = pages(NOW) if script else without_script(pages(NOW))
    page = visit.open(path_of("search"))
    visit.open_everything()
    assert faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    visit.expect_no_complaint()


@pytest.mark.row("137")
@pytest.mark.parametrize("visit", [{"java_script_enabled": False}], indirect=True)
def test_a_chart_is_chosen_without_a_script(site: Site, visit: Visit) -> None:
    site.files = pages(NOW)
    page = visit.open(path_of("search"))
    assert shown(page) == ["24 hours"]
    page.locator("label", has_text="90 days").click()
    assert shown(page) == ["90 days"]
    page.keyboard.press("ArrowRight")
    assert shown(page) == ["365 days"]


def test_a_component_is_reached_from_the_first_page_and_leads_back(
    site: Site, visit: Visit
) -> None:
    site.files = pages(NOW)
    page = visit.open("ko/index.html")
    page.locator(".components a").nth(2).click()
    page.wait_for_url(f"**/{path_of('search', 'ko/')}")
    page.locator(".trail a").click()
    page.wait_for_url("**/ko/index.html")
    visit.expect_no_complaint()


@pytest.mark.row("129")
@pytest.mark.parametrize("visit", [{"timezone_id": "Asia/Seoul"}], indirect=True)
def test_an_hour_later_the_page_says_that_it_is_old(site: Site, visit: Visit) -> None:
    site.files = pages(NOW - 7200 * 1_000_000_000)
    page = visit.open(path_of("checkout"))
    page.wait_for_selector(".verdict.unknown")
    assert page.locator("#verdict").inner_text() == "Status unknown"
    visit.expect_no_complaint()


@pytest.mark.parametrize("visit", [at(width=320)], indirect=True)
def test_no_name_makes_it_wider_than_the_screen(site: Site, visit: Visit) -> None:
    wide = checker("W" * 100, group="M" * 100)
    view = build_view(config([wide]), PageData(runs=runs([[result(wide)]])), NOW)
    site.files = {**render_site(view), **ComponentPages().files([view], NOW)}
    page = visit.open(view.groups[0].components[0].path)
    assert page.locator("img").evaluate("it => it.naturalWidth") > 320
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    visit.expect_no_complaint()
