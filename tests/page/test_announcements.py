"""Incidents, maintenance and months on the page, from runs and from what people wrote."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from checkup.alerting.state import STATE_KEY, AlertState, encode_state
from checkup.config.page import IncidentSettings, PageSettings
from checkup.config.settings import Config, GroupSettings, MaintenanceSettings
from checkup.documents import encode
from checkup.errors import StorageError
from checkup.history.documents import PAGE_KEY
from checkup.incidents.model import Incident, IncidentDocument, IncidentUpdate, Maintenance
from checkup.interfaces import Checker, StoredDocument
from checkup.model import Result, Status, encode_results, run_key
from checkup.storage.memory import MemoryStorage
from checkup.text import component_key
from checkup.times import SECOND, format_iso, format_month, month_start, parse_date
from checkup_page.build import PageCache, build_page
from checkup_page.build_view import page_key
from checkup_page.incidents.load import load_editable, take_over_automatic, to_stored
from checkup_page.load import load_seed
from tests.page.worlds import MINUTE, NOW, checker, result, runs

DAY, HOUR = 24 * 60 * MINUTE, 60 * MINUTE
API, SHOP = checker("API", group="Core"), checker("Shop", public_name="Web shop")
SECRET = checker("Vault", hidden=True)
HEALTHY = Status.HEALTHY
LETTERS = {"h": Status.HEALTHY, "g": Status.DEGRADED, "d": Status.DOWN, "u": Status.UNKNOWN}
AT_ONCE = IncidentSettings(after=0, minimum=0)


def config(policy: IncidentSettings = AT_ONCE, **fields: object) -> Config:
    page = PageSettings(title="Acme", url="https://status.acme.example/", incidents=policy)
    given = {"checkers": (API, SHOP, SECRET), "groups": (GroupSettings(name="Core"),), "page": page}
    return Config(**{**given, **fields})  # type: ignore[arg-type]


def storage(newest: int = NOW - 12 * SECOND, every: int = MINUTE, **letters: str) -> MemoryStorage:
    """Runs, one per letter of the script of each checker, and a state that has counted them."""
    there = MemoryStorage()
    by_id = {it.id: it for it in (API, SHOP, SECRET)}
    steps = [
        [_result(by_id[name], LETTERS[letter]) for name, letter in zip(letters, step, strict=True)]
        for step in zip(*letters.values(), strict=True)
    ]
    for run in runs(steps, newest=newest, every=every):
        there.create(run_key(run), encode_results(run.results))
    cursor = max(there.list("runs/"))
    there.create(STATE_KEY, encode_state(AlertState(cursor=cursor)))
    return there


def _result(of: Checker, status: Status) -> Result:
    seen = result(of, status)
    times = tuple(replace(it, error=it.error and "PLANTED") for it in seen.attempts)
    return replace(seen, attempts=times, notice="PLANTED", endpoint="http://PLANTED/")


def write(there: MemoryStorage, *announced: Incident | Maintenance) -> None:
    document = IncidentDocument(
        incidents={it.id: it for it in announced if isinstance(it, Incident)},
        maintenance={it.id: it for it in announced if isinstance(it, Maintenance)},
    )
    there.create("incidents/head.json", encode(document, order="sorted"))


def pages(there: MemoryStorage, world: Config | None = None, now: int = NOW) -> dict[str, str]:
    files = build_page(world or config(), there, now, cache=PageCache())
    return {path: file.body.decode() for path, file in files.items()}


def stories(files: dict[str, str]) -> list[str]:
    """The text of each incident's page, without tags."""
    return [text(body) for path, body in sorted(files.items()) if path.startswith("incidents/")]


def text(html: str) -> str:
    main = html[html.index("<main") : html.index("</main>")]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main)).strip()


def human(name: str = "abcdefabcdef", **fields: object) -> Incident:
    first = IncidentUpdate(
        id="1" * 12, at=NOW - HOUR, status="investigating", text="We **look** into it."
    )
    given = {"title": "Orders fail", "impact": "major", "started": NOW - HOUR, "updates": (first,)}
    return Incident(id=name, **{**given, **fields})  # type: ignore[arg-type]


