"""The page in a language that is written from right to left, in Chromium."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Locator, expect

from checkup.interfaces import PageFile
from checkup.times import SECOND, hour_start
from examples.demo.announced import key_of
from tests.page import mirrored
from tests.page.conftest import Site, Visit
from tests.page.mirrored import in_its_letters
from tests.page.showcase import STATES
from tests.page.test_browser import faults
from tests.page.years import path_of

NOW = hour_start(time.time_ns())

KINDS = {
    "first": "index.html",
    "component": path_of("search"),
    "incident": f"incidents/{key_of('Payments time out')}.html",
    "month": f"history/{datetime.fromtimestamp(NOW / SECOND, UTC):%Y-%m}.html",
}


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, PageFile]:
    return mirrored.pages(tmp_path_factory.mktemp("mirrored"), NOW)


@pytest.fixture
def bars(site: Site, visit: Visit, pages: Mapping[str, PageFile]) -> Locator:
    """The bars of the search, which is slow today."""
    site.files = pages
    return visit.open().locator("li", has_text="Search").locator(".strip")


def date(count: int, visit: Visit) -> str:
    """A day of UTC as a Hebrew browser names it."""
    at = datetime.fromtimestamp(NOW / SECOND, UTC) - timedelta(days=count)
    shown: str = visit.page.evaluate(
        "at => new Intl.DateTimeFormat('he', { dateStyle: 'full', timeZone: 'UTC' }).format(at)",
        at.timestamp() * 1000,
    )
    return shown


def at(width: int, theme: str, kind: str) -> object:
    options = {"viewport": {"width": width, "height": 900}, "color_scheme": theme}
    return pytest.param(options, kind, id=f"{kind}-{width}-{theme}")


@pytest.mark.parametrize(
    ("visit", "kind"),
    [
        at(320, "light", "first"),
        at(768, "dark", "first"),
        at(1280, "light", "first"),
        at(320, "dark", "component"),
        at(1280, "light", "component"),
        at(320, "light", "incident"),
        at(320, "dark", "month"),
    ],
    indirect=["visit"],
)
def test_nothing_is_wrong_with_a_page_from_right_to_left(
    site: Site, visit: Visit, pages: Mapping[str, PageFile], kind: str
) -> None:
    site.files = pages
    page = visit.open(KINDS[kind])
    visit.open_everything()
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert page.evaluate("document.scrollingElement.scrollLeft") == 0
    assert faults(page) == []
    visit.expect_no_complaint()


def test_a_row_begins_at_the_right(site: Site, visit: Visit, pages: Mapping[str, PageFile]) -> None:
    site.files = pages
    page = visit.open()
    row = page.locator(".components li").first
    edges = [row.locator(part).first.bounding_box() for part in (".icon", "h3", "h3 + b")]
    icon, name, word = (box["x"] + box["width"] / 2 for box in edges if box)
    assert icon > name > word
    chevron = page.locator("details.group > summary").first.bounding_box()
    assert chevron
    assert chevron["x"] + chevron["width"] > icon


def test_the_newest_bar_is_the_left_most(bars: Locator, visit: Visit) -> None:
    bars.hover(position={"x": 3, "y": 16})
    tip = bars.page.locator(".tip")
    expect(tip.locator("b")).to_have_text(date(0, visit))
    expect(tip).to_contain_text(in_its_letters("Degraded"))
    box = bars.bounding_box()
    assert box
    bars.hover(position={"x": box["width"] - 3, "y": 16})
    expect(tip.locator("b")).to_have_text(date(89, visit))
    card = bars.page.locator(".card", has=bars)
    said = [card.locator(".axis p", has_text=in_its_letters(it)) for it in ("Today", "days ago")]
    today, ago = (box["x"] for it in said if (box := it.bounding_box()))
    assert today < ago


def test_what_is_pointed_at_is_framed(bars: Locator) -> None:
    bars.hover(position={"x": 3, "y": 16})
    frame, box = bars.locator("i").bounding_box(), bars.bounding_box()
    assert frame
    assert box
    assert abs(frame["x"] - box["x"]) < 2


def test_arrows_move_the_way_they_point(bars: Locator, visit: Visit) -> None:
    bars.focus()
    tip = bars.page.locator(".tip b")
    expect(tip).to_have_text(date(0, visit))
    bars.press("ArrowRight")
    expect(tip).to_have_text(date(1, visit))
    bars.press("ArrowLeft")
    expect(tip).to_have_text(date(0, visit))


@pytest.mark.parametrize("visit", [{"viewport": {"width": 320, "height": 640}}], indirect=True)
def test_a_narrow_screen_shows_the_newest_bars_from_the_left(bars: Locator) -> None:
    drawing, box = bars.locator("svg").bounding_box(), bars.bounding_box()
    assert drawing
    assert box
    assert round(drawing["width"] / box["width"]) == 3
    assert abs(drawing["x"] - box["x"]) < 1


def test_addresses_are_written_from_left_to_right(
    site: Site, visit: Visit, pages: Mapping[str, PageFile]
) -> None:
    site.files = pages
    code = visit.open(KINDS["component"]).locator("pre code").first
    assert code.evaluate("it => getComputedStyle(it).direction") == "ltr"


def test_names_from_right_to_left_stay_within_their_place(site: Site, visit: Visit) -> None:
    """On a page from left to right: the word after a name is to its right, and so is its end."""
    site.files = STATES["names"](time.time_ns())
    page = visit.open()
    visit.open_everything()
    for row in page.locator(".components li").all():
        boxes = [row.locator(part).first.bounding_box() for part in (".icon", "h3 bdi", "h3 + b")]
        icon, name, word = (box["x"] for box in boxes if box)
        assert icon < name < word
