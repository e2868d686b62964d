"""Why alerts of a checker are suppressed: maintenance, a silence, a dependency that is down. Pure.

Only openings, changes and reminders are suppressed. The end of an incident that was alerted is
always alerted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

from checkup.alerting.state import CheckerState, Silence
from checkup.interfaces import Checker
from checkup.maintenance import MaintenanceWindow
from checkup.model import Status
from checkup.times import SECOND


class SuppressionKind(StrEnum):
    """Reasons to suppress alerts."""

    MAINTENANCE = "maintenance"
    SILENCE = "silence"
    DEPENDENCY = "dependency"
    RECOVERY = "recovery"
    FLAPPING = "flapping"


class SuppressionReason(Struct, frozen=True, kw_only=True):
    """One reason why alerts of a checker are suppressed.

    Attributes:
        source: the window's title, or the id of the checker that this one depends on.
        until: when it ends by itself; 0 if that is not known.
    """

    kind: SuppressionKind
    source: str = ""
    until: int = 0


class Suppression(Struct, frozen=True, kw_only=True):
    """Everything that suppresses alerts after one run.

    Attributes:
        states: after that run, by checker id.
    """

    slot: int
    checkers: Mapping[str, Checker]
    states: Mapping[str, CheckerState]
    windows: Sequence[MaintenanceWindow] = ()
    silences: Mapping[str, Silence] = {}

    def reasons_for(self, checker: Checker) -> tuple[SuppressionReason, ...]:
        """Return every reason to suppress alerts of a checker; empty if they are sent."""
        failing = self._failing_dependencies(checker.id)
        return (
            *self._muting_reasons(checker),
            *(
                SuppressionReason(
                    kind=SuppressionKind.DEPENDENCY
                    if _is_down(self.states[parent])
                    else SuppressionKind.RECOVERY,
                    source=parent,
                )
                for parent in checker.depends_on
                if parent in failing
            ),
        )

    def displayed_reasons(self, checker: Checker) -> tuple[SuppressionReason, ...]:
        """Return the reasons to show: flapping, too, which suppresses alerts of single changes."""
        state = self.states.get(checker.id)
        flapping = state is not None and state.flapping and not state.alerted_lasting
        reasons = self.reasons_for(checker)
        return (*reasons, SuppressionReason(kind=SuppressionKind.FLAPPING)) if flapping else reasons

    def is_muted(self, checker: Checker) -> bool:
        """Say whether a checker is in maintenance or silenced."""
        return any(self._muting_reasons(checker))

    def suppressed_dependents(self) -> dict[str, list[str]]:
        """Return for each failing checker the titles of those whose alerts it suppresses."""
        found: dict[str, list[str]] = {}
        for checker in self.checkers.values():
            if self._is_unalerted_failure(checker.id):
                for cause in self._failing_dependencies(checker.id):
                    found.setdefault(cause, []).append(checker.title or checker.id)
        return found

    def _muting_reasons(self, checker: Checker) -> Iterator[SuppressionReason]:
        for window in self.windows:
            if window.covers(checker.id, checker.group):
                until = window.end_at(self.slot)
                if until:
                    yield SuppressionReason(
                        kind=SuppressionKind.MAINTENANCE, source=window.title, until=until
                    )
        silence = self.silences.get(checker.id)
        if silence is not None and self.slot < silence.until:
            yield SuppressionReason(kind=SuppressionKind.SILENCE, until=silence.until)

    def _failing_dependencies(self, checker: str) -> frozenset[str]:
        """Return the failing checkers that this one depends on, directly or through others.

        Of two that depend on each other neither suppresses the other, or no alert would be sent.
        """
        causes = self._failing_causes(checker)
        return frozenset(it for it in causes if checker not in self._failing_causes(it))

    def _failing_causes(self, checker: str) -> set[str]:
        """Return all failing checkers that this one depends on, even if they depend on it, too."""
        found: set[str] = set()
        to_visit = [checker]
        while to_visit:
            current = self.checkers.get(to_visit.pop())
            causes = {c for c in current.depends_on if self._is_failing(c)} if current else set()
            to_visit += causes - found
            found |= causes
        return found

    def _is_failing(self, checker: str) -> bool:
        """Say whether a checker is down, confirmed or not, or has recovered in this very run.

        What depends on it may have been checked before it recovered, so that a failure counts from
        the next run on.
        """
        state = self.states.get(checker)
        if state is None or checker not in self.checkers:
            return False
        # Several regions make keys, and so this slot, some nanoseconds later.
        return _is_down(state) or 0 <= self.slot - state.recovered < SECOND

    def _is_unalerted_failure(self, checker: str) -> bool:
        state = self.states.get(checker)
        failing = {Status.DOWN, Status.DEGRADED}
        return state is not None and state.status in failing and state.alerted_status not in failing


def _is_down(state: CheckerState) -> bool:
    return state.status is Status.DOWN or state.down_streak.runs > 0