class TestVerdict:
    """People know of what no check sees, and a page that is green beside it is not believed."""

    @pytest.mark.parametrize(
        ("letter", "fields", "sentence", "indicator"),
        [
            ("h", {}, "Partial outage: Orders fail", "major"),
            ("h", {"impact": "critical"}, "Major outage: Orders fail", "critical"),
            ("h", {"impact": "minor"}, "Degraded: Orders fail", "minor"),
            ("h", {"impact": "none"}, "All systems operational", "none"),
            ("g", {}, "Partial outage: Orders fail", "major"),
            ("u", {}, "Partial outage: Orders fail", "major"),
            ("d", {}, "Major outage: all 2 services down", "critical"),
        ],
    )
    def test_it_is_no_better_than_what_people_say(
        self, letter: str, fields: dict[str, str], sentence: str, indicator: str
    ) -> None:
        there = storage(api=letter * 60, shop=letter * 60)
        write(there, human(**fields))
        files = pages(there)
        assert sentence in text(files["index.html"])
        assert f'"indicator":"{indicator}"' in files["api/v2/status.json"]

    @pytest.mark.parametrize("status", ["monitoring", "resolved", "postmortem"])
    def test_what_is_over_or_only_watched_leaves_it_to_the_checks(self, status: str) -> None:
        there = storage(api="h" * 60, shop="h" * 60)
        said = IncidentUpdate(id="2" * 12, at=NOW - MINUTE, status=status, text="Done.")
        write(there, human(updates=(*human().updates, said)))
        assert "All systems operational" in text(pages(there)["index.html"])

    def test_the_worst_of_several_is_named(self) -> None:
        there = storage(api="h" * 60, shop="h" * 60)
        minor = human("b" * 12, title="Slow mail", impact="minor", started=NOW - MINUTE)
        write(there, human(), minor)
        assert "Partial outage: Orders fail" in text(pages(there)["index.html"])

    @pytest.mark.row("129")
    def test_old_results_are_what_is_to_be_said_first(self) -> None:
        there = storage(api="h" * 60, shop="h" * 60, newest=NOW - HOUR)
        write(there, human())
        shown = text(pages(there)["index.html"])
        assert shown.startswith("Status unknown")
        assert "Orders fail" in shown

    def test_maintenance_does_not_cover_it(self) -> None:
        there = storage(api="h" * 60, shop="h" * 60)
        begun = NOW - HOUR
        work = Maintenance(id="c" * 12, title="Disk", created=begun, start=begun, end=NOW + HOUR)
        write(there, human(), work)
        assert "Partial outage: Orders fail" in text(pages(there)["index.html"])


