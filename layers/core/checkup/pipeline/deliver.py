"""The last two steps: claim the outbox of each channel, send it, and record the answer.

A claim is written before the message is sent, so whatever happens afterwards, the next run knows
that a message may be on its way and says "possible repeat". On a storage with locks, the lock of
the channel shows at once whether the owner of a claim is still alive; elsewhere a claim is good
until its owner is certainly gone.
"""

from __future__ import annotations

import logging
from enum import Enum
from typing import Final
from uuid import uuid4

from msgspec import Struct

from checkup.alerting import outbox
from checkup.alerting.state import AlertState, QueuedAlert
from checkup.deadline import Deadline
from checkup.errors import (
    DeliveryUnknownError,
    MessageRejectedError,
    NotDeliveredError,
    StorageError,
)
from checkup.interfaces import LockState, Notification
from checkup.pipeline.context import MIN_DELIVERY_SECONDS, RunContext
from checkup.pipeline.state_store import LoadedState, commit_state, load_state
from checkup.times import SECOND

_log = logging.getLogger(__name__)

MAX_MESSAGES: Final = 4
"""Messages to one channel in one run; there is more than one only if alerts came in meanwhile,
or if some of them may be repeats."""

TRIES: Final = 8
MARGIN_SECONDS: Final = 10.0

MESSAGE_SECONDS: Final = 16.0
"""A message and, if its channel is dead, the same to another at 6 s each, and the receipt."""


class DeliveryStatus(Enum):
    """What became of a message."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNCLEAR = "unclear"
    REJECTED = "rejected"


class DeliveryResult(Struct, frozen=True):
    """What became of a message, and the channel's words if it was not accepted."""

    outcome: DeliveryStatus
    words: str = ""


class Claim(Struct, frozen=True):
    """A batch that this run may deliver.

    Attributes:
        current: the head with the claim in it.
        batch: the entries as they were before.
        valid_until: when the run may be taken for dead, in seconds of the clock on the wall, which
            goes on while a machine sleeps.
    """

    current: LoadedState
    batch: tuple[QueuedAlert, ...]
    valid_until: float


def deliver(monitor: RunContext, current: LoadedState, life: Deadline) -> LoadedState:
    """Deliver what is queued in the outboxes and return the state afterwards.

    Channels are independent: what happens to one of them does not concern the others.

    Args:
        current: the state that this run has committed or read last. It may be outdated: a claim is
            in force only once the storage has taken it in place of exactly this version.
    """
    for channel in monitor.channels:
        if not outbox.queued(current.head, channel):
            continue
        try:
            with monitor.storage.lock(f"channel-{channel}") as hold:
                if hold is not LockState.HELD_ELSEWHERE:
                    current = ChannelDelivery(monitor, channel, life, hold).run(current)
        except StorageError as error:
            _log.warning("%s: alerts may have to wait for the next run: %s", channel, error)
    return current


