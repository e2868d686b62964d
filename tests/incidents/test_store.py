"""Incidents and maintenance in storages: nobody's word is lost."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace

from checkup.documents import encode
from checkup.errors import DocumentChangedError, StorageError
from checkup.incidents import model
from checkup.incidents.model import IncidentDocument, IncidentUpdate, Maintenance
from checkup.incidents.store import (
    INCIDENTS_KEY,
    RECENT_PERIOD,
    change_incidents,
    load_all_incidents,
    load_incidents,
)
from checkup.pipeline import RunContext
from checkup.pipeline.state_store import (
    MAINTENANCE_CHANGE_TIMEOUT,
    load_state,
    read_state,
    schedule_maintenance,
    silence_checkers,
    update_state,
)
from checkup.storage.memory import MemoryStorage
from checkup.times import DAY
from tests.incidents.writer import INCIDENT, add, opened

WRITERS, WORDS = 3, 5


class Faulty(MemoryStorage):
    """A storage whose writes fail as told: before they are done, or after."""

    def __init__(self, *faults: str) -> None:
        super().__init__()
        self.faults = [*faults]

    def _failing(self, write: Callable[[], str]) -> str:
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "before":
            raise StorageError("no answer")
        version = write()
        if fault == "after":
            raise StorageError("no answer")
        return version

    def create(self, key: str, body: bytes) -> str:
        return self._failing(lambda: super(Faulty, self).create(key, body))

    def replace(self, key: str, body: bytes, version: str) -> str:
        return self._failing(lambda: super(Faulty, self).replace(key, body, version))


@pytest.mark.parametrize("kind", ["fs", "sqlite3"])
def test_what_several_write_at_once_is_all_there(kind: str, tmp_path: Path) -> None:
    place = str(tmp_path / "checks")
    writers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.incidents.writer", kind, place, f"w{number}", str(WORDS)],
            stdin=subprocess.PIPE,
        )
        for number in range(WRITERS)
    ]
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write(b"go\n")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate()
        assert writer.returncode == 0

    written = {said.id for said in load_incidents(opened(kind, place)).incidents["aaa"].updates}

    assert written == {
        "first",
        *(f"w{number}-{word}" for number in range(WRITERS) for word in range(WORDS)),
    }


@pytest.mark.parametrize(
    "faults", [["before"], ["after"], ["", "before"], ["", "after", "before"]], ids="-".join
)
def test_a_word_is_there_once_whatever_became_of_the_answer(faults: list[str]) -> None:
    storage = Faulty(*faults)
    for number in range(2):
        add(storage, "a", number)
    said = load_incidents(storage).incidents["aaa"].updates
    assert [it.id for it in said] == ["first", "a-0", "a-1"]


def test_a_storage_that_fails_is_reported_after_a_few_times() -> None:
    with pytest.raises(StorageError, match="no answer"):
        add(Faulty(*["before"] * 9), "a", 0)


@pytest.mark.row("96")
def test_what_a_newer_version_wrote_is_neither_read_nor_replaced() -> None:
    storage = MemoryStorage()
    body = encode(replace(IncidentDocument(), schema=2), order="sorted")
    storage.create(INCIDENTS_KEY, body)
    with pytest.raises(StorageError, match="newer version"):
        load_incidents(storage)
    with pytest.raises(StorageError, match="newer version"):
        add(storage, "a", 0)
    stored = storage.get(INCIDENTS_KEY)
    assert stored is not None
    assert stored.body == body


@pytest.mark.row("94")
def test_what_cannot_be_read_is_kept_aside_and_begun_anew(
    caplog: pytest.LogCaptureFixture,
) -> None:
    storage = MemoryStorage()
    storage.create(INCIDENTS_KEY, b"rubbish")
    assert load_incidents(storage) == IncidentDocument()
    assert "its entries are not shown until an earlier version is restored" in caplog.text
    add(storage, "a", 0)
    assert "incidents/head.json: the previous bytes are kept below quarantine/" in caplog.text
    (kept,) = storage.list("quarantine/")
    stored = storage.get(kept)
    assert stored is not None
    assert stored.body == b"rubbish"
    assert set(load_incidents(storage).incidents) == {"aaa"}


@pytest.mark.row("94")
def test_what_makes_no_sense_is_kept_aside_when_the_rest_is_written() -> None:
    storage = MemoryStorage()
    odd = replace(INCIDENT, id="../up")
    both = {"../up": odd, "bbb": replace(INCIDENT, id="bbb")}
    body = encode(IncidentDocument(incidents=both), order="sorted")
    storage.create(INCIDENTS_KEY, body)
    assert set(load_incidents(storage).incidents) == {"bbb"}
    assert list(storage.list("quarantine/")) == []
    add(storage, "a", 0)
    assert set(load_incidents(storage).incidents) == {"aaa", "bbb"}
    (kept,) = storage.list("quarantine/")
    stored = storage.get(kept)
    assert stored is not None
    assert stored.body == body


def test_what_is_long_over_moves_into_the_file_of_its_month_and_is_not_lost() -> None:
    storage = MemoryStorage()
    began = storage.now_ns() - RECENT_PERIOD - 2 * DAY
    over = IncidentUpdate(id="over", at=began + DAY, status="resolved")
    old = replace(INCIDENT, id="old", started=began, updates=(*INCIDENT.updates, over))
    change_incidents(storage, lambda document: model.add_incident(document, old))
    add(storage, "a", 0)
    assert set(load_incidents(storage).incidents) == {"aaa"}
    assert set(load_all_incidents(storage).incidents) == {"aaa", "old"}
    assert len(list(storage.list("incidents/"))) == 2


def test_what_is_corrected_is_in_the_head_again_for_three_months() -> None:
    storage = MemoryStorage()
    began = storage.now_ns() - RECENT_PERIOD - 9 * DAY
    over = IncidentUpdate(id="over", at=began + DAY, status="resolved")
    old = replace(INCIDENT, id="old", started=began, updates=(over,))
    work = Maintenance(id="work", title="Disk", created=began, start=began, end=began + DAY)
    late = IncidentUpdate(id="late", at=storage.now_ns(), status="", text="It has held since.")
    change_incidents(
        storage, lambda document: model.add_incident(model.add_maintenance(document, work), old)
    )
    assert load_incidents(storage) == IncidentDocument()

    change_incidents(
        storage, lambda document: model.edit_incident(document, old, late.at, title="Worse")
    )
    change_incidents(storage, lambda document: model.add_maintenance_update(document, work, late))

    head = load_incidents(storage)
    assert head.incidents["old"].title == "Worse"
    assert head.incidents["old"].updates == old.updates
    assert [it.status for it in head.maintenance["work"].updates] == ["completed"]
    assert load_all_incidents(storage) == head


def maintenance(storage: MemoryStorage, name: str, length: int = DAY) -> Maintenance:
    now = storage.now_ns()
    return Maintenance(id=name, title=name, created=now, start=now - DAY, end=now - DAY + length)


def test_maintenance_that_is_not_over_is_in_the_head_of_every_run() -> None:
    storage = MemoryStorage()
    there = RunContext(checkers=(), storage=storage)
    for planned in (maintenance(storage, "now", 2 * DAY), maintenance(storage, "over", 1)):
        schedule_maintenance(there, partial(model.add_maintenance, maintenance=planned))
    assert set(read_state(storage).maintenance) == {"now"}


def test_a_head_that_is_made_anew_knows_the_maintenance() -> None:
    storage = MemoryStorage()
    there = RunContext(checkers=(), storage=storage)
    planned = maintenance(storage, "now", 2 * DAY)
    schedule_maintenance(there, partial(model.add_maintenance, maintenance=planned))
    storage.delete("state/head.json")
    assert set(load_state(there).document.maintenance) == {"now"}


def killed_before(fatal: int, place: Path) -> bool:
    command = [sys.executable, "-m", "tests.incidents.doomed_planner", str(place), str(fatal)]
    ended = subprocess.run(command, check=False)
    assert ended.returncode in {0, -signal.SIGKILL}
    return ended.returncode != 0


def test_a_kill_at_any_call_of_an_announcement_is_healed_by_the_next_run(tmp_path: Path) -> None:
    fatal, step, torn, untold = 1, 2, 0, 0
    while killed_before(fatal, tmp_path / str(fatal)):
        there = RunContext(checkers=(), storage=opened("fs", str(tmp_path / str(fatal))))
        shown = set(load_incidents(there.storage).maintenance)
        untold += not shown
        torn += shown != set(read_state(there.storage).maintenance)
        assert set(load_state(there).document.maintenance) == shown
        assert set(read_state(there.storage).maintenance) == shown
        fatal += step
    assert untold > 3, "it was announced before it could be"
    assert torn > 3, "it was never killed between the two writes"


def test_the_warning_of_an_announcement_ends_with_the_first_run_that_is_late_enough() -> None:
    storage = MemoryStorage()
    there = RunContext(checkers=(), storage=storage)
    schedule_maintenance(
        there, partial(model.add_maintenance, maintenance=maintenance(storage, "now"))
    )
    warned = read_state(storage).maintenance_changing
    assert warned
    assert load_state(there).document.maintenance_changing == warned
    update_state(
        there,
        lambda head: replace(head, maintenance_changing=warned - 2 * MAINTENANCE_CHANGE_TIMEOUT),
        "it",
    )
    assert load_state(there).document.maintenance_changing == 0


def test_maintenance_that_no_run_could_be_told_of_is_found_by_the_next() -> None:
    storage = Faulty("", "", *3 * ["before"])
    there = RunContext(checkers=(), storage=storage)
    planned = maintenance(storage, "now", 2 * DAY)
    with pytest.raises(StorageError, match="no answer"):
        schedule_maintenance(there, partial(model.add_maintenance, maintenance=planned))
    assert load_incidents(storage).maintenance == {}
    storage.faults = ["", "", *6 * ["before"]]
    schedule_maintenance(there, partial(model.add_maintenance, maintenance=planned))
    assert read_state(storage).maintenance == {}
    storage.faults.clear()
    assert set(load_state(there).document.maintenance) == {"now"}


def test_maintenance_that_a_new_head_could_not_read_is_looked_for_again() -> None:
    storage = MemoryStorage()
    there = RunContext(checkers=(), storage=storage)
    storage.create(INCIDENTS_KEY, encode(replace(IncidentDocument(), schema=2), order="sorted"))
    assert load_state(there).document.maintenance == {}
    storage.delete(INCIDENTS_KEY)
    planned = maintenance(storage, "now", 2 * DAY)
    change_incidents(storage, partial(model.add_maintenance, maintenance=planned))
    assert set(load_state(there).document.maintenance) == {"now"}
    assert read_state(storage).maintenance_changing == 0


def test_announcements_that_cannot_be_read_hold_up_no_run() -> None:
    storage = MemoryStorage()
    storage.create(INCIDENTS_KEY, encode(replace(IncidentDocument(), schema=2), order="sorted"))
    assert load_state(RunContext(checkers=(), storage=storage)).document.maintenance == {}


def test_one_that_others_change_every_time_gives_up_in_the_end() -> None:
    class Busy(MemoryStorage):
        def create(self, key: str, body: bytes) -> str:
            raise DocumentChangedError(f"{key}: {len(body)}")

    with pytest.raises(StorageError, match="other writers were faster"):
        add(Busy(), "a", 0)


def test_a_silence_that_cannot_be_written_says_why() -> None:
    full = Faulty("", *20 * ["before"])
    with pytest.raises(StorageError, match="no answer"):
        silence_checkers(RunContext(checkers=(), storage=full), ["api"], since=0, until=1)
    full.faults.clear()
    assert read_state(full).silences == {}