class TestOutages:
    def test_an_outage_is_told_with_its_beginning_and_its_end(self) -> None:
        (story,) = stories(pages(storage(api="h" * 20 + "d" * 12 + "h" * 28, shop="h" * 60)))
        assert "Outage of API Resolved Major impact" in story
        assert "API is operational again. Duration: 12 min." in story
        assert story.index("operational again") < story.index("API is down. 3 Aug")

    def test_what_fails_in_the_same_run_is_one_incident(self) -> None:
        script = "h" * 40 + "d" * 20
        (story,) = stories(pages(storage(api=script, shop=script)))
        assert "Outage of API and Web shop Investigating Critical impact" in story
        assert "ongoing" in story

    def test_title_and_updates_say_of_each_component_what_was_wrong_with_it(self) -> None:
        there = storage(api="h" * 40 + "g" * 2 + "d" * 18, shop="h" * 40 + "g" * 8 + "h" * 12)
        (story,) = stories(pages(there))
        assert "Outage of API; degraded performance of Web shop" in story
        for sentence in ("API and Web shop are degraded.", "API is down.", "Web shop is operat"):
            assert sentence in story
        api = json.loads(pages(there)["api/v2/incidents.json"])["incidents"][0]
        changes = [
            {it["name"]: it["new_status"] for it in update["affected_components"]}
            for update in api["incident_updates"]
        ]
        assert changes == [
            {"Core - API": "major_outage", "Web shop": "operational"},
            {"Core - API": "major_outage", "Web shop": "degraded_performance"},
            {"Core - API": "degraded_performance", "Web shop": "degraded_performance"},
        ]
        assert "shop is down" not in story
        assert "shop are down" not in story

    def test_it_is_on_the_first_page_and_in_its_month(self) -> None:
        files = pages(storage(api="h" * 40 + "d" * 20, shop="h" * 60))
        (path,) = (it for it in files if it.startswith("incidents/"))
        assert path in files["index.html"]
        assert f"../{path}" in files["history/2026-08.html"]
        assert "2026-08.html" in files["history/index.html"]

    @pytest.mark.parametrize(
        ("policy", "minutes", "lasting", "told"),
        [
            (IncidentSettings(automatic=False), 50, False, 0),
            (IncidentSettings(after=300 * SECOND, minimum=120 * SECOND), 1, False, 0),
            (IncidentSettings(after=300 * SECOND, minimum=120 * SECOND), 3, False, 1),
            (IncidentSettings(after=300 * SECOND, minimum=120 * SECOND), 3, True, 0),
            (IncidentSettings(after=300 * SECOND, minimum=120 * SECOND), 6, True, 1),
            (AT_ONCE, 1, True, 1),
        ],
        ids=["never", "blip", "short-and-over", "not-yet", "by-now", "at-once"],
    )
    def test_the_policy_says_which_are_told(
        self, policy: IncidentSettings, minutes: int, *, lasting: bool, told: int
    ) -> None:
        after = 0 if lasting else 20
        script = "h" * (80 - minutes - after) + "d" * minutes + "h" * after
        files = pages(storage(api=script, shop="h" * 80), config(policy))
        assert len(stories(files)) == told

    @pytest.mark.row("140")
    def test_nothing_private_is_told(self) -> None:
        script = "h" * 20 + "d" * 20 + "g" * 20
        files = pages(storage(api=script, shop=script, vault="d" * 60))
        told = "".join(files[it] for it in files if it.startswith(("incidents/", "history/")))
        assert "Web shop" in told
        assert "PLANTED" not in told
        for private in ("Vault", "vault", "10.1.2.3", "internal", ">Shop<"):
            assert private not in told

    def test_the_same_page_is_made_again_byte_by_byte(self) -> None:
        there, memory = storage(api="h" * 20 + "d" * 40, shop="h" * 60), PageCache()
        first = build_page(config(), there, NOW, cache=memory)
        later = build_page(config(), there, NOW + SECOND, cache=memory)
        kept = [it for it in first if it.startswith(("incidents/", "history/", "maintenance/"))]
        assert kept
        assert all(later[it] is first[it] for it in kept if it.startswith("incidents/"))
        assert all(later[it] == first[it] for it in kept)


class TestPeople:
    def test_what_a_person_wrote_takes_the_place_of_the_outage(self) -> None:
        there = storage(api="h" * 30 + "d" * 30, shop="h" * 60)
        (key,) = load_editable(config(), there, NOW).incidents
        write(there, human(key, checkers=("api",)))
        files = pages(there)
        assert [it for it in files if it.startswith("incidents/")] == [f"incidents/{key}.html"]
        assert "Orders fail" in files[f"incidents/{key}.html"]
        assert "API is down" not in text(files[f"incidents/{key}.html"])
        assert "<p>We <strong>look</strong> into it.</p>" in files[f"incidents/{key}.html"]

    def test_only_a_person_ends_what_a_person_wrote(self) -> None:
        there = storage(api="h" * 10 + "d" * 10 + "h" * 40, shop="h" * 60)
        (key,) = load_editable(config(), there, NOW - 45 * MINUTE).incidents or [""]
        write(there, human(key, checkers=("api",)))
        (story,) = stories(pages(there))
        assert "Investigating" in story
        assert "Resolved" not in story

    def test_what_fails_again_after_a_person_ended_it_is_told(self) -> None:
        there = storage(api="h" * 20 + "d" * 10 + "h" * 4 + "d" * 26, shop="h" * 60)
        (name,) = load_editable(config(), there, NOW).incidents
        first = to_stored(load_editable(config(), there, NOW).incidents[name])
        over = IncidentUpdate(
            id="2" * 12, at=NOW - 28 * MINUTE, status="resolved", text="We mended it."
        )
        write(there, replace(first, updates=(first.updates[0], over)))
        old, new = sorted(stories(pages(there)), key=lambda story: "We mended it." not in story)
        assert "Resolved" in old
        assert "Outage of API Investigating" in new
        assert "operational again" not in new
        again = replace(over, at=NOW - 20 * MINUTE)
        there.replace(
            "incidents/head.json",
            encode(
                IncidentDocument(incidents={name: replace(first, updates=(again,))}), order="sorted"
            ),
            there.get("incidents/head.json").version,  # type: ignore[union-attr]
        )
        assert len(stories(pages(there))) == 1

    def test_an_incident_that_is_opened_explains_the_outages_that_last(self) -> None:
        there = storage(api="h" * 30 + "d" * 30, shop="h" * 40 + "d" * 20)
        known = load_editable(config(), there, NOW)
        assert len(known.incidents) == 2
        opened = take_over_automatic(known, human(checkers=("api", "shop")))
        write(there, opened)
        (story,) = stories(pages(there))
        assert opened.id in known.incidents
        assert len(opened.replaces) == 1
        assert "Orders fail" in story
        assert "API is down." in story

    def test_an_outage_that_begins_during_an_incident_of_its_component_is_part_of_it(self) -> None:
        there = storage(api="h" * 40 + "d" * 20, shop="h" * 60)
        write(there, human(checkers=("api", "shop")))
        (story,) = stories(pages(there))
        assert "Orders fail" in story
        assert "Major outage since" in story

    def test_an_outage_of_something_else_is_told_beside_it(self) -> None:
        there = storage(api="h" * 60, shop="h" * 40 + "d" * 20)
        write(there, human(checkers=("api",)))
        assert len(stories(pages(there))) == 2

    def test_an_outage_that_somebody_writes_about_keeps_its_story(self) -> None:
        there = storage(api="h" * 30 + "d" * 30, shop="h" * 60)
        (seen,) = load_editable(config(), there, NOW).incidents.values()
        written = to_stored(seen)
        assert (written.id, written.checkers, written.title) == (
            seen.key,
            ("api",),
            "Outage of API",
        )
        assert [it.text for it in written.updates] == ["API is down."]


