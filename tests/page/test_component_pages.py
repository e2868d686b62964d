"""The pages of components: what they say, when they are made again, and what they hide."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from typing import Literal

import pytest
from msgspec.structs import replace

from checkup.alerting.state import STATE_KEY, AlertState, CheckerState, encode_state
from checkup.checkers.http import HttpChecker
from checkup.config.page import PageSettings
from checkup.config.settings import Config
from checkup.errors import StorageError
from checkup.history.tally import percent
from checkup.interfaces import PageFile, StoredDocument
from checkup.model import Attempt, Run, Status, encode_results, run_key
from checkup.storage.memory import MemoryStorage
from checkup.text import component_key
from checkup.times import DAY, HOUR, SECOND, hour_start
from checkup_page.build import PageCache, build_page
from checkup_page.build_view import page_key
from checkup_page.locale import load_translations
from tests.page.test_html import Outline
from tests.page.worlds import MINUTE, NOW, checker, config, result, runs
from tests.page.years import page_of, pages, path_of

HEALTHY, DOWN = Status.HEALTHY, Status.DOWN
API, SHOP = checker("API"), checker("Shop")
END = hour_start(NOW)


def stored(*services: HttpChecker, days: int = 10, **fields: object) -> MemoryStorage:
    """Hourly runs, each fourth of which failed for the first service."""
    storage = MemoryStorage()
    seen = [
        [
            replace(result(it, DOWN if at == 0 and number % 4 == 1 else HEALTHY), **fields)
            for at, it in enumerate(services)
        ]
        for number in range(24 * days)
    ]
    for run in runs(seen, newest=NOW - 12 * MINUTE, every=60 * MINUTE):
        storage.create(run_key(run), encode_results(run.results))
    return storage


def page(files: dict[str, PageFile], of: HttpChecker, world: Config) -> PageFile:
    return files[f"components/{component_key(page_key(world.page.url), of.id)}.html"]


def text(file: PageFile) -> str:
    """What can be read, in one line."""
    body = re.sub(r"<(style|script|template)>.*?</\1>", "", file.body.decode(), flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", body))


def rows(file: PageFile, table: int = 0) -> list[list[str]]:
    """The cells of a table."""
    body = re.findall(r"<tbody>(.*?)</tbody>", file.body.decode(), re.DOTALL)[table]
    return [
        [re.sub(r"<[^>]*>", "", cell) for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row)]
        for row in body.strip().splitlines()
    ]


def test_each_component_has_a_page_that_the_first_page_leads_to() -> None:
    world = config([API, SHOP])
    files = build_page(world, stored(API, SHOP), NOW)
    links = Outline(files["index.html"].body.decode()).values("href")
    for it in (API, SHOP):
        assert f"components/{component_key(page_key(world.page.url), it.id)}.html" in links
        assert "Period Uptime Down" in text(page(files, it, world))


@pytest.mark.parametrize("of", ["search", "export"])
@pytest.mark.parametrize("folder", ["", "ko/"])
def test_a_page_is_a_well_formed_document(of: str, folder: str) -> None:
    body = page_of(of, END, folder).body.decode()
    outline = Outline(body)
    assert outline.open == []
    ids = outline.values("id")
    assert len(ids) == len(set(ids))
    assert set(outline.values("aria-labelledby")) <= set(ids)
    names = {name for _, attrs in outline.seen for name in attrs}
    assert not [name for name in names if name == "style" or name.startswith("on")]
    assert outline.count("h1") == outline.count("main") == 1


def test_links_lead_to_files_that_are_there() -> None:
    for folder in ("", "ko/"):
        path = path_of("search", folder)
        outline = Outline(page_of("search", END, folder).body.decode())
        links = [*outline.values("href"), *outline.values("src")]
        own = [it for it in links if not it.startswith(("#", "http", "data:"))]
        assert len(own) > 5
        for link in own:
            parts = path.split("/")[:-1]
            for step in link.split("/"):
                parts = parts[:-1] if step == ".." else [*parts, step]
            assert "/".join(parts) in pages(END), link


@pytest.mark.row("137")
def test_all_of_it_is_there_without_a_script() -> None:
    text_of_page = text(page_of("checkout", END))
    assert "Checkout: Operational" in text_of_page
    for phrase in ("24 hours", "365 days", "p99", "TLS", "Jul 2026", "Days with incidents"):
        assert phrase in text_of_page
    body = page_of("checkout", END).body.decode()
    assert re.findall(r'<input type="radio" name="span" id="s(\w+)"( checked)?>', body) == [
        ("24h", " checked"),
        *(("7d", ""), ("30d", ""), ("90d", ""), ("365d", "")),
    ]


@pytest.mark.row("138")
def test_numbers_are_exact_and_rounded_down() -> None:
    world = config([API])
    file = page(build_page(world, stored(API), NOW), API, world)
    (day, *_, year), until = rows(file), END - HOUR
    assert "Data up to 3 Aug 2026, 09:00 UTC" in text(file)
    assert day == ["24 hours", "75.00%", "6 h", NONE, "100.00%", "6 of 24"]
    slots = [NOW - 12 * MINUTE - back * HOUR for back in range(239, -1, -1)]
    seen = [slot for slot in slots if slot < until]
    down = sum(min(slot + HOUR, until) - slot for slot in seen[1::4])
    total = until - slots[0]
    assert year[1] == f"{percent(total - down, total)}%"
    assert year[5] == f"{len(seen[1::4])} of {len(seen)}"


@pytest.mark.row("138")
def test_unknown_time_is_missing_and_not_up() -> None:
    world = config([API])
    storage = stored(API)
    for key in list(storage.list("runs/"))[-30:-10]:
        storage.delete(key)
    day = rows(page(build_page(world, storage, NOW), API, world))[0]
    assert day[4] < "70.00%"


@pytest.mark.row("139")
def test_two_checkers_with_one_title_have_two_pages() -> None:
    first, second = checker("API", id="one"), checker("API", id="two")
    world = config([first, second])
    files = build_page(world, stored(first, second), NOW)
    paths = [path for path in files if path.startswith("components/")]
    assert len(paths) == 2
    assert rows(files[paths[0]]) != rows(files[paths[1]])


@pytest.mark.row("128")
def test_without_results_a_page_says_that_there_are_none() -> None:
    world = config([API])
    file = page(build_page(world, MemoryStorage(), NOW), API, world)
    assert "API: Unknown" in text(file)
    assert "No results yet" in text(file)
    assert "No statistics yet." in text(file)
    assert "Operational" not in text(file)


@pytest.mark.row("129")
def test_an_old_page_is_unknown_and_a_new_one_says_when_it_will_be_old() -> None:
    world, storage = config([API]), stored(API)
    fresh = page(build_page(world, storage, NOW), API, world).body.decode()
    assert 'data-stale-at="2026-08-03T10:30:00.000Z"' in fresh
    late = page(build_page(world, storage, NOW + DAY), API, world)
    assert "API: Unknown" in text(late)
    assert "Operational when last checked" in text(late)
    assert "data-stale-at" not in late.body.decode()


class Failing(MemoryStorage):
    """A storage that cannot read what a name begins with."""

    broken = ""

    def get(self, key: str) -> StoredDocument | None:
        if self.broken and key.startswith(self.broken):
            raise StorageError(f"{key}: no answer")
        return super().get(key)


@pytest.mark.row("141")
@pytest.mark.parametrize("broken", ["history/year.json", "history/hours/", "history/"])
def test_a_history_that_cannot_be_read_does_not_take_the_page_away(broken: str) -> None:
    world, storage = config([API]), Failing()
    for key in stored(API).list("runs/"):
        found = stored(API, days=1).get(key)
        if found:
            storage.create(key, found.body)
    storage.broken = broken
    assert "API: Operational" in text(page(build_page(world, storage, NOW), API, world))


@pytest.mark.row("132")
@pytest.mark.parametrize("body", [b"\x00", b"[]", b'{"schema":1,"end":"2026-08-03","checkers":[]}'])
def test_a_damaged_year_is_made_again(body: bytes) -> None:
    world, storage = config([API]), stored(API)
    before = page(build_page(world, storage, NOW), API, world)
    damaged = storage.get("history/year.json")
    assert damaged is not None
    storage.replace("history/year.json", body, damaged.version)
    assert page(build_page(world, storage, NOW), API, world) == before


HOSTILE = "\u202e<script>alert(1)</script>[x](javascript:alert(2))\"'"


def test_133_134_a_hostile_name_is_only_a_name() -> None:
    evil = checker(HOSTILE, id="evil", description=HOSTILE, group=HOSTILE)
    world = config([evil])
    body = page(build_page(world, stored(evil), NOW), evil, world).body.decode()
    outline = Outline(body)
    assert outline.count("script") == 1
    assert "\u202e" not in body
    assert not [href for href in outline.values("href") if href.startswith("javascript")]
    assert r"\[x\]" in body  # in the Markdown to copy
    assert "alt=&#34;&amp;lt;script" in body  # and in the HTML, escaped for where it will be


NONE = "\N{EN DASH}"

CANARY = "canary-51b2"


@pytest.mark.row("140")
def test_nothing_private_is_on_the_page_of_a_component() -> None:
    private = checker(
        f"{CANARY}-title", public_name="API", headers={"X-Canary": (CANARY,)}, tags=(CANARY,)
    )
    hidden = checker(f"{CANARY}-hidden", hidden=True)
    world = config([private, hidden])
    attempt = Attempt(rtt=1, error=CANARY, failure=f"connect_{CANARY}")
    storage = stored(private, hidden, attempts=(attempt,), notice=CANARY, region="")
    files = build_page(world, storage, NOW)
    assert sum(path.startswith("components/") for path in files) == 1
    assert not [path for path, file in files.items() if CANARY in file.body.decode()]


@pytest.mark.row("135")
def test_a_page_with_a_whole_year_stays_small() -> None:
    for of in ("search", "checkout", "mail"):
        body = page_of(of, END).body
        assert len(body) < 72 * 1024
        assert len(gzip.compress(body)) < 16 * 1024


def test_a_page_is_made_again_only_when_an_hour_is_over_or_there_is_news() -> None:
    world, storage, memory = config([API, SHOP]), stored(API, SHOP), PageCache()
    cursor = max(storage.list("runs/"))
    version = storage.create(STATE_KEY, encode_state(AlertState(cursor=cursor)))
    before = build_page(world, storage, NOW, cache=memory)
    slow = tuple(result(it, rtt=5 * SECOND) for it in (API, SHOP))
    newest = Run(slot=NOW, results=slow)
    storage.create(run_key(newest), encode_results(newest.results))
    same = build_page(world, storage, NOW + MINUTE, cache=memory)
    for it in (API, SHOP):
        assert page(same, it, world) is page(before, it, world)
        assert page(before, it, world).min_interval == 3600
    down = CheckerState(status=DOWN, since=NOW)
    storage.replace(
        STATE_KEY, encode_state(AlertState(cursor=cursor, checkers={API.id: down})), version
    )
    after = build_page(world, storage, NOW + 2 * MINUTE, cache=memory)
    assert page(after, SHOP, world) is page(before, SHOP, world)
    assert "API: Major outage" in text(page(after, API, world))
    assert page(after, API, world).urgent_content != page(before, API, world).urgent_content
    later = build_page(world, storage, NOW + HOUR, cache=memory)
    assert page(later, SHOP, world) is not page(before, SHOP, world)
    assert page(later, SHOP, world).urgent_content == page(before, SHOP, world).urgent_content


@pytest.mark.row("140")
@pytest.mark.parametrize("published", [(), ("certificates",)])
def test_when_a_certificate_ends_is_shown_only_if_that_is_published(
    published: tuple[Literal["certificates"], ...],
) -> None:
    ends = NOW + 30 * DAY
    world = config([API], PageSettings(title="Status", publish=published))
    storage = stored(API, attempts=(Attempt(rtt=1000, certificate_expiry=ends),))
    text_of_page = text(page(build_page(world, storage, NOW), API, world))
    assert ("Certificate expires" in text_of_page) is bool(published)
    assert ("2 Sep 2026" in text_of_page) is bool(published)


def test_the_runs_of_the_go_program_have_a_year_too() -> None:
    world, storage = config([API]), MemoryStorage()
    for it in runs([[result(API)]] * 24 * 5, newest=NOW - 12 * MINUTE, every=60 * MINUTE):
        storage.create(run_key(it), encode_results([replace(it.results[0], id="", kind="")]))
    file = page(build_page(world, storage, NOW), API, world)
    assert rows(file)[0][:2] == ["24 hours", "100.00%"]


def test_a_badge_can_be_copied_with_its_whole_address() -> None:
    text_of_page = text(page_of("search", END))
    key = path_of("search").removeprefix("components/").removesuffix(".html")
    site = "https://status.example"
    assert f"[![Search]({site}/badges/{key}.svg)]({site}/components/{key}.html)" in text_of_page
    assert f"badges/{key}.svg" in pages(END)


def test_without_an_address_of_its_own_a_page_shows_paths() -> None:
    world = config([API], PageSettings(title="Status"))
    text_of_page = text(page(build_page(world, stored(API), NOW), API, world))
    assert "https://" not in text_of_page
    assert re.search(r"\[!\[API\]\(badges/\w{12}\.svg\)\]\(components/\w{12}\.html\)", text_of_page)


def keys_used() -> Iterator[str]:
    yield from ("component", "period", "phase", "chart")


def test_every_language_has_the_texts_of_the_page() -> None:
    english, korean = load_translations("en").texts, load_translations("ko").texts
    for section in keys_used():
        mine = {key for key in english if key.startswith(f"{section}.")}
        assert mine
        assert mine == {key for key in korean if key.startswith(f"{section}.")}
