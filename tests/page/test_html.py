"""The HTML as text: whether it is well formed, closed to others and says what it must."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from msgspec.structs import replace

import checkup_page
from checkup.colors import COLORS
from checkup.config.page import PageSettings
from checkup.model import Attempt, Status
from checkup_page.assets import page_assets
from checkup_page.build_view import PageData, build_view
from checkup_page.render import render_site
from tests.page.worlds import NOW, checker, config, result, runs

HEALTHY, DOWN = Status.HEALTHY, Status.DOWN
PACKAGE = Path(checkup_page.__file__).parent
VOID = {"meta", "link", "img", "br", "hr", "input"}
API, SHOP = checker("API", link="https://acme.example/"), checker("Shop", group="Sales")

GROUP = [result(API), result(SHOP, DOWN)]
SEEN = PageData(
    runs=runs([[result(API), result(SHOP)], [*GROUP[:1], result(SHOP, message="Hi")], GROUP])
)
FILES = render_site(build_view(config([API, SHOP]), SEEN, NOW))
FIRST = render_site(build_view(config([API, SHOP], PageSettings(theme="dark")), PageData(), NOW))
PAGES = [
    pytest.param(files[name].body.decode(), id=f"{world}-{name}")
    for world, files in (("seen", FILES), ("first", FIRST))
    for name in ("index.html", "404.html")
]
every_page = pytest.mark.parametrize("page", PAGES)
INDEX = FILES["index.html"].body.decode()


class Outline(HTMLParser):
    """Collects what the tests ask for and insists that every element is closed in its order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), f"an attribute of {tag} is there twice"
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def values(self, name: str) -> list[str]:
        return [attrs[name] or "" for _, attrs in self.seen if name in attrs]

    def count(self, tag: str) -> int:
        return sum(seen == tag for seen, _ in self.seen)


@every_page
def test_the_page_is_well_formed(page: str) -> None:
    outline = Outline(page)
    assert page.startswith("<!doctype html>")
    assert outline.open == []
    ids = outline.values("id")
    assert len(ids) == len(set(ids))


@every_page
def test_what_is_referred_to_is_there(page: str) -> None:
    outline = Outline(page)
    targets = [href[1:] for href in outline.values("href") if href.startswith("#")]
    targets += [
        fill.removeprefix("url(#").rstrip(")") for fill in outline.values("fill") if "#" in fill
    ]
    targets += outline.values("aria-labelledby")
    assert set(targets) <= set(outline.values("id"))


@pytest.mark.row("S6.2")
@every_page
def test_the_policy_allows_exactly_the_style_and_the_script_of_the_page(page: str) -> None:
    policy = Outline(page).values("content")[0]
    for tag in ("style", "script"):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy


@pytest.mark.row("S6.2")
@every_page
def test_nothing_is_loaded_from_anywhere_else(page: str) -> None:
    outline = Outline(page)
    assert outline.values("src") == []
    links = {attrs["rel"]: attrs["href"] or "" for tag, attrs in outline.seen if tag == "link"}
    assert links.pop("icon").startswith("data:image/svg+xml,")
    assert links.keys() <= {"alternate"}
    assert not re.search(r"@import|url\((?!#)", page)


@pytest.mark.row("S6.2")
@every_page
def test_there_are_no_inline_styles_or_handlers(page: str) -> None:
    names = {name for _, attrs in Outline(page).seen for name in attrs}
    assert not [name for name in names if name == "style" or name.startswith("on")]


@every_page
def test_the_outline_is_that_of_a_document(page: str) -> None:
    outline = Outline(page)
    assert {tag: outline.count(tag) for tag in ("h1", "header", "main", "title")} == {
        "h1": 1,
        "header": 1,
        "main": 1,
        "title": 1,
    }
    levels = [int(tag[1]) for tag, _ in outline.seen if re.fullmatch("h[1-6]", tag)]
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_links_of_the_index_are_relative() -> None:
    links = [attrs["href"] or "" for tag, attrs in Outline(INDEX).seen if tag == "a"]
    assert not [link for link in links if ":" in link or link.startswith("/")]


def test_the_title_begins_with_the_state() -> None:
    assert "<title>Partial outage - Acme Status</title>" in INDEX


def test_the_time_and_the_interval_stand_beside_the_overall_status() -> None:
    shown = re.sub("<template.*?</template>", "", INDEX)
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", shown))
    assert "Partial outage: Shop is down Checked 3 Aug 2026, 10:02 UTC · every minute" in text