class TestFuture:
    def test_what_a_clock_that_is_ahead_wrote_is_of_now(self) -> None:
        there = storage(api="h" * 60, shop="h" * 60)
        over = IncidentUpdate(id="2" * 12, at=NOW + 3 * HOUR, status="resolved", text="Over.")
        work = Maintenance(
            id="m" * 12, title="W", created=NOW + HOUR, start=NOW + 2 * HOUR, end=NOW + 2 * HOUR
        )
        write(there, human(updates=(*human().updates, over), edited=NOW + DAY), work)
        files = pages(there)
        for path in ("api/v2/incidents.json", "api/v2/scheduled-maintenances.json"):
            (shown,) = next(it for it in json.loads(files[path]).values() if isinstance(it, list))
            assert shown["resolved_at"] == format_iso(NOW)
            times = [shown["updated_at"], shown["created_at"], shown["started_at"]]
            times += [it["display_at"] for it in shown["incident_updates"]]
            assert max(times) <= format_iso(NOW)
        (incident, cancelled) = re.findall(r"<updated>([^<]+)", files["history.atom"])[1:]
        assert max(incident, cancelled) <= format_iso(NOW)
        assert re.findall(r"DTSTAMP:(\S+)", files["maintenance.ics"]) == ["20260803T100242Z"]


class TestMaintenance:
    def test_it_is_shown_before_meanwhile_and_afterwards(self) -> None:
        there = storage(api="h" * 10, shop="h" * 10)
        work = Maintenance(
            id="m" * 12,
            title="New disks",
            text="All is *read-only*.",
            created=NOW - DAY,
            start=NOW + HOUR,
            end=NOW + 2 * HOUR,
            groups=("Core",),
        )
        write(there, work)
        path = f"maintenance/{work.id}.html"
        shown = [text(pages(there, now=now)[path]) for now in (NOW, NOW + 90 * MINUTE)]
        assert ["Scheduled" in shown[0], "In progress" in shown[1]] == [True, True]
        assert "API" in shown[0]
        assert "All is read-only ." in shown[0]
        after = pages(there, now=NOW + 3 * HOUR)
        assert "Completed" in text(after[path])
        assert path in after["history/2026-08.html"]

    def test_what_comes_again_is_announced_twice_ahead(self) -> None:
        nightly = MaintenanceSettings(
            title="Backup", start=NOW - 30 * DAY + HOUR, duration=HOUR, repeat="FREQ=DAILY"
        )
        files = pages(storage(api="h", shop="h"), config(maintenance=(nightly,)))
        assert files["index.html"].count("Backup") >= 2
        ahead = [it for it in files if it.startswith("maintenance/") and it.endswith(".html")]
        states = sorted(
            re.findall(r"Scheduled|Completed", "".join(text(files[it]) for it in ahead))
        )
        assert states == ["Completed"] * 2 + ["Scheduled"] * 2
        assert "Backup" not in files["history/2026-08.html"]

    def test_outages_during_announced_maintenance_are_none(self) -> None:
        there = storage(api="h" * 30 + "d" * 30, shop="h" * 60)
        work = Maintenance(
            id="m" * 12, title="W", created=0, start=NOW - HOUR, end=NOW + HOUR, checkers=("api",)
        )
        write(there, work)
        assert stories(pages(there)) == []

    @pytest.mark.parametrize(
        ("minutes", "told"),
        [(20, "API is under maintenance. 3 Aug"), (60, "API is operational again. Duration:")],
        ids=["meanwhile", "later"],
    )
    def test_maintenance_that_begins_in_an_outage_is_no_recovery(
        self, minutes: int, told: str
    ) -> None:
        there = storage(api="h" * 30 + "d" * 20 + "h" * 10, shop="h" * 60)
        start = NOW - minutes * MINUTE
        work = Maintenance(id="m" * 12, title="W", created=0, start=start, end=start + 12 * MINUTE)
        write(there, work)
        (story,) = stories(pages(there))
        assert told in story


