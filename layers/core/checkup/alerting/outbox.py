"""The outboxes of the AlertState: alerts are queued, claimed, and removed once delivered. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import islice, takewhile
from typing import Final, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from checkup.alerting.state import AlertState, DeadLetter, QueuedAlert
from checkup.interfaces import Checker, NotifierSettings
from checkup.model import Alert, AlertKind

MAX_QUEUED: Final = 1000
"""Alerts queued for one channel; if it is dead for weeks, the oldest are given up."""

MAX_DEAD_LETTERS: Final = 50
"""Alerts that were given up and are still kept for the operator."""


_MAX_ERROR: Final = 200


def enqueue(state: AlertState, channel: str, alerts: Iterable[Alert]) -> AlertState:
    """Put alerts at the end of a channel's outbox; what no longer fits is given up."""
    entries = (*queued(state, channel), *(QueuedAlert(alert=alert) for alert in alerts))
    lost = {entry.alert.id for entry in entries[:-MAX_QUEUED]}
    return _give_up(_with(state, channel, entries), channel, lost, "too many alerts were queued")


def queued(state: AlertState, channel: str) -> tuple[QueuedAlert, ...]:
    """Return the alerts queued for a channel, in order."""
    return state.outboxes.get(channel, ())


def next_batch(state: AlertState, channel: str, max_alerts: int = 0) -> tuple[QueuedAlert, ...]:
    """Return what goes into the next message.

    Alerts that may have been sent before and alerts that were certainly not never share one,
    because a message as a whole is a possible duplicate or is not.

    Args:
        max_alerts: how many alerts one message can hold; 0 for any number.
    """
    entries = queued(state, channel)
    alike = takewhile(lambda entry: entry.maybe_delivered == entries[0].maybe_delivered, entries)
    return tuple(islice(alike, max_alerts or None))


def retry_at(state: AlertState, channel: str) -> int:
    """Return when the channel may be asked again, by the storage's clock; 0 for at once."""
    entries = queued(state, channel)
    return entries[0].retry_at if entries else 0


def last_error(state: AlertState, channel: str) -> str:
    """Return why the last attempt to deliver to the channel failed; empty if it did not."""
    entries = queued(state, channel)
    return entries[0].error if entries else ""


def is_claimed(
    state: AlertState, channel: str, by_others_than: str, now: int, *, gone: str | None = None
) -> bool:
    """Say whether another run may be delivering to this channel now.

    Args:
        gone: owners whose names begin with this are known to be gone; None if none are.
    """
    return any(
        entry.claimed_by not in {"", by_others_than}
        and entry.claimed_until > now
        and (gone is None or not entry.claimed_by.startswith(gone))
        for entry in queued(state, channel)
    )


def claim(
    state: AlertState, channel: str, batch: Sequence[QueuedAlert], owner: str, until: int
) -> AlertState:
    """Mark a batch as being delivered; from now on it may have been sent."""
    return _change(
        state,
        channel,
        _ids(batch),
        lambda entry: replace(
            entry,
            claimed_by=owner,
            claimed_until=until,
            attempts=entry.attempts + 1,
            maybe_delivered=True,
        ),
    )


def holds_claim(
    state: AlertState, channel: str, batch: Sequence[QueuedAlert], owner: str, until: int
) -> bool:
    """Say whether exactly this claim is in force."""
    entries = queued(state, channel)
    claimed = [
        entry for entry in entries if (entry.claimed_by, entry.claimed_until) == (owner, until)
    ]
    return _ids(claimed) == _ids(batch)


def mark_delivered(state: AlertState, channel: str, batch: Sequence[QueuedAlert]) -> AlertState:
    """Remove the alerts that the channel accepted, and no others."""
    gone = _ids(batch)
    return _with(state, channel, [e for e in queued(state, channel) if e.alert.id not in gone])


class Failure(NamedTuple):
    """Why a delivery failed, and when the channel may be asked again."""

    error: str = ""
    retry_at: int = 0


_NO_REASON: Final = Failure()


def mark_not_delivered(
    state: AlertState,
    channel: str,
    batch: Sequence[QueuedAlert],
    owner: str,
    failure: Failure = _NO_REASON,
) -> AlertState:
    """Queue again what the channel certainly did not accept.

    Args:
        batch: the entries as they were before the claim: fresh ones are fresh again.
    """
    before = {entry.alert.id: entry.maybe_delivered for entry in batch}
    return _release(state, channel, before, owner, failure)


def mark_delivery_unknown(
    state: AlertState,
    channel: str,
    batch: Sequence[QueuedAlert],
    owner: str,
    failure: Failure = _NO_REASON,
) -> AlertState:
    """Queue again what the channel may have accepted."""
    return _release(state, channel, dict.fromkeys(_ids(batch), True), owner, failure)


