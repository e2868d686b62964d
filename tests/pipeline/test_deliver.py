"""What the channel says, and what becomes of it."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from checkup.alerting import outbox
from checkup.alerting.state import STATE_KEY
from checkup.app import LiveClients
from checkup.deadline import Deadline
from checkup.errors import (
    DeliveryError,
    DeliveryUnknownError,
    NotDeliveredError,
    StorageError,
)
from checkup.interfaces import LockState, Notification, StoredDocument
from checkup.notifiers.slack import SlackSettings
from checkup.pipeline import read_state, store_run
from checkup.pipeline.context import UnrecordedStates
from checkup.pipeline.deliver import deliver
from checkup.pipeline.state_store import commit_state, load_state
from checkup.run_store import RunNotStoredError
from checkup.storage.memory import MemoryStorage
from checkup.times import SECOND
from tests.alerting.worlds import MINUTE, run, slot
from tests.notifiers.clients import DirectClients
from tests.pipeline.recording import DOWN, Ear, keys, monitor, soon
from tests.pipeline.worlds import World
from tests.servers.slack import SECRET, FakeSlack

HOUR = 3600 * SECOND


@pytest.mark.row("D07")
@pytest.mark.parametrize("behaviour", ["404", "500", "429", "reset", "drop", "not-ok"])
def test_failing_slack_is_logged_and_the_run_goes_on(
    behaviour: str, caplog: pytest.LogCaptureFixture
) -> None:
    storage = MemoryStorage()
    with FakeSlack() as slack:
        there = monitor(storage, channels={"slack": slack_channel(slack.webhook)})
        slack.behave(behaviour, "ok")
        first = store_run(there, run(0, DOWN), soon())
        second = store_run(there, run(1, DOWN), soon())

    assert (first.undelivered, second.undelivered) == (1, 0)
    assert [alert.id for alert in first.alerts] == [f"a/open:down/1/{slot(0)}"]
    repeated = "Possible duplicate" in slack.texts[-1]
    assert repeated == (behaviour in {"500", "reset", "drop", "not-ok"})
    assert len([line for line in caplog.messages if line.startswith("slack: ")]) == 1


@pytest.mark.row("160", "D09")
def test_webhook_is_neither_logged_nor_stored(caplog: pytest.LogCaptureFixture) -> None:
    storage = MemoryStorage()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    webhook = f"http://127.0.0.1:{port}/{SECRET}"

    with caplog.at_level(logging.DEBUG):
        store_run(
            monitor(storage, channels={"slack": slack_channel(webhook)}), run(0, DOWN), soon()
        )

    assert "connection refused" in caplog.text
    stored = [storage.get(key) for prefix in ("runs/", "state/") for key in keys(storage, prefix)]
    assert SECRET not in caplog.text + repr(stored)


class WithoutLocks(MemoryStorage):
    """A storage without locks, such as S3, that counts how often the state is read."""

    def __init__(self) -> None:
        super().__init__()
        self.read = 0

    def get(self, key: str) -> StoredDocument | None:
        self.read += key == STATE_KEY
        return super().get(key)

    def replace(self, key: str, body: bytes, version: str) -> str:
        read = self.read
        try:
            return super().replace(key, body, version)
        finally:
            self.read = read  # a storage compares versions itself

    @contextmanager
    def lock(self, name: str) -> Iterator[LockState]:
        assert name
        yield LockState.UNSUPPORTED


def test_state_is_read_once_a_run_however_many_channels_there_are() -> None:
    storage, ears = WithoutLocks(), {"one": Ear(), "two": Ear()}
    there = monitor(storage, channels=ears)
    store_run(there, run(0, {"a": "h", "b": "h"}), soon())
    storage.read = 0

    recorded = store_run(there, run(1, DOWN), soon())

    assert [ear.heard for ear in ears.values()] == [[f"a/open:down/1/{slot(1)}"]] * 2
    assert storage.read == 1
    assert recorded.state == read_state(storage)


def test_claim_that_its_owner_has_given_up_meanwhile_holds_nothing_up() -> None:
    storage, ear = WithoutLocks(), Ear()
    there = monitor(storage, channels={"ear": ear})
    store_run(there, run(0, DOWN), Deadline.after(-20))
    before = load_state(there)
    batch = outbox.next_batch(before.document, "ear")
    claimed = outbox.claim(before.document, "ear", batch, "another", storage.now_ns() + HOUR)
    in_hand = commit_state(storage, before, claimed)
    commit_state(storage, in_hand, before.document)

    deliver(there, in_hand, Deadline.after(30))

    assert ear.heard == [f"a/open:down/1/{slot(0)}"]
    assert read_state(storage).outboxes == {}


@pytest.mark.row("9")
@pytest.mark.parametrize("late", [-20, -10], ids=["no-time", "not-enough-for-a-receipt"])
def test_run_without_time_leaves_the_message_to_the_next(late: int) -> None:
    storage, ear = MemoryStorage(), Ear()
    there = monitor(storage, channels={"ear": ear})

    recorded = store_run(there, run(0, DOWN), Deadline.after(late))

    assert (recorded.undelivered, ear.heard) == (1, [])
    assert [entry.attempts for entry in read_state(storage).outboxes["ear"]] == [0]
    store_run(there, run(1, DOWN), soon())
    assert ear.heard == [f"a/open:down/1/{slot(0)}"]


@pytest.mark.row("114")
def test_message_that_waited_for_hours_knows_for_how_long() -> None:
    world, ear = World(), Ear()

    world.sick = {"slack": "refused"}
    world.happen(0, DOWN)
    world.now = slot(360)
    store_run(replace(world.monitor(), channels={"slack": ear}), run(360, DOWN), soon())

    assert [(len(each.alerts), each.delay_ns) for each in ear.notifications] == [(1, 6 * HOUR)]


@pytest.mark.row("125")
def test_message_waits_for_a_secret_that_is_missing(tmp_path: Path) -> None:
    storage, reference = MemoryStorage(), tmp_path / "hook"
    slack = SlackSettings(webhook=f"file:{reference}").open(LiveClients({}))
    there = monitor(storage, channels={"slack": slack})

    first = store_run(there, run(0, DOWN), soon())
    with FakeSlack() as server:
        reference.write_text(server.webhook)
        second = store_run(there, run(1, DOWN), soon())

    assert (first.undelivered, second.undelivered) == (1, 0)
    assert len(server.texts) == 1
    assert "Possible duplicate" not in server.texts[0]


@pytest.mark.row("8")
def test_channel_that_somebody_is_delivering_to_is_left_to_them() -> None:
    storage, ear = MemoryStorage(), Ear()
    there = monitor(storage, channels={"ear": ear})

    with storage.lock("channel-ear"):
        recorded = store_run(there, replace(run(0, DOWN), slot=time.time_ns()), soon())

    assert (recorded.undelivered, ear.heard) == (1, [])


@pytest.mark.row("8")
def test_holder_of_a_lock_that_is_paused_delays_alerts_and_no_more() -> None:
    storage, ear = MemoryStorage(), Ear()
    there = monitor(storage, channels={"ear": ear})
    before = load_state(there)
    now = time.time_ns()
    store_run(there, replace(run(0, DOWN), slot=now - 3 * MINUTE), Deadline.after(-20))
    queued = load_state(there)
    batch = outbox.next_batch(queued.document, "ear")
    claimed = outbox.claim(queued.document, "ear", batch, "lock-paused", now + SECOND)
    in_hand = commit_state(storage, queued, claimed)

    with storage.lock("channel-ear"):  # held by the paused process, whose claim is good at first
        in_hand = deliver(there, in_hand, Deadline.after(30))
        assert (ear.heard, before.document.outboxes) == ([], {})
        time.sleep(1)
        deliver(there, in_hand, Deadline.after(30))

    assert ear.heard == [f"a/open:down/1/{now - 3 * MINUTE}"]
    assert ear.notifications[0].possible_duplicate


@pytest.mark.parametrize(
    ("owner", "is_left"), [("lock-a", False), ("b", True)], ids=["under-the-lock", "without"]
)
def test_lock_shows_only_that_owners_of_claims_under_it_are_gone(
    owner: str, *, is_left: bool
) -> None:
    storage, ear = MemoryStorage(), Ear()
    there = monitor(storage, channels={"ear": ear})
    store_run(there, run(0, DOWN), Deadline.after(-20))
    queued = load_state(there)
    batch = outbox.next_batch(queued.document, "ear")
    until = storage.now_ns() + HOUR
    claimed = outbox.claim(queued.document, "ear", batch, owner, until)

    deliver(there, commit_state(storage, queued, claimed), Deadline.after(30))

    assert (ear.heard == []) is is_left


@pytest.mark.row("12")
def test_run_that_slept_after_its_claim_does_not_send() -> None:
    """The machine sleeps: the clock on the wall goes on, the run's own clock does not."""
    world, claims, asleep = World(), World(), [0.0]
    claims.happen(0, DOWN)
    claim = [n for n, name in enumerate(claims.steps) if name == "replace state"][1]
    world.faults = {claim: lambda: asleep.append(600.0)}

    there = replace(world.monitor(), wall_clock=lambda: time.time() + sum(asleep))
    world.now = slot(0)
    first = store_run(there, run(0, DOWN), soon())
    second = store_run(there, run(1, DOWN), soon())

    assert (first.undelivered, second.undelivered) == (1, 0)
    assert [labelled for _, labelled in world.received["slack"]] == [False]


