"""The steps of a run: check, store, apply, deliver.

A checker with a longer interval than the runs is not checked in every run: time is divided into
windows as long as its interval, and the first run of a window checks it. So it makes no difference
which process makes the run, and a run that comes a little early or late does not move those that
follow.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from checkup.alerting.apply import AppliedRuns, apply_runs
from checkup.alerting.state import AlertState, CheckerState
from checkup.checkers.runner import run_checks
from checkup.deadline import Deadline
from checkup.documents import Loaded
from checkup.errors import StorageError
from checkup.evaluation import Disagreement, find_disagreements
from checkup.interfaces import Checker
from checkup.model import Alert, Result, Run, Status, run_key
from checkup.pipeline.context import (
    FINISH_SECONDS,
    MIN_DELIVERY_SECONDS,
    RunContext,
    RunOutcome,
    with_origin,
)
from checkup.pipeline.deliver import deliver, deliver_unrecorded
from checkup.pipeline.state_store import confirmed_statuses, load_state, update_state
from checkup.run_store import (
    RunNotStoredError,
    delete_expired_runs,
    is_retention_due,
)
from checkup.times import MINUTE

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


MAX_LAG: Final = 10
"""Runs without a change that may stay unapplied: a write costs more than reading them again."""


class ApplyOutcome(Struct, frozen=True, kw_only=True):
    """The result of applying the pending runs.

    Attributes:
        loaded: the state afterwards.
        alerts: those that this process has committed.
        retention_due: this process has to delete expired runs.
    """

    loaded: Loaded[AlertState]
    alerts: tuple[Alert, ...] = ()
    retention_due: bool = False


def apply_pending_runs(
    context: RunContext, loaded: Loaded[AlertState], run: Run | None, deadline: Deadline
) -> ApplyOutcome:
    """Apply all stored runs after the cursor, batch by batch while there is time.

    There is time as long as the next batch, if it takes no longer than the last one, leaves enough
    to deliver. What is committed stands, and later runs apply the rest.

    Args:
        loaded: the state that was loaded before; the first attempt builds on it.
        run: this process's run as it is stored.

    Raises:
        StorageError: nothing could be committed: the storage failed, or others were faster every
            time.
    """
    done, more = ApplyOutcome(loaded=loaded), True
    while more:
        before = deadline.remaining()
        try:
            done, more = _apply_batch(context, done, run, deadline)
        except StorageError as error:
            if done.loaded is loaded:
                raise
            _log.warning("later runs apply the rest of the runs: %s", error)
            break
        left = deadline.remaining()
        if more and left - (before - left) < MIN_DELIVERY_SECONDS:
            _log.warning("later runs apply the rest of the runs: there are too many for one")
            break
    return done


def _apply_batch(
    context: RunContext, done: ApplyOutcome, run: Run | None, deadline: Deadline
) -> tuple[ApplyOutcome, bool]:
    """Apply and commit one batch; say also whether there may be more.

    After a write that failed, or may have failed, the state is loaded again and everything is
    decided again.
    """
    alerts: tuple[Alert, ...] = ()
    retention_due = more = False

    def change(before: AlertState) -> AlertState:
        nonlocal alerts, retention_due, more
        alerts, retention_due, more = (), False, False
        own = _own_runs(context, before, run)
        applied = _apply(context, before, own) if own else None
        if own and applied and _is_unchanged(before, applied.state, len(own)):
            return before
        batch = context.runs.after(before.cursor)
        runs, more = batch.runs, batch.more
        if applied is None or runs != own:
            applied = _apply(context, before, runs)
        if _is_unchanged(before, applied.state, len(runs)):
            more = False
            return before
        alerts = applied.alerts
        retention_due = applied.state.last_retention != before.last_retention
        return applied.state

    loaded = update_state(context, change, "the runs", loaded=done.loaded, deadline=deadline)
    done = ApplyOutcome(
        loaded=loaded,
        alerts=(*done.alerts, *alerts),
        retention_due=done.retention_due or retention_due,
    )
    return done, more


def _own_runs(context: RunContext, before: AlertState, run: Run | None) -> list[Run] | None:
    """Return the runs after the cursor where they can be known without listing them.

    That is so where one process has stored a run for every slot of a schedule. Another process's
    run could only be off that schedule, and is found when something happens or the cursor moves:
    nothing is ever written without listing.
    """
    if run is None or context.regions or not context.scheduled:
        return None
    return context.cache.consecutive(before.cursor, run, context.interval)


def _apply(context: RunContext, before: AlertState, runs: Sequence[Run]) -> AppliedRuns:
    """Apply runs, and record that retention is due and which configuration is active."""
    now = context.storage.now_ns()
    applied = apply_runs(before, runs, context.rules, now)
    state = applied.state
    if is_retention_due(before.last_retention, context.retention, now):
        state = replace(state, last_retention=now)
    if context.config_version:
        state = replace(state, config_version=context.config_version)
    return applied._replace(state=state)


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
    context: RunContext,
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
    with context.heartbeat() if only is None else nullcontext():
        loaded = _load_state_or_none(context)
        chosen = _due(context, slot, loaded, message) if only is None else only
        results = _run_checks(context, chosen, deadline, loaded, progress)
        if message is not None:
            results = tuple(_with_message(result, *message) for result in results)
        return _record(context, _run(context, slot, results), deadline, loaded)


def run_in_region(context: RunContext, slot: int, deadline: Deadline) -> Run:
    """Run the checkers and store the run; the home region applies it.

    Nothing is read, so a region needs no permission but to put its runs. Every bad result is
    checked again, because the previous status is not known, and which checkers are due follows
    from the slot alone.

    Raises:
        RunNotStoredError: the storage failed; the error carries the run.
    """
    without_gap = CheckerState(last_checked=slot)  # so that the slot alone decides
    due = [it for it in context.checkers if is_due(it, slot, without_gap, context.interval)]
    results = _run_checks(context, due, deadline, None, None)
    run = _run(context, slot, results)
    try:
        context.runs.create(run)
    except StorageError as error:
        raise RunNotStoredError(run, str(error)) from error
    return run


def store_run(context: RunContext, run: Run, deadline: Deadline) -> RunOutcome:
    """Store a run, apply it and deliver the alerts.

    Args:
        deadline: as for :func:`run_and_store`.

    Raises:
        RunNotStoredError: the storage failed; the error carries the run.
    """
    return _record(context, run, deadline, None)


def _record(
    context: RunContext, run: Run, deadline: Deadline, loaded: Loaded[AlertState] | None
) -> RunOutcome:
    total = Deadline(deadline.at + FINISH_SECONDS)
    try:
        # Before the run is stored: a new state starts at what is stored, without alerts for it.
        loaded = loaded or load_state(context)
        observed = context.runs.write(run, loaded.document.cursor)
        stored = observed.run or run
        if not context.is_voting:
            return RunOutcome(run=stored, late=observed.late)
        applied = apply_pending_runs(context, loaded, observed.run, total)
    except StorageError as error:
        deliver_unrecorded(context, loaded.document if loaded else None, run)
        raise RunNotStoredError(run, str(error)) from error
    if context.unrecorded is not None:
        context.unrecorded.clear()
    state = applied.loaded.document
    delivered = deliver(context, applied.loaded, total)
    if applied.retention_due:
        delete_expired_runs(context.storage, state.cursor, context.retention, total)
    _log_disagreements(context, stored, applied.alerts)
    return RunOutcome(
        run=stored,
        state=delivered.document,
        channels=tuple(context.channels),
        channel_problems=context.channel_problems(),
        alerts=applied.alerts,
        late=_is_late(state, stored, at_first=observed.late),
    )


_COMPARED_RUNS: Final = 6
"""Runs in which machines without regions are compared, in the last ten intervals."""


def disagreements(context: RunContext, now: int) -> tuple[Disagreement, ...]:
    """Return what machines that store runs here without regions disagree about.

    Raises:
        StorageError: the runs could not be read.
    """
    if context.regions or not context.machine:
        return ()
    since = now - 10 * max(context.interval, MINUTE)
    return find_disagreements(context.runs.newest(_COMPARED_RUNS, since))


def _log_disagreements(context: RunContext, run: Run, alerts: Sequence[Alert]) -> None:
    """Name another machine that sees something else, where either sees a failure."""
    bad = any(result.status in {Status.DOWN, Status.DEGRADED} for result in run.results)
    if not bad and not alerts:
        return
    with suppress(StorageError):  # a warning that fails is given by the next run
        for found in disagreements(context, run.slot):
            _log.warning("%s", found)


def _is_late(state: AlertState, run: Run, *, at_first: bool) -> bool:
    """Say whether a slot was closed without this run, perhaps only while it was being stored.

    Args:
        at_first: whether the slot was closed when the run checked, for runs so old that the state
            does not remember them.
    """
    if run.file_name in state.applied_runs or run_key(run) > state.cursor:
        return False
    is_remembered = bool(state.applied_runs) and state.applied_runs[0] < run.file_name
    return is_remembered or at_first


def _run_checks(
    context: RunContext,
    checkers: Sequence[Checker],
    deadline: Deadline,
    loaded: Loaded[AlertState] | None,
    progress: Callable[[Result], None] | None,
) -> tuple[Result, ...]:
    return run_checks(
        checkers,
        deadline=deadline,
        concurrency=context.concurrency,
        previous_statuses=confirmed_statuses(loaded.document) if loaded else {},
        mask=context.mask,
        secret=context.secret,
        forget_secrets=context.clear_secrets,
        region=context.region,
        timestamp=context.timestamp,
        progress=progress,
    )


def _run(context: RunContext, slot: int, results: tuple[Result, ...]) -> Run:
    return Run(
        slot=slot,
        results=with_origin(results, context),
        region=context.region,
        region_index=context.region_index,
    )


def _load_state_or_none(context: RunContext) -> Loaded[AlertState] | None:
    """Return the state; a storage that fails now is reported when it fails to store the run."""
    try:
        return load_state(context)
    except StorageError:
        return None


def _due(
    context: RunContext,
    slot: int,
    loaded: Loaded[AlertState] | None,
    message: tuple[str, str] | None,
) -> tuple[Checker, ...]:
    """Return the checkers that are due in this slot, and the one that a message is about."""
    states = loaded.document.checkers if loaded else {}
    step = context.interval if context.regions else 0
    return tuple(
        checker
        for checker in context.checkers
        if is_due(checker, slot, states.get(checker.id), step)
        or (message is not None and checker.id == message[0])
    )


def _with_message(result: Result, checker: str, text: str) -> Result:
    return replace(result, message=text) if result.id == checker else result
