"""The last two steps of a run: claim the outbox of each channel, send it, and record the answer.

A claim is written before the message is sent, so whatever happens afterwards, the next run knows
that a message may be on its way and says "possible repeat". On a storage with locks, the lock of
the channel shows at once whether the owner of a claim made under it is still alive; any other claim
is good until its owner is certainly gone. So a holder of the lock that is paused or cut off delays
alerts and no more.

If the storage fails, none of that is possible. Alerts are then sent once, by best effort, and say
that they are not recorded.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterable
from enum import Enum
from typing import Final
from uuid import uuid4

from msgspec import Struct
from msgspec.structs import replace

from checkup.alerting import outbox
from checkup.alerting.apply import apply_runs
from checkup.alerting.state import AlertState, CheckerState, QueuedAlert
from checkup.deadline import Deadline
from checkup.documents import Loaded
from checkup.errors import (
    DeliveryError,
    DeliveryUnknownError,
    MessageRejectedError,
    NotDeliveredError,
    StorageError,
)
from checkup.interfaces import LockState, Notification
from checkup.model import Alert, Run
from checkup.pipeline.announcements import announcement_urls
from checkup.pipeline.context import MIN_DELIVERY_SECONDS, RunContext
from checkup.pipeline.state_store import load_state, update_state
from checkup.times import SECOND

_log = logging.getLogger(__name__)

MAX_MESSAGES: Final = 4
"""Messages to one channel in one run; there is more than one only if alerts came in meanwhile,
or if some of them may be repeats."""

MARGIN_SECONDS: Final = 10.0

LOCK_PATIENCE: Final = 120 * SECOND
"""How long alerts wait for the holder of a channel's lock; longer than any run takes to deliver."""

MESSAGE_SECONDS: Final = 16.0
"""A message and, if its channel is dead, the same to another at 6 s each, and the receipt."""


class DeliveryStatus(Enum):
    """The outcome of a delivery; the values are those of the log."""

    DELIVERED = "accepted"
    NOT_DELIVERED = "refused"
    UNKNOWN = "unclear"
    REJECTED = "rejected"


class DeliveryResult(Struct, frozen=True):
    """The outcome of a delivery, the channel's error text, and the seconds that it asks to wait."""

    status: DeliveryStatus
    error: str = ""
    retry_after: float = 0.0


class Claim(Struct, frozen=True):
    """A batch that this run may deliver.

    Attributes:
        loaded: the state with the claim in it.
        batch: the entries as they were before.
        valid_until: when other runs may claim it, in seconds of the wall clock, which goes on
            while a machine sleeps.
    """

    loaded: Loaded[AlertState]
    batch: tuple[QueuedAlert, ...]
    valid_until: float


def deliver(
    context: RunContext, loaded: Loaded[AlertState], deadline: Deadline
) -> Loaded[AlertState]:
    """Deliver what is queued in the outboxes and return the state afterwards.

    Channels are independent: a failure of one does not affect the others.

    Args:
        loaded: the state that this run has committed or loaded last. It may be outdated: a claim
            is in force only once the storage has taken it in place of exactly this version.
    """
    for channel in context.channels:
        if not outbox.queued(loaded.document, channel):
            continue
        if outbox.retry_at(loaded.document, channel) > context.storage.now_ns():
            continue  # the channel asked to wait
        try:
            with context.storage.lock(f"channel-{channel}") as lock:
                if lock is not LockState.HELD_ELSEWHERE or _is_overdue(context, channel, loaded):
                    loaded = ChannelDelivery(context, channel, deadline, lock).run(loaded)
        except StorageError as error:
            _log.warning("%s: alerts may have to wait for the next run: %s", channel, error)
    return loaded


def new_notification(
    context: RunContext, state: AlertState, alerts: Iterable[Alert]
) -> Notification:
    """Return a message with alerts, and with how many checkers have which status."""
    alerts = tuple(alerts)
    states = (state.checkers.get(checker.id, CheckerState()) for checker in context.checkers)
    return Notification(
        alerts=alerts,
        page_url=context.page_url,
        links={**context.component_urls(), **announcement_urls(context, alerts)},
        timezone=context.timezone,
        checker_count=len(context.checkers),
        status_counts=Counter(it.display_status for it in states),
    )


def _is_overdue(context: RunContext, channel: str, loaded: Loaded[AlertState]) -> bool:
    """Say whether alerts wait for so long that the holder of the lock must be paused or cut off."""
    oldest = min(entry.alert.slot for entry in outbox.queued(loaded.document, channel))
    return context.storage.now_ns() - oldest > LOCK_PATIENCE


_UNDER_LOCK: Final = "lock-"
"""How the owner of a claim begins that holds the lock of the channel."""


