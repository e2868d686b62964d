"""Incidents and maintenance that people write, on their way to channels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from checkup.alerting.outbox import Route
from checkup.errors import StorageError
from checkup.incidents.model import (
    Incident,
    IncidentDocument,
    IncidentUpdate,
    Maintenance,
    add_incident,
    add_maintenance,
    add_update,
)
from checkup.incidents.store import change_incidents
from checkup.pipeline import RunContext, read_state, store_run
from checkup.pipeline.announcements import WRITING_TIMEOUT
from checkup.pipeline.state_store import announce_update, schedule_maintenance
from checkup.storage.memory import MemoryStorage
from checkup.times import HOUR
from tests.alerting.worlds import run, slot, toy
from tests.pipeline.recording import HEALTHY, Ear, soon

ALL = ("alerts", "incidents", "maintenance")
FIRST = IncidentUpdate(id="u1", at=slot(1), status="investigating", text="We are\n*looking*.")
INCIDENT = Incident(
    id="abc123", title="Payments fail", impact="major", started=slot(1), updates=(FIRST,)
)
SECOND = IncidentUpdate(id="u2", at=slot(2), status="resolved")
WORK = Maintenance(
    id="def456", title="New disk", created=slot(1), start=slot(60), end=slot(120), checkers=("a",)
)


class Clock(MemoryStorage):
    """A storage at the time of the story: what is old moves to the months."""

    now = slot(3)

    def now_ns(self) -> int:
        return self.now


def context(storage: MemoryStorage, ear: Ear, on: tuple[str, ...] = ALL, **more: Any) -> RunContext:
    return RunContext(
        checkers=(toy("a", group="Shop"), toy("b")),
        storage=storage,
        channels={"ear": ear},
        routes={"ear": Route(on=on, **more)},
        page_url="https://s.example/",
    )


def write(storage: MemoryStorage, incident: Incident = INCIDENT) -> Callable[[], IncidentDocument]:
    return lambda: change_incidents(storage, lambda document: add_incident(document, incident))


def test_update_is_delivered_once_by_the_next_run_and_links_to_its_page() -> None:
    storage, ear = Clock(), Ear()
    there = context(storage, ear)

    announce_update(there, "u1", write(storage))
    for number in range(2):
        store_run(there, run(number, HEALTHY), soon())
    announce_update(
        there,
        "u2",
        lambda: change_incidents(storage, lambda it: add_update(it, INCIDENT, SECOND)),
    )
    for number in range(2, 4):
        store_run(there, run(number, HEALTHY), soon())

    assert ear.heard == ["/incident:investigating/abc123/u1", "/incident:resolved/abc123/u2"]
    first = ear.notifications[0]
    assert first.links[first.alerts[0].id] == "https://s.example/incidents/abc123.html"
    assert first.alerts[0].reason == "We are *looking*."
    assert read_state(storage).announcing == {}


def test_maintenance_is_announced_with_its_times() -> None:
    storage, ear = Clock(), Ear()
    there = context(storage, ear)

    announce_update(
        there,
        WORK.id,
        lambda: schedule_maintenance(there, lambda document: add_maintenance(document, WORK)),
    )
    store_run(there, run(0, HEALTHY), soon())

    (alert,) = ear.notifications[0].alerts
    assert (alert.opened, alert.since, alert.failure) == (WORK.start, WORK.end, "scheduled")


@pytest.mark.parametrize(
    ("on", "more", "expected"),
    [
        (("alerts",), {}, []),
        (("maintenance",), {}, []),
        (("incidents",), {}, ["u1"]),
        (ALL, {"severities": ("down",)}, ["u1"]),
        (ALL, {"groups": ("Shop",)}, ["u1"]),
        (ALL, {"groups": ("Blog",)}, []),
    ],
)
def test_only_channels_that_ask_for_it_get_it(
    on: tuple[str, ...], more: dict[str, Any], expected: list[str]
) -> None:
    storage, ear = Clock(), Ear()
    about = Incident(
        id="abc123",
        title="x",
        impact="minor",
        started=slot(1),
        checkers=("a",),
        updates=(FIRST,),
    )
    there = context(storage, ear, on, **more)

    announce_update(there, "u1", write(storage, about))
    store_run(there, run(0, HEALTHY), soon())

    assert [each.rpartition("/")[2] for each in ear.heard] == expected


def test_channel_for_incidents_alone_gets_no_alerts() -> None:
    storage, ear = Clock(), Ear()

    store_run(context(storage, ear, ("incidents",)), run(0, {"a": "d", "b": "h"}), soon())

    assert ear.heard == []


@pytest.mark.parametrize("killed", ["before-writing", "after-writing"])
def test_command_that_is_killed_announces_what_it_has_written(killed: str) -> None:
    storage, ear = Clock(), Ear()
    there = context(storage, ear)

    def die() -> IncidentDocument:
        if killed == "after-writing":
            write(storage)()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        announce_update(there, "u1", die)
    store_run(there, run(0, HEALTHY), soon())

    assert len(ear.heard) == (killed == "after-writing")
    assert bool(read_state(storage).announcing) == (killed == "before-writing")


def test_update_that_was_never_written_is_forgotten() -> None:
    def fail() -> IncidentDocument:
        raise StorageError("the disk is full")

    storage, ear = Clock(), Ear()
    there = context(storage, ear)
    with pytest.raises(StorageError):
        announce_update(there, "u1", fail)
    storage.now += WRITING_TIMEOUT + HOUR
    store_run(there, run(200, HEALTHY), soon())

    assert (read_state(storage).announcing, ear.heard) == ({}, [])