@pytest.mark.row("86")
@pytest.mark.parametrize("fault", ["not-applied", "answer-lost", "own-412"])
def test_unclear_write_is_decided_again_in_the_same_run(fault: str) -> None:
    plain = World()
    plain.happen(0, DOWN)
    writes = [n for n, name in enumerate(plain.steps) if name == "replace state"]
    for number in writes:
        world = World()
        world.faults = {number: fault}

        recorded = world.happen(0, DOWN)

        assert recorded is not None
        assert (recorded.undelivered, len(world.received["slack"])) == (0, 1)


def test_message_names_the_page_and_how_many_checkers_there_are() -> None:
    ear = Ear()
    there = monitor(MemoryStorage(), channels={"ear": ear}, page_url="https://s/")
    store_run(there, run(0, {"a": "d", "b": "d"}), soon())

    (notification,) = ear.notifications
    assert (notification.page_url, notification.checker_count, notification.possible_duplicate) == (
        "https://s/",
        2,
        False,
    )
    assert [alert.checker for alert in notification.alerts] == ["a", "b"]


def slack_channel(webhook: str) -> Any:
    return SlackSettings(webhook=webhook).open(DirectClients())


class Busy:
    """A channel that asks to wait."""

    def __init__(self, error: DeliveryError) -> None:
        self.error: DeliveryError | None = error
        self.asked = 0

    def send(self, notification: Notification) -> None:
        assert notification.alerts
        self.asked += 1
        if self.error:
            raise self.error


