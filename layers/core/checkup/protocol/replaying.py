"""What other settings would have announced: the stored runs, folded once more and in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from msgspec import Struct
from msgspec.structs import replace

from checkup.alerting.fold import AlertRules, apply_runs
from checkup.alerting.state import AlertState
from checkup.model import Alert, AlertKind, Run
from checkup.protocol.monitor import RunContext
from checkup.protocol.runs import BATCH, runs_since, whole_slots


class ReplayedAlerts(Struct, frozen=True, kw_only=True):
    """What one setting announces.

    Attributes:
        alerts: in order.
    """

    alerts: tuple[Alert, ...]

    @property
    def openings(self) -> tuple[Alert, ...]:
        """The beginnings of incidents."""
        return tuple(alert for alert in self.alerts if alert.kind is AlertKind.OPEN)

    @property
    def delays(self) -> tuple[int, ...]:
        """How long each incident had lasted when it was announced, in nanoseconds."""
        return tuple(alert.slot - alert.opened for alert in self.openings)

    def without(self, other: ReplayedAlerts) -> tuple[Alert, ...]:
        """Return the incidents that the other setting does not announce."""
        known = {(alert.checker, alert.opened) for alert in other.openings}
        return tuple(a for a in self.openings if (a.checker, a.opened) not in known)


class ReplayReport(Struct, frozen=True, kw_only=True):
    """The outcome of a replay.

    Attributes:
        runs: how many were folded, and from and to which slot.
        told: what each setting announces.
    """

    runs: int
    first: int
    last: int
    told: tuple[ReplayedAlerts, ...]


def replay(monitor: RunContext, settings: Sequence[AlertRules], since: int) -> ReplayReport:
    """Fold the runs since a moment with each setting, from a state that knows nothing.

    Raises:
        StorageError: the runs could not be read.
    """
    machines = [_Machine(setting) for setting in settings]
    count = first = last = 0
    for batch in _batches(runs_since(monitor.storage, since, monitor.regions)):
        count += len(batch)
        first, last = first or batch[0].slot, batch[-1].slot
        for machine in machines:
            machine.fold(batch)
    told = tuple(ReplayedAlerts(alerts=tuple(machine.alerts)) for machine in machines)
    return ReplayReport(runs=count, first=first, last=last, told=told)


class _Machine:
    """The pure machine with one setting, and what it has announced so far."""

    def __init__(self, setting: AlertRules) -> None:
        self._setting = replace(setting, channels=())
        self._head = AlertState()
        self.alerts: list[Alert] = []

    def fold(self, runs: Sequence[Run]) -> None:
        """Fold some runs, whose slots are complete; whoever has not reported yet never will."""
        over = runs[-1].slot + self._setting.calendar.grace
        self._head, alerts = apply_runs(self._head, runs, self._setting, over)
        self.alerts += alerts


def _batches(runs: Iterator[Run]) -> Iterator[list[Run]]:
    """Yield runs, many at a time, and those of one slot always together."""
    batch: list[Run] = []
    while read := list(islice(runs, BATCH)):
        batch += read
        whole = whole_slots(batch)
        if whole:
            yield whole
        batch = batch[len(whole) :]
    if batch:
        yield batch
