"""Programs of others read the files that they were made for, over HTTP as anywhere."""

from __future__ import annotations

import asyncio
import operator
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from urllib.request import urlopen
from xml.etree import ElementTree as ET

import arez.statuspage
import feedparser
import icalendar
import pytest
from msgspec.structs import replace

from checkup.times import DAY
from checkup_page.formats import MachineFiles
from tests.page.conftest import Site
from tests.page.formats.world import announced, view
from tests.page.worlds import NOW

ATOM = "{http://www.w3.org/2005/Atom}"
TODAY = datetime.fromtimestamp(NOW // 10**9, UTC)


@pytest.fixture
def url(site: Site) -> str:
    """Where a page with incidents and maintenance is served."""
    site.files = MachineFiles().files(announced())
    return site.url


def fetched(address: str) -> bytes:
    with urlopen(address) as answer:
        body: bytes = answer.read()
    return body


class TestStatuspage:
    """aRez reads the status page of a game that is kept by Statuspage."""

    @staticmethod
    def asked(url: str) -> arez.statuspage.CurrentStatus:
        async def ask() -> arez.statuspage.CurrentStatus:
            page: arez.statuspage.StatusPage
            async with arez.statuspage.StatusPage(url) as page:
                return await page.get_status()

        with ThreadPoolExecutor(1) as outside:  # of the event loop that a browser test may leave
            return outside.submit(asyncio.run, ask()).result()

    def test_it_finds_the_verdict(self, url: str) -> None:
        found = self.asked(url)
        assert (found.name, found.status, found.impact) == (
            "Acme Status",
            "Partial System Outage",
            "Major",
        )
        assert found.updated_at == TODAY.replace(tzinfo=None) - timedelta(seconds=12)

    def test_it_finds_components_in_their_groups(self, url: str) -> None:
        found = self.asked(url)
        assert [(it.name, it.status, it.group and it.group.name) for it in found.components] == [
            ("API", "Operational", None),
            ("West", "Major Outage", "Shop"),
            ("East", "Degraded Performance", "Shop"),
        ]

    def test_it_finds_incidents_at_their_components(self, url: str) -> None:
        found = self.asked(url)
        west = found.component("West")
        assert west is not None
        assert [(it.name, it.status, it.impact) for it in west.incidents] == [
            ("Orders fail, open", "Monitoring", "Major")
        ]
        assert [it.status for it in west.incidents[0].updates] == ["Monitoring", "Investigating"]

    def test_it_finds_maintenance(self, url: str) -> None:
        found = self.asked(url)
        assert [(it.name, it.status, it.last_update.status) for it in found.maintenances] == [
            ("Move of the database, now", "In Progress", "Scheduled"),
            ("Move of the database, next", "Scheduled", "Scheduled"),
        ]

    def test_a_page_before_its_first_run_is_no_trouble(self, site: Site) -> None:
        site.files = MachineFiles().files(view())
        found = self.asked(site.url)
        assert (found.status, found.impact) == ("Collecting first results", "Minor")
        assert {it.status for it in found.components} == {"Degraded Performance"}


class TestFeed:
    @pytest.mark.parametrize(("kind", "version"), [("atom", "atom10"), ("rss", "rss20")])
    def test_a_reader_finds_nothing_wrong(self, url: str, kind: str, version: str) -> None:
        feed = feedparser.parse(fetched(f"{url}history.{kind}"))
        assert (feed.bozo, feed.version) == (False, version)
        assert feed.feed.title == "Acme Status: incidents and maintenance"

    @pytest.mark.parametrize("kind", ["atom", "rss"])
    def test_a_reader_finds_what_happened_newest_first(self, url: str, kind: str) -> None:
        entries = feedparser.parse(fetched(f"{url}history.{kind}")).entries
        assert [entry.title for entry in entries] == [
            "Orders fail, open",
            "Move of the database, next",
            "Orders fail, over",
            "Move of the database, now",
        ]
        first = entries[0]
        assert "<p>A fix is **in place**.</p>" in first.summary
        assert first.id == "tag:status.acme.example,2026:incident/ulvlu9mfd53z"
        assert first.link == "https://status.acme.example/incidents/ulvlu9mfd53z.html"

    def test_an_atom_feed_keeps_the_rules_of_rfc_4287(self, url: str) -> None:
        feed = ET.fromstring(fetched(f"{url}history.atom"))
        entries = feed.findall(f"{ATOM}entry")
        ids = [it.findtext(f"{ATOM}id", "") for it in (feed, *entries)]
        updated = [it.findtext(f"{ATOM}updated", "") for it in (feed, *entries)]
        published = [it.findtext(f"{ATOM}published", "") for it in entries]
        assert len(set(ids)) == len(ids) == 5
        assert all(re.fullmatch(r"tag:[a-z.]+,\d{4}:[a-z0-9/]+", it) for it in ids)
        assert updated == sorted(updated, reverse=True)
        assert all(map(operator.le, published, updated[1:]))
        for it in (feed, *entries):
            assert len(it.findall(f"{ATOM}title")) == 1
            kinds = [(link.get("rel"), link.get("type")) for link in it.findall(f"{ATOM}link")]
            assert len(set(kinds)) == len(kinds)
            assert ("alternate", "text/html") in kinds
        assert feed.findtext(f"{ATOM}author/{ATOM}name") == "Acme Status"

    def test_a_feed_without_entries_is_one_too(self, site: Site) -> None:
        site.files = MachineFiles().files(view())
        feed = feedparser.parse(fetched(f"{site.url}history.atom"))
        assert (feed.bozo, feed.entries) == (False, [])


class TestCalendar:
    def test_a_calendar_program_finds_the_maintenance(self, url: str) -> None:
        calendar = icalendar.Calendar.from_ical(fetched(f"{url}maintenance.ics"))
        now, then = calendar.walk("VEVENT")
        assert (str(now["SUMMARY"]), now.decoded("DTSTART")) == (
            "Move of the database, now",
            TODAY - timedelta(hours=1),
        )
        assert then.decoded("DTEND") - then.decoded("DTSTART") == timedelta(hours=2)
        assert str(then["DESCRIPTION"]) == (
            "The database moves;\nwrites wait, reads go on.\n\nAffected: API, West"
        )
        assert now.errors == then.errors == []

    def test_what_changes_keeps_its_id_and_counts_up(self, site: Site) -> None:
        page = announced()
        *others, then = page.maintenances
        later = replace(then, updated_at=then.updated_at + DAY, scheduled_until=NOW + 9 * DAY)
        known = []
        for plan in (then, then, later):
            site.files = MachineFiles().files(replace(page, maintenances=(*others, plan)))
            calendar = icalendar.Calendar.from_ical(fetched(f"{site.url}maintenance.ics"))
            known.append(calendar.walk("VEVENT")[1])
        first, same, changed = known
        assert first == same
        assert first["UID"] == changed["UID"]
        assert changed.decoded("SEQUENCE") > first.decoded("SEQUENCE")
        assert changed.decoded("DTSTAMP") - first.decoded("DTSTAMP") == timedelta(days=1)

    def test_a_calendar_program_learns_what_was_called_off(self, site: Site) -> None:
        page = announced()
        *others, off = page.maintenances
        off = replace(off, scheduled_until=off.scheduled_for, status="completed")
        site.files = MachineFiles().files(replace(page, maintenances=(*others, off)))
        calendar = icalendar.Calendar.from_ical(fetched(f"{site.url}maintenance.ics"))
        assert [str(event["STATUS"]) for event in calendar.walk("VEVENT")] == [
            "CONFIRMED",
            "CANCELLED",
        ]

    def test_a_calendar_without_events_is_one_too(self, site: Site) -> None:
        site.files = MachineFiles().files(view())
        calendar = icalendar.Calendar.from_ical(fetched(f"{site.url}maintenance.ics"))
        assert calendar.walk("VEVENT") == []
        assert len(calendar.subcomponents) == 1