@pytest.mark.parametrize("kind", [NotDeliveredError, DeliveryUnknownError])
def test_channel_that_asks_to_wait_is_left_alone_until_then(kind: type[DeliveryError]) -> None:
    world, busy = World(), Busy(kind("Busy answered 429", 120))

    for minute in range(5):
        world.now = slot(minute)
        if minute == 2:
            busy.error = None
        there = replace(world.monitor(), channels={"slack": busy})
        outcome = store_run(there, run(minute, DOWN), soon())
        expected = {} if minute >= 2 else {"slack": "Busy answered 429"}
        assert outcome.failing_channels == expected, minute

    assert busy.asked == 2
    assert world.head().outboxes == {}


def test_alert_of_an_hour_is_not_sent_while_an_earlier_one_has_to_wait() -> None:
    world, busy = World(), Busy(NotDeliveredError("Busy answered 429", 600))

    for minute, letters in enumerate(({"a": "d", "b": "h"}, {"a": "d", "b": "d"})):
        world.now = slot(minute)
        store_run(replace(world.monitor(), channels={"slack": busy}), run(minute, letters), soon())

    assert busy.asked == 1
    assert len(world.head().outboxes["slack"]) == 2


class BrokenStorage(MemoryStorage):
    """A storage that cannot be written, or cannot even be read."""

    can_read = can_write = True

    def get(self, key: str) -> StoredDocument | None:
        if not self.can_read:
            raise StorageError("the storage is away")
        return super().get(key)

    def create(self, key: str, body: bytes) -> str:
        if not self.can_write:
            raise StorageError("the disk is full")
        return super().create(key, body)

    def replace(self, key: str, body: bytes, version: str) -> str:
        if not self.can_write:
            raise StorageError("the disk is full")
        return super().replace(key, body, version)