class ChannelDelivery:
    """Delivers to one channel on behalf of one run."""

    def __init__(
        self, context: RunContext, channel: str, deadline: Deadline, lock: LockState
    ) -> None:
        self._context = context
        self._channel = channel
        self._deadline = deadline
        self._has_lock = lock is LockState.ACQUIRED
        self._owner = (_UNDER_LOCK if self._has_lock else "") + uuid4().hex

    def run(self, loaded: Loaded[AlertState]) -> Loaded[AlertState]:
        """Send message after message until the outbox is empty or one is not delivered.

        Returns:
            the state afterwards.

        Raises:
            StorageError: the storage failed; a message may have been sent without a receipt.
        """
        for _ in range(MAX_MESSAGES):
            claim = self._claim(loaded)
            if claim is None:
                break
            result = self._send(claim)
            loaded = self._record_receipt(claim, result)
            if result.status in {DeliveryStatus.NOT_DELIVERED, DeliveryStatus.UNKNOWN}:
                break
        return loaded

    def _claim(self, loaded: Loaded[AlertState]) -> Claim | None:
        """Claim the next batch, or return None if there is none for this run to deliver."""
        context, channel, owner = self._context, self._channel, self._owner
        most = context.max_alerts.get(channel, 0)
        batch: tuple[QueuedAlert, ...] = ()
        until, valid_until = 0, 0.0

        def change(state: AlertState) -> AlertState:
            nonlocal batch, until, valid_until
            if batch and outbox.holds_claim(state, channel, batch, owner, until):
                return state  # written before, and only the answer was lost
            left = self._deadline.remaining()
            batch = outbox.next_batch(state, channel, most)
            waits = outbox.retry_at(state, channel) > context.storage.now_ns()
            if left < MIN_DELIVERY_SECONDS or waits or self._is_claimed(state):
                batch = ()
            if not batch:
                return state
            valid_until = context.wall_clock() + left
            until = context.storage.now_ns() + int((left + MARGIN_SECONDS) * SECOND)
            return outbox.claim(state, channel, batch, owner, until)

        if self._is_claimed(loaded.document):
            loaded = load_state(context)  # its owner may have finished since
        loaded = update_state(context, change, f"{channel}: the claim", loaded=loaded)
        return Claim(loaded, batch, valid_until) if batch else None

    def _is_claimed(self, state: AlertState) -> bool:
        """Say whether another run may be delivering.

        Whoever has the lock of the channel knows that the owner of a claim made under it is gone.
        """
        now = self._context.storage.now_ns()
        gone = _UNDER_LOCK if self._has_lock else None
        return outbox.is_claimed(state, self._channel, self._owner, now, gone=gone)

    def _send(self, claim: Claim) -> DeliveryResult:
        context = self._context
        left = min(self._deadline.remaining(), claim.valid_until - context.wall_clock())
        if left < MESSAGE_SECONDS:  # perhaps paused meanwhile; another run may be sending it
            return DeliveryResult(DeliveryStatus.NOT_DELIVERED, "no time was left in this run")
        notification = replace(
            new_notification(context, claim.loaded.document, [it.alert for it in claim.batch]),
            possible_duplicate=claim.batch[0].maybe_delivered,
            delay_ns=max(0, context.storage.now_ns() - claim.batch[0].alert.slot),
        )
        try:
            context.channels[self._channel].send(notification)
        except NotDeliveredError as error:
            return DeliveryResult(DeliveryStatus.NOT_DELIVERED, str(error), error.retry_after)
        except MessageRejectedError as error:
            return DeliveryResult(DeliveryStatus.REJECTED, str(error))
        except DeliveryUnknownError as error:
            return DeliveryResult(DeliveryStatus.UNKNOWN, str(error), error.retry_after)
        except Exception as error:  # noqa: BLE001 - one bad notifier must not harm the others
            reason = f"the notifier failed: {type(error).__name__}"
            return DeliveryResult(DeliveryStatus.UNKNOWN, reason)
        return DeliveryResult(DeliveryStatus.DELIVERED)

    def _record_receipt(self, claim: Claim, result: DeliveryResult) -> Loaded[AlertState]:
        """Write the outcome of a delivery to the state, and return the state."""
        channel, batch, owner = self._channel, claim.batch, self._owner
        if result.status is DeliveryStatus.REJECTED:
            # The stack's alarm for alerts that were given up counts these.
            dead = {"dead_alerts": len(batch)}
            _log.error("%s: rejected: %s", channel, result.error, extra=dead)
        elif result.status is not DeliveryStatus.DELIVERED:
            _log.warning("%s: %s: %s", channel, result.status.value, result.error)
        wait = int(result.retry_after * SECOND)
        retry_at = self._context.storage.now_ns() + wait if wait else 0
        failure = outbox.Failure(result.error, retry_at)

        def change(state: AlertState) -> AlertState:
            match result.status:
                case DeliveryStatus.DELIVERED:
                    return outbox.mark_delivered(state, channel, batch)
                case DeliveryStatus.NOT_DELIVERED:
                    return outbox.mark_not_delivered(state, channel, batch, owner, failure)
                case DeliveryStatus.UNKNOWN:
                    return outbox.mark_delivery_unknown(state, channel, batch, owner, failure)
                case DeliveryStatus.REJECTED:
                    return outbox.mark_rejected(state, channel, batch, result.error)

        return update_state(self._context, change, f"{channel}: the receipt", loaded=claim.loaded)


def deliver_unrecorded(context: RunContext, stored: AlertState | None, run: Run) -> None:
    """Send the alerts of a run that could not be stored, each once; never raise.

    Args:
        stored: the state as it was read before; None if it could not be read.
    """
    if context.unrecorded is None or not context.is_voting:
        return
    before = context.unrecorded.load(stored)
    emptied = replace(before, outboxes={})
    state = apply_runs(emptied, [run], context.rules, time.time_ns()).state
    for channel, entries in state.outboxes.items():
        alerts = [entry.alert for entry in entries]
        notification = replace(new_notification(context, state, alerts), not_recorded=True)
        try:
            context.channels[channel].send(notification)
        except Exception as error:  # noqa: BLE001 - the storage's error is reported already
            reason = str(error) if isinstance(error, DeliveryError) else type(error).__name__
            _log.warning("%s: %s", channel, reason)
    context.unrecorded.save(replace(state, outboxes={}))
