"""What people wrote stays on the page, in whichever document it is by now."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

import pytest
from msgspec.structs import replace

from checkup.config.page import IncidentSettings, PageSettings
from checkup.config.settings import Config
from checkup.errors import StorageError
from checkup.incidents import model
from checkup.incidents.model import Incident, IncidentUpdate, Maintenance
from checkup.incidents.store import (
    INCIDENTS_KEY,
    change_incidents,
    load_all_incidents,
    load_incidents,
)
from checkup.interfaces import PageFile, StoredDocument
from checkup.model import Status, encode_results, run_key
from checkup.storage.memory import MemoryStorage
from checkup.times import DAY, HOUR, month_start, parse_date
from checkup_page.build import PageCache, build_page
from checkup_page.incidents.load import load_editable
from tests.page.worlds import checker, result, runs

API = checker("API")
PAGE = PageSettings(title="Acme", incidents=IncidentSettings(after=0, minimum=0))
WORLD = Config(checkers=(API,), page=PAGE)


class Dated(MemoryStorage):
    """A storage with a clock of its own; it notes what is asked of its incidents.

    Attributes:
        broken: the beginning of the keys that cannot be read.
    """

    def __init__(self, date: str) -> None:
        super().__init__()
        self.now = parse_date(date)
        self.asked: list[str] = []
        self.broken: tuple[str, ...] = ()

    def now_ns(self) -> int:
        return self.now

    def get(self, key: str) -> StoredDocument | None:
        self._ask(key)
        return super().get(key)

    def list(self, prefix: str, after: str = "") -> Iterator[str]:
        self._ask(f"{prefix}*")
        return super().list(prefix, after)

    def _ask(self, key: str) -> None:
        if key.startswith("incidents/"):
            self.asked.append(key)
        if key.startswith(self.broken):
            raise StorageError(f"{key}: no answer")

    def write(self, *announced: Incident | Maintenance) -> None:
        """Announce it as the command line does, which moves what is long over."""
        for it in announced:
            if isinstance(it, Incident):
                change_incidents(self, partial(model.add_incident, incident=it))
            else:
                change_incidents(self, partial(model.add_maintenance, maintenance=it))

    def pages(self, memory: PageCache | None = None) -> dict[str, PageFile]:
        self.asked = []
        return build_page(WORLD, self, self.now, cache=memory)


def incident(name: str, date: str, length: int = HOUR) -> Incident:
    """One that began an hour into a day, and was resolved after a while."""
    begun = parse_date(date) + HOUR
    first = IncidentUpdate(id=f"{name}1", at=begun, status="investigating", text="We see it.")
    last = IncidentUpdate(id=f"{name}2", at=begun + length, status="resolved", text="It is over.")
    return Incident(
        id=name,
        title=f"About {name}",
        impact="minor",
        started=begun,
        checkers=("api",),
        updates=(first, last),
    )


def work(name: str, date: str, length: int = HOUR) -> Maintenance:
    begun = parse_date(date) + HOUR
    return Maintenance(
        id=name, title=f"Work {name}", created=begun - DAY, start=begun, end=begun + length
    )


def text_of(file: PageFile) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", file.body.decode()))


@pytest.mark.parametrize("is_new", [True, False], ids=["new process", "same process"])
@pytest.mark.parametrize("date", ["2026-08-29", "2026-08-01", "2028-02-29", "2026-12-31"])
def test_what_moves_into_the_file_of_its_month_is_on_the_page_on_every_day(
    date: str, *, is_new: bool
) -> None:
    """A month counts as recent for up to a month longer than what began in it is in the head."""
    there, memory = Dated(date), PageCache()
    there.write(incident("old", date), work("disk", date))
    month, moved = f"history/{date[:7]}.html", []
    for day in range(88, 130):
        there.now = parse_date(date) + day * DAY + 2 * HOUR
        there.write(incident("new", date))
        files = there.pages(PageCache() if is_new else memory)
        moved.append("old" not in load_incidents(there).incidents)
        assert "About old" in text_of(files["incidents/old.html"]), day
        assert "Work disk" in text_of(files["maintenance/disk.html"]), day
        titles = {*re.findall(r"<bdi>(\w+ \w+)</bdi>", files[month].body.decode())}
        assert {"About old", "Work disk"} <= titles, day
        assert month.removeprefix("history/") in files["history/index.html"].body.decode(), day
    assert moved == [False] * 5 + [True] * 37


def test_what_is_long_over_needs_no_run_and_no_word_of_its_time() -> None:
    there = Dated("2026-03-01")
    there.write(incident("first", "2026-02-14"), work("disk", "2025-11-30"))
    there.now = parse_date("2027-03-01")
    there.write(incident("last", "2027-02-27"))
    files = there.pages()
    assert set(load_incidents(there).incidents) == {"last"}
    assert {"incidents/first.html", "maintenance/disk.html", "incidents/last.html"} <= files.keys()
    months = re.findall(r'history/(\d{4}-\d\d).html"', files["history/index.html"].body.decode())
    assert months == sorted(months, reverse=True)
    assert [*months][-3:] == ["2026-03", "2026-02", "2025-11"]
    assert len(months) == 15
    assert "Work disk" in text_of(files["history/2025-11.html"])


def test_what_is_long_over_is_read_again_only_if_it_may_have_changed() -> None:
    there, memory = Dated("2026-08-29"), PageCache()
    there.write(incident("b", "2026-08-28"), incident("c", "2026-08-29"))
    there.now = parse_date("2026-11-28") + 3 * HOUR
    there.write(incident("a", "2026-06-01"), incident("z", "2026-07-01"))

    there.pages(memory)
    first = [*there.asked]
    there.now += 12 * HOUR
    there.pages(memory)
    uneventful = [*there.asked]
    there.write(incident("d", "2026-11-28"))
    there.pages(memory)
    news = [*there.asked]
    there.now += DAY - 12 * HOUR
    there.pages(memory)
    tomorrow = [*there.asked]
    there.now += 12 * HOUR
    there.write(incident("e", "2026-11-29"))
    there.pages(memory)
    moved = [*there.asked]

    old = ["incidents/2026-06.json", "incidents/2026-07.json", "incidents/2026-08.json"]
    assert first == [INCIDENTS_KEY, "incidents/*", *old]
    assert uneventful == [INCIDENTS_KEY]
    assert news == [INCIDENTS_KEY, "incidents/*"]
    assert tomorrow == [INCIDENTS_KEY, "incidents/*", *old]
    assert moved == [INCIDENTS_KEY, "incidents/*", old[2]]


def test_what_a_long_incident_explains_is_not_told_again_in_the_months_after_it() -> None:
    there = Dated("2026-08-20")
    there.write(incident("long", "2026-08-20", 45 * DAY))
    scripts = "h" * 20 + "d" * 4 + "h" * 400
    steps = [[result(API, Status.DOWN if it == "d" else Status.HEALTHY)] for it in scripts]
    first = parse_date("2026-08-20")
    for run in runs(steps, newest=first + len(scripts) * 12 * HOUR, every=12 * HOUR):
        there.create(run_key(run), encode_results(run.results))
    for date in ("2026-12-31", "2027-01-04", "2027-01-31", "2027-03-01"):
        there.now = parse_date(date)
        there.write(incident("new", date))
        told = {path for path in there.pages() if path.startswith("incidents/")}
        assert told == {"incidents/new.html", "incidents/long.html"}, date
        assert load_editable(WORLD, there, there.now).automatic == frozenset()
    assert "long" not in load_incidents(there).incidents


def test_a_word_that_is_said_late_is_on_the_page_at_once_and_stays() -> None:
    there, memory = Dated("2026-08-29"), PageCache()
    there.write(incident("old", "2026-08-29"), work("disk", "2026-08-29"))
    late = IncidentUpdate(id="late", at=0, status="postmortem", text="We learned a lot.")
    for day, date in enumerate(("2026-11-30", "2026-12-01", "2027-04-01", "2027-07-04")):
        there.now = parse_date(date) + 3 * HOUR
        there.write(incident(f"new{day}", date))
        month = None if day < 2 else month_start(parse_date("2026-08-01"))
        known = load_editable(WORLD, there, there.now, month)
        entry = replace(late, id=f"late{day}", at=there.now)
        change_incidents(
            there, partial(model.add_update, incident=known.as_stored("old"), update=entry)
        )
        disk, entry = known.document.maintenance["disk"], replace(entry, status="")
        change_incidents(
            there, partial(model.add_maintenance_update, maintenance=disk, update=entry)
        )
        for which in (memory, PageCache()):
            files = there.pages(which)
            for path in ("incidents/old.html", "maintenance/disk.html"):
                assert text_of(files[path]).count("We learned a lot.") == day + 1, (path, date)
            assert "Postmortem" in text_of(files["history/2026-08.html"])
    there.now += 200 * DAY
    there.write(incident("last", "2027-12-31"))
    assert "old" not in load_incidents(there).incidents
    for which in (memory, PageCache()):
        files = there.pages(which)
        assert text_of(files["incidents/old.html"]).count("We learned a lot.") == 4
        assert text_of(files["maintenance/disk.html"]).count("We learned a lot.") == 4


def test_maintenance_that_lasts_for_months_ends_on_the_page_of_its_month() -> None:
    there, memory = Dated("2026-01-10"), PageCache()
    there.write(work("disk", "2026-01-10", 200 * DAY))
    said = []
    for days in (150, 201):
        there.now = parse_date("2026-01-10") + days * DAY
        files = there.pages(memory)
        said.append(
            [text_of(files[it]) for it in ("history/2026-01.html", "maintenance/disk.html")]
        )
    assert [["In progress" in it, "Completed" in it] for it in said[0]] == [[True, False]] * 2
    assert [["In progress" in it, "Completed" in it] for it in said[1]] == [[False, True]] * 2


@pytest.mark.parametrize("broken", ["incidents/2026-05", "incidents/2"])
def test_a_file_of_a_month_that_cannot_be_read_leaves_the_rest_and_is_tried_again(
    broken: str,
) -> None:
    there, memory = Dated("2026-05-05"), PageCache()
    there.write(incident("may", "2026-05-05"), incident("june", "2026-06-06"))
    there.now = parse_date("2026-12-01")
    there.write(incident("new", "2026-12-01"))
    whole = there.pages(memory)
    there.now += DAY
    there.broken = (broken,)
    kept, new = there.pages(memory), there.pages()
    assert kept.keys() >= {it for it in whole if it.startswith("incidents/")}
    assert "incidents/new.html" in new
    assert "incidents/may.html" not in new
    assert ("history/2026-06.html" in new) is ("05" in broken)
    with pytest.raises(StorageError):
        load_editable(WORLD, there, there.now, parse_date("2026-05-01"))
    there.broken = ()
    assert there.pages(memory).keys() == whole.keys()


def test_months_that_cannot_be_listed_are_as_they_were_last_read() -> None:
    there, memory = Dated("2026-05-05"), PageCache()
    there.write(incident("may", "2026-05-05"))
    there.now = parse_date("2026-12-01")
    there.write(incident("new", "2026-12-01"))
    whole = there.pages(memory)
    there.broken = ("incidents/*",)
    there.now += DAY
    assert there.pages(memory).keys() == whole.keys()
    new = there.pages()
    assert "incidents/new.html" in new
    assert "incidents/may.html" not in new
    assert "history/2026-05.html" not in new
    with pytest.raises(StorageError):
        load_editable(WORLD, there, there.now)
    there.broken = ()
    assert there.pages(memory).keys() == there.pages().keys() == whole.keys()


def test_an_incident_of_a_day_before_any_result_is_on_the_first_page() -> None:
    there = Dated("2026-08-09")
    there.write(incident("early", "2026-08-03"))
    bare = text_of(there.pages()["index.html"])
    run = runs([[result(API)]], newest=there.now - HOUR)[0]
    there.create(run_key(run), encode_results(run.results))
    seen = text_of(there.pages()["index.html"])
    assert "About early" in bare
    assert "About early" in seen
    assert bare.count("No incidents") == 0
    assert seen.count("No incidents") == 1


def test_what_is_in_the_folder_by_mistake_is_no_month() -> None:
    there = Dated("2026-08-09")
    for name in ("notes.txt", "2026-13.json", "0001-01.json", "2026-07.json/x", "2026-7.json"):
        there.create(f"incidents/{name}", b"rubbish")
    there.create("incidents/2026-06.json", b"rubbish")
    there.write(incident("new", "2026-08-09"))
    assert [it for it in there.pages() if re.match(r"history/\d", it)] == ["history/2026-08.html"]
    assert set(load_all_incidents(there).incidents) == {"new"}