class TestUnrecorded:
    """Alerts of runs that cannot be stored."""

    def live(
        self, storage: BrokenStorage, ear: Ear, folder: Path, letters: str, start: int = 1
    ) -> None:
        """Let each run be made by a process of its own."""
        for number, letter in enumerate(letters, start):
            there = monitor(
                storage,
                channels={"ear": ear},
                unrecorded=UnrecordedStates("shop", str(folder)),
            )
            with pytest.raises(RunNotStoredError):
                store_run(there, run(number, {"a": letter, "b": "h"}), soon())

    @pytest.mark.parametrize("can_read", [True, False], ids=["full", "away"])
    def test_outage_and_recovery_are_sent_once_each_and_say_so(
        self, tmp_path: Path, can_read: bool
    ) -> None:
        storage, ear = BrokenStorage(), Ear()
        store_run(monitor(storage, channels={"ear": ear}), run(0, {"a": "h", "b": "h"}), soon())
        storage.can_write, storage.can_read = False, can_read

        self.live(storage, ear, tmp_path, "hdddhh")

        assert [each.rpartition("/")[0] for each in ear.heard] == [
            "a/open:down/1",
            "a/resolve:healthy/1",
        ]
        assert all(it.not_recorded for it in ear.notifications)

    def test_storage_that_works_again_records_the_outage(self, tmp_path: Path) -> None:
        storage, ear = BrokenStorage(), Ear()
        there = monitor(
            storage, channels={"ear": ear}, unrecorded=UnrecordedStates("shop", str(tmp_path))
        )
        store_run(there, run(0, {"a": "h", "b": "h"}), soon())
        storage.can_write = False
        self.live(storage, ear, tmp_path, "dd")
        storage.can_write = True

        store_run(there, run(3, DOWN), soon())
        store_run(there, run(4, DOWN), soon())

        assert [it.not_recorded for it in ear.notifications] == [True, False]
        assert [*tmp_path.rglob("*.json")] == []

    def test_alert_that_is_queued_is_not_sent_as_unrecorded(self, tmp_path: Path) -> None:
        storage, busy, ear = BrokenStorage(), Busy(NotDeliveredError("no", 600)), Ear()
        store_run(monitor(storage, channels={"ear": busy}), run(0, DOWN), soon())
        storage.can_write = False

        self.live(storage, ear, tmp_path, "dd")

        assert ear.heard == []

    @pytest.mark.parametrize("place", ["file", "link"])
    def test_folder_of_somebody_else_is_not_used(self, tmp_path: Path, place: str) -> None:
        storage, ear = BrokenStorage(), Ear()
        storage.can_write = False
        ours = tmp_path / f"checkup-{os.geteuid()}"
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        if place == "file":
            ours.write_text("")
        else:
            ours.symlink_to(elsewhere)

        self.live(storage, ear, tmp_path, "d")

        assert len(ear.heard) == 1
        assert [*elsewhere.iterdir()] == []

    def test_dead_channel_does_not_hide_why_the_run_was_not_stored(self, tmp_path: Path) -> None:
        storage = BrokenStorage()
        storage.can_write = False
        busy = Busy(NotDeliveredError("no"))

        there = monitor(
            storage, channels={"ear": busy}, unrecorded=UnrecordedStates("x", str(tmp_path))
        )
        with pytest.raises(RunNotStoredError, match="the disk is full"):
            store_run(there, run(0, DOWN), soon())
        assert busy.asked == 1
