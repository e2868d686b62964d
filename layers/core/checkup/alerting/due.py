"""Which checkers a run looks at: those with a longer interval than the runs wait their turn. Pure.

Time is cut into windows as long as a checker's interval, and the first run of a window looks at
it. So it makes no difference which process makes the run, and a run that comes a little early or
late does not move those that follow.
"""

from __future__ import annotations

from checkup.alerting.state import CheckerState
from checkup.ports import Checker


def is_due(checker: Checker, slot: int, state: CheckerState | None, step: int = 0) -> bool:
    """Say whether the run of this slot has to look at a checker.

    On one machine the state tells when that was done last. Regions have to agree on it, and what
    they saw is known to all only when the slot has closed: they go by the slot alone, and by the
    state only after a window was missed as a whole.

    Args:
        state: what the runs so far amount to; None if nothing is known.
        step: the time between the slots that regions share; 0 on one machine.
    """
    interval, looked = checker.interval, state.looked if state else 0
    if interval <= 0 or not looked:
        return True
    window = slot // interval
    if not step:
        return window != looked // interval
    return window != (slot - step) // interval or slot - looked >= 2 * interval
