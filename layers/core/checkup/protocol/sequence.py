"""The steps of a storing run, in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext

from msgspec.structs import replace

from checkup.alerting.due import is_due
from checkup.alerting.state import AlertState, CheckerState
from checkup.deadline import Deadline
from checkup.engine import run_checks
from checkup.errors import RunNotStoredError, StorageError
from checkup.model import Result, Run
from checkup.ports import Checker
from checkup.protocol.delivery import deliver
from checkup.protocol.expiry import delete_expired_runs
from checkup.protocol.folding import apply_pending_runs
from checkup.protocol.heads import LoadedState, confirmed_statuses, load_state
from checkup.protocol.monitor import FINISH_SECONDS, RunContext, RunOutcome
from checkup.protocol.origin import with_origin
from checkup.protocol.runs import observe, put
from checkup.runfile import run_key


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
            and take at most TAIL_SECONDS.
        message: a checker's id and a person's words about it, kept with its result.
        only: the checkers to run, if not all that are due. The run says nothing about the
            others, and what is known of them stays as it is.
        progress: called with each result as soon as it is final.

    Raises:
        RunNotStoredError: the storage failed; the error carries what was seen.
    """
    with monitor.alive() if only is None else nullcontext():
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
    in_turn = CheckerState(looked=slot)
    due = [it for it in monitor.checkers if is_due(it, slot, in_turn, monitor.interval)]
    results = _look(monitor, due, deadline, None, None)
    run = _run(monitor, slot, results)
    try:
        put(monitor.storage, run)
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
        observed = observe(monitor.storage, run, current.head.cursor, monitor.regions)
        stored = observed.run or run
        if not monitor.votes:
            return RunOutcome(run=stored, late=observed.late)
        if observed.run is not None:
            monitor.remembered.add(observed.run)
        folded = apply_pending_runs(monitor, current, observed.run, life)
    except StorageError as error:
        raise RunNotStoredError(run, str(error)) from error
    head = folded.current.head
    undelivered = deliver(monitor, head, life)
    if folded.expire:
        delete_expired_runs(monitor.storage, head.cursor, monitor.check_expiry, life)
    late = _is_late(head, stored, at_first=observed.late)
    return RunOutcome(
        run=stored,
        alerts=folded.alerts,
        undelivered=undelivered,
        late=late,
        excluded=tuple(sorted({r for state in head.checkers.values() for r in state.excluded})),
    )


def _is_late(head: AlertState, run: Run, *, at_first: bool) -> bool:
    """Say whether a slot was closed without this run, perhaps only while it was being stored.

    Args:
        at_first: whether the slot was closed when the run looked, for runs so old that the head
            does not remember them.
    """
    if run.name in head.used or run_key(run) > head.cursor:
        return False
    is_remembered = bool(head.used) and head.used[0] < run.name
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
        known=confirmed_statuses(current.head) if current else {},
        mask=monitor.mask,
        secret=monitor.secret,
        forget_secrets=monitor.forget_secrets,
        region=monitor.region,
        timestamp=monitor.timestamp,
        progress=progress,
    )


def _run(monitor: RunContext, slot: int, results: tuple[Result, ...]) -> Run:
    return Run(
        slot=slot,
        results=with_origin(results, monitor),
        region=monitor.region,
        position=monitor.position,
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
