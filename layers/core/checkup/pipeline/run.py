"""The steps of a run: check, store, apply, deliver.

A checker with a longer interval than the runs waits its turn: time is cut into windows as long as
its interval, and the first run of a window checks it. So it makes no difference which process makes
the run, and a run that comes a little early or late does not move those that follow.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from checkup.alerting.apply import AppliedRuns, apply_runs
from checkup.alerting.state import AlertState, CheckerState
from checkup.checkers.runner import run_checks
from checkup.deadline import Deadline
from checkup.errors import StorageError
from checkup.interfaces import Checker
from checkup.model import Alert, Result, Run, run_key
from checkup.pipeline.context import (
    FINISH_SECONDS,
    MIN_DELIVERY_SECONDS,
    RunContext,
    RunOutcome,
    with_origin,
)
from checkup.pipeline.deliver import deliver
from checkup.pipeline.state_store import LoadedState, commit_state, confirmed_statuses, load_state
from checkup.run_store import (
    RunNotStoredError,
    delete_expired_runs,
    is_retention_due,
)

_log = logging.getLogger(__name__)


def is_due(checker: Checker, slot: int, state: CheckerState | None, slot_interval: int = 0) -> bool:
    """Say whether a checker is due in this slot.

    On one machine the state says when it was last checked. Regions have to agree on it, and their
    results are known to all only when the slot has closed: they go by the slot alone, and by the
    state only after a whole window was missed.

    Args:
        state: the checker's state after the runs so far; None if there is none.
        slot_interval: the time between the slots that regions share; 0 on one machine.
    """
    interval, checked = checker.interval, state.last_checked if state else 0
    if interval <= 0 or not checked:
        return True
    window = slot // interval
    if not slot_interval:
        return window != checked // interval
    return window != (slot - slot_interval) // interval or slot - checked >= 2 * interval


TRIES: Final = 8
"""Attempts to commit a batch; one of several competing writers always succeeds."""

MAX_LAG: Final = 10
"""Runs without a change that may stay unapplied: a write costs more than reading them again."""


class ApplyOutcome(Struct, frozen=True, kw_only=True):
    """What applying the pending runs came to.

    Attributes:
        current: the head afterwards.
        alerts: those that this process has committed.
        retention_due: it fell to this process to delete expired runs.
    """

    current: LoadedState
    alerts: tuple[Alert, ...] = ()
    retention_due: bool = False


def apply_pending_runs(
    monitor: RunContext, current: LoadedState, mine: Run | None, life: Deadline
) -> ApplyOutcome:
    """Apply all stored runs after the cursor, batch by batch while there is time.

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
        before = life.remaining()
        try:
            done, more = _apply_batch(monitor, done, mine, life)
        except StorageError as error:
            if done.current is current:
                raise
            _log.warning("later runs apply the rest of the runs: %s", error)
            break
        left = life.remaining()
        if more and left - (before - left) < MIN_DELIVERY_SECONDS:
            _log.warning("later runs apply the rest of the runs: there are too many for one")
            break
    return done


def _apply_batch(
    monitor: RunContext, done: ApplyOutcome, mine: Run | None, life: Deadline
) -> tuple[ApplyOutcome, bool]:
    """Apply and commit one batch; say also whether there may be more.

    A write that failed, or perhaps did not, is never judged by its answer: the head is read again
    and everything is decided again.
    """
    for _ in range(TRIES):
        try:
            return _try_batch(monitor, done, mine)
        except StorageError as error:
            if life.remaining() <= 0:
                raise
            _log.info("applying runs again: %s", error)
            done = replace(done, current=load_state(monitor))
    raise StorageError(f"the runs could not be applied in {TRIES} attempts; the next run continues")


