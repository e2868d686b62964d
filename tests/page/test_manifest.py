"""What an edition of the page leaves to do: pure decisions."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from checkup.errors import NewerPageError
from checkup.interfaces import PageFile, PageVersion
from checkup.times import SECOND
from checkup_page.publishers.manifest import Manifest, ManifestEntry, PublishPlan, index_last
from tests.page.pages import file, page
from tests.page.worlds import MINUTE, NOW

FIRST = PageVersion(position=7, made=NOW)


def planned(
    files: Mapping[str, PageFile], after: int, before: Manifest | None = None, *, free: bool = False
) -> PublishPlan:
    """Plan an edition so many nanoseconds after the first one."""
    edition = PageVersion(position=7, made=NOW + after)
    return PublishPlan.of(files, edition, before or Manifest(), throttled=not free)


def test_a_page_that_was_never_published_is_put_as_a_whole() -> None:
    plan = planned(page(), 0)
    assert plan.write == (
        *("404.html", "api/v2/status.json", "components/api.html"),
        "index.html",
    )
    assert plan.manifest.removed == ()


def test_a_page_that_is_the_same_leaves_nothing_to_do() -> None:
    first = planned(page(), 0)
    assert planned(page(), 60 * MINUTE, first.manifest).is_empty


def test_the_index_comes_with_every_edition() -> None:
    first = planned(page(), 0)
    assert planned(page(status="[]"), 1, first.manifest).write == (
        "api/v2/status.json",
        "index.html",
    )


def test_the_index_is_last_and_those_of_other_languages_before_it() -> None:
    paths = ["index.html", "ko/index.html", "ko/maintenance/x.html", "zebra.json", "404.html"]
    assert index_last(paths) == [
        *("404.html", "ko/maintenance/x.html", "zebra.json"),
        *("ko/index.html", "index.html"),
    ]


def test_a_file_that_is_no_more_is_gone() -> None:
    first = planned(page(), 0)
    plan = planned(page(api=None), 1, first.manifest)
    assert plan.manifest.removed == ("components/api.html",)
    assert plan.write == ("index.html",)
    assert "components/api.html" not in plan.manifest.files


def slow(text: str, news: str = "") -> dict[str, PageFile]:
    return {**page(), "uptime.csv": file(text, min_interval=300, urgent_content=news)}


@pytest.mark.parametrize(
    ("after", "is_put"),
    [
        pytest.param(1 * MINUTE, False, id="before-its-time"),
        pytest.param(2 * MINUTE + 17 * SECOND, False, id="until-the-last-second"),
        pytest.param(2 * MINUTE + 18 * SECOND, True, id="at-ten-o-five"),
        pytest.param(7 * MINUTE, True, id="later"),
    ],
)
def test_a_file_waits_for_the_next_five_minutes_of_the_clock(after: int, is_put: bool) -> None:
    first = planned(slow("1"), 0)  # it is 10:02:42
    assert ("uptime.csv" in planned(slow("2"), after, first.manifest).write) == is_put


def test_news_do_not_wait() -> None:
    first = planned(slow("1", news="well"), 0)
    assert "uptime.csv" in planned(slow("2", news="down"), 1, first.manifest).write


def test_where_writing_is_free_nothing_waits() -> None:
    first = planned(slow("1"), 0)
    assert "uptime.csv" in planned(slow("2"), 1, first.manifest, free=True).write


def test_a_file_that_waits_keeps_the_time_at_which_it_was_put() -> None:
    first = planned(slow("1"), 0)
    second = planned(slow("2"), MINUTE, first.manifest)
    assert second.manifest.files["uptime.csv"] == first.manifest.files["uptime.csv"]


@pytest.mark.row("130")
@pytest.mark.parametrize(
    ("edition", "is_older"),
    [
        pytest.param(FIRST, False, id="itself"),
        pytest.param(PageVersion(7, NOW + 1), False, id="newer-by-time"),
        pytest.param(PageVersion(8, NOW - 1), False, id="newer-by-position"),
        pytest.param(PageVersion(7, NOW - 1), True, id="older-by-time"),
        pytest.param(PageVersion(6, NOW + MINUTE), True, id="older-by-position"),
        pytest.param(PageVersion(0, NOW + 61 * MINUTE), False, id="a-storage-begun-anew"),
    ],
)
def test_an_older_edition_is_refused(edition: PageVersion, is_older: bool) -> None:
    manifest = Manifest(version=FIRST)
    if is_older:
        with pytest.raises(NewerPageError, match="a newer page is already published"):
            manifest.check_newer(edition, NOW)
    else:
        manifest.check_newer(edition, NOW)


def test_an_edition_from_a_clock_that_is_wrong_does_not_stop_all_others() -> None:
    Manifest(version=PageVersion(9, NOW + 6 * MINUTE)).check_newer(FIRST, NOW)


@pytest.mark.row("131")
def test_what_an_unfinished_edition_touched_is_uncertain() -> None:
    first = planned(page(lost="old"), 0).manifest
    second = planned(page(api=None), 1, first).manifest
    third = planned(page(api=None), 2, second.distrust_unfinished())
    assert third.write == ("404.html", "index.html")
    assert third.manifest.removed == ("components/api.html",)
    assert planned(page(api=None), 3, third.manifest).is_empty


@pytest.mark.row("132")
@pytest.mark.parametrize(
    "body", [b"", b"\x00", b"[]", b"{}", b'{"schema":99}', b'{"files":{"a":1}}', b"\xff\xfe"]
)
def test_a_manifest_that_cannot_be_read_is_as_good_as_none(body: bytes) -> None:
    assert Manifest.read(body) == Manifest()


def test_a_manifest_comes_back_as_it_was_written() -> None:
    entries = {"a.html": ManifestEntry("ab", NOW, "news"), "b.html": ManifestEntry("cd", 3)}
    manifest = Manifest(version=FIRST, files=entries, removed=("c.html",))
    assert Manifest.read(manifest.encode()) == manifest