class ChannelDelivery:
    """Delivers to one channel on behalf of one run."""

    def __init__(self, monitor: RunContext, channel: str, life: Deadline, hold: LockState) -> None:
        self._monitor = monitor
        self._channel = channel
        self._life = life
        self._alone = hold is LockState.ACQUIRED
        self._owner = uuid4().hex

    def run(self, current: LoadedState) -> LoadedState:
        """Send message after message until the outbox is empty or the channel has had enough.

        Returns:
            the state afterwards.

        Raises:
            StorageError: the storage failed; a message may have been sent without a receipt.
        """
        for _ in range(MAX_MESSAGES):
            claim = self._claim(current)
            if claim is None:
                break
            answered = self._send(claim)
            current = self._receipt(claim, answered)
            if answered.outcome in {DeliveryStatus.REFUSED, DeliveryStatus.UNCLEAR}:
                break
        return current

    def _claim(self, current: LoadedState) -> Claim | None:
        """Claim the next batch, or return None if there is none for this run to deliver."""
        storage = self._monitor.storage
        if self._is_taken(current.head):
            current = load_state(self._monitor)  # its owner may have finished since
        for _ in range(TRIES):
            most = self._monitor.max_alerts.get(self._channel, 0)
            batch = outbox.next_batch(current.head, self._channel, most)
            if (
                not batch
                or self._life.remaining() < MIN_DELIVERY_SECONDS
                or self._is_taken(current.head)
            ):
                return None
            good_until = self._monitor.wall_clock() + self._life.remaining()
            until = storage.now_ns() + int((self._life.remaining() + MARGIN_SECONDS) * SECOND)
            mine = outbox.claim(current.head, self._channel, batch, self._owner, until)
            try:
                return Claim(commit_state(storage, current, mine), batch, good_until)
            except StorageError as error:
                _log.info("%s: claiming again: %s", self._channel, error)
            current = load_state(self._monitor)
            if outbox.holds_claim(current.head, self._channel, batch, self._owner, until):
                return Claim(current, batch, good_until)  # only the answer was lost
        return None

    def _is_taken(self, head: AlertState) -> bool:
        """Say whether another run may be delivering; who holds the lock knows that none is."""
        now = self._monitor.storage.now_ns()
        return not self._alone and outbox.is_claimed(head, self._channel, self._owner, now)

    def _send(self, claim: Claim) -> DeliveryResult:
        left = min(self._life.remaining(), claim.valid_until - self._monitor.wall_clock())
        if left < MESSAGE_SECONDS:  # perhaps frozen meanwhile; somebody else may be sending it
            return DeliveryResult(DeliveryStatus.REFUSED, "no time was left in this run")
        notification = Notification(
            alerts=tuple(entry.alert for entry in claim.batch),
            possible_duplicate=claim.batch[0].maybe_delivered,
            delay_ns=max(0, self._monitor.storage.now_ns() - claim.batch[0].alert.slot),
            page_url=self._monitor.page_url,
            checker_count=len(self._monitor.checkers),
        )
        try:
            self._monitor.channels[self._channel].send(notification)
        except NotDeliveredError as error:
            return DeliveryResult(DeliveryStatus.REFUSED, str(error))
        except MessageRejectedError as error:
            return DeliveryResult(DeliveryStatus.REJECTED, str(error))
        except DeliveryUnknownError as error:
            return DeliveryResult(DeliveryStatus.UNCLEAR, str(error))
        except Exception as error:  # noqa: BLE001 - one bad notifier must not harm the others
            return DeliveryResult(
                DeliveryStatus.UNCLEAR, f"the notifier failed: {type(error).__name__}"
            )
        return DeliveryResult(DeliveryStatus.ACCEPTED)

    def _receipt(self, claim: Claim, answered: DeliveryResult) -> LoadedState:
        """Write down what the channel said, and return the state that says so."""
        if answered.outcome is DeliveryStatus.REJECTED:
            # The stack's alarm for alerts that were given up counts these.
            dead = {"dead_alerts": len(claim.batch)}
            _log.error("%s: rejected: %s", self._channel, answered.words, extra=dead)
        elif answered.outcome is not DeliveryStatus.ACCEPTED:
            _log.warning("%s: %s: %s", self._channel, answered.outcome.value, answered.words)
        current = claim.current
        for _ in range(TRIES):
            head = self._with_receipt(current.head, claim.batch, answered)
            if head == current.head:
                return current
            try:
                return commit_state(self._monitor.storage, current, head)
            except StorageError as error:
                _log.info("%s: writing the receipt again: %s", self._channel, error)
            current = load_state(self._monitor)
        return current

    def _with_receipt(
        self, head: AlertState, batch: tuple[QueuedAlert, ...], answered: DeliveryResult
    ) -> AlertState:
        match answered.outcome:
            case DeliveryStatus.ACCEPTED:
                return outbox.mark_delivered(head, self._channel, batch)
            case DeliveryStatus.REFUSED:
                return outbox.mark_not_delivered(head, self._channel, batch, self._owner)
            case DeliveryStatus.UNCLEAR:
                return outbox.mark_delivery_unknown(head, self._channel, batch, self._owner)
            case DeliveryStatus.REJECTED:
                return outbox.mark_rejected(head, self._channel, batch, answered.words)