def _try_batch(
    monitor: RunContext, done: ApplyOutcome, mine: Run | None
) -> tuple[ApplyOutcome, bool]:
    before = done.current.head
    own = _own_runs(monitor, before, mine)
    if own and _is_unchanged(before, _apply(monitor, before, own).head, len(own)):
        return done, False
    runs, more = monitor.runs.after(before.cursor)
    head, alerts = _apply(monitor, before, runs)
    if _is_unchanged(before, head, len(runs)):
        return done, False
    current = commit_state(monitor.storage, done.current, head)
    done = ApplyOutcome(
        current=current,
        alerts=(*done.alerts, *alerts),
        retention_due=done.retention_due or head.last_retention != before.last_retention,
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
    return monitor.cache.consecutive(before.cursor, mine, monitor.interval)


def _apply(monitor: RunContext, before: AlertState, runs: Sequence[Run]) -> AppliedRuns:
    """Apply runs, and record that retention is due and which configuration is active."""
    now = monitor.storage.now_ns()
    applied = apply_runs(before, runs, monitor.rules, now)
    head = applied.head
    if is_retention_due(before.last_retention, monitor.check_expiry, now):
        head = replace(head, last_retention=now)
    if monitor.config_version:
        head = replace(head, config_version=monitor.config_version)
    return applied._replace(head=head)


def _is_unchanged(before: AlertState, after: AlertState, runs: int) -> bool:
    """Say whether the stored state can stay as it is, with the cursor a few runs behind."""
    if after == before:
        return True
    return (
        runs < MAX_LAG
        and replace(after, cursor=before.cursor, applied_runs=before.applied_runs) == before
    )


# The steps of a storing run, in order.


def run_and_store(  # noqa: PLR0913 - the optional ones by name
    monitor: RunContext,
    slot: int,
    deadline: Deadline,
    *,
    message: tuple[str, str] | None = None,
    only: Sequence[Checker] | None = None,
    progress: Callable[[Result], None] | None = None,
) -> RunOutcome:
    """Run the checkers that are due, store the run, apply it and deliver the alerts.

    Args:
        slot: the time that the run stands for.
        deadline: when the checkers have to be done; recording and delivering come after it
            and take at most FINISH_SECONDS.
        message: a checker's id and a text about it, stored with its result.
        only: the checkers to run, if not all that are due. The others keep their status.
        progress: called with each result as soon as it is final.

    Raises:
        RunNotStoredError: the storage failed; the error carries the run.
    """
    with monitor.heartbeat() if only is None else nullcontext():
        current = _load_state_or_none(monitor)
        chosen = _due(monitor, slot, current, message) if only is None else only
        results = _run_checks(monitor, chosen, deadline, current, progress)
        if message is not None:
            results = tuple(_with_message(result, *message) for result in results)
        return _record(monitor, _run(monitor, slot, results), deadline, current)


def run_in_region(monitor: RunContext, slot: int, deadline: Deadline) -> Run:
    """Run the checkers and store the run; the home region applies it.

    Nothing is read, so a region needs no permission but to put its runs. Every bad result is
    checked again, because the previous status is not known, and which checkers are due follows
    from the slot alone.

    Raises:
        RunNotStoredError: the storage failed; the error carries the run.
    """
    in_turn = CheckerState(last_checked=slot)
    due = [it for it in monitor.checkers if is_due(it, slot, in_turn, monitor.interval)]
    results = _run_checks(monitor, due, deadline, None, None)
    run = _run(monitor, slot, results)
    try:
        monitor.runs.create(run)
    except StorageError as error:
        raise RunNotStoredError(run, str(error)) from error
    return run


def store_run(monitor: RunContext, run: Run, deadline: Deadline) -> RunOutcome:
    """Store a run, apply it and deliver the alerts.

    Args:
        deadline: as for :func:`run_and_store`.

    Raises:
        RunNotStoredError: the storage failed; the error carries the run.
    """
    return _record(monitor, run, deadline, None)


def _record(
    monitor: RunContext, run: Run, deadline: Deadline, current: LoadedState | None
) -> RunOutcome:
    life = Deadline(deadline.at + FINISH_SECONDS)
    try:
        # The head comes first: once there is one, whatever is stored afterwards is news.
        current = current or load_state(monitor)
        observed = monitor.runs.write(run, current.head.cursor)
        stored = observed.run or run
        if not monitor.counts:
            return RunOutcome(run=stored, late=observed.late)
        applied = apply_pending_runs(monitor, current, observed.run, life)
    except StorageError as error:
        raise RunNotStoredError(run, str(error)) from error
    head = applied.current.head
    delivered = deliver(monitor, applied.current, life)
    if applied.retention_due:
        delete_expired_runs(monitor.storage, head.cursor, monitor.check_expiry, life)
    return RunOutcome(
        run=stored,
        state=delivered.head,
        channels=tuple(monitor.channels),
        alerts=applied.alerts,
        late=_is_late(head, stored, at_first=observed.late),
    )


def _is_late(head: AlertState, run: Run, *, at_first: bool) -> bool:
    """Say whether a slot was closed without this run, perhaps only while it was being stored.

    Args:
        at_first: whether the slot was closed when the run checked, for runs so old that the head
            does not remember them.
    """
    if run.file_name in head.applied_runs or run_key(run) > head.cursor:
        return False
    is_remembered = bool(head.applied_runs) and head.applied_runs[0] < run.file_name
    return is_remembered or at_first


def _run_checks(
    monitor: RunContext,
    checkers: Sequence[Checker],
    deadline: Deadline,
    current: LoadedState | None,
    progress: Callable[[Result], None] | None,
) -> tuple[Result, ...]:
    return run_checks(
        checkers,
        deadline=deadline,
        concurrency=monitor.concurrency,
        previous_statuses=confirmed_statuses(current.head) if current else {},
        mask=monitor.mask,
        secret=monitor.secret,
        forget_secrets=monitor.clear_secrets,
        region=monitor.region,
        timestamp=monitor.timestamp,
        progress=progress,
    )


def _run(monitor: RunContext, slot: int, results: tuple[Result, ...]) -> Run:
    return Run(
        slot=slot,
        results=with_origin(results, monitor),
        region=monitor.region,
        region_index=monitor.position,
    )


def _load_state_or_none(monitor: RunContext) -> LoadedState | None:
    """Return the state; a storage that fails now is reported when it fails to store the run."""
    try:
        return load_state(monitor)
    except StorageError:
        return None


def _due(
    monitor: RunContext, slot: int, current: LoadedState | None, message: tuple[str, str] | None
) -> tuple[Checker, ...]:
    """Return the checkers that are due in this slot, and the one that a message is about."""
    states = current.head.checkers if current else {}
    step = monitor.interval if monitor.regions else 0
    return tuple(
        checker
        for checker in monitor.checkers
        if is_due(checker, slot, states.get(checker.id), step)
        or (message is not None and checker.id == message[0])
    )


def _with_message(result: Result, checker: str, words: str) -> Result:
    return replace(result, message=words) if result.id == checker else result