class TestMonths:
    def test_old_months_are_read_once_and_stay(self) -> None:
        there = storage(api="h" * 10 + "d" * 3 + "h" * 107, shop="h" * 120, every=36 * HOUR)
        memory = PageCache()
        world = config()
        first = build_page(world, there, NOW, cache=memory)
        again = build_page(world, there, NOW, cache=memory)
        months = [it for it in first if re.fullmatch(r"history/\d{4}-\d\d\.html", it)]
        assert len(months) == 7
        assert all(again[it] is first[it] for it in months[:3])
        told = "".join(first[it].body.decode() for it in months)
        assert told.count("Outage of API") == 1

    def test_what_somebody_says_of_an_old_month_is_on_its_page_at_once_and_stays(self) -> None:
        there = storage(api="h" * 120, shop="h" * 120, every=36 * HOUR)
        memory, began = PageCache(), NOW - 120 * DAY
        over = IncidentUpdate(id="s", at=began + HOUR, status="resolved", text="It was us.")
        old = human("old", started=began, updates=(over,))
        there.create(
            "incidents/2026-04.json",
            encode(IncidentDocument(incidents={"old": old}), order="sorted"),
        )

        def month() -> str:
            files = build_page(config(), there, NOW, cache=memory)
            return text(files["history/2026-04.html"].body.decode())

        before = month()
        write(there, replace(old, title="Orders failed", edited=NOW))
        edited = month()
        known = load_editable(config(), there, NOW)
        there.delete("incidents/head.json")
        there.delete("incidents/2026-04.json")
        moved = encode(IncidentDocument(incidents={"old": known.as_stored("old")}), order="sorted")
        there.create("incidents/2026-04.json", moved)

        assert ["Orders fail " in it for it in (before, edited, month())] == [True, False, False]
        assert "Orders failed" in edited
        assert "Orders failed" in month()

    def test_a_month_long_ago_is_on_the_desk_if_it_is_asked_for(self) -> None:
        there = storage(api="h" * 10 + "d" * 3 + "h" * 107, shop="h" * 120, every=36 * HOUR)
        february = month_start(NOW - 165 * DAY)
        said = (IncidentUpdate(id="s", at=NOW - 150 * DAY, status="resolved", text="Gone."),)
        old = human("old", started=NOW - 160 * DAY, checkers=("api", "removed"), updates=said)
        month = f"incidents/{format_month(february)}.json"
        there.create(month, encode(IncidentDocument(incidents={"old": old}), order="sorted"))

        asked = load_editable(config(), there, NOW, february)

        assert load_editable(config(), there, NOW).incidents == {}
        assert "old" in asked.incidents
        assert asked.as_stored("old") == old
        (outage,) = asked.automatic
        assert [it.text for it in asked.as_stored(outage).updates][:1] == ["API is down."]
        assert load_editable(config(), there, NOW, month_start(NOW)).incidents == {}

    def test_what_is_asked_for_reads_as_much_however_long_the_story_is(self) -> None:
        class Counting(MemoryStorage):
            got = 0

            def get(self, key: str) -> StoredDocument | None:
                self.got += 1
                return super().get(key)

        counts = set()
        for years in (1, 8):
            there = Counting()
            for month in range(years * 12):
                key = f"incidents/{2026 - years + month // 12}-{month % 12 + 1:02d}.json"
                old = human(f"{month:012d}", started=parse_date("2025-02-03"))
                there.create(key, encode(IncidentDocument(incidents={old.id: old}), order="sorted"))
            assert load_editable(config(), there, NOW, parse_date("2025-02-01")).incidents
            counts.add(there.got)
        assert len(counts) == 1

    def test_an_outage_of_half_a_year_is_open_until_it_ends(self) -> None:
        """Its page, its month and the API say the same, in an old process and in a new one."""
        there = storage(api="h" * 20 + "d" * 100, shop="h" * 120, every=36 * HOUR)
        memory = PageCache()
        began = "history/2026-03.html"

        def shown(now: int) -> str:
            files = build_page(config(), there, now, cache=memory)
            new = build_page(config(), there, now, cache=PageCache())
            kept = {it: files[it] for it in files if it.startswith(("incid", "hist", "api/v2/inc"))}
            assert kept == {it: new[it] for it in kept}
            (path,) = (it for it in files if it.startswith("incidents/"))
            assert path in files[began].body.decode()
            unresolved = files["api/v2/incidents/unresolved.json"].body.decode()
            story = text(files[path].body.decode())
            assert ("ongoing" in story) is ("Outage of API" in unresolved)
            assert ("ongoing" in story) is (path in files["index.html"].body.decode())
            return story

        assert "ongoing" in shown(NOW)
        more = [[_result(API, HEALTHY), _result(SHOP, HEALTHY)] for _ in range(40)]
        for run in runs(more, newest=NOW + 60 * DAY, every=36 * HOUR):
            there.create(run_key(run), encode_results(run.results))
        state = there.get(STATE_KEY)
        assert state is not None
        cursor = max(there.list("runs/"))
        there.replace(STATE_KEY, encode_state(AlertState(cursor=cursor)), state.version)
        for _ in range(2):
            assert "Resolved" in shown(NOW + 61 * DAY)
        assert "API is operational again. Duration: 150 d" in shown(NOW + 62 * DAY)

    def test_an_outage_of_several_months_long_ago_ends_when_it_ended(self) -> None:
        there = storage(api="h" * 10 + "d" * 60 + "h" * 130, shop="h" * 200, every=36 * HOUR)
        (story,) = stories(pages(there))
        assert "Duration: 90 d." in story

    def test_days_without_incidents_are_one_line(self) -> None:
        there = storage(api="h" * 100 + "d" * 3 + "h" * 17, shop="h" * 120, every=6 * HOUR)
        body = text(pages(there)["history/2026-07.html"])
        assert body.count("No incidents") == 2
        assert datetime.fromtimestamp(NOW // SECOND, UTC).month == 8

    def test_without_any_history_there_is_still_a_page(self) -> None:
        files = pages(MemoryStorage())
        assert "No incidents" in text(files["history/2026-08.html"])


def ids(files: dict[str, str]) -> dict[str, object]:
    """Everything by which others know the page and its parts."""
    return {
        "paths": sorted(it for it in files if it.startswith(("badges/", "components/", "incid"))),
        "api": re.findall(r'"(?:page_id|id)":"([^"]+)"', files["api/v2/summary.json"]),
        "atom": re.findall(r"<id>([^<]+)", files["history.atom"]),
        "rss": re.findall(r"<guid[^>]*>([^<]+)", files["history.rss"]),
        "calendar": re.findall(r"UID:(\S+)", files["maintenance.ics"]),
        "metrics": re.findall(r'id="(\w+)"', files["metrics.txt"]),
    }


def at(url: str, **fields: str) -> Config:
    return config(page=PageSettings(title="Acme", url=url, incidents=AT_ONCE, **fields))  # type: ignore[arg-type]


class TestPublicIds:
    """They are those of the first page, wherever it moves."""

    FIRST, LATER = "https://status.acme.example/", "http://www.acme.example/status"

    def there(self) -> MemoryStorage:
        found = storage(api="h" * 40 + "d" * 20, shop="h" * 60)
        work = Maintenance(id="m" * 12, title="W", created=0, start=NOW, end=NOW + HOUR)
        write(found, human(), work)
        return found

    @pytest.mark.parametrize(("first", "later"), [(FIRST, LATER), ("", FIRST), (FIRST, "")])
    def test_they_stay_when_the_url_changes(self, first: str, later: str) -> None:
        there, memory = self.there(), PageCache()
        before = ids(pages(there, at(first)))
        assert all(before.values())
        assert ids(pages(there, at(later))) == before
        for url in (first, later):  # one process, whose configuration is edited
            files = build_page(at(url), there, NOW, cache=memory)
            assert ids({path: file.body.decode() for path, file in files.items()}) == before

    def test_those_of_a_page_of_0_1_0_are_those_of_its_url(self) -> None:
        known = pages(self.there(), at(self.FIRST))
        assert f"components/{component_key(page_key(self.FIRST), 'api')}.html" in known
        assert "tag:status.acme.example,2026:incident/abcdefabcdef" in known["history.rss"]

    def test_a_configured_id_takes_their_place(self) -> None:
        there = self.there()
        moved = pages(self.there(), at(self.LATER, id=self.FIRST))
        assert ids(moved) == ids(pages(there, at(self.FIRST)))
        assert ids(pages(there, at(self.FIRST, id="acme"))) == ids(
            pages(self.there(), at(self.LATER, id="acme"))
        )

    def test_the_first_of_two_publishers_decides(self) -> None:
        there = self.there()

        class Late(MemoryStorage):
            """Somebody else is faster between a read and a write."""

            def create(self, key: str, body: bytes) -> str:
                if key == PAGE_KEY:
                    assert load_seed(at(TestPublicIds.FIRST), there) == TestPublicIds.FIRST
                return there.create(key, body)

            def get(self, key: str) -> StoredDocument | None:
                return there.get(key)

        assert load_seed(at(self.LATER), Late()) == self.FIRST

    def test_a_storage_that_takes_nothing_leaves_the_ids_to_the_url(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        class Full(MemoryStorage):
            def create(self, key: str, body: bytes) -> str:
                raise StorageError("no space left on device")

        assert load_seed(at(self.FIRST), Full()) is None
        assert "those of page.url: no space left on device" in caplog.text

    def test_feeds_without_a_url_have_no_relative_links(self) -> None:
        files = pages(self.there(), at(""))
        (link,) = re.findall(r"<link>([^<]*)", files["history.rss"])
        assert link == "https://checkup.invalid/"
        assert 'rel="self"' not in files["history.rss"] + files["history.atom"]
        assert "URL:" not in files["maintenance.ics"]


def links(files: Sequence[str], path: str, body: str) -> list[str]:
    """The relative addresses of a page that lead nowhere."""
    found = re.findall(r'href="([^"#:]+\.html)"', body)
    depth = path.count("/")
    return [it for it in found if it.removeprefix("../" * depth) not in files]


def test_no_link_of_these_pages_leads_nowhere() -> None:
    there = storage(api="h" * 30 + "d" * 30, shop="h" * 60)
    write(there, human(checkers=("shop",)))
    files = pages(there)
    for path, body in files.items():
        if path.startswith(("incidents/", "maintenance/", "history/")) and path.endswith("html"):
            assert links([*files], path, body) == []


@pytest.mark.row("132")
@pytest.mark.parametrize(
    "odd",
    [
        human("../../up"),
        human(impact="huge"),
        human(updates=(IncidentUpdate(id="s", at=NOW, status="weird"),)),
        Maintenance(id="../../up", title="Work", created=0, start=NOW, end=NOW + HOUR),
        Maintenance(
            id="m",
            title="Work",
            created=0,
            start=NOW,
            end=NOW + HOUR,
            updates=(IncidentUpdate(id="s", at=NOW, status="weird"),),
        ),
    ],
    ids=["up", "impact", "status", "maintenance-up", "stage"],
)
def test_one_poisoned_announcement_takes_nothing_else_away(odd: Incident | Maintenance) -> None:
    there = storage(api="h", shop="h")
    write(there, odd, human("good"))
    files = pages(there)
    assert "incidents/good.html" in files
    assert not [path for path in files if ".." in path or path == "maintenance/m.html"]


@pytest.mark.row("133")
def test_attacks_in_titles_and_texts_stay_texts() -> None:
    attack = "<script>alert(1)</script>"
    there = storage(api="h", shop="h")
    evil = human(
        title=attack, updates=(IncidentUpdate(id="x", at=NOW, status="resolved", text=attack),)
    )
    work = Maintenance(id="m" * 12, title=attack, text=attack, created=0, start=NOW, end=NOW + HOUR)
    write(there, evil, work)
    for path, body in pages(there).items():
        if path.endswith(".html"):
            assert "<script>alert" not in body
