"""A checker whose attempts a test writes."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from typing import ClassVar

from checkup.checkers.event_loop import run_alone
from checkup.deadline import Deadline
from checkup.interfaces import Checker, Network, NetworkChecker
from checkup.model import Attempt
from checkup.times import SECOND

GOOD = Attempt(rtt=1_000_000)
BAD = Attempt(rtt=1_000_000, error="connection refused", failure="connect_refused")

Act = Callable[[Deadline], Attempt]


class ScriptedChecker(Checker, frozen=True, kw_only=True):
    """Each attempt is a call of ``act``."""

    kind: ClassVar[str] = "acting"
    default_timeout: ClassVar[int] = 20 * SECOND

    act: Act = lambda _: GOOD

    def attempt(self, deadline: Deadline) -> Attempt:
        return self.act(deadline)


class Waiting(NetworkChecker, frozen=True, kw_only=True):
    """Each attempt is a coroutine that ``act`` makes, in the thread of all of them."""

    kind: ClassVar[str] = "waiting"
    default_timeout: ClassVar[int] = 20 * SECOND

    act: Callable[[Network, Deadline], Awaitable[Attempt]]

    async def attempt_async(self, net: Network, deadline: Deadline) -> Attempt:
        return await self.act(net, deadline)

    def attempt(self, deadline: Deadline) -> Attempt:
        return run_alone(lambda net: self.attempt_async(net, deadline))


def playing(*attempts: Attempt) -> Act:
    """Return an act that gives these attempts in turn and then repeats the last one."""
    remaining = list(attempts)
    return lambda _: remaining.pop(0) if len(remaining) > 1 else remaining[0]


def in_turn(*acts: Act) -> Act:
    """Return an act of which each call is the next of these."""
    remaining = list(acts)
    return lambda deadline: remaining.pop(0)(deadline)  # noqa: PLW0108 - one per call


def hanging(until: threading.Event) -> Act:
    """Return an act that ignores its deadline."""

    def act(_: Deadline) -> Attempt:
        until.wait(60)
        return GOOD

    return act
