"""An event that two functions get, one of which is frozen for nearly all of its time."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from signal import SIGCONT, SIGSTOP, Signals
from threading import Event, Timer
from typing import Any

import pytest

from tests.stack.day import minutes_ago
from tests.stack.deployment import PATIENCE, Deployment
from tests.stack.lambdas import Environment
from tests.stack.services import Service

SECONDS = 51.0
"""Of the 60 that the function has; the alarm is for more than 50."""


@dataclass(frozen=True)
class Freeze:
    """A run that saw an outage and was frozen, while another one of the same slot saw none.

    Attributes:
        slot: in seconds since the epoch.
        summary: what it answers when it has thawed.
    """

    slot: int
    summary: Future[Any]


@pytest.fixture(scope="session")
def freeze(stack: Deployment, users: Service) -> Iterator[Freeze]:
    slot, frozen = minutes_ago(90), Event()

    def signal(number: Signals) -> None:
        for environment in environments:
            environment.signal(number)

    def stop() -> None:
        users.meanwhile = lambda: None
        environments.extend(stack.bridge.at_work(stack.outputs["CheckFunctionName"]))
        signal(SIGSTOP)
        frozen.set()

    environments: list[Environment] = []
    users.meanwhile = stop
    users.well = False
    thaw = Timer(SECONDS, signal, [SIGCONT])
    with ThreadPoolExecutor(1) as beside:
        summary = beside.submit(stack.check, slot)
        assert frozen.wait(PATIENCE)
        thaw.start()
        try:
            yield Freeze(slot, summary)
        finally:
            thaw.cancel()
            with suppress(ProcessLookupError):
                signal(SIGCONT)
