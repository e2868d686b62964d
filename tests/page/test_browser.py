"""The page in a real Chromium."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from email.utils import formatdate
from importlib.resources import files
from typing import Any

import pytest
from msgspec.structs import replace
from playwright.sync_api import Page, expect

from checkup.config.settings import Config, GroupSettings, PageLink, PageSettings, StatusText
from checkup.model import SECOND, Attempt, Result, Run, Status
from checkup.ports import PageFile
from checkup_page.compose import Observed, compose
from checkup_page.render import render
from tests.page.conftest import Site, Visit
from tests.page.worlds import MILLISECOND, MINUTE, checker, config, result, runs

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")

HEALTHY, DEGRADED, DOWN, UNKNOWN = Status.HEALTHY, Status.DEGRADED, Status.DOWN, Status.UNKNOWN

ATTACKS = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</textarea><img src=x onerror=alert(1)>",
    '"><img src=x onerror=alert(1)>',
    "'><svg onload=alert(1)>",
    '" onmouseover="alert(1)" autofocus onfocus="alert(1)" x="',
    "' onfocus='alert(1)' autofocus tabindex='0",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<math><mtext><script>alert(1)</script></mtext></math>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<link rel=stylesheet href=http://127.0.0.9/x.css>",
    "<base href=http://127.0.0.9/>",
    "<meta http-equiv=refresh content='0;url=http://127.0.0.9/'>",
    "<form action=http://127.0.0.9/><button>",
    "</svg><foreignObject><body onload=alert(1)>",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "http://127.0.0.9/ javascript:alert(1)",
    "<!--><script>alert(1)</script>-->",
    "]]><script>alert(1)</script>",
    "{{ 7 * 7 }}{% include '/etc/passwd' %}${7*7}#{7*7}",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "url(http://127.0.0.9/x)",
    "expression(alert(1))",
    "line\\u2028separator\\u003cscript\\u003e",
]


def now() -> int:
    return time.time_ns()


def rendered(
    world: Config, seen: tuple[Run, ...] = (), at: int | None = None
) -> dict[str, PageFile]:
    return render(compose(world, Observed(runs=seen), at or now()))


def simple(status: Status = HEALTHY, age: int = 0, **page: Any) -> dict[str, PageFile]:
    """The page of one service, written some time ago."""
    api = checker("API")
    at = now() - age
    world = config([api], PageSettings(title="Acme Status", **page))
    return rendered(world, runs([[result(api, status)]] * 3, newest=at - SECOND), at)


def everything() -> dict[str, PageFile]:
    """A page with all that a page can have."""
    checkers = [
        checker("Website", link="https://acme.example/", description="The shop"),
        checker("API", threshold_rtt=90 * MILLISECOND, group="Services"),
        checker("Mail", group="Services"),
        checker("Donaudampfschifffahrtsgesellschaftskapitänsmützenfabrik" * 3, id="long"),
        checker("خدمة الدفع عبر الإنترنت", id="rtl", group="Shop"),
    ]
    statuses = [
        [HEALTHY, DEGRADED if at % 7 == 0 else HEALTHY, DOWN, HEALTHY, UNKNOWN] for at in range(90)
    ]
    seen = [
        [result(of, status) for of, status in zip(checkers, column, strict=True)]
        for column in statuses
    ]
    for at in (10, 20, 30, 40, 50):
        message = f"Notice {at}: see https://acme.example/{'long-address/' * 12}"
        seen[at][0] = replace(seen[at][0], message=message)
    page = PageSettings(
        title="Acme Status",
        url="https://status.acme.example/",
        links=(PageLink(title="Support", url="https://acme.example/support"),),
        logo="data:image/svg+xml,%3Csvg%20xmlns='http://www.w3.org/2000/svg'/%3E",
    )
    world = replace(config(checkers, page), groups=(GroupSettings(name="Shop", collapsed=True),))
    return rendered(world, runs(seen, newest=now() - SECOND))


@pytest.fixture
def full(site: Site) -> None:
    site.files = everything()


def open_everything(page: Page) -> None:
    page.locator("details").evaluate_all("all => all.forEach(details => { details.open = true })")


def no_trouble(visit: Visit) -> None:
    assert (visit.complaints, visit.foreign) == ([], [])


class TestAttacks:
    """Whatever a stored or configured string holds, it is text."""

    @pytest.mark.parametrize("visit", [{}, {"java_script_enabled": False}], indirect=True)
    def test_no_string_does_anything(self, site: Site, visit: Visit) -> None:
        site.files = hostile()
        page = visit.open()
        open_everything(page)
        page.wait_for_timeout(200)
        no_trouble(visit)
        assert page.evaluate("document.querySelectorAll('script').length") == 1
        assert (
            page.evaluate(
                "document.querySelectorAll('[onload],[onerror],[onfocus],iframe,form,base').length"
            )
            == 0
        )

    def test_every_string_is_shown_as_it_is(self, site: Site, visit: Visit) -> None:
        site.files = hostile()
        page = visit.open()
        names = page.locator("h3").all_text_contents()
        assert names == [f"{number} {attack}" for number, attack in enumerate(ATTACKS)]
        # The messages that count are in the page too, closed or not.
        shown = page.locator(".messages li p:nth-child(2)").all_text_contents()
        assert set(shown) <= set(ATTACKS)
        assert len(shown) == 20

    def test_what_got_in_all_the_same_could_do_nothing(self, site: Site, visit: Visit) -> None:
        site.files = simple()
        page = visit.open()
        page.evaluate(
            """() => {
                const script = document.createElement("script");
                script.textContent = "window.evil = true";
                const image = document.createElement("img");
                image.src = "http://127.0.0.9/";
                document.body.append(script, image);
                document.body.setAttribute("style", "color: red");
            }"""
        )
        page.wait_for_timeout(200)
        assert page.evaluate("window.evil") is None
        assert len(visit.complaints) == 3
        assert all("Content Security Policy" in complaint for complaint in visit.complaints)

    def test_links_lead_to_web_addresses_only(self, site: Site, visit: Visit) -> None:
        site.files = hostile()
        links = visit.open().locator("main a").evaluate_all("all => all.map(a => a.protocol)")
        assert set(links) <= {"http:", "https:"}

    def test_no_string_breaks_the_json(self) -> None:
        summary = json.loads(hostile()["api/v2/summary.json"].body)
        names = [item["name"] for item in summary["components"] if not item["group"]]
        assert names == [f"{number} {attack}" for number, attack in enumerate(ATTACKS)]


def hostile() -> Mapping[str, PageFile]:
    """A page all of whose strings are attacks."""
    checkers = [
        checker(
            f"{number} {attack}",
            id=attack,
            description=attack,
            group=attack,
            link=attack,
            endpoint_url=attack,
        )
        for number, attack in enumerate(ATTACKS)
    ]

    def evil(of: Any, attack: str) -> Result:
        times = (Attempt(rtt=1, error=attack, failure=attack),)
        return replace(result(of, DOWN), times=times, message=attack, notice=attack, region=attack)

    seen = [evil(of, attack) for of, attack in zip(checkers, ATTACKS, strict=True)]
    page = PageSettings(
        title=ATTACKS[0],
        url=ATTACKS[17],
        logo=ATTACKS[18],
        links=tuple(PageLink(title=attack, url=attack) for attack in ATTACKS),
        status_text=StatusText(down=ATTACKS[5]),
    )
    groups = tuple(GroupSettings(name=attack, description=attack) for attack in ATTACKS)
    world = replace(config(checkers, page), groups=groups)
    return rendered(world, runs([[result(of) for of in checkers], seen], newest=now() - SECOND))


SCREENS = [
    pytest.param({"viewport": {"width": 320, "height": 640}}, id="320"),
    pytest.param(
        {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}, id="390-dark"
    ),
    pytest.param({"viewport": {"width": 768, "height": 1024}}, id="768"),
    pytest.param(
        {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"}, id="1280-dark"
    ),
    pytest.param(
        {"viewport": {"width": 320, "height": 640}, "java_script_enabled": False}, id="320-no-js"
    ),
]


@pytest.mark.usefixtures("full")
class TestEveryScreen:
    @pytest.mark.parametrize("visit", SCREENS, indirect=True)
    def test_nothing_is_wider_than_the_screen(self, visit: Visit) -> None:
        page = visit.open()
        open_everything(page)
        width = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert width <= 0
        no_trouble(visit)

    @pytest.mark.parametrize(
        ("visit", "bars"),
        [
            ({"viewport": {"width": 390, "height": 800}}, 30),
            ({"viewport": {"width": 768, "height": 800}}, 60),
            ({"viewport": {"width": 1280, "height": 800}}, 90),
        ],
        indirect=["visit"],
    )
    def test_the_strip_fits_the_screen(self, visit: Visit, bars: int) -> None:
        page = visit.open()
        strip = page.locator(".strip").first.bounding_box()
        drawing = page.locator(".strip svg").first.bounding_box()
        assert strip
        assert drawing
        assert round(90 * strip["width"] / drawing["width"]) == bars
        # The newest bar is always the last one in sight.
        ends = [box["x"] + box["width"] for box in (strip, drawing)]
        assert abs(ends[0] - ends[1]) < 1
        label = page.locator(f".caption .at{bars}").first
        expect(label).to_be_visible()

    @pytest.mark.parametrize(
        "visit", [{"color_scheme": c} for c in ("light", "dark")], indirect=True
    )
    def test_axe_finds_nothing(self, visit: Visit) -> None:
        assert faults(visit.open()) == []

    @pytest.mark.parametrize("visit", [{"viewport": {"width": 390, "height": 844}}], indirect=True)
    def test_axe_finds_nothing_on_a_phone(self, visit: Visit) -> None:
        assert faults(visit.open()) == []

    def test_axe_finds_nothing_where_there_is_nothing(self, visit: Visit) -> None:
        assert faults(visit.open("no/such/page")) == []
        assert visit.page.title() == "Page not found - Acme Status"


def faults(page: Page) -> list[str]:
    """Everything that axe has to say against the page."""
    page.evaluate(AXE)
    found = page.evaluate("axe.run().then(found => found.violations)")
    return [f"{fault['id']}: {node['target']}" for fault in found for node in fault["nodes"]]


@pytest.mark.usefixtures("full")
class TestWithoutScript:
    @pytest.mark.parametrize("visit", [{"java_script_enabled": False}], indirect=True)
    def test_the_page_is_complete(self, visit: Visit) -> None:
        page = visit.open()
        expect(page.locator("#verdict")).to_have_text("Partial outage: Mail is down")
        expect(page.locator(".verdict")).to_contain_text("UTC · every minute")
        expect(page.locator(".strip")).to_have_count(5)
        expect(page.locator("header button")).to_have_count(0)
        group = page.locator("details.group", has_text="Services").first
        expect(group.locator("h3").first).to_be_visible()
        no_trouble(visit)

    @pytest.mark.parametrize("visit", [{"java_script_enabled": False}], indirect=True)
    def test_what_changed_can_be_opened(self, visit: Visit) -> None:
        page = visit.open()
        changes = page.locator(".changes").first
        expect(changes.locator("li").first).to_be_hidden()
        changes.locator("summary").click()
        expect(changes.locator("li").first).to_be_visible()


class TestScript:
    def test_times_become_relative_and_local(self, site: Site, visit: Visit) -> None:
        site.files = simple()
        page = visit.open()
        checked = page.locator(".verdict time")
        assert "ago" in (checked.text_content() or "")
        assert (checked.get_attribute("title") or "").endswith("UTC")
        expect(page.locator("#zone")).to_contain_text("your time zone")

    def test_the_choice_of_colours_stays(self, site: Site, visit: Visit) -> None:
        site.files = simple()
        page = visit.open()
        page.get_by_role("button").click()
        page.get_by_role("button").click()
        page.reload()
        assert page.get_by_role("button").text_content() == "Colours: dark"
        background = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        assert background == "rgb(13, 17, 23)"

    def test_news_arrive_without_a_reload(self, site: Site, visit: Visit) -> None:
        site.files = simple(refresh_interval=1)
        page = visit.open()
        page.evaluate("window.kept = true")
        site.files = simple(DOWN, refresh_interval=1)
        expect(page.locator("#verdict")).to_have_text("Major outage: API is down")
        expect(page.get_by_role("status")).to_have_text("Major outage: API is down")
        assert page.title() == "Major outage - Acme Status"
        assert page.evaluate("window.kept") is True
        no_trouble(visit)

    def test_nothing_moves_away_under_a_keyboard(self, site: Site, visit: Visit) -> None:
        site.files = everything_with(refresh_interval=1)
        page = visit.open()
        page.locator("main summary").first.focus()
        site.files = simple(DOWN, refresh_interval=1)
        page.wait_for_timeout(2500)
        expect(page.locator("main summary").first).to_be_focused()

    def test_a_page_that_is_no_longer_written_says_so(self, site: Site, visit: Visit) -> None:
        site.files = simple(age=60 * MINUTE, refresh_interval=1)
        page = visit.open()
        expect(page.locator("#verdict")).to_have_text("Status unknown")
        expect(page.locator(".verdict")).to_contain_text("Last checked 60 minutes ago")
        assert page.title() == "Status unknown"
        page.wait_for_timeout(1500)
        expect(page.locator("#verdict")).to_have_text("Status unknown")
        no_trouble(visit)

    def test_a_clock_that_is_wrong_does_not_make_the_page_old(
        self, site: Site, visit: Visit
    ) -> None:
        age = 60 * MINUTE
        site.files = simple(age=age, refresh_interval=1)
        site.clock = formatdate((now() - age) / SECOND, usegmt=True)
        page = visit.open()
        page.wait_for_timeout(1500)
        expect(page.locator("#verdict")).to_have_text("All systems operational")

    def test_a_server_that_is_gone_leaves_the_page(self, site: Site, visit: Visit) -> None:
        site.files = simple(refresh_interval=1)
        page = visit.open()
        site.files = {"404.html": site.files["404.html"]}
        page.wait_for_timeout(1500)
        expect(page.locator("#verdict")).to_have_text("All systems operational")


def everything_with(refresh_interval: int) -> dict[str, PageFile]:
    api = checker("API")
    world = config([api], PageSettings(refresh_interval=refresh_interval))
    return rendered(world, runs([[result(api)], [result(api, DOWN)]], newest=now() - SECOND))
