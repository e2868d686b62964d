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
    """Say whether the run of this slot has to look at a checker.

    On one machine the state tells when that was done last. Regions have to agree on it, and what
    they saw is known to all only when the slot has closed: they go by the slot alone, and by the
    state only after a window was missed as a whole.

    Args:
        state: what the runs so far amount to; None if nothing is known.
        slot_interval: the time between the slots that regions share; 0 on one machine.
    """
    interval, looked = checker.interval, state.last_checked if state else 0
    if interval <= 0 or not looked:
        return True
    window = slot // interval
    if not slot_interval:
        return window != looked // interval
    return window != (slot - slot_interval) // interval or slot - looked >= 2 * interval


# The second step: fold what was observed into the head, by compare-and-set.


TRIES: Final = 8
"""Attempts to commit a batch; one of several competing writers always succeeds."""

MAX_LAG: Final = 10
"""Quiet runs that the cursor may be behind: writing costs more than reading a few runs again."""


class ApplyOutcome(Struct, frozen=True, kw_only=True):
    """The outcome of folding.

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
        before = life.remaining()
        try:
            done, more = _fold_batch(monitor, done, mine, life)
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
            if life.remaining() <= 0:
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
    runs, more = monitor.runs.after(before.cursor)
    head, alerts = _weigh(monitor, before, runs)
    if _is_quiet(before, head, len(runs)):
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


def _weigh(monitor: RunContext, before: AlertState, runs: Sequence[Run]) -> AppliedRuns:
    """Return what follows from some runs, and what this process adds of its own."""
    now = monitor.storage.now_ns()
    folded = apply_runs(before, runs, monitor.rules, now)
    head = folded.head
    if is_retention_due(before.last_retention, monitor.check_expiry, now):
        head = replace(head, last_retention=now)
    if monitor.config_version:
        head = replace(head, config_version=monitor.config_version)
    return folded._replace(head=head)


def _is_quiet(before: AlertState, after: AlertState, runs: int) -> bool:
    """Say whether the head can stay as it is, with the cursor a few runs behind."""
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
    """Run the checkers that are due and record what they saw.

    Args:
        slot: the moment that the run stands for.
        deadline: when the checkers have to be done; recording and delivering come after it
            and take at most FINISH_SECONDS.
        message: a checker's id and a person's words about it, kept with its result.
        only: the checkers to run, if not all that are due. The run says nothing about the
            others, and what is known of them stays as it is.
        progress: called with each result as soon as it is final.

    Raises:
        RunNotStoredError: the storage failed; the error carries what was seen.
    """
    with monitor.heartbeat() if only is None else nullcontext():
        current = _look_up(monitor)
        chosen = _due(monitor, slot, current, message) if only is None else only
        results = _look(monitor, chosen, deadline, current, progress)
        if message is not None:
            results = tuple(_with_message(result, *message) for result in results)
        return _record(monitor, _run(monitor, slot, results), deadline, current)


def run_in_region(monitor: RunContext, slot: int, deadline: Deadline) -> Run:
    """Run the checkers and put what they saw where another region folds it.

    Nothing is read, so that a region needs no right but to put its runs. Every bad result is
    looked at again, for it is not known what was known of the checker, and whose turn it is
    says the slot alone.

    Raises:
        RunNotStoredError: the storage failed; the error carries what was seen.
    """
    in_turn = CheckerState(last_checked=slot)
    due = [it for it in monitor.checkers if is_due(it, slot, in_turn, monitor.interval)]
    results = _look(monitor, due, deadline, None, None)
    run = _run(monitor, slot, results)
    try:
        monitor.runs.create(run)
    except StorageError as error:
        raise RunNotStoredError(run, str(error)) from error
    return run


def store_run(monitor: RunContext, run: Run, deadline: Deadline) -> RunOutcome:
    """Store a run, fold it, and tell the channels what changed.

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
        folded = apply_pending_runs(monitor, current, observed.run, life)
    except StorageError as error:
        raise RunNotStoredError(run, str(error)) from error
    head = folded.current.head
    delivered = deliver(monitor, folded.current, life)
    if folded.retention_due:
        delete_expired_runs(monitor.storage, head.cursor, monitor.check_expiry, life)
    return RunOutcome(
        run=stored,
        state=delivered.head,
        channels=tuple(monitor.channels),
        alerts=folded.alerts,
        late=_is_late(head, stored, at_first=observed.late),
    )


def _is_late(head: AlertState, run: Run, *, at_first: bool) -> bool:
    """Say whether a slot was closed without this run, perhaps only while it was being stored.

    Args:
        at_first: whether the slot was closed when the run looked, for runs so old that the head
            does not remember them.
    """
    if run.file_name in head.applied_runs or run_key(run) > head.cursor:
        return False
    is_remembered = bool(head.applied_runs) and head.applied_runs[0] < run.file_name
    return is_remembered or at_first


def _look(
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


def _look_up(monitor: RunContext) -> LoadedState | None:
    """Return the head; a storage that fails now is reported when it fails to take the run."""
    try:
        return load_state(monitor)
    except StorageError:
        return None


def _due(
    monitor: RunContext, slot: int, current: LoadedState | None, message: tuple[str, str] | None
) -> tuple[Checker, ...]:
    """Return the checkers to run in this slot; the one that somebody writes about is."""
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
