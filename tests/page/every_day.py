"""What people write is on the page on each of 400 days: ``python -m tests.page.every_day``.

Somebody lives through these days in a few time zones and writes of incidents and maintenance, most
of all around midnight and on days on which a month, a year or summer time begins or ends. Twice a
day the page is made, by a process that has lived through all of it and sometimes by a new one.
"""

from __future__ import annotations

import heapq
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import count
from typing import Final
from zoneinfo import ZoneInfo

from checkup.config.page import PageSettings
from checkup.config.settings import Config
from checkup.incidents import model
from checkup.incidents.model import Incident, IncidentUpdate, Maintenance, UpdateCorrection
from checkup.incidents.store import change_incidents
from checkup.interfaces import PageFile
from checkup.model import encode_results, run_key
from checkup.storage.memory import MemoryStorage
from checkup.times import DAY, HOUR, SECOND, format_month, month_start, parse_date
from checkup_page.build import PageCache, build_page
from checkup_page.incidents.load import load_editable
from examples.demo.announced import announced
from tests.page.worlds import MINUTE, checker, result, runs

ZONES: Final = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe")
FIRST: Final = date(2027, 10, 20)
DAYS: Final = 400
"""From before a change of the clocks until after the same one of a leap year."""

API: Final = checker("API")

Pages = Mapping[str, PageFile]


class Dated(MemoryStorage):
    """A storage with a clock of its own."""

    now = 0

    def clock(self) -> int:
        return self.now