def test_the_bars_have_a_description() -> None:
    labels = Outline(INDEX).values("aria-label")
    assert "Shop, last 3 runs: 2 operational, 1 major outage" in labels


def test_the_theme_of_the_configuration_is_set() -> None:
    assert 'data-theme="dark"' in FIRST["index.html"].body.decode()
    assert "data-theme=" not in re.sub(r"<(style|script)>.*?</\1>", "", INDEX, flags=re.DOTALL)


@pytest.mark.row("129", "F04")
def test_a_page_that_was_written_stale_says_so_itself() -> None:
    old = PageData(runs=runs([GROUP, GROUP], newest=1_501_606_923_405_043_499))
    page = render_site(build_view(config([API, SHOP]), old, NOW))["index.html"].body.decode()
    assert "Status unknown</h2>" in page
    assert "1 Aug 2017, 17:02 UTC" in page
    assert "Operational when last checked" in page
    assert "Major outage when last checked" in page


@pytest.mark.row("S7")
def test_no_template_passes_text_on_as_it_is() -> None:
    for template in (PACKAGE / "templates").iterdir():
        source = template.read_text()
        assert not re.search(r"\|\s*safe\b|autoescape|style=", source), template.name
    assert "innerHTML" not in (PACKAGE / "static" / "page.js").read_text()


CANARY = "canary-7f3a"


@pytest.mark.row("140")
def test_nothing_private_is_on_the_page() -> None:
    private = checker(
        f"{CANARY}-title",
        public_name="API",
        headers={"X-Canary": (CANARY,)},
        must_contain=CANARY,
        tags=(CANARY,),
    )
    hidden = checker(f"{CANARY}-hidden", hidden=True)
    times = (Attempt(rtt=1, error=CANARY, failure=f"connect_{CANARY}"),)
    failed = [
        result(of, DOWN, attempts=times, region=CANARY, notice=CANARY, kind=CANARY)
        for of in (private, hidden)
    ]
    assert CANARY in failed[0].id
    assert CANARY in failed[0].endpoint
    failed[1] = replace(failed[1], message=CANARY)
    files = render_site(
        build_view(config([private, hidden]), PageData(runs=runs([failed] * 3)), NOW)
    )
    assert not [path for path, file in files.items() if CANARY in file.body.decode()]
    assert ">API</bdi>" in files["index.html"].body.decode()


@pytest.mark.row("135")
@pytest.mark.parametrize("count", [pytest.param(50, id="50"), pytest.param(400, id="hundreds")])
def test_components_stay_within_the_budget(count: int) -> None:
    checkers = [checker(f"Service {number}", id=f"s{number}") for number in range(count)]
    groups = [
        [
            result(of, DOWN if number % 9 == 0 and run == 30 else HEALTHY, rtt=rtt)
            for number, of in enumerate(checkers)
            for rtt in (90_000_000 + 7919 * (number * 31 + run * 17) % 40_000_000,)
        ]
        for run in range(90)
    ]
    body = render_site(build_view(config(checkers), PageData(runs=runs(groups)), NOW))[
        "index.html"
    ].body
    assert body.count(b'class="strip') >= count
    assert len(body) <= 64 * 1024 * count / 50
    assert len(gzip.compress(body)) <= 16 * 1024 * count / 50


def relative_luminance(colour: str) -> float:
    """WCAG 2.2, https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((relative_luminance(one), relative_luminance(other)))
    return (high + 0.05) / (low + 0.05)


STATES = (
    *("operational", "degraded", "partial_outage", "major_outage"),
    *("maintenance", "unknown"),
)


def test_dark_is_the_same_whoever_asks_for_it() -> None:
    style = page_assets("", "")["style"]
    blocks = [dict(re.findall(r"--([\w-]+):(#[0-9a-f]{6})", b)) for b in style.split("}")]
    assert [b for b in blocks if b] == [COLORS["light"], COLORS["dark"], COLORS["dark"]]
    assert COLORS["light"].keys() == COLORS["dark"].keys()


@pytest.mark.parametrize("theme", COLORS.values(), ids=COLORS)
def test_colours_can_be_read(theme: Mapping[str, str]) -> None:
    for ground in ("page", "card"):
        for text in ("text", "muted", "accent", *STATES):
            assert contrast(theme[text], theme[ground]) >= 4.5, (text, ground)
        assert contrast(theme["mark"], theme[ground]) >= 3, ground
    for state in STATES:
        tint = theme[f"tint-{state}"]
        assert contrast(theme[state], tint) >= 3, state
        assert min(contrast(theme[text], tint) for text in ("text", "muted", "accent")) >= 4.5, (
            state
        )