def mark_rejected(
    state: AlertState, channel: str, batch: Sequence[QueuedAlert], error: str
) -> AlertState:
    """Give up what the channel will never accept, so that the rest is delivered."""
    return _give_up(state, channel, _ids(batch), error)


def _release(
    state: AlertState,
    channel: str,
    maybe_delivered: Mapping[str, bool],
    owner: str,
    failure: Failure,
) -> AlertState:
    def released(entry: QueuedAlert) -> QueuedAlert:
        if entry.claimed_by != owner:
            return entry
        return replace(
            entry,
            claimed_by="",
            claimed_until=0,
            maybe_delivered=maybe_delivered[entry.alert.id],
            error=failure.error[:_MAX_ERROR],
            retry_at=failure.retry_at,
        )

    return _change(state, channel, maybe_delivered.keys(), released)


def _give_up(state: AlertState, channel: str, ids: Iterable[str], error: str) -> AlertState:
    gone = set(ids)
    entries = queued(state, channel)
    lost = [
        DeadLetter(channel=channel, alert=entry.alert, error=error)
        for entry in entries
        if entry.alert.id in gone
    ]
    left = _with(state, channel, [entry for entry in entries if entry.alert.id not in gone])
    return replace(left, dead_letters=(*state.dead_letters, *lost)[-MAX_DEAD_LETTERS:])


def _change(
    state: AlertState,
    channel: str,
    ids: Iterable[str],
    change: Callable[[QueuedAlert], QueuedAlert],
) -> AlertState:
    chosen = set(ids)
    entries = queued(state, channel)
    return _with(state, channel, [change(e) if e.alert.id in chosen else e for e in entries])


def _with(state: AlertState, channel: str, entries: Iterable[QueuedAlert]) -> AlertState:
    """Return the state with another outbox; an empty one leaves no trace."""
    others = {name: box for name, box in state.outboxes.items() if name != channel}
    box = tuple(entries)
    return replace(state, outboxes={**others, channel: box} if box else others)


def _ids(entries: Iterable[QueuedAlert]) -> set[str]:
    return {entry.alert.id for entry in entries}


class Route(Struct, frozen=True, kw_only=True):
    """Which alerts go to a channel; without conditions, all of them.

    Attributes:
        groups, tags: only checkers that are in one of these groups or have one of these tags.
        severities: only alerts with one of these statuses, now or before; so a recovery reaches
            the channel that got the outage.
        on: ``alerts``, ``incidents``, ``maintenance``.
    """

    groups: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    on: tuple[str, ...] = ("alerts",)

    @classmethod
    def of(cls, settings: NotifierSettings) -> Route:
        """Return the route of a configured channel."""
        return cls(
            groups=settings.groups,
            tags=settings.tags,
            severities=settings.severities,
            on=settings.on,
        )

    def matches(self, alert: Alert, checker: Checker | None) -> bool:
        """Say whether the alert goes to the channel.

        Alerts about the monitor, or about a removed checker, go to every channel.

        Args:
            checker: the one that the alert is about, if it is configured.
        """
        if "alerts" not in self.on:
            return False
        if not alert.checker:
            return True
        return self._is_severe(alert) and (checker is None or self._is_for(checker))

    def matches_announcement(self, alert: Alert, checkers: Collection[Checker]) -> bool:
        """Say whether an incident or maintenance goes to the channel, whatever its severity.

        Args:
            checkers: those that it affects.
        """
        wanted = "incidents" if alert.kind is AlertKind.INCIDENT else "maintenance"
        return wanted in self.on and (not checkers or any(map(self._is_for, checkers)))

    def _is_severe(self, alert: Alert) -> bool:
        return not self.severities or bool(
            {alert.status, alert.previous_status} & {*self.severities}
        )

    def _is_for(self, checker: Checker) -> bool:
        if not self.groups and not self.tags:
            return True
        return checker.group in self.groups or bool({*checker.tags} & {*self.tags})


MATCH_ALL: Final = Route()


def channel_names(notifiers: Sequence[NotifierSettings]) -> tuple[str, ...]:
    """Return the name of each channel, under which its outbox is kept.

    Without an id, names stay the same as long as the order within a kind does.
    """
    seen: Counter[str] = Counter()
    found = []
    for settings in notifiers:
        seen[settings.kind] += 1
        number = seen[settings.kind]
        usual = settings.kind if number == 1 else f"{settings.kind}-{number}"
        found.append(settings.id or usual)
    return tuple(found)