class Life:
    """The days of one time zone.

    Attributes:
        day: the one that is lived through.
        incidents, maintenance: what was written, by id.
        words: what was said last of each.
    """

    def __init__(self, zone: str, every: int) -> None:
        self.day = FIRST - timedelta(days=1)
        self.incidents: dict[str, Incident] = {}
        self.maintenance: dict[str, Maintenance] = {}
        self.words: dict[str, str] = {}
        self._zone, self._every = ZoneInfo(zone), every
        page = PageSettings(title="Status", url="https://status.example/", timezone=zone)
        self._config = Config(checkers=(API,), page=page)
        self._storage, self._memory = Dated(), PageCache()
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._number = count()
        self._checked: dict[str, PageFile] = {}

    def is_special(self) -> bool:
        """Say whether a month or a year begins or ends, or the clocks are changed."""
        tomorrow, yesterday = (self.day + timedelta(days=step) for step in (1, -1))
        is_edge = self.day.month != tomorrow.month or self.day.month != yesterday.month
        return is_edge or self.midnight(1) - self.midnight() != DAY

    def midnight(self, days: int = 0) -> int:
        """Return when the day begins, or one that many days later."""
        at = self.day + timedelta(days=days)
        local = datetime(at.year, at.month, at.day, tzinfo=self._zone)
        return int(local.astimezone(UTC).timestamp()) * SECOND

    def live(self) -> Iterator[int]:
        """Live through the next day; yields its first minute and its last, of which one may ask."""
        self.day += timedelta(days=1)
        morning, evening = self.midnight() + 30 * SECOND, self.midnight(1) - 30 * SECOND
        since = (self.day - FIRST).days
        (run,) = runs([[result(API)]], newest=morning - SECOND)
        self._storage.create(run_key(run), encode_results(run.results))
        name = f"{self.day:%Y%m%d}"
        if self.is_special() or since % self._every == 0:
            self._incident(f"am{name}", morning, 90 * MINUTE)
            self._incident(f"pm{name}", evening, 45 * MINUTE)
            self._maintenance(f"wk{name}", evening, HOUR)
        if self.day.day == 25:
            self._incident(f"ln{name}", morning, 12 * DAY)
            self._maintenance(f"lw{name}", morning, 40 * DAY)
        if since % 9 == 4 or self.is_special():
            self._moved_maintenance(f"mv{name}", evening, is_cancelled=since % 2 == 0)
        if self.day.day == 15:
            self._due_at(morning + 6 * HOUR, self._say_late)
        if self.day.day == 16:
            self._due_at(morning + 6 * HOUR, self._correct_late)
        for moment in (morning, evening):
            while self._due and self._due[0][0] <= moment:
                self._storage.now, _, change = heapq.heappop(self._due)
                change()
            self._storage.now = moment
            yield moment

    def pages(self, *, anew: bool = False) -> Pages:
        """Return the page of this moment, perhaps as a new process makes it."""
        memory = PageCache() if anew else self._memory
        return build_page(self._config, self._storage, self._storage.now, cache=memory)

    def missing(self, files: Pages) -> Iterator[str]:
        """Yield what should be on the page and is not."""
        now = self._storage.now
        index = files["index.html"].body.decode()
        overview = files["history/index.html"].body.decode()
        months = {
            path: file.body.decode() for path, file in files.items() if path.startswith("history/2")
        }
        written: list[Incident | Maintenance] = [*self.incidents.values()]
        for it in (*written, *self.maintenance.values()):
            start = it.started if isinstance(it, Incident) else it.start
            folder = "incidents" if isinstance(it, Incident) else "maintenance"
            path, month = f"{folder}/{it.id}.html", f"history/{format_month(start)}.html"
            if not self._is_told(files.get(path), path, it):
                yield f"{path} does not say: {self.words[it.id]}"
            if start <= now:
                if f'{path}"' not in months.get(month, ""):
                    yield f"{month} has no {path}"
                if f'{month}"' not in overview:
                    yield f"history/index.html has no {month}"
            if self._is_recent(it, now) and f'"{path}"' not in index:
                yield f"index.html has no {path}"
        yield from self._missing_for_programs(files, now)

    def _missing_for_programs(self, files: Pages, now: int) -> Iterator[str]:
        begun = sorted(self.incidents.values(), key=lambda it: it.started)[-20:]
        for path in ("api/v2/incidents.json", "history.atom", "history.rss"):
            body = files[path].body.decode()
            yield from (f"{path} has no {it.id}" for it in begun[-10:] if it.id not in body)
        listed = json.loads(files["api/v2/incidents.json"].body)["incidents"]
        known = {it["id"] for it in listed}
        yield from (f"api/v2/incidents.json has no {it.id}" for it in begun if it.id not in known)
        calendar = files["maintenance.ics"].body.decode()
        for work in self.maintenance.values():
            if work.start >= month_start(now - 92 * DAY) and f"UID:{work.id}@" not in calendar:
                yield f"maintenance.ics has no {work.id}"

    def _is_told(self, file: PageFile | None, path: str, it: Incident | Maintenance) -> bool:
        """Say whether a page says the last word; a page that is the same is not read again."""
        key = f"{path} {self.words[it.id]}"
        if file is None or self._checked.get(key) is file:
            return file is not None
        self._checked[key] = file
        body = file.body.decode()
        word = self.words[it.id]
        is_wrong = any(text in body and text not in word for text in ("Wrong inc", "pots poned"))
        return it.title in body and word in body and not is_wrong

    def _is_recent(self, it: Incident | Maintenance, now: int) -> bool:
        if isinstance(it, Maintenance):
            return it.start <= now < it.end
        began = datetime.fromtimestamp(it.started // SECOND, self._zone).date()
        return it.resolved is None or self.day - began < timedelta(days=14)

    def _due_at(self, moment: int, change: Callable[[], None]) -> None:
        heapq.heappush(self._due, (moment, next(self._number), change))

    def _incident(self, name: str, begin: int, length: int) -> None:
        first = IncidentUpdate(
            id=f"{name}1", at=begin, status="investigating", text=f"{name} fails."
        )
        it = Incident(
            id=name, title=f"About {name}", impact="minor", started=begin, updates=(first,)
        )
        last = IncidentUpdate(id=f"{name}2", at=begin + length, status="", text=f"{name} is over.")

        def opened() -> None:
            self._keep(
                it,
                change_incidents(self._storage, partial(model.add_incident, incident=it)).incidents,
            )

        def resolved() -> None:
            change = partial(model.resolve_incident, incident=it, update=last)
            self._keep(it, change_incidents(self._storage, change).incidents)

        wrong = IncidentUpdate(id=f"{name}9", at=begin + length, status="", text="Wrong incident.")

        def mistaken() -> None:
            change = partial(model.add_update, incident=it, update=wrong)
            change_incidents(self._storage, change)

        def removed() -> None:
            change = partial(
                model.correct_incident_update,
                incident=it,
                update=wrong.id,
                correction=None,
                now=self._storage.now,
            )
            self._keep(it, change_incidents(self._storage, change).incidents)

        self._due_at(begin, opened)
        self._due_at(begin + length, resolved)
        self._due_at(begin + length + MINUTE, mistaken)
        self._due_at(begin + length + 2 * MINUTE, removed)

    def _maintenance(self, name: str, begin: int, length: int) -> None:
        it = Maintenance(
            id=name,
            title=f"Work {name}",
            text=f"{name} is planned.",
            created=self.midnight(),
            start=begin,
            end=begin + length,
        )

        def planned() -> None:
            change = partial(model.add_maintenance, maintenance=it)
            self._keep(it, change_incidents(self._storage, change).maintenance)

        self._due_at(it.created, planned)

    def _moved_maintenance(self, name: str, begin: int, *, is_cancelled: bool) -> None:
        """Schedule maintenance in three weeks, move it by three more, and perhaps cancel it."""
        it = Maintenance(
            id=name,
            title=f"Work {name}",
            text=f"{name} is planned.",
            created=self.midnight(),
            start=begin + 21 * DAY,
            end=begin + 21 * DAY + 2 * HOUR,
        )
        later, off = (
            IncidentUpdate(id=f"{name}{number}", at=begin + number * DAY, status="", text=text)
            for number, text in ((1, f"{name} is pots poned."), (2, f"{name} is off."))
        )

        def change(what: Callable[..., model.IncidentDocument], **fields: object) -> None:
            changed = change_incidents(self._storage, lambda document: what(document, **fields))
            self._keep(it, changed.maintenance)

        self._due_at(it.created, partial(change, model.add_maintenance, maintenance=it))
        times = {"start": it.start + 21 * DAY, "end": it.end + 21 * DAY}
        moved = partial(change, model.move_maintenance, maintenance=it, update=later, **times)
        self._due_at(later.at, moved)
        correct = partial(
            change,
            model.correct_maintenance_update,
            maintenance=it,
            update=later.id,
            correction=UpdateCorrection(text=f"{name} is postponed."),
            now=later.at + HOUR,
        )
        self._due_at(later.at + HOUR, correct)
        if is_cancelled:
            ended = partial(change, model.end_maintenance, maintenance=it.id, update=off)
            self._due_at(off.at, ended)

    def _correct_late(self) -> None:
        """Correct the last update of what began long ago."""
        now = self._storage.now
        for age in (93, 140, 260):
            began = [it for it in self.incidents.values() if it.started < now - age * DAY]
            if began:
                it = began[-1]
                known = load_editable(self._config, self._storage, now, month_start(it.started))
                change = partial(
                    model.correct_incident_update,
                    incident=known.as_stored(it.id),
                    update=it.updates[-1].id,
                    correction=UpdateCorrection(text=f"Corrected {self.day:%Y%m%d} {age}."),
                    now=now,
                )
                self._keep(it, change_incidents(self._storage, change).incidents)

    def _say_late(self) -> None:
        """Add to what began long ago, in the way of the command line."""
        now = self._storage.now
        for kind, every in (("incident", self.incidents), ("maintenance", self.maintenance)):
            for age in (91, 100, 130, 250):
                began = [
                    it
                    for it in every.values()
                    if (it.started if isinstance(it, Incident) else it.end) < now - age * DAY
                ]
                if began:
                    self._say(began[-1], kind, f"Learned {self.day:%Y%m%d} after {age} days.")

    def _say(self, it: Incident | Maintenance, kind: str, text: str) -> None:
        now = self._storage.now
        start = it.started if isinstance(it, Incident) else it.start
        known = load_editable(self._config, self._storage, now, month_start(start))
        said = IncidentUpdate(
            id=text, at=now, status="postmortem" if kind == "incident" else "", text=text
        )
        if isinstance(it, Incident):
            change = partial(model.add_update, incident=known.as_stored(it.id), update=said)
            self._keep(it, change_incidents(self._storage, change).incidents)
        else:
            work = known.document.maintenance[it.id]
            noted = partial(model.add_maintenance_update, maintenance=work, update=said)
            self._keep(it, change_incidents(self._storage, noted).maintenance)

    def _keep(
        self,
        it: Incident | Maintenance,
        document: Mapping[str, Incident] | Mapping[str, Maintenance],
    ) -> None:
        """Remember what was written, as it has become."""
        written = document[it.id]
        if isinstance(written, Incident):
            self.incidents[it.id] = written
            self.words[it.id] = written.updates[-1].text
        else:
            self.maintenance[it.id] = written
            self.words[it.id] = written.updates[-1].text if written.updates else written.text


def differences(one: Pages, other: Pages) -> list[str]:
    """Return the paths of what was written that are not the same on two pages."""
    mine, its = (
        {it: file for it, file in files.items() if it.startswith(("incid", "maint", "hist"))}
        for files in (one, other)
    )
    return [path for path in {**mine, **its} if mine.get(path) != its.get(path)]


def lived(zone: str, every: int, days: int) -> tuple[int, list[str]]:
    """Live through the days in a zone; return how many pages were made, and what was wrong."""
    life, wrong, made = Life(zone, every), [], 0
    for number in range(days):
        for moment in life.live():
            files = life.pages()
            wrong += [f"{zone} {it}" for it in _at(moment, life.missing(files))]
            made += 1
            if life.is_special() or number % 10 == 0:
                new = life.pages(anew=True)
                wrong += [f"{zone} new: {it}" for it in _at(moment, life.missing(new))]
                wrong += [f"{zone} other: {it}" for it in _at(moment, differences(files, new))]
                made += 1
    return made, wrong


def _at(moment: int, found: Iterable[str]) -> Iterator[str]:
    when = datetime.fromtimestamp(moment // SECOND, UTC)
    return (f"{when:%Y-%m-%dT%H:%M:%SZ}: {it}" for it in found)


def demo_without(now: int) -> list[str]:
    """Return the paths that the page of the demo should have at a moment and has not."""
    storage, written = Dated(), announced(now)
    storage.now = now
    change_incidents(storage, lambda _: written)
    files = build_page(Config(checkers=(API,)), storage, now)
    begun = {f"incidents/{key}.html": it.started for key, it in written.incidents.items()}
    begun |= {f"maintenance/{key}.html": it.start for key, it in written.maintenance.items()}
    pages = {path: file.body.decode() for path, file in files.items() if path.endswith(".html")}
    return [
        path
        for path, start in begun.items()
        if path not in pages
        or (start <= now and path not in pages.get(f"history/{format_month(start)}.html", ""))
    ]


def demo(days: int) -> tuple[int, list[str]]:
    """Make the page of the demo on each of the days; return how many there were, and faults."""
    first = parse_date(f"{FIRST}")
    moments = [first + day * DAY + hour * HOUR for day in range(days) for hour in (0, 9, 23)]
    wrong = [f"demo {it}" for moment in moments for it in _at(moment, demo_without(moment))]
    return len(moments), wrong


def main(days: int = DAYS) -> int:
    """Return 1 if anything was missing on any day."""
    begun, wrong = time.monotonic(), 0
    with ProcessPoolExecutor(2) as pool:
        lives = {zone: pool.submit(lived, zone, 2, days) for zone in ZONES}
        lives["demo"] = pool.submit(demo, days)
        for name, life in lives.items():
            made, found = life.result()
            print(f"{name}: {days} days, {made} pages, {len(found)} faults", flush=True)
            print("\n".join(found[:20]), end="\n" if found else "")
            wrong += len(found)
    print(f"{time.monotonic() - begun:.0f} s")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
