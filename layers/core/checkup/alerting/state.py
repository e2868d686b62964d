"""What is stored between runs: one small state per checker, one outbox per channel.

The AlertState is replaced by compare-and-set. It holds the result of all runs applied so far and,
in the same bytes, the alerts that are still to be delivered, so a change and its alert are stored
together or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct, field

from checkup.documents import decode, encode
from checkup.errors import UnreadableDocumentError
from checkup.maintenance import ScheduledMaintenance
from checkup.model import ANNOUNCEMENTS, Alert, Status, key_time

SCHEMA: Final = 1
"""The version of the document's layout; a newer one is never overwritten."""

NOT_MONITORED_AFTER: Final = 3
"""Unknown results in a row after which a checker counts as not monitored."""


class Streak(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Runs in a row that fit a description.

    Attributes:
        runs: how many, counted no further than the longest threshold, so that the state of a
            quiet checker stops changing.
        since: the slot of the first of them.
    """

    runs: int = 0
    since: int = 0


class CheckerState(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The state of one checker after the last applied run.

    Attributes:
        status: the confirmed status, which only a threshold changes; unknown before the first.
        since: when that status began: the first run of the streak that confirmed it.
        alerted_status: the status of the last alert; unknown if there was none.
        incident_count: how many incidents there have been.
        opened: when the last incident began: the first of its runs that was not healthy.
        down_streak, unhealthy_streak, healthy_streak, not_down_streak: the streaks of results
            that were down, were not healthy, were healthy, were not down. An unknown result
            changes none of them.
        unknown_runs: unknown results in a row, counted up to NOT_MONITORED_AFTER; as many as that
            too if there was no known result for long.
        alerted_not_monitored: the alert that it cannot be checked was sent.
        recent_statuses: the last results that were not unknown, for flapping; a letter each.
        no_data_since: the first slot without a known result, if the last one had none; else 0.
        flapping, alerted_flapping: its status changes too often; the alert of that was sent.
        alerted_lasting: while it was flapping, an outage was alerted because it lasted.
        recovered: the slot of the first result that was not down after one that was.
        last_alert_slot: the slot of the last alert about this incident.
        failing_regions: regions with a failure that too few of them have for the quorum.
        excluded_regions: regions with a different configuration of this checker, whose results do
            not count.
        last_checked: the last slot in which it was checked, if it has an interval of its own; 0
            if every run checks it.
        removed_since: the slot from which on the checker is no longer configured; 0 if it is.
        title, endpoint: as in its results, for alerts about a checker that was removed.
        extra: fields that a later version has written; kept as they are.
    """

    status: Status = Status.UNKNOWN
    since: int = 0
    alerted_status: Status = field(name="told", default=Status.UNKNOWN)
    incident_count: int = field(name="incident", default=0)
    opened: int = 0
    down_streak: Streak = field(name="down", default=Streak())
    unhealthy_streak: Streak = field(name="bad", default=Streak())
    healthy_streak: Streak = field(name="good", default=Streak())
    not_down_streak: Streak = field(name="not_down", default=Streak())
    unknown_runs: int = field(name="blind", default=0)
    alerted_not_monitored: bool = field(name="told_blind", default=False)
    recent_statuses: str = field(name="recent", default="")
    flapping: bool = False
    alerted_flapping: bool = field(name="told_flapping", default=False)
    alerted_lasting: bool = False
    no_data_since: int = 0
    recovered: int = 0
    last_alert_slot: int = field(name="reminded", default=0)
    failing_regions: tuple[str, ...] = field(name="partial", default=())
    excluded_regions: tuple[str, ...] = field(name="excluded", default=())
    last_checked: int = field(name="looked", default=0)
    removed_since: int = field(name="missing_since", default=0)
    title: str = ""
    endpoint: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def display_status(self) -> Status:
        """The status to display.

        A checker that cannot be checked is unknown, whatever it was before. One that fails in a
        minority of the regions is degraded, although no alert is sent.
        """
        if self.unknown_runs >= NOT_MONITORED_AFTER:
            return Status.UNKNOWN
        if self.status is Status.HEALTHY and self.failing_regions:
            return Status.DEGRADED
        return self.status


class QueuedAlert(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An alert in the outbox of a channel.

    Attributes:
        claimed_by: the run that is delivering it now; empty if none is.
        claimed_until: when that run is certainly over, by the storage's clock.
        attempts: how often a delivery was begun.
        maybe_delivered: an earlier attempt may have been accepted, so the next one must say so.
        retry_at: when the channel may be asked again, by the storage's clock.
        error: why the last attempt failed.
    """

    alert: Alert
    claimed_by: str = field(name="owner", default="")
    claimed_until: int = field(name="until", default=0)
    attempts: int = 0
    maybe_delivered: bool = field(name="maybe_sent", default=False)
    retry_at: int = 0
    error: str = ""


class DeadLetter(Struct, frozen=True, kw_only=True):
    """An alert that a channel will never accept, kept for the operator to see.

    Attributes:
        error: the reason.
    """

    channel: str
    alert: Alert
    error: str = ""


class Silence(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A request to suppress a checker's alerts for a while.

    Attributes:
        until: when it ends by itself: the first slot with alerts again.
        since: when it was requested; 0 if that is not known.
    """

    until: int
    since: int = 0


class AlertState(Struct, frozen=True, kw_only=True):
    """The document ``state/head.json``.

    Attributes:
        schema: the version of this layout.
        revision: grows with every write, so no two states have the same bytes, and a storage
            that derives its versions from the content can tell them apart.
        cursor: the key of the last applied run; runs up to it are never applied again.
        applied_runs: the names of the last runs that were applied: one that is not above the
            cursor and not among them is late.
        last_retention: when old runs were last deleted.
        silences: by checker id.
        maintenance: scheduled maintenance that is not over, by id.
        maintenance_changing: when a change of scheduled maintenance began that may not be in
            ``maintenance`` yet; 0 if there is none.
        inconclusive_streaks: runs in a row in which the reference targets failed too, by region.
        checkers: the state of each checker by its id.
        outboxes: the alerts queued for each channel, in order; stored are those that people wrote
            apart from the others, because version 0.1.0 does not know them.
        announcing: ids of updates to incidents and maintenance that are being written and have to
            be announced, and when that began; stored with what people wrote.
        dead_letters: the last alerts that were given up.
        config_version: of the last valid configuration, where a stack reads it from an
            object in S3; never the configuration itself.
        extra: fields that a later version has written; kept as they are.
    """

    schema: int = SCHEMA
    revision: int = field(name="seq", default=0)
    cursor: str = ""
    applied_runs: tuple[str, ...] = field(name="used", default=())
    last_retention: int = field(name="expired_at", default=0)
    silences: Mapping[str, Silence] = field(default_factory=dict)
    maintenance: Mapping[str, ScheduledMaintenance] = field(default_factory=dict)
    maintenance_changing: int = field(name="announcing", default=0)
    inconclusive_streaks: Mapping[str, int] = field(name="inconclusive", default_factory=dict)
    checkers: Mapping[str, CheckerState] = field(default_factory=dict)
    outboxes: Mapping[str, tuple[QueuedAlert, ...]] = field(name="channels", default_factory=dict)
    dead_letters: tuple[DeadLetter, ...] = field(name="dead", default=())
    config_version: str = ""
    announcing: Mapping[str, int] = field(name="announcing_updates", default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)


# The state as bytes: written canonically, read with care.
#
# It is the one document on which everything depends, so whatever its bytes are, reading it ends
# in a state or in one clear error. What a later version has added to it is carried along.


STATE_KEY: Final = "state/head.json"
"""The key of the document."""

_LARGEST = 64 * 1024 * 1024
Document = TypeVar("Document", AlertState, CheckerState)


def encode_state(state: AlertState) -> bytes:
    """Return the canonical bytes: the same state always gives the same ones."""
    tree = _flat(state)
    _split_announcements(tree)
    tree["checkers"] = {name: _flat(checker) for name, checker in state.checkers.items()}
    return encode(tree, order="sorted")


def decode_state(body: bytes) -> AlertState:
    """Decode a state.

    Raises:
        NewerDocumentError: its schema is not known here yet.
        UnreadableDocumentError: anything else that is wrong with it.
    """
    tree: dict[str, Any] = decode(body, dict, schema=SCHEMA, max_bytes=_LARGEST)
    try:
        _join_announcements(tree)
        checkers = {
            name: _read(checker, CheckerState) for name, checker in tree["checkers"].items()
        }
        state = _read({**tree, "checkers": {}}, AlertState)
    except (msgspec.ValidationError, KeyError, AttributeError, TypeError) as error:
        raise UnreadableDocumentError(f"invalid document: {error}") from None
    if state.cursor and key_time(state.cursor) is None:
        raise UnreadableDocumentError(f'invalid document: "{state.cursor}" is not a run')
    return msgspec.structs.replace(state, checkers=checkers)


def _read(tree: Mapping[str, Any], kind: type[Document]) -> Document:
    known = set(kind.__struct_encode_fields__) - {"extra"}
    extra = {key: value for key, value in tree.items() if key not in known}
    fields = {key: value for key, value in tree.items() if key in known}
    return msgspec.convert({**fields, "extra": extra}, kind)


def _flat(document: Struct) -> dict[str, Any]:
    tree: dict[str, Any] = msgspec.to_builtins(document)
    return {**tree.pop("extra", {}), **tree}


# What people write is queued like alerts, and stored apart from them.


_ANNOUNCEMENTS = "announcements"
_UPDATES = "announcing_updates"


def _split_announcements(tree: dict[str, Any]) -> None:
    """Move what version 0.1.0 cannot read to a key that it keeps as it is."""
    apart: dict[str, Any] = {"updates": tree.pop(_UPDATES)}
    apart["channels"], tree["channels"] = {}, dict(tree["channels"])
    for channel, entries in [*tree["channels"].items()]:
        written = [entry for entry in entries if entry["alert"]["kind"] in ANNOUNCEMENTS]
        if written:
            others = [entry for entry in entries if entry not in written]
            apart["channels"][channel] = written
            tree["channels"].pop(channel)
            tree["channels"] |= {channel: others} if others else {}
    apart["dead"] = [it for it in tree["dead"] if it["alert"]["kind"] in ANNOUNCEMENTS]
    tree["dead"] = [it for it in tree["dead"] if it["alert"]["kind"] not in ANNOUNCEMENTS]
    if any(apart.values()):
        tree[_ANNOUNCEMENTS] = {key: value for key, value in apart.items() if value}


def _join_announcements(tree: dict[str, Any]) -> None:
    """Undo that; alerts come first in each outbox."""
    apart = tree.pop(_ANNOUNCEMENTS, {})
    tree[_UPDATES] = apart.get("updates", {})
    for channel, entries in apart.get("channels", {}).items():
        channels = tree.setdefault("channels", {})
        channels[channel] = [*channels.get(channel, ()), *entries]
    if "dead" in apart:
        tree["dead"] = [*tree.get("dead", ()), *apart["dead"]]
