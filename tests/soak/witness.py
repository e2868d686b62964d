"""Who has seen everything that happened in a world, and can tell the judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from msgspec import Struct, field

from checkup.alerting.apply import AlertRules
from checkup.alerting.state import decode_state
from checkup.model import Alert
from checkup.notifiers.message import short_id
from checkup.storage.s3 import S3Storage
from tests.servers.slack import short_ids
from tests.soak.stage import Stage


class Written(NamedTuple):
    """A head that was written, when, and by whom."""

    body: bytes
    now: int
    process: int


class Told(NamedTuple):
    """A message that was accepted, from whom, and how many heads there were before."""

    channel: str
    names: tuple[str, ...]
    process: int
    heads: int


class Runner(Struct, eq=False, kw_only=True):
    """A process that runs, and the check files that it was told of last."""

    process: int
    listed: list[str] = field(default_factory=list)


class Witness:
    """Watches the bucket and the channels.

    Attributes:
        turn: whose request is being served.
        setting: what the runs are folded with; known when the world is over.
    """

    locks = False
    setting: AlertRules

    def __init__(self, stage: Stage, documents: S3Storage, *, is_bot: bool) -> None:
        self.heads: list[Written] = []
        self.folded: list[str] = []
        self.told: list[Told] = []
        self.turn = Runner(process=0)
        self.documents = documents
        self._stage = stage
        self._is_bot = is_bot
        self._counts = self._count()
        stage.bay.wrote = self._wrote
        stage.bay.listed = self._listed

    @property
    def now(self) -> int:
        return self._stage.bay.now

    @property
    def received(self) -> Mapping[str, Sequence[tuple[Sequence[str], bool]]]:
        if self._is_bot:
            return {"bot": [(told_by_bot(message), False) for message in self._stage.bot.messages]}
        return {
            name: [(short_ids(m), "Possible duplicate" in m["text"]) for m in slack.messages]
            for name, slack in self._stage.slacks.items()
        }

    @property
    def windows(self) -> int:
        """Messages that were accepted and of which no receipt was written by their sender."""
        return sum(not self._has_receipt(told) for told in self.told)

    def name(self, alert: Alert) -> str:
        return short_id(alert)

    def look_at_channels(self) -> None:
        """Note what was accepted since the last look: it came from whose turn it is."""
        before, self._counts = self._counts, self._count()
        for channel, count in self._counts.items():
            if count > before[channel]:
                names = short_ids(self._messages(channel)[-1]) if channel != "bot" else ()
                self.told.append(Told(channel, tuple(names), self.turn.process, len(self.heads)))

    def _wrote(self, body: bytes) -> None:
        before = decode_state(self.heads[-1].body).cursor if self.heads else ""
        after = decode_state(body).cursor
        self.folded += [key for key in self.turn.listed if before < key <= after]
        self.heads.append(Written(body, self.now, self.turn.process))

    def _listed(self, keys: Sequence[str]) -> None:
        self.turn.listed[:] = keys

    def _count(self) -> dict[str, int]:
        return {name: len(self._messages(name)) for name in (*self._stage.slacks, "bot")}

    def _messages(self, channel: str) -> list[dict[str, Any]]:
        bot = self._stage.bot.messages
        return bot if channel == "bot" else self._stage.slacks[channel].messages

    def _has_receipt(self, told: Told) -> bool:
        for written in self.heads[told.heads :]:
            if written.process == told.process:
                waiting = decode_state(written.body).outboxes.get(told.channel, ())
                return not {short_id(entry.alert) for entry in waiting} & set(told.names)
        return False


def told_by_bot(message: dict[str, Any]) -> list[str]:
    """Return what a message told when it was posted; its edits tell of what its thread does."""
    names: list[str] = message["metadata"]["event_payload"]["told"]
    return names if "thread_ts" in message else names[:1]
