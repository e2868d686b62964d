"""The outboxes in the head: alerts go in, are claimed, and leave when they were accepted. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice, takewhile
from typing import Final

from msgspec.structs import replace

from checkup.alerting.state import Head, Pending, Undeliverable
from checkup.model import Alert

LONGEST: Final = 1000
"""Alerts that wait for one channel; if it is dead for weeks, the oldest are given up."""

DEAD: Final = 50
"""Alerts that were given up and are still kept for the operator."""


def queue(head: Head, channel: str, alerts: Iterable[Alert]) -> Head:
    """Put alerts at the end of a channel's outbox; what no longer fits is given up."""
    waiting = (*waiting_for(head, channel), *(Pending(alert=alert) for alert in alerts))
    lost = {pending.alert.id for pending in waiting[:-LONGEST]}
    return _give_up(_with(head, channel, waiting), channel, lost, "too many alerts were waiting")


def waiting_for(head: Head, channel: str) -> tuple[Pending, ...]:
    """Return what a channel has still to be told, in order."""
    return head.channels.get(channel, ())


def next_batch(head: Head, channel: str, most: int = 0) -> tuple[Pending, ...]:
    """Return what goes into the next message.

    Alerts that may have been sent before and alerts that were certainly not never share one,
    for a message is either a possible repeat or it is news.

    Args:
        most: how many alerts one message can tell; 0 for any number.
    """
    waiting = waiting_for(head, channel)
    alike = takewhile(lambda entry: entry.maybe_sent == waiting[0].maybe_sent, waiting)
    return tuple(islice(alike, most or None))


def is_claimed(head: Head, channel: str, by_others_than: str, now: int) -> bool:
    """Say whether somebody else may be delivering to this channel at the moment."""
    return any(
        entry.owner not in {"", by_others_than} and entry.until > now
        for entry in waiting_for(head, channel)
    )


def claim(head: Head, channel: str, batch: Sequence[Pending], owner: str, until: int) -> Head:
    """Mark a batch as being delivered; from now on it may have been sent."""
    return _change(
        head,
        channel,
        _ids(batch),
        lambda entry: replace(
            entry, owner=owner, until=until, attempts=entry.attempts + 1, maybe_sent=True
        ),
    )


def has_claimed(head: Head, channel: str, batch: Sequence[Pending], owner: str, until: int) -> bool:
    """Say whether exactly this claim is in force."""
    waiting = waiting_for(head, channel)
    claimed = [entry for entry in waiting if (entry.owner, entry.until) == (owner, until)]
    return _ids(claimed) == _ids(batch)


def accepted(head: Head, channel: str, batch: Sequence[Pending]) -> Head:
    """Remove what the channel has accepted, and nothing else."""
    gone = _ids(batch)
    return _with(head, channel, [e for e in waiting_for(head, channel) if e.alert.id not in gone])


def refused(head: Head, channel: str, batch: Sequence[Pending], owner: str) -> Head:
    """Give back what the channel has certainly not accepted.

    Args:
        batch: the entries as they were before the claim: fresh ones are fresh again.
    """
    before = {entry.alert.id: entry.maybe_sent for entry in batch}
    return _release(head, channel, before, owner)


def unclear(head: Head, channel: str, batch: Sequence[Pending], owner: str) -> Head:
    """Give back what the channel may have accepted."""
    return _release(head, channel, dict.fromkeys(_ids(batch), True), owner)


def rejected(head: Head, channel: str, batch: Sequence[Pending], error: str) -> Head:
    """Give up what the channel will never accept, so that it holds nothing else up."""
    return _give_up(head, channel, _ids(batch), error)


def _release(head: Head, channel: str, maybe_sent: Mapping[str, bool], owner: str) -> Head:
    return _change(
        head,
        channel,
        maybe_sent.keys(),
        lambda entry: (
            replace(entry, owner="", until=0, maybe_sent=maybe_sent[entry.alert.id])
            if entry.owner == owner
            else entry
        ),
    )


def _give_up(head: Head, channel: str, ids: Iterable[str], error: str) -> Head:
    gone = set(ids)
    waiting = waiting_for(head, channel)
    lost = [
        Undeliverable(channel=channel, alert=entry.alert, error=error)
        for entry in waiting
        if entry.alert.id in gone
    ]
    left = _with(head, channel, [entry for entry in waiting if entry.alert.id not in gone])
    return replace(left, dead=(*head.dead, *lost)[-DEAD:])


def _change(
    head: Head, channel: str, ids: Iterable[str], change: Callable[[Pending], Pending]
) -> Head:
    chosen = set(ids)
    entries = waiting_for(head, channel)
    return _with(head, channel, [change(e) if e.alert.id in chosen else e for e in entries])


def _with(head: Head, channel: str, entries: Iterable[Pending]) -> Head:
    """Return the head with another outbox; an empty one leaves no trace."""
    others = {name: box for name, box in head.channels.items() if name != channel}
    box = tuple(entries)
    return replace(head, channels={**others, channel: box} if box else others)


def _ids(entries: Iterable[Pending]) -> set[str]:
    return {entry.alert.id for entry in entries}
