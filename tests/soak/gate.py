"""A gate before everything that a run talks to: one request passes at a time, and in whose turn.

Only the run whose request was let through is running; all others wait for an answer. So a request
that arrives is always from that run, what happens depends on nothing but the order in which the
gate lets through, and a world can be lived through once more exactly as it was.
"""

from __future__ import annotations

import time
from queue import SimpleQueue
from typing import Final

from msgspec import Struct, field

HELD_SECONDS: Final = 50.0
"""A client that was held for longer may have given up, and sent another request."""


class TooSlowError(Exception):
    """The machine was too busy for clients that wait for seconds only."""


class Arrival(Struct, eq=False):
    """A request that waits at the gate."""

    call: str
    moment: float = field(default_factory=time.monotonic)
    fate: SimpleQueue[str] = field(default_factory=SimpleQueue)

    def let_through(self, fate: str) -> None:
        """Say what is to become of it."""
        if time.monotonic() - self.moment > HELD_SECONDS:
            raise TooSlowError
        self.fate.put(fate)


class Begun(Struct, frozen=True):
    """A process is there."""

    process: int


class Ended(Struct, frozen=True):
    """A process is gone."""

    process: int
    code: int


class Gate:
    """Where requests wait until they are let through.

    Attributes:
        is_open: nothing waits.
    """

    def __init__(self) -> None:
        self.is_open = False
        self.events: SimpleQueue[Arrival | Begun | Ended] = SimpleQueue()

    def arrive(self, call: str) -> str:
        """Wait until it is this request's turn, and return what is to become of it."""
        if self.is_open:
            return "ok"
        arrival = Arrival(call)
        self.events.put(arrival)
        return arrival.fate.get()
