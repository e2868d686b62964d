"""The page on paper, printed by a real Chromium."""

from __future__ import annotations

import re
import time
import unicodedata
from io import BytesIO
from itertools import combinations
from typing import Literal

import pytest
from pypdf import PdfReader

from checkup.documents import encode
from checkup.incidents.model import Incident, IncidentDocument, IncidentUpdate
from checkup.incidents.store import INCIDENTS_KEY
from checkup.storage.memory import MemoryStorage
from checkup.times import hour_start
from checkup_page.build import build_page
from examples.demo.announced import key_of
from tests.page.conftest import Site, Visit
from tests.page.showcase import outage
from tests.page.test_browser import computed, everything
from tests.page.worlds import checker, config
from tests.page.years import path_of, told

NOW = hour_start(time.time_ns())
PAPER = {"width": 704, "height": 1000}
"""A4 within its margins."""


def printed(visit: Visit, path: str = "index.html") -> list[str]:
    """The text of each sheet of paper."""
    page = visit.open(path)
    sheets = PdfReader(BytesIO(page.pdf(format="A4"))).pages
    texts = [unicodedata.normalize("NFKC", sheet.extract_text()) for sheet in sheets]
    return [" ".join(text.split()) for text in texts]


def test_paper_says_what_the_page_says_and_has_no_controls(site: Site, visit: Visit) -> None:
    site.files = outage(time.time_ns())
    text = " ".join(printed(visit))
    assert "Partial outage: Card payments is down" in text
    assert "No card is charged twice." in text
    for name in ("Website", "Sign-in", "Outgoing mail", "Invoices", "90 days ago", "Each bar is"):
        assert name in text
    assert "Get updates" not in text
    visit.expect_no_complaint()


def test_paper_tells_the_time_and_not_how_long_ago_that_was(site: Site, visit: Visit) -> None:
    site.files = outage(time.time_ns())
    text = " ".join(printed(visit))
    assert re.search(r"Checked \d+ \w+ \d{4}, \d\d:\d\d UTC · every minute", text)
    assert not re.search(r"(second|minute)s? ago", text)


def test_paper_has_what_is_folded_away(site: Site, visit: Visit) -> None:
    site.files = everything()
    shop = visit.open().locator("details.group", has_text="Shop").locator("li").first
    visit.page.locator("details.group").evaluate_all("all => all.forEach(it => it.open = false)")
    assert not shop.is_visible()
    visit.page.emulate_media(media="print")
    assert shop.is_visible()


def test_a_link_of_a_story_has_its_address_on_paper(site: Site, visit: Visit) -> None:
    site.files = told(NOW)
    text = " ".join(printed(visit, f"incidents/{key_of('E-mails are not delivered')}.html"))
    assert "which mails wait (https://shop.example/help/mail)" in text
    assert "index.html" not in text


@pytest.mark.parametrize("visit", [{"viewport": PAPER, "color_scheme": "dark"}], indirect=True)
@pytest.mark.parametrize("theme", ["auto", "dark"])
def test_paper_is_white_whatever_the_theme(site: Site, visit: Visit, theme: str) -> None:
    site.files = outage(time.time_ns())
    page = visit.open()
    page.evaluate("theme => localStorage.setItem('theme', theme)", theme)
    page.reload()
    assert computed(page, "html", "backgroundColor") == "rgb(13, 17, 23)"
    page.emulate_media(media="print")
    assert computed(page, "html", "backgroundColor") == "rgb(255, 255, 255)"
    assert computed(page, "body", "color") == "rgb(0, 0, 0)"
    assert computed(page, ".verdict", "backgroundColor") == "rgba(0, 0, 0, 0)"


@pytest.mark.parametrize("visit", [{"viewport": PAPER}], indirect=True)
def test_paper_shows_ninety_days_to_the_edge(site: Site, visit: Visit) -> None:
    site.files = outage(time.time_ns())
    page = visit.open()
    page.emulate_media(media="print")
    bars = page.locator(".strip").first.bounding_box()
    drawing = page.locator(".strip svg").first.bounding_box()
    assert bars == drawing


def test_bars_are_distinguished_without_their_colours(site: Site, visit: Visit) -> None:
    site.files = everything(days=True)
    drawings = (
        visit.open()
        .locator("pattern[href]")
        .evaluate_all(
            "all => all.map(it => [...it.querySelectorAll('rect,path,circle')]"
            ".map(part => [...part.attributes].map(it => it.value).join()).join('|'))"
        )
    )
    assert len(drawings) == 7
    assert all(one != other for one, other in combinations(drawings, 2))


@pytest.mark.parametrize("visit", [{"viewport": PAPER}], indirect=True)
@pytest.mark.parametrize("path", ["index.html", path_of("checkout")])
def test_nothing_is_wider_than_paper(site: Site, visit: Visit, path: str) -> None:
    site.files = told(NOW)
    page = visit.open(path)
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    tables = page.locator(".wide").evaluate_all(
        "all => all.map(it => it.scrollWidth - it.offsetWidth)"
    )
    assert all(beyond <= 0 for beyond in tables)


def test_a_service_stays_on_one_sheet(site: Site, visit: Visit) -> None:
    """Its name and the numbers under its bars are not torn apart."""
    site.files = told(NOW)
    sheets = printed(visit)
    assert len(sheets) > 1
    for name in ("Website", "Checkout", "Public API", "Webhooks", "Nightly export"):
        (sheet,) = [text for text in sheets if f"{name} Operational" in text]
        assert re.search(rf"{name} Operational (?:(?!Operational).)*uptime", sheet), name


@pytest.mark.parametrize("media", ["screen", "print"])
@pytest.mark.parametrize("visit", [{"viewport": {"width": 320, "height": 640}}], indirect=True)
def test_a_line_of_code_is_there_to_its_end_without_a_finger_that_scrolls(
    site: Site, visit: Visit, media: Literal["screen", "print"]
) -> None:
    storage = MemoryStorage()
    text = f"```\n{'x' * 200} {'y' * 200}\n```"
    said = IncidentUpdate(id="a" * 12, at=NOW, status="investigating", text=text)
    slow = Incident(id="b" * 12, title="Slow", impact="minor", started=NOW, updates=(said,))
    storage.create(
        INCIDENTS_KEY, encode(IncidentDocument(incidents={slow.id: slow}), order="sorted")
    )
    site.files = build_page(config([checker("API")]), storage, NOW + 1)
    page = visit.open(f"incidents/{slow.id}.html")
    page.emulate_media(media=media)
    beyond = page.locator("pre").evaluate("it => it.scrollWidth - it.clientWidth")
    assert beyond <= 0
