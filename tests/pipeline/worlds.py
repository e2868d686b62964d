"""A world in which runs go wrong at a step of the test's choosing, and a judge of what came of it.

The protocol is the real one. What can fail is at its ports: every call of the storage and of the
notifier is a numbered step, at which the process may die, an answer may get lost, or another run
may come in between.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, NoReturn

from checkup.alerting.apply import AlertRules
from checkup.alerting.state import STATE_KEY, AlertState, decode_state
from checkup.deadline import Deadline
from checkup.errors import (
    DeliveryUnknownError,
    DocumentChangedError,
    DocumentExistsError,
    MessageRejectedError,
    NotDeliveredError,
    StorageError,
)
from checkup.interfaces import LockState, Notification, StoredDocument
from checkup.model import RUNS_PREFIX, Alert, key_time
from checkup.pipeline import RunContext, RunOutcome, store_run
from checkup.run_store import MAX_CLOCK_SKEW, RunNotStoredError
from checkup.storage.memory import MemoryStorage
from checkup.times import SECOND
from tests.alerting.worlds import EPOCH, Toy, run, slot, toy


class Killed(BaseException):
    """The process is gone: nothing in it may catch this."""


STORAGE_FAULTS = ("killed-before", "killed-after", "not-applied", "answer-lost", "own-412")
"""What can happen at a step of the storage; the last is a retry that meets its own write."""

CHANNEL_FAULTS = (
    "killed-before",
    "killed-after",
    "refused",
    "never-arrived",
    "answer-lost",
    "rejected",
    "broken",
)
"""What can happen to a message; ``killed-after`` and ``answer-lost`` are the ack window."""


class Written(NamedTuple):
    """A head that was written, and when."""

    body: bytes
    now: int


class World:
    """One storage and some channels, in which runs happen.

    Attributes:
        faults: what goes wrong, by the number of the step.
        sick: what goes wrong with every message to a channel.
        steps: the name of each step so far.
        received: the ids and the label of each message that a channel has accepted, in order.
        heads: each head that was written.
        folded: the keys of the runs that were folded into them.
        unconfirmed: channel and id of the alerts that were accepted and have no receipt yet.
        windows: how often a message was accepted whose receipt could not be written.

    Args:
        asleep: a machine's wall clock goes on with the world's, while one of its runs is paused.
    """

    def __init__(
        self,
        *,
        locks: bool = False,
        channels: Sequence[str] = ("slack",),
        checkers: Sequence[Toy] = (toy("a"), toy("b")),
        regions: Sequence[str] = (),
        asleep: bool = False,
    ) -> None:
        self.documents = MemoryStorage()
        self.locks = locks
        self.now = EPOCH
        self.faults: dict[int, str | Callable[[], object]] = {}
        self.sick: dict[str, str] = {}
        self.steps: list[str] = []
        self.received: dict[str, list[tuple[list[str], bool]]] = {name: [] for name in channels}
        self.heads: list[Written] = []
        self.folded: list[str] = []
        self.unconfirmed: set[tuple[str, str]] = set()
        self.windows = 0
        self.latest = 0.0
        self.checkers = tuple(checkers)
        self.regions = tuple(regions)
        self.clock = (lambda: self.now / SECOND) if asleep else time.time

    @property
    def setting(self) -> AlertRules:
        return AlertRules(checkers=self.checkers, regions=self.regions)

    def name(self, alert: Alert) -> str:
        return alert.id

    def monitor(self, **more: Any) -> RunContext:
        return RunContext(
            checkers=self.checkers,
            storage=FaultyStorage(self),
            channels={name: FaultyChannel(self, name) for name in self.received},
            regions=self.regions,
            wall_clock=self.clock,
            **more,
        )

    def happen(
        self, number: float, letters: Mapping[str, str], region: str = ""
    ) -> RunOutcome | None:
        """Let a run happen; None if it was killed or could not be recorded."""
        self.latest = number
        self.now = max(self.now, slot(number) + 5 * SECOND)
        try:
            monitor = self.monitor(region=region)
            seen = run(number, letters, region, monitor.region_index)
            return store_run(monitor, seen, Deadline.after(5))
        except (Killed, RunNotStoredError):
            return None

    def again(self, letters: Mapping[str, str]) -> RunOutcome | None:
        """Let another run of the same slot happen, which sees something else."""
        return self.happen(self.latest, letters)

    def meanwhile(self, letters: Mapping[str, str]) -> RunOutcome | None:
        """Let a run of a slot happen that is a little later than the latest."""
        return self.happen(self.latest + 0.2, letters)

    def settle(self, number: int, letters: Mapping[str, str]) -> None:
        """Let three undisturbed runs happen."""
        self.faults = {}
        for more in range(3):
            for region in self.regions or ("",):
                assert self.happen(number + more, letters, region) is not None

    def head(self) -> AlertState:
        stored = self.documents.get(STATE_KEY)
        return decode_state(stored.body) if stored else AlertState()

    def step(self, name: str) -> str:
        """Begin the next step and return what is to go wrong with it."""
        number = len(self.steps)
        self.steps.append(name)
        fault = self.faults.pop(number, "")
        if callable(fault):
            fault()
            return ""
        if fault == "killed-before":
            self.kill()
        return fault

    def kill(self) -> NoReturn:
        self.lose_receipt()
        raise Killed

    def lose_receipt(self) -> None:
        """Count a message whose receipt will not be written in time."""
        self.windows += bool(self.unconfirmed)
        self.unconfirmed.clear()

    def wrote(self, body: bytes, listed: Sequence[str]) -> None:
        """Note a head that was written by a process that had ``listed`` these runs before."""
        before, after = self.heads[-1:], decode_state(body)
        cursor = decode_state(before[0].body).cursor if before else ""
        self.folded += [key for key in listed if cursor < key <= after.cursor]
        self.heads.append(Written(body, self.now))
        queued = {
            (channel, entry.alert.id)
            for channel, entries in decode_state(body).outboxes.items()
            for entry in entries
        }
        self.unconfirmed &= queued


class FaultyStorage:
    """The storage as one process sees it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._documents = world.documents
        self._listed: list[str] = []

    def get(self, key: str) -> StoredDocument | None:
        fault = self._begin("get", key)
        self._end(fault if fault == "killed-after" else "")
        # An old run that cannot be read is left out on purpose, which is tested elsewhere.
        is_old = self.now_ns() - (key_time(key) or 0) >= MAX_CLOCK_SKEW
        if fault in {"not-applied", "answer-lost"} and not (key.startswith(RUNS_PREFIX) and is_old):
            raise StorageError("the storage did not answer")
        return self._documents.get(key)

    def create(self, key: str, body: bytes) -> str:
        fault = self._begin("create", key)
        version = self._documents.create(key, body) if fault != "not-applied" else ""
        self._note(key, body, fault)
        self._end(fault, DocumentExistsError("it is there already"))
        return version

    def replace(self, key: str, body: bytes, version: str) -> str:
        fault = self._begin("replace", key)
        after = self._documents.replace(key, body, version) if fault != "not-applied" else ""
        self._note(key, body, fault)
        self._end(fault, DocumentChangedError("it is not the version that was read"))
        return after

    def list(self, prefix: str, after: str = "") -> Iterator[str]:
        fault = self._begin("list", prefix)
        self._end(fault if fault in {"killed-after", "not-applied"} else "")
        self._listed = list(self._documents.list(prefix, after))
        return iter(self._listed)

    def delete(self, key: str) -> None:
        self._end(self._begin("delete", key))
        self._documents.delete(key)

    def now_ns(self) -> int:
        return self._world.now

    @contextmanager
    def lock(self, name: str) -> Iterator[LockState]:
        if not self._world.locks:
            yield LockState.UNSUPPORTED
            return
        with self._documents.lock(name) as hold:
            yield hold

    def _begin(self, verb: str, key: str) -> str:
        return self._world.step(f"{verb} {key.partition('/')[0]}")

    def _note(self, key: str, body: bytes, fault: str) -> None:
        if key == STATE_KEY and fault != "not-applied":
            self._world.wrote(body, self._listed)

    def _end(self, fault: str, own: StorageError | None = None) -> None:
        if fault == "killed-after":
            self._world.kill()
        if fault == "own-412" and own is not None:
            raise own
        if fault in {"not-applied", "answer-lost"}:
            raise StorageError("the storage did not answer")


class FaultyChannel:
    """A channel as one process sees it."""

    def __init__(self, world: World, name: str) -> None:
        self._world = world
        self._name = name

    def send(self, notification: Notification) -> None:
        fault = self._world.step(f"send {self._name}") or self._world.sick.get(self._name, "")
        if fault == "killed-before":
            self._world.kill()
        if fault in _NOT_ACCEPTED:
            raise _NOT_ACCEPTED[fault]
        ids = [alert.id for alert in notification.alerts]
        self._world.received[self._name].append((ids, notification.possible_duplicate))
        self._world.unconfirmed |= {(self._name, name) for name in ids}
        if fault == "killed-after":
            self._world.kill()
        if fault == "answer-lost":
            self._world.lose_receipt()
            raise DeliveryUnknownError("no answer")


_NOT_ACCEPTED = {
    "refused": NotDeliveredError("busy"),
    "rejected": MessageRejectedError("nonsense"),
    "never-arrived": DeliveryUnknownError("no answer"),
    "broken": RuntimeError("a mistake in the notifier"),
}


def letters(rows: str) -> list[dict[str, str]]:
    """Return the results of each run of a script such as ``"hh dh dd hh"``."""
    return [dict(zip("ab", row, strict=True)) for row in rows.split()]
