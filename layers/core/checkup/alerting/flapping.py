"""Whether a checker changes too often for each change to be worth a message. Pure.

The formula and both limits are those of Nagios: 21 results have room for 20 changes, the newest
of which weighs half as much again as the oldest; 30 % of all the weight begins a phase of flapping
and less than 20 % ends it
(https://assets.nagios.com/downloads/nagioscore/docs/nagioscore/4/en/flapping.html).
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from checkup.model import Status

FLAPPING_WINDOW: Final = 21
"""Results that are looked at. As many equal ones end every phase of flapping."""

# In units of 1/95 the weights 0.8 … 1.2 are the whole numbers 76 … 114, and 1 % of all is 19.
_OLDEST, _STEP, _PERCENT = 76, 2, 19
_BEGINS, _ENDS = 30, 20

_LETTERS = {Status.HEALTHY: "h", Status.DEGRADED: "g", Status.DOWN: "d"}


def append_status(recent: str, seen: Status) -> str:
    """Return the last results with one more, as letters.

    The first of them that are alike are kept as one: nothing changed between them, and the
    history of a checker that is always well stays as it is.
    """
    last = (recent + _LETTERS[seen])[-FLAPPING_WINDOW:]
    return last[len(last) - len(last.lstrip(last[0])) - 1 :]


def state_change_percent(recent: str) -> float:
    """Return the weight of the changes, in percent of all that could be."""
    return _weight(recent) / _PERCENT


def is_flapping(recent: str, before: bool) -> bool:  # noqa: FBT001 - the state that it follows
    """Say whether a checker flaps, which it does for longer than it takes to begin."""
    return _weight(recent) >= (_ENDS if before else _BEGINS) * _PERCENT


def _weight(recent: str) -> int:
    missing = FLAPPING_WINDOW - len(recent)
    return sum(
        _OLDEST + _STEP * (missing + number)
        for number, (one, next_one) in enumerate(pairwise(recent))
        if one != next_one
    )
