"""Going on from an earlier head."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from checkup.alerting.state import STATE_KEY, AlertState, Silence, decode_state, encode_state
from checkup.deadline import Deadline
from checkup.errors import NotDeliveredError, StorageError
from checkup.interfaces import Notification
from checkup.model import Status
from checkup.pipeline import RunContext, store_run
from checkup.pipeline.replay import restore_state
from checkup.storage.memory import MemoryStorage
from tests.alerting.worlds import run, toy


class Listener:
    """A channel that keeps what it is told, unless it is out of order."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.is_dead = False

    def send(self, notification: Notification) -> None:
        if self.is_dead:
            raise NotDeliveredError("out of order")
        self.told += [f"{alert.kind}:{alert.status}" for alert in notification.alerts]


class World:
    """A storage in which one checker goes through a story, a letter for each run."""

    def __init__(self) -> None:
        self.listener = Listener()
        self.storage = MemoryStorage()
        self.monitor = RunContext(
            checkers=(toy("a"),), storage=self.storage, channels={"slack": self.listener}
        )
        self._number = 0

    def live(self, letters: str) -> bytes:
        """Live through some runs and return the head after them."""
        for letter in letters:
            store_run(self.monitor, run(self._number, {"a": letter}), Deadline.after(30))
            self._number += 1
        return self.stored

    @property
    def stored(self) -> bytes:
        found = self.storage.get(STATE_KEY)
        assert found is not None
        return found.body

    @property
    def head(self) -> AlertState:
        return decode_state(self.stored)

    def damage(self, body: bytes) -> None:
        found = self.storage.get(STATE_KEY)
        assert found is not None
        self.storage.replace(STATE_KEY, body, found.version)


@pytest.fixture
def world() -> World:
    return World()


DAMAGES: Mapping[str, bytes | None] = {"damaged": b'{"schema": 1, "che', "wrong": None}


@pytest.mark.row("174")
@pytest.mark.parametrize("damage", DAMAGES)
def test_nobody_is_told_twice_of_what_came_after_it(world: World, damage: str) -> None:
    old = world.live("h")
    world.live("dhd")
    before = list(world.listener.told)
    world.damage(DAMAGES[damage] or encode_state(replace(world.head, checkers={})))

    head = restore_state(world.monitor, old)

    assert head.checkers["a"].status is Status.DOWN
    world.live("d")
    assert world.listener.told == before
    world.live("h")
    assert world.listener.told == [*before, "resolve:healthy"]


def test_what_waits_goes_on_waiting(world: World) -> None:
    old = world.live("h")
    world.listener.is_dead = True
    world.live("d")

    restore_state(world.monitor, old)

    world.listener.is_dead = False
    world.live("d")
    assert world.listener.told == ["open:down"]


def test_what_waited_in_the_old_one_may_be_a_repeat(world: World) -> None:
    world.listener.is_dead = True
    old = world.live("hd")
    world.damage(b"nonsense")

    restored = restore_state(world.monitor, old)

    (waiting,) = restored.outboxes["slack"]
    assert (waiting.maybe_delivered, waiting.claimed_by) == (True, "")


def test_silences_are_those_of_now(world: World) -> None:
    old = world.live("h")
    silences = {"a": Silence(until=10**19)}
    world.damage(encode_state(replace(world.head, silences=silences)))
    assert restore_state(world.monitor, old).silences == silences


def test_it_counts_as_newer_than_all_before(world: World) -> None:
    old = world.live("h")
    world.live("dh")
    before = world.head.revision
    restore_state(world.monitor, old)
    assert world.head.revision > before


@pytest.mark.parametrize("body", [b"", b"{}", b'{"schema": 99}'])
def test_what_is_no_head_is_refused_and_nothing_is_changed(world: World, body: bytes) -> None:
    world.live("h")
    before = world.stored
    with pytest.raises(StorageError, match="cannot be restored"):
        restore_state(world.monitor, body)
    assert world.stored == before


class Overtaken(MemoryStorage):
    """A storage in which a run writes its head just before the first one that is created here."""

    def create(self, key: str, body: bytes) -> str:
        if key == STATE_KEY and self.get(STATE_KEY) is None:
            super().create(STATE_KEY, encode_state(AlertState(revision=7)))
        return super().create(key, body)


def test_head_that_appears_meanwhile_is_read_and_replaced() -> None:
    earlier = World().live("hd")
    storage = Overtaken()
    restored = restore_state(
        RunContext(checkers=(toy("a"),), storage=storage, channels={}), earlier
    )
    assert restored.checkers["a"].status is Status.DOWN
    assert restored.revision > 7
