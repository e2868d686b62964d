"""The second step: fold what was observed into the head, by compare-and-set."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from checkup.alerting.fold import AppliedRuns, apply_runs
from checkup.alerting.state import AlertState
from checkup.deadline import Deadline
from checkup.errors import StorageError
from checkup.model import Alert, Run
from checkup.protocol.expiry import is_retention_due
from checkup.protocol.heads import LoadedState, commit_state, load_state
from checkup.protocol.monitor import MIN_DELIVERY_SECONDS, RunContext
from checkup.protocol.runs import pending_runs

_log = logging.getLogger(__name__)

TRIES: Final = 8
"""Attempts to commit a batch; one of several competing writers always succeeds."""

MAX_LAG: Final = 10
"""Quiet runs that the cursor may be behind: writing costs more than reading a few runs again."""


class ApplyOutcome(Struct, frozen=True, kw_only=True):
    """The outcome of folding.

    Attributes:
        current: the head afterwards.
        alerts: those that this process has committed.
        expire: it fell to this process to delete old runs.
    """

    current: LoadedState
    alerts: tuple[Alert, ...] = ()
    expire: bool = False


def apply_pending_runs(
    monitor: RunContext, current: LoadedState, mine: Run | None, life: Deadline
) -> ApplyOutcome:
    """Fold all runs that are stored and not folded yet, batch by batch while there is time.

    There is time as long as the next batch, if it takes no longer than the last one, leaves enough
    to deliver. What is committed stands, and later runs apply the rest.

    Args:
        current: the head as it was read before; the first attempt builds on it.
        mine: this process's run as it is stored.

    Raises:
        StorageError: nothing could be committed: the storage failed, or others were faster every
            time.
    """
    done, more = ApplyOutcome(current=current), True
    while more:
        before = life.left()
        try:
            done, more = _fold_batch(monitor, done, mine, life)
        except StorageError as error:
            if done.current is current:
                raise
            _log.warning("later runs apply the rest of the runs: %s", error)
            break
        left = life.left()
        if more and left - (before - left) < MIN_DELIVERY_SECONDS:
            _log.warning("later runs apply the rest of the runs: there are too many for one")
            break
    return done


def _fold_batch(
    monitor: RunContext, done: ApplyOutcome, mine: Run | None, life: Deadline
) -> tuple[ApplyOutcome, bool]:
    """Fold and commit some runs; say also whether there may be more.

    A write that failed, or perhaps did not, is never judged by its answer: the head is read again
    and everything is decided again.
    """
    for _ in range(TRIES):
        try:
            return _try_batch(monitor, done, mine)
        except StorageError as error:
            if life.left() <= 0:
                raise
            _log.info("folding again: %s", error)
            done = replace(done, current=load_state(monitor))
    raise StorageError(f"the runs could not be folded in {TRIES} attempts; the next run goes on")


def _try_batch(
    monitor: RunContext, done: ApplyOutcome, mine: Run | None
) -> tuple[ApplyOutcome, bool]:
    before = done.current.head
    own = _own_runs(monitor, before, mine)
    if own and _is_quiet(before, _weigh(monitor, before, own).head, len(own)):
        return done, False
    runs, more = pending_runs(monitor.storage, before.cursor, monitor.regions, monitor.remembered)
    head, alerts = _weigh(monitor, before, runs)
    if _is_quiet(before, head, len(runs)):
        return done, False
    current = commit_state(monitor.storage, done.current, head)
    expire = head.expired_at != before.expired_at
    done = ApplyOutcome(
        current=current, alerts=(*done.alerts, *alerts), expire=done.expire or expire
    )
    return done, more


def _own_runs(monitor: RunContext, before: AlertState, mine: Run | None) -> list[Run] | None:
    """Return the runs after the cursor where they can be known without listing them.

    That is so where one process has stored a run for every slot of a schedule. Somebody else's
    run could only be off that schedule, and is found when something happens or the cursor moves:
    nothing is ever written without listing.
    """
    if mine is None or monitor.regions or not monitor.scheduled:
        return None
    return monitor.remembered.one_each(before.cursor, mine, monitor.interval)


def _weigh(monitor: RunContext, before: AlertState, runs: Sequence[Run]) -> AppliedRuns:
    """Return what follows from some runs, and what this process adds of its own."""
    now = monitor.storage.clock()
    folded = apply_runs(before, runs, monitor.setting, now)
    head = folded.head
    if is_retention_due(before.expired_at, monitor.check_expiry, now):
        head = replace(head, expired_at=now)
    if monitor.config_version:
        head = replace(head, config_version=monitor.config_version)
    return folded._replace(head=head)


def _is_quiet(before: AlertState, after: AlertState, runs: int) -> bool:
    """Say whether the head can stay as it is, with the cursor a few runs behind."""
    if after == before:
        return True
    return runs < MAX_LAG and replace(after, cursor=before.cursor, used=before.used) == before
