"""The page in a real Chromium."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from importlib.resources import files
from typing import Any

import pytest
from msgspec.structs import replace
from playwright.sync_api import Locator, Page, Request, expect

from checkup.config.page import Colors, PageLink, PageSettings, Palette
from checkup.config.settings import GroupSettings
from checkup.interfaces import PageFile
from checkup.model import Status
from checkup.times import SECOND
from tests.page.conftest import Site, Visit
from tests.page.showcase import STATES, outage
from tests.page.worlds import MILLISECOND, MINUTE, checker, config, rendered, result, runs

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")

HEALTHY, DEGRADED, DOWN, UNKNOWN = Status.HEALTHY, Status.DEGRADED, Status.DOWN, Status.UNKNOWN


def now() -> int:
    return time.time_ns()


def simple(status: Status = HEALTHY, age: int = 0, **page: Any) -> dict[str, PageFile]:
    """The page of one service, written some time ago."""
    api = checker("API")
    at = now() - age
    world = config([api], PageSettings(title="Acme Status", **page))
    return rendered(world, runs([[result(api, status)]] * 3, newest=at - SECOND), at)


def everything(*, days: bool = False) -> dict[str, PageFile]:
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
    return rendered(world, runs(seen, newest=now() - SECOND), days=days)


@pytest.fixture(params=["runs", "days"])
def full(site: Site, request: pytest.FixtureRequest) -> None:
    site.files = everything(days=request.param == "days")


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
        visit.open_everything()
        width = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert width <= 0
        visit.expect_no_complaint()

    @pytest.mark.parametrize(
        ("visit", "bars"),
        [
            ({"viewport": {"width": 390, "height": 800}}, 30),
            ({"viewport": {"width": 640, "height": 800}}, 60),
            ({"viewport": {"width": 1280, "height": 800}}, 90),
        ],
        indirect=["visit"],
    )
    def test_the_bars_fits_the_screen(self, visit: Visit, bars: int) -> None:
        page = visit.open()
        strip = page.locator(".strip").first.bounding_box()
        drawing = page.locator(".strip svg").first.bounding_box()
        assert strip
        assert drawing
        assert round(90 * strip["width"] / drawing["width"]) == bars
        # The newest bar is always the last one in sight.
        ends = [box["x"] + box["width"] for box in (strip, drawing)]
        assert abs(ends[0] - ends[1]) < 1
        assert reach(page) == [str(bars)]

    @pytest.mark.row("F14")
    @pytest.mark.parametrize("visit", [{"viewport": {"width": 600, "height": 800}}], indirect=True)
    def test_a_narrow_screen_has_one_column(self, visit: Visit) -> None:
        page = visit.open()
        boxes = [strip.bounding_box() for strip in page.locator(".strip:visible").all()]
        assert len(boxes) > 1
        assert len({round(box["x"]) for box in boxes if box}) == 1
        assert len({round(box["y"]) for box in boxes if box}) == len(boxes)

    def test_axe_finds_nothing_where_there_is_nothing(self, visit: Visit) -> None:
        assert faults(visit.open("no/such/page")) == []
        assert visit.page.title() == "Page not found - Acme Status"


def reach(page: Page) -> list[str]:
    """How far back the first strip reaches, by the words below it that can be seen."""
    ago = page.locator(".ago")
    if ago.count():
        return [ago.first.evaluate("it => getComputedStyle(it, '::before').content").strip('"')]
    labels = page.locator(".axis").first.locator("[class^=at]").all()
    shown = [label.get_attribute("class") or "" for label in labels if label.is_visible()]
    return [name.removeprefix("at") for name in shown]


def faults(page: Page) -> list[str]:
    """Everything that axe has to say against the page."""
    page.evaluate(AXE)
    found = page.evaluate("axe.run().then(found => found.violations)")
    return [f"{fault['id']}: {node['target']}" for fault in found for node in fault["nodes"]]


@pytest.mark.parametrize("visit", [{"viewport": {"width": 320, "height": 640}}], indirect=True)
def test_no_name_of_a_region_is_wider_than_a_phone(site: Site, visit: Visit) -> None:
    api = checker("API")
    places = {"eu": "Frankfurt", "us": "Virginia, at the second of our two providers"}
    world = replace(config([api], PageSettings(regions=places)), regions=tuple(places))
    seen = [[result(api, DOWN, region="eu")], [result(api, region="us")]]
    site.files = rendered(world, runs(seen, newest=now() - SECOND, every=1))
    page = visit.open()
    assert page.get_by_text("Virginia, at").count() == 2
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    visit.expect_no_complaint()


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
@pytest.mark.parametrize(
    "visit",
    [
        pytest.param(
            {"viewport": {"width": width, "height": 900}, "color_scheme": theme},
            id=f"{width}-{theme}",
        )
        for width in (320, 768, 1280)
        for theme in ("light", "dark")
    ],
    indirect=True,
)
def test_axe_finds_nothing(site: Site, visit: Visit, *, script: bool) -> None:
    """In an outage with an incident, when there is most to see.

    axe needs a script itself, so that without script means without the page's own.
    """
    files = outage(now())
    site.files = files if script else without_script(files)
    page = visit.open()
    assert faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    visit.expect_no_complaint()


def without_script(files: Mapping[str, PageFile]) -> dict[str, PageFile]:
    return {
        path: replace(file, body=re.sub(rb"<script>.*?</script>", b"", file.body, flags=re.DOTALL))
        for path, file in files.items()
    }


@pytest.mark.parametrize("state", [name for name in STATES if name not in {"outage", "fifty"}])
def test_axe_finds_nothing_in_any_state(site: Site, visit: Visit, state: str) -> None:
    site.files = STATES[state](now())
    assert faults(visit.open()) == []
    visit.expect_no_complaint()


@pytest.mark.usefixtures("full")
class TestWithoutScript:
    @pytest.mark.row("137")
    @pytest.mark.parametrize("visit", [{"java_script_enabled": False}], indirect=True)
    def test_the_page_is_complete(self, visit: Visit) -> None:
        page = visit.open()
        expect(page.locator("#verdict")).to_have_text("Partial outage: Mail is down")
        expect(page.get_by_text("The information below is from that time.")).to_be_hidden()
        expect(page.locator(".verdict")).to_contain_text("UTC · every minute")
        expect(page.locator(".strip")).to_have_count(5)
        expect(page.locator("header button")).to_be_hidden()
        group = page.locator("details.group", has_text="Services").first
        expect(group.locator("h3").first).to_be_visible()
        visit.expect_no_complaint()

    @pytest.mark.parametrize("full", ["runs"], indirect=True)
    @pytest.mark.parametrize("visit", [{"java_script_enabled": False}], indirect=True)
    def test_what_changed_can_be_opened(self, visit: Visit) -> None:
        page = visit.open()
        changes = page.locator(".changes").first
        expect(changes.locator("li").first).to_be_hidden()
        changes.locator("summary").click()
        expect(changes.locator("li").first).to_be_visible()


class TestScript:
    @pytest.mark.parametrize("visit", [{"timezone_id": "Asia/Seoul"}], indirect=True)
    def test_times_become_relative_and_local(self, site: Site, visit: Visit) -> None:
        site.files = everything()
        page = visit.open()
        checked = page.locator(".verdict time")
        assert "ago" in (checked.text_content() or "")
        assert (checked.get_attribute("title") or "").endswith("UTC")
        expect(page.locator("#zone")).to_have_text("Times are in your time zone, Asia/Seoul.")
        page.get_by_role("button", name="Show them in UTC").click()
        expect(page.locator("#zone")).to_have_text("All times are in UTC.")
        expect(page.locator("footer time").first).to_contain_text("UTC")

    def test_the_choice_of_colours_stays(self, site: Site, visit: Visit) -> None:
        site.files = simple()
        page = visit.open()
        page.get_by_role("button", name="Colours").click()
        page.get_by_role("button", name="Colours").click()
        page.reload()
        expect(page.get_by_role("button", name="Colours: dark")).to_be_visible()
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
        visit.expect_no_complaint()

    @pytest.mark.row("F16")
    def test_a_message_appears_once_however_often_the_page_looks(
        self, site: Site, visit: Visit
    ) -> None:
        api = checker("API")
        world = config([api], PageSettings(refresh_interval=1))
        first, last = result(api, message="We are on it"), result(api, DOWN)
        site.files = rendered(world, runs([[first], [result(api)]], newest=now() - SECOND))
        page = visit.open()
        expect(page.locator(".messages li")).to_have_count(1)
        site.files = rendered(world, runs([[first], [result(api)], [last]], newest=now() - SECOND))
        expect(page.locator("#verdict")).to_have_text("Major outage: API is down")
        page.wait_for_timeout(2500)
        expect(page.locator(".messages li")).to_have_count(1)

    @pytest.mark.row("F11")
    def test_a_visit_is_one_request_without_credentials(self, site: Site, visit: Visit) -> None:
        site.files = everything()
        asked: list[Request] = []

        def note(request: Request) -> None:
            asked.append(request)

        visit.page.on("request", note)
        visit.open()
        own = [request for request in asked if not request.url.startswith("data:")]
        assert [request.url for request in own] == [f"{site.url}index.html"]
        assert not {"authorization", "cookie"} & own[0].all_headers().keys()
        visit.expect_no_complaint()

    def test_nothing_moves_away_under_a_keyboard(self, site: Site, visit: Visit) -> None:
        site.files = everything_with(refresh_interval=1)
        page = visit.open()
        page.locator("main summary").first.focus()
        site.files = simple(DOWN, refresh_interval=1)
        page.wait_for_timeout(2500)
        expect(page.locator("main summary").first).to_be_focused()

    @pytest.mark.row("129", "F04")
    def test_a_page_that_is_no_longer_written_says_so(self, site: Site, visit: Visit) -> None:
        site.files = simple(age=60 * MINUTE, refresh_interval=1)
        page = visit.open()
        expect(page.locator("#verdict")).to_have_text("Status unknown")
        expect(page.locator(".verdict")).to_contain_text("Last checked 60 minutes ago")
        expect(page.get_by_text("The information below is from that time.")).to_be_visible()
        assert page.title() == "Status unknown"
        page.wait_for_timeout(1500)
        expect(page.locator("#verdict")).to_have_text("Status unknown")
        visit.expect_no_complaint()

    @pytest.mark.row("137")
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


class TestBars:
    """Ninety days; the newest one and the one before yesterday were not good ones."""

    @pytest.fixture
    def made(self) -> int:
        """When the page was made: the day may end meanwhile."""
        return now()

    @pytest.fixture
    def strip(self, site: Site, visit: Visit, made: int) -> Locator:
        site.files = outage(made)
        return visit.open().get_by_role("slider", name="Card payments, last 90 days")

    def test_bars_are_one_tab_stop_and_arrows_move_by_day(self, strip: Locator, made: int) -> None:
        page = strip.page
        page.locator("summary", has_text="Payments").focus()
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        expect(strip).to_be_focused()
        expect(page.locator(".tip")).to_contain_text("Partial outage: ")
        expect(page.locator(".tip")).to_contain_text("15 min down")
        page.keyboard.press("ArrowLeft")
        expect(page.locator(".tip")).to_contain_text(days_ago(made, 1))
        expect(page.locator(".tip")).to_contain_text("Operational")
        expect(strip).to_have_attribute(
            "aria-valuetext", re.compile(f"^{days_ago(made, 1)}, Operational")
        )
        page.keyboard.press("Home")
        expect(page.locator(".tip")).to_contain_text(days_ago(made, 89))
        page.keyboard.press("Escape")
        expect(page.locator(".tip")).to_be_hidden()
        expect(strip).to_be_focused()
        page.keyboard.press("ArrowRight")
        expect(page.locator(".tip")).to_be_visible()
        page.keyboard.press("Tab")
        expect(page.locator(".tip")).to_be_hidden()

    def test_each_day_is_shown_what_happened_on_it(self, site: Site, visit: Visit) -> None:
        site.files = everything(days=True)
        page = visit.open()
        page.locator(".strip").first.focus()
        told = [
            r"Partial outage: [\d.]+% uptime, 12 min down",
            "Operational",
            "No result",
            "Maintenance",
            "Unknown: 24 h unknown",
            r"Degraded: 100\.00% uptime, 1 h degraded",
            r"Major outage: 91\.66% uptime, 2 h down",
            "Operational",
            r"Partial outage: 99\.16% uptime, 12 min down",
        ]
        for words in told:
            expect(page.locator(".tip")).to_have_text(re.compile(rf"\d{{4}}{words}$"))
            page.keyboard.press("ArrowLeft")

    def test_hovering_tells_of_a_day_and_can_be_dismissed(self, strip: Locator, made: int) -> None:
        strip.hover(position={"x": 3, "y": 16})
        tip = strip.page.locator(".tip")
        expect(tip).to_contain_text(days_ago(made, 89))
        tip.hover()
        expect(tip).to_be_visible()
        strip.page.keyboard.press("Escape")
        expect(tip).to_be_hidden()
        strip.hover(position={"x": 30, "y": 16})
        strip.page.mouse.move(1, 1)
        expect(tip).to_be_hidden()

    @pytest.mark.parametrize(
        "visit", [{"viewport": {"width": 320, "height": 640}, "has_touch": True}], indirect=True
    )
    def test_a_tap_tells_of_a_day_in_sight(self, strip: Locator, made: int) -> None:
        strip.tap(position={"x": 2, "y": 16})
        tip = strip.page.locator(".tip")
        expect(tip).to_contain_text(days_ago(made, 29))
        box = tip.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 320
        strip.page.locator("h1").tap()
        expect(tip).to_be_hidden()

    def test_runs_are_shown_with_their_time(self, site: Site, visit: Visit) -> None:
        site.files = simple(DOWN)
        page = visit.open()
        page.locator(".strip").focus()
        expect(page.locator(".tip")).to_contain_text("Major outage")
        expect(page.locator(".tip b")).to_contain_text(":")
        visit.expect_no_complaint()


def days_ago(made: int, count: int) -> str:
    """A day of UTC before a moment, as an English browser names it."""
    day = datetime.fromtimestamp(made / SECOND, UTC) - timedelta(days=count)
    return f"{day:%A}, {day:%B} {day.day}, {day.year}"


class TestMenu:
    def test_updates_open_and_close_with_the_keyboard(self, site: Site, visit: Visit) -> None:
        site.files = simple()
        page = visit.open()
        page.locator(".menu summary").press("Enter")
        expect(page.get_by_role("link", name="Atom feed")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("link", name="Atom feed")).to_be_hidden()
        expect(page.locator(".menu summary")).to_be_focused()

    @pytest.mark.parametrize("visit", [{"java_script_enabled": False}], indirect=True)
    def test_updates_need_no_script(self, site: Site, visit: Visit) -> None:
        site.files = simple()
        page = visit.open()
        page.locator(".menu summary").click()
        links = page.locator(".menu a").evaluate_all("all => all.map(a => a.getAttribute('href'))")
        assert set(links) <= site.files.keys()

    def test_each_language_leads_to_the_others(self, site: Site, visit: Visit) -> None:
        site.files = STATES["korean"](now())
        page = visit.open()
        expect(page.locator("html")).to_have_attribute("lang", "ko")
        expect(page.locator("#verdict")).to_have_text("부분 장애: Card payments 중단")
        page.get_by_role("link", name="English").click()
        expect(page.locator("#verdict")).to_have_text("Partial outage: Card payments is down")
        page.get_by_role("link", name="한국어").click()
        expect(page).to_have_url(f"{site.url}index.html")
        visit.expect_no_complaint()


class TestOwnStyle:
    def test_the_owner_has_the_last_word(self, site: Site, visit: Visit) -> None:
        colors = Colors(light=Palette(accent="#7a1fa2", operational="#00695c"))
        site.files = simple(colors=colors, css="h1 { letter-spacing: 3px }\r\n", languages=("en",))
        page = visit.open()
        assert computed(page, ".more a", "color") == "rgb(122, 31, 162)"
        assert computed(page, ".components h3 + b", "color") == "rgb(0, 105, 92)"
        assert computed(page, "h1", "letterSpacing") == "3px"
        visit.expect_no_complaint()

    def test_it_can_ask_nobody_for_anything(self, site: Site, visit: Visit) -> None:
        css = '@import "https://evil.example/a.css"; h1 { background: url(https://evil.example/b) }'
        site.files = simple(css=css)
        stopped: dict[str, str | None] = {}

        def note(request: Request) -> None:
            stopped[request.url] = request.failure

        visit.page.on("requestfailed", note)
        visit.open()
        assert stopped == dict.fromkeys(visit.foreign, "csp")

    @pytest.mark.parametrize(
        "visit",
        [
            {"forced_colors": "active", "color_scheme": "light"},
            {"forced_colors": "active", "color_scheme": "dark"},
        ],
        indirect=True,
        ids=["light", "dark"],
    )
    def test_forced_colours_overrule_it_and_ours(self, site: Site, visit: Visit) -> None:
        site.files = simple(colors=Colors(light=Palette(operational="#00695c")))
        page = visit.open()
        text = computed(page, "body", "color")
        assert computed(page, ".components h3 + b", "color") == text
        assert computed(page, ".components .icon", "color") == text


def computed(page: Page, selector: str, name: str) -> str:
    found: str = page.locator(selector).first.evaluate(f"it => getComputedStyle(it).{name}")
    return found


def everything_with(refresh_interval: int) -> dict[str, PageFile]:
    api = checker("API")
    world = config([api], PageSettings(refresh_interval=refresh_interval))
    return rendered(world, runs([[result(api)], [result(api, DOWN)]], newest=now() - SECOND))
